"""How long each thing is kept. This is the one place where it is set."""

import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.schema import bookings, closures, feedback, handled, outbox, people, slots, waiting

PEOPLE = datetime.timedelta(days=365)  # after the last day that the person wrote or pressed
HANDLED = datetime.timedelta(days=2)  # Telegram keeps an update for 24 hours (Bot API, "Getting updates")
FEEDBACK = datetime.timedelta(days=2 * 365)
BOOKINGS = datetime.timedelta(days=30)  # after the day; so long also what was told about them


async def delete_expired(connection: AsyncConnection, now: datetime.datetime) -> int:
    """Delete what is past its time; the number of rows that went."""
    today = now.date()
    expired = (
        delete(people).where(people.c.seen_on < today - PEOPLE),
        delete(handled).where(handled.c.at < now - HANDLED),
        delete(feedback).where(feedback.c.day < today - FEEDBACK),
        delete(outbox).where(outbox.c.due < now - BOOKINGS),
        delete(bookings).where(bookings.c.end < now - BOOKINGS),
        delete(slots).where(slots.c.start < now - BOOKINGS),
        delete(closures).where(closures.c.end < now - BOOKINGS),
        delete(waiting).where(waiting.c.day < today),
    )
    return sum([(await connection.execute(statement)).rowcount for statement in expired])
