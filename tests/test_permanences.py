"""Permanences in staff's files: what they mean, which faults keep them out, and what is only reported."""

import datetime
import re
from pathlib import Path

import pytest

from bot import texts
from bot.knowledge import BrokenKnowledge, Holder, load
from bot.knowledge.checking import check
from bot.knowledge.holder import reload
from bot.languages import LANGUAGES
from bot.scheduling import BRUSSELS, Moment, Permanence, bookable, slots_on
from bot.texts import STAFF
from tests.conftest import KNOWLEDGE, NOW

TODAY = datetime.date(2026, 11, 29)
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)

OURS = """\
title: {nl: Hulp met school, uk: Допомога зі школою}
bring:
  nl: Uw paspoort
place: contact.address
location: [51.05, 3.72]
places: person
holidays: open
latest: 6
earliest: 14
most_open: 2
most_people: 5
moments:
  - weekday: monday
    from: 9:00
    to: 12:00
    slot: 30
    capacity: 2
    languages: [nl, ar]
  - {weekday: Woensdag, from: "13:30", to: 16u30, slot: 45, capacity: 1, first: 2026-09-01, last: 2027-06-30}
closed: [2026-12-28, 2026-12-30]
exceptions:
  - {date: 2026-12-23, from: "13:30", to: "14:30", slot: 30, capacity: 3}
  - {date: 2026-12-23, from: "15:00", to: "15:30", slot: 30, capacity: 1, languages: [nl]}
"""
MONDAY = Moment(0, datetime.time(9), datetime.time(12), 30, 2, ("nl", "ar"))
WEDNESDAY = Moment(
    weekday=2,
    start=datetime.time(13, 30),
    end=datetime.time(16, 30),
    minutes=45,
    capacity=1,
    first=datetime.date(2026, 9, 1),
    last=datetime.date(2027, 6, 30),
)


@pytest.fixture
def school(knowledge_copy: Path) -> Path:
    """A permanence of our own in a knowledge directory of our own."""
    path = knowledge_copy / "permanences" / "school.yaml"
    path.write_text(OURS, encoding="utf-8")
    return path


def _permanence(path: Path) -> Permanence:
    return load(path.parent.parent).permanences[path.stem]


def _faults(path: Path) -> list[str]:
    with pytest.raises(BrokenKnowledge) as broken:
        load(path.parent.parent)
    return [str(problem).replace(f"{path.parent.parent}/", "") for problem in broken.value.problems]


def _said(path: Path, today: datetime.date = TODAY) -> list[str]:
    root = path.parent.parent
    return [str(problem).replace(f"{root}/", "") for problem in check(root, today) if "permanences" in str(problem)]


