"""What is wrong in a knowledge directory, in words for the staff member who wrote the file."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to mend. A `fault` keeps the directory from being used; the rest is only reported."""

    path: Path
    line: int
    message: str
    fault: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"
