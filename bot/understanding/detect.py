"""The language of a message, also of two words or of Arabic in Latin letters.

A naive Bayes classifier over pieces of words, learnt from the phrases and questions of each language.
What the person chose, or what their phone is set to, is evidence beside the words.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from bot.languages import LANGUAGES, Language
from bot.understanding.features import hashes, look_up, pieces, placed_hashes
from bot.understanding.normalise import light, scripts, words

CHOSEN, HINTED = 8.0, 5.0  # the weight of a choice and of a phone's setting, in units of log-odds
_SMOOTHING = 300.0
_FEWEST = 2  # a feature that was seen once says nothing
_DEPENDENCE = 4.0  # the pieces of a word overlap: this many together are worth one
_LONGEST, _MOST_WORDS = 2000, 40  # signs and words that are looked at
_CODES = tuple(LANGUAGES)


class Detector:
    """Knows how words look in each language."""

    def __init__(self, samples: Mapping[str, Iterable[str]]) -> None:
        counts = [
            (word, times, column)
            for column, code in enumerate(_CODES)
            for word, times in Counter(_words(samples.get(code, ()))).items()
        ]
        features, places = placed_hashes([word for word, _, _ in counts], _features)
        times = np.array([times for _, times, _ in counts], dtype=float)[places]
        columns = np.array([column for _, _, column in counts], dtype=np.int64)[places]
        keys, rows = np.unique(features, return_inverse=True)
        seen = np.zeros((len(keys), len(_CODES)))
        np.add.at(seen, (rows, columns), times)
        often = seen.sum(axis=1) >= _FEWEST
        self._keys, seen = keys[often], seen[often]
        background = seen.sum(axis=1, keepdims=True) / max(seen.sum(), 1)
        likely = (seen + _SMOOTHING * background) / (seen.sum(axis=0) + _SMOOTHING)
        self._weights = (np.log(likely / background) / _DEPENDENCE).astype(np.float16)

    def detect(self, text: str, *, chosen: Language | None = None, hint: Language | None = None) -> str | None:
        """The code of the language of `text`; None when there are no letters and nothing else to go by."""
        usual, weight = (chosen, CHOSEN) if chosen else (hint, HINTED)
        start = light(text)[:_LONGEST]
        found = scripts(start)
        if not found:
            return usual.code if usual else None
        script = max(found, key=found.__getitem__)
        places, known = look_up(self._keys, hashes(words(start)[:_MOST_WORDS], _features))
        evidence = self._weights[places[known]].sum(axis=0, dtype=np.float64)
        if usual:
            evidence[_CODES.index(usual.code)] += weight
        # Latin letters say nothing: people type every language in them. Other letters rule languages out.
        possible = [script == "latin" or script in LANGUAGES[code].scripts for code in _CODES]
        return _CODES[int(np.argmax(np.where(possible, evidence, -np.inf)))]


def _words(texts: Iterable[str]) -> list[str]:
    return words(light("\n".join(texts)))


def _features(word: str) -> tuple[str, ...]:
    return () if word.isdigit() else (*pieces(word), f"={word}=")
