"""Sending what waits: not too fast, never twice, and through a channel or a database that is away."""

import asyncio
import datetime
import sqlite3
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from bot import storage
from bot.conversation import Later, Push, Reply, Sent, Unreachable
from bot.delivery import OVERALL_A_SECOND, Delivery
from bot.knowledge import Holder
from bot.scheduling import Slot, slot_at
from bot.storage import bookings, outbox, reminding, schema
from bot.storage.bookings import Asked, Booked
from bot.texts import Texts
from bot.understanding import Understanding
from tests.booking_knowledge import SCHOOL, with_permanences

START = datetime.datetime(2026, 11, 25, 12, 30, tzinfo=datetime.UTC)
TWO_HOURS_BEFORE = START - datetime.timedelta(hours=2)
LAST_MINUTE = START - datetime.timedelta(hours=3)  # who books now gets one reminder

OpenDelivery = Callable[..., Delivery]


class Enough(Exception):
    """Ends a `run` that would go on for ever."""


@dataclass
class Time:
    """Seconds that pass only when somebody waits; what was begun before is finished first."""

    seconds: float = 0.0
    waited: list[float] = field(default_factory=list)

    def clock(self) -> datetime.datetime:
        return TWO_HOURS_BEFORE + datetime.timedelta(seconds=self.seconds)

    def timer(self) -> float:
        return self.seconds

    async def wait(self, seconds: float) -> None:
        while begun := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(begun)
        self.waited.append(seconds)
        self.seconds += seconds


@dataclass
class Channel:
    """Takes what is pushed, and remembers to whom and when."""

    time: Time
    sent: list[tuple[float, str]] = field(default_factory=list)

    async def push(self, chat: str, replies: Sequence[Reply]) -> Sent | Later | Unreachable:
        self.sent += [(self.time.seconds, chat) for _ in replies]
        return Sent()

    @property
    def chats(self) -> list[str]:
        return [chat for _, chat in self.sent]


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def channel(time: Time) -> Channel:
    return Channel(time)


@pytest.fixture
def open_delivery(understanding: Understanding, catalogues: Texts, time: Time) -> OpenDelivery:
    knowledge = Holder(with_permanences(understanding))

    def open_(database: AsyncEngine, push: Push) -> Delivery:
        return Delivery(database, knowledge, catalogues, time.clock, {"test": push}, time.wait, time.timer)

    return open_


async def _remind(database: AsyncEngine, chats: Sequence[str], now: datetime.datetime = LAST_MINUTE) -> None:
    """Let a reminder wait for each of these; a chat that is named more than once has as many appointments."""
    slot = slot_at(SCHOOL, START)
    assert slot
    async with storage.begin(database) as connection:
        for number, chat in enumerate(chats):
            made = await bookings.book(connection, _slot_of(slot, number), Asked("test", chat, "nl"), now)
            assert isinstance(made, Booked)


def _slot_of(slot: Slot, number: int) -> Slot:
    """A slot of its own, a little earlier than the last: who has two appointments has them at two times."""
    earlier = datetime.timedelta(microseconds=number)
    return replace(slot, start=slot.start - earlier, end=slot.end - earlier)


async def _states(database: AsyncEngine) -> Counter[str]:
    async with storage.begin(database) as connection:
        return Counter((await connection.execute(select(schema.outbox.c.state))).scalars())


async def _waits(database: AsyncEngine) -> bool:
    """Whether a notice waits, or the reminder of a booking."""
    reminded = schema.bookings.c.remind_at.is_not(None)
    async with storage.begin(database) as connection:
        unreminded = (await connection.execute(select(schema.bookings.c.id).where(reminded).limit(1))).first()
    return unreminded is not None or (await _states(database))["waiting"] > 0


async def _send_everything(delivery: Delivery, time: Time) -> None:
    """Until nothing waits any more."""
    while await _waits(delivery.database):
        if not await delivery.send_due():
            await time.wait(1)


def _most_within(seconds: float, times: Sequence[float]) -> int:
    """How many of these (in order) lie within `seconds` of each other at most."""
    return max(bisect_left(times, start + seconds) - place for place, start in enumerate(times))


# Not too fast


async def test_no_more_are_sent_in_a_second_than_the_channel_takes(
    database: AsyncEngine, open_delivery: OpenDelivery, channel: Channel, time: Time
) -> None:
    chats = [f"chat-{number}" for number in range(150)]
    await _remind(database, chats)
    await _send_everything(open_delivery(database, channel.push), time)
    assert sorted(channel.chats) == sorted(chats)
    times = [when for when, _ in channel.sent]
    assert _most_within(1 - 1e-6, times) <= OVERALL_A_SECOND
    assert times[-1] - times[0] < 150 / OVERALL_A_SECOND + 1, "and hardly fewer"


