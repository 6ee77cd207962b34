"""Conversations in the console: who waits, what was said, answering with words or a sentence, closing."""

import asyncio
import datetime
import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Route, async_playwright, expect
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from bot import handover, storage
from bot.markup import isolate
from bot.storage import schema, staff, talks
from bot.storage.talks import Message, Talk, Words
from bot.texts import Texts
from bot.understanding import Understanding
from bot.web.chat import STATIC
from tests.conftest import NOW, Clock
from tests.console_client import Client, open_console, send, sign_in
from tests.test_browser import CHROMIUM, PHONE

LIST = "/staff/conversations"
QUESTION = "من فضلك، كيف أسجل ابني في المدرسة؟"
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
async def client(database: AsyncEngine, understanding: Understanding, clock: Clock) -> AsyncIterator[Client]:
    """Noor of the desk, signed in, in English."""
    async with open_console(database, understanding, clock) as opened:
        opened.session.headers["Accept-Language"] = "en"
        await sign_in(opened, database, clock())
        yield opened


async def _start(
    database: AsyncEngine,
    text: str = QUESTION,
    language: str = "ar",
    *,
    chat: str = "1",
    at: datetime.datetime = NOW,
) -> Talk:
    """A newcomer asks for a person, and says this."""
    async with storage.begin(database) as connection:
        talk = await talks.start(connection, "telegram", chat, language, at)
        await talks.from_person(connection, talk, text, at)
    return talk


async def _staff_say(database: AsyncEngine, talk: Talk, text: str, at: datetime.datetime = NOW) -> None:
    async with storage.begin(database) as connection:
        await talks.from_staff(connection, talk, Words("Sam", text), at)


async def _close(database: AsyncEngine, talk: Talk, at: datetime.datetime = NOW) -> None:
    async with storage.begin(database) as connection:
        assert await talks.close(connection, talk, at, by_staff=False)


async def _said(database: AsyncEngine, talk: Talk) -> list[tuple[str, str]]:
    async with storage.begin(database) as connection:
        return [(message.who, message.text) for message in await talks.said(connection, talk.id)]


async def _last(database: AsyncEngine, talk: Talk) -> Message:
    async with storage.begin(database) as connection:
        return (await talks.said(connection, talk.id))[-1]


async def _talk(database: AsyncEngine, number: int) -> Talk:
    async with storage.begin(database) as connection:
        talk = await talks.get(connection, number)
    assert talk
    return talk


async def _on_their_way(database: AsyncEngine, kind: str, channel: str) -> list[tuple[str, int | None]]:
    """Notices to a channel: to which chat, with which message."""
    table = schema.outbox
    there = (table.c.kind == kind) & (table.c.channel == channel)
    async with storage.begin(database) as connection:
        rows = await connection.execute(select(table.c.chat, table.c.message).where(there).order_by(table.c.id))
        return [(row.chat, row.message) for row in rows]


async def _log(database: AsyncEngine) -> list[tuple[str, str, str]]:
    async with storage.begin(database) as connection:
        return [(line.who, line.what, line.about) for line in await staff.log(connection) if line.what != "sign in"]


async def _read(client: Client, path: str) -> str:
    """A page as it stands in the browser, with its signs as people see them."""
    response = await client.get(path)
    assert response.status == 200
    return html.unescape(await response.text())


def _numbers(page: str) -> list[int]:
    return [int(number) for number in re.findall(rf'href="{LIST}/(\d+)"', page)]


# The list


async def test_whoever_waits_longest_comes_first_and_the_answered_come_after(
    client: Client, database: AsyncEngine
) -> None:
    answered = await _start(database, chat="1", at=NOW - 9 * MINUTE)
    waits = await _start(database, chat="2", at=NOW - 5 * MINUTE)
    waits_longer = await _start(database, chat="3", at=NOW - 7 * MINUTE)
    await _staff_say(database, answered, "Een ogenblik", NOW - 8 * MINUTE)
    page = await _read(client, LIST)
    assert _numbers(page) == [waits_longer.id, waits.id, answered.id]
    assert (page.count("Waits for an answer"), page.count("Answered")) == (2, 1)


async def test_a_conversation_is_listed_with_its_language_since_when_and_its_last_words(
    client: Client, database: AsyncEngine
) -> None:
    await _start(database, at=NOW - 65 * MINUTE)
    page = await _read(client, LIST)
    assert '<bdi lang="ar">العربية</bdi>' in page
    assert "<td>09:25</td>" in page
    assert f'dir="auto" lang="ar">{QUESTION}</span>' in page


