"""Finding the right entry, and knowing when there is none, beside what others would use on the same data.

Each language is a knowledge directory of its own here, so that every method has the same texts to learn from: once with
all that staff wrote, once with only the titles and the answers. `python -m benchmarks.matching DIR FILE LANGUAGE`
measures on any other directory and file of questions (as for `wegwijs evaluate`).
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.peers import PEERS, Example, Ranker, Scores
from bot import knowledge, phrases
from bot.knowledge import Snapshot
from bot.languages import LANGUAGES
from bot.understanding import train
from bot.understanding.meaning import sentences

QUESTIONS = Path("tests/questions")
LANGUAGES_MEASURED = ("nl", "en", "ar", "tr")
DECLINED = 0.8  # of the questions that are not covered


@dataclass
class _Figures:
    right: list[bool] = field(default_factory=list)
    among_three: list[bool] = field(default_factory=list)
    surely: list[float] = field(default_factory=list)
    uncovered: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    def ask(self, rank: Ranker, question: dict[str, Any]) -> None:
        started = perf_counter()
        scores = rank(question["text"])
        self.milliseconds.append((perf_counter() - started) * 1000)
        ranked = sorted(scores, key=lambda label: scores[label], reverse=True)
        best = scores[ranked[0]] if ranked else 0.0
        if not question["expect"]:
            self.uncovered.append(best)
            return
        self.right.append(bool(ranked) and ranked[0] in question["expect"])
        self.among_three.append(bool(set(ranked[:3]) & set(question["expect"])))
        self.surely.append(best)

    def line(self, name: str) -> str:
        covered, uncovered = np.array(self.surely), np.array(self.uncovered)
        limit = np.quantile(uncovered, DECLINED)
        answered = np.mean(np.array(self.right) & (covered > limit))
        higher = (covered[:, None] > uncovered).mean() + (covered[:, None] == uncovered).mean() / 2
        return (
            f"  {name:<22}{np.mean(self.right):>8.1%}{np.mean(self.among_three):>9.1%}{answered:>12.1%}"
            f"{higher:>8.3f}{median(self.milliseconds):>9.2f}"
        )


def measure() -> None:
    snapshot = knowledge.load(Path("knowledge"))
    _compare("all that staff wrote", ((snapshot, code, _questions(code)) for code in LANGUAGES_MEASURED))
    bare = _bare(snapshot)
    _compare("only titles and answers", ((bare, code, _questions(code)) for code in LANGUAGES_MEASURED))


def _compare(name: str, directories: Iterable[tuple[Snapshot, str, Sequence[dict[str, Any]]]]) -> None:
    figures = {method: _Figures() for method in ("wegwijs", *PEERS)}
    for snapshot, code, questions in directories:
        examples = list(_examples(snapshot, code))
        rankers = {"wegwijs": _wegwijs(snapshot, code)}
        rankers |= {method: learn(examples) for method, learn in PEERS.items()}
        for method, rank in rankers.items():
            for question in questions:
                figures[method].ask(rank, question)
    print(f"The right entry, {name}, {len(figures['wegwijs'].right)} covered questions")
    print(f"  {'':<22}{'first':>8}{'of three':>9}{'answered*':>12}{'ROC':>8}{'ms':>9}")
    for method, found in figures.items():
        print(found.line(method))
    print("  * right answers given where four in five questions that are not covered are declined")


def _wegwijs(snapshot: Snapshot, code: str) -> Ranker:
    """Ours, on this language alone."""
    entries = {
        slug: replace(entry, texts={code: entry.texts[code]}, urgent=False)
        for slug, entry in snapshot.entries.items()
        if code in entry.texts
    }
    understanding = train(replace(snapshot, entries=entries), {code: phrases.load()[code]})

    def rank(text: str) -> Scores:
        meaning = understanding.understand(text, chosen=LANGUAGES[code])
        return {match.slug: match.score for match in meaning.matches}

    return rank


def _examples(snapshot: Snapshot, code: str) -> Iterator[Example]:
    """Every text in one language, the same that ours learns from."""
    for entry in snapshot.entries.values():
        if text := entry.texts.get(code):
            for said in (text.title, *text.questions, *text.keywords, *sentences(text.body)):
                yield entry.slug, said


def _bare(snapshot: Snapshot) -> Snapshot:
    """The same entries without questions and keywords."""
    entries = {
        slug: replace(
            entry, texts={code: replace(text, questions=(), keywords=()) for code, text in entry.texts.items()}
        )
        for slug, entry in snapshot.entries.items()
    }
    return replace(snapshot, entries=entries)


def _questions(code: str, path: Path | None = None) -> list[dict[str, Any]]:
    """Questions to the knowledge, and those that it does not cover; wanting to book or a greeting is neither."""
    lines = (path or QUESTIONS / f"{code}.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    return [question for question in questions if not any(slug.startswith("@") for slug in question["expect"])]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        directory, file, language = sys.argv[1:]
        _compare(directory, [(knowledge.load(Path(directory)), language, _questions(language, Path(file)))])
    else:
        measure()
