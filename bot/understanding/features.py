"""What a text is compared by: its words, pairs of words, pieces of words, which survive typing mistakes, and sounds.

A feature is kept as a 32-bit hash of itself: a table of numbers is a tenth the size of a table of strings, and the
few features that share a number do no harm ("feature hashing", Weinberger et al., 2009).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from bot.understanding.sounds import sound

Hashes = NDArray[np.uint32]
Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
FeaturesOf = Callable[[str], Iterable[str]]

SHORTEST, LONGEST = 2, 5  # signs in a piece of a word, its borders counted
_SHORTEST_SOUND = 2


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of features: the tokens that a text's words make, the features of a token, and what the kind counts."""

    tokens: Callable[[Sequence[str]], list[str]]
    features: FeaturesOf
    worth: float


def pieces(word: str) -> list[str]:
    """The pieces of one word: `les` gives `␣l le es s␣ ␣le les es␣ …`."""
    bordered = f" {word} "
    return [
        bordered[start : start + length]
        for length in range(SHORTEST, min(LONGEST, len(bordered)) + 1)
        for start in range(len(bordered) - length + 1)
    ]


def _with_pairs(words: Sequence[str]) -> list[str]:
    return [*words, *(f"{first} {second}" for first, second in pairwise(words))]


def _word(token: str) -> tuple[str, ...]:
    return (f"={token}",)


def _sounds(word: str) -> list[str]:
    heard = sound(word)
    return [f"~{heard}~", *(f"~{piece}" for piece in pieces(heard))] if len(heard) >= _SHORTEST_SOUND else []


WORDS = Kind(_with_pairs, _word, 1.0)
PIECES = Kind(list, pieces, 1.0)
SOUNDS = Kind(list, _sounds, 0.8)


def hashes(tokens: Iterable[str], features_of: FeaturesOf) -> Hashes:
    """The features of all `tokens`, one after the other."""
    features = chain.from_iterable(map(features_of, tokens))
    return np.fromiter((crc32(feature.encode()) for feature in features), np.uint32)


def placed_hashes(tokens: Sequence[str], features_of: FeaturesOf) -> tuple[Hashes, Integers]:
    """As `hashes`, and for each feature the place of its token; what a token consists of is worked out once."""
    known = {token: hashes((token,), features_of) for token in dict.fromkeys(tokens)}
    found = [known[token] for token in tokens]
    places = np.repeat(np.arange(len(found)), [len(features) for features in found])
    return np.concatenate(found) if found else np.zeros(0, dtype=np.uint32), places


def look_up(keys: Hashes, features: Hashes) -> tuple[Integers, NDArray[np.bool_]]:
    """Where each of `features` stands in the sorted `keys`, and whether it is there at all."""
    if not len(keys):
        return np.zeros(len(features), dtype=np.int64), np.zeros(len(features), dtype=bool)
    places = np.searchsorted(keys, features)
    places[places == len(keys)] = 0
    return places, keys[places] == features
