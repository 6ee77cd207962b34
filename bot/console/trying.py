"""Trying a question: what would be answered, and why."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from aiohttp import web

from bot.console.console import Visit
from bot.conversation import answering, offering, wishes
from bot.conversation.voice import Voice
from bot.languages import LANGUAGES, SOURCE
from bot.texts import Texts
from bot.web.render import render

LONGEST = 4096  # signs; no chat takes more


async def show_try(visit: Visit) -> web.Response:
    """The form, and under it what a question would bring.

    It changes nothing, and is sent all the same: in an address, a question would be too long and would be kept.
    """
    text = visit.form.get("text", "").strip()
    language = visit.form.get("language", "")
    problem = ""
    if len(text) > LONGEST:
        problem = visit.say("This is longer than {longest} signs; no chat takes that.", longest=LONGEST)
    elif language and language not in LANGUAGES:
        problem = visit.say("Choose a language from the list.")
    found = _found(visit, text, language) if text and not problem else None
    return visit.show(
        "try.html", status=422 if problem else 200, text=text, chosen=language, problem=problem, found=found
    )


def _found(visit: Visit, text: str, language: str) -> Mapping[str, Any]:
    """What was understood, and the reply as the person would see it. Nobody is asked for, nothing is kept."""
    understanding, texts = visit.understanding, Texts()
    chosen = LANGUAGES.get(language)
    meaning = understanding.understand(text, chosen=chosen)
    voice = Voice(visit.snapshot, texts, LANGUAGES[meaning.language], visit.today)
    search = offering.looked_for(voice, meaning, partial(understanding.search, text, meaning))
    replies = answering.reply_to(meaning, voice, text, search)
    for_staff = voice.speaking(LANGUAGES[visit.language])
    return {
        "meaning": meaning,
        "matches": [
            (match.slug, visit.snapshot.entries[match.slug].text(SOURCE).title, round(match.score * 100))
            for match in meaning.matches
        ],
        "search": wishes.in_words(for_staff, search) if search else "",
        "replies": render(answering.offering_languages(replies, meaning, voice, chosen), texts)["replies"],
    }
