"""What comes in and what goes out. Channels turn their input into an `Event` and a `Reply` into their output."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bot.conversation.steps import Step
from bot.languages import Language


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who spoke: a chat in a channel. `hint` is the IETF tag that their app or browser gives, if any."""

    channel: str
    chat: str
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """`key` names the event where a channel may deliver it twice; a second one with this key has no effect."""

    speaker: Speaker
    key: str | None = field(default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(_Event):
    """The person opened the chat; `payload` is what the link or the poster that they came by asks for, if anything."""

    payload: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(_Event):
    """The person chose from the channel's own menu: `topics`, `appointments`, `language` or `help`."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance(_Event):
    """The person typed words. Words never become a step."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Press(_Event):
    """The person pressed a button; `data` is what came back, and anybody can send any bytes."""

    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment(_Event):
    """The person sent something that has no words: a photo, a place, or a message that was spoken."""

    spoken: bool = False


Event = Start | Command | Utterance | Press | Attachment


@dataclass(frozen=True, slots=True)
class Link:
    """Where a button leads outside the conversation: an https address."""

    url: str


@dataclass(frozen=True, slots=True)
class Button:
    """A label, and what a press on it means."""

    label: str
    target: Step | Link


@dataclass(frozen=True, slots=True)
class Document:
    """A file to keep, such as an appointment for a calendar."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Venue:
    """A place on the map, in degrees north and east."""

    title: str
    address: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Reply:
    """Markdown in one language, with rows of buttons.

    `replaces`: where the channel can, it takes the place of the message whose button was pressed,
    since the person is choosing, not reading. `reaction`: an emoji on the person's own message, where the channel can.
    `venue` and `document` come after the text; a channel that cannot
    show one leaves it out, since the text says the same.
    """

    text: str
    language: Language
    rows: tuple[tuple[Button, ...], ...] = ()
    replaces: bool = False
    venue: Venue | None = None
    document: Document | None = None
    reaction: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What was pushed to a person has arrived."""


@dataclass(frozen=True, slots=True)
class Later:
    """The channel wants to be left alone for a while: Telegram's 429, or a server that is away."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Unreachable:
    """This chat is closed to us: the bot was blocked, or the chat is gone."""


# The staff's group


CLOSE_COMMAND = "/close"  # with which staff end a conversation in their group


@dataclass(frozen=True, slots=True)
class GroupPost:
    """Words for the staff's group. `who`: empty for the newcomer; `sentences`: those to pick, with the first post."""

    conversation: int
    language: str
    topic: int | None
    who: str
    text: str
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Posted:
    """They stand there: as which message, and in which topic, where the group has any."""

    topic: int | None
    message: int


@dataclass(frozen=True, slots=True)
class GroupMessage:
    """What a member of staff wrote in a topic, or as a reply to a message. `sender`: their user id."""

    topic: int | None
    reply_to: int | None
    text: str
    message: int
    sender: str


@dataclass(frozen=True, slots=True)
class GroupPress:
    """A button in the group that a member of staff pressed."""

    data: str
    sender: str


# Sends replies to a chat that did not ask just now.
Push = Callable[[str, Sequence[Reply]], Awaitable[Sent | Later | Unreachable]]
Respond = Callable[[Event], Awaitable[Sequence[Reply]]]
