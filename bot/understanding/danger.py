"""Danger: violence, suicide, fire, an accident. Found before anything else, and on the careful side."""

from collections.abc import Iterable, Set

from bot.understanding.patterns import Patterns


class DangerSigns:
    """The patterns of one language."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = Patterns([(True, patterns)])

    def found_in(self, folded: str, present: Set[str]) -> bool:
        """Whether a message holds any of the patterns; `present` are the `words_present` of the folded text."""
        return bool(self._patterns.found_in(folded, present))
