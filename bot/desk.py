"""What staff do with bookings: the list of a day, who came, booking for somebody at the desk, closing a moment.

Functions on a connection, for the command line and the console alike.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.scheduling import BRUSSELS, Permanence, bounds, slot_at, slots_on
from bot.storage import agenda, bookings, outbox, waiting
from bot.storage.bookings import DESK, AlreadyBooked, Asked, Booked, Booking, Closed, Full, TooMany

Permanences = Mapping[str, Permanence]


@dataclass(frozen=True, slots=True)
class Line:
    """One booking in the list of a day. `reached` is false when our last message to this person did not arrive, or
    when no channel reaches them; `fits` is false when the permanence has changed since, and has no such slot now."""

    booking: Booking
    reached: bool
    fits: bool


async def day(
    connection: AsyncConnection, permanences: Permanences, on: datetime.date, service: str | None = None
) -> list[Line]:
    """Who comes on a day, in the order in which they come; also who fell away because staff closed the moment."""
    since, until = bounds(on)
    found = await agenda.between(connection, since, until, service)
    return [await _line(connection, permanences, booking) for booking in found]


async def misfits(connection: AsyncConnection, permanences: Permanences, now: datetime.datetime) -> list[Line]:
    """Bookings ahead for which the permanence, as it is now, has no slot. They stay, and somebody has to call."""
    far = now + datetime.timedelta(days=3650)
    found = await agenda.between(connection, now, far)
    lines = [await _line(connection, permanences, booking) for booking in found if booking.state == bookings.BOOKED]
    return [line for line in lines if not line.fits]


async def _line(connection: AsyncConnection, permanences: Permanences, booking: Booking) -> Line:
    permanence = permanences.get(booking.service)
    reached = bool(booking.chat) and not await outbox.unreached(connection, booking.id)
    return Line(booking, reached, permanence is not None and slot_at(permanence, booking.start) is not None)


def at_the_desk(permanence: Permanence, people: int, language: str) -> Asked:
    """Somebody whom no channel reaches: they take their code with them."""
    return Asked(DESK, "", language, people, permanence.places_for(people))


async def book_for(
    connection: AsyncConnection, permanence: Permanence, start: datetime.datetime, asked: Asked, now: datetime.datetime
) -> Booked | AlreadyBooked | Full | Closed | TooMany:
    """Book for somebody else. Notice and horizon don't hold here: staff know what they do."""
    slot = slot_at(permanence, start)
    if slot is None or slot.end <= now:
        return Closed()
    return await bookings.book(connection, slot, asked, now)


async def close(
    connection: AsyncConnection,
    permanence: Permanence,
    on: datetime.date,
    at: datetime.time | None,
    now: datetime.datetime,
) -> Sequence[Booking] | None:
    """Close a day, or the slot of that day that begins at `at` on the clock of Brussels; None when there is none.

    Everybody concerned is told in their language and offered other times; the bookings that fell away come back.
    """
    slots = [slot for slot in slots_on(permanence, on) if at is None or slot.start.astimezone(BRUSSELS).time() == at]
    if not slots:
        return None
    since, until = bounds(on) if at is None else (slots[0].start, slots[-1].end)
    fallen = await agenda.close(connection, permanence.service, since, until, now)
    if at is None:
        await waiting.tell_closed(connection, permanence.service, on, now)
    return fallen


async def reopen(
    connection: AsyncConnection,
    permanence: Permanence,
    on: datetime.date,
    at: datetime.time | None,
    now: datetime.datetime,
) -> bool:
    """Take a closing back, and ask who waits for that day; False when it was not closed."""
    slots = [slot for slot in slots_on(permanence, on) if at is None or slot.start.astimezone(BRUSSELS).time() == at]
    if not slots:
        return False
    since, until = bounds(on) if at is None else (slots[0].start, slots[-1].end)
    if not await agenda.reopen(connection, permanence.service, since, until):
        return False
    for slot in slots:
        if slot.start - permanence.notice > now:
            await waiting.ask_next(connection, slot, now, slot.start - permanence.notice)
    return True
