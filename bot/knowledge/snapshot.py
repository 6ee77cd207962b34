"""The knowledge as it was at one load: frozen, whole, and safe to hand to every reader."""

import datetime
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from bot.knowledge.facts import Fact, fill
from bot.languages import LANGUAGES
from bot.offers import Offers
from bot.scheduling import Hours, Permanence

LONGEST_REFERENCE = 40  # of the 64 bytes that Telegram gives a button, the rest is the step's tag and language

Status = Literal["reviewed", "draft", "outdated", "missing"]


@dataclass(frozen=True, slots=True)
class Text:
    """An entry in one language. `body` is Markdown with its facts filled in."""

    language: str
    title: str
    body: str
    questions: tuple[str, ...]
    keywords: tuple[str, ...]
    status: Status


@dataclass(frozen=True, slots=True)
class Action:
    """A button under an answer. `value` is a permanence, a kind of offers, a web address or an address."""

    kind: Literal["book", "offers", "link", "place"]
    value: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer in all its languages."""

    slug: str
    topic: str
    texts: Mapping[str, Text]
    related: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    valid_until: datetime.date | None = None
    urgent: bool = False

    def text(self, language: str) -> Text:
        """The text in `language`, or else in the first of its fallbacks that is there."""
        for code in (*LANGUAGES[language].chain, *self.texts):
            if code in self.texts:
                return self.texts[code]
        raise LookupError(self.slug)


@dataclass(frozen=True, slots=True)
class Topic:
    """A folder of entries, with its name in each language."""

    slug: str
    icon: str
    titles: Mapping[str, str]
    entries: tuple[str, ...]

    def title(self, language: str) -> str:
        """Its name in `language` or a fallback; the folder's name when nobody has given it one."""
        known = (self.titles[code] for code in LANGUAGES[language].chain if code in self.titles)
        return next(known, self.slug.replace("-", " ").capitalize())


@dataclass(frozen=True)
class Snapshot:
    """Everything staff wrote. `version` is a hash of the files, the same in every process that read them."""

    version: str
    topics: Mapping[str, Topic]
    entries: Mapping[str, Entry]
    facts: Mapping[str, Fact]
    permanences: Mapping[str, Permanence] = field(default_factory=dict)
    offers: Offers = field(default_factory=Offers)
    hours: Hours = field(default_factory=Hours)

    def fill(self, markdown: str, language: str) -> str:
        """`markdown` with each `{{ group.name }}` in it replaced by that fact; raises `KeyError` for an unknown one."""
        return fill(markdown, self.facts, LANGUAGES[language])

    def find(self, reference: str) -> Entry | None:
        """The entry that a button means: its slug, or the `short_reference` of a long one."""
        return self.entries.get(reference) or self.entries.get(self._slugs.get(reference, ""))

    @cached_property
    def _slugs(self) -> Mapping[str, str]:
        return {short_reference(slug): slug for slug in self.entries}

    @cached_property
    def urgent(self) -> tuple[Entry, ...]:
        """The entries with help lines, for a person in danger."""
        return tuple(entry for entry in self.entries.values() if entry.urgent)

    @cached_property
    def keywords_of_services(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """By language and permanence, the keywords that stand in entries about that permanence and in no other."""
        return {code: self._keywords_in(code) for code in LANGUAGES}

    def _keywords_in(self, code: str) -> Mapping[str, Sequence[str]]:
        about: defaultdict[str, set[str]] = defaultdict(set)
        for entry in self.entries.values():
            named = {action.value for action in entry.actions if action.kind == "book"} or {""}
            for keyword in entry.texts[code].keywords if code in entry.texts else ():
                about[keyword.casefold()] |= named
        found: defaultdict[str, list[str]] = defaultdict(list)
        for keyword, services in about.items():
            if len(services) == 1:
                found[next(iter(services))].append(keyword)
        return found

    def status(self) -> Mapping[str, Mapping[Status, int]]:
        """For each language, how many entries are reviewed, draft, outdated and missing."""
        return {code: self._status_in(code) for code in LANGUAGES}

    def _status_in(self, code: str) -> Mapping[Status, int]:
        counts: dict[Status, int] = {"reviewed": 0, "draft": 0, "outdated": 0, "missing": 0}
        for entry in self.entries.values():
            counts[entry.texts[code].status if code in entry.texts else "missing"] += 1
        return counts


def source_version(title: str, body: str) -> str:
    """The version of a source text: six hex digits of what a translator has to follow, its title and body.

    A new question in `nl.md` leaves it as it is: questions are written anew in each language.
    """
    text = "\n".join(line.rstrip() for line in f"{title}\n{body}".strip().splitlines())
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def short_reference(slug: str) -> str:
    """A name for `slug` that fits in a button, whatever a folder is called: itself, or a hash where it is long."""
    if len(slug) <= LONGEST_REFERENCE and slug.isascii() and ":" not in slug:
        return slug
    return "~" + hashlib.sha256(slug.encode()).hexdigest()[:16]
