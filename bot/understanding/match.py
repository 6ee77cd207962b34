"""Which entry a question is about: TF-IDF similarity with every known question, and how far it can be trusted.

An entry's similarity is the 4-norm of its questions' similarities: close to the best one, and a little more when
several agree. How often such a similarity was right is learnt from the questions themselves, each
compared with all others: that is what a score means.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from bot.languages import LANGUAGES
from bot.understanding.features import (
    FeaturesOf,
    Hashes,
    Integers,
    folded_words,
    hashes,
    itself,
    look_up,
    pieces,
    placed_hashes,
    with_pairs,
)

Floats = NDArray[np.float64]

_NORM = 4
_FALLBACK = 0.9  # what a question in Dutch, English or a fallback is worth: their words stand in many questions

_MOST_EXAMPLES = 1500  # questions, of all languages together, that the scores are learnt from

# The scores before anything was learnt, and how many questions it takes to move them.
# Measured on the twelve entries of six languages; inputs as in `_evidence`.
_PRIOR = np.array([-3.0, 6.0, 4.0])
_PRIOR_STRENGTH = 0.5

# Who writes an entry's questions makes them differ on purpose, so each is further from the others than a newcomer's
# question is from the nearest. In log-odds; measured on 990 questions in 19 languages and 73 entries.
_NEARER = 1.0


@dataclass(frozen=True, slots=True)
class Question:
    """A known way to ask for `label`. `judged`: scores may be learnt from it (a whole question, not a keyword)."""

    label: str
    language: str
    text: str
    judged: bool = True


class _Space:
    """One kind of feature of one language's questions: how rare each feature is, and which questions have it."""

    def __init__(self, questions: Sequence[Sequence[str]], features_of: FeaturesOf) -> None:
        self._size = len(questions)
        features, places = placed_hashes(list(chain.from_iterable(questions)), features_of)
        owners = np.repeat(np.arange(self._size), [len(question) for question in questions])[places]
        # One row for each feature of each question, in the order of the features.
        rows, counts = np.unique(
            features.astype(np.uint64) << np.uint64(32) | owners.astype(np.uint64), return_counts=True
        )
        self._owners = rows.astype(np.uint32).astype(np.int32)
        self._keys, starts, spread = np.unique(
            (rows >> np.uint64(32)).astype(np.uint32), return_index=True, return_counts=True
        )
        self._starts = np.append(starts, len(rows)).astype(np.int32)
        self._rarity = (np.log((1 + self._size) / (1 + spread)) + 1).astype(np.float32)
        weights = (1 + np.log(counts)) * np.repeat(self._rarity, spread)
        lengths = np.sqrt(np.bincount(self._owners, weights**2, minlength=self._size))
        self._weights = (weights / lengths[self._owners]).astype(np.float32)

    def similarities(self, features: Hashes, counts: Integers) -> Floats:
        """The cosine of a text with each question; `features` are all different, `counts` how often each occurs."""
        places, known = look_up(self._keys, features)
        if not known.any():
            return np.zeros(self._size)
        places = places[known]
        weights = (1 + np.log(counts[known])) * self._rarity[places]
        # What is new to us makes a text longer: a long one of which we know two words is not about them.
        newness = np.count_nonzero(~known) * (np.log(1 + self._size) + 1) ** 2
        weights /= np.sqrt((weights**2).sum() + newness)
        starts, ends = self._starts[places], self._starts[places + 1]
        rows = np.concatenate([np.arange(start, end) for start, end in zip(starts, ends, strict=True)])
        products = self._weights[rows] * np.repeat(weights, ends - starts)
        return np.bincount(self._owners[rows], products, minlength=self._size).astype(np.float64)


class _Questions:
    """The questions of one language, and the label of each."""

    def __init__(self, questions: Sequence[Question], places: Mapping[str, int]) -> None:
        split = [folded_words(question.text) for question in questions]
        self._words = _Space([with_pairs(found) for found in split], itself)
        self._pieces = _Space(split, pieces)
        self.labels = np.array([places[question.label] for question in questions], dtype=np.int64)
        self.judged = [(n, question.text) for n, question in enumerate(questions) if question.judged]

    def similarities(self, text: "_Text") -> Floats:
        """How like each question `text` is, from 0 to 1."""
        return (self._words.similarities(*text.words) + self._pieces.similarities(*text.pieces)) / 2


