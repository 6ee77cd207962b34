"""Replies as JSON for the page."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from bot.conversation import Button, Document, Link, Reply, Venue
from bot.conversation.packing import pack
from bot.languages import Language
from bot.markup import to_html
from bot.texts import Texts

MAP = "https://www.openstreetmap.org/"
ZOOM = 18  # houses and their numbers


def render(replies: Sequence[Reply], texts: Texts) -> Mapping[str, Any]:
    """Replies as the page shows them, and what the page itself then says: where nobody spoke, it stays as it is."""
    shown = [_render_reply(reply) for reply in replies]
    return {"replies": shown, "page": _render_page(replies[-1].language, texts)} if replies else {"replies": shown}


def render_notices(waiting: Sequence[tuple[int, Reply]]) -> Mapping[str, Any]:
    """What came unasked, each with the number by which the page says that it has shown it."""
    return {"replies": [{"id": number, **_render_reply(reply)} for number, reply in waiting]}


def _render_page(language: Language, texts: Texts) -> Mapping[str, Any]:
    return {"lang": language.code, "dir": language.direction, "labels": labels(texts, language)}


def _render_reply(reply: Reply) -> Mapping[str, Any]:
    return {
        "html": to_html(reply.text, reply.language.direction),
        "lang": reply.language.code,
        "dir": reply.language.direction,
        "replaces": reply.replaces,
        "venue": _render_venue(reply.venue) if reply.venue else None,
        "document": _render_document(reply.document) if reply.document else None,
        "rows": [[_render_button(button) for button in row] for row in reply.rows],
    }


def _render_button(button: Button) -> Mapping[str, str]:
    if isinstance(button.target, Link):
        return {"label": button.label, "url": button.target.url}
    return {"label": button.label, "press": pack(button.target)}


def _render_venue(venue: Venue) -> Mapping[str, str]:
    place = f"{venue.latitude:.6f}", f"{venue.longitude:.6f}"
    url = f"{MAP}?mlat={place[0]}&mlon={place[1]}#map={ZOOM}/{'/'.join(place)}"
    return {"label": f"📍 {venue.title}, {venue.address}", "url": url}


def _render_document(document: Document) -> Mapping[str, str]:
    return {
        "label": f"📄 {document.name}",
        "name": document.name,
        "type": document.media_type,
        "content": b64encode(document.content).decode(),
    }


def labels(texts: Texts, language: Language) -> Mapping[str, str]:
    """What the page itself says."""
    code = language.code
    return {
        "title": texts.text("Wegwijs: your questions about living in Ghent", code),
        "question": texts.text("Your question", code),
        "send": texts.text("Send", code),
        "you": texts.text("You", code),
        "writing": texts.text("Wegwijs is writing…", code),
        "language": texts.text("Language", code),
        "offline": texts.text("No connection. Please try again.", code),
    }
