"""Which entry a question is about: multinomial naive Bayes over TF-IDF weights, and how far it can be trusted.

Each label (an entry, or a kind of phrase) is the sum of its questions' features, and for an entry also of the sentences
of its answer; a text belongs to the label under which its features are likeliest. On short questions this is better
than logistic regression or a support vector machine on the same features (`make bench` compares them), and it needs no
training but adding up (see also Rennie et al., "Tackling the poor assumptions of naive Bayes text classifiers", 2003).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bot.languages import LANGUAGES
from bot.understanding.features import PIECES, SOUNDS, WORDS, Floats, Hashes, Integers, Kind, hashes, look_up
from bot.understanding.normalise import SCRIPTS, fold, words
from bot.understanding.tables import Question, Table, table
from bot.understanding.trust import UNCOVERED, Trust, evidence

_ALPHA = 0.01  # what every feature counts for under every label before it was seen there (Lidstone smoothing)
_FALLBACK = 0.3  # what a question in Dutch, English or a fallback is worth: their words stand in many questions

MOST_WORDS = 28  # of a longer text, the rarest so many words are compared
_LONGEST = 1000  # words that are looked at for that

_MOST_EXAMPLES = 1500  # questions, of all languages together, that the scores are learnt from

_SPREAD = 2.0  # by how much less likely the next labels are, their score is less


@dataclass(frozen=True, slots=True)
class Ranking:
    """Every label that is a right answer: its places, best first, and their scores."""

    labels: Sequence[str]
    places: Integers
    scores: Floats

    def best(self, most: int) -> list[tuple[str, float]]:
        """The best `most` labels, each with about how often it is the right one."""
        pairs = zip(self.places[:most], self.scores[:most], strict=True)
        return [(self.labels[place], float(score)) for place, score in pairs]


@dataclass(frozen=True, slots=True)
class _Likelihoods:
    """How likely a text is under each label, and what part of it (0 to 1) was ever seen."""

    values: Floats
    familiar: float


class Matcher:
    """All questions of all languages, ready to be compared with."""

    def __init__(
        self, questions: Iterable[Question], is_known: Callable[[str], bool], earlier: "Matcher | None" = None
    ) -> None:
        """`is_known` tells the labels that are right answers from those that mean "not covered".

        What `earlier` learnt in languages that have not changed since is taken over.
        """
        by_language: defaultdict[str, list[Question]] = defaultdict(list)
        for question in questions:
            by_language[question.language].append(question)
        self.labels = sorted({question.label for spoken in by_language.values() for question in spoken})
        self._known = np.array([is_known(label) for label in self.labels], dtype=bool)
        places = {label: place for place, label in enumerate(self.labels)}
        before = earlier._tables if earlier else {}
        self._tables: dict[str, Table] = {
            code: table(spoken, places, before.get(code)) for code, spoken in by_language.items()
        }
        self._trust: Trust
        if earlier and self._tables == before:
            self._trust = earlier._trust
        else:
            self._trust = Trust(self._examples([q for spoken in by_language.values() for q in spoken if q.judged]))

    def match(self, found: Sequence[str], language: str) -> Ranking:
        """The labels that the words `found`, as folded, may be about."""
        likely = self._likelihoods(found, language)
        if likely is None:
            places = np.flatnonzero(self._known)
            return Ranking(self.labels, places, np.zeros(len(places)))
        order = np.argsort(-likely.values, kind="stable")
        ranked = order[self._known[order]]
        if not len(ranked):
            return Ranking(self.labels, ranked, np.zeros(0))
        sure = self._trust.score(evidence(likely.values, self._known, likely.familiar))
        behind = np.exp((likely.values[ranked] - likely.values[ranked[0]]) / _SPREAD)
        return Ranking(self.labels, ranked, sure * behind)

    def _likelihoods(self, found: Sequence[str], language: str, but: int | None = None) -> _Likelihoods | None:
        """How likely the words are under each label; None when nothing in them was ever seen.

        `but`: the label to which this very text belongs, which is then counted out of it.
        """
        near = self._near(language)
        if not near:
            return None
        features, weights, familiar = self._weigh(self._telling(found, near[0][0]), language, near)
        if not len(features):
            return None
        width = len(self.labels)
        totals = np.sum([self._tables[code].totals * worth for code, worth in near], axis=0)
        size = sum(len(self._tables[code].keys) for code, _ in near)
        rows, columns, amounts = self._cells(features, near)
        if but is not None:
            own = columns == but
            amounts[own] = np.maximum(amounts[own] - weights[rows[own]], 0)
            totals[but] = max(totals[but] - weights.sum(), 0)
        # Most places are empty: count every place as empty first, then add what the others have more.
        empty = weights.sum() * (np.log(_ALPHA) - np.log(totals + _ALPHA * size))
        gains = weights[rows] * np.log1p(amounts / _ALPHA)
        return _Likelihoods(np.asarray(np.bincount(columns, gains, width) + empty, dtype=np.float64), familiar)

    def _cells(self, features: Hashes, near: Sequence[tuple[str, float]]) -> tuple[Integers, Integers, Floats]:
        """For each feature and label that have something of it: their places, and how much in all near languages."""
        parts = [(self._tables[code].cells(features), worth) for code, worth in near]
        if len(parts) == 1:
            (rows, columns, amounts), _ = parts[0]
            return rows, columns.astype(np.int64), amounts.astype(np.float64)
        width = len(self.labels)
        stands = np.concatenate([rows * width + columns for (rows, columns, _), _ in parts])
        grid = np.bincount(stands, np.concatenate([amounts * np.float32(worth) for (_, _, amounts), worth in parts]))
        filled = np.flatnonzero(grid)
        return filled // width, filled % width, np.asarray(grid[filled], dtype=np.float64)

    def _weigh(
        self, found: Sequence[str], language: str, near: Sequence[tuple[str, float]]
    ) -> tuple[Hashes, Floats, float]:
        """The known features of a text with their TF-IDF weights, each kind of length 1; and the part that is known."""
        script = SCRIPTS[LANGUAGES[language].scripts[0]]
        foreign = [word for word in found if not script.search(word)]
        kinds: list[tuple[Kind, Sequence[str]]] = [(WORDS, found), (PIECES, found)]
        if foreign and SOUNDS in self._tables[near[0][0]].kinds:
            kinds.append((SOUNDS, foreign))
        parts: list[tuple[Hashes, Floats]] = []
        seen = every = 0
        for kind, tokens in kinds:
            features, counts = np.unique(hashes(kind.tokens(tokens), kind.features), return_counts=True)
            rarity = np.zeros(len(features))
            for code, _ in reversed(near):
                places, known = look_up(self._tables[code].keys, features)
                rarity[known] = self._tables[code].rarity[places[known]]
            known = rarity > 0
            weights = (1 + np.log(counts[known])) * rarity[known]
            parts.append((features[known], weights * (kind.worth / max(float(np.linalg.norm(weights)), 1e-9))))
            seen, every = seen + int(known.sum()), every + len(features)
        weighed = np.concatenate([part for _, part in parts])
        return np.concatenate([part for part, _ in parts]), weighed, seen / max(every, 1)

    def _telling(self, found: Sequence[str], language: str) -> Sequence[str]:
        """Of a long story the rarest words, once and in their order; words that nobody wrote stand in the middle."""
        if len(found) <= MOST_WORDS:
            return found
        looked_at = list(dict.fromkeys(found[:_LONGEST]))
        own = self._tables[language]
        places, known = look_up(own.keys, hashes(looked_at, WORDS.features))
        rarity = np.where(known, own.rarity[places], np.median(own.rarity[places[known]]) if known.any() else 0)
        rarest = np.sort(np.argsort(-rarity, kind="stable")[:MOST_WORDS])
        return [looked_at[place] for place in rarest]

    def _near(self, language: str) -> list[tuple[str, float]]:
        """The languages to look in, and what a question in each is worth; all of them where no near one is known."""
        near = [(code, 1.0 if code == language else _FALLBACK) for code in LANGUAGES[language].chain]
        return [(code, worth) for code, worth in near if code in self._tables] or [(code, 1.0) for code in self._tables]

    def _examples(self, judged: Sequence[Question]) -> Iterator[tuple[Floats, bool, float]]:
        """Some questions asked as if nobody had written them, and again as if nobody had written their label."""
        places = {label: place for place, label in enumerate(self.labels)}
        for question in judged[:: len(judged) // _MOST_EXAMPLES + 1]:
            yield from self._asked_anew(question, places[question.label])

    def _asked_anew(self, question: Question, label: int) -> Iterator[tuple[Floats, bool, float]]:
        likely = self._likelihoods(words(fold(question.text)), question.language, but=label)
        if likely is None:
            return
        best = int(np.argmax(np.where(self._known, likely.values, -np.inf)))
        yield evidence(likely.values, self._known, likely.familiar), best == label, 1.0
        if self._known[label] and self._known.sum() > 1:
            likely.values[label] = -np.inf
            yield evidence(likely.values, self._known, likely.familiar), False, UNCOVERED
