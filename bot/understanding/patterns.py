"""Patterns: words that must all stand in a message, in any order, whatever stands between them.

A pattern is one to four words; `suicid*` stands for every word that begins so. In Chinese, which has no spaces, a word
of a pattern is any run of signs.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Generic, TypeVar

from bot.understanding.normalise import SCRIPTS, fold, words

Label = TypeVar("Label")

_ANY = "*"
# Arabic writes these small words onto the next one: and, so, with, to, the.
_PROCLITICS = ("وال", "بال", "فال", "لل", "ال", "و", "ف", "ب", "ل")
_BEGINNINGS = {small[0] for small in _PROCLITICS}
_SHORTEST_STEM = 3
_KEY = 3  # letters by which words that begin so are found

Pattern = tuple[str, ...]


class Patterns(Generic[Label]):
    """The patterns of one language, each under the label that it stands for."""

    def __init__(self, labelled: Iterable[tuple[Label, Iterable[str]]]) -> None:
        self._by_word: dict[str, list[tuple[Pattern, Label]]] = defaultdict(list)
        self._by_beginning: dict[str, list[tuple[Pattern, Label]]] = defaultdict(list)
        self._others: list[tuple[Pattern, Label]] = []
        self._runs: list[tuple[Pattern, Label]] = []
        folded = [(label, line) for label, each in labelled for line in fold("\n".join(each)).splitlines()]
        han = [(label, line) for label, line in folded if SCRIPTS["han"].search(line)]
        spelt = [(label, tuple(_parts(line))) for label, line in folded if not SCRIPTS["han"].search(line)]
        common = Counter(part for _, parts in spelt for part in parts)
        for label, parts in spelt:
            self._add(parts, label, common)
        self._runs = [(tuple(line.replace(_ANY, "").split()), label) for label, line in han]
        self._runs.sort(key=lambda run: -len(run[0][0]))

    def _add(self, parts: Pattern, label: Label, common: Mapping[str, int]) -> None:
        """Under the word of the pattern that the fewest patterns have, so that few are looked at."""
        anchor = min((part for part in parts if not part.endswith(_ANY)), key=common.__getitem__, default=None)
        longest = max(parts, key=len, default="")
        if anchor:
            self._by_word[anchor].append((parts, label))
        elif len(longest) > _KEY:
            self._by_beginning[longest[:_KEY]].append((parts, label))
        elif parts:
            self._others.append((parts, label))

    def found_in(self, folded: str, present: Set[str]) -> set[Label]:
        """The labels of which a message holds a pattern; `present` are the `words_present` of the folded text."""
        found = {label for pattern, label in self._likely(present) if _all_present(pattern, present)}
        return found | set(self._runs_in(folded)) if self._runs else found

    def _likely(self, present: Set[str]) -> Iterator[tuple[Pattern, Label]]:
        yield from self._others
        for word in present:
            yield from self._by_word.get(word, ())
            yield from self._by_beginning.get(word[:_KEY], ())

    def _runs_in(self, folded: str) -> Iterator[Label]:
        """The longest first, and each sign once for a field: 一月 is no part of 十一月."""
        left: dict[object, str] = {}
        for runs, label in self._runs:
            field = label[0] if isinstance(label, tuple) else label
            text = left.get(field, folded)
            if all(run in text for run in runs):
                yield label
                if len(runs) == 1:
                    left[field] = text.replace(runs[0], " ")


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


def without(found: Sequence[str], phrases: Iterable[Sequence[str]]) -> list[str]:
    """The words of a message without those of `phrases`, where they follow one another."""
    text = f" {' '.join(found)} "
    for phrase in phrases:
        text = text.replace(f" {' '.join(phrase)} ", " ")
    return text.split()


def _parts(pattern: str) -> Iterable[str]:
    """The words of a folded pattern as a message has them: `m'a frapp*` is `m`, `a`, `frapp*`."""
    for part in pattern.split():
        found = words(part.rstrip(_ANY))
        yield from found[:-1]
        yield from (f"{word}{_ANY}" if part.endswith(_ANY) else word for word in found[-1:])


def _all_present(pattern: Pattern, present: Set[str]) -> bool:
    return all(
        any(word.startswith(part[:-1]) for word in present) if part.endswith(_ANY) else part in present
        for part in pattern
    )
