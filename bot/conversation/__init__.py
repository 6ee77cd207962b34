"""The conversation, the same in every channel: an `Event` comes in, `Reply`s go back."""

from bot.conversation.events import (
    Attachment,
    Button,
    Command,
    Event,
    Link,
    Press,
    Reply,
    Respond,
    Speaker,
    Start,
    Utterance,
)
from bot.conversation.respond import respond

__all__ = [
    "Attachment",
    "Button",
    "Command",
    "Event",
    "Link",
    "Press",
    "Reply",
    "Respond",
    "Speaker",
    "Start",
    "Utterance",
    "respond",
]