async def test_a_long_list_asks_the_database_no_more_often(client: Client, database: AsyncEngine) -> None:
    asked: list[str] = []
    event.listen(database.sync_engine, "before_cursor_execute", lambda *about: asked.append(about[2]))

    async def times() -> int:
        asked.clear()
        await _read(client, LIST)
        return len(asked)

    await _start(database)
    alone = await times()
    for chat in range(2, 9):
        talk = await _start(database, chat=str(chat))
        await _staff_say(database, talk, f"Antwoord {chat}")
    assert await times() == alone
    assert "Antwoord 8</span>" in await _read(client, LIST)


async def test_a_conversation_without_a_word_is_listed(client: Client, database: AsyncEngine) -> None:
    async with storage.begin(database) as connection:
        talk = await talks.start(connection, "telegram", "1", "ar", NOW)
    page = await _read(client, LIST)
    assert (_numbers(page), "Waits for an answer" in page) == ([talk.id], True)


async def test_long_last_words_are_cut_in_the_list(client: Client, database: AsyncEngine) -> None:
    talk = await _start(database, "zzz " * 400)
    assert len(re.findall("zzz", await _read(client, LIST))) < 40
    assert len(re.findall("zzz", await _read(client, f"{LIST}/{talk.id}"))) == 400


async def test_the_list_says_who_cannot_be_reached(client: Client, database: AsyncEngine) -> None:
    talk = await _start(database)
    assert "Cannot be reached" not in await _read(client, LIST)
    async with storage.begin(database) as connection:
        (words, *_) = await talks.said(connection, talk.id)
        await talks.set_reached(connection, words, NOW, reached=False)
    assert "Cannot be reached" in await _read(client, LIST)


async def test_closed_conversations_are_listed_for_thirty_days_the_latest_first(
    client: Client, database: AsyncEngine
) -> None:
    days = datetime.timedelta(days=1)
    started = [await _start(database, chat=str(chat), at=NOW - 60 * days) for chat in range(4)]
    open_still, before, yesterday, long_ago = started
    await _close(database, before, NOW - 30 * days)
    await _close(database, yesterday, NOW - days)
    await _close(database, long_ago, NOW - 30 * days - MINUTE)
    assert _numbers(await _read(client, LIST)) == [open_still.id, yesterday.id, before.id]


async def test_an_empty_list_says_so(client: Client) -> None:
    page = await _read(client, LIST)
    assert "Nobody waits: there is no open conversation." in page
    assert "There are none." in page


# Reading


async def test_what_was_said_stands_in_order_with_who_and_when(client: Client, database: AsyncEngine) -> None:
    talk = await _start(database)
    await _staff_say(database, talk, "Goeiedag", NOW + MINUTE)
    page = await _read(client, f"{LIST}/{talk.id}")
    theirs = f'Newcomer, 10:30</span><span class="words" dir="auto" lang="ar">{QUESTION}</span>'
    ours = 'Sam, 10:31</span><span class="words" dir="auto">Goeiedag</span>'
    assert -1 < page.find(theirs) < page.find(ours)


@pytest.mark.parametrize(("language", "tag"), [("prs", "fa-AF"), ("zh", "zh-Hans"), ("tzm", "tzm")])
async def test_words_carry_a_language_that_a_browser_knows(
    client: Client, database: AsyncEngine, language: str, tag: str
) -> None:
    talk = await _start(database, "words", language)
    assert f'dir="auto" lang="{tag}">words</span>' in await _read(client, f"{LIST}/{talk.id}")
    assert f'dir="auto" lang="{tag}">words</span>' in await _read(client, LIST)


async def test_a_newcomer_cannot_put_anything_into_the_page(client: Client, database: AsyncEngine) -> None:
    talk = await _start(database, "<script>alert(1)</script> {{ form_token }} **bold**")
    for path in (LIST, f"{LIST}/{talk.id}"):
        page = await (await client.get(path)).text()
        assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ form_token }} **bold**" in page
        assert "<script>alert" not in page


async def test_a_conversation_with_somebody_who_blocked_the_bot_says_so(client: Client, database: AsyncEngine) -> None:
    talk = await _start(database)
    blocked = "this person has blocked the bot"
    assert blocked not in await _read(client, f"{LIST}/{talk.id}")
    async with storage.begin(database) as connection:
        (words, *_) = await talks.said(connection, talk.id)
        await talks.set_reached(connection, words, NOW, reached=False)
    assert blocked in await _read(client, f"{LIST}/{talk.id}")


