"""Notices that wait to be sent. A row is put in the transaction of what it tells, so that neither is there alone.

A notice is claimed for a while, sent outside any transaction, then marked. A process that dies between leaves its claim
to run out, and another sends it.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache

from sqlalchemy import Insert, Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.schema import outbox
from bot.storage.upsert import insert_in

LEASE = datetime.timedelta(seconds=30)
_WAITING, _SENT, _DROPPED, _UNREACHABLE = "waiting", "sent", "dropped", "unreachable"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell one person. `kind` says what; `booking`, `waiting`, `subscription` or `message` is the row
    that it is about, and `about` says more."""

    id: int
    key: str
    kind: str
    channel: str
    chat: str
    booking: int | None
    waiting: int | None
    subscription: int | None
    message: int | None
    about: str
    due: datetime.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A notice to put in. `key` names it, so that it is never there twice."""

    key: str
    kind: str
    channel: str
    chat: str
    due: datetime.datetime
    booking: int | None = None
    waiting: int | None = None
    subscription: int | None = None
    message: int | None = None
    about: str = ""


async def put(connection: AsyncConnection, *drafts: Draft) -> None:
    """Let notices wait until they are due. One that is there stays as it is; one that was dropped waits again."""
    if drafts:
        await connection.execute(_putting(connection.dialect.name), [_values(draft) for draft in drafts])


def _values(draft: Draft) -> dict[str, object]:
    return {each.name: getattr(draft, each.name) for each in fields(Draft)}


@cache
def _putting(dialect: str) -> Insert:
    row = insert_in(dialect, outbox).values(state=_WAITING)
    return row.on_conflict_do_update(
        index_elements=["key"],
        set_={"state": _WAITING, "due": row.excluded.due, "claimed_until": None},
        where=outbox.c.state == _DROPPED,
    )


async def drop_for_booking(connection: AsyncConnection, booking: int) -> None:
    """Nothing that waits about this booking is sent any more."""
    about = (outbox.c.booking == booking) & (outbox.c.state == _WAITING)
    await connection.execute(update(outbox).where(about).values(state=_DROPPED))


async def claim(
    connection: AsyncConnection, now: datetime.datetime, channels: Sequence[str], most: int, chat: str | None = None
) -> list[Notice]:
    """Take up to `most` notices that are due in `channels` (and in one `chat`), the oldest first, for a `LEASE`.

    A chat hears things in their order: while one is on its way, or put off, nothing newer is taken.
    """
    before = outbox.alias()
    in_hand = (
        select(before.c.id)
        .where(before.c.channel == outbox.c.channel, before.c.chat == outbox.c.chat, before.c.state == _WAITING)
        .where(before.c.claimed_until > now, before.c.id < outbox.c.id, before.c.chat != "")
        .exists()
    )
    due = (
        select(outbox.c.id)
        .where(outbox.c.state == _WAITING, outbox.c.due <= now, outbox.c.channel.in_(channels))
        .where(outbox.c.claimed_until.is_(None) | (outbox.c.claimed_until <= now), ~in_hand)
        .order_by(outbox.c.due, outbox.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    if chat is not None:
        due = due.where(outbox.c.chat == chat)
    taken = (
        update(outbox)
        .where(outbox.c.id.in_(due), outbox.c.state == _WAITING)
        .where(outbox.c.claimed_until.is_(None) | (outbox.c.claimed_until <= now))
        .values(claimed_until=now + LEASE)
        .returning(*(outbox.c[each.name] for each in fields(Notice)))
    )
    notices = [_notice(row) for row in await connection.execute(taken)]
    return sorted(notices, key=lambda notice: (notice.due, notice.id))


def _notice(row: Row[tuple[object, ...]]) -> Notice:
    return Notice(**row._mapping)


async def mark_sent(connection: AsyncConnection, notice: int) -> None:
    await _mark(connection, notice, _SENT)


async def mark_dropped(connection: AsyncConnection, notice: int) -> None:
    """It is no longer true, or too late."""
    await _mark(connection, notice, _DROPPED)


async def mark_unreachable(connection: AsyncConnection, notice: int) -> None:
    """The chat is closed to us; staff see it."""
    await _mark(connection, notice, _UNREACHABLE)


async def _mark(connection: AsyncConnection, notice: int, state: str) -> None:
    await connection.execute(update(outbox).where(outbox.c.id == notice).values(state=state, claimed_until=None))


async def put_off(connection: AsyncConnection, notice: int, until: datetime.datetime) -> None:
    """Not now: the channel wants to be left alone until then."""
    await connection.execute(update(outbox).where(outbox.c.id == notice).values(claimed_until=until))


async def unreached(connection: AsyncConnection, booking: int) -> bool:
    """Whether the last that we had to say about a booking did not arrive."""
    last = select(outbox.c.state).where(outbox.c.booking == booking, outbox.c.state.in_((_SENT, _UNREACHABLE)))
    states = (await connection.execute(last.order_by(outbox.c.due.desc(), outbox.c.id.desc()).limit(1))).scalars()
    return states.first() == _UNREACHABLE


async def oldest_due(
    connection: AsyncConnection, now: datetime.datetime, channels: Sequence[str]
) -> datetime.datetime | None:
    """Since when the oldest notice that is due in `channels` has been waiting."""
    waits = (outbox.c.state == _WAITING) & (outbox.c.due <= now) & outbox.c.channel.in_(channels)
    oldest: datetime.datetime | None = (await connection.execute(select(func.min(outbox.c.due)).where(waits))).scalar()
    return oldest
