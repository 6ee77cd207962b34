"""Steps among the courses and activities; see `steps`."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ListOffers:
    """Show the kinds of courses and activities."""

    tag: ClassVar = "ok"
    language: str


@dataclass(frozen=True, slots=True)
class NarrowOffers:
    """Ask what narrows a search most, or show its list. `search`: see `bot.offers.pack_search`; `asked`: questions."""

    tag: ClassVar = "on"
    language: str
    search: str
    asked: str


@dataclass(frozen=True, slots=True)
class ShowOffers:
    """Show a page of what a search finds, from page 0."""

    tag: ClassVar = "os"
    language: str
    search: str
    page: str


@dataclass(frozen=True, slots=True)
class ShowOffer:
    """Show one course or activity."""

    tag: ClassVar = "oo"
    language: str
    offer: str


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Tell this person when something appears that a search would find."""

    tag: ClassVar = "ow"
    language: str
    search: str


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Tell them no more."""

    tag: ClassVar = "ox"
    language: str
    number: str
