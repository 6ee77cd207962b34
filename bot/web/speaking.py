"""Which language to speak to a browser of which nothing else is known."""

from aiohttp import web

from bot.languages import LANGUAGES, Language, language_of

DEFAULT = LANGUAGES["en"]


def wanted_language(request: web.Request) -> Language | None:
    """The first of our languages that the browser asks for."""
    wanted = request.headers.get("Accept-Language", "").split(",")
    tags = (part.partition(";")[0].strip() for part in wanted)
    return next((language for tag in tags if (language := language_of(tag))), None)


def spoken_language(request: web.Request) -> Language:
    """The language of what we say of ourselves: English where the browser asks for none of ours."""
    return wanted_language(request) or DEFAULT
