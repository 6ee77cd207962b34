"""Reading one file: text, YAML with line numbers, and the front matter of a Markdown file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from bot.knowledge.problems import Problem, marked, problem

FENCE = "---"
_QUOTE = marked('put quotes around a text that holds a colon: "like: this"')

Model = TypeVar("Model", bound=BaseModel)


class Broken(Exception):
    """This file cannot be used; holds the problems found in it."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems


class FrontMatter(NamedTuple):
    """A Markdown file in two: the YAML above and the text below, with the line where each begins."""

    yaml: str
    yaml_line: int
    body: str
    body_line: int


def read(path: Path) -> str:
    """The text of a file; a byte order mark and Windows line ends do not matter."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise Broken(problem(path, line, "this is not UTF-8 text; save the file as UTF-8", fault=True)) from None
    except OSError as error:
        raise Broken(problem(path, 1, "cannot be read: {reason}", reason=error.strerror, fault=True)) from None


def split(path: Path, text: str) -> FrontMatter:
    """Divide a text file at its two `---` lines."""
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        raise Broken(
            problem(path, 1, "begin the file with a line of three dashes (---), then title and questions", fault=True)
        )
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == FENCE:
            return FrontMatter("\n".join(lines[1:number]), 2, "\n".join(lines[number + 1 :]), number + 2)
    raise Broken(
        problem(path, 1, "put a second line of three dashes (---) between the questions and the text", fault=True)
    )


def parse(model: type[Model], path: Path, text: str, first_line: int = 1, *, typed: bool = False) -> Model:
    """YAML text as `model`; raises `Broken` with the line of each fault.

    Every scalar is read as a string (`112`, `no` and `1e3` stay what staff typed) unless `typed`.
    """
    try:
        data = yaml.load(text, Loader=yaml.CSafeLoader if typed else yaml.CBaseLoader) or {}
    except yaml.MarkedYAMLError as error:
        in_quotes = "quoted" in str(error.context)  # it begins where the quote is, and ends who knows where
        mark = (error.context_mark if in_quotes else error.problem_mark) or error.context_mark
        line = mark.line if mark else 0
        raise Broken(problem(path, first_line + line, _yaml_advice(text, line), fault=True)) from None
    except yaml.YAMLError:
        raise Broken(
            problem(path, first_line, "a sign in this file is not allowed; type the text again", fault=True)
        ) from None
    except (ValueError, RecursionError):  # 2026-02-30
        raise Broken(
            problem(path, first_line, "a date or a number in this file cannot be; correct it", fault=True)
        ) from None
    if not isinstance(data, Mapping):
        raise Broken(problem(path, first_line, "write `name: value` on each line", fault=True))
    if typed and (misread := list(_misread(data, yaml.load(text, Loader=yaml.CBaseLoader)))):
        advice = marked("put quotes around {value}, or it is read as {other}")
        raise Broken(
            *(
                problem(path, first_line + line_of(text, where), advice, value=said, other=read_as, fault=True)
                for where, said, read_as in misread
            )
        )
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Broken(*(_problem(path, text, first_line, model, fault) for fault in error.errors())) from None


def _misread(typed: Any, plain: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str, str]]:
    """Where YAML makes something else of what staff typed (0476 is a number in octal, 12:30 is 750), and what."""
    if isinstance(typed, Mapping) and isinstance(plain, Mapping):
        for (name, value), said in zip(typed.items(), plain.values(), strict=True):
            yield from _misread(value, said, (*where, name))
    elif isinstance(typed, (bool, int, float)) and str(typed) != plain:
        yield where, str(plain), str(typed)


def _yaml_advice(text: str, line: int) -> str:
    lines = text.split("\n")
    here = lines[line] if line < len(lines) else ""
    if "\t" in here:
        return marked("there is a tab in this line; use spaces")
    if ": " in here.strip().removeprefix("- ").partition(": ")[2] or (here.lstrip().startswith("- ") and ": " in here):
        return _QUOTE
    if here.count('"') % 2 or here.count("'") % 2:
        return marked("a quote is missing in this line or just above it")
    return marked("this line does not fit in; compare its spaces and signs with the lines above")


def _problem(path: Path, text: str, first_line: int, model: type[BaseModel], fault: Any) -> Problem:
    where = fault["loc"]
    line = first_line + line_of(text, where)
    name = ".".join(str(part + 1 if isinstance(part, int) else part) for part in where)
    if fault["type"] == "missing" and isinstance(where[-1], str):
        return problem(path, line, "`{name}` is missing; add it", name=name, fault=True)
    if isinstance(fault["input"], Mapping) and len(where) > 1:
        return problem(path, line, _QUOTE, fault=True)
    takes = _taken_at(model, where) or fault["msg"]
    value = repr(fault["input"])
    return problem(
        path, line, "`{name}` holds {value}; it takes {takes}", name=name, value=value, takes=takes, fault=True
    )


def _taken_at(model: type[BaseModel], where: tuple[Any, ...]) -> str | None:
    """What the innermost field on the way to `where` takes, as its description says."""
    takes = None
    for name in (part for part in where if isinstance(part, str)):
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        if name not in fields:
            break
        takes = fields[name].description or takes
        inner = get_args(fields[name].annotation)
        model = next((part for part in inner if isinstance(part, type) and issubclass(part, BaseModel)), BaseModel)
    return takes


def line_of(text: str, where: tuple[Any, ...]) -> int:
    """The line (from 0) of the YAML value at `where`, a path of keys and positions, or of its nearest parent."""
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    line = 0
    for part in where:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == part), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
        else:
            break
    return line
