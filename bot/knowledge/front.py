"""A text as its file: the front matter in the form in which ours are written, so that a change changes one line."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from bot.knowledge.files import FENCE

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]")
_SPACE = re.compile(r"[ \t\n\x0b-\x1f\x85\u2028\u2029]+")  # not the space that French keeps before a question mark


@dataclass(frozen=True, slots=True)
class Front:
    """What stands above a text. `others`: what it holds under names that are not ours."""

    title: str
    questions: Sequence[str]
    keywords: Sequence[str]
    status: str
    source: str | None
    others: Mapping[str, object]


def as_file(front: Front, body: str) -> str:
    """The whole file."""
    lines = [FENCE, f"title: {_scalar(one_line(front.title))}"]
    if questions := list(filter(None, map(one_line, front.questions))):
        lines += ["questions:", *(f"  - {_scalar(question)}" for question in questions)]
    keywords = ", ".join(_scalar(word, flow=True) for word in filter(None, map(one_line, front.keywords)))
    lines += [f"keywords: [{keywords}]", f"status: {front.status}"]
    if front.source is not None:
        lines.append(f"source: {_quoted(front.source)}")
    if front.others:
        lines.append(_dump(dict(front.others)))
    return "\n".join((*lines, FENCE, _lines(body).strip("\n"), ""))


def one_line(text: str) -> str:
    """`text` on one line, without signs that no keyboard types."""
    return _CONTROL.sub("", _SPACE.sub(" ", text)).strip()


def _lines(text: str) -> str:
    """`text` with line ends and signs as a file of ours has them."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _scalar(text: str, *, flow: bool = False) -> str:
    """`text` for YAML: as it is where that is read back as the same words, else in quotes."""
    try:
        written = f"[{text}]" if flow else f"- {text}"
        read = [yaml.load(written, Loader=loader) for loader in (yaml.CBaseLoader, yaml.CSafeLoader)]
    except (yaml.YAMLError, ValueError):  # such as the 31st of a month without one
        return _quoted(text)
    return text if read == [[text], [text]] else _quoted(text)


def _quoted(text: str) -> str:
    return _dump(text, default_style='"')


def _dump(value: object, **how: Any) -> str:
    dumped: str = yaml.safe_dump(value, allow_unicode=True, width=math.inf, sort_keys=False, **how)
    return dumped.strip()
