"""What a text is compared by: its words, pairs of words, and pieces of words, which survive typing mistakes.

A feature is kept as a 32-bit hash of itself: a table of numbers is a tenth the size of a table of strings, and the
few features that share a number do no harm ("feature hashing", Weinberger et al., 2009).
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from bot.understanding.normalise import fold, words

Hashes = NDArray[np.uint32]
Integers = NDArray[np.int64]
FeaturesOf = Callable[[str], Iterable[str]]

SHORTEST, LONGEST = 2, 5  # signs in a piece of a word, its borders counted
MOST_WORDS = 64  # of a long story, this many words at its beginning and its end together


def folded_words(text: str) -> list[str]:
    """The words of `text` in the spelling that is compared; the middle of a long story is left out."""
    found = words(fold(text))
    return found if len(found) <= MOST_WORDS else found[: MOST_WORDS // 2] + found[-MOST_WORDS // 2 :]


def with_pairs(found: Sequence[str]) -> list[str]:
    """Words, and pairs of words that follow one another."""
    return [*found, *(f"{first} {second}" for first, second in pairwise(found))]


def pieces(word: str) -> list[str]:
    """The pieces of one word: `les` gives `␣l le es s␣ ␣le les es␣ …`."""
    bordered = f" {word} "
    return [
        bordered[start : start + length]
        for length in range(SHORTEST, min(LONGEST, len(bordered)) + 1)
        for start in range(len(bordered) - length + 1)
    ]


def itself(token: str) -> tuple[str, ...]:
    """For a token that is a feature as it is."""
    return (token,)


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
    places = np.searchsorted(keys, features)
    places[places == len(keys)] = 0
    return places, keys[places] == features if len(keys) else np.zeros(len(features), dtype=bool)
