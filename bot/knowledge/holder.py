"""The one place that knows which snapshot is current, and swaps it when the files change."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Generic, TypeVar

import structlog
from watchfiles import awatch

from bot.knowledge.loading import BrokenKnowledge
from bot.knowledge.problems import Problem

Current = TypeVar("Current")
_LOOK_MS = 5000  # after so long without a change, is it still the same directory?
_SETTLE_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Holder(Generic[Current]):
    """Holds what was made of the knowledge at the last load that had no fault. Read `current` once for each event."""

    def __init__(self, current: Current) -> None:
        self.current = current
        self.problems: tuple[Problem, ...] = ()


@asynccontextmanager
async def open_holder(directory: Path, load: Callable[[Path], Current]) -> AsyncIterator[Holder[Current]]:
    """Load `directory`, then keep in step with it until the context ends.

    Raises `BrokenKnowledge` when the first load fails. A later load that fails leaves `current` as it
    is and puts what is wrong in `problems`.
    """
    holder = Holder(load(directory))
    watching = asyncio.create_task(_watch(holder, directory, load))
    try:
        yield holder
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _watch(holder: Holder[Current], directory: Path, load: Callable[[Path], Current]) -> None:
    while True:
        watched = _identity(directory)
        async for changes in awatch(directory, debounce=300, rust_timeout=_LOOK_MS, yield_on_timeout=True):
            if changes:
                await reload(holder, directory, load)
            if _identity(directory) not in (watched, None):
                break  # another directory stands there now, and nobody watches it
        else:
            return
        await asyncio.sleep(_SETTLE_SECONDS)
        await reload(holder, directory, load)


def _identity(directory: Path) -> tuple[int, int] | None:
    """Which directory stands under this name; None where there is none."""
    try:
        found = directory.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


async def reload(holder: Holder[Current], directory: Path, load: Callable[[Path], Current]) -> None:
    """Take up the files as they are now: all of them, or none."""
    try:
        loaded = await asyncio.to_thread(load, directory)
    except BrokenKnowledge as broken:
        holder.problems = tuple(broken.problems)
        log.warning("knowledge refused", problems=[str(problem) for problem in broken.problems])
    except Exception:
        log.exception("knowledge not read")
    else:
        holder.current, holder.problems = loaded, ()
        log.info("knowledge taken up")
