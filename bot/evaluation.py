"""Measuring the understanding with questions whose right answers are known."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.languages import language_of
from bot.understanding import Meaning, Understanding

_EXPECTED = {"book": "@book", "handoff": "@human", "smalltalk": "@smalltalk"}


def read(path: Path, wrong: type[Exception], *, judged: bool = False) -> Iterator[dict[str, Any]]:
    """The questions in a file, one JSON object a line; raises `wrong` with file and line for what is not one.

    `judged`: what each expects is read too.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")  # JSON may hold other line ends inside a text
    except (OSError, UnicodeDecodeError) as error:
        raise wrong(f"{path}: cannot be read as UTF-8 text ({error})") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            question = json.loads(line)
        except (ValueError, RecursionError):
            question = None
        if not _is_question(question, judged=judged):
            raise wrong(
                f'{path}:{number}: write one JSON object a line, such as {{"id": "1", "text": "…", "lang": "nl"}}; '
                '"expect", where it is there, is a list such as ["school-find"]'
            )
        yield question


def _is_question(question: object, *, judged: bool) -> bool:
    if not isinstance(question, dict) or not isinstance(question.get("text"), str):
        return False
    expected = (question.get("expect") or []) if judged else []
    slugs = isinstance(expected, list) and all(isinstance(each, str) for each in expected)
    return slugs and isinstance(question.get("lang"), str | None)


@dataclass
class Tally:
    """Counts over a group of questions."""

    covered: int = 0
    first: int = 0
    among_three: int = 0
    answered_wrongly: int = 0
    uncovered: int = 0
    left_alone: int = 0
    language_right: int = 0
    asked: int = 0
    missed: Counter[tuple[str, str]] = field(default_factory=Counter)
    confused: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, meaning: Meaning, expected: set[str], language: str | None) -> None:
        """Count one question: is the right entry (or decision) first, among three, and was a wrong answer given?"""
        self.asked += 1
        self.language_right += meaning.language == language
        said = _EXPECTED.get(meaning.decision)
        ranked = [said, *(match.slug for match in meaning.matches)] if said else [m.slug for m in meaning.matches]
        if not expected:
            self.uncovered += 1
            self.left_alone += meaning.decision in ("decline", "suggest", "smalltalk")
            return
        self.covered += 1
        first = ranked[0] if ranked else ""
        self.first += first in expected
        if first not in expected:
            self.missed[min(expected), first] += 1
        self.among_three += bool(expected.intersection(ranked[:3]))
        given = said or (ranked[0] if meaning.decision == "answer" and ranked else None)
        if given and given not in expected:
            self.answered_wrongly += 1
            self.confused[min(expected), given] += 1

    def line(self, name: str) -> str:
        """One row of the report."""
        return (
            f"{name:<12}{self.covered:>8}{_percent(self.first, self.covered):>9}"
            f"{_percent(self.among_three, self.covered):>9}{_percent(self.answered_wrongly, self.covered):>9}"
            f"{self.uncovered:>9}"
            f"{_percent(self.left_alone, self.uncovered):>9}{_percent(self.language_right, self.asked):>9}"
        )


def measure(understanding: Understanding, questions: Iterable[dict[str, Any]]) -> Mapping[tuple[str, str], Tally]:
    """Counts over all questions (`"", "all"`), per language and per kind. Unknown slugs count as not covered."""
    tallies: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
    known = {*understanding.snapshot.entries, *_EXPECTED.values()}
    for question in questions:
        meaning = understanding.understand(question["text"], chosen=language_of(question.get("lang")))
        expected = known.intersection(question.get("expect") or ())
        for group in (("", "all"), ("language", str(question.get("lang"))), ("kind", str(question.get("kind")))):
            tallies[group].add(meaning, expected, question.get("lang"))
    return tallies


def report(understanding: Understanding, questions: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Lines to print: accuracy per language and kind, then the entries that are mistaken for others, worst first."""
    tallies = measure(understanding, questions)
    heading = ("covered", "first", "first 3", "wrong", "uncovered", "left", "language")
    for title in ("", "language", "kind"):
        yield f"{title:<12}{heading[0]:>8}" + "".join(f"{name:>9}" for name in heading[1:])
        yield from (tally.line(name) for (group, name), tally in sorted(tallies.items()) if group == title)
        yield ""
    yield "expected -> first instead; these entries need better questions, worst first (in brackets: answered so)"
    every = tallies.get(("", "all"), Tally())
    for (expected, first), count in every.missed.most_common():
        yield f"{count:>4} ({every.confused[expected, first]})  {expected} -> {first or 'nothing'}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "-"
