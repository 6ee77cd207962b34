"""Which entry a question is about: multinomial naive Bayes over TF-IDF weights, and how far it can be trusted.

Each label (an entry, or a kind of phrase) is the sum of its questions' features, and for an entry also of the sentences
of its answer; a text belongs to the label under which its features are likeliest. On short questions this is as good as
logistic regression or a support vector machine on the same features, and it needs no training but adding up
(see also Rennie et al., "Tackling the poor assumptions of naive Bayes text classifiers", 2003).

How often the likeliest label was the right one is learnt from the questions themselves, each taken out and asked in
turn: that is what a score means.
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

_ALPHA = 0.01  # what every feature counts for under every label before it was seen there (Lidstone smoothing)
_FALLBACK = 0.3  # what a question in Dutch, English or a fallback is worth: their words stand in many questions

_MOST_EXAMPLES = 1500  # questions, of all languages together, that the scores are learnt from

# The scores before anything was learnt, and how many questions it takes to move them; inputs as in `_evidence`.
_PRIOR = np.array([-2.0, 0.05, 0.3])
_PRIOR_STRENGTH = 0.5

_SPREAD = 2.0  # by how much less likely the next labels are, their score is less

# Who writes an entry's questions makes them differ on purpose, so each is further from the others than a newcomer's
# question is from the nearest. In log-odds; measured on 1,260 questions in 24 languages and 73 entries.
_NEARER = 1.0


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


def _words(found: Sequence[str]) -> list[str]:
    """Words and pairs, marked so that none is mistaken for a piece."""
    return [f"={token}" for token in with_pairs(found)]


_KINDS: tuple[tuple[Callable[[Sequence[str]], Sequence[str]], FeaturesOf], ...] = ((_words, itself), (list, pieces))


class _Table:
    """The features of one language: how rare each is, and how much of it each label has."""

    def __init__(self, questions: Sequence[Question], places: Mapping[str, int]) -> None:
        labels = np.array([places[question.label] for question in questions], dtype=np.int64)
        worth = np.array([question.worth for question in questions])
        split = [folded_words(question.text) for question in questions]
        kinds = [_weigh([tokens_of(found) for found in split], features_of) for tokens_of, features_of in _KINDS]
        features, owners, weights = (np.concatenate(part) for part in zip(*(kind[:3] for kind in kinds), strict=True))
        cells, inverse = np.unique(
            features.astype(np.uint64) << np.uint64(32) | labels[owners].astype(np.uint64), return_inverse=True
        )
        self.weights = np.bincount(inverse, weights * worth[owners]).astype(np.float32)
        self.labels = cells.astype(np.uint32).astype(np.int32)
        self.keys, starts = np.unique((cells >> np.uint64(32)).astype(np.uint32), return_index=True)
        self.starts = np.append(starts, len(cells)).astype(np.int32)
        self.totals = np.bincount(self.labels, self.weights, minlength=len(places))
        self.rarity = np.zeros(len(self.keys), dtype=np.float32)
        for _features, _owners, _weights, keys, rarity in kinds:
            self.rarity[look_up(self.keys, keys)[0]] = rarity
        self.judged = [(int(labels[n]), question.text) for n, question in enumerate(questions) if question.judged]

    def cells(self, features: Hashes, worth: float, width: int) -> tuple[Integers, Floats]:
        """Where in a grid of `features` by labels something stands, and how much."""
        places, known = look_up(self.keys, features)
        rows = np.flatnonzero(known)
        starts, ends = self.starts[places[rows]], self.starts[places[rows] + 1]
        if not len(rows):
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        found = np.concatenate([np.arange(start, end) for start, end in zip(starts, ends, strict=True)])
        return np.repeat(rows, ends - starts) * width + self.labels[found], self.weights[found] * worth


def _paired(features: Hashes, places: Integers) -> NDArray[np.uint64]:
    """Each feature and its place as one number, in the order of the features."""
    return features.astype(np.uint64) << np.uint64(32) | places.astype(np.uint64)


def _weigh(
    questions: Sequence[Sequence[str]], features_of: FeaturesOf
) -> tuple[Hashes, Integers, Floats, Hashes, Floats]:
    """Features of one kind: for each of each question its TF-IDF weight; then all features, and how rare each is."""
    features, places = placed_hashes(list(chain.from_iterable(questions)), features_of)
    owners = np.repeat(np.arange(len(questions)), [len(question) for question in questions])[places]
    pairs, counts = np.unique(_paired(features, owners), return_counts=True)
    owners, features = pairs.astype(np.uint32).astype(np.int64), (pairs >> np.uint64(32)).astype(np.uint32)
    keys, spread = np.unique(features, return_counts=True)
    rarity = np.log((1 + len(questions)) / (1 + spread)) + 1
    weights = (1 + np.log(counts)) * np.repeat(rarity, spread)
    lengths = np.sqrt(np.bincount(owners, weights**2, minlength=len(questions)))
    return features, owners, weights / lengths[owners], keys, rarity


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
        self._tables = {code: _Table(spoken, places) for code, spoken in by_language.items()}
        self._trust = self._learn_trust()

    def match(self, text: str, language: str) -> list[tuple[str, float]]:
        """Every label that is a right answer, best first, with a score: about how often it is the right one."""
        likelihoods = self._likelihoods(text, language)
        if likelihoods is None:
            return [(label, 0.0) for label, known in zip(self.labels, self._known, strict=True) if known]
        order = np.argsort(-likelihoods, kind="stable")
        ranked = order[self._known[order]]
        sure = _logistic(float(self._evidence(likelihoods) @ self._trust) + _NEARER)
        behind = np.exp((likelihoods[ranked] - likelihoods[ranked[0]]) / _SPREAD) if len(ranked) else ranked
        return [(self.labels[label], sure * float(part)) for label, part in zip(ranked, behind, strict=True)]

    def _likelihoods(self, text: str, language: str, but: int | None = None) -> Floats | None:
        """How likely the features of `text` are under each label; None when none of them is known.

        `but`: the label to which this very text belongs, which is then counted out of it.
        """
        near = self._near(language)
        features, weights = self._weigh_text(text, near)
        if not len(features):
            return None
        width = len(self.labels)
        cells = [self._tables[code].cells(features, worth, width) for code, worth in near]
        stands, weighs = (np.concatenate(part) for part in zip(*cells, strict=True))
        grid = np.bincount(stands, weighs, len(features) * width)
        totals = np.sum([self._tables[code].totals * worth for code, worth in near], axis=0)
        if but is not None:
            own = np.arange(len(features)) * width + but
            grid[own] = np.maximum(grid[own] - weights, 0)
            totals[but] = max(totals[but] - weights.sum(), 0)
        # Most of the grid is empty: count every place as empty first, then add what the others have more.
        filled = np.flatnonzero(grid)
        gains = weights[filled // width] * np.log1p(grid[filled] / _ALPHA)
        size = sum(len(self._tables[code].keys) for code, _ in near)
        empty = weights.sum() * (np.log(_ALPHA) - np.log(totals + _ALPHA * size))
        return np.asarray(np.bincount(filled % width, gains, width) + empty, dtype=np.float64)

    def _weigh_text(self, text: str, near: Sequence[tuple[str, float]]) -> tuple[Hashes, Floats]:
        """The known features of a text with their TF-IDF weights; each kind has length 1."""
        found = folded_words(text)
        parts: list[tuple[Hashes, Floats]] = []
        for tokens_of, features_of in _KINDS:
            features, counts = np.unique(hashes(tokens_of(found), features_of), return_counts=True)
            rarity = np.zeros(len(features))
            for code, _ in reversed(near):
                places, known = look_up(self._tables[code].keys, features)
                rarity[known] = self._tables[code].rarity[places[known]]
            known = rarity > 0
            weights = (1 + np.log(counts[known])) * rarity[known]
            parts.append((features[known], weights / max(float(np.linalg.norm(weights)), 1e-9)))
        return np.concatenate([part for part, _ in parts]), np.concatenate([part for _, part in parts])

    def _near(self, language: str) -> list[tuple[str, float]]:
        """The languages to look in, and what a question in each is worth; all of them where no near one is known."""
        near = [(code, 1.0 if code == language else _FALLBACK) for code in LANGUAGES[language].chain]
        return [(code, worth) for code, worth in near if code in self._tables] or [(code, 1.0) for code in self._tables]

    def _evidence(self, likelihoods: Floats) -> Floats:
        """What speaks for the likeliest known label: its lead on all others, and on the next, known or not."""
        known = np.where(self._known, likelihoods, -np.inf)
        best = int(np.argmax(known))
        others = np.delete(likelihoods, best)
        if not len(others):
            return np.array([1.0, 0.0, 0.0])
        return np.array([1.0, known[best] - others.mean(), known[best] - others.max()])

    def _learn_trust(self) -> Floats:
        """From what evidence the likeliest label is the right one, and how surely."""
        examples = list(self._examples())
        evidence = np.array([example for example, _ in examples]).reshape(-1, len(_PRIOR))
        return _fit(evidence, np.array([float(was_right) for _, was_right in examples]))

    def _examples(self) -> Iterator[tuple[Floats, bool]]:
        """Some questions asked as if nobody had written them: the evidence, and whether their label was likeliest."""
        judged = [(code, label, text) for code, table in self._tables.items() for label, text in table.judged]
        for code, label, text in judged[:: len(judged) // _MOST_EXAMPLES + 1]:
            likelihoods = self._likelihoods(text, code, but=label)
            if likelihoods is not None:
                best = int(np.argmax(np.where(self._known, likelihoods, -np.inf)))
                yield self._evidence(likelihoods), best == label


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))


def _fit(evidence: Floats, right: Floats) -> Floats:
    """Logistic regression by damped Newton steps, drawn towards `_PRIOR` where there is little to learn from."""

    def loss(trust: Floats) -> float:
        surely = evidence @ trust
        return float(
            np.logaddexp(0, surely).sum() - right @ surely + _PRIOR_STRENGTH / 2 * ((trust - _PRIOR) ** 2).sum()
        )

    trust = _PRIOR.copy()
    for _ in range(50):
        expected = 1 / (1 + np.exp(-np.clip(evidence @ trust, -30, 30)))
        gradient = evidence.T @ (right - expected) - _PRIOR_STRENGTH * (trust - _PRIOR)
        curvature = (evidence * (expected * (1 - expected))[:, None]).T @ evidence + _PRIOR_STRENGTH * np.eye(
            len(_PRIOR)
        )
        step = np.linalg.solve(curvature, gradient)
        while loss(trust + step) > loss(trust) and np.abs(step).max() > 1e-6:
            step /= 2
        trust = trust + step
    return trust
