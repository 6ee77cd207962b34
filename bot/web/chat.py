"""The web chat: a page at `/`, JSON to events and back at `/chat`, and what came unasked at `/chat/notices`."""

import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, PackageLoader, select_autoescape
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.conversation import Event, Press, Reply, Respond, Speaker, Start, Utterance
from bot.languages import Language
from bot.markup import to_html
from bot.storage import Unavailable
from bot.texts import Texts
from bot.web.render import labels, render, render_notices
from bot.web.speaking import spoken_language, wanted_language

# What waits for a chat, each with a number; it is given again until it is among the numbers that were seen.
Fetch = Callable[[str, Collection[int]], Awaitable[Sequence[tuple[int, Reply]]]]
# What a page says that cannot chat: Markdown that names other ways to help.
Ways = Callable[[Language], str]

CHANNEL = "web"
COOKIE = "wegwijs_chat"
STATIC = Path(__file__).parent / "static"
LONGEST_BODY = 64 * 1024
_COOKIE_SECONDS = 365 * 24 * 3600


class _Said(BaseModel):
    """What the page sends: words, or a pressed button, or neither when the chat opens."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = None
    press: str | None = None


def add_chat(app: web.Application, respond: Respond, texts: Texts, fetch: Fetch, ways: Ways) -> None:
    """Serve the page, its files and its endpoints. `fetch` gives what waited for a chat, such as a reminder; `ways`
    says where a person finds help whose browser runs no scripts."""
    pages = Environment(loader=PackageLoader("bot.web"), autoescape=select_autoescape(), trim_blocks=True)

    async def page(request: web.Request) -> web.Response:
        language = spoken_language(request)
        html = pages.get_template("chat.html").render(
            language=language, labels=labels(texts, language), ways=to_html(ways(language), language.direction)
        )
        return web.Response(text=html, content_type="text/html", headers={"Vary": "Accept-Language"})

    async def chat(request: web.Request) -> web.Response:
        chat_id = _chat_of(request) or secrets.token_urlsafe(24)
        language = wanted_language(request)
        event = await _parse(request, Speaker(CHANNEL, chat_id, language.code if language else None))
        try:
            replies = await respond(event)
        except Unavailable:
            sorry = texts.text(
                "Something went wrong on our side. I am sorry. Please try again in a few minutes.",
                spoken_language(request).code,
            )
            return web.json_response({"error": sorry}, status=503)
        response = web.json_response(render(replies, texts))
        response.set_cookie(
            COOKIE, chat_id, max_age=_COOKIE_SECONDS, httponly=True, samesite="Lax", secure=request.secure
        )
        return response

    app.router.add_get("/", page)
    app.router.add_post("/chat", chat)
    app.router.add_get("/chat/notices", _notices(fetch))
    app.router.add_static("/static", STATIC)


def _notices(fetch: Fetch) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def notices(request: web.Request) -> web.Response:
        # A link, an image or a frame could say that something was seen that the page has not shown.
        if request.headers.get("Sec-Fetch-Dest", "empty") != "empty":
            raise web.HTTPForbidden
        chat_id = _chat_of(request)
        try:
            waiting = await fetch(chat_id, _seen(request)) if chat_id else ()
        except Unavailable:
            raise web.HTTPServiceUnavailable from None
        return web.json_response(render_notices(waiting), headers={"Cache-Control": "no-store"})

    return notices


def _seen(request: web.Request) -> Collection[int]:
    """The numbers of what the page has shown."""
    return {int(number) for number in request.query.get("seen", "").split(",") if number.isdecimal()}


def _chat_of(request: web.Request) -> str | None:
    """The chat of this browser; None before its first word."""
    return request.cookies.get(COOKIE, "")[:64] or None


async def _parse(request: web.Request, speaker: Speaker) -> Event:
    """The event in a request; answers 4xx to what our page never sends."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        said = _Said.model_validate_json(await request.read())
    except ValidationError:
        raise web.HTTPBadRequest from None
    if said.press is not None:
        return Press(data=said.press, speaker=speaker)
    if said.text is not None:
        return Utterance(text=said.text, speaker=speaker)
    return Start(speaker=speaker)
