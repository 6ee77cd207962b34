"""Processes of their own that act on one database at the same moment, for `test_races`.

What a process does is an `Act`: a function of this module, given to it by name. Nothing is timed: all wait until each
of them has opened the database, then they start together.
"""

import asyncio
import datetime
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeAlias

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.scheduling import Slot
from bot.storage import agenda, bookings, outbox, reminding, waiting
from bot.storage.bookings import Asked, Booked, Full
from bot.storage.schema import bookings as bookings_table
from bot.storage.schema import slots as slots_table

NOW = datetime.datetime(2026, 11, 23, 9, 30, tzinfo=datetime.UTC)  # as in `conftest`, which takes long to import
PROCESSES = 4
AT_ONCE = 8  # attempts that one process has under way
CHANNEL = "test"
_PATIENCE = 60.0  # seconds, after which a test fails instead of hanging
_MOST_TRIES = 50


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tries what on which slot."""

    chat: str
    slot: Slot
    places: int = 1
    most_open: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt was told: the name of the outcome, and the code of the booking where there is one."""

    attempt: Attempt
    name: str
    code: str = ""


Pipe: TypeAlias = "Connection[Any, Any]"
Act = Callable[[AsyncEngine, Attempt], Awaitable[Outcome]]


# What they do


async def book(engine: AsyncEngine, attempt: Attempt) -> Outcome:
    """As a press on "confirm" does."""
    async with storage.begin(engine) as connection:
        asked = Asked(CHANNEL, attempt.chat, "en", attempt.places, attempt.places)
        found = await bookings.book(connection, attempt.slot, asked, NOW, attempt.most_open)
    return Outcome(attempt, type(found).__name__, found.booking.code if isinstance(found, Booked) else "")


async def read_then_write(engine: AsyncEngine, attempt: Attempt) -> Outcome:
    """The twin of `book` without its guard: it looks whether there is a place, and then takes it."""
    slot = attempt.slot
    there = (slots_table.c.service == slot.service) & (slots_table.c.start == slot.start)
    async with storage.begin(engine) as connection:
        taken = (await connection.execute(select(slots_table.c.taken).where(there))).scalar_one()
    if taken + attempt.places > slot.capacity:
        return Outcome(attempt, Full.__name__)
    row = insert(bookings_table).values(
        code=attempt.chat,
        service=slot.service,
        start=slot.start,
        end=slot.end,
        channel=CHANNEL,
        chat=attempt.chat,
        language="en",
        wanted="",
        people=attempt.places,
        places=attempt.places,
        state=bookings.BOOKED,
        coming=False,
        booked_at=NOW,
    )
    async with storage.begin(engine) as connection:
        await connection.execute(update(slots_table).where(there).values(taken=taken + attempt.places))
        await connection.execute(row)
    return Outcome(attempt, Booked.__name__, attempt.chat)


async def move(engine: AsyncEngine, attempt: Attempt) -> Outcome:
    """Move what this person has to another slot."""
    async with storage.begin(engine) as connection:
        (mine,) = await bookings.of_person(connection, CHANNEL, attempt.chat, NOW)
    async with storage.begin(engine) as connection:
        found = await bookings.move(connection, mine, attempt.slot, NOW)
    return Outcome(attempt, type(found).__name__)


async def move_or_cancel(engine: AsyncEngine, attempt: Attempt) -> Outcome:
    """Move what was booked at the desk, or cancel it when the slot has no place: for it no person is there to wait."""
    async with storage.begin(engine) as connection:
        booking = await agenda.by_code(connection, attempt.chat)
        if booking is None:
            raise LookupError(attempt.chat)
    async with storage.begin(engine) as connection:
        if attempt.slot.capacity:
            return Outcome(attempt, type(await bookings.move(connection, booking, attempt.slot, NOW)).__name__)
        return Outcome(attempt, str(await bookings.cancel(connection, booking)))


async def cancel_or_restore(engine: AsyncEngine, attempt: Attempt) -> Outcome:
    """Cancel what this person has in the slot, or undo it when it is cancelled."""
    async with storage.begin(engine) as connection:
        there = (bookings_table.c.chat == attempt.chat) & (bookings_table.c.start == attempt.slot.start)
        number = (await connection.execute(select(bookings_table.c.id).where(there))).scalar_one()
        booking = await bookings.get(connection, number)
    if booking is None:
        raise LookupError(number)
    async with storage.begin(engine) as connection:
        if booking.state == bookings.BOOKED:
            return Outcome(attempt, str(await bookings.cancel(connection, booking)))
        return Outcome(attempt, type(await bookings.restore(connection, booking, attempt.slot, NOW)).__name__)


