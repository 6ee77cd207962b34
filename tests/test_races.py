"""Many people at the same moment, in several processes: no place is given twice, and no one is forgotten."""

import datetime
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.scheduling import HOURS_BEFORE, Slot
from bot.storage import bookings, outbox, reminding, waiting
from bot.storage.bookings import BOOKED, CLOSED, Asked, Booked, Booking
from bot.storage.schema import bookings as bookings_table
from bot.storage.schema import outbox as outbox_table
from bot.storage.schema import slots as slots_table
from tests import racers
from tests.conftest import NOW
from tests.racers import AT_ONCE, CHANNEL, PROCESSES, Attempt, Racers, open_racers

ATTEMPTS = 1000
FIRST = datetime.datetime(2026, 11, 25, 12, 30, tzinfo=datetime.UTC)
HALF_AN_HOUR = datetime.timedelta(minutes=30)


@pytest.fixture(scope="module")
def race() -> Iterator[Racers]:
    with open_racers() as found:
        yield found


def _slot(place: int, capacity: int) -> Slot:
    start = FIRST + place * HALF_AN_HOUR
    return Slot(start, start + HALF_AN_HOUR, "school", capacity)


async def _book(database: AsyncEngine, chat: str, slot: Slot, places: int = 1) -> Booking:
    async with storage.begin(database) as connection:
        found = await bookings.book(connection, slot, Asked(CHANNEL, chat, "en", places, places), NOW)
    assert isinstance(found, Booked)
    return found.booking


async def _bookings(database: AsyncEngine) -> list[Booking]:
    async with storage.begin(database) as connection:
        rows = await connection.execute(select(bookings_table))
        return [Booking(**row._mapping) for row in rows]


async def _taken(database: AsyncEngine) -> dict[datetime.datetime, int]:
    async with storage.begin(database) as connection:
        return dict(await bookings.taken(connection, "school", NOW, NOW + datetime.timedelta(days=30)))


def _places(found: Sequence[Booking]) -> Counter[datetime.datetime]:
    """How many places are booked in each slot, by the bookings themselves."""
    places: Counter[datetime.datetime] = Counter()
    for booking in found:
        places[booking.start] += booking.places if booking.state == BOOKED else 0
    return places


# The last places


SLOTS = (_slot(0, 1), _slot(1, 2), _slot(2, 5))
SESSION = _slot(3, 9)  # families take a place for each of them


