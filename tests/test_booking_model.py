"""Booking against a simple model: whatever people and staff do, in whatever order, the two agree.

The model keeps a list of bookings and adds up; it knows nothing of conditional updates, locks or notices.
"""

import asyncio
import datetime
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import storage
from bot.scheduling import REMINDERS, Moment, Permanence, Slot, bounds, reminders, slots_on
from bot.storage import agenda, bookings, outbox, reminding, schema, waiting
from bot.storage.bookings import BOOKED, CANCELLED, CLOSED, DESK, AlreadyBooked, Asked, Booked, Closed, Full, TooMany
from bot.storage.waiting import Waiting
from tests.booking_knowledge import SCHOOL, SESSION
from tests.conftest import NOW

T = TypeVar("T")

WEDNESDAY, THURSDAY, FRIDAY = (datetime.date(2026, 11, day) for day in (25, 26, 27))
_MORNING = datetime.time(10, 0), datetime.time(11, 0)
PERMANENCES = {
    "school": replace(
        SCHOOL,
        moments=(
            Moment(2, datetime.time(13, 30), datetime.time(14, 30), 30, 2, ("nl", "ar")),
            Moment(3, *_MORNING, 60, 1, ("nl",)),
        ),
        most_open=1,
    ),
    "ukraine": replace(
        SESSION, moments=(Moment(3, *_MORNING, 60, 4, ("uk",)), Moment(4, *_MORNING, 30, 4, ("uk",))), most_open=2
    ),
}
SLOTS = [
    slot
    for permanence in PERMANENCES.values()
    for day in (WEDNESDAY, THURSDAY, FRIDAY)
    for slot in slots_on(permanence, day)
]
PEOPLE = ("amina", "bohdan", "chen", "dilnoza", "")  # the last one stands at the desk, and no channel reaches them

slots_ = st.sampled_from(SLOTS)
people_ = st.sampled_from(PEOPLE)
families = st.integers(1, 3)
languages = st.sampled_from(["", "", "i", "ar"])
passing = st.sampled_from([1, 20, 31, 90, 600, 1500]).map(lambda minutes: datetime.timedelta(minutes=minutes))

Outcome = Booked | AlreadyBooked | Full | Closed | TooMany
Reminder = tuple[int, str, datetime.datetime]  # of which booking, which of its reminders, of which time
Span = tuple[str, datetime.datetime, datetime.datetime]


@dataclass
class Place:
    """A booking in the model. `since`: when it got the time that it has."""

    person: str
    slot: Slot
    places: int
    since: datetime.datetime
    state: str = BOOKED

    def is_open(self, now: datetime.datetime) -> bool:
        return self.state == BOOKED and self.slot.end > now


@dataclass(frozen=True)
class Seen:
    """What the database holds."""

    taken: dict[tuple[str, datetime.datetime], int]
    places: dict[int, tuple[str, str, datetime.datetime, int, str]]
    told_closed: set[int]


