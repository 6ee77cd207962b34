"""Steps: all that a button means, packed into the button itself.

A packed step is `tag:field:field`, at most 64 bytes of UTF-8 (Bot API, `InlineKeyboardButton.callback_data`).
Tags live for ever: somebody may press a button that is years old. A step that changes gets a new tag.
"""

from dataclasses import dataclass
from typing import ClassVar

from bot.conversation.offer_steps import ListOffers, NarrowOffers, ShowOffer, ShowOffers, Subscribe, Unsubscribe
from bot.conversation.person_steps import AskDelete, DeleteAll, EndTalk, GiveData, ShowPrivacy, StartTalk


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


@dataclass(frozen=True, slots=True)
class ListServices:
    """Show what one can make an appointment for."""

    tag: ClassVar = "bs"
    language: str


@dataclass(frozen=True, slots=True)
class BookFor:
    """Ask how many people come. `when`: a weekday (0 is Monday) that was asked for, or `-`."""

    tag: ClassVar = "bf"
    language: str
    service: str
    when: str


@dataclass(frozen=True, slots=True)
class BookPeople:
    """So many people come; ask for the language that they want to speak."""

    tag: ClassVar = "bp"
    language: str
    service: str
    when: str
    people: str


@dataclass(frozen=True, slots=True)
class BookDays:
    """Show the days. `wanted`: a language to speak, `i` for an interpreter, `-` for no matter which."""

    tag: ClassVar = "bl"
    language: str
    service: str
    when: str
    people: str
    wanted: str


@dataclass(frozen=True, slots=True)
class BookDay:
    """Show the times of a day, written as 20261202."""

    tag: ClassVar = "bd"
    language: str
    service: str
    people: str
    wanted: str
    day: str


@dataclass(frozen=True, slots=True)
class BookTime:
    """Show what would be booked. `start`: see `pack_instant`."""

    tag: ClassVar = "bt"
    language: str
    service: str
    people: str
    wanted: str
    start: str


@dataclass(frozen=True, slots=True)
class ConfirmBooking:
    """Take the place."""

    tag: ClassVar = "bc"
    language: str
    service: str
    people: str
    wanted: str
    start: str


@dataclass(frozen=True, slots=True)
class ListBookings:
    """Show what this person has booked."""

    tag: ClassVar = "mb"
    language: str


@dataclass(frozen=True, slots=True)
class ShowBooking:
    """Show one booking."""

    tag: ClassVar = "sb"
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class MoveBooking:
    """Show the days to which a booking can be moved."""

    tag: ClassVar = "mv"
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class MoveDay:
    """Show the times of a day for a booking that is moved."""

    tag: ClassVar = "md"
    language: str
    code: str
    day: str


@dataclass(frozen=True, slots=True)
class MoveTime:
    """Show the old time and the new one."""

    tag: ClassVar = "mt"
    language: str
    code: str
    start: str


@dataclass(frozen=True, slots=True)
class ConfirmMove:
    """Take the new place, then give back the old one."""

    tag: ClassVar = "mc"
    language: str
    code: str
    start: str


@dataclass(frozen=True, slots=True)
class CancelBooking:
    """Ask whether a booking should be cancelled."""

    tag: ClassVar = "cb"
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class ConfirmCancel:
    """Cancel a booking."""

    tag: ClassVar = "cc"
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class UndoCancel:
    """Take the same place again, if it is still free."""

    tag: ClassVar = "uc"
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class WillCome:
    """Answer to a reminder: I come."""

    tag: ClassVar = "wc"
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class JoinWaiting:
    """Wait for a place on a full day."""

    tag: ClassVar = "jw"
    language: str
    service: str
    people: str
    wanted: str
    day: str


@dataclass(frozen=True, slots=True)
class LeaveWaiting:
    """Wait no longer."""

    tag: ClassVar = "lw"
    language: str
    number: str


@dataclass(frozen=True, slots=True)
class AcceptPlace:
    """Take the place that came free."""

    tag: ClassVar = "ac"
    language: str
    number: str


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
    | ListServices
    | BookFor
    | BookPeople
    | BookDays
    | BookDay
    | BookTime
    | ConfirmBooking
    | ListBookings
    | ShowBooking
    | MoveBooking
    | MoveDay
    | MoveTime
    | ConfirmMove
    | CancelBooking
    | ConfirmCancel
    | UndoCancel
    | WillCome
    | JoinWaiting
    | LeaveWaiting
    | AcceptPlace
    | ListOffers
    | NarrowOffers
    | ShowOffers
    | ShowOffer
    | Subscribe
    | Unsubscribe
    | StartTalk
    | EndTalk
    | ShowPrivacy
    | GiveData
    | AskDelete
    | DeleteAll
)
STEPS: dict[str, type[Step]] = {step.tag: step for step in Step.__args__}
