"""Which events were handled, and the replies to them until those have arrived.

Telegram sends an update again when it is not sure that we had it. The row of an event is written in the transaction of
its effects: whoever writes it second takes back all that they did.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from bot.storage.schema import handled
from bot.storage.upsert import insert_in

LEASE = datetime.timedelta(seconds=30)  # for whoever handled an event to send its replies


class Repeated(Exception):
    """This event was handled before; the transaction that meets it again must not be committed."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """Replies that have not arrived, as text, and the event that they answer."""

    event: str
    channel: str
    chat: str
    replies: str


async def claim(connection: AsyncConnection, event: str, now: datetime.datetime) -> bool:
    """Take `event` in the transaction of its effects; False when it was handled before."""
    values = {"event": event, "at": now, "channel": None, "chat": None, "replies": None, "send_at": None}
    return (await connection.execute(_claiming(connection.dialect.name), values)).first() is not None


async def finish(connection: AsyncConnection, done: Unsent, now: datetime.datetime) -> None:
    """Note that an event is handled, with its replies, if any. Raises `Repeated` when it was handled before."""
    values = {
        "event": done.event,
        "at": now,
        "channel": done.channel,
        "chat": done.chat,
        "replies": done.replies or None,
        "send_at": now + LEASE if done.replies else None,
    }
    if (await connection.execute(_claiming(connection.dialect.name), values)).first() is None:
        raise Repeated(done.event)


@cache
def _claiming(dialect: str) -> ReturningInsert[Any]:
    row = insert_in(dialect, handled).values({column.name: bindparam(column.name) for column in handled.c})
    return row.on_conflict_do_nothing().returning(handled.c.event)


_FORGETTING = (
    update(handled)
    .where(handled.c.event == bindparam("arrived"))
    .values(replies=None, send_at=None, channel=None, chat=None)
)


async def arrived(connection: AsyncConnection, events: Sequence[str]) -> None:
    """Their replies have arrived; nothing of them is kept."""
    await connection.execute(_FORGETTING, [{"arrived": event} for event in events])


async def put_off(connection: AsyncConnection, event: str, until: datetime.datetime) -> None:
    """Its replies could not be sent now, and wait; nothing where they have arrived, or are deleted."""
    waits = (handled.c.event == event) & handled.c.replies.is_not(None)
    await connection.execute(update(handled).where(waits).values(send_at=until))


async def unsent(
    connection: AsyncConnection, now: datetime.datetime, channels: Sequence[str], most: int
) -> list[Unsent]:
    """Take up to `most` events whose replies nobody sent in time, the oldest first, for a `LEASE`."""
    due = (
        select(handled)
        .where(handled.c.send_at <= now, handled.c.channel.in_(channels))
        .order_by(handled.c.at, handled.c.event)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    found = [Unsent(row.event, row.channel, row.chat, row.replies) for row in await connection.execute(due)]
    if found:
        taken = handled.c.event.in_([each.event for each in found])
        await connection.execute(update(handled).where(taken).values(send_at=now + LEASE))
    return found


async def oldest_due(
    connection: AsyncConnection, now: datetime.datetime, channels: Sequence[str]
) -> datetime.datetime | None:
    """Since when the oldest replies that somebody should have sent in `channels` have been waiting."""
    waiting = select(func.min(handled.c.send_at)).where(handled.c.send_at <= now, handled.c.channel.in_(channels))
    oldest: datetime.datetime | None = (await connection.execute(waiting)).scalar()
    return oldest