@pytest.mark.parametrize("number", ["0", "999999999", "99999999999999999999", "-1", "x", "١"])
async def test_a_conversation_that_is_not_there_is_not_found(
    client: Client, database: AsyncEngine, number: str
) -> None:
    await _start(database)
    assert (await client.get(f"{LIST}/{number}")).status == 404
    for what in ("say", "sentence", "close"):
        status, _ = await send(client, f"{LIST}/{number}/{what}", {"text": "Hello", "number": "0"}, page=LIST)
        assert status == 404


# Answering


async def test_an_answer_is_kept_and_goes_to_the_newcomer_and_to_the_group(
    client: Client, database: AsyncEngine
) -> None:
    talk = await _start(database, chat="4711")
    path = f"{LIST}/{talk.id}"
    status, page = await send(client, f"{path}/say", {"text": "  Goeiedag!\r\nKom langs. "}, page=path)
    assert (status, "Goeiedag!\nKom langs.</span>" in page) == (200, True)
    assert await _said(database, talk) == [("", QUESTION), ("Noor", "Goeiedag!\nKom langs.")]
    answer = await _last(database, talk)
    assert await _on_their_way(database, talks.TO_PERSON, "telegram") == [("4711", answer.id)]
    assert (str(talk.id), answer.id) in await _on_their_way(database, talks.TO_STAFF, talks.STAFF_GROUP)


async def test_after_an_answer_the_form_is_empty_and_a_reload_sends_nothing_again(
    client: Client, database: AsyncEngine
) -> None:
    talk = await _start(database)
    path = f"{LIST}/{talk.id}"
    form = await _filled_in(client, path, "say", text="Goeiedag")
    response = await client.post(f"{path}/say", data=form, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, f"{path}#answer")
    assert "></textarea>" in await _read(client, path)


async def _filled_in(client: Client, path: str, what: str, **typed: str) -> dict[str, str]:
    """A form of a page as a browser would send it: with what is hidden in it."""
    form = re.search(rf'action="{path}/{what}".*?</form>', await _read(client, path), re.DOTALL)
    assert form
    return {**dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[0])), **typed}


@pytest.mark.parametrize(("what", "typed"), [("say", {"text": "Goeiedag"}), ("sentence", {"number": "0"})])
async def test_a_double_click_sends_an_answer_once(
    client: Client, database: AsyncEngine, what: str, typed: dict[str, str]
) -> None:
    talk = await _start(database, chat="4711")
    path = f"{LIST}/{talk.id}"
    form = await _filled_in(client, path, what, **typed)
    clicks = [client.post(f"{path}/{what}", data=form, allow_redirects=False) for _ in range(3)]
    answers = [(each.status, each.headers["Location"]) for each in await asyncio.gather(*clicks)]
    assert answers == [(303, f"{path}#answer")] * 3
    assert [who for who, _ in await _said(database, talk)] == ["", "Noor"]
    assert len(await _on_their_way(database, talks.TO_PERSON, "telegram")) == 1
    assert await _log(database) == [("Noor", "answer in a conversation", str(talk.id))]
    again = await _filled_in(client, path, what, **typed)
    await client.post(f"{path}/{what}", data=again)
    assert len(await _said(database, talk)) == 3


@pytest.mark.parametrize("once", ["", "x", "x" * 23, "é" * 22, "x" * 21 + "\0"])
async def test_an_answer_that_no_page_of_ours_gave_out_is_refused(
    client: Client, database: AsyncEngine, once: str
) -> None:
    talk = await _start(database)
    path = f"{LIST}/{talk.id}"
    assert (await send(client, f"{path}/say", {"text": "Goeiedag", "once": once}, page=path))[0] == 403
    assert await _said(database, talk) == [("", QUESTION)]


@pytest.mark.parametrize("text", ["", "   \r\n", "\u200b\u200f", "\0"])
async def test_an_empty_answer_is_refused(client: Client, database: AsyncEngine, text: str) -> None:
    talk = await _start(database)
    path = f"{LIST}/{talk.id}"
    status, page = await send(client, f"{path}/say", {"text": text}, page=path)
    assert (status, '<p class="problem" role="alert" id="problem">Write an answer first.</p>' in page) == (422, True)
    assert await _said(database, talk) == [("", QUESTION)]


