"""All that is kept about one person: to give it to them, and to delete it."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import bookings
from bot.storage.bookings import BOOKED, Booking, to_booking
from bot.storage.schema import bookings as bookings_table
from bot.storage.schema import conversations, handled, messages, outbox, people, subscriptions, waiting
from bot.storage.talks import STAFF_GROUP, forget_topics

_OURS = {"id", "channel", "chat", "conversation", "group_message", "topic"}  # numbers that say nothing to a person


async def gathered(connection: AsyncConnection, channel: str, chat: str) -> Mapping[str, Sequence[Mapping[str, str]]]:
    """Every row about this person, by kind, with each value as text."""
    found = {
        "language": await _rows(connection, people, channel, chat),
        "appointments": await _rows(connection, bookings_table, channel, chat),
        "waiting": await _rows(connection, waiting, channel, chat),
        "subscriptions": await _rows(connection, subscriptions, channel, chat),
        "conversations": await _rows(connection, conversations, channel, chat),
        "messages": await _messages(connection, channel, chat),
        "notices": await _rows(connection, outbox, channel, chat),
    }
    return {kind: rows for kind, rows in found.items() if rows}


async def _rows(connection: AsyncConnection, table: Table, channel: str, chat: str) -> list[dict[str, str]]:
    theirs = (table.c.channel == channel) & (table.c.chat == chat)
    return [_shown(row._mapping) for row in await connection.execute(select(table).where(theirs))]


async def _messages(connection: AsyncConnection, channel: str, chat: str) -> list[dict[str, str]]:
    theirs = (conversations.c.channel == channel) & (conversations.c.chat == chat)
    rows = select(messages.c.at, messages.c.who, messages.c.text).join(conversations).where(theirs)
    found = await connection.execute(rows.order_by(messages.c.id))
    # Which member of staff wrote is theirs to tell, not ours.
    return [{"at": row.at.isoformat(), "by": "Amal" if row.who else "you", "text": row.text} for row in found]


def _shown(row: Mapping[Any, Any]) -> dict[str, str]:
    return {
        str(name): value.isoformat() if isinstance(value, datetime.date) else str(value)
        for name, value in row.items()
        if name not in _OURS and value not in (None, "")
    }


async def booked(connection: AsyncConnection, channel: str, chat: str) -> list[Booking]:
    """What is booked still, and has to be given back."""
    theirs = (bookings_table.c.channel == channel) & (bookings_table.c.chat == chat)
    rows = await connection.execute(select(bookings_table).where(theirs & (bookings_table.c.state == BOOKED)))
    return [to_booking(row) for row in rows]


async def delete_all(connection: AsyncConnection, channel: str, chat: str, now: datetime.datetime) -> list[Booking]:
    """Delete every row about this person at once; the bookings whose places came free by it."""
    freed = [each for each in await booked(connection, channel, chat) if await bookings.cancel(connection, each)]
    talks = select(conversations.c.id, conversations.c.topic).where(
        conversations.c.channel == channel, conversations.c.chat == chat
    )
    found = list(await connection.execute(talks))
    numbers = [row.id for row in found]
    to_group = (outbox.c.channel == STAFF_GROUP) & outbox.c.chat.in_([str(number) for number in numbers])
    await connection.execute(delete(outbox).where(to_group))
    await connection.execute(delete(messages).where(messages.c.conversation.in_(numbers)))
    unsent = (handled.c.channel == channel) & (handled.c.chat == chat)
    nothing = {"replies": None, "send_at": None, "channel": None, "chat": None}
    await connection.execute(update(handled).where(unsent).values(nothing))
    for table in (outbox, conversations, bookings_table, waiting, subscriptions, people):
        await connection.execute(delete(table).where(table.c.channel == channel, table.c.chat == chat))
    await forget_topics(connection, (row.topic for row in found if row.topic is not None), now)
    return freed
