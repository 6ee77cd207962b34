"""`wegwijs bookings`, as staff run it in a terminal. Its clock is the real one, so its days are counted from today."""

import asyncio
import datetime
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import desk, storage
from bot.cli import main
from bot.knowledge import load
from bot.scheduling import BRUSSELS, bookable
from bot.storage import agenda, bookings, staff, tallies
from tests.conftest import KNOWLEDGE


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WEGWIJS_KNOWLEDGE", str(KNOWLEDGE))


@pytest.fixture
def moment() -> tuple[str, str]:
    """The day and the time of a slot of the school's permanence that lies ahead."""
    permanence = load(KNOWLEDGE).permanences["school"]
    start = bookable(permanence, datetime.datetime.now(datetime.UTC))[-1].start.astimezone(BRUSSELS)
    return f"{start:%Y-%m-%d}", f"{start:%H:%M}"


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["bookings", *arguments])
    if isinstance(ended.value.code, str):
        return 1, ended.value.code
    return int(ended.value.code or 0), capsys.readouterr().out


Result = TypeVar("Result")


@dataclass(frozen=True)
class Kept:
    """What is kept of a booking. `counted`: what of it is in the figures; `logged`: who did what."""

    state: str
    counted: Mapping[str, int]
    logged: Sequence[tuple[str, str]]


def _on_database(work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        async with storage.open_storage("sqlite+aiosqlite:///var/wegwijs.db") as database:
            await storage.migrate(database)
            async with storage.begin(database) as connection:
                return await work(connection)

    return asyncio.run(run())


def _kept(code: str) -> Kept:
    async def look(connection: AsyncConnection) -> Kept:
        booking = await agenda.by_code(connection, code)
        assert booking
        today = datetime.datetime.now(BRUSSELS).date()
        found = await tallies.between(connection, today - datetime.timedelta(1), today)
        lines = [(line.who, line.what) for line in reversed(await staff.log(connection)) if line.about == code]
        return Kept(booking.state, {tally.what: tally.count for tally in found if tally.count}, lines)

    return _on_database(look)


def _book_for_now(state: str = bookings.BOOKED) -> str:
    """Somebody whose time begins at this moment, and what became of it; the code."""

    async def book(connection: AsyncConnection) -> str:
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        permanence = load(KNOWLEDGE).permanences["school"]
        slot = replace(bookable(permanence, now)[-1], start=now, end=now + datetime.timedelta(minutes=30))
        booked = await bookings.book(connection, slot, desk.at_the_desk(permanence, 1, "ti"), now)
        assert isinstance(booked, bookings.Booked)
        if state != bookings.BOOKED:
            await bookings.cancel(connection, booked.booking, state)
        return booked.booking.code

    return _on_database(book)


def test_who_came_is_marked_counted_and_noted_once(capsys: pytest.CaptureFixture[str]) -> None:
    booked = _book_for_now()
    assert [_run(capsys, "arrived", booked.lower())[0] for _ in range(2)] == [0, 0]
    assert "fulfilled" in _run(capsys, "list", "--service", "school")[1]
    assert _kept(booked) == Kept("fulfilled", {"fulfilled": 1}, [("Operator", "arrived")])
    assert [_run(capsys, name, booked)[0] for name in ("expected", "absent")] == [0, 0]
    expected = [("Operator", what) for what in ("arrived", "expected again", "not come")]
    assert _kept(booked) == Kept("noshow", {"noshow": 1}, expected)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("cancelled", "booking {code} was cancelled; nothing has changed"),
        ("closed", "booking {code} fell away when its moment was closed; nothing has changed"),
    ],
)
def test_who_was_not_to_come_cannot_be_marked(capsys: pytest.CaptureFixture[str], state: str, said: str) -> None:
    booked = _book_for_now(state)
    for name in ("arrived", "absent", "expected"):
        assert _run(capsys, name, booked) == (1, f"wegwijs: {said.format(code=booked)}")
    assert _kept(booked) == Kept(state, {}, [])


def test_somebody_without_a_phone_is_booked_and_listed_and_did_not_come_before_their_day(
    capsys: pytest.CaptureFixture[str], moment: tuple[str, str]
) -> None:
    day, time = moment
    code, out = _run(capsys, "book", "school", day, time, "--people", "3", "--language", "ti")
    assert code == 0
    booked = out.removeprefix("booked: ").strip()
    assert re.search(
        rf"{day} {time} +school +{booked} +3 people +ti +booked +not reached", _run(capsys, "list", day)[1]
    )
    for name in ("arrived", "absent"):
        said = f"{day} is still to come: nobody can have arrived or stayed away yet"
        assert _run(capsys, name, booked) == (1, f"wegwijs: {said}")
    assert _kept(booked) == Kept("booked", {"booked": 1}, [])
    assert "nobody" in _run(capsys, "list", day, "--service", "dutch")[1]


def test_a_closed_day_takes_no_bookings_until_it_is_open_again(
    capsys: pytest.CaptureFixture[str], moment: tuple[str, str]
) -> None:
    day, time = moment
    _run(capsys, "book", "school", day, time)
    code, out = _run(capsys, "close", "school", day)
    assert (code, "1 bookings fall away" in out, "tell them yourself" in out) == (0, True, True)
    assert "closed" in _run(capsys, "book", "school", day, time)[1]
    assert _run(capsys, "reopen", "school", day)[0] == 0
    assert _run(capsys, "book", "school", day, time)[0] == 0
    assert _run(capsys, "misfits") == (0, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("arrived", "ZZZZZ"), "there is no booking ZZZZZ"),
        (("close", "pottery", "2026-12-02"), "there is no permanence pottery; there are:"),
        (("close", "school", "2026-12-05"), "there is no such moment"),
        (("reopen", "school", "2026-12-02"), "was not closed"),
        (("book", "school", "2026-12-02", "03:00"), "past, closed, or not one of the permanence's"),
        (("book", "school", "2026-12-02", "13:30", "--people", "99"), "--people takes 1 to"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    code, out = _run(capsys, *arguments)
    assert code == 1
    assert said in out
    assert "\n" not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "2026-13-02"), "argument DAY: write the day like 2026-12-02"),
        (("list", "morgen"), "argument DAY: write the day like 2026-12-02"),
        (("book", "school", "2026-12-02", "half twee"), "argument TIME: write the time like 13:30"),
        (("close", "school", "2026-12-02", "25:00"), "argument TIME: write the time like 13:30"),
    ],
)
def test_a_day_or_a_time_that_is_none_says_how_to_write_it(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bookings", *arguments])
    assert ended.value.code == 2
    assert capsys.readouterr().err.rstrip().endswith(said)
