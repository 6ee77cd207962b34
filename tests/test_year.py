"""The whole of 2027 through the core, with both changes of the clock (28 March, 31 October), at each instant that counts.

What should come is worked out here from the clock on the wall, not from `bot.scheduling`.
"""

import datetime
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from random import Random

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.conversation import Reply, Respond, Sent, respond
from bot.conversation.packing import pack_day, pack_instant
from bot.delivery import Delivery
from bot.knowledge import Holder
from bot.scheduling import BRUSSELS, Moment, Permanence
from bot.storage import retention
from bot.texts import Texts
from bot.understanding import Understanding
from tests.booking_knowledge import PLACE, with_permanences
from tests.conftest import Clock
from tests.dialogue import Dialogue

DAY, HOUR, MINUTE = datetime.timedelta(days=1), datetime.timedelta(hours=1), datetime.timedelta(minutes=1)
FORWARD, BACK = datetime.date(2027, 3, 28), datetime.date(2027, 10, 31)
FIRST_MONDAY, LAST_DAY = datetime.date(2026, 12, 28), datetime.date(2027, 12, 31)
# https://www.belgium.be/nl/over_belgie/land/belgie_in_een_notendop/feestdagen, those of 2027 on a weekday
HOLIDAYS = {
    datetime.date(2027, month, day) for month, day in ((1, 1), (3, 29), (5, 6), (5, 17), (7, 21), (11, 1), (11, 11))
}

NIGHT = Permanence(
    service="night",
    titles={"nl": "Nacht"},
    bring={},
    place=PLACE,
    moments=(Moment(6, datetime.time(1), datetime.time(4), 60, 20),),
    on_holidays=True,  # the clock goes forward on Easter Sunday
    horizon=15 * DAY,
    most_open=20,
)
DESK = Permanence(
    service="desk",
    titles={"nl": "Loket"},
    bring={},
    place=PLACE,
    moments=tuple(Moment(weekday, datetime.time(9), datetime.time(10), 60, 20) for weekday in range(5)),
    horizon=15 * DAY,
    most_open=20,
)

_WEEKDAYS = ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"]
_MONTHS = [
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
]
_SHORT_MONTHS = ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"]


def at(day: datetime.date, hour: int, minute: int = 0, *, second_time: bool = False) -> datetime.datetime:
    """The instant at which the clocks of Brussels show this, the first or the second time that night."""
    wall = datetime.datetime.combine(day, datetime.time(hour, minute, fold=second_time), BRUSSELS)
    return wall.astimezone(datetime.UTC)


def day_before(start: datetime.datetime) -> datetime.datetime:
    """The same time on the wall, on the day before; no slot of ours lies a day after a change at night."""
    wall = start.astimezone(BRUSSELS).replace(tzinfo=None, fold=0) - DAY
    return wall.replace(tzinfo=BRUSSELS).astimezone(datetime.UTC)


def in_words(start: datetime.datetime) -> tuple[str, str]:
    """Day and time as Dutch writes them; in the hour that comes twice also which of the two."""
    local = start.astimezone(BRUSSELS)
    day = f"{_WEEKDAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year}"
    doubled = local.date() == BACK and local.hour == 2
    return day, f"{local:%H:%M} (UTC{local:%z})" if doubled else f"{local:%H:%M}"


def nights(sunday: datetime.date) -> list[datetime.datetime]:
    """When the permanence of the night begins: in March one hour is missing, in October one comes twice."""
    if sunday == FORWARD:
        return [at(sunday, 1), at(sunday, 3)]
    doubled = [at(sunday, 2, second_time=True)] if sunday == BACK else []
    return [at(sunday, 1), at(sunday, 2), *doubled, at(sunday, 3)]


def weekdays() -> Iterator[datetime.date]:
    """The days of 2027 on which the desk is open."""
    for number in range(365):
        day = datetime.date(2027, 1, 1) + number * DAY
        if day.weekday() < 5 and day not in HOLIDAYS:
            yield day


