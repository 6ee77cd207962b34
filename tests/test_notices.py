"""The web chat with a place, a file, and words that nobody asked for just now: over HTTP, and in a browser."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.conversation import Button, Event, Link, Press, Reply, Respond
from bot.languages import LANGUAGES
from bot.storage import Unavailable
from bot.texts import Texts
from bot.web import add_chat, secure
from tests.conftest import eventually
from tests.test_channels import BOOKED, CALENDAR, REMINDER

Client = TestClient[web.Request, web.Application]


class Waiting:
    """What waits for each chat, and how often it was asked for."""

    def __init__(self) -> None:
        self.replies: dict[str, list[Reply]] = {}
        self.asked: list[str] = []
        self.seen: set[int] = set()
        self.away = False

    async def fetch(self, chat: str, seen: Collection[int]) -> Sequence[tuple[int, Reply]]:
        if self.away:
            raise Unavailable
        self.asked.append(chat)
        self.seen |= set(seen)
        return [each for each in enumerate(self.replies.get(chat, [])) if each[0] not in self.seen]


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


def _web_app(respond: Respond, waiting: Waiting, catalogues: Texts) -> web.Application:
    app = web.Application()
    app.on_response_prepare.append(secure)
    add_chat(app, respond, catalogues, waiting.fetch, lambda _language: "")
    return app


class Heard:
    """A conversation that remembers who spoke last."""

    chat = ""

    async def respond(self, event: Event) -> Sequence[Reply]:
        self.chat = event.speaker.chat
        if isinstance(event, Press):
            return (Reply("Pressed.", LANGUAGES["en"], replaces=True),)
        more = Button("More", Link("https://www.amal.gent"))
        return (replace(BOOKED, rows=((more,),)),)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def client(heard: Heard, waiting: Waiting, catalogues: Texts) -> AsyncIterator[Client]:
    async with TestClient(TestServer(_web_app(heard.respond, waiting, catalogues))) as opened:
        yield opened


async def _notices(client: Client, seen: str = "") -> list[dict[str, Any]]:
    response = await client.get("/chat/notices", params={"seen": seen})
    assert (response.status, response.headers["Cache-Control"]) == (200, "no-store")
    replies: list[dict[str, Any]] = (await response.json())["replies"]
    return replies


async def test_the_page_gets_the_place_as_a_link_and_the_file_whole(client: Client) -> None:
    [reply] = (await (await client.post("/chat", json={})).json())["replies"]
    assert reply["venue"] == {
        "label": "📍 Amal, Kongostraat 42, 9000 Gent",
        "url": "https://www.openstreetmap.org/?mlat=51.062840&mlon=3.730450#map=18/51.062840/3.730450",
    }
    assert (reply["document"]["name"], reply["document"]["type"]) == ("wegwijs-7K3M.ics", "text/calendar")


async def test_who_never_spoke_has_no_notices(client: Client, waiting: Waiting) -> None:
    assert await _notices(client) == []
    assert waiting.asked == []


async def test_a_notice_is_for_the_browser_of_that_chat(
    client: Client, heard: Heard, waiting: Waiting, catalogues: Texts
) -> None:
    await client.post("/chat", json={})
    waiting.replies[heard.chat] = [REMINDER]
    async with TestClient(TestServer(_web_app(heard.respond, waiting, catalogues))) as other:
        await other.post("/chat", json={})
        assert await _notices(other) == []
    [notice] = await _notices(client)
    assert (notice["lang"], notice["dir"], "موعد" in notice["html"]) == ("ar", "rtl", True)


async def test_a_notice_is_given_again_until_the_page_says_that_it_has_shown_it(
    client: Client, heard: Heard, waiting: Waiting
) -> None:
    await client.post("/chat", json={})
    waiting.replies[heard.chat] = [REMINDER, REMINDER]
    first, second = await _notices(client)
    assert await _notices(client, "x,,-1,²") == [first, second]
    assert await _notices(client, str(first["id"])) == [second]
    assert await _notices(client, f"{first['id']},{second['id']}") == []


async def test_a_long_cookie_names_the_same_chat_for_notices(client: Client, heard: Heard, waiting: Waiting) -> None:
    await client.post("/chat", json={}, cookies={"wegwijs_chat": "x" * 100})
    await client.get("/chat/notices", cookies={"wegwijs_chat": "x" * 100})
    assert waiting.asked == [heard.chat]


@pytest.mark.parametrize("destination", ["document", "image", "iframe"])
async def test_a_link_or_an_image_cannot_take_notices_away(client: Client, waiting: Waiting, destination: str) -> None:
    await client.post("/chat", json={})
    response = await client.get("/chat/notices", headers={"Sec-Fetch-Dest": destination})
    assert response.status == 403
    assert waiting.asked == []


async def test_notices_while_the_database_is_away_are_for_later(client: Client, waiting: Waiting) -> None:
    await client.post("/chat", json={})
    waiting.away = True
    assert (await client.get("/chat/notices")).status == 503


# The page in a browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
in_a_browser = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="Chromium is not installed (apt install chromium)"
)
# A page cannot be hidden here, so it is told that it is.
HIDING = """
    const { get } = Object.getOwnPropertyDescriptor(Document.prototype, "hidden");
    Object.defineProperty(document, "hidden", { get: () => window.put_away || get.call(document) });
