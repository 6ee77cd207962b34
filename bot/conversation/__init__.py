"""The conversation, the same in every channel: an `Event` comes in, `Reply`s go back."""

from bot.conversation.events import (
    Attachment,
    Button,
    Command,
    Document,
    Event,
    Later,
    Link,
    Press,
    Push,
    Reply,
    Respond,
    Sent,
    Speaker,
    Start,
    Unreachable,
    Utterance,
    Venue,
)
from bot.conversation.respond import respond

__all__ = [
    "Attachment",
    "Button",
    "Command",
    "Document",
    "Event",
    "Later",
    "Link",
    "Press",
    "Push",
    "Reply",
    "Respond",
    "Sent",
    "Speaker",
    "Start",
    "Unreachable",
    "Utterance",
    "Venue",
    "respond",
]
