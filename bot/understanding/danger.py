"""Danger: violence, suicide, fire, an accident. Found before anything else, and on the careful side.

A pattern is one to four words that must all stand in the message, in any order; `suicid*` stands for every
word that begins so. In Chinese, which has no spaces, a word of a pattern is any run of signs.
"""

from collections import defaultdict
from collections.abc import Iterable, Set

from bot.understanding.normalise import SCRIPTS, fold, words

_ANY = "*"
# Arabic writes these small words onto the next one: and, so, with, to, the.
_PROCLITICS = ("وال", "بال", "فال", "لل", "ال", "و", "ف", "ب", "ل")
_BEGINNINGS = {small[0] for small in _PROCLITICS}
_SHORTEST_STEM = 3


class DangerSigns:
    """The patterns of one language."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._by_word: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        self._others: list[tuple[str, ...]] = []
        self._runs: list[tuple[str, ...]] = []
        for pattern in fold("\n".join(patterns)).splitlines():
            self._add(pattern)

    def _add(self, pattern: str) -> None:
        parts = tuple(_parts(pattern))
        if SCRIPTS["han"].search(pattern):
            self._runs.append(tuple(pattern.split()))
        elif anchor := next((part for part in parts if not part.endswith(_ANY)), None):
            self._by_word[anchor].append(parts)
        elif parts:
            self._others.append(parts)

    def found_in(self, folded: str, present: Set[str]) -> bool:
        """Whether a message holds any of the patterns; `present` are the `words_present` of the folded text."""
        likely = (pattern for word in present for pattern in self._by_word.get(word, ()))
        return (
            any(_all_present(pattern, present) for pattern in likely)
            or any(_all_present(pattern, present) for pattern in self._others)
            or any(all(run in folded for run in runs) for runs in self._runs)
        )


def words_present(found: Iterable[str]) -> Set[str]:
    """The words of a message, and in Arabic also what is left of them without the small words written onto them."""
    present = set(found)
    stems = {
        word.removeprefix(small)
        for word in present
        if word[0] in _BEGINNINGS
        for small in _PROCLITICS
        if word.startswith(small) and len(word) - len(small) >= _SHORTEST_STEM
    }
    return present | stems


def _parts(pattern: str) -> Iterable[str]:
    """The words of a folded pattern as a message has them: `m'a frapp*` is `m`, `a`, `frapp*`."""
    for part in pattern.split():
        found = words(part.rstrip(_ANY))
        yield from found[:-1]
        yield from (f"{word}{_ANY}" if part.endswith(_ANY) else word for word in found[-1:])


def _all_present(pattern: tuple[str, ...], present: Set[str]) -> bool:
    return all(
        any(word.startswith(part[:-1]) for word in present) if part.endswith(_ANY) else part in present
        for part in pattern
    )
