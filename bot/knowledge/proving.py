"""What the check would say of one text before it is written, found without checking all the others again."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.knowledge.checking import check
from bot.knowledge.loading import freeze
from bot.knowledge.problems import Problem
from bot.knowledge.written import read
from bot.languages import SOURCE

_LONGEST_QUOTE = 80


@dataclass(frozen=True, slots=True)
class Remark:
    """Why a text cannot be saved. `where`: the line as it was written, or another file and its line."""

    message: str
    values: tuple[tuple[str, str], ...] = ()
    where: str = ""

    def said(self, translate: Callable[[str], str] = str) -> str:
        """The sentence, as `translate` says it."""
        sentence = translate(self.message).format(**{name: translate(value) for name, value in self.values})
        return f"{self.where}: {sentence}" if self.where else sentence


def faults_elsewhere(directory: Path, path: Path) -> list[Remark]:
    """The faults in other files that keep the whole directory from being used."""
    faults = (fault for fault in freeze(read(directory)).faults if fault.path != path)
    return [
        Remark(fault.message, _short(fault.values, directory), f"{_inside(fault.path, directory)}:{fault.line}")
        for fault in faults
    ]


def remarks_on(directory: Path, path: Path, text: str) -> list[Remark]:
    """What `check` says of the file at `path` if it held `text`.

    It is asked about a directory of links with this language alone: that is enough, and quicker by far.
    """
    with tempfile.TemporaryDirectory(prefix="wegwijs-") as name:
        shadow = Path(name)
        _link(directory, shadow, path)
        own = shadow / path.relative_to(directory)
        own.unlink(missing_ok=True)
        own.write_text(text, encoding="utf-8", newline="\n")
        return list(_remarks(check(shadow), own, shadow))


def _link(directory: Path, shadow: Path, path: Path) -> None:
    for file in directory.resolve().rglob("*"):
        place = file.relative_to(directory.resolve())
        is_needed = file.suffix != ".md" or file.name == path.name or _is_source(place, path.relative_to(directory))
        if is_needed and file.is_file() and not any(part.startswith(".") for part in place.parts):
            (shadow / place).parent.mkdir(parents=True, exist_ok=True)
            (shadow / place).symlink_to(file)


def _is_source(place: Path, own: Path) -> bool:
    return place == own.with_name(f"{SOURCE}.md")


def _remarks(problems: list[Problem], own: Path, shadow: Path) -> Iterator[Remark]:
    for each in problems:
        if each.path == own:
            yield Remark(each.message, _short(each.values, shadow), _quote(each))
        elif ("file", str(own)) in each.values:  # the same question: the check names the second file, whichever is new
            yield Remark(each.message, (("file", _inside(each.path, shadow)),), _quote(each))


def _quote(problem: Problem) -> str:
    """The line that a problem is about; nothing where it is about the file."""
    lines = problem.path.read_text(encoding="utf-8").split("\n")
    line = lines[problem.line - 1].strip() if 1 < problem.line <= len(lines) else ""
    return line if len(line) <= _LONGEST_QUOTE else f"{line[:_LONGEST_QUOTE]}…"


def _short(values: tuple[tuple[str, str], ...], directory: Path) -> tuple[tuple[str, str], ...]:
    return tuple((name, value.replace(f"{directory}/", "")) for name, value in values)


def _inside(path: Path, directory: Path) -> str:
    return str(path.relative_to(directory)) if path.is_relative_to(directory) else path.name
