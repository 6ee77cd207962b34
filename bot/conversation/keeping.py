"""Replies as text, to be kept until they have arrived, and back."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from bot.conversation.events import Button, Document, Link, Reply, Venue
from bot.conversation.packing import pack, unpack
from bot.languages import LANGUAGES


def to_text(replies: Sequence[Reply]) -> str:
    """`replies`, so that `from_text` gives the same again."""
    return json.dumps([_kept(reply) for reply in replies], ensure_ascii=False, separators=(",", ":"))


def from_text(text: str) -> list[Reply]:
    """The replies; a button that no version knows any more is left out."""
    return [_reply(kept) for kept in json.loads(text)]


def _kept(reply: Reply) -> dict[str, Any]:
    kept: dict[str, Any] = {"text": reply.text, "language": reply.language.code}
    if reply.rows:
        kept["rows"] = [[[button.label, _target(button)] for button in row] for row in reply.rows]
    if reply.replaces:
        kept["replaces"] = True
    if reply.reaction:
        kept["reaction"] = reply.reaction
    if place := reply.venue:
        kept["venue"] = [place.title, place.address, place.latitude, place.longitude]
    if file := reply.document:
        kept["document"] = [file.name, file.media_type, base64.b64encode(file.content).decode()]
    return kept


def _target(button: Button) -> str:
    """An address, or a packed step; no step has a slash so early."""
    return button.target.url if isinstance(button.target, Link) else pack(button.target)


def _reply(kept: dict[str, Any]) -> Reply:
    rows = (tuple(_buttons(row)) for row in kept.get("rows", ()))
    name, media_type, content = kept.get("document", ("", "", ""))
    return Reply(
        kept["text"],
        LANGUAGES[kept["language"]],
        tuple(row for row in rows if row),
        kept.get("replaces", False),
        Venue(*kept["venue"]) if "venue" in kept else None,
        Document(name, media_type, base64.b64decode(content)) if name else None,
        kept.get("reaction"),
    )


def _buttons(row: Sequence[Sequence[str]]) -> list[Button]:
    found = []
    for label, target in row:
        step = Link(target) if target.startswith(("https://", "http://")) else unpack(target)
        found += [Button(label, step)] if step else []
    return found