@dataclass(frozen=True, order=True)
class Told:
    """One reminder: when it came, to whom, and what it said."""

    when: datetime.datetime
    chat: str
    first: str
    day: str
    time: str


def tomorrow(chat: str, start: datetime.datetime) -> Told:
    return Told(day_before(start), chat, "morgen", *in_words(start))


def soon(chat: str, start: datetime.datetime) -> Told:
    return Told(start - 2 * HOUR, chat, "straks", *in_words(start))


class Person(Dialogue):
    """Reads Markdown as it is written: a year has many messages, and showing them would take half of the time."""

    @property
    def text(self) -> str:
        return "\n\n".join(reply.text for reply in self.replies)


@dataclass
class Year:
    """A clock that goes from instant to instant, people who press, and what came to them."""

    clock: Clock
    database: AsyncEngine
    respond: Respond
    heard: list[Told] = field(default_factory=list)
    expected: list[Told] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    codes: dict[tuple[str, datetime.datetime], str] = field(default_factory=dict)
    _plans: list[tuple[datetime.datetime, int, Callable[[], Awaitable[object]]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _stops: set[datetime.datetime] = field(default_factory=set)

    def person(self, chat: str) -> Person:
        return self.people.setdefault(chat, Person(self.respond, "nl", chat=chat))

    def plan(self, when: datetime.datetime, what: Callable[[], Awaitable[object]]) -> None:
        heappush(self._plans, (when, next(self._order), what))

    def look_at(self, chat: str, start: datetime.datetime) -> None:
        """Stop where a reminder of this could come, and a minute before; one that is not expected shows as well."""
        for told in (tomorrow(chat, start), soon(chat, start)):
            for when in {told.when - MINUTE, told.when} - self._stops:
                self._stops.add(when)
                self.plan(when, _nothing)

    async def goes_by(self, delivery: Delivery) -> None:
        """At each instant what is due is sent, then people do what they planned."""
        while self._plans:
            self.clock.now, _, what = heappop(self._plans)
            await delivery.send_due()
            await what()

    async def push(self, chat: str, replies: Sequence[Reply]) -> Sent:
        self.people[chat].replies = replies
        text = self.people[chat].text
        first = "morgen" if "u hebt morgen een afspraak" in text else "straks"
        assert first == "morgen" or "uw afspraak begint straks" in text
        day, time = (re.findall(rf"\*\*{name}\*\*: (.+)", text) for name in ("Dag", "Uur"))
        self.heard.append(Told(self.clock.now, chat, first, *day, *time))
        return Sent()

    async def books(self, chat: str, service: str, start: datetime.datetime) -> None:
        """From the day's button, by what stands on the buttons."""
        person, (day, time) = self.person(chat), in_words(start)
        await person.presses_data(f"bd:nl:{service}:1:-:{pack_day(start.astimezone(BRUSSELS).date())}")
        assert day in person.text
        assert len(set(person.labels)) == len(person.labels)
        await person.presses(time)
        await person.presses("Bevestigen")
        assert f"- **Dag**: {day}\n- **Uur**: {time}\n" in person.text

        self.codes[chat, start] = re.findall(r"Uw code: \*\*(\w+)", person.text)[0]

    async def moves(self, chat: str, old: datetime.datetime, new: datetime.datetime) -> None:
        person, (day, time) = self.person(chat), in_words(new)
        code = self.codes[chat, old]
        await person.presses_data(f"mt:nl:{code}:{pack_instant(new)}")
        assert f"**Oude afspraak**: {', '.join(in_words(old))}\n" in person.text
        assert f"**Nieuwe afspraak**: {day}, {time}\n" in person.text
        await person.presses("Bevestigen")
        assert f"- **Dag**: {day}\n- **Uur**: {time}\n" in person.text

    async def cancels(self, chat: str, start: datetime.datetime) -> None:
        await self.person(chat).presses_data(f"cb:nl:{self.codes[chat, start]}")
        assert ", ".join(in_words(start)) in self.person(chat).text
        await self.person(chat).presses("Ja, afzeggen")
        assert "is afgezegd" in self.person(chat).text

    async def takes_it_back(self, chat: str) -> None:
        await self.person(chat).presses("Toch behouden")
        assert "**Uur**: " in self.person(chat).text

    async def cannot_come(self, chat: str) -> None:
        """The answer to a reminder."""
        await self.person(chat).presses("Ik kan niet")
        await self.person(chat).presses("Ja, afzeggen")
        assert "is afgezegd" in self.person(chat).text

    async def sees_what_they_have(self, chat: str, start: datetime.datetime) -> None:
        local, (_, time) = start.astimezone(BRUSSELS), in_words(start)
        await self.person(chat).presses("Mijn afspraken")
        shown = f"🗓 {_WEEKDAYS[local.weekday()][:2]} {local.day} {_SHORT_MONTHS[local.month - 1]} {time} · Nacht"
        assert shown in self.person(chat).labels


async def _nothing() -> None: ...


async def _no_waiting(_seconds: float) -> None: ...


@pytest.fixture
def holder(understanding: Understanding) -> Holder[Understanding]:
    return Holder(with_permanences(understanding, {"night": NIGHT, "desk": DESK}))


@pytest.fixture
async def year(tmp_path: Path, holder: Holder[Understanding], catalogues: Texts, clock: Clock) -> AsyncIterator[Year]:
    async with storage.open_storage(f"sqlite+aiosqlite:///{tmp_path}/wegwijs.db") as database:
        await storage.migrate(database)
        answer = partial(respond, knowledge=holder, database=database, texts=catalogues, clock=clock)
        yield Year(clock, database, answer)


@pytest.fixture
def delivery(year: Year, holder: Holder[Understanding], catalogues: Texts) -> Delivery:
    return Delivery(year.database, holder, catalogues, year.clock, {"test": year.push}, _no_waiting)


# What people do each week, for the week after


def _some_keep_what_they_book(year: Year, monday: datetime.date) -> None:
    for number, start in enumerate(nights(monday + 13 * DAY)):
        chat = f"keeps-{number}"
        year.plan(at(monday, 12), partial(year.books, chat, "night", start))
        year.plan(at(monday, 13), partial(year.sees_what_they_have, chat, start))
        year.look_at(chat, start)
        year.expected += [tomorrow(chat, start), soon(chat, start)]


def _some_book_three_hours_before(year: Year, monday: datetime.date, chance: Random) -> None:
    start = chance.choice(nights(monday + 13 * DAY))
    year.plan(start - 3 * HOUR, partial(year.books, "late", "night", start))
    year.look_at("late", start)
    year.expected.append(soon("late", start))


def _some_move(year: Year, monday: datetime.date, chance: Random) -> None:
    old, new = chance.sample(_mornings(monday), 2)
    year.plan(at(monday, 12), partial(year.books, "moves", "desk", old))
    year.plan(at(monday, 15), partial(year.moves, "moves", old, new))
    for start in (old, new):
        year.look_at("moves", start)
    year.expected += [tomorrow("moves", new), soon("moves", new)]


def _some_move_after_the_first_reminder(year: Year, monday: datetime.date, chance: Random) -> None:
    old, new = (chance.choice(nights(monday + days * DAY)) for days in (13, 20))
    year.plan(at(monday, 12), partial(year.books, "moves late", "night", old))
    year.plan(at(monday + 12 * DAY, 12), partial(year.moves, "moves late", old, new))
    for start in (old, new):
        year.look_at("moves late", start)
    year.expected += [tomorrow("moves late", old), tomorrow("moves late", new), soon("moves late", new)]


def _some_cancel(year: Year, monday: datetime.date, chance: Random) -> None:
    """And half of them are sorry for it."""
    start = chance.choice(_mornings(monday))
    year.plan(at(monday, 12), partial(year.books, "cancels", "desk", start))
    year.plan(at(monday, 15), partial(year.cancels, "cancels", start))
    year.look_at("cancels", start)
    if chance.random() < 0.5:
        year.plan(at(monday, 16), partial(year.takes_it_back, "cancels"))
        year.expected += [tomorrow("cancels", start), soon("cancels", start)]


def _some_fall_ill(year: Year, monday: datetime.date, chance: Random) -> None:
    start = chance.choice(_mornings(monday))
    year.plan(at(monday, 12), partial(year.books, "falls ill", "desk", start))
    year.plan(day_before(start) + HOUR, partial(year.cannot_come, "falls ill"))
    year.look_at("falls ill", start)
    year.expected.append(tomorrow("falls ill", start))


def _mornings(monday: datetime.date) -> list[datetime.datetime]:
    """When the desk is open in the week after."""
    return [at(day, 9) for day in weekdays() if 7 * DAY <= day - monday < 12 * DAY]


async def _clean_up(year: Year) -> None:
    async with storage.begin(year.database) as connection:
        await retention.delete_expired(connection, year.clock.now)


async def _look_at_the_days(year: Year, offered: set[str]) -> None:
    """Which days of the desk are on the buttons."""
    person = year.person("looks")
    await person.presses_data("bl:nl:desk:-:1:-")
    packed = (person.data_of(place) for place in range(len(person.labels)))
    offered |= {data.rpartition(":")[2] for data in packed if data.startswith("bd:nl:desk:")}


async def test_in_a_whole_year_every_reminder_comes_once_at_its_time_and_says_the_right_hour(
    year: Year, delivery: Delivery
) -> None:
    chance, offered = Random(2027), set[str]()  # noqa: S311
    for monday in (FIRST_MONDAY + 7 * week * DAY for week in range(53)):
        year.plan(at(monday, 3), partial(_clean_up, year))
        year.plan(at(monday, 8), partial(_look_at_the_days, year, offered))
    for week in range(51):
        monday = FIRST_MONDAY + 7 * week * DAY
        _some_keep_what_they_book(year, monday)
        _some_book_three_hours_before(year, monday, chance)
        _some_move(year, monday, chance)
        _some_cancel(year, monday, chance)
        _some_fall_ill(year, monday, chance)
        if week % 4 == 0:
            _some_move_after_the_first_reminder(year, monday, chance)
    await year.goes_by(delivery)
    assert sorted(year.heard) == sorted(year.expected)
    assert sorted(day for day in offered if day.startswith("2027")) == [pack_day(day) for day in weekdays()]


def _on_the_wall(year: Year, start: datetime.date) -> list[tuple[str, str]]:
    """When the reminders of one Sunday came, as the clocks of Brussels showed it, and the time that they spoke of."""
    day = f"zondag {start.day} {_MONTHS[start.month - 1]} 2027"
    return [
        (f"{told.when.astimezone(BRUSSELS):%a %H:%M %Z}", told.time) for told in sorted(year.heard) if told.day == day
    ]


async def test_when_the_clock_goes_forward_an_hour_is_missing(year: Year, delivery: Delivery) -> None:
    _some_keep_what_they_book(year, FORWARD - 13 * DAY)
    await year.goes_by(delivery)
    assert _on_the_wall(year, FORWARD) == [
        ("Sat 01:00 CET", "01:00"),
        ("Sat 03:00 CET", "03:00"),
        ("Sat 23:00 CET", "01:00"),
        ("Sun 00:00 CET", "03:00"),
    ]


async def test_when_the_clock_goes_back_an_hour_comes_twice(year: Year, delivery: Delivery) -> None:
    _some_keep_what_they_book(year, BACK - 13 * DAY)
    await year.goes_by(delivery)
    assert _on_the_wall(year, BACK) == [
        ("Sat 01:00 CEST", "01:00"),
        ("Sat 02:00 CEST", "02:00 (UTC+0200)"),
        ("Sat 02:00 CEST", "02:00 (UTC+0100)"),
        ("Sat 03:00 CEST", "03:00"),
        ("Sat 23:00 CEST", "01:00"),
        ("Sun 00:00 CEST", "02:00 (UTC+0200)"),
        ("Sun 01:00 CEST", "02:00 (UTC+0100)"),
        ("Sun 02:00 CEST", "03:00"),
    ]
