"""Booking over Telegram, from the first words to the place that somebody else takes over: all through the Bot API."""

import datetime
from dataclasses import dataclass, replace
from functools import partial

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from telegram import Bot, Update

from bot import desk, storage
from bot.conversation import Respond, respond
from bot.delivery import Delivery
from bot.knowledge import Holder
from bot.replies import KeptReplies
from bot.scheduling import BRUSSELS
from bot.telegram import CHANNEL, Receiver, push
from bot.texts import Texts
from bot.understanding import Understanding
from tests.booking_knowledge import SCHOOL, with_permanences
from tests.conftest import Clock
from tests.fake_telegram import FakeTelegram, Fields, Message

# One counsellor, one place a week: on Wednesday 25 November 2026 and on 2 December, at half past one.
ONE_PLACE = replace(SCHOOL, moments=(replace(SCHOOL.moments[0], end=datetime.time(14, 0), capacity=1),))
PERMANENCES = {ONE_PLACE.service: ONE_PLACE}
APPOINTMENT = datetime.datetime(2026, 11, 25, 13, 30, tzinfo=BRUSSELS)
A_DAY, A_WEEK = datetime.timedelta(days=1), datetime.timedelta(days=7)
ISOLATED = "\u2068{}\u2069".format

WISHES = {
    "uk": "Хочу записатися на прийом: школа для моєї доньки, у середу",
    "ar": "أريد موعدًا من أجل مدرسة لابنتي يوم الأربعاء",
}
TITLES = SCHOOL.titles


@dataclass
class Person:
    """Somebody with Telegram. `last` is the newest message in their chat."""

    telegram: FakeTelegram
    receiver: Receiver
    chat: int
    language: str
    kept: KeptReplies

    @property
    def messages(self) -> list[Message]:
        return [message for message in self.telegram.messages if message.chat == self.chat]

    @property
    def last(self) -> Message:
        return self.messages[-1]

    async def says(self, text: str) -> str:
        return await self._sends(self.telegram.say(text, self.chat, self.language))

    async def presses(self, *labels: str) -> str:
        """Press buttons one after the other, each under what the message says by then."""
        for label in labels:
            await self._sends(self.telegram.press(self.last, label, self.language))
        return self.last.text

    async def presses_data(self, data: str) -> str:
        """Press a button of an older message."""
        return await self._sends(self.telegram.press_data(self.last, data, self.language))

    async def _sends(self, update: Fields) -> str:
        await self.receiver.receive(Update.de_json(update, self.receiver.bot))
        await self.kept.flush()
        return self.last.text


@pytest.fixture
def holder(understanding: Understanding) -> Holder[Understanding]:
    return Holder(with_permanences(understanding, PERMANENCES))


@pytest.fixture
def answer(holder: Holder[Understanding], database: AsyncEngine, catalogues: Texts, clock: Clock) -> Respond:
    return partial(respond, knowledge=holder, database=database, texts=catalogues, clock=clock)


@pytest.fixture
def delivery(
    holder: Holder[Understanding], database: AsyncEngine, catalogues: Texts, clock: Clock, bot: Bot
) -> Delivery:
    return Delivery(database, holder, catalogues, clock, {CHANNEL: push(bot)})


@pytest.fixture
def people(
    telegram: FakeTelegram, bot: Bot, answer: Respond, database: AsyncEngine, clock: Clock, language: str
) -> tuple[Person, Person, Person]:
    kept = KeptReplies(database, clock)
    receiver = Receiver(bot, answer, kept=kept)
    first, second, third = (Person(telegram, receiver, chat, language, kept) for chat in (1, 2, 3))
    return first, second, third


in_both_directions = pytest.mark.parametrize("language", WISHES)


async def _books(person: Person, day: str) -> str:
    """From words to a booking: people, language, day, time, confirm."""
    await person.says(WISHES[person.language])
    return await person.presses("1", "✓", day, ":30", "✅")


async def _reached(database: AsyncEngine, on: datetime.date) -> list[tuple[str, bool]]:
    """What staff see of a day: whose booking, and whether our last words arrived."""
    async with storage.begin(database) as connection:
        lines = await desk.day(connection, PERMANENCES, on)
    return [(line.booking.chat, line.reached) for line in lines]


@in_both_directions
async def test_a_place_goes_from_words_to_a_booking_to_a_reminder_to_somebody_who_waits(
    telegram: FakeTelegram,
    people: tuple[Person, Person, Person],
    delivery: Delivery,
    clock: Clock,
    database: AsyncEngine,
    language: str,
) -> None:
    owner, waits, blocked = people
    assert TITLES[language] in await owner.says(WISHES[language])
    assert "✅" in await owner.presses("1", "✓", "25", ":30", "✅")
    assert "⏳" in await _asks_for_the_full_day(waits)
    await waits.presses("⏳")
    assert await _books(blocked, "2")
    telegram.blocked.add(blocked.chat)

    clock.now = APPOINTMENT - A_DAY - datetime.timedelta(minutes=1)
    assert await delivery.send_due() == 0
    clock.now = APPOINTMENT - A_DAY
    assert await delivery.send_due() == 1
    assert "⏰" in owner.last.text
    assert not owner.last.edited

    await owner.presses("✕", "✕")
    assert owner.last.edited
    await delivery.send_due()
    assert "🎉" in waits.last.text
    assert "✅" in await waits.presses("✅")
    assert await _reached(database, APPOINTMENT.date()) == [(str(waits.chat), True)]

    clock.now = APPOINTMENT - A_DAY + A_WEEK
    await delivery.send_due()
    assert await _reached(database, (APPOINTMENT + A_WEEK).date()) == [(str(blocked.chat), False)]
    assert telegram.refusals == ["Forbidden: bot was blocked by the user"]
    assert telegram.unanswered == []


async def _asks_for_the_full_day(person: Person) -> str:
    await person.says(WISHES[person.language])
    await person.presses("1", "✓")
    return " ".join(person.last.labels)