async def book_or_close(engine: AsyncEngine, attempt: Attempt) -> Outcome:
    """Book, but for the one without a chat: staff, who close the whole day of the slot."""
    if attempt.chat:
        return await book(engine, attempt)
    since = attempt.slot.start - datetime.timedelta(hours=12)
    async with storage.begin(engine) as connection:
        await agenda.close(connection, attempt.slot.service, since, since + datetime.timedelta(days=1), NOW)
    return Outcome(attempt, "closing")


async def leave_or_pass_on(engine: AsyncEngine, attempt: Attempt) -> Outcome:
    """Leave the waiting list, which asks who is next; the one without a chat only asks."""
    async with storage.begin(engine) as connection:
        if attempt.chat:
            (mine,) = await waiting.of_person(connection, CHANNEL, attempt.chat, attempt.slot.day)
            await waiting.leave(connection, mine.id, CHANNEL, attempt.chat)
        await waiting.ask_next(connection, attempt.slot, NOW)
    return Outcome(attempt, "done")


async def claim(engine: AsyncEngine, attempt: Attempt) -> Outcome:
    """Claim a few notices that are due, and mark them sent."""
    async with storage.begin(engine) as connection:
        await reminding.put_due(connection, attempt.slot.start, (CHANNEL,), 3)
        claimed = await outbox.claim(connection, attempt.slot.start, (CHANNEL,), 3)
    async with storage.begin(engine) as connection:
        for notice in claimed:
            await outbox.mark_sent(connection, notice.id)
    return Outcome(attempt, " ".join(notice.key for notice in claimed))


# How they do it at the same moment


class Racers:
    """Processes that wait to be told what to do."""

    def __init__(self, pipes: Sequence[Pipe]) -> None:
        self._pipes = pipes

    def race(self, url: str, act: Act, attempts: Sequence[Attempt]) -> list[Outcome]:
        """Share the attempts out like cards, start all at once, and gather what each was told.

        A fault in a process is raised here.
        """
        for place, pipe in enumerate(self._pipes):
            pipe.send((url, act, attempts[place :: len(self._pipes)]))
        for pipe in self._pipes:
            _receive(pipe)  # it has opened the database
        for pipe in self._pipes:
            pipe.send("go")
        outcomes: list[Outcome] = []
        for told in [_receive(pipe) for pipe in self._pipes]:
            if not isinstance(told, list):
                raise AssertionError(told)
            outcomes += told
        return outcomes


def _receive(pipe: Pipe) -> object:
    if not pipe.poll(_PATIENCE):
        raise TimeoutError
    return pipe.recv()


@contextmanager
def open_racers() -> Iterator[Racers]:
    """Start the processes, and end them."""
    context = get_context("spawn")
    pairs = [context.Pipe() for _ in range(PROCESSES)]
    processes: list[BaseProcess] = [context.Process(target=_serve, args=(theirs,), daemon=True) for _, theirs in pairs]
    for process in processes:
        process.start()
    try:
        yield Racers([ours for ours, _ in pairs])
    finally:
        for process in processes:
            process.kill()
            process.join()
            process.close()
        for pair in pairs:
            for end in pair:
                end.close()


def _serve(pipe: Pipe) -> None:
    while True:
        url, act, attempts = pipe.recv()
        try:
            pipe.send(asyncio.run(_run(pipe, url, act, attempts)))
        except Exception as error:
            pipe.send(repr(error))


async def _run(pipe: Pipe, url: str, act: Act, attempts: Sequence[Attempt]) -> Sequence[Outcome]:
    async with storage.open_storage(url) as engine:
        async with storage.begin(engine):
            pass
        pipe.send("ready")
        pipe.recv()
        left, outcomes = deque(attempts), list[Outcome]()
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(_work(engine, act, left, outcomes))
        return outcomes


async def _work(engine: AsyncEngine, act: Act, left: deque[Attempt], outcomes: list[Outcome]) -> None:
    while left:
        outcomes.append(await _try(engine, act, left.popleft()))


async def _try(engine: AsyncEngine, act: Act, attempt: Attempt) -> Outcome:
    """A database that is away (here: busy for too long) has done nothing, and a channel lets the event come again."""
    for _ in range(_MOST_TRIES):
        try:
            return await act(engine, attempt)
        except storage.Unavailable:
            continue
    raise storage.Unavailable
