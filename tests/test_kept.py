"""Replies that cannot be sent at once: none is lost, none comes twice, and no other chat waits for them."""

import asyncio
import datetime
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine
from telegram import Bot, Update

from bot import storage
from bot.conversation import Button, Document, Event, Link, Reply, Respond, Utterance, Venue
from bot.conversation.keeping import from_text, to_text
from bot.conversation.steps import ListTopics
from bot.delivery import Delivery
from bot.knowledge import Holder
from bot.languages import LANGUAGES
from bot.limits import Limit
from bot.replies import KeptReplies
from bot.storage import events, schema
from bot.telegram import CHANNEL, GROUP, Receiver, poll, push
from bot.telegram.bot import IMPATIENT_SECONDS
from bot.telegram.receive import _TURN_SECONDS
from bot.texts import Texts
from bot.understanding import Understanding
from tests.conftest import NOW, Clock, eventually
from tests.fake_telegram import FakeTelegram, Refused, too_many
from tests.serving import Gate

WHERE = "where is Amal?"


@pytest.fixture
def kept(database: AsyncEngine, clock: Clock) -> KeptReplies:
    return KeptReplies(database, clock)


@pytest.fixture
def receiver(bot: Bot, answer: Respond, kept: KeptReplies) -> Receiver:
    return Receiver(bot, answer, kept=kept)


@pytest.fixture
def delivery(
    database: AsyncEngine, understanding: Understanding, catalogues: Texts, clock: Clock, bot: Bot
) -> Delivery:
    return Delivery(
        database, Holder(understanding), catalogues, clock, {CHANNEL: push(bot), GROUP: push(bot, in_groups=True)}
    )


async def _waits(database: AsyncEngine) -> int:
    rows = select(func.count()).select_from(schema.handled).where(schema.handled.c.replies.is_not(None))
    async with storage.begin(database) as connection:
        return int((await connection.execute(rows)).scalar_one())


async def _receive(receiver: Receiver, *updates: dict[str, object]) -> None:
    await asyncio.gather(*(receiver.receive(_update(receiver, update)) for update in updates))


def _update(receiver: Receiver, fields: dict[str, object]) -> Update:
    update = Update.de_json(fields, receiver.bot)
    assert update
    return update


async def test_what_has_arrived_is_not_kept(
    telegram: FakeTelegram, receiver: Receiver, kept: KeptReplies, database: AsyncEngine
) -> None:
    await _receive(receiver, telegram.say(WHERE))
    assert await _waits(database) == 1
    await kept.flush()
    assert await _waits(database) == 0
    assert len(telegram.messages) == 1


async def test_a_429_delays_that_chat_only_and_what_waits_is_sent_later_in_order(
    telegram: FakeTelegram, receiver: Receiver, kept: KeptReplies, delivery: Delivery, clock: Clock
) -> None:
    telegram.chat_faults[1] = [too_many(30)]
    await _receive(receiver, telegram.say(WHERE, chat=1))
    await _receive(receiver, telegram.say("hello", chat=1), telegram.say(WHERE, chat=2))
    await kept.flush()
    assert [message.chat for message in telegram.messages] == [2]
    clock.now += datetime.timedelta(seconds=29)
    assert await delivery.send_replies() == 0
    clock.now += datetime.timedelta(seconds=2)
    for _ in range(4):
        await delivery.send_replies()
        clock.now += datetime.timedelta(seconds=2)
    told = [message.text for message in telegram.messages if message.chat == 1]
    assert len(told) == 2
    assert "Kongostraat" in told[0]
    assert await delivery.send_replies() == 0


