"""Bookings as staff see them: a day's list, who came, and closing a moment."""

import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import outbox
from bot.storage.bookings import (
    BOOKED,
    CANCELLED,
    CLOSED,
    FULFILLED,
    NOSHOW,
    Booking,
    cancel,
    draft_about,
    lock_number,
    to_booking,
)
from bot.storage.schema import bookings, closures
from bot.storage.upsert import insert_for


async def between(
    connection: AsyncConnection, since: datetime.datetime, until: datetime.datetime, service: str | None = None
) -> list[Booking]:
    """The bookings of a day, in the order in which people come; what was cancelled is not among them."""
    rows = select(bookings).where(bookings.c.start >= since, bookings.c.start < until, bookings.c.state != CANCELLED)
    if service is not None:
        rows = rows.where(bookings.c.service == service)
    found = await connection.execute(rows.order_by(bookings.c.start, bookings.c.service, bookings.c.id))
    return [to_booking(row) for row in found]


async def by_code(connection: AsyncConnection, code: str) -> Booking | None:
    """Any booking, for staff."""
    row = (await connection.execute(select(bookings).where(bookings.c.code == code.upper()))).first()
    return to_booking(row) if row else None


async def mark(connection: AsyncConnection, booking: Booking, state: str) -> bool:
    """Set whether somebody came (`FULFILLED`, `NOSHOW`, or `BOOKED` to take that back); False for a cancelled one."""
    there = (bookings.c.id == booking.id) & bookings.c.state.in_((BOOKED, FULFILLED, NOSHOW))
    return (await connection.execute(update(bookings).where(there).values(state=state))).rowcount == 1


async def close(
    connection: AsyncConnection,
    service: str,
    since: datetime.datetime,
    until: datetime.datetime,
    now: datetime.datetime,
) -> list[Booking]:
    """Close every slot that begins in this time; the bookings that fall away with it, each told to its person."""
    if connection.dialect.name == "postgresql":  # whoever is booking now goes first, whoever comes later waits
        await connection.execute(select(func.pg_advisory_xact_lock(lock_number(f"service:{service}"))))
    row = insert_for(connection, closures).values(service=service, start=since, end=until)
    await connection.execute(row.on_conflict_do_nothing())
    found = await between(connection, since, until, service)
    there = [each for each in found if each.state == BOOKED and each.end > now]  # who was there already is not told
    for booking in there:
        await cancel(connection, booking, CLOSED)
        if booking.chat:
            await outbox.put(connection, draft_about(booking, f"closed:{booking.id}", "closed", now))
    return there


async def reopen(connection: AsyncConnection, service: str, since: datetime.datetime, until: datetime.datetime) -> bool:
    """Take a closing back; False when there was none for just this time. Who was told stays told."""
    same = (closures.c.service == service) & (closures.c.start == since) & (closures.c.end == until)
    return (await connection.execute(delete(closures).where(same))).rowcount == 1
