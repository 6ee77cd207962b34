"""Where a conversation begins: the greeting, or what a poster or a link asked for.

A payload is `WHAT`, `WHAT__LANGUAGE` or `__LANGUAGE`; WHAT is a topic, an entry, `book-SERVICE` or `offers-KIND`.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from bot.conversation import answering, booking, menus, offering
from bot.conversation.events import Reply
from bot.conversation.offer_steps import NarrowOffers
from bot.conversation.places import ANY
from bot.conversation.steps import Book, ShowEntry, ShowTopic
from bot.conversation.voice import Voice
from bot.knowledge import Snapshot
from bot.knowledge.snapshot import short_reference
from bot.languages import Language, language_of
from bot.offers import KINDS, Search, pack_search

PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")  # Bot API, deep linking
_LANGUAGE_FOLLOWS, _BOOK, _OFFERS = "__", "book-", "offers-"

FirstStep = ShowTopic | ShowEntry | Book | NarrowOffers


def begin(voice: Voice, payload: str, *, known: bool) -> Sequence[Reply]:
    """The first words. `known`: we know the person's language; else they are shown how to choose one."""
    step = first_step(voice.snapshot, payload, voice.language)
    if step is None:
        return menus.greet(voice, known=known)
    replies = _taken(step, voice)
    return replies if known else _with_languages(replies, voice)


def language_in(payload: str) -> Language | None:
    """The language that a payload names; None when it names none of ours."""
    return _read(payload)[1]


def first_step(snapshot: Snapshot, payload: str, language: Language) -> FirstStep | None:
    """What a payload asks for; None for nothing, and for what the knowledge does not hold."""
    what, code = _read(payload)[0], language.code
    service, kind = what.removeprefix(_BOOK), what.removeprefix(_OFFERS)
    if what in snapshot.topics:
        return ShowTopic(code, short_reference(what))
    if what in snapshot.entries:
        return ShowEntry(code, short_reference(what))
    if service != what and service in snapshot.permanences:
        return Book(code, service)
    known = next((each for each in KINDS if kind != what and each == kind), None)
    return NarrowOffers(code, pack_search(Search(known)), "0") if known and snapshot.offers.offers else None


def _read(payload: str) -> tuple[str, Language | None]:
    """What is asked for, and the language; a payload that Telegram would not carry asks for nothing."""
    if not PAYLOAD.fullmatch(payload):
        return "", None
    what, separator, code = payload.rpartition(_LANGUAGE_FOLLOWS)
    return (what, language_of(code)) if separator else (payload, None)


def _taken(step: FirstStep, voice: Voice) -> Sequence[Reply]:
    match step:
        case ShowTopic(topic=topic):
            return menus.topic(voice, topic)
        case ShowEntry(slug=slug):
            return answering.show(voice, slug)
        case Book(service=service):
            return booking.people(voice, service, ANY)
        case NarrowOffers():
            return offering.narrow(voice, step)
        case _:
            assert_never(step)


def _with_languages(replies: Sequence[Reply], voice: Voice) -> Sequence[Reply]:
    last = replies[-1]
    return (*replies[:-1], replace(last, rows=(*last.rows, (menus.language_button(voice),))))
