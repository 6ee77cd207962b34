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
    """The person opened the chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(_Event):
    """The person chose from the channel's own menu: `topics`, `language` or `help`."""

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
    """The person sent something that has no words: a voice message, a photo, a place."""


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
class Reply:
    """Markdown in one language, with rows of buttons.

    `replaces`: where the channel can, it takes the place of the message whose button was pressed,
    since the person is choosing, not reading.
    """

    text: str
    language: Language
    rows: tuple[tuple[Button, ...], ...] = ()
    replaces: bool = False


Respond = Callable[[Event], Awaitable[Sequence[Reply]]]
