"""From a text to a language and a decision."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.knowledge import Snapshot
from bot.languages import LANGUAGES, Language
from bot.phrases import KINDS, Phrases
from bot.understanding.danger import DangerSigns
from bot.understanding.detect import Detector
from bot.understanding.match import Matcher, Question
from bot.understanding.normalise import fold, words

Decision = Literal["answer", "suggest", "decline", "book", "handoff", "smalltalk"]

ANSWER = 0.7  # at this score or more, an answer is right nine times in ten
SUGGEST = 0.4  # at this score or more, the right one is worth a look among three
URGENT = 0.65  # help lines are shown earlier than another answer: a needless one does less harm than a missed one
MOST_MATCHES = 10

SAID = 0.3  # what a sentence of an answer tells about the questions to it, beside a question
_SHORTEST_SENTENCE = 16  # signs
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")
_SENTENCE_END = re.compile(r"\n+|(?<=[.!?。।؟۔።]) ")

_PHRASE = "@"  # labels of phrases; no entry can be called so, since no folder of ours begins with it
_CHATTER = "@chatter"
_DECISIONS: Mapping[str, Decision] = {
    "@greeting": "smalltalk",
    "@thanks": "smalltalk",
    "@goodbye": "smalltalk",
    "@identity": "smalltalk",
    "@person": "handoff",
    "@book": "book",
}


@dataclass(frozen=True, slots=True)
class Match:
    """An entry, and about how often it is the right one when it looks like this (0 to 1)."""

    slug: str
    score: float


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a person meant. `matches`: the best ten entries, best first, whatever the decision."""

    language: str
    decision: Decision
    matches: tuple[Match, ...]
    smalltalk: str | None = None
    has_words: bool = True


@dataclass(frozen=True, slots=True)
class Understanding:
    """A snapshot, and all that was learnt from it."""

    snapshot: Snapshot
    detector: Detector
    matcher: Matcher
    danger: Mapping[str, DangerSigns]

    def understand(self, text: str, *, chosen: Language | None = None, hint: Language | None = None) -> Meaning:
        """The meaning of `text`. `chosen`: what the person chose; `hint`: what their phone is set to."""
        usual = chosen or hint
        language = self.detector.detect(text, chosen=chosen, hint=hint)
        if language is None or not words(fold(text)):
            return Meaning(language or (usual.code if usual else "en"), "decline", self._in_order(()), has_words=False)
        ranked = self.matcher.match(text, language)
        entries = [Match(label, score) for label, score in ranked if not label.startswith(_PHRASE)]
        urgent = self._urgent(text, {language, usual.code if usual else language}, ranked)
        if urgent:
            rest = [match for match in entries if match.slug != urgent.slug]
            return Meaning(language, "answer", self._in_order((urgent, *rest)))
        decision, smalltalk = _decide(ranked)
        return Meaning(language, decision, self._in_order(entries), smalltalk)

    def _urgent(self, text: str, languages: set[str], ranked: list[tuple[str, float]]) -> Match | None:
        """The entry with the help lines that fit best, when somebody is in danger."""
        slugs = {entry.slug for entry in self.snapshot.urgent}
        best = next((Match(label, score) for label, score in ranked if label in slugs), None)
        if best is None:
            return None
        if any(self.danger[code].found_in(text) for code in languages | {"nl", "en"}):
            return Match(best.slug, max(best.score, ANSWER))
        return best if best.slug == ranked[0][0] and best.score >= URGENT else None

    def _in_order(self, entries: tuple[Match, ...] | list[Match]) -> tuple[Match, ...]:
        """The best ten, filled up with entries that nothing speaks for."""
        named = {match.slug for match in entries}
        rest = (Match(slug, 0.0) for slug in self.snapshot.entries if slug not in named)
        return (*entries, *rest)[:MOST_MATCHES]


def _decide(ranked: list[tuple[str, float]]) -> tuple[Decision, str | None]:
    label, score = ranked[0] if ranked else ("", 0.0)
    if label in _DECISIONS and score >= ANSWER:
        decision = _DECISIONS[label]
        return decision, label.removeprefix(_PHRASE) if decision == "smalltalk" else None
    best = max((score for label, score in ranked if not label.startswith(_PHRASE)), default=0.0)
    if best >= ANSWER:
        return "answer", None
    return ("suggest", None) if best >= SUGGEST else ("decline", None)


def train(snapshot: Snapshot, phrases: Mapping[str, Phrases]) -> Understanding:
    """Learn from everything that staff and translators wrote; nothing is set by hand for one question."""
    none = Phrases()
    return Understanding(
        snapshot=snapshot,
        detector=Detector({code: list(_sample(snapshot, phrases.get(code, none), code)) for code in LANGUAGES}),
        matcher=Matcher(_questions(snapshot, phrases), lambda label: label != _CHATTER),
        danger={code: DangerSigns(phrases.get(code, none).danger) for code in LANGUAGES},
    )


def _sample(snapshot: Snapshot, phrases: Phrases, code: str) -> Iterator[str]:
    """How this language looks."""
    for kind in KINDS:
        yield from phrases.of(kind)
    for entry in snapshot.entries.values():
        if text := entry.texts.get(code):
            yield from (text.title, *text.questions)


def _questions(snapshot: Snapshot, phrases: Mapping[str, Phrases]) -> Iterator[Question]:
    for code, spoken in phrases.items():
        for kind in KINDS:
            yield from (Question(f"{_PHRASE}{kind}", code, phrase) for phrase in spoken.of(kind))
    for entry in snapshot.entries.values():
        for code, text in entry.texts.items():
            yield from (Question(entry.slug, code, question) for question in text.questions)
            yield from (Question(entry.slug, code, name, judged=False) for name in (text.title, *text.keywords))
            for sentence in _sentences(text.body):
                yield Question(entry.slug, code, sentence, worth=SAID, judged=False)


def _sentences(markdown: str) -> list[str]:
    """The sentences of an answer, without the addresses of its links."""
    return [part for part in _SENTENCE_END.split(_LINK.sub(r"\1", markdown)) if len(part) >= _SHORTEST_SENTENCE]
