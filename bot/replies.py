"""Replies on their way: kept in the database by the transaction that made them, and forgotten once they have arrived.

Forgetting is done for many at a time: until then a process that dies lets another send them again, never too few.
"""

import asyncio
import datetime
from collections.abc import Callable

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.storage import events

FLUSH_SECONDS = 0.2
_MOST = 500  # keys in one statement

log = structlog.get_logger(__name__)


class KeptReplies:
    """What became of the replies to each event, by the event's key."""

    def __init__(self, database: AsyncEngine, clock: Callable[[], datetime.datetime]) -> None:
        self._database, self._clock = database, clock
        self._arrived: list[str] = []

    def arrived(self, event: str) -> None:
        """They have arrived, or never will."""
        self._arrived.append(event)

    async def later(self, event: str, seconds: float) -> None:
        """The channel wants to be left alone for so long; then somebody sends them, also after a restart."""
        until = self._clock() + datetime.timedelta(seconds=seconds)
        async with storage.begin(self._database) as connection:
            await events.put_off(connection, event, until)

    async def run(self) -> None:
        """Forget what has arrived, until cancelled; then once more."""
        try:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                await self.flush()
        finally:
            await self.flush()

    async def flush(self) -> None:
        """Forget what has arrived so far. A database that is away is tried again the next time."""
        while keys := self._arrived[:_MOST]:
            try:
                async with storage.begin(self._database) as connection:
                    await events.arrived(connection, keys)
            except storage.Unavailable:
                log.warning("replies not forgotten: database away")
                return
            except Exception:
                log.exception("replies not forgotten")
                return
            del self._arrived[: len(keys)]
