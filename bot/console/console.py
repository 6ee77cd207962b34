"""The console's frame: who may see which page, forms that cannot be forged, and one way to show a page.

Whoever is not signed in, or has too low a role, gets the same 404 as for a page that is not there.
"""

import datetime
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from aiohttp import web
from babel.dates import format_date, format_datetime
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import storage
from bot.knowledge import Holder, Snapshot
from bot.languages import LANGUAGES
from bot.scheduling import BRUSSELS, day_of
from bot.storage import staff
from bot.storage.staff import Role, Session
from bot.texts import STAFF, load_domain
from bot.understanding import Understanding

COOKIE, LANGUAGE_COOKIE = "wegwijs_staff", "wegwijs_staff_language"
FORM_TOKEN = "form_token"  # noqa: S105
_PLACE = re.compile(r"/staff(?:[/?#][!-\[\]-~]*)?")  # no `\`, no space, nothing that ends a header
_ONCE = re.compile(r"[\w-]{22}", re.ASCII)

log = structlog.get_logger(__name__)

Handler = Callable[["Visit"], Awaitable[web.StreamResponse]]


@dataclass
class Console:
    """What the pages need. `directory`: the knowledge files; `https`: cookies go over HTTPS only."""

    app: web.Application
    database: AsyncEngine
    knowledge: Holder[Understanding]
    directory: Path
    clock: Callable[[], datetime.datetime]
    https: bool = False
    pages: Environment = field(init=False)

    def __post_init__(self) -> None:
        self.pages = Environment(
            loader=PackageLoader("bot.console"),
            autoescape=select_autoescape(),
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )

    def get(self, path: str, role: Role, handler: Handler) -> None:
        """Show a page to members with this role or one above it."""
        self.app.router.add_get(path, self._guarded(role, handler), allow_head=False)

    def post(self, path: str, role: Role, handler: Handler) -> None:
        """Take a form from members with this role, when it comes from a page of ours."""
        self.app.router.add_post(path, self._guarded(role, handler))

    def _guarded(self, role: Role, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            session = await self.session_of(request)
            if session is None or not session.member.may(role):
                raise web.HTTPNotFound
            visit = Visit(self, request, session, await _form_of(request))
            if request.method == "POST" and not visit.is_ours():
                raise web.HTTPForbidden
            return await handler(visit)

        return guarded

    async def session_of(self, request: web.Request) -> Session | None:
        """Who is signed in with this browser; None where nobody is, or no longer."""
        token = request.cookies.get(COOKIE, "")
        if not token:
            return None
        async with storage.begin(self.database) as connection:
            return await staff.session_of(connection, token, self.clock())


async def _form_of(request: web.Request) -> dict[str, str]:
    if request.method != "POST":
        return {}
    try:
        sent = await request.post()
    except (ValueError, LookupError):  # not what a form sends
        raise web.HTTPBadRequest from None
    return {name: value for name, value in sent.items() if isinstance(value, str)}


@dataclass(frozen=True)
class Visit:
    """One request of a signed-in member. `form`: what they filled in."""

    console: Console
    request: web.Request
    session: Session
    form: dict[str, str]

    @property
    def now(self) -> datetime.datetime:
        return self.console.clock()

    @property
    def today(self) -> datetime.date:
        """The day in Brussels."""
        return day_of(self.now)

    @property
    def understanding(self) -> Understanding:
        return self.console.knowledge.current

    @property
    def snapshot(self) -> Snapshot:
        return self.understanding.snapshot

    @property
    def language(self) -> str:
        """`nl` or `en`: what the member chose, or what their browser asks for."""
        return language_of(self.request)

    @property
    def here(self) -> str:
        """The address of this page, to come back to; the first page where this answers a form that has none."""
        return self.request.path_qs if self._opens_again else "/staff"

    @property
    def _opens_again(self) -> bool:
        return any(route.method == "GET" for route in self.request.match_info.route.resource or ())

    def is_ours(self) -> bool:
        """Whether a form carries the token that its page was given, and was not sent by a page of somebody else."""
        sent = self.form.get(FORM_TOKEN, "").encode(errors="replace")
        return not is_from_elsewhere(self.request) and hmac.compare_digest(sent, self.session.form_token.encode())

    def say(self, message: str, **values: object) -> str:
        """A text for staff, in their language; `message` is its English."""
        return say(message, self.language, **values)

    def show(self, template: str, *, status: int = 200, **values: Any) -> web.Response:
        """A page. Templates have `say`, `visit`, `member`, `form_token`, `once`, `date`, `time` and `languages`.

        `once()` stands in a form that makes something; see `claim`.
        """
        html = self.console.pages.get_template(template).render(
            visit=self,
            say=self.say,
            language=self.language,
            member=self.session.member,
            form_token=self.session.form_token,
            once=lambda: secrets.token_urlsafe(16),
            path=self.request.path,
            date=self.date,
            time=self.time,
            languages=LANGUAGES,
            **values,
        )
        return web.Response(text=html, content_type="text/html", status=status)

    def date(self, day: datetime.date) -> str:
        """`woensdag 2 december 2026`"""
        return format_date(day, "full", locale=LANGUAGES[self.language].cldr)

    def time(self, at: datetime.datetime) -> str:
        """A moment on the clock of Brussels, with its day when that is not today."""
        local = at.astimezone(BRUSSELS)
        form = "HH:mm" if local.date() == self.today else "d MMM HH:mm"
        return format_datetime(local, form, locale=LANGUAGES[self.language].cldr)

    def go(self, path: str) -> web.Response:
        """Lead to another page of the console after a form; never anywhere else."""
        if not is_a_place(path):
            raise ValueError(path)
        return web.Response(status=303, headers={"Location": path})

    async def claim(self, connection: AsyncConnection) -> str | None:
        """Take this form in the transaction of what it makes; where it was sent before, the page that it led to."""
        return await staff.claim_form(connection, self._once, self.now)

    async def leads_to(self, connection: AsyncConnection, place: str) -> None:
        """Keep which page shows what this form has made, for when it is sent again."""
        await staff.form_leads_to(connection, self._once, place)

    @property
    def _once(self) -> str:
        once = self.form.get("once", "")
        if not _ONCE.fullmatch(once):
            raise web.HTTPForbidden  # no page of ours gave it out
        return once

    async def note(self, connection: AsyncConnection, what: str, about: str = "") -> None:
        """Leave a line in the log, in the transaction of what was done."""
        await staff.note(connection, self.session.member.label, what, about, self.now)


def say(message: str, language: str, /, **values: object) -> str:
    """A text for staff in Dutch or English."""
    translated = load_domain(STAFF, language).gettext(message)
    return translated.format(**values) if values else translated


def is_a_place(path: str) -> bool:
    """Whether a path leads to the console, whatever a browser makes of it: it reads `\\` as `/`, and `%2e` as a dot."""
    plain = unquote(path.partition("?")[0].partition("#")[0])
    return bool(_PLACE.fullmatch(path)) and "//" not in path and ".." not in plain


def is_from_elsewhere(request: web.Request) -> bool:
    """Whether a page of somebody else sent this."""
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != request.host


def is_of_console(request: web.Request) -> bool:
    """Whether an address is one of the console, there or not."""
    return request.path == "/staff" or request.path.startswith("/staff/")


def language_of(request: web.Request) -> str:
    """`nl` or `en`."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in ("nl", "en"):
        return chosen
    wanted = (part.strip()[:2].lower() for part in request.headers.get("Accept-Language", "nl").split(","))
    return next((code for code in wanted if code in ("nl", "en")), "en")


def add_console(console: Console) -> None:
    """Serve every page of the console."""
    from bot.console import conversations, editing, figures, members, refusals, signing, today, unanswered

    console.app.middlewares.append(refusals.refusing(console))
    for page in (signing, today, conversations, unanswered, editing, figures, members):
        page.add(console)
    # For every other path and method: that a page takes another method tells nobody that it is there.
    console.app.router.add_route("*", "/staff{rest:(/.*)?}", _not_there)
    console.app.on_response_prepare.append(_seclude)


async def _not_there(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound


async def _seclude(request: web.Request, response: web.StreamResponse) -> None:
    """An aiohttp `on_response_prepare` signal, after `bot.web.secure`: nothing of the console is kept by a cache.

    A browser that may not say where it comes from hides the origin of a form too, which `Visit.is_ours` looks at.
    """
    if is_of_console(request):
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "same-origin"
