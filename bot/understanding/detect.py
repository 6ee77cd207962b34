"""The language of a message, also of two words or of Arabic in Latin letters.

A naive Bayes classifier over pieces of words, learnt from the phrases and questions of each language.
What the person chose, or what their phone is set to, is evidence beside the words.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.languages import LANGUAGES, Language
from bot.understanding.features import Hashes, hashes, look_up, pieces, placed_hashes
from bot.understanding.normalise import light, scripts, words
from bot.understanding.tables import digest

CHOSEN, HINTED = 8.0, 5.0  # the weight of a choice and of a phone's setting, in units of log-odds
_SMOOTHING = 300.0
_FEWEST = 2  # a feature that was seen once says nothing
_DEPENDENCE = 4.0  # the pieces of a word overlap: this many together are worth one
_LONGEST, _MOST_WORDS = 600, 40  # signs and words that are looked at
_CODES = tuple(LANGUAGES)
_KNOWN_WORDS_CHOSEN, _KNOWN_WORDS_HINTED = 2, 1  # that it takes to leave the usual language
_ARABIZI = re.compile("[a-z][235679]|[235679][a-z]")  # digits as letters: 3omri, 7amel
_ARABIZI_WORTH = 6.0
_UNSURE = 3.0  # log-odds: with less lead the likeliest is right every other time, and one of two nine times in ten


@dataclass(frozen=True, slots=True)
class Detected:
    """The language of a message. `rival`: another one that it may be as well, where the words do not tell."""

    language: str
    rival: str | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """The features of one language, sorted, and how often each was seen."""

    learnt_from: str
    features: Hashes
    times: NDArray[np.float32]


class Detector:
    """Knows how words look in each language."""

    def __init__(self, samples: Mapping[str, Sequence[str]], earlier: "Detector | None" = None) -> None:
        """`samples`: texts by language; what `earlier` learnt from the very same ones is taken over."""
        before = earlier._seen if earlier else {}
        self._seen: dict[str, _Seen] = {code: _look_at(samples.get(code, ()), before.get(code)) for code in _CODES}
        self._keys, rows = np.unique(
            np.concatenate([seen.features for seen in self._seen.values()]), return_inverse=True
        )
        columns = np.repeat(np.arange(len(_CODES)), [len(seen.features) for seen in self._seen.values()])
        counts = np.zeros((len(self._keys), len(_CODES)))
        counts[rows, columns] = np.concatenate([seen.times for seen in self._seen.values()])
        often = counts.sum(axis=1) >= _FEWEST
        self._keys, counts = self._keys[often], counts[often]
        background = counts.sum(axis=1, keepdims=True) / max(counts.sum(), 1)
        likely = (counts + _SMOOTHING * background) / (counts.sum(axis=0) + _SMOOTHING)
        self._weights = (np.log(likely / background) / _DEPENDENCE).astype(np.float16)

    def detect(self, text: str, *, chosen: Language | None = None, hint: Language | None = None) -> Detected | None:
        """The language of `text`; None when there are no letters and nothing else to go by.

        Only a clear message in another language overrules `chosen` or `hint`: where it is unclear, they stay and the
        other language is the rival. A name, a Dutch word or a slip of the thumb is not clear.
        """
        usual, weight = (chosen, CHOSEN) if chosen else (hint, HINTED)
        start = light(text[:_LONGEST])
        found = scripts(start)
        if not found:
            return Detected(usual.code) if usual else None
        script = max(found, key=found.__getitem__)
        said = words(start)[:_MOST_WORDS]
        places, known = look_up(self._keys, hashes(said, _features))
        evidence = self._weights[places[known]].sum(axis=0, dtype=np.float64)
        if usual:
            evidence[_CODES.index(usual.code)] += weight
            if script == "latin" and "arabic" in usual.scripts:
                evidence[_CODES.index(usual.code)] += _ARABIZI_WORTH * len([*filter(_ARABIZI.search, said)][:2])
        # Latin letters say nothing: people type every language in them. Other letters rule languages out.
        possible = [script == "latin" or script in LANGUAGES[code].scripts for code in _CODES]
        evidence = np.where(possible, evidence, -np.inf)
        second, best = np.argsort(evidence, kind="stable")[-2:]
        likeliest, next_ = _CODES[best], _CODES[second]
        if usual and likeliest != usual.code and possible[_CODES.index(usual.code)]:
            telling = _KNOWN_WORDS_CHOSEN if chosen else _KNOWN_WORDS_HINTED
            if not self._knows(said, likeliest, usual.code, telling):
                return Detected(usual.code, rival=likeliest)
        if evidence[best] - evidence[second] >= _UNSURE or (usual and likeliest == usual.code):
            return Detected(likeliest)
        if usual and usual.code == next_:
            return Detected(next_, rival=likeliest)
        return Detected(likeliest, rival=next_)

    def _knows(self, said: Sequence[str], language: str, usual: str, most: int) -> bool:
        """Whether so many whole words of a message speak for `language` rather than for the usual one."""
        places, known = look_up(self._keys, hashes(said, _whole_word))
        own = self._weights[places[known]].astype(np.float64)
        return int((own[:, _CODES.index(language)] > own[:, _CODES.index(usual)]).sum()) >= most


def _look_at(texts: Sequence[str], earlier: _Seen | None) -> _Seen:
    learnt_from = digest(texts)
    if earlier and earlier.learnt_from == learnt_from:
        return earlier
    counts = Counter(words(light("\n".join(texts))))
    found, places = placed_hashes(list(counts), _features)
    features, rows = np.unique(found, return_inverse=True)
    times = np.array(list(counts.values()), dtype=float)[places]
    return _Seen(learnt_from, features, np.bincount(rows, times, len(features)).astype(np.float32))


def _features(word: str) -> tuple[str, ...]:
    return () if word.isdigit() else (*pieces(word), *_whole_word(word))


def _whole_word(word: str) -> tuple[str, ...]:
    return (f"={word}=",)
