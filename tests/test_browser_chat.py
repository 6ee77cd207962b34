"""The web chat where something is in the way: no scripts, no connection, a slow one, silence; and small phones."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from time import monotonic

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, Route, expect
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.conversation import Respond
from bot.delivery import Delivery
from bot.knowledge import Holder
from bot.languages import Language
from bot.limits import Limit
from bot.storage import talks
from bot.storage.talks import Words
from bot.texts import Texts
from bot.understanding import Understanding
from bot.web import add_chat, limiting, secure
from bot.web.chat import CHANNEL, Fetch
from tests import test_browser as chromium
from tests.conftest import NOW, Clock

SMALL = {"width": 320, "height": 568}
SORRY = "No connection. Please try again."

pytestmark = chromium.pytestmark
browser, database_url, errors = chromium.browser, chromium.database_url, chromium.errors

Open = Callable[..., Awaitable[Page]]


def _ways(language: Language) -> str:
    """Other ways to help, as the knowledge names them."""
    return f"{language.name}: [09 265 78 40](tel:+3292657840), [112](tel:112), [101](tel:101)"


@pytest.fixture
def limit() -> Limit:
    return Limit(burst=100, a_minute=1)


@pytest.fixture
def fetch(database: AsyncEngine, understanding: Understanding, catalogues: Texts, clock: Clock) -> Fetch:
    return partial(Delivery(database, Holder(understanding), catalogues, clock, {}).fetch, CHANNEL)


@pytest.fixture
async def address(answer: Respond, catalogues: Texts, limit: Limit, fetch: Fetch) -> AsyncIterator[str]:
    app = web.Application(middlewares=[limiting(limit, catalogues)])
    app.on_response_prepare.append(secure)
    add_chat(app, answer, catalogues, fetch, _ways)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


@pytest.fixture
def visit(browser: Browser, address: str, errors: list[str]) -> Open:
    """Opens the chat on a small phone. `before` is done before the page is loaded."""

    async def opened(locale: str, before: Callable[[Page], Awaitable[None]] | None = None, **options: object) -> Page:
        page = await (await browser.new_context(viewport=SMALL, locale=locale, **options)).new_page()  # type: ignore[arg-type]
        page.on("pageerror", lambda error: errors.append(str(error)))
        if before:
            await before(page)
        await page.goto(address)
        return page

    return opened


@pytest.fixture
def greeted(visit: Open) -> Open:
    """Opens the chat, and waits for its first words."""

    async def opened(locale: str) -> Page:
        page = await visit(locale)
        await expect(page.locator("article")).to_have_count(1)
        return page

    return opened


async def _lose_connection(page: Page) -> None:
    await page.route("**/chat", lambda route: asyncio.ensure_future(route.abort()))


async def _say(page: Page, text: str) -> None:
    await page.fill("#question", text)
    await page.keyboard.press("Enter")


async def _until_answered(page: Page) -> None:
    await expect(page.locator("#send")).to_have_attribute("aria-disabled", "false")


# Without scripts, and before they are there


async def test_nothing_can_be_asked_before_the_page_is_ready(visit: Open, address: str) -> None:
    async def without_its_script(page: Page) -> None:
        await page.route("**/chat.js", lambda route: asyncio.ensure_future(route.abort()))

    page = await visit("en", without_its_script)
    await expect(page.locator("#question")).to_be_disabled()
    await page.locator("#send").click(force=True)
    await page.evaluate("document.getElementById('question').value = 'my husband hits me'")
    await page.evaluate("document.getElementById('form').submit()")
    await page.wait_for_load_state()
    assert page.url.rstrip("?") == address


async def test_who_runs_no_scripts_finds_amal_and_the_help_lines_and_no_form(visit: Open) -> None:
    page = await visit("ar", java_script_enabled=False)
    for number in ("+3292657840", "112", "101"):
        await expect(page.locator(f"a[href='tel:{number}']")).to_be_in_viewport(ratio=1)
    await expect(page.locator("noscript p")).to_contain_text("العربية")
    await expect(page.locator("html")).to_have_attribute("dir", "rtl")
    await expect(page.get_by_role("textbox")).to_have_count(0)
    await expect(page.get_by_role("button")).to_have_count(0)


async def test_who_runs_scripts_sees_the_chat_alone(greeted: Open) -> None:
    page = await greeted("en")
    await expect(page.get_by_role("textbox", name="Your question")).to_be_enabled()
    await expect(page.locator("a[href='tel:112']")).to_have_count(0)


# Silence, and the language of the page


async def test_the_page_stays_in_its_language_while_a_person_is_written_to(greeted: Open) -> None:
    page = await greeted("ar")
    await page.get_by_role("button", name="👤").click()
    await page.get_by_role("button", name="✉").click()
    await expect(page.locator("article").last).to_contain_text("Amal")
    await _say(page, "متى يمكنني أن آتي؟")
    await _until_answered(page)
    answered = await page.locator("article").count()
    await _say(page, "أنا في الخارج الآن")
    await _until_answered(page)
    assert await page.locator("article").count() == answered
    await expect(page.locator("html")).to_have_attribute("lang", "ar")
    await expect(page.locator("html")).to_have_attribute("dir", "rtl")
    await expect(page.locator("#send")).to_have_text("إرسال")


async def test_the_language_button_speaks_the_language_of_the_page(greeted: Open) -> None:
    page = await greeted("en")
    button = page.locator("#language")
    await expect(button).to_have_text("🌐 Language")
    await button.click()
    await page.get_by_role("button", name="Nederlands").click()
    await expect(button).to_have_text("🌐 Taal")


# The header


async def test_the_language_button_stays_in_sight_however_much_is_said(greeted: Open) -> None:
    page = await greeted("en")
    for text in ("where is Amal?", "thank you", "what is your phone number?"):
        await _say(page, text)
        await _until_answered(page)
    await expect(page.locator("#language")).to_be_in_viewport(ratio=1)
    assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight && scrollY === 0")


# No connection


async def test_a_question_that_could_not_be_sent_stands_in_the_box_and_nowhere_else(
    greeted: Open, errors: list[str]
) -> None:
    page = await greeted("en")
    await _lose_connection(page)
    for _ in range(2):
        await _say(page, "where is Amal?")
        await expect(page.locator("#status")).to_have_text(SORRY)
    await expect(page.locator(".own")).to_have_count(0)
    await expect(page.locator("#question")).to_have_value("where is Amal?")
    await page.unroute("**/chat")
    await page.locator("#send").click()
    await expect(page.locator("article").last).to_contain_text("Kongostraat")
    await expect(page.locator(".own")).to_have_count(1)


async def test_what_somebody_is_writing_is_left_alone_and_what_failed_can_be_sent_again(greeted: Open) -> None:
    page = await greeted("en")
    held: asyncio.Queue[Route] = asyncio.Queue()
    await page.route("**/chat", held.put)
    await _say(page, "where is Amal?")
    await page.fill("#question", "and when is it")
    await (await held.get()).abort()
    await expect(page.locator("#status")).to_have_text(SORRY)
    await expect(page.locator("#question")).to_have_value("and when is it")
    await page.unroute("**/chat")
    await page.locator(".own").get_by_role("button", name="Send").click()
    await expect(page.locator("article").last).to_contain_text("Kongostraat")
    await expect(page.locator(".own")).to_have_text("You: where is Amal?")
    await expect(page.locator("#question")).to_have_value("and when is it")


async def test_a_chat_that_was_opened_without_a_connection_begins_as_soon_as_there_is_one(visit: Open) -> None:
    page = await visit("en", _lose_connection)
    await expect(page.locator("#status")).to_have_text(SORRY)
    await page.unroute("**/chat")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(page.locator("article")).to_contain_text("Hello! I am Wegwijs.")
    await expect(page.locator("#status")).to_have_text("")


async def test_a_chat_that_was_opened_without_a_connection_tries_again_by_itself(visit: Open) -> None:
    async def with_a_clock(page: Page) -> None:
        await page.clock.install()
        await _lose_connection(page)

    page = await visit("en", with_a_clock)
    await expect(page.locator("#status")).to_have_text(SORRY)
    await page.unroute("**/chat")
    await page.clock.fast_forward(30_000)
    await expect(page.locator("article")).to_have_count(1)
    await page.clock.fast_forward(30_000)
    await expect(page.locator("article")).to_have_count(1)


async def test_who_asks_too_often_is_told_so_in_their_language(greeted: Open, address: str, limit: Limit) -> None:
    page = await greeted("ar")
    while limit.allows("127.0.0.1", monotonic()):
        pass
    await _say(page, "أين أمل؟")
    await expect(page.locator("#status")).to_contain_text("أنتم تكتبون بسرعة كبيرة.")
    await expect(page.locator("#question")).to_have_value("أين أمل؟")


# An answer of staff

ANSWER = "Come tomorrow at 10"


@pytest.fixture
async def waiting_page(visit: Open) -> Page:
    """Somebody who wrote to a person; the clock of their browser stands still."""

    async def with_a_clock(page: Page) -> None:
        await page.clock.install()

    page = await visit("en", with_a_clock)
    await page.get_by_role("button", name="👤").click()
    await page.get_by_role("button", name="✉").click()
    await expect(page.locator("article")).to_have_count(3)
    await _say(page, "When may I come?")
    await expect(page.locator("article")).to_have_count(4)
    return page


async def _staff_answer(database: AsyncEngine) -> None:
    async with storage.begin(database) as connection:
        [talk] = await talks.listed(connection)
        await talks.from_staff(connection, talk, Words("Noor", ANSWER), NOW)


async def _in_half_a_minute(page: Page) -> str:
    """Which notices the page then says that it has seen."""
    async with page.expect_response("**/chat/notices*") as asked:
        await page.clock.fast_forward(30_000)
    return (await asked.value).url.partition("?seen=")[2]


async def test_an_answer_that_is_lost_on_the_way_comes_again_and_is_shown_once(
    waiting_page: Page, database: AsyncEngine
) -> None:
    page = waiting_page
    lost = asyncio.Event()

    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort()
        lost.set()

    await _staff_answer(database)
    await page.route("**/chat/notices", lose)
    await page.clock.fast_forward(30_000)
    await lost.wait()
    await page.unroute("**/chat/notices")
    assert await _in_half_a_minute(page) == ""
    await expect(page.get_by_text(ANSWER)).to_have_count(1)
    assert await _in_half_a_minute(page) != ""
    assert await _in_half_a_minute(page) == ""
    await expect(page.get_by_text(ANSWER)).to_have_count(1)


async def test_an_answer_is_shown_once_to_a_phone_that_wakes_and_asks_twice(
    waiting_page: Page, database: AsyncEngine
) -> None:
    page = waiting_page
    await _staff_answer(database)
    await page.evaluate("dispatchEvent(new Event('online')); document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.get_by_text(ANSWER)).to_have_count(1)
    await _in_half_a_minute(page)
    await expect(page.get_by_text(ANSWER)).to_have_count(1)


async def test_an_answer_that_another_window_shows_is_shown_here_too(
    waiting_page: Page, database: AsyncEngine, address: str
) -> None:
    await _staff_answer(database)
    other = await waiting_page.context.new_page()
    await other.goto(address)
    await expect(other.get_by_text(ANSWER)).to_have_count(1)
    await waiting_page.evaluate("dispatchEvent(new Event('online'))")
    await expect(waiting_page.get_by_text(ANSWER)).to_have_count(1)


async def test_an_answer_is_still_there_when_the_page_is_loaded_anew_at_once(
    waiting_page: Page, database: AsyncEngine
) -> None:
    page = waiting_page
    await _staff_answer(database)
    await _in_half_a_minute(page)
    await expect(page.get_by_text(ANSWER)).to_have_count(1)
    await page.reload()
    await expect(page.get_by_text(ANSWER)).to_have_count(1)


# Keyboard, screen reader, right to left, a small phone


async def test_the_keyboard_stays_where_it_was_after_sending(greeted: Open) -> None:
    page = await greeted("en")
    await page.focus("#question")
    await page.keyboard.type("where is Amal?")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("article").last).to_contain_text("Kongostraat")
    await expect(page.locator("#send")).to_be_focused()


async def test_the_keyboard_goes_from_the_language_through_the_answers_to_the_question(greeted: Open) -> None:
    page = await greeted("en")
    buttons = await page.locator("article button").count()
    reached = []
    for _ in range(buttons + 3):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert reached == ["language", *["BUTTON"] * buttons, "question", "send"]


async def test_words_from_right_to_left_read_so_in_a_page_from_left_to_right(greeted: Open) -> None:
    page = await greeted("en")
    await _say(page, "ما هو عنوان أمل؟")
    await expect(page.locator(".own")).to_have_css("direction", "rtl")


@pytest.mark.parametrize("locale", ["en", "ar", "ti"])
async def test_a_small_phone_shows_everything_and_a_screen_reader_finds_its_way(greeted: Open, locale: str) -> None:
    page = await greeted(locale)
    await page.locator("#language").click()
    await expect(page.locator("article")).to_have_count(2)
    await _say(page, "Amal?")
    await _until_answered(page)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