class Booking(RuleBasedStateMachine):
    """Each rule does something to the database and to the model; after each the two are compared."""

    runner: asyncio.Runner
    database: AsyncEngine
    made: Bundle[int] = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.model: dict[int, Place] = {}
        self.closings: set[Span] = set()
        self.reminded: set[Reminder] = set()
        self.run(self._empty())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    async def _empty(self) -> None:
        async with storage.begin(self.database) as connection:
            for table in reversed(schema.metadata.sorted_tables):
                await connection.execute(delete(table))

    # What the model says

    def taken(self, slot: Slot) -> int:
        return sum(each.places for each in self.model.values() if each.state == BOOKED and each.slot == slot)

    def is_closed(self, slot: Slot) -> bool:
        return any(service == slot.service and since <= slot.start < until for service, since, until in self.closings)

    def open_of(self, person: str, service: str) -> list[Place]:
        theirs = (each for each in self.model.values() if person and each.person == person)
        return [each for each in theirs if each.slot.service == service and each.is_open(self.now)]

    def expected(self, person: str, slot: Slot, places: int, most_open: int | None) -> type[Outcome]:
        """What comes of it when this person asks for places in a slot."""
        mine = self.open_of(person, slot.service)
        if any(each.slot == slot for each in mine):
            return AlreadyBooked
        if most_open is not None and person and len(mine) >= most_open:
            return TooMany
        if self.is_closed(slot):
            return Closed
        return Booked if self.taken(slot) + places <= slot.capacity else Full

    def due_reminders(self) -> set[Reminder]:
        """Those that have to be sent now: what was sent is not sent again."""
        return {
            (number, kind, booked.slot.start)
            for number, booked in self.model.items()
            if booked.state == BOOKED and booked.person
            for kind, due in reminders(booked.slot.start, booked.since).items()
            if due <= self.now and (number, kind, booked.slot.start) not in self.reminded
        }

    def is_past(self, slot: Slot) -> bool:
        return slot.start <= self.now

    # What people do

    @rule(target=made, person=people_, slot=slots_, family=families)
    def book(self, person: str, slot: Slot, family: int) -> int | MultipleResults[int]:
        if self.is_past(slot):
            return multiple()
        permanence = PERMANENCES[slot.service]
        outcome = self._book(_asked(permanence, person, family), slot, permanence)
        return outcome.booking.id if isinstance(outcome, Booked) else multiple()

    def _book(self, asked: Asked, slot: Slot, permanence: Permanence) -> Outcome:
        expected = self.expected(asked.chat, slot, asked.places, permanence.most_open if asked.chat else None)

        async def press() -> Outcome:
            async with storage.begin(self.database) as connection:
                return await bookings.book(connection, slot, asked, self.now, permanence.most_open)

        outcome = self.run(press())
        assert type(outcome) is expected
        if isinstance(outcome, Booked):
            assert outcome.booking.id not in self.model
            self.model[outcome.booking.id] = Place(asked.chat, slot, asked.places, self.now)
        return outcome

    @rule(number=made, slot=slots_)
    def move(self, number: int, slot: Slot) -> None:
        booked = self.model[number]
        if self.is_past(booked.slot) or self.is_past(slot) or slot.service != booked.slot.service:
            return
        expected = self.expected(booked.person, slot, booked.places, None) if booked.state == BOOKED else Closed

        async def press() -> Outcome:
            async with storage.begin(self.database) as connection:
                outcome = await bookings.move(connection, await _get(connection, number), slot, self.now)
                if isinstance(outcome, Booked):
                    await waiting.ask_next(connection, booked.slot, self.now)
                return outcome

        assert type(self.run(press())) is expected
        if expected is Booked:
            booked.slot, booked.since = slot, self.now

    @rule(number=made)
    def cancel(self, number: int) -> None:
        booked = self.model[number]
        if self.is_past(booked.slot):
            return

        async def press() -> bool:
            async with storage.begin(self.database) as connection:
                cancelled = await bookings.cancel(connection, await _get(connection, number))
                await waiting.ask_next(connection, booked.slot, self.now)
                return cancelled

        assert self.run(press()) == (booked.state == BOOKED)
        if booked.state == BOOKED:
            booked.state = CANCELLED

    @rule(number=made)
    def restore(self, number: int) -> None:
        was = self.model[number]
        if self.is_past(was.slot):
            return
        most_open = PERMANENCES[was.slot.service].most_open
        expected: type[Outcome] = AlreadyBooked if was.state == BOOKED else Closed
        if was.state == CANCELLED:
            expected = self.expected(was.person, was.slot, was.places, most_open)

        async def press() -> Outcome:
            async with storage.begin(self.database) as connection:
                booking = await _get(connection, number)
                return await bookings.restore(connection, booking, was.slot, self.now, most_open)

        assert type(self.run(press())) is expected
        if expected is Booked:
            was.state, was.since = BOOKED, self.now

    # What staff do

    @rule(slot=slots_, whole_day=st.booleans())
    def close(self, slot: Slot, whole_day: bool) -> None:
        service, since, until = span = _span(slot, whole_day)

        async def press() -> list[bookings.Booking]:
            async with storage.begin(self.database) as connection:
                return await agenda.close(connection, service, since, until, self.now)

        self.closings.add(span)
        fallen = {number for number, each in self.model.items() if each.is_open(self.now) and self.is_closed(each.slot)}
        assert {booking.id for booking in self.run(press())} == fallen
        for number in fallen:
            self.model[number].state = CLOSED

    @rule(slot=slots_, whole_day=st.booleans())
    def reopen(self, slot: Slot, whole_day: bool) -> None:
        span = _span(slot, whole_day)

        async def press() -> bool:
            async with storage.begin(self.database) as connection:
                return await agenda.reopen(connection, *span)

        assert self.run(press()) == (span in self.closings)
        self.closings.discard(span)

    # Waiting

    @rule(person=people_.filter(bool), slot=slots_, family=families, wanted=languages)
    def wait(self, person: str, slot: Slot, family: int, wanted: str) -> None:
        asked = replace(_asked(PERMANENCES[slot.service], person, family), wanted=wanted)

        async def press() -> tuple[Waiting, list[Waiting]]:
            async with storage.begin(self.database) as connection:
                turn = await waiting.join(connection, slot.service, slot.day, asked)
                return turn, await waiting.on_day(connection, slot.service, slot.day)

        turn, everybody = self.run(press())
        assert (turn.chat, turn.places, turn.wanted) == (person, asked.places, wanted)
        assert [each.chat for each in everybody].count(person) == 1

    @rule(slot=slots_)
    def ask_next(self, slot: Slot) -> None:
        if self.is_past(slot):
            return

        async def free() -> tuple[list[Waiting], list[Waiting], int]:
            async with storage.begin(self.database) as connection:
                before = await waiting.on_day(connection, slot.service, slot.day)
                await waiting.ask_next(connection, slot, self.now)
                after = await waiting.on_day(connection, slot.service, slot.day)
                put = schema.outbox.c.kind == waiting.FREE
                asked_now = put & (schema.outbox.c.due == self.now) & schema.outbox.c.waiting.is_not(None)
                rows = await connection.execute(select(schema.outbox.c.waiting).where(asked_now))
                told = {row.waiting for row in rows}
                return before, after, len(told & {each.id for each in after if each not in before})

        before, after, told = self.run(free())
        assert [each.id for each in before] == [each.id for each in after]
        asked = {new.id for old, new in zip(before, after, strict=True) if old != new}
        assert asked == self.who_is_next(before, slot)
        assert told == len(asked)
        assert all(each.asked_for == slot.start for each in after if each.id in asked)

    def who_is_next(self, everybody: list[Waiting], slot: Slot) -> set[int]:
        """In turn, whoever fits in what is free and not offered already; who was asked before comes after the others."""
        being_asked = [each for each in everybody if each.asked_until and each.asked_until > self.now]
        free = slot.capacity - self.taken(slot)
        free -= sum(each.places for each in being_asked if each.asked_for == slot.start)
        never_asked = [each for each in everybody if each.asked_for is None]
        let_another_pass = [each for each in everybody if each.asked_for not in (None, slot.start)]
        asked: set[int] = set()
        for each in never_asked + let_another_pass:
            speaks = each.wanted in ("", "i", *slot.languages)
            if each not in being_asked and speaks and each.places <= free and not self.is_closed(slot):
                asked.add(each.id)
                free -= each.places
        return asked

    @rule(slot=slots_, first=st.booleans())
    def accept(self, slot: Slot, first: bool) -> None:
        """Somebody who was asked says yes, in time or too late: they book as everybody does, and leave the list."""

        async def turns() -> list[Waiting]:
            async with storage.begin(self.database) as connection:
                return await waiting.on_day(connection, slot.service, slot.day)

        asked = [each for each in self.run(turns()) if each.asked_for == slot.start]
        if self.is_past(slot) or not asked:
            return
        turn = asked[0 if first else -1]
        outcome = self._book(
            Asked("test", turn.chat, turn.language, turn.people, turn.places), slot, PERMANENCES[slot.service]
        )
        if isinstance(outcome, Booked | AlreadyBooked):
            self.run(self._leave(turn))

    async def _leave(self, turn: Waiting) -> None:
        async with storage.begin(self.database) as connection:
            assert await waiting.leave(connection, turn.id, turn.channel, "somebody else") is None
            assert await waiting.leave(connection, turn.id, turn.channel, turn.chat) is not None

    # Time

    @rule(by=passing)
    def time_passes(self, by: datetime.timedelta) -> None:
        self.now += by

    @rule()
    def send_what_is_due(self) -> None:
        """Each reminder that is due once, and only of a booking that is booked, at the time that it has now."""

        async def send() -> list[outbox.Notice]:
            async with storage.begin(self.database) as connection:
                await reminding.put_due(connection, self.now, ("test",), 1000)
                claimed = await outbox.claim(connection, self.now, ("test", waiting.NOBODY), 1000)
                assert await outbox.claim(connection, self.now, ("test", waiting.NOBODY), 1000) == []
                for notice in claimed:
                    await outbox.mark_sent(connection, notice.id)
                return claimed

        expected, sent = self.due_reminders(), set()
        for notice in self.run(send()):
            assert notice.due <= self.now
            if notice.kind in REMINDERS and notice.booking:
                booked = self.model[notice.booking]
                assert (booked.state, booked.person) == (BOOKED, notice.chat)
                assert notice.key.endswith(f":{booked.slot.start:%Y%m%d%H%M}")
                sent.add((notice.booking, notice.kind, booked.slot.start))
        assert sent == expected
        self.reminded |= sent

    # What always holds

    @invariant()
    def the_database_agrees(self) -> None:
        seen = self.run(self._look())
        for slot in SLOTS:
            taken = seen.taken.get((slot.service, slot.start), 0)
            assert taken == self.taken(slot)
            assert 0 <= taken <= slot.capacity
        assert seen.places == {
            number: (each.person, each.slot.service, each.slot.start, each.places, each.state)
            for number, each in self.model.items()
        }
        assert seen.told_closed == {
            number for number, each in self.model.items() if each.state == CLOSED and each.person
        }

    async def _look(self) -> Seen:
        async with storage.begin(self.database) as connection:
            taken = {(row.service, row.start): row.taken for row in await connection.execute(select(schema.slots))}
            places = {
                row.id: (row.chat, row.service, row.start, row.places, row.state)
                for row in await connection.execute(select(schema.bookings))
            }
            closed = select(schema.outbox.c.booking).where(schema.outbox.c.kind == "closed")
            told_closed = {row.booking for row in await connection.execute(closed)}
            return Seen(taken, places, told_closed)

    @invariant()
    def nobody_has_more_than_one_may_have(self) -> None:
        for person in filter(None, PEOPLE):
            for service, permanence in PERMANENCES.items():
                assert len(self.open_of(person, service)) <= permanence.most_open

    @invariant()
    def nobody_is_expected_when_it_is_closed(self) -> None:
        assert not [each for each in self.model.values() if each.is_open(self.now) and self.is_closed(each.slot)]


