"""How long one answer takes: from a text to replies, with the database, in one process."""

import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

import structlog

from bot.app import open_conversation
from bot.conversation import Speaker, Utterance
from bot.languages import LANGUAGES
from bot.settings import Settings

QUESTIONS = Path("tests/questions.jsonl")
ROUNDS = 10


async def measure() -> None:
    """Understanding alone, then the whole way from event to replies."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings(database_url=f"sqlite:///{directory}/bench.db")
        async with open_conversation(settings) as conversation:
            understanding = conversation.knowledge.current

            async def understand(row: dict[str, str]) -> None:
                understanding.understand(row["text"], chosen=LANGUAGES[row["lang"]])

            async def respond(row: dict[str, str]) -> None:
                speaker = Speaker("bench", "1", row["lang"])
                await conversation.respond(Utterance(text=row["text"], speaker=speaker))

            async def long(row: dict[str, str]) -> None:
                understanding.understand(
                    (row["text"] + " ") * (4096 // len(row["text"])), chosen=LANGUAGES[row["lang"]]
                )

            entries = len(understanding.snapshot.entries)
            print(f"One answer, {entries} entries, {len(rows)} questions, {ROUNDS} rounds, milliseconds")
            await _report("understanding", understand, rows)
            await _report("understanding, 4096 signs", long, rows)
            await _report("event to replies, SQLite", respond, rows)


async def _report(name: str, work: Callable[[dict[str, str]], Awaitable[None]], rows: list[dict[str, str]]) -> None:
    times = []
    for number in range(ROUNDS + 1):
        for row in rows:
            started = perf_counter()
            await work(row)
            if number:  # the first round warms up
                times.append((perf_counter() - started) * 1000)
    print(f"  {name:<28} median {median(times):6.2f}   p99 {quantiles(times, n=100)[98]:6.2f}")
