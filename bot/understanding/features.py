"""What a text is compared by: its words, pairs of words, and pieces of words, which survive typing mistakes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from bot.understanding.normalise import fold, words

Integers = NDArray[np.int64]

SHORTEST, LONGEST = 2, 5  # signs in a piece of a word, its borders counted
MOST_WORDS = 64  # of a long story, this many words at its beginning and its end together


def folded_words(text: str) -> list[str]:
    """The words of `text` in the spelling that is compared; the middle of a long story is left out."""
    found = words(fold(text))
    return found if len(found) <= MOST_WORDS else found[: MOST_WORDS // 2] + found[-MOST_WORDS // 2 :]


def with_pairs(found: Sequence[str]) -> list[str]:
    """Words, and pairs of words that follow one another."""
    return [*found, *(f"{first} {second}" for first, second in pairwise(found))]


@lru_cache(maxsize=65536)
def pieces(word: str) -> tuple[str, ...]:
    """The pieces of one word: `les` gives `␣l le es s␣ ␣le les es␣ …`."""
    bordered = f" {word} "
    return tuple(
        bordered[start : start + length]
        for length in range(SHORTEST, min(LONGEST, len(bordered)) + 1)
        for start in range(len(bordered) - length + 1)
    )


def itself(token: str) -> tuple[str, ...]:
    """For a token that is a feature as it is."""
    return (token,)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A number for each known feature."""

    numbers: Mapping[str, int]
    features_of: Callable[[str], tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.numbers)

    def look_up(self, tokens: Iterable[str]) -> tuple[Integers, int]:
        """The known features of `tokens`, and how many others they have."""
        names = list(chain.from_iterable(map(self.features_of, tokens)))
        known = [number for name in names if (number := self.numbers.get(name)) is not None]
        return np.array(known, dtype=np.int64), len(names) - len(known)


def number_features(
    tokens: Sequence[str], features_of: Callable[[str], tuple[str, ...]]
) -> tuple[Vocabulary, Integers, Integers]:
    """A vocabulary of all features of `tokens`; the features in order; for each of them the place of its token.

    What a token consists of is worked out once, however often it is used.
    """
    numbers: dict[str, int] = {}
    known = {
        token: np.array([numbers.setdefault(feature, len(numbers)) for feature in features_of(token)], dtype=np.int64)
        for token in dict.fromkeys(tokens)
    }
    found = [known[token] for token in tokens]
    places = np.repeat(np.arange(len(found)), [len(features) for features in found])
    features = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
    return Vocabulary(numbers, features_of), features, places
