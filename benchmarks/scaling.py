"""How the time for one question grows with the number of entries, in one language.

A large directory is made of what we have: each entry in each language, and its questions dealt out over a few entries.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from bot import knowledge
from bot.knowledge import Entry, Snapshot, Text, Topic
from bot.languages import LANGUAGES
from bot.understanding import train

ENTRIES = (73, 500, 5000)
PARTS = 3  # entries that one entry's questions are dealt out over
QUESTIONS = Path("tests/questions.jsonl")


def measure() -> None:
    texts = [json.loads(line)["text"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    made = list(_entries(knowledge.load(Path("knowledge"))))
    print("One question in a directory of one language, milliseconds")
    for count in ENTRIES:
        started = perf_counter()
        understanding = train(_directory(made[:count]), {})
        learnt = perf_counter() - started
        times = []
        for text in texts * 5:
            asked = perf_counter()
            understanding.understand(text, chosen=LANGUAGES["en"])
            times.append((perf_counter() - asked) * 1000)
        print(
            f"  {count:>5} entries  median {median(times):6.2f}   p99 {quantiles(times, n=100)[98]:6.2f}"
            f"   learnt in {learnt:.1f} s"
        )


def _entries(snapshot: Snapshot) -> Iterator[Entry]:
    for entry in snapshot.entries.values():
        for code, text in entry.texts.items():
            for part in range(PARTS):
                made = Text("en", f"{text.title} {part}", "", text.questions[part::PARTS], (), "draft")
                yield Entry(f"{entry.slug}-{code}-{part}", "all", {"en": made})


def _directory(entries: list[Entry]) -> Snapshot:
    slugs = {entry.slug: entry for entry in entries}
    return Snapshot("0", {"all": Topic("all", "", {}, tuple(slugs))}, slugs, {})
