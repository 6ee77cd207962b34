"""The console as staff see it: a real Chromium, a phone and a desk, Dutch and English, by keyboard, for everybody."""

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.console import Console, add_console
from bot.console.console import COOKIE
from bot.knowledge import Holder
from bot.storage import staff, talks
from bot.understanding import Understanding
from bot.web import secure
from bot.web.chat import STATIC
from tests.conftest import KNOWLEDGE, ROOT
from tests.console_day import NOW, Day, furnish, on_that_day

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCREENSHOTS, PICTURES = ROOT / "var" / "screenshots", ROOT / "docs" / "pictures"
WIDTHS = {"phone": (360, 740), "desk": (1280, 900)}
LOCALES = {"nl": "nl-BE", "en": "en-GB"}

# Each page, and what one comes there to do: a keyboard has to get there.
PAGES = {
    "today": ("/staff", "button[name=state][value=fulfilled]"),
    "print": ("/staff/print", "[tabindex='0']"),
    "book": ("/staff/book?service=school", "main form button"),
    "booked": ("/staff/booked?code=C8HVE", "main a.button"),
    "conversations": ("/staff/conversations", "main table a"),
    "conversation": ("/staff/conversations/{talk}", "form[action$='/say'] button"),
    "unanswered": ("/staff/unanswered", "form[action$='/add'] button"),
    "knowledge": ("/staff/knowledge", "a.mark"),
    "entry": ("/staff/knowledge/school-find/nl", "button[value=save]"),
    "entry-arabic": ("/staff/knowledge/school-find/ar", "button[value=save]"),
    "try": ("/staff/try", "main form button"),
    "try-offers": ("/staff/try", "main form button"),
    "figures": ("/staff/figures", "main form button"),
    "log": ("/staff/log", "main [tabindex='0']"),
    "members": ("/staff/members", "form[action$='/add'] button"),
    "door": ("{door}", "main button"),
}
TRIED = {"try": ("Waar vind ik een school voor mijn zoon?", "nl"), "try-offers": ("دورة هولندية", "ar")}
# By language: the colours, and the widths one after another. What takes long is done at the last width.
LOOKS: Mapping[str, tuple[Literal["light", "dark"], tuple[str, ...]]] = {
    "nl": ("dark", ("desk", "phone")),
    "en": ("light", ("phone", "desk")),
}
IN_THE_GUIDE = ("today", "unanswered", "knowledge", "conversation", "figures")

Desks = Mapping[str, BrowserContext]

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("CI"), reason="Chromium is not installed (apt install chromium)"
    ),
]


