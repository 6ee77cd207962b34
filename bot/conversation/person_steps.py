"""Steps to a person at Amal, and about what is kept; see `steps`."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class StartTalk:
    """Write to a person at Amal."""

    tag: ClassVar = "tp"
    language: str


@dataclass(frozen=True, slots=True)
class EndTalk:
    """End the conversation with them."""

    tag: ClassVar = "te"
    language: str


@dataclass(frozen=True, slots=True)
class ShowPrivacy:
    """Say what is kept, why and for how long."""

    tag: ClassVar = "pv"
    language: str


@dataclass(frozen=True, slots=True)
class GiveData:
    """Give this person all that is kept about them."""

    tag: ClassVar = "pd"
    language: str


@dataclass(frozen=True, slots=True)
class AskDelete:
    """Ask whether everything should be deleted."""

    tag: ClassVar = "px"
    language: str


@dataclass(frozen=True, slots=True)
class DeleteAll:
    """Delete everything about this person."""

    tag: ClassVar = "py"
    language: str
