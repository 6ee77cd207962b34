"""The waiting list of a service and a day: when a place comes free the first who fits is asked, then the next.

Nothing is held for who is asked: they book as everybody does, and are told if somebody else was faster.
"""

import datetime
from dataclasses import dataclass

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.scheduling import Permanence, Slot, open_slot
from bot.storage import bookings, outbox
from bot.storage.bookings import Asked
from bot.storage.schema import slots, waiting
from bot.storage.upsert import insert_for

PATIENCE = datetime.timedelta(minutes=30)  # how long one person is asked before the next one is
FREE, PASS, DAY_CLOSED = "free", "pass", "dayclosed"
NOBODY = "wegwijs"  # the channel of what we have to do ourselves


@dataclass(frozen=True, slots=True)
class Waiting:
    """A person who waits. While `asked_until` lies ahead they may take the slot that begins at `asked_for`."""

    id: int
    service: str
    day: datetime.date
    channel: str
    chat: str
    language: str
    wanted: str
    people: int
    places: int
    asked_for: datetime.datetime | None
    asked_until: datetime.datetime | None


async def join(connection: AsyncConnection, service: str, day: datetime.date, asked: Asked) -> Waiting:
    """Put this person at the end of the list; who is on it already keeps their turn."""
    values = {
        "service": service,
        "day": day,
        "channel": asked.channel,
        "chat": asked.chat,
        "language": asked.language,
        "wanted": asked.wanted,
        "people": asked.people,
        "places": asked.places,
    }
    row = insert_for(connection, waiting).values(values)
    again = row.on_conflict_do_update(
        index_elements=["service", "day", "channel", "chat"],
        set_={"people": asked.people, "places": asked.places, "wanted": asked.wanted},
    )
    return _waiting((await connection.execute(again.returning(*waiting.c))).one())


async def leave(connection: AsyncConnection, number: int, channel: str, chat: str) -> Waiting | None:
    """Take this person off the list; None when it is not theirs or not there, which look the same."""
    turn = await find(connection, number, channel, chat)
    if turn is None:
        return None
    await _lock_day(connection, turn.service, turn.day)
    row = (await connection.execute(delete(waiting).where(waiting.c.id == number).returning(*waiting.c))).first()
    return _waiting(row) if row else None


async def find(connection: AsyncConnection, number: int, channel: str, chat: str) -> Waiting | None:
    """A turn of this person; None for one that is not there or somebody else's."""
    theirs = (waiting.c.id == number) & (waiting.c.channel == channel) & (waiting.c.chat == chat)
    row = (await connection.execute(select(waiting).where(theirs))).first()
    return _waiting(row) if row else None


async def get(connection: AsyncConnection, number: int) -> Waiting | None:
    """The turn that a notice is about."""
    row = (await connection.execute(select(waiting).where(waiting.c.id == number))).first()
    return _waiting(row) if row else None


async def of_person(connection: AsyncConnection, channel: str, chat: str, today: datetime.date) -> list[Waiting]:
    """Where a person waits, soonest day first."""
    theirs = (waiting.c.channel == channel) & (waiting.c.chat == chat) & (waiting.c.day >= today)
    rows = await connection.execute(select(waiting).where(theirs).order_by(waiting.c.day))
    return [_waiting(row) for row in rows]


async def on_day(connection: AsyncConnection, service: str, day: datetime.date) -> list[Waiting]:
    """Who waits for a day, in turn."""
    there = (waiting.c.service == service) & (waiting.c.day == day)
    return [_waiting(row) for row in await connection.execute(select(waiting).where(there).order_by(waiting.c.id))]


async def ask_next(
    connection: AsyncConnection, slot: Slot, now: datetime.datetime, latest: datetime.datetime | None = None
) -> None:
    """Ask whoever is next and fits in what is free of `slot`: first those who were never asked, then the others.

    `latest`: until when one can book it, if that is before it begins. Nobody is asked for a moment that is closed, or
    at which the language that they want is not spoken.
    """
    everybody = await _lock_day(connection, slot.service, slot.day)
    free = await _free(connection, slot)
    for each in everybody:
        if each.asked_for == slot.start and each.asked_until and each.asked_until > now:
            free -= each.places
    turns = sorted(
        (each for each in everybody if _can_be_asked(each, slot, now)),
        key=lambda each: (each.asked_until is not None, each.id),
    )
    for each in turns:
        if each.places <= free:
            free -= each.places
            await _ask(connection, each, slot, now, min(now + PATIENCE, latest or slot.start))


async def offer_freed_place(
    connection: AsyncConnection, permanence: Permanence | None, start: datetime.datetime, now: datetime.datetime
) -> None:
    """Ask who waits for the slot that begins at `start`, as long as one can still book it."""
    slot = open_slot(permanence, start, now) if permanence else None
    if permanence and slot:
        await ask_next(connection, slot, now, slot.start - permanence.notice)


async def _lock_day(connection: AsyncConnection, service: str, day: datetime.date) -> list[Waiting]:
    """Everybody who waits for a day, in turn. Who changes more than one turn locks all first, and in this order."""
    there = (waiting.c.service == service) & (waiting.c.day == day)
    rows = await connection.execute(select(waiting).where(there).order_by(waiting.c.id).with_for_update())
    return [_waiting(row) for row in rows]


def _can_be_asked(each: Waiting, slot: Slot, now: datetime.datetime) -> bool:
    let_it_pass, is_asked = each.asked_for == slot.start, each.asked_until is not None and each.asked_until > now
    return not let_it_pass and not is_asked and slot.suits(each.wanted)


async def _free(connection: AsyncConnection, slot: Slot) -> int:
    if await bookings.closed_between(connection, slot.service, slot.start, slot.start + datetime.timedelta.resolution):
        return 0
    there = (slots.c.service == slot.service) & (slots.c.start == slot.start)
    taken = (await connection.execute(select(slots.c.taken).where(there))).scalar()
    return slot.capacity - (taken or 0)


async def _ask(
    connection: AsyncConnection, each: Waiting, slot: Slot, now: datetime.datetime, until: datetime.datetime
) -> None:
    asked = update(waiting).where(waiting.c.id == each.id).values(asked_for=slot.start, asked_until=until)
    await connection.execute(asked)
    about = f"{each.id}:{slot.start:%Y%m%d%H%M}:{now:%Y%m%d%H%M%S%f}"
    tell = outbox.Draft(
        key=f"{FREE}:{about}", kind=FREE, channel=each.channel, chat=each.chat, due=now, waiting=each.id
    )
    await outbox.put(connection, tell)
    pass_on = outbox.Draft(key=f"{PASS}:{about}", kind=PASS, channel=NOBODY, chat="", due=until, waiting=each.id)
    await outbox.put(connection, pass_on)


async def tell_closed(connection: AsyncConnection, service: str, day: datetime.date, now: datetime.datetime) -> None:
    """Let everybody who waits for a day know that it is closed; they keep their turn, should it open again. Nobody is
    asked any more for a place on it.
    """
    there = (waiting.c.service == service) & (waiting.c.day == day)
    await connection.execute(update(waiting).where(there).values(asked_for=None, asked_until=None))
    for each in await on_day(connection, service, day):
        key = f"{DAY_CLOSED}:{each.id}:{now:%Y%m%d%H%M%S%f}"
        tell = outbox.Draft(key=key, kind=DAY_CLOSED, channel=each.channel, chat=each.chat, due=now, waiting=each.id)
        await outbox.put(connection, tell)


def _waiting(row: Row[tuple[object, ...]]) -> Waiting:
    return Waiting(**row._mapping)
