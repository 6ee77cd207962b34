"""For walks over the console: the whole application with something of everything in it, and one way to ask."""

import datetime
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookies import Morsel, SimpleCookie
from pathlib import Path

from aiohttp import DummyCookieJar
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import desk, storage
from bot.app import Conversation, web_app
from bot.console import Console, add_console
from bot.console.console import COOKIE
from bot.conversation import Respond
from bot.knowledge import Holder
from bot.knowledge.editing import open_text
from bot.scheduling import slot_at
from bot.storage import bookings, staff, talks, tallies
from bot.storage.bookings import Asked, Booked
from bot.storage.schema import metadata
from bot.storage.schema import unanswered as unanswered_table
from bot.storage.staff import Member, Role
from bot.texts import Texts
from bot.understanding import Understanding
from bot.web.headers import CONTENT_SECURITY_POLICY
from tests.booking_knowledge import SCHOOL
from tests.conftest import Clock
from tests.console_client import Client, once
from tests.dialogue import nothing_waits

SLUG, LANGUAGE = "contact", "nl"
OTHER_SLUG = "school-find"
CLOSED_DAY, FREE_DAY = "2026-12-09", "2026-12-02"

Form = Mapping[str, str]


@dataclass(frozen=True)
class House:
    """The console, opened, and what stands in it."""

    client: Client
    database: AsyncEngine
    clock: Clock
    directory: Path
    code: str
    talk: int
    questions: Sequence[int]
    other: Member
    feed: str
    https: bool = False


@dataclass(frozen=True)
class Browser:
    """A browser that somebody signed in with."""

    member: Member
    session: str
    form_token: str


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    cookies: Sequence[Morsel[str]]
    text: str

    @property
    def is_page(self) -> bool:
        return self.headers.get("Content-Type", "").startswith("text/html")


# Opening


@asynccontextmanager
async def open_house(
    database: AsyncEngine, holder: Holder[Understanding], clock: Clock, directory: Path, respond: Respond
) -> AsyncIterator[House]:
    """The application as it is served, with bookings, conversations, questions and colleagues in it."""
    async with open_app(database, holder, clock, directory, respond) as client:
        async with storage.begin(database) as connection:
            other = await staff.add(connection, "Sofie", "desk", None, clock())
            assert other
            feed = await staff.make_feed(connection, other.id, SCHOOL.service)
        code = await _book(database, clock)
        talk, questions = await _fill(database, clock)
        yield House(client, database, clock, directory, code, talk, questions, other, feed)


@asynccontextmanager
async def open_app(
    database: AsyncEngine,
    holder: Holder[Understanding],
    clock: Clock,
    directory: Path,
    respond: Respond,
    *,
    https: bool = False,
) -> AsyncIterator[Client]:
    """The application as it is served, with nothing in it."""
    app = web_app(Conversation(respond, nothing_waits, holder, database, Texts()))
    add_console(Console(app, database, holder, directory, clock, https))
    async with TestClient(TestServer(app), cookie_jar=DummyCookieJar()) as client:
        yield client


async def _book(database: AsyncEngine, clock: Clock) -> str:
    """Book for today, and close a day ahead; the code of the booking."""
    slot = slot_at(SCHOOL, clock().replace(hour=12, minute=30))
    assert slot
    async with storage.begin(database) as connection:
        booked = await bookings.book(connection, slot, Asked("telegram", "1001", "uk", 3, 1, "i"), clock())
        assert isinstance(booked, Booked)
        closed = await desk.close(connection, SCHOOL, datetime.date.fromisoformat(CLOSED_DAY), None, clock())
        assert closed == []
    return booked.booking.code


async def _fill(database: AsyncEngine, clock: Clock) -> tuple[int, list[int]]:
    """A conversation and three questions; their numbers."""
    today = clock().date()
    asked = [{"day": today, "language": LANGUAGE, "text": f"vraag {each}", "state": "open"} for each in "abc"]
    async with storage.begin(database) as connection:
        talk = await talks.start(connection, "telegram", "1001", "ar", clock())
        await talks.from_person(connection, talk, "أبحث عن مدرسة لابني", clock())
        made = await connection.execute(insert(unanswered_table).returning(unanswered_table.c.id), asked)
        questions = [row.id for row in made]
        for _ in range(6):
            await tallies.count(connection, today, "answer", SLUG, "uk")
    return talk.id, questions


# Staff


async def enter(house: House, role: Role, label: str = "Noor") -> Browser:
    """Somebody with this role, signed in through a link."""
    async with storage.begin(house.database) as connection:
        member = await staff.add(connection, label, role, None, house.clock())
        assert member
    return await enter_again(house, member)


async def enter_again(house: House, member: Member) -> Browser:
    """Another browser of the same member."""
    async with storage.begin(house.database) as connection:
        token = await staff.make_link(connection, member.id, house.clock())
        session = await staff.sign_in(connection, token, house.clock())
        assert session
        opened = await staff.session_of(connection, session, house.clock())
        assert opened
    return Browser(member, session, opened.form_token)


# Asking


async def ask(
    house: House,
    method: str,
    path: str,
    browser: Browser | None = None,
    form: Form | None = None,
    headers: Form | None = None,
) -> Answer:
    """What a browser gets, which holds to the rules that every answer holds to."""
    cookie = {"Cookie": f"{COOKIE}={browser.session}"} if browser else {}
    sent = {"Accept-Language": "en", **cookie, **(headers or {})}
    async with house.client.request(method, path, data=form, headers=sent, allow_redirects=False) as response:
        text = await response.text()
        cookies = [
            morsel for line in response.headers.getall("Set-Cookie", []) for morsel in SimpleCookie(line).values()
        ]
        answer = Answer(response.status, response.headers, cookies, text)
    _check(f"{method} {path}", answer, https=house.https)
    return answer


