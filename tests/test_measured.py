"""The understanding, measured with questions that stand in no file of the knowledge. The figures may not fall.

`wegwijs evaluate` shows them per language and kind, and which entries need better questions.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.evaluation import Tally, measure
from bot.languages import LANGUAGES
from bot.understanding import Understanding

_HERE = Path(__file__).parent
_QUESTIONS = _HERE / "questions"
_PERSIAN = {"fa", "prs"}  # one language in writing, but for some words


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


QUESTIONS = [question for path in sorted(_QUESTIONS.glob("*.jsonl")) for question in _read(path)]
HARMLESS = _read(_HERE / "harmless.jsonl")


@pytest.fixture(scope="module")
def measured(understanding: Understanding) -> Mapping[tuple[str, str], Tally]:
    return measure(understanding, QUESTIONS)


def test_every_language_is_measured(measured: Mapping[tuple[str, str], Tally]) -> None:
    assert {name for group, name in measured if group == "language"} == set(LANGUAGES)


def test_the_right_entry_is_found_as_often_as_before(measured: Mapping[tuple[str, str], Tally]) -> None:
    every = measured["", "all"]
    assert every.first / every.covered >= 0.905
    assert every.among_three / every.covered >= 0.97


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_language_is_left_behind(measured: Mapping[tuple[str, str], Tally], code: str) -> None:
    spoken = measured["language", code]
    assert spoken.first / spoken.covered >= 0.78
    assert spoken.among_three / spoken.covered >= 0.9


def test_wrong_answers_are_rare_and_what_is_not_covered_is_left(measured: Mapping[tuple[str, str], Tally]) -> None:
    every = measured["", "all"]
    assert every.answered_wrongly / every.covered <= 0.035
    assert every.left_alone / every.uncovered >= 0.96


@pytest.mark.parametrize(("kind", "least"), [("urgent", 0.97), ("book", 0.92), ("human", 0.97), ("smalltalk", 0.95)])
def test_more_than_questions_is_recognised(measured: Mapping[tuple[str, str], Tally], kind: str, least: float) -> None:
    assert measured["kind", kind].first / measured["kind", kind].covered >= least


def test_nobody_in_danger_is_left_without_the_help_lines(understanding: Understanding) -> None:
    urgent = {entry.slug for entry in understanding.snapshot.urgent}
    asked = [question for question in QUESTIONS if urgent.intersection(question["expect"])]
    assert sum(_gets_help_lines(understanding, question) for question in asked) / len(asked) >= 0.95


def test_words_that_only_frighten_do_not_bring_the_help_lines(understanding: Understanding) -> None:
    """Erring on the careful side: one in eight of the sentences made to mislead may still bring them."""
    assert sum(_gets_help_lines(understanding, said) for said in HARMLESS) / len(HARMLESS) <= 0.12
    others = [question for question in QUESTIONS if not {"emergency", "violence-help"}.intersection(question["expect"])]
    assert sum(_gets_help_lines(understanding, question) for question in others) <= 2


def _gets_help_lines(understanding: Understanding, question: dict[str, Any]) -> bool:
    meaning = understanding.understand(question["text"], chosen=LANGUAGES[question["lang"]])
    return meaning.decision == "answer" and understanding.snapshot.entries[meaning.matches[0].slug].urgent


def test_the_language_is_found_without_a_choice(understanding: Understanding) -> None:
    right = 0
    for question in QUESTIONS:
        found = understanding.understand(question["text"]).language
        right += found == question["lang"] or {found, question["lang"]} == _PERSIAN
    assert right / len(QUESTIONS) >= 0.98


def test_a_score_says_how_often_it_is_right(understanding: Understanding) -> None:
    """Of what scores about 0.9 about nine in ten are right, and so on: within a tenth."""
    found: list[tuple[float, bool]] = []
    for question in QUESTIONS:
        if any(slug.startswith("@") for slug in question["expect"]):
            continue
        best = understanding.understand(question["text"], chosen=LANGUAGES[question["lang"]]).matches[0]
        found.append((best.score, best.slug in question["expect"]))
    for low, high in ((0.8, 0.9), (0.9, 1.01)):
        inside = [(score, right) for score, right in found if low <= score < high]
        assert sum(right for _, right in inside) / len(inside) >= sum(score for score, _ in inside) / len(inside) - 0.1
    unsure = [right for score, right in found if score < 0.3]
    assert sum(unsure) / len(unsure) <= 0.3


def test_no_question_that_measures_stands_in_the_knowledge(understanding: Understanding) -> None:
    measuring = {question["text"].casefold() for question in QUESTIONS}
    written = {
        question.casefold()
        for entry in understanding.snapshot.entries.values()
        for text in entry.texts.values()
        for question in text.questions
    }
    assert measuring & written == set()
