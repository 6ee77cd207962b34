"""Offers: which ones meet a wish, which one is nearest, and files that staff got wrong."""

import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from bot import knowledge
from bot.knowledge import BrokenKnowledge, Snapshot
from bot.knowledge.checking import check
from bot.offers import KINDS, Neighbourhood, Offer, Offers, Search, Wish, narrowing, pack_search, unpack_search
from bot.offers.model import ACTIVITIES, AUDIENCES, FIELDS_OF

TODAY = datetime.date(2026, 11, 23)
BASE = Offer("base", "mo", "MO", language="ar", days=frozenset({0, 2}), parts=frozenset({"morning"}))


def _found(offer: Offer, *wishes: Wish, today: datetime.date = TODAY) -> bool:
    return bool(Offers((offer,), {}).find(Search(offer.kind, frozenset(wishes)), today))


@pytest.mark.parametrize(
    ("changed", "wish", "meets"),
    [
        ({}, Wish("language", "ar"), True),
        ({}, Wish("language", "tr"), False),
        ({}, Wish("day", "0"), True),
        ({}, Wish("day", "weekend"), False),
        ({}, Wish("day", "weekdays"), True),
        ({"days": frozenset()}, Wish("day", "weekend"), True),
        ({}, Wish("part", "day"), True),
        ({}, Wish("part", "evening"), False),
        ({"form": "blended"}, Wish("form", "online"), True),
        ({"form": "class"}, Wish("form", "online"), False),
        ({"youngest": 6, "oldest": 12}, Wish("age", "9"), True),
        ({"youngest": 6, "oldest": 12}, Wish("age", "13"), False),
        ({"youngest": 6, "oldest": 12}, Wish("age", "12-17"), True),
        ({}, Wish("age", "9"), False),
        ({}, Wish("age", "30"), True),
        ({"youngest": 6, "oldest": 12}, Wish("audience", "children"), True),
        ({"youngest": 18, "oldest": 120}, Wish("audience", "children"), False),
        ({}, Wish("audience", "women"), False),
        ({}, Wish("audience", "ukrainians"), True),
        ({"audience": frozenset({"women"})}, Wish("audience", "ukrainians"), False),
        ({"first": datetime.date(2026, 12, 1), "last": datetime.date(2027, 2, 3)}, Wish("month", "1"), True),
        ({"first": datetime.date(2026, 12, 1), "last": datetime.date(2027, 2, 3)}, Wish("month", "3"), False),
        ({"free": True}, Wish("free"), True),
        ({}, Wish("free"), False),
        ({"levels": ("B1",)}, Wish("level", "beginner"), False),
        ({"levels": ("A1",)}, Wish("level", "beginner"), True),
        ({"activity": "football"}, Wish("activity", "sport"), True),
        ({"activity": "music"}, Wish("activity", "sport"), False),
        ({"holidays": True}, Wish("holidays"), True),
    ],
)
def test_an_offer_meets_a_wish(changed: dict[str, Any], wish: Wish, meets: bool) -> None:
    assert _found(replace(BASE, **changed), wish) is meets


@pytest.mark.parametrize(
    ("changed", "is_open"),
    [
        ({}, True),
        ({"full": True}, False),
        ({"valid_until": TODAY}, True),
        ({"valid_until": TODAY - datetime.timedelta(1)}, False),
        ({"first": TODAY, "last": TODAY}, True),
        ({"first": TODAY - datetime.timedelta(1), "last": TODAY}, False),
        ({"kind": "leisure", "first": TODAY - datetime.timedelta(1), "last": TODAY}, True),
        ({"kind": "leisure", "first": TODAY - datetime.timedelta(1)}, False),
        ({"last": TODAY - datetime.timedelta(1)}, False),
    ],
)
def test_what_is_past_full_or_begun_is_gone(changed: dict[str, Any], is_open: bool) -> None:
    assert _found(replace(BASE, **changed)) is is_open


def test_the_nearest_dates_come_first_and_the_neighbourhood_before_those_beside_it() -> None:
    near = {"a": Neighbourhood("a", "A", near=("b",)), "b": Neighbourhood("b", "B"), "c": Neighbourhood("c", "C")}
    dates = [datetime.date(2027, 1, day) for day in (3, 1, 2)]
    offers = tuple(
        replace(BASE, id=f"{place}{number}", neighbourhood=place, first=first, last=first)
        for number, first in enumerate(dates)
        for place in "abc"
    )
    found = Offers(offers, near).find(Search("mo", frozenset({Wish("neighbourhood", "a")})), TODAY)
    assert [offer.id for offer in found] == ["a1", "a2", "a0", "b1", "b2", "b0"]