def _asked(permanence: Permanence, person: str, family: int) -> Asked:
    return Asked("test" if person else DESK, person, "nl", family, permanence.places_for(family))


def _span(slot: Slot, whole_day: bool) -> Span:
    since, until = bounds(slot.day) if whole_day else (slot.start, slot.end)
    return slot.service, since, until


async def _get(connection: AsyncConnection, number: int) -> bookings.Booking:
    booking = await bookings.get(connection, number)
    assert booking
    return booking


def _booking_on(its_database: AsyncEngine, its_runner: asyncio.Runner) -> type[Booking]:
    class BookingOn(Booking):
        database, runner = its_database, its_runner

    return BookingOn


def _check(url: str, examples: int, steps: int) -> None:
    """One event loop and one engine for all runs: a connection belongs to the loop in which it was opened."""
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        database = runner.run(stack.enter_async_context(storage.open_storage(url)))
        try:
            runner.run(storage.migrate(database))
            run_state_machine_as_test(_booking_on(database, runner), settings=profile)
        finally:
            runner.run(stack.aclose())


def test_booking_agrees_with_the_model_on_sqlite(tmp_path: Path) -> None:
    _check(f"sqlite+aiosqlite:///{tmp_path}/wegwijs.db", examples=30, steps=30)


def test_booking_agrees_with_the_model_on_postgresql(postgres: str) -> None:
    _check(postgres, examples=12, steps=30)