class _Text:
    """A text ready to be compared: its features, and how often each occurs."""

    def __init__(self, text: str) -> None:
        found = folded_words(text)
        self.words = np.unique(hashes(with_pairs(found), itself), return_counts=True)
        self.pieces = np.unique(hashes(found, pieces), return_counts=True)


class Matcher:
    """All questions of all languages, ready to be compared with."""

    def __init__(self, questions: Iterable[Question], is_known: Callable[[str], bool]) -> None:
        """`is_known` tells the labels that are right answers from those that mean "not covered"."""
        by_language: defaultdict[str, list[Question]] = defaultdict(list)
        for question in questions:
            by_language[question.language].append(question)
        self.labels = sorted({question.label for spoken in by_language.values() for question in spoken})
        self._known = np.array([is_known(label) for label in self.labels], dtype=bool)
        places = {label: place for place, label in enumerate(self.labels)}
        self._spoken = {code: _Questions(spoken, places) for code, spoken in by_language.items()}
        self._trust = self._learn_trust()

    def match(self, text: str, language: str) -> list[tuple[str, float]]:
        """Every label that is a right answer, best first, with a score: about how often it is the right one."""
        similarities = self._similarities(_Text(text), language)
        order = np.argsort(-similarities, kind="stable")
        ranked = order[self._known[order]]
        best = similarities[ranked[0]] if len(ranked) else 0.0
        if best <= 0:
            return [(self.labels[label], 0.0) for label in ranked]
        sure = _logistic(float(self._evidence(similarities) @ self._trust) + _NEARER)
        return [(self.labels[label], sure * float(similarities[label] / best)) for label in ranked]

    def _similarities(self, text: _Text, language: str, but: int | None = None) -> Floats:
        """How like each label's questions `text` is; without question `but` of its own language."""
        powers = np.zeros(len(self.labels))
        for code, nearness in self._near(language):
            spoken = self._spoken[code]
            similarities = spoken.similarities(text) * nearness
            if but is not None and code == language:
                similarities[but] = 0
            powers += np.bincount(spoken.labels, similarities**_NORM, minlength=len(self.labels))
        return powers ** (1 / _NORM)

    def _near(self, language: str) -> list[tuple[str, float]]:
        """The languages to look in, and what a question in each is worth; all of them where no near one is known."""
        near = [(code, 1.0 if code == language else _FALLBACK) for code in LANGUAGES[language].chain]
        return [(code, worth) for code, worth in near if code in self._spoken] or [(code, 1.0) for code in self._spoken]

    def _evidence(self, similarities: Floats) -> Floats:
        """What speaks for the best known label: how near it is, and how far ahead of the next, known or not."""
        known = np.where(self._known, similarities, -1.0)
        best = int(np.argmax(known))
        others = np.delete(similarities, best)
        return np.array([1.0, known[best], known[best] - (others.max() if len(others) else 0.0)])

    def _learn_trust(self) -> Floats:
        """From what evidence the best label is the right one, and how surely.

        Logistic regression by Newton's method, drawn towards `_PRIOR` where there is little to learn from.
        """
        examples = list(self._examples())
        evidence = np.array([example for example, _ in examples]).reshape(-1, len(_PRIOR))
        right = np.array([float(was_right) for _, was_right in examples])
        trust = _PRIOR.copy()
        for _ in range(20):
            expected = 1 / (1 + np.exp(-np.clip(evidence @ trust, -30, 30)))
            gradient = evidence.T @ (right - expected) - _PRIOR_STRENGTH * (trust - _PRIOR)
            curvature = (evidence * (expected * (1 - expected))[:, None]).T @ evidence
            trust = trust + np.linalg.solve(curvature + _PRIOR_STRENGTH * np.eye(len(_PRIOR)), gradient)
        return trust

    def _examples(self) -> Iterator[tuple[Floats, bool]]:
        """Some questions compared with all others: the evidence, and whether the best label was their own."""
        judged = [
            (code, number, text, spoken.labels[number])
            for code, spoken in self._spoken.items()
            for number, text in spoken.judged
            if np.count_nonzero(spoken.labels == spoken.labels[number]) > 1  # else it could never be found again
        ]
        for code, number, text, label in judged[:: len(judged) // _MOST_EXAMPLES + 1]:
            similarities = self._similarities(_Text(text), code, but=number)
            best = int(np.argmax(np.where(self._known, similarities, -1.0)))
            yield self._evidence(similarities), best == label


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))
