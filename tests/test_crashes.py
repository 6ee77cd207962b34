"""A process is killed at the worst moment, and another starts: nothing is lost, and nothing is given twice."""

import asyncio
import datetime
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.conversation import Reply, Respond, Sent, respond
from bot.conversation.packing import pack, pack_instant
from bot.conversation.steps import ListBookings
from bot.delivery import Delivery
from bot.knowledge import Holder
from bot.scheduling import BRUSSELS, slot_at
from bot.storage import agenda, bookings
from bot.storage.outbox import LEASE
from bot.texts import Texts
from bot.understanding import Understanding
from tests.booking_knowledge import SCHOOL, with_permanences
from tests.conftest import NOW, Clock
from tests.dialogue import Dialogue
from tests.doomed import CHANNEL, CHAT, KEY, books, confirms, killed, sends

START = datetime.datetime(2026, 11, 25, 13, 30, tzinfo=BRUSSELS)
DAY_BEFORE = START - datetime.timedelta(days=1)
CONFIRM = f"bc:en:school:1:-:{pack_instant(START)}"


@dataclass
class Restarted:
    """What a process that starts after the crash has: its own engine, and nothing of the one that died."""

    answer: Respond
    database: AsyncEngine
    delivery: Delivery
    arrived: list[str] = field(default_factory=list)

    async def push(self, _chat: str, replies: Sequence[Reply]) -> Sent:
        self.arrived += [reply.text for reply in replies]
        return Sent()

    def person(self, chat: str = CHAT) -> Dialogue:
        return Dialogue(self.answer, "en", chat=chat)

    async def booked(self) -> list[str]:
        """The chats that have a booking; they are as many as places are taken."""
        async with storage.begin(self.database) as connection:
            found = await agenda.between(connection, NOW, NOW + datetime.timedelta(days=30))
            taken = await bookings.taken(connection, "school", NOW, NOW + datetime.timedelta(days=30))
        assert sum(taken.values()) == len(found)
        return [each.chat for each in found]


@pytest.fixture
def known(understanding: Understanding) -> Understanding:
    return with_permanences(understanding)


@asynccontextmanager
async def _restart(url: str, known: Understanding, texts: Texts, clock: Clock) -> AsyncIterator[Restarted]:
    holder = Holder(known)
    async with storage.open_storage(url) as engine:
        await storage.migrate(engine)
        answer = partial(respond, knowledge=holder, database=engine, texts=texts, clock=clock)
        delivery = Delivery(engine, holder, texts, clock, {})
        started = Restarted(answer, engine, delivery)
        delivery.pushes = {CHANNEL: started.push}
        yield started


# Between taking a place and telling it


@pytest.mark.usefixtures("database")
async def test_a_place_that_was_taken_but_not_told_is_told_when_confirm_is_pressed_again(
    database_url: str, known: Understanding, catalogues: Texts, clock: Clock
) -> None:
    never_told = killed(partial(confirms, understanding=known, now=NOW, data=CONFIRM), database_url)
    async with _restart(database_url, known, catalogues, clock) as restarted:
        assert await restarted.booked() == [CHAT]
        assert "Your appointment is made" in never_told
        assert await restarted.person().presses_data(CONFIRM) == never_told
        assert await restarted.booked() == [CHAT]


@pytest.mark.usefixtures("database")
async def test_the_press_that_took_a_place_before_a_crash_books_nothing_more_when_it_comes_again(
    database_url: str, known: Understanding, catalogues: Texts, clock: Clock
) -> None:
    """Telegram sends an update again that was not acknowledged. It was handled, so it has no replies a second time:
    the person sees the booking when they press again, and in the reminders."""
    killed(partial(confirms, understanding=known, now=NOW, data=CONFIRM), database_url)
    async with _restart(database_url, known, catalogues, clock) as restarted:
        person = restarted.person()
        assert await person.presses_data(CONFIRM, key=KEY) == ""
        assert await restarted.booked() == [CHAT]
        assert "Your appointments" in await person.presses_data(pack(ListBookings("en")))
        clock.now = DAY_BEFORE
        await restarted.delivery.send_due()
        assert len(restarted.arrived) == 1


@pytest.mark.usefixtures("database")
async def test_a_place_is_free_again_when_the_process_dies_before_it_is_sure(
    database_url: str, known: Understanding, catalogues: Texts, clock: Clock
) -> None:
    slot = slot_at(SCHOOL, START)
    assert slot is not None
    assert killed(partial(books, slot=slot, now=NOW), database_url) == "Booked"
    async with _restart(database_url, known, catalogues, clock) as restarted:
        assert await restarted.booked() == []
        assert "Your appointment is made" in await restarted.person("other").presses_data(CONFIRM)
        assert "Your appointment is made" in await restarted.person().presses_data(CONFIRM, key=KEY)
        assert await restarted.booked() == ["other", CHAT]


# Between claiming a reminder and sending it, and between sending and marking it


async def _arrive_after_a_crash(restarted: Restarted, clock: Clock) -> list[str]:
    """What arrives once the claim of the dead process has run out, though two deliveries look for it at once."""
    clock.now = DAY_BEFORE + LEASE - datetime.timedelta(microseconds=1)
    assert await restarted.delivery.send_due() == 0
    clock.now = DAY_BEFORE + LEASE
    other = Delivery(
        restarted.database, restarted.delivery.knowledge, restarted.delivery.texts, clock, restarted.delivery.pushes
    )
    await asyncio.gather(restarted.delivery.send_due(), other.send_due())
    clock.now += 2 * LEASE
    assert await restarted.delivery.send_due() == 0
    return restarted.arrived


@pytest.mark.usefixtures("database")
async def test_a_reminder_that_was_claimed_but_not_sent_comes_exactly_once(
    database_url: str, known: Understanding, catalogues: Texts, clock: Clock
) -> None:
    async with _restart(database_url, known, catalogues, clock) as before:
        await before.person().presses_data(CONFIRM)
    killed(partial(sends, understanding=known, now=DAY_BEFORE, arrives=False), database_url)
    async with _restart(database_url, known, catalogues, clock) as restarted:
        (reminder,) = await _arrive_after_a_crash(restarted, clock)
        assert "13:30" in reminder


@pytest.mark.usefixtures("database")
async def test_a_reminder_that_arrived_but_was_not_marked_comes_a_second_time(
    database_url: str, known: Understanding, catalogues: Texts, clock: Clock
) -> None:
    """Nobody can know whether it arrived: Telegram has no way to ask, nor a key by which it would refuse a second one.
    We would rather say it twice than not at all. It is never said a third time."""
    async with _restart(database_url, known, catalogues, clock) as before:
        await before.person().presses_data(CONFIRM)
    arrived = killed(partial(sends, understanding=known, now=DAY_BEFORE, arrives=True), database_url)
    async with _restart(database_url, known, catalogues, clock) as restarted:
        assert "13:30" in arrived
        assert await _arrive_after_a_crash(restarted, clock) == [arrived]