async def test_an_answer_may_have_three_thousand_signs_and_a_longer_one_stays_in_the_form(
    client: Client, database: AsyncEngine
) -> None:
    talk = await _start(database)
    path = f"{LIST}/{talk.id}"
    status, page = await send(client, f"{path}/say", {"text": "é" * 3001}, page=path)
    assert status == 422
    assert "Write at most 3000 signs; there are 3001." in page
    assert f"{'é' * 3001}</textarea>" in page
    status, _ = await send(client, f"{path}/say", {"text": "é" * 3000}, page=path)
    assert (status, await _said(database, talk)) == (200, [("", QUESTION), ("Noor", "é" * 3000)])


async def test_a_null_sign_in_an_answer_is_left_out(client: Client, database: AsyncEngine) -> None:
    talk = await _start(database)
    path = f"{LIST}/{talk.id}"
    await send(client, f"{path}/say", {"text": "Goeie\0dag"}, page=path)
    assert (await _last(database, talk)).text == "Goeiedag"


async def test_a_closed_conversation_takes_no_answer_and_what_was_typed_is_not_lost(
    client: Client, database: AsyncEngine
) -> None:
    talk = await _start(database)
    path = f"{LIST}/{talk.id}"
    await _close(database, talk)
    status, page = await send(client, f"{path}/say", {"text": "Te laat"}, page=LIST)
    assert status == 422
    assert "This conversation was closed meanwhile: your answer was not sent." in page
    assert "readonly>Te laat</textarea>" in page
    status, page = await send(client, f"{path}/sentence", {"number": "0"}, page=LIST)
    assert (status, "your answer was not sent" in page) == (422, True)
    assert await _said(database, talk) == [("", QUESTION)]
    assert await _on_their_way(database, talks.TO_PERSON, "telegram") == []


async def test_the_page_of_a_closed_conversation_says_so_and_has_no_form_to_answer(
    client: Client, database: AsyncEngine
) -> None:
    talk = await _start(database)
    await _close(database, talk)
    page = await _read(client, f"{LIST}/{talk.id}")
    assert "This conversation is closed since 10:30." in page
    assert f"{LIST}/{talk.id}/" not in page


# Ready-made sentences


async def test_sentences_stand_in_dutch_and_in_the_newcomers_language(
    client: Client, database: AsyncEngine, understanding: Understanding
) -> None:
    page = await _read(client, f"{LIST}/{(await _start(database)).id}")
    facts = understanding.snapshot.facts
    assert page.count('type="radio"') == len(handover.SENTENCES)
    for number in range(len(handover.SENTENCES)):
        assert f'lang="nl">{handover.sentence(Texts(), number, "nl", facts)}</span>' in page
        theirs = isolate(handover.sentence(Texts(), number, "ar", facts))  # a telephone number stays in order
        assert f'dir="auto" lang="ar">{theirs}</span>' in page


async def test_a_conversation_in_dutch_shows_each_sentence_once(client: Client, database: AsyncEngine) -> None:
    page = await _read(client, f"{LIST}/{(await _start(database, 'Dag', 'nl')).id}")
    assert page.count('<span class="words" lang="nl">') == len(handover.SENTENCES)
    assert 'quiet-text" dir="auto"' not in page


async def test_a_sentence_goes_out_in_the_newcomers_language(
    client: Client, database: AsyncEngine, understanding: Understanding
) -> None:
    talk = await _start(database)
    path = f"{LIST}/{talk.id}"
    last = len(handover.SENTENCES) - 1
    status, _ = await send(client, f"{path}/sentence", {"number": str(last)}, page=path)
    expected = handover.sentence(Texts(), last, "ar", understanding.snapshot.facts)
    assert (status, (await _said(database, talk))[1:]) == (200, [("Noor", expected)])


@pytest.mark.parametrize("number", ["", "-1", "99", "x", "٠", "9" * 5000])
async def test_a_sentence_that_is_none_is_refused(client: Client, database: AsyncEngine, number: str) -> None:
    talk = await _start(database)
    path = f"{LIST}/{talk.id}"
    status, page = await send(client, f"{path}/sentence", {"number": number}, page=path)
    assert (status, '<p class="problem" role="alert">Pick a sentence first.</p>' in page) == (422, True)
    assert await _said(database, talk) == [("", QUESTION)]


# Closing, and what is left behind


async def test_closing_tells_the_newcomer_once(client: Client, database: AsyncEngine) -> None:
    talk = await _start(database, chat="4711")
    path = f"{LIST}/{talk.id}"
    for _ in range(2):
        status, page = await send(client, f"{path}/close", {}, page=LIST)
        assert (status, "This conversation is closed since" in page) == (200, True)
    assert (await _talk(database, talk.id)).closed_at == NOW
    assert await _on_their_way(database, talks.ENDED, "telegram") == [("4711", None)]
    assert await _log(database) == [("Noor", "close a conversation", str(talk.id))]


