"""Signing in with a link that works once, signing out, and the language of the console.

A link is used up by pressing a button, not by opening it: chats open links by themselves to show what is behind them.
"""

from urllib.parse import quote

from aiohttp import web

from bot import storage
from bot.console.console import COOKIE, LANGUAGE_COOKIE, Console, Visit, is_a_place, is_from_elsewhere, language_of, say
from bot.knowledge.problems import marked
from bot.limits import Limit
from bot.storage import staff
from bot.web.limiting import address_of

ENTER = "/staff/enter"
_TRIES = 20  # so many links a minute are looked at for one address
_YEAR = 365 * 24 * 3600


def link(address: str, token: str) -> str:
    """The address that signs somebody in."""
    return f"{address}{ENTER}/{quote(token)}"


def add(console: Console) -> None:
    """Serve signing in and out."""
    tries = Limit(_TRIES, _TRIES)

    def slow_down(request: web.Request) -> None:
        if not tries.allows(address_of(request), console.clock().timestamp()):
            raise web.HTTPTooManyRequests

    async def door(request: web.Request) -> web.Response:
        """The page behind a link: one button."""
        slow_down(request)
        async with storage.begin(console.database) as connection:
            good = await staff.link_is_good(connection, request.match_info["token"], console.clock())
        if not good:
            raise web.HTTPNotFound
        return _door(console, request)

    async def enter(request: web.Request) -> web.Response:
        if is_from_elsewhere(request):
            raise web.HTTPForbidden
        slow_down(request)
        async with storage.begin(console.database) as connection:
            session = await staff.sign_in(connection, request.match_info["token"], console.clock())
            known = await staff.session_of(connection, session, console.clock()) if session else None
            if known:
                await staff.note(connection, known.member.label, marked("sign in"), "", console.clock())
        if session is None:
            raise web.HTTPNotFound
        response = web.Response(status=303, headers={"Location": "/staff"})
        seconds = int(staff.SESSION_LIVES.total_seconds())
        response.set_cookie(
            COOKIE, session, max_age=seconds, path="/staff", httponly=True, samesite="Strict", secure=console.https
        )
        return response

    console.app.router.add_get(f"{ENTER}/{{token}}", door, allow_head=False)
    console.app.router.add_post(f"{ENTER}/{{token}}", enter)
    console.post("/staff/sign-out", "desk", _sign_out)
    console.post("/staff/sign-out-everywhere", "desk", _sign_out_everywhere)
    console.post("/staff/language", "desk", _choose_language)


def _door(console: Console, request: web.Request) -> web.Response:
    language = language_of(request)
    html = console.pages.get_template("door.html").render(
        language=language, say=lambda message: say(message, language), path=request.path
    )
    return web.Response(text=html, content_type="text/html")


async def _sign_out(visit: Visit) -> web.Response:
    async with storage.begin(visit.console.database) as connection:
        await staff.sign_out(connection, visit.session)
    return _out(visit)


async def _sign_out_everywhere(visit: Visit) -> web.Response:
    async with storage.begin(visit.console.database) as connection:
        ended = await staff.sign_out_everywhere(connection, visit.session.member.id)
        await visit.note(connection, marked("sign out everywhere"), str(ended))
    return _out(visit)


def _out(visit: Visit) -> web.Response:
    response = web.Response(status=303, headers={"Location": "/"})
    response.del_cookie(COOKIE, path="/staff", httponly=True, samesite="Strict", secure=visit.console.https)
    return response


async def _choose_language(visit: Visit) -> web.Response:
    chosen, path = visit.form.get("language", ""), visit.form.get("path", "")
    response = visit.go(path if is_a_place(path) else "/staff")
    if chosen in ("nl", "en"):
        response.set_cookie(
            LANGUAGE_COOKIE,
            chosen,
            max_age=_YEAR,
            path="/staff",
            httponly=True,
            samesite="Strict",
            secure=visit.console.https,
        )
    return response
