"""Bookings: taking, moving and giving back places, so that no place is ever given twice.

What is taken of a slot is one number, changed by one conditional UPDATE: whoever changes no row comes too late. Reading
first and writing later would sell a place twice, in any number of processes (`tests/test_races.py` shows it).
"""

import datetime
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    Row,
    ScalarSelect,
    Select,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from bot.scheduling import Slot, reminders
from bot.storage import outbox
from bot.storage.schema import bookings, closures, slots
from bot.storage.upsert import insert_for, insert_in

BOOKED, CANCELLED, CLOSED, FULFILLED, NOSHOW = "booked", "cancelled", "closed", "fulfilled", "noshow"
DESK = "desk"  # the channel of bookings that staff make for somebody

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 signs; no 0 and O, no 1 and I: a code is read aloud
_CODE_LENGTH = 5
_UNLIMITED = 1_000_000


@dataclass(frozen=True, slots=True)
class Booking:
    """A person in a slot. `wanted`: the language they asked for, if any; `coming`: they said that they will come.

    `remind_at`: when the next reminder is due; None when there is none any more.
    """

    id: int
    code: str
    service: str
    start: datetime.datetime
    end: datetime.datetime
    channel: str
    chat: str
    language: str
    wanted: str
    people: int
    places: int
    state: str
    coming: bool
    booked_at: datetime.datetime
    remind_at: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for a place, and for what: `people` who come together take `places`."""

    channel: str
    chat: str
    language: str
    people: int = 1
    places: int = 1
    wanted: str = ""


@dataclass(frozen=True, slots=True)
class Booked:
    """The place is theirs."""

    booking: Booking


@dataclass(frozen=True, slots=True)
class AlreadyBooked:
    """They were in this slot already."""

    booking: Booking


@dataclass(frozen=True, slots=True)
class Full:
    """Somebody else was first."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The moment is closed."""


@dataclass(frozen=True, slots=True)
class TooMany:
    """They have as many open bookings as one may have."""


async def book(
    connection: AsyncConnection, slot: Slot, asked: Asked, now: datetime.datetime, most_open: int | None = None
) -> Booked | AlreadyBooked | Full | Closed | TooMany:
    """Take places in `slot`. `most_open`: bookings for this service that one person may have."""
    await _one_at_a_time(connection, slot.service, asked)
    if not await _take(connection, slot, asked.places, _Limit(asked.channel, asked.chat, now, most_open)):
        refusal = await _refusal(connection, asked, slot, now, most_open)
        return refusal or await _why_not(connection, slot)
    return Booked(await _insert(connection, slot, asked, now))


async def move(
    connection: AsyncConnection, booking: Booking, slot: Slot, now: datetime.datetime
) -> Booked | AlreadyBooked | Full | Closed | TooMany:
    """Give `booking` places in another slot; the old ones are given back only when the new ones are taken."""
    await _one_at_a_time(connection, booking.service, booking)
    current = await get(connection, booking.id, hold=True)
    if current is None or current.state != BOOKED:
        return Closed()
    if refusal := await _refusal(connection, current, slot, now, None):
        return refusal
    await _lock_in_order(connection, slot, current.start)
    if not await _take(connection, slot, current.places):
        return await _why_not(connection, slot)
    await _give_back(connection, current)
    remind_at = _first_reminder(current, slot.start, now)
    new = {"start": slot.start, "end": slot.end, "coming": False, "booked_at": now, "remind_at": remind_at}
    moved = await _change(connection, current.id, BOOKED, new)
    if moved is None:
        raise LookupError(current.id)  # nobody else can change it while we hold it
    await outbox.drop_for_booking(connection, current.id)
    return Booked(moved)


async def cancel(connection: AsyncConnection, booking: Booking, state: str = CANCELLED) -> bool:
    """Give the places back; False when it was not booked any more, and nothing has changed."""
    await _one_at_a_time(connection, booking.service, booking)
    cancelled = await _change(connection, booking.id, BOOKED, {"state": state})
    if cancelled is None:
        return False
    await _give_back(connection, cancelled)
    await outbox.drop_for_booking(connection, booking.id)
    return True


async def restore(
    connection: AsyncConnection, booking: Booking, slot: Slot, now: datetime.datetime, most_open: int | None = None
) -> Booked | AlreadyBooked | Full | Closed | TooMany:
    """Undo a cancellation, if its places are still free."""
    await _one_at_a_time(connection, booking.service, booking)
    current = await get(connection, booking.id, hold=True)
    if current is None or current.state != CANCELLED:
        return AlreadyBooked(current) if current and current.state == BOOKED else Closed()
    if refusal := await _refusal(connection, booking, slot, now, most_open):
        return refusal
    if not await _take(connection, slot, booking.places):
        return await _why_not(connection, slot)
    new = {"state": BOOKED, "remind_at": _first_reminder(booking, slot.start, now)}
    restored = await _change(connection, booking.id, CANCELLED, new)
    if restored is None:
        raise LookupError(booking.id)
    return Booked(restored)


