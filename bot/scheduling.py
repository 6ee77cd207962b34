"""Permanences to slots: when one can come, for how many, and when to remind. No input or output.

A moment is written on the wall clock of Brussels; a slot is an instant. On the night when the clock goes back an hour
comes twice, and so do its slots; on the night when it goes forward an hour is missing, and so are they. A slot during
which the clock changes is none.
"""

import datetime
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import lru_cache
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")
INTERPRETER = "i"  # in place of a language that is wanted: whichever it is, with an interpreter

DAY_BEFORE, HOURS_BEFORE = "day", "hours"
REMINDERS = {DAY_BEFORE: datetime.timedelta(days=1), HOURS_BEFORE: datetime.timedelta(hours=2)}
_SHORTEST_WARNING = datetime.timedelta(hours=1)  # a reminder sooner than this after booking says nothing new


@dataclass(frozen=True, slots=True)
class Moment:
    """A recurring moment: `weekday` from 0 (Monday), on the wall clock from `start` to `end`, in slots of `minutes`.

    `capacity`: places in each slot. `languages`: what is spoken there, by code. `first`, `last`: its dates, if any.
    """

    weekday: int
    start: datetime.time
    end: datetime.time
    minutes: int
    capacity: int
    languages: tuple[str, ...] = ()
    first: datetime.date | None = None
    last: datetime.date | None = None

    def is_on(self, day: datetime.date) -> bool:
        return (
            day.weekday() == self.weekday
            and (self.first is None or self.first <= day)
            and (self.last is None or day <= self.last)
        )