def _edit(path: Path, old: str, new: str) -> int:
    """Replace `old` where it stands once; gives its line."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_a_file_means_what_it_says(school: Path) -> None:
    permanence = _permanence(school)
    assert permanence.service == "school"
    assert permanence.moments == (MONDAY, WEDNESDAY)
    assert permanence.place == "Kongostraat 42, 9000 Gent"
    assert permanence.location == (51.05, 3.72)
    assert permanence.closed == {datetime.date(2026, 12, 28), datetime.date(2026, 12, 30)}
    assert permanence.on_holidays
    assert permanence.notice == 6 * HOUR
    assert permanence.horizon == 14 * DAY
    assert (permanence.most_open, permanence.most_people, permanence.per_person) == (2, 5, True)
    assert not permanence.example


def test_several_exceptions_on_one_date_stand_instead_of_its_moments(school: Path) -> None:
    day = datetime.date(2026, 12, 23)
    slots = slots_on(_permanence(school), day)
    local = [(slot.start.astimezone(BRUSSELS).strftime("%H:%M"), slot.capacity, slot.languages) for slot in slots]
    assert local == [("13:30", 3, ()), ("14:00", 3, ()), ("15:00", 1, ("nl",))]


def test_what_is_left_out_has_a_default(school: Path) -> None:
    school.write_text(
        "title: {nl: School}\nplace: contact.address\n"
        'moments: [{weekday: vrijdag, from: "9:00", to: "10:00", slot: 30, capacity: 1}]\n'
    )
    permanence = _permanence(school)
    assert permanence.moments == (Moment(4, datetime.time(9), datetime.time(10), 30, 1),)
    assert (permanence.notice, permanence.horizon) == (2 * HOUR, 28 * DAY)
    assert (permanence.most_open, permanence.most_people, permanence.per_person) == (1, 8, False)
    assert (permanence.on_holidays, permanence.location, permanence.closed) == (False, None, frozenset())


def test_every_language_has_a_title_and_what_to_bring(school: Path) -> None:
    permanence = _permanence(school)
    assert permanence.titles.keys() == permanence.bring.keys() == LANGUAGES.keys()
    assert permanence.titles["uk"] == "Допомога зі школою"
    assert permanence.titles["ar"] == "Hulp met school"
    _edit(school, "title: {nl: Hulp met school, uk: Допомога зі школою}", 'title: {nl: "", so: Iskuul}')
    _edit(school, "bring:\n  nl: Uw paspoort\n", "")
    permanence = _permanence(school)
    assert set(permanence.titles.values()) == {"Iskuul"}
    assert set(permanence.bring.values()) == {""}


@pytest.mark.parametrize("written", ["13:30", '"13:30"', "13.30", "13u30", "13h30"])
def test_a_time_may_be_written_as_people_write_times(school: Path, written: str) -> None:
    _edit(school, 'weekday: Woensdag, from: "13:30"', f"weekday: Woensdag, from: {written}")
    assert _permanence(school).moments == (MONDAY, WEDNESDAY)


def test_a_knowledge_directory_without_permanences_has_none(school: Path) -> None:
    school.unlink()
    assert load(school.parent.parent).permanences == {}


def test_a_change_in_a_permanence_changes_the_version(school: Path) -> None:
    before = load(school.parent.parent).version
    _edit(school, "capacity: 2", "capacity: 3")
    assert load(school.parent.parent).version != before


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        # values that cannot be read
        ("weekday: monday", "weekday: moonday", "`moments.1.weekday` holds 'moonday'; it takes a weekday"),
        ("from: 9:00", "from: 9", "`moments.1.from` holds '9'; it takes a time: \"13:30\""),
        ("from: 9:00", "from: 25:00", "`moments.1.from` holds '25:00'; it takes a time"),
        ("from: 9:00", "from: -9:00", "`moments.1.from` holds '-9:00'; it takes a time"),
        ("from: 9:00", "from: 09:00+02:00", "it takes a time"),
        ("to: 12:00", "to: 24:00", "`moments.1.to` holds '24:00'; it takes a time"),
        ("slot: 30\n", "slot: 0\n", "`moments.1.slot` holds '0'; it takes a number of minutes, from 1 to 1440"),
        ("slot: 30\n", "slot: -30\n", "`moments.1.slot` holds '-30'"),
        ("capacity: 2", "capacity: 0", "`moments.1.capacity` holds '0'; it takes a number of places, from 1 to 1000"),
        ("capacity: 2", "capacity: -1", "`moments.1.capacity` holds '-1'"),
        ("capacity: 2", "capacity: two", "`moments.1.capacity` holds 'two'"),
        ("capacity: 2", "capacity: 2.5", "`moments.1.capacity` holds '2.5'"),
        ("first: 2026-09-01", "first: 2026-02-30", "`moments.2.first` holds '2026-02-30'; it takes a date"),
        ("first: 2026-09-01", "first: 20260901", "`moments.2.first` holds '20260901'; it takes a date"),
        ("closed: [2026-12-28", "closed: [2026-13-28", "`closed.1` holds '2026-13-28'; it takes a list of dates"),
        ("closed: [2026-12-28, 2026-12-30]", "closed: 2026-12-28", "it takes a list of dates"),
        ("latest: 6", "latest: -6", "`latest` holds '-6'; it takes a number of hours"),
        ("earliest: 14", "earliest: -14", "`earliest` holds '-14'; it takes a number of days"),
        ("most_open: 2", "most_open: 0", "`most_open` holds '0'"),
        ("most_people: 5", "most_people: 0", "`most_people` holds '0'"),
        ("holidays: open", "holidays: perhaps", "`holidays` holds 'perhaps'; it takes `open` or `closed`"),
        ("places: person", "places: dog", "`places` holds 'dog'; it takes `family` or `person`"),
        ("location: [51.05, 3.72]", "location: [510.5, 3.72]", "it takes latitude and longitude in degrees"),
        ("location: [51.05, 3.72]", "location: [nan, 3.72]", "it takes latitude and longitude in degrees"),
        ("location: [51.05, 3.72]", "location: [51.05]", "it takes latitude and longitude in degrees"),
        # values that do not go together
        ("place: contact.address", "place: contact.adress", "`place` names `contact.adress`, and facts.yaml has no"),
        ("place: contact.address", "place: contact.phone", "`place` names `contact.phone`, and facts.yaml has no"),
        ("nl: Uw paspoort", "xx: Uw paspoort", "`xx` is not one of the languages"),
        ("languages: [nl, ar]", "languages: [nl, arab]", "`arab` is not one of the languages"),
        ("languages: [nl]}", "languages: [n]}", "`n` is not one of the languages"),
        ("to: 12:00", "to: 08:00", "this moment begins at 09:00 and ends at 08:00; mend `from` or `to`"),
        ("to: 12:00", "to: 09:00", "this moment begins at 09:00 and ends at 09:00"),
        ("slot: 30\n", "slot: 181\n", "a slot of 181 minutes does not fit in a moment of 180 minutes"),
        ('to: "14:30", slot: 30', 'to: "13:45", slot: 30', "a slot of 30 minutes does not fit in a moment of 15"),
        ("last: 2027-06-30", "last: 2026-08-31", "`last` is before `first`"),
        ('Woensdag, from: "13:30"', 'maandag, from: "11:30"', "this moment overlaps with the one in line 14"),
        ('date: 2026-12-23, from: "15:00"', 'date: 2026-12-23, from: "14:15"', "overlaps with the one in line 22"),
        ("2026-12-28, 2026-12-30", "2026-12-28, 2026-12-28", "2026-12-28 stands already in line 20"),
        ('2026-12-23, from: "15:00"', '2026-12-30, from: "15:00"', "2026-12-30 is closed in line 20 and has a moment"),
    ],
)
def test_a_fault_is_named_with_file_and_line(school: Path, old: str, new: str, words: str) -> None:
    line = _edit(school, old, new)
    [fault] = _faults(school)
    assert fault.startswith(f"permanences/school.yaml:{line}: ")
    assert words in fault


@pytest.mark.parametrize(
    ("name", "value"), [("weekday", "monday"), ("from", "9:00"), ("slot", "30"), ("capacity", "2")]
)
def test_a_moment_that_lacks_something_is_named_where_it_begins(school: Path, name: str, value: str) -> None:
    _edit(school, f"{name}: {value}\n    ", "")
    assert _faults(school) == [f"permanences/school.yaml:13: `moments.1.{name}` is missing; add it"]


@pytest.mark.parametrize("name", ["title", "place"])
def test_a_permanence_needs_a_title_and_a_place(school: Path, name: str) -> None:
    school.write_text(re.sub(f"(?m)^{name}:.*\n", "", OURS), encoding="utf-8")
    assert _faults(school) == [f"permanences/school.yaml:1: `{name}` is missing; add it"]


@pytest.mark.parametrize("name", ["школа", "a_b:c", "x" * 25, "two words"])
def test_a_name_that_fits_in_no_button_is_a_fault(school: Path, name: str) -> None:
    other = school.rename(school.with_name(f"{name}.yaml"))
    assert [fault.partition(": ")[2] for fault in _faults(other)] == [
        "name this file with letters a-z, digits and dashes, at most 24"
    ]


def test_moments_of_different_seasons_may_have_the_same_hours(school: Path) -> None:
    _edit(
        school,
        "exceptions:",
        '  - {weekday: wednesday, from: "14:00", to: "17:00", slot: 30, capacity: 1}\nexceptions:',
    )
    _edit(school, "closed: [2026-12-28, 2026-12-30]\n", "")
    assert "overlaps" in _faults(school)[0]
    _edit(school, 'to: "17:00", slot: 30, capacity: 1}', 'to: "17:00", slot: 30, capacity: 1, first: 2027-07-01}')
    assert len(_permanence(school).moments) == 3


def test_moments_that_touch_do_not_overlap(school: Path) -> None:
    _edit(school, 'Woensdag, from: "13:30"', 'maandag, from: "12:00"')
    assert len(_permanence(school).moments) == 2


@pytest.mark.parametrize("content", ["moments: [", "- a\n", "title: {nl: a}\n\tplace: b\n", "title: nl: a: b\n", ""])
def test_a_file_that_cannot_be_read_is_named(school: Path, content: str) -> None:
    school.write_text(content)
    assert all(fault.startswith("permanences/school.yaml:") for fault in _faults(school))


async def test_a_broken_file_leaves_the_running_knowledge(school: Path) -> None:
    holder = Holder(load(school.parent.parent))
    running = holder.current
    line = _edit(school, "capacity: 2", "capacity: 0")
    await reload(holder, school.parent.parent, load)
    assert holder.current is running
    assert [problem.line for problem in holder.problems] == [line]
    _edit(school, "capacity: 0", "capacity: 4")
    await reload(holder, school.parent.parent, load)
    assert holder.current.permanences["school"].moments[0].capacity == 4
    assert holder.problems == ()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("most_open: 2", "most_opn: 2", "`most_opn` is not a name that is used here"),
        ("    capacity: 2\n", "    capacity: 2\n    capicity: 3\n", "`capicity` is not a name that is used here"),
        ("last: 2027-06-30", "last: 2026-11-28", "2026-11-28 is past; change it or take it out"),
        ("closed: [2026-12-28", "closed: [2026-11-28", "2026-11-28 is past"),
        ('date: 2026-12-23, from: "15:00"', 'date: 2026-11-28, from: "15:00"', "2026-11-28 is past"),
        ("latest: 6", "latest: 336", "nobody can book: `latest` is 336 hours and `earliest` only 14 days"),
    ],
)
def test_a_slip_is_reported_and_the_permanence_still_works(school: Path, old: str, new: str, words: str) -> None:
    before = _said(school)
    _edit(school, old, new)
    [said] = [said for said in _said(school) if said not in before]
    line = 1 + new.rstrip("\n").count("\n") + OURS[: OURS.index(old)].count("\n")
    assert said.startswith(f"permanences/school.yaml:{line}: ")
    assert words in said
    assert _permanence(school)


def test_a_language_that_lacks_is_reported(school: Path) -> None:
    said = [line for line in _said(school) if " has no `" in line]
    assert len(said) == 22 + 23
    assert "permanences/school.yaml:1: `title` has no `tr`; say it in Türkçe" in said
    assert "permanences/school.yaml:2: `bring` has no `uk`; say it in Українська" in said


def test_an_example_may_lie_in_the_past(school: Path) -> None:
    later = datetime.date(2027, 7, 1)
    assert sum("is past" in line for line in _said(school, later)) == 5
    _edit(school, "latest: 6", "latest: 6\nexample: true")
    assert sum("is past" in line for line in _said(school, later)) == 0


def test_a_permanence_without_moments_is_reported(school: Path) -> None:
    school.write_text("title: {nl: School}\nplace: contact.address\n")
    assert "permanences/school.yaml:1: there is nothing to book; add `moments` or `exceptions`" in _said(school)


def test_a_button_that_names_no_permanence_is_reported(school: Path) -> None:
    before = _said(school)
    entry = school.parent.parent / "school" / "school-find" / "entry.yaml"
    line = _edit(entry, "book: school", "book: skool")
    [said] = [line for line in _said(school) if line not in before]
    assert said == (
        f"school/school-find/entry.yaml:{line}: there is no permanences/skool.yaml; mend the name, or write that file"
    )


@pytest.mark.parametrize("name", ["school.yml", ".school.yaml", "school.yaml~", "notes.txt"])
def test_a_file_that_nobody_reads_is_reported(school: Path, name: str) -> None:
    (school.parent / name).write_text("moments: [")
    assert f"permanences/{name}:1: this file is not used; remove it, or let its name end in .yaml" in _said(school)


def test_a_fault_is_said_in_dutch(school: Path) -> None:
    line = _edit(school, "from: 9:00", "from: 9")
    translate = texts.load_domain(STAFF, "nl").gettext
    [said] = [problem.said(translate) for problem in check(school.parent.parent, TODAY) if problem.fault]
    assert said == f"{school}:{line}: `moments.1.from` is '9'; er hoort te staan: een uur: \"13:30\""


def test_our_own_permanences_are_examples_that_can_be_booked_in_every_language() -> None:
    permanences = load(KNOWLEDGE).permanences
    assert permanences.keys() == {"dutch", "school", "ukraine"}
    for name, permanence in permanences.items():
        written = (KNOWLEDGE / "permanences" / f"{name}.yaml").read_text(encoding="utf-8")
        assert written.startswith("# VOORBEELD.")
        assert "# EXAMPLE." in written
        assert permanence.example
        assert len(set(permanence.titles.values())) == len(set(permanence.bring.values())) == len(LANGUAGES)
        assert all(bookable(permanence, NOW + weeks * 7 * DAY) for weeks in range(56))
