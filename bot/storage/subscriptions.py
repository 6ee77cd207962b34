"""Who asked to be told when a course or an activity appears.

What fitted when they asked, or was told since, is `known`: only what is new is told, and each thing once.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import outbox
from bot.storage.retention import SUBSCRIPTIONS
from bot.storage.schema import subscriptions
from bot.storage.upsert import insert_for

NEWS = "news"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants to be told of what: a packed search."""

    channel: str
    chat: str
    language: str
    search: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """A wish to be told, until its day. `known`: the ids of the offers that need no telling."""

    id: int
    channel: str
    chat: str
    language: str
    search: str
    known: frozenset[str]
    until: datetime.date


async def subscribe(
    connection: AsyncConnection, asked: Asked, known: Iterable[str], now: datetime.datetime
) -> Subscription:
    """Keep the wish; who asks again for the same is told for as long anew."""
    values = {
        "channel": asked.channel,
        "chat": asked.chat,
        "language": asked.language,
        "search": asked.search,
        "known": _packed(known),
        "until": now.date() + SUBSCRIPTIONS,
    }
    row = insert_for(connection, subscriptions).values(values)
    again = row.on_conflict_do_update(
        index_elements=["channel", "chat", "search"],
        set_={name: row.excluded[name] for name in ("language", "known", "until")},
    )
    return _subscription((await connection.execute(again.returning(*subscriptions.c))).one())


async def unsubscribe(connection: AsyncConnection, number: int, channel: str, chat: str) -> bool:
    """Forget it; False when it is not theirs or not there."""
    theirs = (subscriptions.c.id == number) & (subscriptions.c.channel == channel) & (subscriptions.c.chat == chat)
    return (await connection.execute(delete(subscriptions).where(theirs))).rowcount == 1


async def of_person(connection: AsyncConnection, channel: str, chat: str) -> list[Subscription]:
    theirs = (subscriptions.c.channel == channel) & (subscriptions.c.chat == chat)
    rows = await connection.execute(select(subscriptions).where(theirs).order_by(subscriptions.c.id))
    return [_subscription(row) for row in rows]


async def after(connection: AsyncConnection, number: int, most: int) -> list[Subscription]:
    """The next ones after `number`, for somebody who goes through them all; held until the transaction ends."""
    rows = select(subscriptions).where(subscriptions.c.id > number).order_by(subscriptions.c.id).limit(most)
    return [_subscription(row) for row in await connection.execute(rows.with_for_update(skip_locked=True))]


async def get(connection: AsyncConnection, number: int) -> Subscription | None:
    row = (await connection.execute(select(subscriptions).where(subscriptions.c.id == number))).first()
    return _subscription(row) if row else None


async def tell(
    connection: AsyncConnection, subscription: Subscription, offers: Sequence[str], now: datetime.datetime
) -> None:
    """Let news of `offers` wait to be sent; from now on they are known."""
    number = blake2b(" ".join(sorted(offers)).encode(), digest_size=8).hexdigest()
    draft = partial(outbox.Draft, channel=subscription.channel, chat=subscription.chat, due=now)
    key = f"{NEWS}:{subscription.id}:{number}"
    await outbox.put(connection, draft(key=key, kind=NEWS, about=" ".join(offers), subscription=subscription.id))
    known = _packed({*subscription.known, *offers})
    await connection.execute(update(subscriptions).where(subscriptions.c.id == subscription.id).values(known=known))


def _packed(offers: Iterable[str]) -> str:
    return " ".join(sorted(offers))


def _subscription(row: Row[tuple[object, ...]]) -> Subscription:
    values: dict[str, Any] = dict(row._mapping)
    return Subscription(**{**values, "known": frozenset(values["known"].split())})