async def test_what_comes_after_the_first_message_is_waited_for_and_nobody_says_the_first_again(
    telegram: FakeTelegram, bot: Bot, kept: KeptReplies, database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of a booking meets a 429 that lasts longer than the lease on the reply."""
    monkeypatch.setattr("bot.telegram.bot._LONGEST_WAIT", 0.01)

    async def booked(_event: Event) -> Sequence[Reply]:
        return (Reply("booked", LANGUAGES["en"], document=Document("a.ics", "text/calendar", b"x")),)

    telegram.faults["sendDocument"] = [too_many(35)]
    update = telegram.say("book")
    async with storage.begin(database) as connection:
        unsent = events.Unsent(f"telegram:{update['update_id']}", CHANNEL, "1", "[]")
        await events.finish(connection, unsent, NOW)
    await _receive(Receiver(bot, booked, kept=kept), update)
    await kept.flush()
    assert await _waits(database) == 0
    assert ([message.text for message in telegram.messages], len(telegram.documents)) == (["booked"], 1)


async def test_a_second_429_does_not_let_a_later_reply_overtake(
    telegram: FakeTelegram, receiver: Receiver, delivery: Delivery, clock: Clock
) -> None:
    telegram.chat_faults[1] = [too_many(5)]
    await _receive(receiver, telegram.say(WHERE))
    await _receive(receiver, telegram.say("hello"))
    clock.now += datetime.timedelta(seconds=6)
    telegram.chat_faults[1] = [too_many(20)]
    for _ in range(12):
        await delivery.send_replies()
        clock.now += datetime.timedelta(seconds=3)
    assert ["Kongostraat" in message.text for message in telegram.messages] == [True, False]


async def test_what_waits_is_sent_also_after_a_restart(
    telegram: FakeTelegram, bot: Bot, answer: Respond, database: AsyncEngine, delivery: Delivery, clock: Clock
) -> None:
    telegram.chat_faults[1] = [too_many(5)]
    await _receive(Receiver(bot, answer, kept=KeptReplies(database, clock)), telegram.say(WHERE))
    assert telegram.messages == []
    clock.now += datetime.timedelta(seconds=6)
    await delivery.send_replies()
    assert len(telegram.messages) == 1
    assert await _waits(database) == 0


async def test_who_dies_before_sending_has_another_send_it_once(
    telegram: FakeTelegram, answer: Respond, delivery: Delivery, clock: Clock, receiver: Receiver
) -> None:
    update = telegram.say(WHERE)
    from bot.telegram.parse import parse

    event = parse(_update(receiver, update))
    assert event
    assert await answer(event), "and then it dies"
    await _receive(receiver, update)
    assert telegram.messages == [], "an update that comes again is not answered anew"
    clock.now += events.LEASE + datetime.timedelta(seconds=1)
    for _ in range(3):
        await delivery.send_replies()
        clock.now += events.LEASE
    assert [message.chat for message in telegram.messages] == [1]


@asynccontextmanager
async def _polling(receiver: Receiver) -> AsyncIterator[None]:
    task = asyncio.create_task(poll(receiver))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await receiver.finish()


async def test_a_chat_that_telegram_is_slow_for_does_not_hold_up_what_is_fetched_next(
    telegram: FakeTelegram, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(telegram)
    monkeypatch.setattr(telegram, "call", gate.call)
    gate.close(only=1)
    async with _polling(receiver):
        telegram.say(WHERE, chat=1)
        await eventually(lambda: gate.held)
        telegram.say("thank you very much!", chat=1)
        telegram.say(WHERE, chat=2)
        await eventually(lambda: telegram.messages)
        assert (telegram.messages[0].chat, gate.held) == (2, 1)
        gate.open()
        await eventually(lambda: len(telegram.messages) == 3)
    told = [message.text for message in telegram.messages if message.chat == 1]
    assert ["Kongostraat" in text for text in told] == [True, False], "in the order of what was asked"


async def test_a_reply_that_has_waited_for_too_long_is_left_to_whoever_sends_it_when_its_lease_has_ended(
    telegram: FakeTelegram,
    receiver: Receiver,
    kept: KeptReplies,
    delivery: Delivery,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.telegram.receive._TURN_SECONDS", -1.0)
    await _receive(receiver, telegram.say(WHERE))
    assert telegram.messages == []
    clock.now += events.LEASE + datetime.timedelta(seconds=1)
    for _ in range(2):
        await delivery.send_replies()
        await kept.flush()
        clock.now += events.LEASE + datetime.timedelta(seconds=1)
    assert len(telegram.messages) == 1


def test_nobody_still_tries_to_send_a_reply_when_its_lease_has_ended() -> None:
    assert events.LEASE.total_seconds() > _TURN_SECONDS + 2 * IMPATIENT_SECONDS, "to edit, then to send"


@pytest.mark.parametrize("fault", [Refused(502, "Bad Gateway"), Refused(500, "Internal Server Error")])
async def test_a_server_that_stays_away_gets_it_later(
    telegram: FakeTelegram,
    receiver: Receiver,
    delivery: Delivery,
    clock: Clock,
    fault: Refused,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.telegram.bot._FIRST_PAUSE", 0.001)
    telegram.faults["sendMessage"] = [fault] * 5
    await _receive(receiver, telegram.say(WHERE))
    assert telegram.messages == []
    clock.now += datetime.timedelta(seconds=11)
    await delivery.send_replies()
    assert len(telegram.messages) == 1


async def test_what_telegram_refuses_is_not_tried_for_ever(
    telegram: FakeTelegram, receiver: Receiver, kept: KeptReplies, database: AsyncEngine
) -> None:
    telegram.faults["sendMessage"] = [Refused(400, "Bad Request: chat not found")]
    await _receive(receiver, telegram.say(WHERE))
    telegram.blocked.add(2)
    await _receive(receiver, telegram.say(WHERE, chat=2))
    await kept.flush()
    assert (telegram.messages, await _waits(database)) == ([], 0)


async def test_what_is_kept_comes_back_as_it_was() -> None:
    reply = Reply(
        "**a**",
        LANGUAGES["ar"],
        ((Button("x", ListTopics("ar")), Button("y", Link("https://www.amal.gent"))),),
        True,
        Venue("Amal", "Kongostraat 42", 51.0, 3.7),
        Document("a.ics", "text/calendar", b"\x00\xff"),
        "❤",
    )
    plain = Reply("b", LANGUAGES["nl"])
    assert from_text(to_text([reply, plain])) == [reply, plain]


async def test_replies_are_forgotten_while_it_runs_and_when_it_stops(
    telegram: FakeTelegram, receiver: Receiver, kept: KeptReplies, database: AsyncEngine
) -> None:
    task = asyncio.create_task(kept.run())
    await _receive(receiver, telegram.say(WHERE))
    async with asyncio.timeout(10):
        while await _waits(database):
            await asyncio.sleep(0.05)
    await _receive(receiver, telegram.say("hello"))
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert await _waits(database) == 0


# Groups, thanks and haste


async def test_in_a_group_the_bot_answers_only_who_speaks_to_it(telegram: FakeTelegram, receiver: Receiver) -> None:
    group = {"id": -5, "type": "group", "title": "x"}
    name = receiver.bot.username
    await _receive(receiver, telegram.send({"text": WHERE, "chat": group}))
    assert telegram.messages == []
    await _receive(receiver, telegram.send({"text": f"@{name} {WHERE}", "chat": group}))
    (message,) = telegram.messages
    assert "Kongostraat" in message.text
    assert message.labels == ["➡ Wegwijs"], "buttons of one person would be everybody's"


async def test_what_a_group_cannot_be_told_now_it_is_told_later_without_buttons(
    telegram: FakeTelegram, receiver: Receiver, delivery: Delivery, clock: Clock
) -> None:
    telegram.chat_faults[-5] = [too_many(5)]
    said = {"text": f"@{receiver.bot.username} {WHERE}", "chat": {"id": -5, "type": "group", "title": "x"}}
    await _receive(receiver, telegram.send(said))
    assert telegram.messages == []
    clock.now += datetime.timedelta(seconds=6)
    await delivery.send_replies()
    (message,) = telegram.messages
    assert (message.chat, message.labels) == (-5, ["➡ Wegwijs"])


async def test_a_press_that_gets_no_answer_does_not_leave_the_button_waiting(
    telegram: FakeTelegram, bot: Bot, receiver: Receiver
) -> None:
    async def no_answer(_event: Event) -> Sequence[Reply]:
        return ()

    await _receive(receiver, telegram.say(WHERE))
    (message,) = telegram.messages
    await _receive(Receiver(bot, no_answer), telegram.press(message, message.labels[0]))
    assert telegram.unanswered == []


async def test_thanks_get_a_heart(telegram: FakeTelegram, receiver: Receiver) -> None:
    await _receive(receiver, telegram.say("thank you very much!"))
    assert telegram.reactions == [(1, "❤")]
    assert len(telegram.messages) == 1


async def test_who_waits_long_sees_that_somebody_types(
    telegram: FakeTelegram, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.telegram.receive._SLOW_SECONDS", 0.01)

    async def slow(_event: Event) -> Sequence[Reply]:
        await eventually(lambda: telegram.actions)
        return (Reply("done", LANGUAGES["en"]),)

    await _receive(Receiver(bot, slow), telegram.say("a hard question"))
    assert telegram.actions == [1]


def test_twenty_messages_in_a_minute_are_always_served() -> None:
    limit = Limit(60, 30)
    assert all(limit.allows("a", now) for minute in range(10) for now in (60.0 * minute + 3 * n for n in range(20)))


def test_who_asks_too_much_waits_and_is_told_once_and_others_are_served() -> None:
    limit = Limit(5, 60)
    assert [limit.allows("a", 0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert (limit.tells("a"), limit.tells("a"), limit.tells("b")) == (True, False, False)
    assert limit.allows("b", 0)
    assert not limit.allows("a", 0.5)
    assert limit.allows("a", 1.6)


def test_a_limit_remembers_only_so_many() -> None:
    limit = Limit(1, 1, most=10)
    for number in range(1000):
        limit.allows(str(number), 0)
    assert len(limit._buckets) == 10


async def test_who_writes_too_fast_is_told_so_in_their_language(
    answer: Respond, database: AsyncEngine, catalogues: Texts
) -> None:
    from bot.middleware import limited as limiting
    from tests.dialogue import Dialogue

    limited = partial(limiting, answer, limit=Limit(2, 1), database=database, texts=catalogues)
    person = Dialogue(limited, "uk")
    for _ in range(2):
        assert await person.says("Дякую")
    slow = "You are writing very fast. Please wait a minute, then I can answer again."
    assert await person.says("Дякую") == catalogues.text(slow, "uk")
    assert await person.says("Дякую") == "", "said once"
    event = Utterance(text="hello", speaker=person.speaker)
    assert await limited(event) == ()
