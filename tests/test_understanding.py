"""Whether the right meaning is found in questions that stand in no file of the knowledge."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge import Entry, Snapshot, Text, Topic
from bot.languages import LANGUAGES
from bot.understanding import Meaning, Understanding, train
from bot.understanding.sounds import sound

_FILE = Path(__file__).with_name("questions.jsonl")
QUESTIONS = [json.loads(line) for line in _FILE.read_text(encoding="utf-8").splitlines()]

# Known misses. Each must fail until it is mended, and is then taken out.
MISSES: set[str] = set()

DECISIONS = {"@human": "handoff", "@book": "book", "@smalltalk": "smalltalk"}


def _expect_miss(text: str, request: pytest.FixtureRequest) -> None:
    if text in MISSES:
        request.applymarker(pytest.mark.xfail(strict=True))


def _found(meaning: Meaning, expect: str) -> bool:
    if not expect:
        return meaning.decision in ("decline", "suggest")
    if expect in DECISIONS:
        return meaning.decision == DECISIONS[expect]
    offered = {"answer": 1, "suggest": 3}.get(meaning.decision, 0)
    return expect in [match.slug for match in meaning.matches[:offered]]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["text"])
def test_a_question_that_nobody_wrote_down_is_understood(
    understanding: Understanding, question: dict[str, str], request: pytest.FixtureRequest
) -> None:
    _expect_miss(question["text"], request)
    meaning = understanding.understand(question["text"], chosen=LANGUAGES[question["lang"]])
    assert meaning.language == question["lang"]
    assert _found(meaning, question["expect"]), (meaning.decision, meaning.matches[:3])


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["text"])
def test_no_question_that_measures_stands_in_the_knowledge(
    understanding: Understanding, question: dict[str, str]
) -> None:
    text = question["text"].casefold()
    for entry in understanding.snapshot.entries.values():
        for written in entry.texts.values():
            assert text not in [known.casefold() for known in written.questions]


def test_every_known_miss_is_still_asked() -> None:
    asked = Path(__file__).read_text(encoding="utf-8") + _FILE.read_text(encoding="utf-8")
    assert all(asked.count(text) >= 2 for text in MISSES)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Waar kan ik Nederlands leren?", "nl"),
        ("¿Dónde puedo aprender neerlandés?", "es"),
        ("Gdzie mogę uczyć się niderlandzkiego?", "pl"),
        ("Ku mund të mësoj holandisht?", "sq"),
        ("Xaggee ku baran karaa luqadda?", "so"),
        ("Де можна вивчати мову?", "uk"),
        ("Где можно учить язык?", "ru"),
        ("Къде мога да уча езика?", "bg"),
        ("از کجا میتونم زبان یاد بگیرم؟", "fa"),
        ("زه چیرته ژبه زده کولی شم؟", "ps"),
        ("میں زبان کہاں سیکھ سکتا ہوں؟", "ur"),
        ("मैं भाषा कहाँ सीख सकता हूँ?", "hi"),
        ("ቋንቋ ኣበይ ክመሃር እኽእል?", "ti"),
        ("我在哪里可以学语言？", "zh"),
        ("kif halak, shu el ra2m?", "ar"),
    ],
)
def test_the_language_is_found_without_any_hint(understanding: Understanding, text: str, language: str) -> None:
    assert understanding.understand(text).language == language


def test_a_message_that_may_be_in_either_of_two_languages_names_both(understanding: Understanding) -> None:
    meaning = understanding.understand("школа")
    assert {meaning.language, meaning.rival} <= {"uk", "ru", "bg"}
    assert meaning.rival not in (None, meaning.language)


def test_only_a_clear_message_in_another_language_overrules_the_chosen_one(understanding: Understanding) -> None:
    russian = LANGUAGES["ru"]
    assert understanding.understand("школа", chosen=russian).language == "ru"
    clear = understanding.understand("Доброго дня, чи є у вас уроки нідерландської ввечері?", chosen=russian)
    assert (clear.language, clear.rival) == ("uk", None)


@pytest.mark.parametrize(
    ("language", "typed", "written"),
    [
        ("ar", "madrasa", "مدرسة"),
        ("uk", "shkola", "школа"),
        ("hi", "skul", "स्कूल"),
        ("bg", "rabota", "работа"),
        ("fa", "madrese", "مدرسه"),
    ],
)
def test_a_word_typed_in_latin_letters_sounds_like_the_word(language: str, typed: str, written: str) -> None:
    assert sound(typed) == sound(written)
    known = _directory({"school": ["x", written], "other": ["y", "абв", "ابج"]}, language)
    assert train(known, {}).understand(typed, chosen=LANGUAGES[language]).matches[0].slug == "school"


def test_the_question_in_a_long_story_is_found(understanding: Understanding) -> None:
    story = (
        "We came here in the spring and everything was new to us. " * 30 + "Where can my son of eight play football?"
    )
    meaning = understanding.understand(story, chosen=LANGUAGES["en"])
    assert "leisure-children" in [match.slug for match in meaning.matches[:3]]


def test_a_message_that_could_be_any_language_keeps_the_chosen_one(understanding: Understanding) -> None:
    for code in ("nl", "sq", "uk", "ar"):
        assert understanding.understand("ok", chosen=LANGUAGES[code]).language in (code,)
        assert understanding.understand("112", chosen=LANGUAGES[code]).language == code


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("nl", "ik heb morgen een examen en ik ben bang dat ik niet slaag"),
        ("en", "I want to become a police officer, where can I study?"),
        ("en", "my cooking class was fire"),
        ("fr", "je veux travailler comme pompier"),
        ("tr", "sınavdan korkuyorum"),
        ("nl", "hoe verzeker ik mijn huis tegen brand"),
    ],
)
def test_what_only_sounds_dangerous_is_not_sent_to_the_help_lines_first(
    understanding: Understanding, language: str, text: str, request: pytest.FixtureRequest
) -> None:
    _expect_miss(text, request)
    meaning = understanding.understand(text, chosen=LANGUAGES[language])
    assert not (meaning.decision == "answer" and understanding.snapshot.entries[meaning.matches[0].slug].urgent)


def _directory(entries: dict[str, list[str]], language: str = "en") -> Snapshot:
    """Knowledge that has nothing in common with ours."""
    made = {
        slug: Entry(slug, "topic", {language: Text(language, questions[0], "", tuple(questions[1:]), (), "draft")})
        for slug, questions in entries.items()
    }
    return Snapshot("0", {"topic": Topic("topic", "", {}, tuple(made))}, made, {})


def test_a_foreign_directory_in_one_language_works_without_phrases() -> None:
    understanding = train(
        _directory(
            {
                "card-lost": ["Lost card", "I lost my bank card", "my card was stolen", "card is missing"],
                "top-up": ["Top up", "how do I add money to my account", "top up with cash", "put money in"],
                "exchange": ["Exchange rate", "what is the exchange rate for euros", "change my dollars"],
            }
        ),
        {},
    )
    meaning = understanding.understand("somebody has stolen my card", chosen=LANGUAGES["en"])
    assert meaning.matches[0].slug == "card-lost"
    assert meaning.decision in ("answer", "suggest")
    assert [match.slug for match in meaning.matches] != []
    assert len(meaning.matches) == 3


def test_entries_with_only_a_title_are_found_and_scores_stay_between_0_and_1() -> None:
    titles = {f"entry-{n}": [f"{word} permit"] for n, word in enumerate(("residence", "work", "fishing", "parking"))}
    meaning = train(_directory(titles), {}).understand("where do I get a fishing permit", chosen=LANGUAGES["en"])
    assert meaning.matches[0].slug == "entry-2"
    assert all(0 <= match.score <= 1 for match in meaning.matches)


def test_an_empty_directory_declines() -> None:
    meaning = train(_directory({}), {}).understand("anything", chosen=LANGUAGES["en"])
    assert (meaning.decision, meaning.matches) == ("decline", ())


def test_only_what_changed_is_learnt_again_and_the_meaning_is_the_same() -> None:
    before = _directory({"a": ["Alpha", "one two"], "b": ["Beta", "three four"]})
    after = _directory({"a": ["Alpha", "one two"], "b": ["Beta", "five six"]})
    anew, reused = train(after, {}), train(after, {}, train(before, {}))
    for text in ("one", "three", "five six"):
        assert reused.understand(text, chosen=LANGUAGES["en"]) == anew.understand(text, chosen=LANGUAGES["en"])


def test_ten_matches_are_given_whatever_the_decision(understanding: Understanding) -> None:
    for text in ("qqq zzz", "hello", "where is Amal?", "😀"):
        assert len(understanding.understand(text, chosen=LANGUAGES["en"]).matches) == 10


def test_one_question_does_not_change_the_answer_to_another(understanding: Understanding) -> None:
    first = understanding.understand("where is Amal?", chosen=LANGUAGES["en"])
    understanding.understand("мене б'є чоловік", chosen=LANGUAGES["uk"])
    assert understanding.understand("where is Amal?", chosen=LANGUAGES["en"]) == first


@given(st.text(max_size=300))
def test_any_text_has_a_meaning(text: str) -> None:
    meaning = _UNDERSTANDING.understand(text)
    assert meaning.language in LANGUAGES
    assert all(0 <= match.score <= 1 for match in meaning.matches)


_UNDERSTANDING = train(_directory({"a": ["Alpha", "one two three"], "b": ["Beta", "четыре пять", "六七"]}), {})
