"""Which entry a question is about: TF-IDF similarity with every known question, and how far it can be trusted.

An entry's similarity is the 4-norm of its questions' similarities: close to the best one, and a little more when
several agree. How often such a similarity was right is learnt from the questions themselves, each
compared with all others in its language: that is what a score means.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from bot.languages import LANGUAGES
from bot.understanding.features import folded_words, itself, number_features, pieces, with_pairs

Floats = NDArray[np.float64]

_NORM = 4
# What a question in another language is worth: Dutch terms and English words stand in many questions.
_FALLBACK, _OTHER = 0.9, 0.5

_MOST_EXAMPLES = 1500  # questions, of all languages together, that the scores are learnt from

# The scores before anything was learnt, and how many questions it takes to move them.
# Measured on the twelve entries of six languages; inputs as in `_evidence`.
_PRIOR = np.array([-3.0, 6.0, 4.0])
_PRIOR_STRENGTH = 0.5

# Who writes an entry's questions makes them differ on purpose, so each is further from the others than a newcomer's
# question is from the nearest. In log-odds; measured on 260 questions in five languages and 73 entries.
_NEARER = 1.0


@dataclass(frozen=True, slots=True)
class Question:
    """A known way to ask for `label`. `judged`: scores may be learnt from it (a whole question, not a keyword)."""

    label: str
    language: str
    text: str
    judged: bool = True


class _Space:
    """One kind of feature: how rare each is, and the questions that have it."""

    def __init__(self, questions: Sequence[Sequence[str]], features_of: Callable[[str], tuple[str, ...]]) -> None:
        tokens = list(chain.from_iterable(questions))
        self._vocabulary, features, places = number_features(tokens, features_of)
        self._size = len(questions)
        owners = np.repeat(np.arange(self._size), [len(question) for question in questions])[places]
        # One row for each feature of each question, in the order of the features.
        rows, counts = np.unique(features * max(self._size, 1) + owners, return_counts=True)
        features, self._owners = np.divmod(rows, max(self._size, 1))
        spread = np.bincount(features, minlength=len(self._vocabulary))
        self._rarity = np.log((1 + self._size) / (1 + spread)) + 1
        weights = (1 + np.log(counts)) * self._rarity[features]
        lengths = np.sqrt(np.bincount(self._owners, weights**2, minlength=self._size))
        self._weights = (weights / lengths[self._owners]).astype(np.float32)
        self._owners = self._owners.astype(np.int32)
        self._starts = np.concatenate(([0], np.cumsum(spread)))

    def similarities(self, tokens: Sequence[str]) -> Floats:
        """The cosine of a text with each question."""
        found, unknown = self._vocabulary.look_up(tokens)
        if not len(found):
            return np.zeros(self._size)
        features, counts = np.unique(found, return_counts=True)
        weights = (1 + np.log(counts)) * self._rarity[features]
        # What is new to us makes a text longer: a long one of which we know two words is not about them.
        newness = unknown * float(np.log(1 + self._size) + 1) ** 2
        weights /= np.sqrt((weights**2).sum() + newness)
        starts, ends = self._starts[features], self._starts[features + 1]
        rows = np.concatenate([np.arange(start, end) for start, end in zip(starts, ends, strict=True)])
        products = self._weights[rows] * np.repeat(weights, ends - starts)
        return np.bincount(self._owners[rows], products, minlength=self._size).astype(np.float64)


class Matcher:
    """All questions of all languages, ready to be compared with."""

    def __init__(self, questions: Iterable[Question], is_known: Callable[[str], bool]) -> None:
        """`is_known` tells the labels that are right answers from those that mean "not covered"."""
        self.questions = sorted(questions, key=lambda question: question.label)
        self.labels = sorted({question.label for question in self.questions})
        split = [folded_words(question.text) for question in self.questions]
        self._words = _Space([with_pairs(found) for found in split], itself)
        self._pieces = _Space(split, pieces)
        places = {label: place for place, label in enumerate(self.labels)}
        self._owners = np.array([places[question.label] for question in self.questions], dtype=np.int64)
        self._starts = np.searchsorted(self._owners, np.arange(len(self.labels)))
        self._known = np.array([is_known(label) for label in self.labels], dtype=bool)
        languages = np.array([question.language for question in self.questions])
        self._nearness = {code: _nearness(languages, code) for code in LANGUAGES}
        self._trust = self._learn_trust()

    def match(self, text: str, language: str) -> list[tuple[str, float]]:
        """Every label that is a right answer, best first, with a score: about how often it is the right one."""
        if not self.questions:
            return []
        similarities = self._label_similarities(self._question_similarities(text, language))
        order = np.argsort(-similarities, kind="stable")
        ranked = order[self._known[order]]
        best = similarities[ranked[0]] if len(ranked) else 0.0
        if best <= 0:
            return [(self.labels[label], 0.0) for label in ranked]
        sure = _logistic(float(self._evidence(similarities) @ self._trust) + _NEARER)
        return [(self.labels[label], sure * float(similarities[label] / best)) for label in ranked]

    def _question_similarities(self, text: str, language: str) -> Floats:
        found = folded_words(text)
        by_word = self._words.similarities(with_pairs(found))
        by_piece = self._pieces.similarities(found)
        return (by_word + by_piece) / 2 * self._nearness[language]

    def _label_similarities(self, similarities: Floats) -> Floats:
        powers: Floats = np.add.reduceat(similarities**_NORM, self._starts)
        return powers ** (1 / _NORM)

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
        judged = [n for n, question in enumerate(self.questions) if question.judged and self._has_company(n)]
        for number in judged[:: len(judged) // _MOST_EXAMPLES + 1]:
            question = self.questions[number]
            similarities = self._question_similarities(question.text, question.language)
            similarities[number] = 0
            by_label = self._label_similarities(similarities)
            best = int(np.argmax(np.where(self._known, by_label, -1.0)))
            yield self._evidence(by_label), best == self._owners[number]

    def _has_company(self, number: int) -> bool:
        """Whether the label has another question; without one it could never be found again."""
        label = self._owners[number]
        return int(np.count_nonzero(self._owners == label)) > 1


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))


def _nearness(languages: NDArray[np.str_], code: str) -> Floats:
    """How much a question in each of `languages` says about one asked in `code`."""
    fallbacks = [language for language in LANGUAGES[code].chain if language != code]
    return np.where(languages == code, 1.0, np.where(np.isin(languages, fallbacks), _FALLBACK, _OTHER))
