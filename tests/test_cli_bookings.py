"""`wegwijs bookings`, as staff run it in a terminal. Its clock is the real one, so its days are counted from today."""

import datetime
import re
from pathlib import Path

import pytest

from bot.cli import main
from bot.knowledge import load
from bot.scheduling import BRUSSELS, bookable
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


def test_somebody_without_a_phone_is_booked_listed_and_marked(
    capsys: pytest.CaptureFixture[str], moment: tuple[str, str]
) -> None:
    day, time = moment
    code, out = _run(capsys, "book", "school", day, time, "--people", "3", "--language", "ti")
    assert code == 0
    booked = out.removeprefix("booked: ").strip()
    assert re.search(
        rf"{day} {time} +school +{booked} +3 people +ti +booked +not reached", _run(capsys, "list", day)[1]
    )
    assert _run(capsys, "arrived", booked.lower())[0] == 0
    assert "fulfilled" in _run(capsys, "list", day, "--service", "school")[1]
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


def test_a_date_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = _run(capsys, "list", "2026-13-02")
    assert code == 2
