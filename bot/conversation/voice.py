"""What a reply is made with: the knowledge, the interface texts and the language to speak."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.conversation.events import Button, Reply
from bot.conversation.steps import Step
from bot.knowledge import Snapshot
from bot.languages import Language
from bot.texts import Texts

Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Voice:
    """One language, spoken about one snapshot on one day (in Brussels)."""

    snapshot: Snapshot
    texts: Texts
    language: Language
    today: datetime.date

    def text(self, message: str, /, **values: str) -> str:
        """An interface text in this language; `message` is its English."""
        return self.texts.text(message, self.language.code, **values)

    def button(self, icon: str, message: str, step: Step) -> Button:
        return Button(f"{icon} {self.text(message)}", step)

    def reply(self, *paragraphs: str, rows: Rows = (), replaces: bool = False) -> Reply:
        return Reply("\n\n".join(paragraphs), self.language, rows, replaces)

    def listed(self, *parts: str) -> str:
        """Parts beside one another, without those that are empty."""
        return self.language.comma.join(filter(None, parts))

    def named(self, name: str, value: str) -> str:
        """A name, and what it is."""
        return f"{name}{self.language.colon}{value}"

    def facts(self, rows: Mapping[str, str]) -> str:
        """Names and what they are, one under the other."""
        return "\n".join(f"- {self.named(f'**{name}**', value)}" for name, value in rows.items())

    def speaking(self, language: Language) -> "Voice":
        return replace(self, language=language)
