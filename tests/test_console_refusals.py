"""What staff read when their session has ended, a form is too old, or the database is away."""

import html
import io
import re
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.console.console import LANGUAGE_COOKIE
from bot.storage import staff
from bot.understanding import Understanding
from tests.conftest import NOW, Clock
from tests.console_client import Client, form_token, once, open_console, sign_in

TYPED = 'Ik schreef <b>lang</b> hieraan.</textarea>"'
NOTHING_HERE = {
    "nl": "Die pagina is er niet, of u bent niet meer aangemeld. Stuur /staff naar de bot, of vraag een collega om een "
    "link.",
    "en": "There is no such page, or you are no longer signed in. Send /staff to the bot, or ask a colleague for a link.",
}


@pytest.fixture
async def client(database: AsyncEngine, understanding: Understanding, clock: Clock) -> AsyncIterator[Client]:
    """A browser in English that nobody has signed in to."""
    async with open_console(database, understanding, clock) as opened:
        opened.session.headers["Accept-Language"] = "en"
        yield opened


async def _ask(client: Client, path: str, **headers: str) -> tuple[int, str]:
    response = await client.get(path, headers=headers)
    assert response.content_type == "text/html"
    return response.status, _text(await response.text())


def _text(page: str) -> str:
    body = re.sub(r"<textarea.*?</textarea>", "", page[page.index("<main") :], flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def _given_back(page: str) -> str | None:
    """What stands in the field that gives back what was typed."""
    found = re.search(r"<textarea[^>]* readonly>\n(.*?)</textarea>", page, re.DOTALL)
    return html.unescape(found[1]) if found else None


@pytest.mark.parametrize("path", ["/staff", "/staff/nothing-here", "/staff/enter/abc", "/staff/calendar/abc.ics"])
@pytest.mark.parametrize("language", ["nl", "en"])
async def test_what_is_not_there_says_how_to_sign_in(client: Client, path: str, language: str) -> None:
    status, said = await _ask(client, path, **{"Accept-Language": language})
    assert (status, said.endswith(NOTHING_HERE[language])) == (404, True)


async def test_the_language_that_was_chosen_goes_before_the_browsers(client: Client) -> None:
    client.session.cookie_jar.update_cookies({LANGUAGE_COOKIE: "nl"})
    assert (await _ask(client, "/staff"))[1].endswith(NOTHING_HERE["nl"])


async def test_the_page_in_dutch_has_no_english(client: Client) -> None:
    page = await (await client.post("/staff/x", data={"text": "a"}, headers={"Accept-Language": "nl"})).text()
    assert '<html lang="nl">' in page
    assert "Wat u typte, om te kopiëren" in page
    assert "typed," not in page


async def test_an_answer_that_comes_after_the_session_has_ended_is_given_back(
    client: Client, database: AsyncEngine, clock: Clock
) -> None:
    await sign_in(client, database, clock())
    token = await form_token(client)
    clock.now += staff.SESSION_LIVES
    form = {"text": TYPED, "form_token": token, "once": once()}
    response = await client.post("/staff/conversations/1/say", data=form)
    page = await response.text()
    assert (response.status, _given_back(page)) == (404, TYPED)
    assert "<b>lang" not in page
    assert token not in page


async def test_all_that_was_typed_into_the_editor_is_given_back_by_a_form_that_is_too_old(
    client: Client, database: AsyncEngine
) -> None:
    await sign_in(client, database, NOW, "editor")
    typed = {"title": "Adres", "body": "Regel 1\r\nRegel 2", "questions": "Waar?", "keywords": ""}
    response = await client.post("/staff/knowledge/contact/nl", data={**typed, "form_token": "of before"})
    page = await response.text()
    assert (response.status, _given_back(page)) == (403, "Adres\n\nRegel 1\r\nRegel 2\n\nWaar?")
    assert "This form is too old Nothing was stored. Go back, reload the page, and do it again." in _text(page)


@pytest.mark.parametrize("path", ["/staff/conversations/1/say", "/staff/nothing-here"])
@pytest.mark.parametrize("signed_in", [True, False])
async def test_words_from_another_site_are_not_repeated(
    client: Client, database: AsyncEngine, path: str, signed_in: bool
) -> None:
    if signed_in:
        await sign_in(client, database, NOW)
    response = await client.post(path, data={"text": TYPED}, headers={"Origin": "https://elsewhere.example"})
    page = await response.text()
    assert response.status in (403, 404)
    assert (_given_back(page), "hieraan" in page) == (None, False)


@pytest.mark.parametrize("body", [b"--x\r\n", b"text=\xff%ff", b"text=" + b"x" * 2**21])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain"])
async def test_a_body_that_is_no_form_is_not_there_either(client: Client, body: bytes, kind: str) -> None:
    response = await client.post("/staff", data=io.BytesIO(body), headers={"Content-Type": kind})
    assert (response.status, "no longer signed in" in await response.text()) == (404, True)


async def test_while_the_database_is_away_staff_keep_what_they_typed(
    understanding: Understanding, clock: Clock
) -> None:
    async with (
        storage.open_storage("postgresql+asyncpg://nobody@127.0.0.1:1/nowhere") as away,
        open_console(away, understanding, clock) as client,
    ):
        client.session.headers.update({"Accept-Language": "en", "Cookie": "wegwijs_staff=x"})
        for path in ("/staff", "/staff/enter/x", "/staff/calendar/x.ics"):
            status, said = await _ask(client, path)
            assert (status, said) == (503, "The database is away Nothing was stored. Try again in a minute.")
        response = await client.post("/staff/conversations/1/say", data={"text": TYPED})
        assert (response.status, _given_back(await response.text())) == (503, TYPED)


async def test_who_tries_many_links_reads_that_they_have_to_wait(client: Client) -> None:
    said = [await _ask(client, f"/staff/enter/{number}") for number in range(21)]
    assert said[-1] == (429, "Too many tries Wait a minute, then try again.")


async def test_a_form_that_is_too_long_says_so(client: Client, database: AsyncEngine) -> None:
    await sign_in(client, database, NOW)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    response = await client.post("/staff/close", data=io.BytesIO(b"text=" + b"x" * 2**21), headers=kind)
    said = "This is too long Nothing was stored. Go back, make it shorter, and do it again."
    assert (response.status, _text(await response.text())) == (413, said)
