"""What is wrong in a knowledge directory, in words for the staff member who wrote the file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to mend. `message` is English, with `{names}` for `values`.

    A `fault` keeps the directory from being used; the rest is only reported. `column`: of a spreadsheet, whose row is
    `line`.
    """

    path: Path
    line: int
    message: str
    values: tuple[tuple[str, str], ...] = ()
    fault: bool = False
    column: str = ""

    def said(self, translate: Callable[[str], str] = str) -> str:
        """`FILE:LINE: what is wrong and what to do`, as `translate` says it; in a spreadsheet with the column."""
        values = {name: translate(value) for name, value in self.values}
        column = f" {self.column}:" if self.column else ""
        return f"{self.path}:{self.line}:{column} {translate(self.message).format(**values)}"

    def __str__(self) -> str:
        return self.said()


def problem(path: Path, line: int, message: str, /, *, fault: bool = False, **values: object) -> Problem:
    """A `Problem`; the call is also where translators' tools find its message."""
    return Problem(path, line, message, tuple((name, str(value)) for name, value in values.items()), fault)


def marked(message: str) -> str:
    """`message` as it is; marks it for translators' tools where it is not said at once."""
    return message
