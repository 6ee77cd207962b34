"""Processes that are killed at a certain point, for `test_crashes`.

A `Life` says through its pipe that it is at that point, and then waits for an answer that never comes. So it is killed
there, and not at a time that somebody guessed.
"""

import asyncio
import datetime
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from signal import SIGKILL
from typing import Any, NoReturn, TypeAlias

from bot import storage
from bot.conversation import Reply, respond
from bot.delivery import Delivery
from bot.knowledge import Holder
from bot.scheduling import Slot
from bot.storage import bookings, events
from bot.storage.bookings import Asked
from bot.texts import Texts
from bot.understanding import Understanding
from tests.dialogue import Dialogue

CHANNEL, CHAT, KEY = "test", "doomed", "update-1"
_PATIENCE = 60.0  # seconds, after which a test fails instead of hanging

Pipe: TypeAlias = "Connection[Any, Any]"
Life = Callable[[Pipe, str], Coroutine[Any, Any, None]]


def killed(life: Life, url: str) -> str:
    """Live until the point at which `life` stops, and kill it there with SIGKILL; what it said there."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_live, args=(theirs, life, url), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(_PATIENCE):
            raise TimeoutError
        said: str = ours.recv()
    finally:
        process.kill()
        process.join()
        ours.close()
    assert process.exitcode == -SIGKILL
    process.close()
    return said


def _live(pipe: Pipe, life: Life, url: str) -> None:
    asyncio.run(life(pipe, url))


def _stop_here(pipe: Pipe, said: str) -> NoReturn:
    pipe.send(said)
    pipe.recv()
    raise AssertionError("nobody answers")


async def confirms(pipe: Pipe, url: str, *, understanding: Understanding, now: datetime.datetime, data: str) -> None:
    """Handles the press that books, and stops before the person is told."""
    async with storage.open_storage(url) as engine:
        answer = partial(respond, knowledge=Holder(understanding), database=engine, texts=Texts(), clock=lambda: now)
        told = await Dialogue(answer, "en", chat=CHAT).presses_data(data, key=KEY)
        _stop_here(pipe, told)


async def books(pipe: Pipe, url: str, *, slot: Slot, now: datetime.datetime) -> None:
    """Takes the place, and stops before the transaction ends."""
    async with storage.open_storage(url) as engine, storage.begin(engine) as connection:
        await events.claim(connection, KEY, now)
        found = await bookings.book(connection, slot, Asked(CHANNEL, CHAT, "en"), now)
        _stop_here(pipe, type(found).__name__)


async def sends(pipe: Pipe, url: str, *, understanding: Understanding, now: datetime.datetime, arrives: bool) -> None:
    """Claims what is due, and stops before it is sent, or when it has just arrived: then it says what."""

    async def push(_chat: str, replies: Sequence[Reply]) -> NoReturn:
        _stop_here(pipe, replies[0].text if arrives else "")

    async with storage.open_storage(url) as engine:
        pushes = {CHANNEL: push}
        await Delivery(engine, Holder(understanding), Texts(), lambda: now, pushes).send_due()
