"""Reminders: a booking knows when its next one is due, and only then is it put into the outbox."""

import datetime
from collections.abc import Iterator, Sequence

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.scheduling import all_reminders
from bot.storage import outbox
from bot.storage.bookings import BOOKED, Booking, draft_about, to_booking
from bot.storage.schema import bookings


async def put_due(
    connection: AsyncConnection, now: datetime.datetime, channels: Sequence[str], most: int, chat: str | None = None
) -> None:
    """Put up to `most` reminders that are due in `channels` (and in one `chat`) into the outbox, the oldest first.

    A booking is read only when its time has come: what was moved or cancelled by then has no reminder to take back.
    """
    due = (
        select(bookings)
        .where(bookings.c.state == BOOKED, bookings.c.remind_at <= now, bookings.c.channel.in_(channels))
        .order_by(bookings.c.remind_at, bookings.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    if chat is not None:
        due = due.where(bookings.c.chat == chat)
    found = [to_booking(row) for row in await connection.execute(due)]
    await outbox.put(connection, *(draft for booking in found for draft in _due_reminders(booking, now)))
    for booking in found:
        later = [at for at in all_reminders(booking.start).values() if at > now]
        next_one = update(bookings).where(bookings.c.id == booking.id).values(remind_at=min(later, default=None))
        await connection.execute(next_one)


def _due_reminders(booking: Booking, now: datetime.datetime) -> Iterator[outbox.Draft]:
    for kind, at in all_reminders(booking.start).items():
        if booking.remind_at and booking.remind_at <= at <= now:
            yield draft_about(booking, f"{kind}:{booking.id}:{booking.start:%Y%m%d%H%M}", kind, at)


async def oldest_due(
    connection: AsyncConnection, now: datetime.datetime, channels: Sequence[str]
) -> datetime.datetime | None:
    """Since when the oldest notice or reminder that is due in `channels` waits."""
    late = (bookings.c.state == BOOKED) & (bookings.c.remind_at <= now) & bookings.c.channel.in_(channels)
    first = (await connection.execute(select(func.min(bookings.c.remind_at)).where(late))).scalar()
    due = [first, await outbox.oldest_due(connection, now, channels)]
    return min((at for at in due if at is not None), default=None)
