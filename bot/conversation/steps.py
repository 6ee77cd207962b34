"""Steps: all that a button means, packed into the button itself.

A packed step is `tag:field:field`, at most 64 bytes of UTF-8 (Bot API, `InlineKeyboardButton.callback_data`).
Tags live for ever: somebody may press a button that is years old. A step that changes gets a new tag.
"""

from dataclasses import astuple, dataclass, fields
from typing import ClassVar

from bot.languages import LANGUAGES

LONGEST = 64


@dataclass(frozen=True, slots=True)
class ListLanguages:
    """Show the 24 languages."""

    tag: ClassVar = "ll"
    language: str


@dataclass(frozen=True, slots=True)
class ChooseLanguage:
    """Speak this language from now on."""

    tag: ClassVar = "cl"
    language: str


@dataclass(frozen=True, slots=True)
class ListTopics:
    """Show the topics."""

    tag: ClassVar = "lt"
    language: str


@dataclass(frozen=True, slots=True)
class ShowTopic:
    """Show the questions of a topic."""

    tag: ClassVar = "st"
    language: str
    topic: str


@dataclass(frozen=True, slots=True)
class ShowEntry:
    """Show an answer."""

    tag: ClassVar = "se"
    language: str
    slug: str


@dataclass(frozen=True, slots=True)
class ShowDutch:
    """Show the same answer in Dutch, for somebody at a desk; `language` is the way back."""

    tag: ClassVar = "sd"
    language: str
    slug: str


@dataclass(frozen=True, slots=True)
class Helped:
    """The answer helped."""

    tag: ClassVar = "hy"
    language: str
    slug: str


@dataclass(frozen=True, slots=True)
class DidNotHelp:
    """The answer did not help."""

    tag: ClassVar = "hn"
    language: str
    slug: str


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Say how to reach a human being."""

    tag: ClassVar = "ap"
    language: str


@dataclass(frozen=True, slots=True)
class Book:
    """Make an appointment for a service."""

    tag: ClassVar = "bk"
    language: str
    service: str


Step = (
    ListLanguages
    | ChooseLanguage
    | ListTopics
    | ShowTopic
    | ShowEntry
    | ShowDutch
    | Helped
    | DidNotHelp
    | AskPerson
    | Book
)
STEPS: dict[str, type[Step]] = {step.tag: step for step in Step.__args__}


def pack(step: Step) -> str:
    """`step` as button data; raises `ValueError` when it does not fit."""
    data = ":".join((step.tag, *astuple(step)))
    if len(data.encode()) > LONGEST:
        raise ValueError(f"a button holds at most {LONGEST} bytes: {data!r}")
    return data


def unpack(data: str) -> Step | None:
    """The step in button data; None for what no button of ours ever held."""
    tag, *values = data.split(":")
    step = STEPS.get(tag)
    if step is None or len(values) != len(fields(step)):
        return None
    unpacked = step(*values)
    return unpacked if unpacked.language in LANGUAGES else None