async def _one_at_a_time(connection: AsyncConnection, service: str, who: Asked | Booking) -> None:
    """Two presses of one person wait for each other, in whatever process they arrive; and all wait for a closing.

    SQLite lets one write at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        numbers = {"service": lock_number(f"service:{service}")}
        if who.chat:
            numbers["person"] = lock_number(f"{who.channel}:{who.chat}")
        await connection.execute(_locking(tuple(numbers)), numbers)


@cache
def _locking(names: Sequence[str]) -> Select[tuple[object, ...]]:
    locks = {"service": func.pg_advisory_xact_lock_shared, "person": func.pg_advisory_xact_lock}
    return select(*(locks[name](bindparam(name, type_=BigInteger)) for name in names))


def lock_number(name: str) -> int:
    """What PostgreSQL's advisory locks are called by."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)


async def _refusal(
    connection: AsyncConnection, who: Asked | Booking, slot: Slot, now: datetime.datetime, most_open: int | None
) -> AlreadyBooked | TooMany | None:
    mine = await of_person(connection, who.channel, who.chat, now) if who.chat else []
    same = next((own for own in mine if (own.service, own.start) == (slot.service, slot.start)), None)
    if same:
        return AlreadyBooked(same)
    if most_open is not None and sum(own.service == slot.service for own in mine) >= most_open:
        return TooMany()
    return None


async def _why_not(connection: AsyncConnection, slot: Slot) -> Full | Closed:
    closed = await connection.execute(select(_closing(slot.service, slot.start)))
    return Full() if closed.scalar() is None else Closed()


async def _change(connection: AsyncConnection, number: int, state: str, new: Mapping[str, object]) -> Booking | None:
    """Change a booking that is in `state`; None when it is not."""
    there = (bookings.c.id == number) & (bookings.c.state == state)
    row = (await connection.execute(update(bookings).where(there).values(**new).returning(*bookings.c))).first()
    return to_booking(row) if row else None


@dataclass(frozen=True, slots=True)
class _Limit:
    """Who takes a place, as far as they may have only so many; asked in the same statement that takes it."""

    channel: str
    chat: str
    now: datetime.datetime
    most_open: int | None


async def _take(connection: AsyncConnection, slot: Slot, places: int, limit: _Limit | None = None) -> bool:
    """Take places if they are free and the moment is not closed: one statement, so that nobody comes between."""
    asked = {"service": slot.service, "start": slot.start, "places": places, "capacity": slot.capacity}
    limited = limit is not None and bool(limit.chat)
    if limit and limited:
        most = _UNLIMITED if limit.most_open is None else limit.most_open
        asked |= {"channel": limit.channel, "chat": limit.chat, "now": limit.now, "most": most}
    return (await connection.execute(_taking(connection.dialect.name, limited), asked)).first() is not None


@cache
def _taking(dialect: str, limited: bool) -> ReturningInsert[tuple[int]]:
    """The first who comes makes the row of a slot, the others change it, as long as they fit in."""
    service, start = bindparam("service", type_=slots.c.service.type), bindparam("start", type_=slots.c.start.type)
    places, capacity = bindparam("places", type_=Integer), bindparam("capacity", type_=Integer)
    first = select(service, start, places).where(places <= capacity, ~exists(_closing(service, start)))
    if limited:
        open_ones = select(func.count()).where(*_ahead(), bookings.c.service == service).scalar_subquery()
        same = select(bookings.c.id).where(*_ahead(), bookings.c.service == service, bookings.c.start == start)
        first = first.where(~exists(same), open_ones < bindparam("most", type_=Integer))
    row = insert_in(dialect, slots).from_select(["service", "start", "taken"], first)
    total = slots.c.taken + row.excluded.taken
    fits = row.on_conflict_do_update(
        index_elements=["service", "start"], set_={"taken": total}, where=total <= capacity
    )
    return fits.returning(slots.c.taken)


async def _give_back(connection: AsyncConnection, booking: Booking) -> None:
    theirs = (slots.c.service == booking.service) & (slots.c.start == booking.start)
    await connection.execute(update(slots).where(theirs).values(taken=slots.c.taken - booking.places))


async def _lock_in_order(connection: AsyncConnection, slot: Slot, old: datetime.datetime) -> None:
    """Lock both slots of a move in the same order as everybody else, so that no two moves wait for each other.

    The new one gets its row before: whoever makes a row waits for others who do, and may hold none by then.
    """
    empty = insert_for(connection, slots).values(service=slot.service, start=slot.start, taken=0)
    await connection.execute(empty.on_conflict_do_nothing())
    rows = select(slots.c.start).where(slots.c.service == slot.service, slots.c.start.in_((old, slot.start)))
    await connection.execute(rows.order_by(slots.c.start).with_for_update())