"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        options = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield opened
        await opened.close()


@pytest.fixture
async def page(browser: Browser, client: Client, waiting: Waiting) -> AsyncIterator[Page]:
    """The opened chat, with a clock that stands still; the page may not complain about anything."""
    errors: list[str] = []
    opened = await (await browser.new_context(locale="en-GB", viewport={"width": 360, "height": 740})).new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    await opened.add_init_script(HIDING)
    await opened.clock.install()
    await opened.goto(str(client.make_url("/")))
    await expect(opened.locator("article")).to_have_count(1)
    await eventually(lambda: len(waiting.asked) == 1)
    yield opened
    assert errors == [] or waiting.away


@in_a_browser
async def test_the_file_is_saved_under_its_name_by_a_press(page: Page) -> None:
    async with page.expect_download() as download:
        await page.get_by_role("button", name="📄 wegwijs-7K3M.ics").click()
    saved = await download.value
    assert saved.suggested_filename == "wegwijs-7K3M.ics"
    assert await asyncio.to_thread(Path(await saved.path()).read_bytes) == CALENDAR
    await expect(page.locator("article")).to_have_count(1)


@in_a_browser
async def test_the_place_is_a_link_to_a_map_before_the_buttons(page: Page) -> None:
    place = page.get_by_role("link", name="📍 Amal, Kongostraat 42, 9000 Gent")
    address = await place.get_attribute("href")
    assert address
    assert address.startswith("https://www.openstreetmap.org/?mlat=51.06")
    assert await place.get_attribute("target") == "_blank"
    assert await page.locator("article .row > *").all_text_contents() == [
        "📍 Amal, Kongostraat 42, 9000 Gent",
        "📄 wegwijs-7K3M.ics",
        "More",
    ]
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@in_a_browser
async def test_a_notice_comes_within_half_a_minute_and_replaces_nothing(
    page: Page, heard: Heard, waiting: Waiting
) -> None:
    waiting.replies[heard.chat] = [REMINDER]
    await page.clock.fast_forward(29_000)
    assert len(waiting.asked) == 1
    await page.clock.fast_forward(1_000)
    await expect(page.locator("article")).to_have_count(2)
    notice = page.locator("article").last
    await expect(notice).to_contain_text("غدًا لديكم موعد.")
    await expect(notice).to_have_attribute("dir", "rtl")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    assert waiting.asked == [heard.chat] * 2


@in_a_browser
async def test_a_notice_that_waited_is_shown_when_the_chat_is_opened(
    page: Page, heard: Heard, waiting: Waiting
) -> None:
    waiting.replies[heard.chat] = [REMINDER]
    await page.reload()
    await expect(page.locator("article").last).to_contain_text("غدًا لديكم موعد.")


@in_a_browser
async def test_a_page_that_is_put_away_asks_for_nothing_until_it_is_back(
    page: Page, heard: Heard, waiting: Waiting
) -> None:
    waiting.replies[heard.chat] = [REMINDER]
    await page.evaluate("window.put_away = true")
    await page.clock.fast_forward(3_600_000)
    assert len(waiting.asked) == 1
    await page.evaluate("window.put_away = false; document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.locator("article")).to_have_count(2)


@in_a_browser
async def test_a_fault_while_asking_for_notices_is_not_shown(page: Page, heard: Heard, waiting: Waiting) -> None:
    waiting.away = True
    async with page.expect_response("**/chat/notices"):
        await page.clock.fast_forward(30_000)
    await expect(page.locator("#status")).to_have_text("")
    await page.route("**/chat/notices", lambda route: asyncio.ensure_future(route.abort()))
    await page.clock.fast_forward(30_000)
    await expect(page.locator("#status")).to_have_text("")
    await expect(page.locator("article")).to_have_count(1)
