"""What is counted of the questions in one language: how rare each feature is, and how much of it each label has."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from bot.languages import LANGUAGES
from bot.understanding.features import (
    PIECES,
    SOUNDS,
    WORDS,
    Floats,
    Hashes,
    Integers,
    Kind,
    look_up,
    placed_hashes,
)
from bot.understanding.normalise import fold, words


@dataclass(frozen=True, slots=True)
class Question:
    """A known way to ask for `label`, or something that is said about it.

    `worth`: what it counts for beside a question (1). `judged`: scores may be learnt from it.
    """

    label: str
    language: str
    text: str
    worth: float = 1.0
    judged: bool = True


def digest(texts: Iterable[str]) -> str:
    """A hash of what something was learnt from, to know whether it has to be learnt again."""
    return blake2b("\0".join(texts).encode(), digest_size=16).hexdigest()


def table(questions: Sequence[Question], places: Mapping[str, int], earlier: "Table | None" = None) -> "Table":
    """The table of some questions in one language; `earlier` itself where it was made of the very same."""
    learnt_from = digest((*places, *(f"{question.label} {question.worth} {question.text}" for question in questions)))
    return earlier if earlier and earlier.learnt_from == learnt_from else Table(questions, places, learnt_from)


class Table:
    """The features of one language in compressed rows: those of `keys[n]` are `starts[n]` to `starts[n + 1]`."""

    def __init__(self, questions: Sequence[Question], places: Mapping[str, int], learnt_from: str) -> None:
        self.learnt_from = learnt_from
        language = LANGUAGES[questions[0].language]
        self.kinds = (WORDS, PIECES) if language.scripts == ("latin",) else (WORDS, PIECES, SOUNDS)
        labels = np.array([places[question.label] for question in questions], dtype=np.int64)
        worth = np.array([question.worth for question in questions])
        split = [words(fold(question.text)) for question in questions]
        weighed = [_weigh([kind.tokens(found) for found in split], kind) for kind in self.kinds]
        features, owners, weights = (np.concatenate(part) for part in zip(*(kind[:3] for kind in weighed), strict=True))
        cells, inverse = np.unique(_paired(features, labels[owners]), return_inverse=True)
        self.weights = np.bincount(inverse, weights * worth[owners]).astype(np.float16)
        self.labels = cells.astype(np.uint32).astype(np.min_scalar_type(len(places)))
        self.keys, starts = np.unique((cells >> np.uint64(32)).astype(np.uint32), return_index=True)
        self.starts = np.append(starts, len(cells)).astype(np.int32)
        self.totals = np.bincount(self.labels, self.weights, minlength=len(places))
        self.rarity = np.zeros(len(self.keys), dtype=np.float16)
        for _, _, _, keys, rarity in weighed:
            self.rarity[look_up(self.keys, keys)[0]] = rarity

    def cells(self, features: Hashes) -> tuple[Integers, NDArray[np.unsignedinteger], NDArray[np.float16]]:
        """Whatever stands under `features`: for each cell the place of its feature, its label, and how much it is."""
        places, known = look_up(self.keys, features)
        rows = np.flatnonzero(known)
        starts = self.starts[places[rows]].astype(np.int64)
        lengths = self.starts[places[rows] + 1] - starts
        ends = np.cumsum(lengths)
        found = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)
        return np.repeat(rows, lengths), self.labels[found], self.weights[found]


def _paired(features: Hashes, places: Integers) -> NDArray[np.uint64]:
    """Each feature and its place as one number, in the order of the features."""
    return features.astype(np.uint64) << np.uint64(32) | places.astype(np.uint64)


def _weigh(questions: Sequence[Sequence[str]], kind: Kind) -> tuple[Hashes, Integers, Floats, Hashes, Floats]:
    """Features of one kind: for each of each question its TF-IDF weight; then all features, and how rare each is."""
    features, places = placed_hashes(list(chain.from_iterable(questions)), kind.features)
    owners = np.repeat(np.arange(len(questions)), [len(question) for question in questions])[places]
    pairs, counts = np.unique(_paired(features, owners), return_counts=True)
    owners, features = pairs.astype(np.uint32).astype(np.int64), (pairs >> np.uint64(32)).astype(np.uint32)
    keys, spread = np.unique(features, return_counts=True)
    rarity = np.log((1 + len(questions)) / (1 + spread)) + 1
    weights = (1 + np.log(counts)) * np.repeat(rarity, spread)
    lengths = np.sqrt(np.bincount(owners, weights**2, minlength=len(questions)))
    return features, owners, weights / lengths[owners], keys, rarity