async def test_logs_carry_the_number_of_a_conversation_and_never_its_words(
    client: Client, database: AsyncEngine
) -> None:
    talk = await _start(database)
    path = f"{LIST}/{talk.id}"
    with capture_logs() as lines:
        await send(client, f"{path}/say", {"text": "Geheim antwoord"}, page=path)
        await send(client, f"{path}/say", {"text": "Geheim " * 1000}, page=path)
        await send(client, f"{path}/sentence", {"number": "0"}, page=path)
    assert await _log(database) == [("Noor", "answer in a conversation", str(talk.id))] * 2
    assert "Geheim" not in str(lines)
    assert QUESTION not in str(lines)


async def test_strangers_and_forged_forms_change_nothing(client: Client, database: AsyncEngine) -> None:
    talk = await _start(database)
    path = f"{LIST}/{talk.id}"
    form = {"text": "Hello", "number": "0", "form_token": "forged"}
    for what in ("say", "sentence", "close"):
        assert (await client.post(f"{path}/{what}", data=form)).status == 403
    client.session.cookie_jar.clear()
    assert [(await client.get(page)).status for page in (LIST, path)] == [404, 404]
    for what in ("say", "sentence", "close"):
        assert (await client.post(f"{path}/{what}", data=form)).status == 404
    assert (await _said(database, talk), (await _talk(database, talk.id)).closed_at) == ([("", QUESTION)], None)


# In a browser


@asynccontextmanager
async def _open_page(client: Client, path: str) -> AsyncIterator[Page]:
    """A phone with the session of `client`, whose clock the test turns; it fails when the page complains."""
    cookies = client.session.cookie_jar.filter_cookies(client.make_url("/staff"))
    address = str(client.make_url("/staff"))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = await browser.new_context(viewport=PHONE, locale="en-GB")  # type: ignore[arg-type]
        await context.add_cookies([{"name": c.key, "value": c.value, "url": address} for c in cookies.values()])
        await context.route("**/static/*", _serve_file)
        page = await context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        await page.clock.install()
        await page.goto(str(client.make_url(path)))
        yield page
        await browser.close()
    assert complaints == []


async def _serve_file(route: Route) -> None:
    """The console of `open_console` stands alone; the files beside it are served with the web chat."""
    await route.fulfill(path=STATIC / PurePosixPath(urlsplit(route.request.url).path).name)


in_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt install chromium)")


@in_chromium
async def test_new_words_appear_by_themselves_and_what_is_typed_stays(client: Client, database: AsyncEngine) -> None:
    talk = await _start(database)
    async with _open_page(client, f"{LIST}/{talk.id}") as page:
        await page.fill("#text", "half a sen")
        async with storage.begin(database) as connection:
            await talks.from_person(connection, talk, "شكرا", NOW)
        await page.clock.run_for(19_000)
        await expect(page.locator("#said .words")).to_have_count(1)
        await page.clock.run_for(2_000)
        await expect(page.locator("#said .words")).to_have_text([QUESTION, "شكرا"])
        await expect(page.locator("#news")).to_have_text("There is something new in this conversation.")
        assert (await page.input_value("#text"), await _focused(page)) == ("half a sen", "text")
        await _close(database, talk)
        await page.clock.run_for(20_000)
        await expect(page.locator("#said")).to_contain_text("This conversation is closed since")


async def _focused(page: Page) -> str:
    return str(await page.evaluate("document.activeElement.id"))


@in_chromium
async def test_a_page_that_is_hidden_asks_for_nothing(client: Client, database: AsyncEngine) -> None:
    talk = await _start(database)
    async with _open_page(client, f"{LIST}/{talk.id}") as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
        await page.clock.run_for(120_000)
        assert [address for address in asked if "/static/" not in address] == []  # the icon may come late
        async with page.expect_request(f"**{LIST}/{talk.id}"):
            await page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")


@in_chromium
async def test_both_pages_fit_a_phone_and_show_arabic_from_right_to_left(client: Client, database: AsyncEngine) -> None:
    talk = await _start(database, QUESTION + " https://example.org/" + "x" * 200)
    for path in (LIST, f"{LIST}/{talk.id}"):
        async with _open_page(client, path) as page:
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            words = page.locator(".words[lang=ar]").first
            assert await words.evaluate("words => getComputedStyle(words).direction") == "rtl"
