"""How long words take to become a list, with as many offers as a city has."""

import datetime
import json
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median, quantiles
from time import perf_counter

from bot.languages import LANGUAGES
from bot.learning import recall
from bot.offers import Offer, Offers

QUESTIONS = Path("tests/offers")
COUNT = 2_000
ROUNDS = 5
TODAY = datetime.date(2026, 11, 29)


def measure() -> None:
    """Print the median and the 99th percentile: filters out of words, and the list or the nearest."""
    understanding = recall(Path("knowledge"))
    offers = _many(understanding.snapshot.offers)
    asked = [
        (path.stem, json.loads(line)["text"])
        for path in sorted(QUESTIONS.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    meanings = [understanding.understand(text, chosen=LANGUAGES[code]) for code, text in asked]
    times = []
    for _ in range(ROUNDS):
        for (_, text), meaning in zip(asked, meanings, strict=True):
            started = perf_counter()
            search = understanding.search(text, meaning)
            if search and not offers.find(search, TODAY):
                offers.nearest(search, TODAY)
            times.append(1000 * (perf_counter() - started))
    print(f"Offers: {len(asked)} questions on {COUNT} offers, from words to a list")
    print(f"  median {median(times):.2f} ms   p99 {quantiles(times, n=100)[98]:.2f} ms")


def _many(known: Offers) -> Offers:
    """Our own offers again and again, each a little different."""
    chance = Random(1)

    def another(number: int, offer: Offer) -> Offer:
        days = frozenset(chance.sample(range(7), 2))
        first = TODAY + datetime.timedelta(days=chance.randrange(200))
        neighbourhood = chance.choice(list(known.neighbourhoods))
        return replace(offer, id=f"{offer.id}-{number}", days=days, first=first, last=None, neighbourhood=neighbourhood)

    many = tuple(another(number, known.offers[number % len(known.offers)]) for number in range(COUNT))
    return replace(known, offers=many)
