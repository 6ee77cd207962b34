"""The web chat: a page at `/`, and JSON to events and back at `/chat`."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, select_autoescape
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.conversation import Button, Event, Link, Press, Reply, Respond, Speaker, Start, Utterance
from bot.conversation.steps import pack
from bot.languages import LANGUAGES, Language, language_of
from bot.markup import to_html
from bot.storage import Unavailable
from bot.texts import Texts

CHANNEL = "web"
COOKIE = "wegwijs_chat"
STATIC = Path(__file__).parent / "static"
LONGEST_BODY = 64 * 1024
_COOKIE_SECONDS = 365 * 24 * 3600
_DEFAULT = LANGUAGES["en"]


class _Said(BaseModel):
    """What the page sends: words, or a pressed button, or neither when the chat opens."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = None
    press: str | None = None


def add_chat(app: web.Application, respond: Respond, texts: Texts) -> None:
    """Serve the page, its files and its endpoint."""
    pages = Environment(loader=PackageLoader("bot.web"), autoescape=select_autoescape(), trim_blocks=True)

    async def page(request: web.Request) -> web.Response:
        language = _language_of(request) or _DEFAULT
        html = pages.get_template("chat.html").render(
            language=language, labels=_labels(texts, language), text=lambda message: texts.text(message, language.code)
        )
        return web.Response(text=html, content_type="text/html", headers={"Vary": "Accept-Language"})

    async def chat(request: web.Request) -> web.Response:
        chat_id = request.cookies.get(COOKIE) or secrets.token_urlsafe(24)
        language = _language_of(request)
        event = await _parse(request, Speaker(CHANNEL, chat_id[:64], language.code if language else None))
        try:
            replies = await respond(event)
        except Unavailable:
            sorry = texts.text(
                "Something went wrong on our side. I am sorry. Please try again in a few minutes.",
                (language or _DEFAULT).code,
            )
            return web.json_response({"error": sorry}, status=503)
        response = web.json_response(_render(replies, texts))
        response.set_cookie(
            COOKIE, chat_id, max_age=_COOKIE_SECONDS, httponly=True, samesite="Lax", secure=request.secure
        )
        return response

    app.router.add_get("/", page)
    app.router.add_post("/chat", chat)
    app.router.add_static("/static", STATIC)


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


def _render(replies: Sequence[Reply], texts: Texts) -> Mapping[str, Any]:
    spoken = replies[-1].language if replies else _DEFAULT
    return {
        "replies": [_render_reply(reply) for reply in replies],
        "page": {"lang": spoken.code, "dir": spoken.direction, "labels": _labels(texts, spoken)},
    }


def _render_reply(reply: Reply) -> Mapping[str, Any]:
    return {
        "html": to_html(reply.text, reply.language.direction),
        "lang": reply.language.code,
        "dir": reply.language.direction,
        "replaces": reply.replaces,
        "rows": [[_render_button(button) for button in row] for row in reply.rows],
    }


def _render_button(button: Button) -> Mapping[str, str]:
    if isinstance(button.target, Link):
        return {"label": button.label, "url": button.target.url}
    return {"label": button.label, "press": pack(button.target)}


def _labels(texts: Texts, language: Language) -> Mapping[str, str]:
    """What the page itself says."""
    code = language.code
    return {
        "title": texts.text("Wegwijs: your questions about living in Ghent", code),
        "question": texts.text("Your question", code),
        "send": texts.text("Send", code),
        "you": texts.text("You", code),
        "writing": texts.text("Wegwijs is writing…", code),
        "offline": texts.text("No connection. Please try again.", code),
    }


def _language_of(request: web.Request) -> Language | None:
    """The first of our languages that the browser asks for."""
    wanted = request.headers.get("Accept-Language", "").split(",")
    tags = (part.partition(";")[0].strip() for part in wanted)
    return next((language for tag in tags if (language := language_of(tag))), None)