def test_another_moment_is_nearer_than_another_language() -> None:
    arabic, weekend = BASE, replace(BASE, id="other", language="tr", days=frozenset({5}))
    search = Search("mo", frozenset({Wish("language", "ar"), Wish("day", "weekend")}))
    nearest, found = Offers((arabic, weekend), {}).nearest(search, TODAY)
    assert (nearest.of("language"), [offer.id for offer in found]) == (["ar"], ["base"])


def test_who_asks_only_for_a_moment_sees_the_others_and_who_asks_for_a_language_does_not() -> None:
    known = Offers((BASE,), {})
    nearest, found = known.nearest(Search("mo", frozenset({Wish("day", "5")})), TODAY)
    assert (nearest.wishes, [offer.id for offer in found]) == (frozenset(), ["base"])
    assert known.nearest(Search("mo", frozenset({Wish("language", "ti")})), TODAY)[1] == []


wishes = st.builds(
    Wish,
    st.just("activity") | st.just("audience"),
    st.sampled_from(ACTIVITIES) | st.sampled_from(AUDIENCES),
).filter(lambda wish: wish.value in (ACTIVITIES if wish.field == "activity" else AUDIENCES))
offers_ = st.builds(
    Offer,
    id=st.text("abc", min_size=1, max_size=5),
    kind=st.just("leisure"),
    name=st.just("x"),
    activity=st.sampled_from(ACTIVITIES),
    audience=st.frozensets(st.sampled_from(AUDIENCES)),
    days=st.frozensets(st.integers(0, 6)),
)


@given(offers=st.lists(offers_, max_size=12).map(tuple), asked=st.frozensets(wishes, max_size=3))
def test_a_wish_more_never_finds_more_and_the_nearest_are_never_less(
    offers: tuple[Offer, ...], asked: frozenset[Wish]
) -> None:
    known, search = Offers(offers, {}), Search("leisure", asked)
    found = known.find(search, TODAY)
    for field in {wish.field for wish in asked}:
        assert len(known.find(search.without_fields([field]), TODAY)) >= len(found)
    nearest, near = known.nearest(search, TODAY)
    assert nearest.wishes <= search.wishes
    assert all(offer in known.find(nearest, TODAY) for offer in near)
    if question := narrowing(found, search):
        field, values = question
        assert field in FIELDS_OF["leisure"]
        assert values


@given(st.text(max_size=44))
def test_no_bytes_in_a_button_break_the_reading(data: str) -> None:
    search = unpack_search(data)
    if search:
        assert unpack_search(pack_search(search)) == search


# Files

HEADER = "id;name;language;days;first;last;price;neighbourhood;enrol"
ROW = "mo-1;MO;ar;maandag, woensdag;2027-01-11;2027-03-17;free;ledeberg;school-find"


@pytest.fixture
def offers_copy(knowledge_copy: Path) -> Path:
    (knowledge_copy / "offers").mkdir()
    (knowledge_copy / "neighbourhoods.yaml").write_text("ledeberg: {name: Ledeberg}\n")
    return knowledge_copy


def _csv(directory: Path, *rows: str, name: str = "mo.csv") -> Path:
    path = directory / "offers" / name
    path.write_text("\n".join((HEADER, *rows)) + "\n", encoding="utf-8")
    return path


def _faults(directory: Path) -> list[str]:
    with pytest.raises(BrokenKnowledge) as broken:
        knowledge.load(directory)
    return [str(problem).removeprefix(f"{directory}/offers/") for problem in broken.value.problems]


