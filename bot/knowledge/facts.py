"""Facts: read once from `facts.yaml`, and put into a text where it says `{{ group.name }}`."""

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any

from babel.dates import format_date

from bot.languages import Language

Fact = str | int | float | datetime.date

PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
ABOUT = {"source", "date"}  # what a group says of its facts; not facts themselves

_PHONE = re.compile(r"\+?\d[\d ]{2,}")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_SITE = re.compile(r"(https?://)?([\w-]+\.)+[a-z]{2,}(/\S*)?", re.IGNORECASE)
_LINK_TARGET = re.compile(r"(\]\([^)]*\))")
_BELGIUM = "+32"


def read_facts(groups: Mapping[str, Any]) -> dict[str, Fact]:
    """`facts.yaml` as `group.name` to value. A value may also stand under `value:`, beside its own source and date."""
    facts: dict[str, Fact] = {}
    for group, fields in groups.items():
        for name, value in fields.items():
            plain = value.get("value") if isinstance(value, Mapping) else value
            if name not in ABOUT and isinstance(plain, Fact):
                facts[f"{group}.{name}"] = plain
    return facts


def as_text(fact: Fact, language: Language) -> str:
    """A fact as plain words: a date is written the way `language` writes it (CLDR, long form)."""
    return format_date(fact, "long", locale=language.cldr) if isinstance(fact, datetime.date) else str(fact)


def as_url(fact: Fact) -> str | None:
    """Where a fact leads when it is a phone number, a mail address or a web address."""
    text = str(fact)
    if not isinstance(fact, str):
        return None
    if _PHONE.fullmatch(text):
        return "tel:" + _international(text.replace(" ", ""))
    if _MAIL.fullmatch(text):
        return f"mailto:{text}"
    if _SITE.fullmatch(text):
        return text if text.startswith("http") else f"https://{text}"
    return None


def _international(number: str) -> str:
    """A Belgian number with its country code; short numbers (112) have none."""
    return _BELGIUM + number[1:] if number.startswith("0") and not number.startswith("00") else number


def fill(markdown: str, facts: Mapping[str, Fact], language: Language) -> str:
    """Put facts into a text. Phone numbers and addresses on the net become links, except inside a link's own target."""
    parts = _LINK_TARGET.split(markdown)
    return "".join(PLACEHOLDER.sub(_filler(facts, language, linked=not part.startswith("](")), part) for part in parts)


def _filler(facts: Mapping[str, Fact], language: Language, *, linked: bool) -> Callable[[re.Match[str]], str]:
    def filled(match: re.Match[str]) -> str:
        fact = facts[match[1]]
        url = as_url(fact) if linked else None
        return f"[{as_text(fact, language)}]({url})" if url else as_text(fact, language)

    return filled
