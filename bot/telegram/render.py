"""A reply as Telegram messages: text with entities, and an inline keyboard.

Entities instead of marked-up text: there is no markup that could break.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import sulguk
import sulguk.data
from telegram.constants import MessageLimit

from bot.conversation import Button, Link, Reply
from bot.conversation.packing import pack
from bot.languages import Direction
from bot.markup import to_html

LONGEST = MessageLimit.MAX_TEXT_LENGTH  # in UTF-16 code units


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message. `entities` and `keyboard` are JSON, as the Bot API takes them; empty where there are none."""

    text: str
    entities: str
    keyboard: str

    @property
    def fields(self) -> dict[str, str]:
        """What a call that sends or edits this message holds."""
        extra = {"entities": self.entities, "reply_markup": self.keyboard}
        return {"text": self.text, **{name: value for name, value in extra.items() if value}}


def render(reply: Reply) -> Sequence[Outgoing]:
    """The messages of one reply, with the buttons under the last."""
    parts = _rendered_parts(reply.text, reply.language.direction)
    keyboard = _json({"inline_keyboard": [[_button(each) for each in row] for row in reply.rows]}) if reply.rows else ""
    return [
        Outgoing(text, entities, keyboard if number == len(parts) else "")
        for number, (text, entities) in enumerate(parts, start=1)
    ]


def without_buttons(reply: Reply, name: str) -> Reply:
    """A reply for a group: in place of its buttons, the way to a chat of one's own."""
    private = Button("➡ Wegwijs", Link(f"https://t.me/{name}"))
    return replace(reply, rows=((private,),), replaces=False, venue=None, document=None, reaction=None)


def _button(button: Button) -> dict[str, str]:
    if isinstance(button.target, Link):
        return {"text": button.label, "url": button.target.url}
    return {"text": button.label, "callback_data": pack(button.target)}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=4096)
def _rendered_parts(markdown: str, direction: Direction) -> tuple[tuple[str, str], ...]:
    return tuple(_fitting(markdown, direction))


def _rendered(markdown: str, direction: Direction) -> tuple[str, str]:
    rendered = sulguk.transform_html(to_html(markdown, direction))
    text = rendered.text.rstrip()
    end = units(text)
    entities = [entity for entity in rendered.entities if entity["offset"] < end and _is_shown(entity)]
    return text, _json([_entity(entity, end) for entity in entities]) if entities else ""


def _entity(entity: sulguk.data.MessageEntity, end: int) -> dict[str, object]:
    length = min(entity["length"], end - entity["offset"])
    about: dict[str, object] = {"type": str(entity["type"]), "offset": entity["offset"], "length": length}
    return {**about, "url": entity["url"]} if entity.get("url") else about


def _is_shown(entity: sulguk.data.MessageEntity) -> bool:
    """Telegram follows only web links; it finds phone numbers and mail addresses itself."""
    return entity["type"] != "text_link" or str(entity.get("url")).startswith(("http://", "https://"))


def _fitting(markdown: str, direction: Direction) -> Iterator[tuple[str, str]]:
    """Rendered pieces that each fit in a message, divided between paragraphs, or else between lines or words."""
    rendered = _rendered(markdown, direction)
    if units(rendered[0]) <= LONGEST:
        yield rendered
        return
    for part in _split(markdown):
        yield from _fitting(part, direction)


def _split(markdown: str) -> tuple[str, str]:
    """Two parts, divided where it hurts least."""
    for separator in ("\n\n", "\n", " "):
        before, found, after = _halves(markdown, separator)
        if found:
            return before, after
    middle = LONGEST // 2
    return markdown[:middle], markdown[middle:]


def _halves(text: str, separator: str) -> tuple[str, str, str]:
    """`text` before and after the separator that is nearest to its middle, from the left."""
    place = text.rfind(separator, 0, len(text) // 2 + 1)
    if place <= 0:
        place = text.find(separator, 1)
    if place <= 0 or not text[place:].strip() or not text[:place].strip():
        return text, "", ""
    return text[:place], separator, text[place + len(separator) :]


def units(text: str) -> int:
    """How long Telegram takes a text to be: in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2