@dataclass(frozen=True, slots=True)
class Permanence:
    """Moments at which one can come for a service.

    `place`: an address; `location`: its latitude and longitude, where staff gave them. `closed`: days without any
    moment; `exceptions`: the moments of a day that differs. `notice`: how long before a slot one can book at the
    latest; `horizon`: at the earliest. `most_open`: bookings that a person may have at once; `most_people`: how many
    can come together. `per_person`: each of them takes a place; otherwise they take one together.
    """

    service: str
    titles: Mapping[str, str]
    bring: Mapping[str, str]
    place: str
    moments: tuple[Moment, ...]
    location: tuple[float, float] | None = None
    closed: frozenset[datetime.date] = frozenset()
    exceptions: Mapping[datetime.date, tuple[Moment, ...]] = field(default_factory=dict)
    on_holidays: bool = False
    notice: datetime.timedelta = datetime.timedelta(hours=2)
    horizon: datetime.timedelta = datetime.timedelta(days=28)
    most_open: int = 1
    most_people: int = 8
    per_person: bool = False
    example: bool = False

    def places_for(self, people: int) -> int:
        """How many places `people` who come together take."""
        return people if self.per_person else 1


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One dated piece of a permanence; `start` and `end` are instants in UTC."""

    start: datetime.datetime
    end: datetime.datetime
    service: str
    capacity: int
    languages: tuple[str, ...] = ()

    @property
    def day(self) -> datetime.date:
        """The day in Brussels."""
        return day_of(self.start)

    def suits(self, wanted: str) -> bool:
        """Whether the language that somebody wants is spoken there; "" where they said that it does not matter."""
        return wanted in ("", INTERPRETER) or wanted in self.languages


def day_of(instant: datetime.datetime) -> datetime.date:
    """The day in Brussels at `instant`."""
    return instant.astimezone(BRUSSELS).date()


def bounds(day: datetime.date) -> tuple[datetime.datetime, datetime.datetime]:
    """The instants at which a day in Brussels begins and ends."""
    midnight = datetime.time()
    first, next_ = (
        datetime.datetime.combine(day + datetime.timedelta(days=more), midnight, BRUSSELS) for more in (0, 1)
    )
    return first.astimezone(datetime.UTC), next_.astimezone(datetime.UTC)


@lru_cache(maxsize=64)
def holidays_in(year: int) -> Set[datetime.date]:
    """The public holidays of Belgium in a year."""
    from holidays import country_holidays  # a tenth of a second, which the first answer need not wait for

    return frozenset(country_holidays("BE", years=year))


def slots_on(permanence: Permanence, day: datetime.date) -> list[Slot]:
    """The slots of a day in Brussels, in order, whether or not one can still book."""
    if day in permanence.closed:
        return []
    if day in permanence.exceptions:
        moments = permanence.exceptions[day]
    elif not permanence.on_holidays and day in holidays_in(day.year):
        return []
    else:
        moments = tuple(moment for moment in permanence.moments if moment.is_on(day))
    return sorted(
        {slot.start: slot for moment in moments for slot in _slots_of(moment, day, permanence.service)}.values()
    )


def _slots_of(moment: Moment, day: datetime.date, service: str) -> Iterator[Slot]:
    length = datetime.timedelta(minutes=moment.minutes)
    wall, end = datetime.datetime.combine(day, moment.start), datetime.datetime.combine(day, moment.end)
    while wall + length <= end:
        for start in _instants(wall):
            if _clock_runs_on(start, start + length):
                yield Slot(start, start + length, service, moment.capacity, moment.languages)
        wall += length


def _clock_runs_on(start: datetime.datetime, end: datetime.datetime) -> bool:
    """Whether the clocks of Brussels do not change in between: such a slot would meet the next, or end too late."""
    last = end - datetime.timedelta.resolution
    return start.astimezone(BRUSSELS).utcoffset() == last.astimezone(BRUSSELS).utcoffset()


def _instants(wall: datetime.datetime) -> Iterator[datetime.datetime]:
    """When the clocks of Brussels show `wall`: once, twice when the hour is doubled, never when it is missing."""
    found = {wall.replace(tzinfo=BRUSSELS, fold=fold).astimezone(datetime.UTC) for fold in (0, 1)}
    yield from sorted(at for at in found if at.astimezone(BRUSSELS).replace(tzinfo=None) == wall)


def is_doubled(instant: datetime.datetime) -> bool:
    """Whether the clocks of Brussels show the time of `instant` twice that night."""
    return len(list(_instants(instant.astimezone(BRUSSELS).replace(tzinfo=None)))) > 1


def bookable(permanence: Permanence, now: datetime.datetime) -> list[Slot]:
    """The slots that can be booked at `now`, in order, full ones included."""
    first, last = now + permanence.notice, now + permanence.horizon
    days = (last.astimezone(BRUSSELS).date() - day_of(first)).days
    found = (
        slot for more in range(days + 1) for slot in slots_on(permanence, day_of(first) + datetime.timedelta(days=more))
    )
    return [slot for slot in found if first <= slot.start <= last]


def slot_at(permanence: Permanence, start: datetime.datetime) -> Slot | None:
    """The slot that begins at `start`."""
    return next((slot for slot in slots_on(permanence, day_of(start)) if slot.start == start), None)


def open_slot(permanence: Permanence, start: datetime.datetime, now: datetime.datetime) -> Slot | None:
    """The slot that begins at `start`, when it is there and can be booked at `now`, full or not."""
    slot = slot_at(permanence, start)
    return slot if slot and now + permanence.notice <= slot.start <= now + permanence.horizon else None


def reminders(start: datetime.datetime, now: datetime.datetime) -> dict[str, datetime.datetime]:
    """When to remind of a slot that is booked at `now`: by kind, only what still lies ahead and says something new."""
    due = all_reminders(start)
    return {kind: at for kind, at in due.items() if at > now + _SHORTEST_WARNING or (kind == HOURS_BEFORE and at > now)}


def all_reminders(start: datetime.datetime) -> dict[str, datetime.datetime]:
    """When to remind of a slot, by kind, whenever it was booked.

    The day before is the same time on the clock of Brussels; two hours before are two hours.
    """
    local = start.astimezone(BRUSSELS)
    day_before = (local - REMINDERS[DAY_BEFORE]).astimezone(datetime.UTC)
    return {DAY_BEFORE: day_before, HOURS_BEFORE: start - REMINDERS[HOURS_BEFORE]}


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody is at the desk, on the clock of Brussels: by weekday, but for closed days and public holidays."""

    moments: tuple[Moment, ...] = ()
    closed: frozenset[datetime.date] = frozenset()
    example: bool = False

    def on(self, day: datetime.date) -> list[tuple[datetime.datetime, datetime.datetime]]:
        """The instants from which and until which somebody is there on a day."""
        if day in self.closed or day in holidays_in(day.year):
            return []
        spans = ((moment.start, moment.end) for moment in self.moments if moment.is_on(day))
        return sorted(
            (
                datetime.datetime.combine(day, start, BRUSSELS).astimezone(datetime.UTC),
                datetime.datetime.combine(day, end, BRUSSELS).astimezone(datetime.UTC),
            )
            for start, end in spans
        )

    def is_open(self, now: datetime.datetime) -> bool:
        """Whether somebody is there at `now`."""
        return any(start <= now < end for start, end in self.on(day_of(now)))

    def opens_next(self, now: datetime.datetime) -> datetime.datetime | None:
        """When somebody is there again; None when not within the next month."""
        days = (day_of(now) + datetime.timedelta(days=more) for more in range(31))
        return next((start for day in days for start, _ in self.on(day) if start > now), None)