async def test_a_chat_gets_one_message_a_second_and_the_others_do_not_wait_for_it(
    database: AsyncEngine, open_delivery: OpenDelivery, channel: Channel, time: Time
) -> None:
    await _remind(database, ["busy"] * 6 + [f"chat-{number}" for number in range(20)])
    await _send_everything(open_delivery(database, channel.push), time)
    busy = [when for when, chat in channel.sent if chat == "busy"]
    others = [when for when, chat in channel.sent if chat != "busy"]
    assert (len(busy), len(others)) == (6, 20)
    assert all(later - earlier >= 1 for earlier, later in pairwise(busy))
    assert max(others) <= 1


@settings(max_examples=25, deadline=None)
@given(chats=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=70))
def test_whoever_gets_how_many_the_limits_hold_and_each_comes_once(
    chats: list[str], understanding: Understanding, catalogues: Texts, tmp_path_factory: pytest.TempPathFactory
) -> None:
    time = Time()
    channel = Channel(time)
    knowledge = Holder(with_permanences(understanding))

    async def send() -> None:
        url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('delivery')}/wegwijs.db"
        async with storage.open_storage(url) as database:
            async with database.begin() as connection:
                await connection.run_sync(schema.metadata.create_all)
            await _remind(database, chats)
            delivery = Delivery(
                database, knowledge, catalogues, time.clock, {"test": channel.push}, time.wait, time.timer
            )
            await _send_everything(delivery, time)

    asyncio.run(send())
    assert Counter(channel.chats) == Counter(chats)
    assert _most_within(1 - 1e-6, [when for when, _ in channel.sent]) <= OVERALL_A_SECOND
    for chat in set(chats):
        times = [when for when, to in channel.sent if to == chat]
        assert all(later - earlier >= 1 for earlier, later in pairwise(times))


# Never twice


