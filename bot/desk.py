"""What staff do with bookings: the list of a day, who came, booking for somebody at the desk, closing a moment.

Functions on a connection, for the command line and the console alike; what staff may do is decided here, in which words
they are told there.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.scheduling import BRUSSELS, Permanence, Slot, bounds, day_of, slot_at, slots_on
from bot.storage import agenda, bookings, outbox, tallies, waiting
from bot.storage.bookings import (
    BOOKED,
    CANCELLED,
    CLOSED,
    DESK,
    FULFILLED,
    NOSHOW,
    AlreadyBooked,
    Asked,
    Booked,
    Booking,
    Closed,
    Full,
    TooMany,
)

Permanences = Mapping[str, Permanence]

_COUNTED = {FULFILLED: tallies.FULFILLED, NOSHOW: tallies.NOSHOW}


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
    lines = [await _line(connection, permanences, booking) for booking in found if booking.state == BOOKED]
    return [line for line in lines if not line.fits]


async def _line(connection: AsyncConnection, permanences: Permanences, booking: Booking) -> Line:
    permanence = permanences.get(booking.service)
    reached = bool(booking.chat) and not await outbox.unreached(connection, booking.id)
    return Line(booking, reached, permanence is not None and slot_at(permanence, booking.start) is not None)


# Who came


@dataclass(frozen=True, slots=True)
class Marked:
    """It is noted. `changed` is false when it was so already."""

    booking: Booking
    changed: bool


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Nobody was to come: they had cancelled."""

    booking: Booking


@dataclass(frozen=True, slots=True)
class FellAway:
    """Nobody was to come: the moment was closed."""

    booking: Booking


@dataclass(frozen=True, slots=True)
class StillToCome:
    """Nobody can have arrived or stayed away yet."""

    booking: Booking


async def mark(
    connection: AsyncConnection, code: str, state: str, now: datetime.datetime
) -> Marked | Cancelled | FellAway | StillToCome | None:
    """Note and count whether somebody came: `FULFILLED`, `NOSHOW`, or `BOOKED` to take that back.

    None where no booking has this code.
    """
    found = await agenda.by_code(connection, code)
    booking = found and await bookings.get(connection, found.id, hold=True)  # a second click waits for the first
    if booking is None:
        return None
    if obstacle := _obstacle(booking, state, now):
        return obstacle
    if state == booking.state:
        return Marked(booking, changed=False)
    if not await agenda.mark(connection, booking, state):
        raise LookupError(booking.id)  # nobody else can change it while we hold it
    for counted, step in ((booking.state, -1), (state, 1)):
        if counted in _COUNTED:
            await tallies.count(connection, day_of(now), _COUNTED[counted], booking.service, booking.language, by=step)
    return Marked(booking, changed=True)


def _obstacle(booking: Booking, state: str, now: datetime.datetime) -> Cancelled | FellAway | StillToCome | None:
    if booking.state == CANCELLED:
        return Cancelled(booking)
    if booking.state == CLOSED:
        return FellAway(booking)
    return StillToCome(booking) if state != BOOKED and day_of(booking.start) > day_of(now) else None


# At the desk


def at_the_desk(permanence: Permanence, people: int, language: str) -> Asked:
    """Somebody whom no channel reaches: they take their code with them."""
    return Asked(DESK, "", language, people, permanence.places_for(people))


async def book_for(
    connection: AsyncConnection, permanence: Permanence, start: datetime.datetime, asked: Asked, now: datetime.datetime
) -> Booked | Full | Closed:
    """Book for somebody else, and count it. Notice and horizon don't hold here: staff know what they do."""
    slot = slot_at(permanence, start)
    if slot is None or slot.end <= now:
        return Closed()
    outcome = await bookings.book(connection, slot, asked, now)
    if isinstance(outcome, AlreadyBooked | TooMany):
        raise TypeError(asked.channel)  # only who has a chat can have booked before
    if isinstance(outcome, Booked):
        await tallies.count(connection, day_of(now), tallies.BOOKED, permanence.service, asked.language)
    return outcome


# Closing and opening


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
    slots = _slots(permanence, on, at)
    if not slots:
        return None
    fallen = await agenda.close(connection, permanence.service, *_span(slots, on, at), now)
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
    slots = _slots(permanence, on, at)
    if not slots or not await agenda.reopen(connection, permanence.service, *_span(slots, on, at)):
        return False
    for slot in slots:
        if slot.start - permanence.notice > now:
            await waiting.ask_next(connection, slot, now, slot.start - permanence.notice)
    return True


def _slots(permanence: Permanence, on: datetime.date, at: datetime.time | None) -> list[Slot]:
    """The slots of a day; with `at`, on the clock of Brussels, only what begins then."""
    return [slot for slot in slots_on(permanence, on) if at is None or slot.start.astimezone(BRUSSELS).time() == at]


def _span(
    slots: Sequence[Slot], on: datetime.date, at: datetime.time | None
) -> tuple[datetime.datetime, datetime.datetime]:
    """From when until when a closing lasts: the whole day, or just these slots."""
    return bounds(on) if at is None else (slots[0].start, slots[-1].end)