@dataclass(frozen=True)
class Site:
    """The console as it is served, and what stands in it."""

    address: str
    database: AsyncEngine
    day: Day
    door: str

    def place(self, path: str) -> str:
        return self.address + path.format(talk=self.day.talk, door=self.door)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        options = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield opened
        await opened.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(understanding: Understanding, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One console for all: what differs between the databases is tested elsewhere."""
    file = tmp_path_factory.mktemp("console") / "wegwijs.db"
    async with storage.open_storage(f"sqlite+aiosqlite:///{file}") as database:
        await storage.migrate(database)
        async with storage.begin(database) as connection:
            day = await furnish(connection)
            door = f"/staff/enter/{await staff.make_link(connection, day.member.id, NOW)}"
        app = web.Application()
        app.on_response_prepare.append(secure)
        app.router.add_static("/static", STATIC)
        add_console(Console(app, database, Holder(on_that_day(understanding)), KNOWLEDGE, lambda: NOW))
        async with TestServer(app) as server:
            yield Site(str(server.make_url("")).rstrip("/"), database, day, door)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desks(browser: Browser, site: Site) -> Desks:
    """For each language, a browser that is signed in; opening one for every test would take half the time."""
    return {language: await _signed_in(browser, site, language) for language in LOCALES}


async def _signed_in(browser: Browser, site: Site, language: str, **options: Any) -> BrowserContext:
    context = await browser.new_context(locale=LOCALES[language], **options)
    await context.add_cookies([{"name": COOKIE, "value": site.day.session, "url": f"{site.address}/staff"}])
    return context


@asynccontextmanager
async def _look(desk: BrowserContext, place: str, width: str = "desk") -> AsyncIterator[Page]:
    """A page, in which nothing may go wrong."""
    errors: list[str] = []
    page = await desk.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type in ("error", "warning") else None)
    page.on("requestfailed", lambda request: errors.append(f"failed: {request.url}"))
    page.on("response", lambda got: errors.append(f"{got.status}: {got.url}") if got.status >= 400 else None)
    await _resize(page, width)
    await page.goto(place)
    yield page
    assert errors == []
    await page.close()


async def _resize(page: Page, width: str) -> None:
    across, down = WIDTHS[width]
    await page.set_viewport_size({"width": across, "height": down})


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("name", PAGES)
async def test_a_page_fits_is_without_errors_and_serves_everybody(
    desks: Desks, site: Site, name: str, language: str
) -> None:
    path, action = PAGES[name]
    colours, widths = LOOKS[language]
    async with _look(desks[language], site.place(path), widths[0]) as page:
        assert await page.get_attribute("html", "lang") == language
        if name in TRIED:
            await _try(page, *TRIED[name])
        for width in widths:
            await _fits(page, width, f"{name}-{WIDTHS[width][0]}-{language}")
            if os.environ.get("WEGWIJS_PICTURES") and name in IN_THE_GUIDE and (width, language) == ("desk", "nl"):
                await page.screenshot(path=PICTURES / f"{name}.png")
        await page.emulate_media(color_scheme=colours)
        assert await _barriers(page) == []
        if language == "en":
            await _reach(page, action)


async def _try(page: Page, question: str, language: str) -> None:
    await page.fill("#text", question)
    await page.select_option("#language", language)
    await page.click("main form button")
    await expect(page.locator(".bubble").first).to_be_visible()


async def _fits(page: Page, width: str, name: str) -> None:
    """Nothing is wider than the window. A picture of the whole page is kept."""
    await _resize(page, width)
    assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    await page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


async def _reach(page: Page, wanted: str) -> None:
    """Press the tab key until what is wanted has the focus, and shows it."""
    for _ in range(150):
        await page.keyboard.press("Tab")
        if await page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            break
    else:
        pytest.fail(f"no keyboard reaches {wanted}")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert await page.evaluate(outline) != "none"


async def _barriers(page: Page) -> list[str]:
    """What axe finds that keeps somebody out."""
    found = await Axe().run(page, options={"resultTypes": ["violations"]})
    serious = [each for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
    return [f"{each['id']}: {[(node['target'], node['failureSummary']) for node in each['nodes']]}" for each in serious]


async def test_what_keeps_somebody_out_is_found(desks: Desks, site: Site) -> None:
    """Without this, the silence of the test above would show nothing."""
    async with _look(desks["en"], site.place("/staff")) as page:
        await page.evaluate(
            "document.querySelector('h1').style.color = '#ccd0cf';"
            "document.querySelector('#day').previousElementSibling.remove();"
        )
        found = " ".join(await _barriers(page))
        assert "color-contrast" in found
        assert "label" in found


# By keyboard alone


async def test_somebody_is_marked_as_arrived_by_keyboard(desks: Desks, site: Site) -> None:
    async with _look(desks["en"], site.place("/staff")) as page:
        row = page.locator("#b-QX52J")
        await expect(row).to_contain_text("expected")
        await _reach(page, "#b-QX52J button[value=fulfilled]")
        await page.keyboard.press("Enter")
        await expect(row).to_contain_text("arrived")
        assert page.url.endswith("#b-QX52J")
        await _reach(page, "#b-QX52J button[value=booked]")
        await page.keyboard.press("Space")
        await expect(row).to_contain_text("expected")


async def test_a_conversation_is_answered_by_keyboard(desks: Desks, site: Site) -> None:
    async with _look(desks["nl"], site.place("/staff/conversations/{talk}"), "phone") as page:
        await _reach(page, "#text")
        await page.keyboard.type("نعم، غدا الساعة 10. 🙂")
        await _reach(page, "form[action$='/say'] button")
        await page.keyboard.press("Enter")
        await expect(page.locator("#said .staff .words").last).to_have_text("نعم، غدا الساعة 10. 🙂")
        await expect(page.locator("#text")).to_have_value("")


async def test_the_first_tab_leads_past_the_menu(desks: Desks, site: Site) -> None:
    async with _look(desks["en"], site.place("/staff/conversations")) as page:
        await page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the page")
        await expect(skip).to_be_focused()
        await expect(skip).to_be_in_viewport()
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_be_focused()


async def test_what_cannot_be_undone_is_asked_first(desks: Desks, site: Site) -> None:
    async with _look(desks["en"], site.place("/staff/conversations/{talk}")) as page:
        asked: list[str] = []

        async def refuse(dialog: Any) -> None:
            asked.append(dialog.message)
            await dialog.dismiss()

        page.on("dialog", refuse)
        await page.get_by_role("button", name="Close this conversation").click()
        assert asked == ["Close this conversation? It cannot be opened again."]
        async with storage.begin(site.database) as connection:
            talk = await talks.get(connection, site.day.talk)
        assert talk
        assert talk.closed_at is None


@pytest.mark.parametrize(("path", "which"), [("/staff/log", 0), ("/staff/members", 1)])
async def test_signing_out_everywhere_is_asked_first(desks: Desks, site: Site, path: str, which: int) -> None:
    async with _look(desks["en"], site.place(path)) as page:
        asked: list[str] = []

        async def refuse(dialog: Any) -> None:
            asked.append(dialog.message)
            await dialog.dismiss()

        page.on("dialog", refuse)
        await page.get_by_role("button", name="Sign out everywhere").nth(which).click()
        assert asked == ["Sign out in every browser? Your calendar addresses stop working too."]
        await page.goto(site.place("/staff"))
        await expect(page.locator("h1")).to_contain_text("Permanences on")


async def test_new_words_appear_and_what_is_being_typed_stays(desks: Desks, site: Site) -> None:
    async with _look(desks["en"], site.place("/staff/conversations/{talk}")) as page:
        await page.fill("#text", "Ik schrijf nog")
        async with storage.begin(site.database) as connection:
            talk = await talks.get(connection, site.day.talk)
            assert talk
            await talks.from_person(connection, talk, "شكرا <b>جزيلا</b>", NOW)
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(page.locator("#said .words").last).to_have_text("شكرا <b>جزيلا</b>")
        await expect(page.locator("#news")).to_have_text("There is something new in this conversation.")
        await expect(page.locator("#text")).to_have_value("Ik schrijf nog")


async def test_without_scripts_the_forms_work_too(browser: Browser, site: Site) -> None:
    context = await _signed_in(browser, site, "en", java_script_enabled=False)
    page = await context.new_page()
    await page.goto(site.place("/staff"))
    row = page.locator("#b-C8HVE")
    await row.get_by_role("button", name="Not come").click()
    await expect(row).to_contain_text("did not come")
    await row.get_by_role("button", name="Take back").click()
    await expect(row).to_contain_text("expected")
    await context.close()


async def test_a_link_signs_in_and_signing_out_leaves_nothing_open(browser: Browser, site: Site) -> None:
    async with storage.begin(site.database) as connection:
        door = f"/staff/enter/{await staff.make_link(connection, site.day.member.id, NOW)}"
    context = await browser.new_context(locale="nl-BE")
    page = await context.new_page()
    await page.goto(site.place(door))
    await page.get_by_role("button", name="Aanmelden").click()
    await expect(page.locator("h1")).to_contain_text("25 november 2026")
    await page.get_by_role("button", name="English").click()
    await expect(page.locator("h1")).to_contain_text("25 November 2026")
    await page.locator("form[action='/staff/sign-out'] button").click()
    response = await page.goto(site.place("/staff"))
    assert response
    assert response.status == 404
    await page.go_back()
    assert "Noor" not in await page.content()
    await context.close()
