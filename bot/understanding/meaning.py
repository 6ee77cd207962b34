"""From a text to a language and a decision."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from bot.knowledge import Snapshot
from bot.languages import LANGUAGES, Language
from bot.offers import Search
from bot.phrases import KINDS, FilterWords, Phrases
from bot.understanding.danger import DangerSigns
from bot.understanding.detect import Detector
from bot.understanding.filters import Wishes, learn_filters, search_in
from bot.understanding.match import Matcher
from bot.understanding.normalise import fold, words
from bot.understanding.patterns import words_present
from bot.understanding.tables import Question

Decision = Literal["answer", "suggest", "decline", "book", "handoff", "smalltalk"]

ANSWER = 0.7  # at this score or more, an answer is right nine times in ten
SUGGEST = 0.4  # at this score or more, the right one is worth a look among three
URGENT = 0.5  # help lines are shown earlier than another answer: a needless one does less harm than a missed one
MOST_MATCHES = 10
_MOST_RANKED = 24  # entries and kinds of phrases that are looked at for a decision

SAID = 0.3  # what a sentence of an answer tells about the questions to it, beside a question
_SHORTEST_SENTENCE = 16  # signs
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")
_SENTENCE_END = re.compile(r"\n+|(?<=[.!?。।؟۔።]) ")

DEFAULT = "en"  # the language for somebody of whom nothing is known

_PHRASE = "@"  # labels of phrases; no entry can be called so, since no folder of ours begins with it
_UNCOVERED = {"@chatter", "@harmless"}
_DECISIONS: Mapping[str, Decision] = {
    "@greeting": "smalltalk",
    "@thanks": "smalltalk",
    "@goodbye": "smalltalk",
    "@identity": "smalltalk",
    "@stop": "smalltalk",
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
    """What a person meant. `matches`: the best ten entries, best first, whatever the decision.

    `rival`: another language that the message may be in as well.
    """

    language: str
    decision: Decision
    matches: tuple[Match, ...]
    smalltalk: str | None = None
    has_words: bool = True
    rival: str | None = None


@dataclass(frozen=True, slots=True)
class Understanding:
    """A snapshot, and all that was learnt from it."""

    snapshot: Snapshot
    detector: Detector
    matcher: Matcher
    danger: Mapping[str, DangerSigns]
    wishes: Wishes

    def understand(self, text: str, *, chosen: Language | None = None, hint: Language | None = None) -> Meaning:
        """The meaning of `text`. `chosen`: what the person chose; `hint`: what their phone is set to."""
        usual = chosen or hint
        detected = self.detector.detect(text, chosen=chosen, hint=hint)
        folded = fold(text)
        found = words(folded)
        if detected is None or not found:
            language = detected.language if detected else usual.code if usual else DEFAULT
            return Meaning(language, "decline", self._in_order(()), has_words=False)
        language = detected.language
        spoken = {language, detected.rival or language, usual.code if usual else language, "nl", "en"}
        meant = self._meant(folded, found, language, spoken)
        return replace(meant, rival=detected.rival)

    def search(self, text: str, meaning: Meaning) -> Search | None:
        """What somebody looks for among the offers; None where they look for none."""
        weights: defaultdict[str, float] = defaultdict(float)
        for match in meaning.matches:
            for action in self.snapshot.entries[match.slug].actions:
                if action.kind == "offers":
                    weights[action.value] += match.score
        return search_in(self.wishes.wanted(text, meaning.language), weights)

    def _meant(self, folded: str, found: Sequence[str], language: str, danger_in: Set[str]) -> Meaning:
        ranking = self.matcher.match(found, language)
        ranked = [Match(label, score) for label, score in ranking.best(_MOST_RANKED)]
        entries = [match for match in ranked if not match.slug.startswith(_PHRASE)]
        present = words_present(found)
        in_danger = any(self.danger[code].found_in(folded, present) for code in danger_in)
        urgent = self._urgent(ranked, in_danger=in_danger)
        if urgent:
            rest = [match for match in entries if match.slug != urgent.slug]
            return Meaning(language, "answer", self._in_order((urgent, *rest)))
        decision, smalltalk = _decide(ranked)
        return Meaning(language, decision, self._in_order(entries), smalltalk)

    def _urgent(self, ranked: Sequence[Match], *, in_danger: bool) -> Match | None:
        """The entry with the help lines that fit best, when somebody is in danger."""
        slugs = [entry.slug for entry in self.snapshot.urgent]
        likely = [match for match in ranked if match.slug in slugs]
        if in_danger and slugs:
            best = likely[0] if likely else Match(slugs[0], 0.0)
            return Match(best.slug, max(best.score, ANSWER))
        if likely and likely[0] == ranked[0] and sum(match.score for match in likely) >= URGENT:
            return likely[0]
        return None

    def _in_order(self, entries: tuple[Match, ...] | list[Match]) -> tuple[Match, ...]:
        """The best ten, filled up with entries that nothing speaks for."""
        named = {match.slug for match in entries}
        rest = (Match(slug, 0.0) for slug in self.snapshot.entries if slug not in named)
        return (*entries, *rest)[:MOST_MATCHES]


def _decide(ranked: Sequence[Match]) -> tuple[Decision, str | None]:
    best = ranked[0] if ranked else Match("", 0.0)
    if best.slug in _DECISIONS and best.score >= SUGGEST:
        decision = _DECISIONS[best.slug]
        return decision, best.slug.removeprefix(_PHRASE) if decision == "smalltalk" else None
    likely = max((match.score for match in ranked if not match.slug.startswith(_PHRASE)), default=0.0)
    if likely >= ANSWER:
        return "answer", None
    return ("suggest", None) if likely >= SUGGEST else ("decline", None)


def train(
    snapshot: Snapshot,
    phrases: Mapping[str, Phrases],
    earlier: Understanding | None = None,
    *,
    filters: Mapping[str, FilterWords] = MappingProxyType({}),
) -> Understanding:
    """Learn from everything that staff and translators wrote; nothing is set by hand for one question.

    What `earlier` learnt in languages whose texts have not changed since is taken over.
    """
    none = Phrases()
    samples = {code: list(_sample(snapshot, phrases.get(code, none), code)) for code in LANGUAGES}
    return Understanding(
        snapshot=snapshot,
        detector=Detector(samples, earlier.detector if earlier else None),
        matcher=Matcher(
            _questions(snapshot, phrases),
            lambda label: label not in _UNCOVERED,
            earlier.matcher if earlier else None,
        ),
        danger={code: DangerSigns(phrases.get(code, none).danger) for code in LANGUAGES},
        wishes=learn_filters(filters, snapshot.offers.neighbourhoods),
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
            yield Question(entry.slug, code, text.title, judged=not text.questions)
            yield from (Question(entry.slug, code, keyword, judged=False) for keyword in text.keywords)
            for sentence in sentences(text.body):
                yield Question(entry.slug, code, sentence, worth=SAID, judged=False)


def sentences(markdown: str) -> list[str]:
    """The sentences of an answer, without the addresses of its links."""
    return [part for part in _SENTENCE_END.split(_LINK.sub(r"\1", markdown)) if len(part) >= _SHORTEST_SENTENCE]