async def _insert(connection: AsyncConnection, slot: Slot, asked: Asked, now: datetime.datetime) -> Booking:
    inserting = _inserting(connection.dialect.name)
    values: dict[str, Any] = {
        "service": slot.service,
        "start": slot.start,
        "end": slot.end,
        "channel": asked.channel,
        "chat": asked.chat,
        "language": asked.language,
        "wanted": asked.wanted,
        "people": asked.people,
        "places": asked.places,
        "state": BOOKED,
        "coming": False,
        "booked_at": now,
        "remind_at": _first_reminder(asked, slot.start, now),
    }
    while True:
        values["code"] = _new_code()
        if number := (await connection.execute(inserting, values)).scalar():
            return Booking(id=number, **values)


@cache
def _inserting(dialect: str) -> ReturningInsert[Any]:
    return insert_in(dialect, bookings).on_conflict_do_nothing(index_elements=["code"]).returning(bookings.c.id)


def _new_code() -> str:
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in secrets.token_bytes(_CODE_LENGTH))


def _first_reminder(who: Asked | Booking, start: datetime.datetime, now: datetime.datetime) -> datetime.datetime | None:
    return min(reminders(start, now).values(), default=None) if who.chat else None


def draft_about(booking: Booking, key: str, kind: str, due: datetime.datetime) -> outbox.Draft:
    """A notice about a booking, to its person."""
    return outbox.Draft(key=key, kind=kind, channel=booking.channel, chat=booking.chat, due=due, booking=booking.id)


# Looking


async def taken(
    connection: AsyncConnection, service: str, since: datetime.datetime, until: datetime.datetime
) -> Mapping[datetime.datetime, int]:
    """How many places of each slot are taken, of the slots that have any."""
    between = (slots.c.service == service) & (slots.c.start >= since) & (slots.c.start < until)
    return {row.start: row.taken for row in await connection.execute(select(slots).where(between))}


async def of_person(connection: AsyncConnection, channel: str, chat: str, now: datetime.datetime) -> list[Booking]:
    """What a person has booked and is not over, soonest first."""
    rows = await connection.execute(_looking_ahead(), {"channel": channel, "chat": chat, "now": now})
    return [to_booking(row) for row in rows]


@cache
def _looking_ahead() -> Select[tuple[object, ...]]:
    return select(bookings).where(*_ahead()).order_by(bookings.c.start)


def _ahead() -> Iterator[ColumnElement[bool]]:
    """What `chat` of `channel` has booked and is not over `now`."""
    yield bookings.c.channel == bindparam("channel")
    yield bookings.c.chat == bindparam("chat")
    # Written out: with a parameter here SQLite plans anew each time, to see whether its partial index would do.
    yield bookings.c.state == literal_column(f"'{BOOKED}'")
    yield bookings.c.end > bindparam("now")


async def find(connection: AsyncConnection, channel: str, chat: str, code: str) -> Booking | None:
    """A booking of this person; None for one that is not there or somebody else's, which look the same."""
    theirs = (bookings.c.channel == channel) & (bookings.c.chat == chat) & (bookings.c.code == code)
    row = (await connection.execute(select(bookings).where(theirs))).first()
    return to_booking(row) if row else None


async def get(connection: AsyncConnection, number: int, *, hold: bool = False) -> Booking | None:
    """The booking that a notice is about. `hold`: until the end of the transaction nobody changes it, staff neither."""
    rows = select(bookings).where(bookings.c.id == number)
    row = (await connection.execute(rows.with_for_update() if hold else rows)).first()
    return to_booking(row) if row else None


def to_booking(row: Row[tuple[object, ...]]) -> Booking:
    """A row of the table as a value."""
    return Booking(**row._mapping)


async def say_coming(connection: AsyncConnection, booking: Booking) -> bool:
    """Note that the person said they will come; False when it is not booked any more."""
    theirs = (bookings.c.id == booking.id) & (bookings.c.state == BOOKED)
    return (await connection.execute(update(bookings).where(theirs).values(coming=True))).rowcount == 1


async def closed_between(
    connection: AsyncConnection, service: str, since: datetime.datetime, until: datetime.datetime
) -> list[tuple[datetime.datetime, datetime.datetime]]:
    """The closings that touch this time."""
    touching = (closures.c.service == service) & (closures.c.start < until) & (closures.c.end > since)
    return [(row.start, row.end) for row in await connection.execute(select(closures).where(touching))]


def _closing(
    service: str | BindParameter[str], start: datetime.datetime | BindParameter[datetime.datetime]
) -> ScalarSelect[datetime.datetime]:
    over = (closures.c.service == service) & (closures.c.start <= start) & (closures.c.end > start)
    return select(closures.c.start).where(over).limit(1).scalar_subquery()  # a day and a time of it may both be closed