def _rush() -> list[Attempt]:
    """A thousand people for a few places: who stand next to each other in the list want the same slot at once."""
    slots = (*SLOTS, SESSION)
    wanted = [slots[number // (PROCESSES * AT_ONCE) % len(slots)] for number in range(ATTEMPTS)]
    return [
        Attempt(f"p{number}", slot, places=1 + number % 3 if slot == SESSION else 1)
        for number, slot in enumerate(wanted)
    ]


async def test_a_thousand_attempts_on_the_last_places_give_each_place_once(
    database: AsyncEngine, database_url: str, race: Racers
) -> None:
    early = [await _book(database, "early", slot) for slot in (*SLOTS[1:], SESSION)]
    outcomes = race.race(database_url, racers.book, _rush())
    assert Counter(outcome.name for outcome in outcomes).keys() == {"Booked", "Full"}
    assert len(outcomes) == ATTEMPTS
    found = await _bookings(database)
    told = {(each.attempt.chat, each.attempt.slot.start, each.code) for each in outcomes if each.name == "Booked"}
    assert told == {(each.chat, each.start, each.code) for each in found if each not in early}
    assert _places(found) == {slot.start: slot.capacity for slot in (*SLOTS, SESSION)} == await _taken(database)
    assert Counter(each.start for each in found if each.start != SESSION.start) == {
        slot.start: slot.capacity for slot in SLOTS
    }


async def test_without_the_guard_the_same_thousand_attempts_oversell(
    database: AsyncEngine, database_url: str, race: Racers
) -> None:
    """The twin: it reads, then writes. That it sells places twice shows that the race above is one."""
    slots = (*SLOTS, SESSION)
    async with storage.begin(database) as connection:
        empty = [{"service": slot.service, "start": slot.start, "taken": 0} for slot in slots]
        await connection.execute(insert(slots_table), empty)
    race.race(database_url, racers.read_then_write, _rush())
    places = _places(await _bookings(database))
    assert all(places[slot.start] > slot.capacity for slot in slots)


# One person at once


async def test_who_presses_confirm_several_times_at_once_has_one_booking(
    database: AsyncEngine, database_url: str, race: Racers
) -> None:
    slot, people = _slot(0, 100), [f"p{number}" for number in range(25)]
    presses = [Attempt(person, slot) for person in people for _ in range(PROCESSES)]
    outcomes = race.race(database_url, racers.book, presses)
    assert Counter(outcome.name for outcome in outcomes) == {"Booked": 25, "AlreadyBooked": 25 * (PROCESSES - 1)}
    assert Counter(each.chat for each in await _bookings(database)) == Counter(people)
    assert await _taken(database) == {slot.start: 25}


async def test_who_confirms_several_times_of_one_service_at_once_has_one_booking(
    database: AsyncEngine, database_url: str, race: Racers
) -> None:
    slots, people = [_slot(place, 100) for place in range(PROCESSES)], [f"p{number}" for number in range(25)]
    presses = [Attempt(person, slot, most_open=1) for person in people for slot in slots]
    outcomes = race.race(database_url, racers.book, presses)
    assert Counter(outcome.name for outcome in outcomes) == {"Booked": 25, "TooMany": 25 * (PROCESSES - 1)}
    found = await _bookings(database)
    assert Counter(each.chat for each in found) == Counter(people)
    assert +Counter(await _taken(database)) == _places(found)


async def test_cancelling_and_undoing_at_once_gives_a_place_back_as_often_as_it_is_taken(
    database: AsyncEngine, database_url: str, race: Racers
) -> None:
    slot, people = _slot(0, 5), [f"p{number}" for number in range(5)]
    for person in people:
        await _book(database, person, slot)
    outcomes = race.race(database_url, racers.cancel_or_restore, [Attempt(each, slot) for each in people * 40])
    assert {each.name for each in outcomes} <= {"True", "False", "Booked", "AlreadyBooked", "Closed"}
    found = await _bookings(database)
    assert len(found) == 5
    assert await _taken(database) == {slot.start: sum(each.state == BOOKED for each in found)}


# Moves against each other


async def test_moves_against_each_other_neither_lock_up_nor_lose_a_place(
    database: AsyncEngine, database_url: str, race: Racers
) -> None:
    slots, people = [_slot(place, 6) for place in range(6)], [f"p{number}" for number in range(24)]
    for number, person in enumerate(people):
        await _book(database, person, slots[number % 4])  # the last two slots have no row yet
    moves = [
        Attempt(person, slots[(turn * 5 + number) % 6])
        for turn, (number, person) in product(range(16), enumerate(people))
    ]
    outcomes = race.race(database_url, racers.move, moves)
    assert {each.name for each in outcomes} <= {"Booked", "AlreadyBooked", "Full"}
    found = await _bookings(database)
    assert Counter(each.chat for each in found if each.state == BOOKED) == Counter(people)
    assert +Counter(await _taken(database)) == _places(found)
    assert all(taken <= 6 for taken in _places(found).values())
    assert await _reminded(database) == {(each.id, f"{each.start:%Y%m%d%H%M}") for each in found}


async def _reminded(database: AsyncEngine) -> set[tuple[int, str]]:
    """The booking and the time that each reminder of two hours before speaks of, when it is due."""
    waits = (outbox_table.c.kind == HOURS_BEFORE) & (outbox_table.c.state == "waiting")
    async with storage.begin(database) as connection:
        await reminding.put_due(connection, NOW + datetime.timedelta(days=30), (CHANNEL,), 1000)
        rows = await connection.execute(select(outbox_table.c.booking, outbox_table.c.key).where(waits))
        return {(row.booking, row.key.rpartition(":")[2]) for row in rows}


async def test_what_was_booked_at_the_desk_is_moved_and_cancelled_at_once_without_losing_a_place(
    database: AsyncEngine, database_url: str, race: Racers
) -> None:
    slots = [_slot(place, 10) for place in range(4)]
    codes = [(await _book(database, "", slots[number % 4])).code for number in range(8)]
    moves = [Attempt(code, slots[turn % 4]) for turn in range(12) for code in codes]
    cancels = [Attempt(code, replace(slots[0], capacity=0)) for code in codes[:4] for _ in range(PROCESSES)]
    outcomes = race.race(database_url, racers.move_or_cancel, [*moves, *cancels])
    assert Counter(each.name for each in outcomes)["True"] == 4
    found = await _bookings(database)
    assert sum(each.state == BOOKED for each in found) == 4
    assert +Counter(await _taken(database)) == +_places(found)


# A moment is closed while people book it


async def test_nobody_stays_booked_in_a_day_that_is_closed_while_people_book(
    database: AsyncEngine, database_url: str, race: Racers
) -> None:
    slots = [_slot(place, 1000) for place in range(3)]
    people = [Attempt(f"p{number}", slots[number % 3]) for number in range(400)]
    outcomes = race.race(database_url, racers.book_or_close, [*people[:150], Attempt("", slots[0]), *people[150:]])
    assert Counter(each.name for each in outcomes).keys() == {"Booked", "Closed", "closing"}
    found = await _bookings(database)
    told = {each.code for each in outcomes if each.name == "Booked"}
    assert {each.code: each.state for each in found} == dict.fromkeys(told, CLOSED)
    assert set((await _taken(database)).values()) == {0}
    async with storage.begin(database) as connection:
        waits = await connection.execute(select(outbox_table).where(outbox_table.c.state == "waiting"))
        assert sorted((row.kind, row.chat) for row in waits) == sorted(("closed", each.chat) for each in found)


# Who waits, and who is told


async def test_a_waiting_list_that_many_leave_at_once_does_not_lock_up(
    database: AsyncEngine, database_url: str, race: Racers
) -> None:
    slots, people = [_slot(place, 20) for place in range(2)], [f"p{number}" for number in range(60)]
    async with storage.begin(database) as connection:
        for person in people:
            await waiting.join(connection, "school", slots[0].day, Asked(CHANNEL, person, "en"))
        await waiting.ask_next(connection, slots[0], NOW)
    attempts = [Attempt(chat, slots[1]) for person in people[:50] for chat in (person, "")]
    outcomes = race.race(database_url, racers.leave_or_pass_on, attempts)
    assert {each.name for each in outcomes} == {"done"}
    async with storage.begin(database) as connection:
        left = await waiting.on_day(connection, "school", slots[0].day)
    assert [each.chat for each in left] == people[50:]
    assert all(each.asked_until for each in left)


async def test_a_notice_that_is_due_is_claimed_by_one_process_only(
    database: AsyncEngine, database_url: str, race: Racers
) -> None:
    slot = _slot(0, 1000)
    for number in range(60):
        await _book(database, f"p{number}", slot)
    outcomes = race.race(database_url, racers.claim, [Attempt("", slot)] * (PROCESSES * AT_ONCE * 4))
    claimed = [key for each in outcomes for key in each.name.split()]
    async with storage.begin(database) as connection:
        keys = (await connection.execute(select(outbox_table.c.key))).scalars().all()
        assert await outbox.oldest_due(connection, slot.start, ("race", "test", "telegram")) is None
    assert sorted(claimed) == sorted(keys)