async def test_two_processes_on_one_database_never_send_the_same_notice_twice(
    database: AsyncEngine, database_url: str, open_delivery: OpenDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has its own engine, takes few at a time, and gives the other its turn while it pushes."""
    monkeypatch.setattr("bot.delivery._BATCH", 6)
    chats = [f"chat-{number}" for number in range(120)]
    by: list[Counter[str]] = [Counter(), Counter()]

    def pushing(number: int) -> Push:
        async def push(chat: str, replies: Sequence[Reply]) -> Sent | Later | Unreachable:
            by[number][chat] += 1
            await asyncio.sleep(0.001)
            return Sent()

        return push

    async def no_wait(_seconds: float) -> None:
        await asyncio.sleep(0)

    async def send(delivery: Delivery) -> None:
        delivery.wait = no_wait
        while await _waits(delivery.database):
            await delivery.send_due()

    await _remind(database, chats)
    async with storage.open_storage(database_url) as other:
        await asyncio.gather(*(_states(other) for _ in range(4)))  # connected before they begin
        async with asyncio.timeout(30):
            await asyncio.gather(send(open_delivery(database, pushing(0))), send(open_delivery(other, pushing(1))))
    assert by[0] + by[1] == Counter(chats)
    assert by[0], "both had a part in it, or this shows nothing"
    assert by[1]
    assert await _states(database) == {"sent": 120}


async def test_what_was_claimed_and_never_sent_is_sent_by_another_when_the_claim_has_run_out(
    database: AsyncEngine, open_delivery: OpenDelivery, channel: Channel, time: Time
) -> None:
    await _remind(database, ["chat"])
    async with storage.begin(database) as connection:
        await reminding.put_due(connection, time.clock(), ("test",), 10)
        assert len(await outbox.claim(connection, time.clock(), ("test",), 10)) == 1
    delivery = open_delivery(database, channel.push)
    time.seconds += outbox.LEASE.total_seconds() - 1
    assert await delivery.send_due() == 0
    time.seconds += 1
    assert await delivery.send_due() == 1
    assert channel.chats == ["chat"]


# Faults


async def test_a_push_that_raises_is_logged_and_put_off_and_the_others_are_sent(
    database: AsyncEngine, open_delivery: OpenDelivery, channel: Channel, time: Time
) -> None:
    broken = True

    async def push(chat: str, replies: Sequence[Reply]) -> Sent | Later | Unreachable:
        if broken and chat == "second":
            raise RuntimeError("a wrong button")
        return await channel.push(chat, replies)

    await _remind(database, ["first", "second", "third"])
    delivery = open_delivery(database, push)
    with capture_logs() as logs:
        assert await delivery.send_due() == 3
    assert sorted(channel.chats) == ["first", "third"]
    (fault,) = [line for line in logs if line["log_level"] == "error"]
    assert (fault["event"], fault["notice_kind"], fault["exc_info"]) == ("notice not sent", "hours", True)
    assert "second" not in str(logs), "no log says to whom"
    broken = False
    time.seconds += 500
    assert await delivery.send_due() == 0
    time.seconds += 200
    await delivery.send_due()
    assert sorted(channel.chats[:2]) == ["first", "third"]
    assert channel.chats[2:] == ["second"]


async def _run_until(delivery: Delivery, time: Time, rounds: int, each: Callable[[int], None]) -> list[str]:
    """Let it run for so many times that it is idle; what it logged."""
    idle = 0

    async def wait(seconds: float) -> None:
        nonlocal idle
        await time.wait(seconds)
        if seconds >= 1:
            idle += 1
            each(idle)
        if idle == rounds:
            raise Enough

    delivery.wait = wait
    with capture_logs() as logs, pytest.raises(Enough):
        await delivery.run()
    return [line["event"] for line in logs if line["log_level"] in ("warning", "error")]


async def test_a_database_that_another_process_holds_is_waited_out(
    tmp_path: Path, open_delivery: OpenDelivery, channel: Channel, time: Time
) -> None:
    file = tmp_path / "wegwijs.db"
    async with storage.open_storage(f"sqlite+aiosqlite:///{file}") as database:
        await storage.migrate(database)
        await _remind(database, ["chat"])
        holding = sqlite3.connect(file, isolation_level=None)
        holding.execute("BEGIN EXCLUSIVE")
        warned = await _run_until(open_delivery(database, channel.push), time, 2, lambda _: holding.close())
    assert warned == ["notices not sent: database away"]
    assert channel.chats == ["chat"]


async def test_a_server_that_is_away_is_waited_out(
    postgres: str, tmp_path: Path, open_delivery: OpenDelivery, channel: Channel, time: Time
) -> None:
    """The socket of the server is not there at first."""
    async with storage.open_storage(postgres) as there:
        await storage.migrate(there)
        async with storage.begin(there) as connection:
            for table in reversed(schema.metadata.sorted_tables):
                await connection.execute(table.delete())
        await _remind(there, ["chat"])
    (directory,) = parse_qs(urlsplit(postgres).query)["host"]
    socket = next(Path(directory).glob(".s.PGSQL.*[0-9]"))  # noqa: ASYNC240

    def comes_back(idle: int) -> None:
        if idle == 3:
            (tmp_path / socket.name).symlink_to(socket)

    async with storage.open_storage(postgres.replace(directory, quote(str(tmp_path)))) as database:
        warned = await _run_until(open_delivery(database, channel.push), time, 4, comes_back)
    assert warned == ["notices not sent: database away"] * 3
    assert channel.chats == ["chat"]


async def test_a_fault_of_ours_does_not_end_the_sending(
    database: AsyncEngine, open_delivery: OpenDelivery, channel: Channel, time: Time
) -> None:
    """A clock that is broken once stands for whatever we did not think of."""
    delivery = open_delivery(database, channel.push)
    await _remind(database, ["chat"])

    def broken() -> datetime.datetime:
        raise RuntimeError("a broken clock")

    def mended(_idle: int) -> None:
        delivery.clock = time.clock

    delivery.clock = broken
    assert await _run_until(delivery, time, 2, mended) == ["notices not sent"] * 3, "of each part"
    assert channel.chats == ["chat"]


async def test_what_is_being_sent_when_we_are_told_to_stop_is_not_sent_again(
    database: AsyncEngine, open_delivery: OpenDelivery
) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()
    sent: list[str] = []

    async def slow(chat: str, _replies: Sequence[Reply]) -> Sent:
        sent.append(chat)  # Telegram has it, and its answer is on the way
        begun.set()
        await gate.wait()
        return Sent()

    delivery = open_delivery(database, slow)
    await _remind(database, ["chat"])
    running = asyncio.create_task(delivery.run())
    await begun.wait()
    running.cancel()
    gate.set()
    with suppress(asyncio.CancelledError):
        await running
    later = delivery.clock() + outbox.LEASE + datetime.timedelta(seconds=1)
    delivery.clock = lambda: later
    await delivery.send_due()
    assert sent == ["chat"]
