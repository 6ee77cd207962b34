"""What somebody wishes of a course, in their own words: measured on questions that nobody wrote filters from."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot.languages import LANGUAGES
from bot.offers import Search, Wish, pack_search, unpack_search
from bot.offers.model import FIELDS_OF, KINDS
from bot.phrases import load_filters
from bot.understanding import Understanding
from bot.understanding.filters import Places, learn_filters
from bot.understanding.normalise import fold
from tests.conftest import ROOT

QUESTIONS = ROOT / "tests" / "offers"
ALL_RIGHT = 0.88  # of the questions, kind and all filters right; the aim is 0.9
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _questions() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(QUESTIONS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield path.stem, json.loads(line)


def _expected(filters: dict[str, Any]) -> frozenset[Wish]:
    names = {"days": "day", "parts": "part", "months": "month"}
    wishes = set()
    for key, value in filters.items():
        for each in value if isinstance(value, list) else [value]:
            shown = str(DAYS.index(each)) if each in DAYS else "" if each is True else str(each)
            wishes.add(Wish(names.get(key, key), shown))
    both = {Wish("day", "5"), Wish("day", "6")}
    return frozenset(wishes - both | {Wish("day", "weekend")} if both <= wishes else wishes)


def _understood(understanding: Understanding, code: str, text: str) -> Search | None:
    return understanding.search(text, understanding.understand(text, chosen=LANGUAGES[code]))


def test_nine_questions_in_ten_get_all_their_filters(understanding: Understanding) -> None:
    questions = list(_questions())
    assert len(questions) >= 270
    assert {code for code, _ in questions} == set(LANGUAGES)
    missed = [
        question["text"]
        for code, question in questions
        if _understood(understanding, code, question["text"])
        != Search(question["kind"], _expected(question["filters"]))
    ]
    assert 1 - len(missed) / len(questions) >= ALL_RIGHT, missed


def test_every_language_has_words_for_every_filter() -> None:
    spoken = load_filters()
    assert set(spoken) == set(LANGUAGES)
    for code, words in spoken.items():
        assert set(words.kind) == set(KINDS), code
        assert set(words.part) == {"morning", "afternoon", "evening", "day"}, code
        assert all(words.audience.values()), code
        assert words.years, code
        assert words.free, code


@pytest.mark.parametrize(
    ("code", "text", "field", "value"),
    [
        ("nl", "sport voor mijn dochter van 7", "age", "7"),
        ("nl", "voetbal voor mijn zoon om 9 uur", "age", None),
        ("nl", "voetbal, mijn zoon is negen jaar", "age", "9"),
        ("nl", "sporten, ik heb kinderen van 19 jaar", "audience", None),
        ("en", "Good evening, is there a MO course in French?", "part", None),
        ("en", "what can I do in my free time? football", "free", None),
        ("nl", "Ik werk overdag. Is er MO in het Frans na het werk?", "part", "evening"),
        ("en", "MO course in Turkish, not online", "form", "class"),
        ("zh", "十一月 足球", "month", "11"),
        ("ar", "كرة قدم لابني عمره ٩ سنوات", "age", "9"),
    ],
)
def test_a_number_or_a_word_counts_only_where_it_means_that(
    understanding: Understanding, code: str, text: str, field: str, value: str | None
) -> None:
    search = _understood(understanding, code, text)
    assert search
    assert search.of(field) == ([value] if value is not None else [])


@pytest.mark.parametrize(
    "written", ["Ledeberg", "in ledeberg", "Ледеберг", "у Ледебергу", "ليديبيرغ", "Ledeberg'de", "Ledebergde", "لدبرگ"]
)
def test_a_neighbourhood_is_known_in_every_script(understanding: Understanding, written: str) -> None:
    places = Places(understanding.snapshot.offers.neighbourhoods)
    assert places.named_in(fold(f"x {written} x")) == {"ledeberg"}


def test_other_words_are_no_neighbourhood(understanding: Understanding) -> None:
    places = Places(understanding.snapshot.offers.neighbourhoods)
    for text in ("MO course somali weekend", "ik wil werk", "работа в Генте", "rabat", "de drank en de muziek"):
        assert places.named_in(fold(text)) == set(), text


def test_without_filter_words_nothing_is_wished() -> None:
    wanted = learn_filters({}, {}).wanted("MO in het Arabisch", "nl")
    assert (wanted.kinds, wanted.wishes) == (frozenset(), frozenset())


def test_a_search_in_a_button_comes_back_as_it_was() -> None:
    for kind in KINDS:
        for field in FIELDS_OF[kind]:
            for value in _values(field):
                search = Search(kind, frozenset({Wish(field, value)}))
                assert unpack_search(pack_search(search)) == search


def _values(field: str) -> list[str]:
    known = {
        "language": ["ar", "prs", "ku"],
        "activity": ["football", "martial"],
        "audience": ["women", "families", "children", "young", "ukrainians", "illiterate"],
        "age": ["9", "6-11", "18-120"],
        "level": ["beginner", "some", "advanced"],
        "neighbourhood": ["ledeberg", "sint-denijs-westrem"],
        "form": ["online", "class"],
        "day": ["0", "6", "weekend", "weekdays"],
        "part": ["morning", "afternoon", "evening", "day"],
        "month": ["1", "12"],
    }
    return known.get(field, [""])


@pytest.mark.parametrize(
    "forged", ["", "x", "m.", "m.z1", "m.a999", "m.a0", "m.m13", "m.d9", "m.l", "m.l../x", "m..", "m.gz"]
)
def test_a_forged_search_is_none(forged: str) -> None:
    assert unpack_search(forged) is None


def test_of_too_many_wishes_the_most_telling_stay_in_the_button() -> None:
    wishes = {Wish("language", "prs"), Wish("neighbourhood", "sint-denijs-westrem"), Wish("free"), Wish("age", "6-11")}
    wishes |= {Wish("month", str(month)) for month in range(1, 13)} | {Wish("day", str(day)) for day in range(7)}
    packed = pack_search(Search("mo", frozenset(wishes)))
    assert len(packed) <= 44
    back = unpack_search(packed)
    assert back
    assert back.of("language") == ["prs"]
    assert back.of("neighbourhood") == ["sint-denijs-westrem"]