def _check(where: str, answer: Answer, *, https: bool) -> None:
    """Headers, cookies and where it leads to."""
    assert answer.status != 500, where
    assert answer.headers.get("Cache-Control") == "no-store", where
    assert answer.headers.get("Content-Security-Policy") == CONTENT_SECURITY_POLICY, where
    assert answer.headers.get("X-Content-Type-Options") == "nosniff", where
    assert answer.headers.get("Referrer-Policy") == "same-origin", where
    for cookie in answer.cookies:
        flags = cookie["path"], cookie["samesite"], bool(cookie["httponly"]), bool(cookie["secure"])
        assert flags == ("/staff", "Strict", True, https), (where, cookie)
    if "Location" in answer.headers:
        place = answer.headers["Location"]
        assert place in ("/", "/staff") or place.startswith(("/staff/", "/staff?")), (where, place)
        assert "\\" not in place, (where, place)
        assert "//" not in place, (where, place)


def routes(house: House) -> list[tuple[str, str]]:
    """Method and path of every route of the console."""
    found = [(route.method, route.resource) for route in house.client.app.router.routes()]
    return [(method, at.canonical) for method, at in found if at and at.canonical.startswith("/staff")]


def address(house: House, path: str, *, good: bool = True) -> str:
    """A path with what it asks for filled in; `good`: tokens that open something."""
    filled = path.format(
        token=house.feed if good else "x" * 43,
        id=house.talk,
        slug=SLUG,
        language=LANGUAGE,
        name="days",
        rest="/nothing-here",
    )
    queries = {"/staff/booked": f"?code={house.code}"}
    return filled + queries.get(path, "")


def forms(house: House) -> Mapping[str, Form]:
    """Each form with values that do something, in an order in which none takes away what a later one needs."""
    dutch = open_text(house.directory, SLUG, LANGUAGE).text
    other = {"member": str(house.other.id)}
    first, second = (str(number) for number in house.questions[:2])
    return {
        "/staff/language": {"language": "en"},
        "/staff/try": {"text": "Waar is Amal?", "language": "nl"},
        "/staff/bookings/mark": {"code": house.code, "state": "fulfilled"},
        "/staff/book": {
            "service": "school",
            "slot": f"{FREE_DAY}T13:00Z",
            "people": "2",
            "language": "uk",
            "once": once(),
        },
        "/staff/close": {"service": "school", "day": FREE_DAY, "time": ""},
        "/staff/reopen": {"service": "school", "day": CLOSED_DAY, "time": ""},
        "/staff/feed": {"service": "school"},
        "/staff/conversations/{id}/say": {"text": "Goedemorgen", "once": once()},
        "/staff/conversations/{id}/sentence": {"number": "0", "once": once()},
        "/staff/conversations/{id}/close": {},
        "/staff/unanswered/add": {
            **{"ids": first, "entry": OTHER_SLUG, "language": LANGUAGE},
            "question": "Welke bus rijdt langs de school van mijn dochter?",
        },
        "/staff/unanswered/away": {"ids": second},
        "/staff/knowledge/{slug}/{language}/review": {"version": dutch.version},
        "/staff/knowledge/{slug}/{language}": {
            **{"action": "save", "version": dutch.version, "title": "Amal vinden", "body": dutch.body},
            **{"questions": "\n".join(dutch.questions), "keywords": ", ".join(dutch.keywords)},
        },
        "/staff/members/add": {"label": "Zoë", "role": "desk", "telegram": ""},
        "/staff/members/role": {**other, "role": "editor"},
        "/staff/members/link": other,
        "/staff/members/remove": other,
        "/staff/sign-out": {},
        "/staff/sign-out-everywhere": {},
    }


async def contents(house: House) -> Mapping[str, object]:
    """All that is kept: every row of every table, and every file of the knowledge."""
    kept: dict[str, object] = {}
    async with storage.begin(house.database) as connection:
        for table in metadata.sorted_tables:
            kept[table.name] = sorted(map(repr, await connection.execute(select(table))))
    for file in house.directory.rglob("*"):
        if file.is_file():
            kept[str(file)] = file.read_bytes()
    return kept


# Reading a page


class Page(HTMLParser):
    """What in a page could run or lead elsewhere. `tags`: each with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    @property
    def faults(self) -> list[str]:
        """Scripts and styles inside the page, and addresses that no page of ours has."""
        return [f"<{tag} {attributes}>" for tag, attributes in self.tags if not _is_harmless(tag, attributes)]

    @property
    def forms_without_token(self) -> list[str]:
        """Where forms lead to that change something and carry no token."""
        found, action, has = [], "", True
        for tag, attributes in [*self.tags, ("form", {})]:
            if tag == "form":
                if not has:
                    found.append(action)
                action, has = attributes.get("action") or "", (attributes.get("method") or "get") != "post"
            elif attributes.get("name") == "form_token" and attributes.get("value"):
                has = True
        return found


def _is_harmless(tag: str, attributes: Mapping[str, str | None]) -> bool:
    names = set(attributes)
    if tag in ("style", "iframe", "object", "embed", "base", "template", "noscript"):
        return False
    if tag == "script" and attributes.get("src") != "/static/staff.js":
        return False
    if names & {"style", "srcdoc", "formaction", "background", "ping"} or any(name.startswith("on") for name in names):
        return False
    loaded = [attributes.get(name) or "" for name in ("src", "action") if name in names]
    if tag == "link":
        loaded.append(attributes.get("href") or "")
    if any(not place.startswith("/") or place.startswith("//") for place in loaded):
        return False
    target = (attributes.get("href") or "").strip().lower()
    return not target.startswith(("javascript:", "data:", "vbscript:"))
