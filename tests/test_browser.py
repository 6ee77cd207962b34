"""The web chat as people see it: a real Chromium, a phone's width, right to left, by keyboard."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, async_playwright, expect
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.app import Conversation, web_app
from bot.conversation import Respond
from bot.knowledge import Holder
from bot.texts import Texts
from bot.understanding import Understanding
from tests.dialogue import nothing_waits

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PHONE = {"width": 360, "height": 740}

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="Chromium is not installed (apt install chromium)"
)


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: object) -> str:
    """One database is enough here: what differs between them is tested elsewhere."""
    return f"{request.param}+aiosqlite:///{tmp_path}/wegwijs.db"


@pytest.fixture
def errors() -> Iterator[list[str]]:
    """What the page complained about; a test that expects it empties the list."""
    seen: list[str] = []
    yield seen
    assert seen == []


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        options = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield opened
        await opened.close()


@pytest.fixture
async def address(
    answer: Respond, understanding: Understanding, database: AsyncEngine, catalogues: Texts
) -> AsyncIterator[str]:
    conversation = Conversation(answer, nothing_waits, Holder(understanding), database, catalogues)
    async with TestServer(web_app(conversation)) as server:
        yield str(server.make_url("/"))


async def _open(browser: Browser, address: str, locale: str, errors: list[str]) -> Page:
    context = await browser.new_context(viewport=PHONE, locale=locale)  # type: ignore[arg-type]
    page = await context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    await page.goto(address)
    await page.wait_for_selector("article")
    return page


@pytest.mark.parametrize(
    ("locale", "question", "expected"),
    [
        ("nl-BE", "wat is het adres en het telefoonnummer van Amal?", "09 265 78 40"),
        ("en-GB", "what is your phone number?", "09 265 78 40"),
        ("fr-BE", "quel est votre numéro de téléphone ?", "09 265 78 40"),
        ("ar", "ما هو عنوان أمل ورقم الهاتف؟", "09 265 78 40"),
        ("uk-UA", "який у вас номер телефону?", "09 265 78 40"),
        ("tr-TR", "telefon numaranız nedir?", "09 265 78 40"),
    ],
)
async def test_a_question_typed_on_a_phone_is_answered(
    browser: Browser, address: str, locale: str, question: str, expected: str, errors: list[str]
) -> None:
    page = await _open(browser, address, locale, errors)
    await page.fill("#question", question)
    await page.keyboard.press("Enter")
    await expect(page.locator("article").last).to_contain_text(expected)
    await expect(page.locator(".own")).to_contain_text(question)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_arabic_reads_from_right_to_left(browser: Browser, address: str, errors: list[str]) -> None:
    page = await _open(browser, address, "ar", errors)
    assert await page.evaluate("document.dir") == "rtl"
    box = await page.locator("article").first.bounding_box()
    assert box
    assert box["x"] + box["width"] > PHONE["width"] - 30


async def test_the_whole_chat_works_by_keyboard(browser: Browser, address: str, errors: list[str]) -> None:
    page = await _open(browser, address, "en", errors)
    await page.focus("#language")
    await page.keyboard.press("Enter")
    await expect(page.locator("article").last).to_contain_text("Choose your language.")
    turkish = page.get_by_role("button", name="Türkçe")
    await turkish.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("html")).to_have_attribute("lang", "tr")
    assert await page.evaluate("document.activeElement.tagName") == "ARTICLE"


async def test_a_screen_reader_is_told_what_is_what(browser: Browser, address: str, errors: list[str]) -> None:
    page = await _open(browser, address, "en", errors)
    await expect(page.get_by_role("log")).to_be_visible()
    await expect(page.get_by_role("textbox", name="Your question")).to_be_visible()
    await expect(page.get_by_role("button", name="Send")).to_be_visible()
    await page.get_by_role("textbox", name="Your question").fill("hello")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".own .unseen")).to_have_text("You: ")


async def test_what_people_write_is_shown_as_words(browser: Browser, address: str, errors: list[str]) -> None:
    page = await _open(browser, address, "en", errors)
    await page.fill("#question", "<img src=x onerror=alert(1)> & <b>bold</b>")
    await page.keyboard.press("Enter")
    await expect(page.locator(".own")).to_contain_text("<img src=x onerror=alert(1)>")


async def test_without_a_connection_the_question_is_kept(browser: Browser, address: str, errors: list[str]) -> None:
    page = await _open(browser, address, "en", errors)
    await page.route("**/chat", lambda route: asyncio.ensure_future(route.abort()))
    await page.fill("#question", "where is Amal?")
    await page.evaluate("document.getElementById('form').requestSubmit()")
    await expect(page.locator("#status")).to_have_text("No connection. Please try again.")
    assert await page.input_value("#question") == "where is Amal?"
    errors.clear()
