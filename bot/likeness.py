"""Which texts ask the same in nearly the same words. No input or output.

Two texts are alike when they share most of their words (RapidFuzz's token set ratio) and are alike as a whole too:
one word that stands in another text would be enough for the first.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from bot.understanding.normalise import fold, words

SHARED = 85  # of 100: how much the words of one must be among those of the other
WHOLE = 60  # of 100: how much all their words must be alike
_LONGEST_KEY = 128  # signs that are compared; the time grows with their square


@dataclass(frozen=True, slots=True)
class Alike:
    """Texts that ask the same, by their places in what was given. `typical`: the one that the others are like."""

    typical: int
    places: tuple[int, ...]


def grouped(texts: Sequence[str]) -> list[Alike]:
    """Every text in one group, the largest group first, and of two as large the one whose first text comes first.

    A group gathers around one text, and not from neighbour to neighbour, so that its ends are alike as well.
    """
    spelled: defaultdict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        spelled[_key(text)].append(place)
    keys = sorted(spelled, key=lambda key: -len(spelled[key]))  # what was asked most gathers first
    groups = [[spelled[keys[number]] for number in group] for group in _gathered(keys)]
    found = [Alike(group[0][0], tuple(sorted(place for places in group for place in places))) for group in groups]
    return sorted(found, key=lambda alike: (-len(alike.places), alike.places[0]))


def _key(text: str) -> str:
    """The words of a text in one spelling and one order; of a long text the longest words, which tell most."""
    found = sorted(words(fold(text)), key=lambda word: (-len(word), word))
    ends = accumulate(len(word) + 1 for word in found)
    return " ".join(sorted(word for word, end in zip(found, ends, strict=True) if end <= _LONGEST_KEY)) or text


def _gathered(keys: Sequence[str]) -> list[list[int]]:
    """Groups of keys, by number; each around its first."""
    near = process.cdist(keys, keys, scorer=fuzz.ratio, score_cutoff=WHOLE, dtype=np.uint8) > 0
    free = np.ones(len(keys), dtype=np.bool_)
    groups = []
    for first in range(len(keys)):
        if free[first]:
            free[first] = False
            others = [other for other in _places(near[first] & free) if _share_words(keys[first], keys[other])]
            free[others] = False
            groups.append([first, *others])
    return groups


def _places(marked: NDArray[np.bool_]) -> list[int]:
    return [int(place) for place in np.flatnonzero(marked)]


def _share_words(one: str, other: str) -> bool:
    return bool(fuzz.token_set_ratio(one, other, score_cutoff=SHARED))