def test_a_spreadsheet_and_a_yaml_file_say_the_same(offers_copy: Path) -> None:
    _csv(offers_copy, ROW)
    from_csv = knowledge.load(offers_copy).offers.offers
    (offers_copy / "offers/mo.csv").unlink()
    book = Workbook()
    assert book.active
    for line in (HEADER, ROW):
        cells: list[Any] = line.split(";")
        if line == ROW:
            cells[4], cells[5] = datetime.datetime(2027, 1, 11), datetime.date(2027, 3, 17)  # noqa: DTZ001
        book.active.append(cells)
    book.save(offers_copy / "offers/mo.xlsx")
    from_xlsx = knowledge.load(offers_copy).offers.offers
    (offers_copy / "offers/mo.xlsx").unlink()
    (offers_copy / "offers/mo.yaml").write_text(
        "offers:\n  - {id: mo-1, name: MO, language: ar, days: [monday, wednesday], first: 2027-01-11, "
        "last: 2027-03-17, price: free, neighbourhood: ledeberg, enrol: school-find}\n"
    )
    from_yaml = knowledge.load(offers_copy).offers.offers
    assert from_csv == from_xlsx == from_yaml
    assert (from_csv[0].days, from_csv[0].free) == ({0, 2}, True)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (f'{ROW}\n"open', "mo.csv:4: a quote is missing in this line or just above it"),
        (ROW.replace("2027-03-17", "2027-01-01"), "mo.csv:3: last: `last` is before `first`"),
        (ROW.replace("2027-03-17", "17/03/2027"), "mo.csv:3: last: `last` holds 17/03/2027; it takes a date"),
        (ROW.replace(";ar;", ";klingon;"), "mo.csv:3: language: `klingon` is not a language"),
        (ROW.replace("ledeberg", "atlantis"), "mo.csv:3: neighbourhood: `atlantis` is not in neighbourhoods.yaml"),
        (ROW.replace("maandag", "moandag"), "mo.csv:3: days: `days` holds moandag, woensdag; it takes weekdays"),
        (ROW.replace("free", "a lot"), "mo.csv:3: price: `price` is not `free`"),
        (ROW.replace("school-find", "nowhere"), "mo.csv:3: enrol: there is no entry `nowhere`"),
        (ROW.replace("mo-1", "mo-0"), "mo.csv:3: id: `mo-0` is also in"),
        (ROW.replace("mo-1", ""), "mo.csv:3: id: `id` is missing; add it"),
        (ROW.replace("mo-1", "a:b"), "mo.csv:3: id: `id` holds a:b; it takes letters"),
    ],
)
def test_a_wrong_row_is_told_with_file_row_and_column(offers_copy: Path, row: str, fault: str) -> None:
    _csv(offers_copy, ROW.replace("mo-1", "mo-0"), row)
    (told,) = _faults(offers_copy)
    assert told.startswith(fault)


def test_a_file_that_is_no_spreadsheet_is_told(offers_copy: Path) -> None:
    (offers_copy / "offers/mo.xlsx").write_bytes(b"PK\x03\x04 not a zip")
    (told,) = _faults(offers_copy)
    assert told.startswith("mo.xlsx:1: this spreadsheet cannot be read")


def test_a_wrong_value_in_yaml_is_told_with_its_line(offers_copy: Path) -> None:
    path = offers_copy / "offers/mo.yaml"
    path.write_text("offers:\n  - id: a\n    name: A\n    days: [monday]\n    first: soon\n")
    (told,) = _faults(offers_copy)
    assert told.startswith("mo.yaml:5: `first` holds soon; it takes a date")


def test_what_can_be_used_all_the_same_is_reported(offers_copy: Path) -> None:
    path = offers_copy / "offers/leisure.csv"
    path.write_text("id;name;last;prijs;audience\na;A;2020-01-01;5;kinderen\n")
    told = [str(problem) for problem in check(offers_copy, TODAY) if problem.path == path]
    assert [line.partition(": ")[2].partition(":")[0] for line in told] == ["prijs", "ages", "last"]
    assert knowledge.load(offers_copy).offers.offers[0].id == "a"


@pytest.fixture
def real(understanding: Any) -> Snapshot:
    snapshot: Snapshot = understanding.snapshot
    return snapshot


def test_our_own_offers_are_marked_as_examples_and_every_kind_is_there(real: Snapshot) -> None:
    assert all(offer.example for offer in real.offers.offers)
    assert {offer.kind for offer in real.offers.offers} == set(KINDS)
    spoken = {offer.language for offer in real.offers.offers if offer.kind == "mo"}
    assert spoken == {"sq", "ar", "bg", "prs", "nl", "en", "fa", "fr", "ps", "pl", "ro", "ru", "es", "tr"}
