"""The web chat over HTTP."""

import datetime
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.app import Conversation, utc_now, web_app
from bot.conversation import Event, Reply, Respond
from bot.knowledge import Holder
from bot.languages import Language
from bot.limits import Limit
from bot.storage import Unavailable, events
from bot.texts import Texts
from bot.understanding import Understanding
from bot.web import add_chat, limiting
from tests.dialogue import nothing_waits

Client = TestClient[web.Request, web.Application]


@pytest.fixture
def conversation(
    answer: Respond, understanding: Understanding, database: AsyncEngine, catalogues: Texts
) -> Conversation:
    return Conversation(answer, nothing_waits, Holder(understanding), database, catalogues)


@pytest.fixture
async def client(conversation: Conversation) -> AsyncIterator[Client]:
    async with TestClient(TestServer(web_app(conversation))) as opened:
        yield opened


async def _say(client: Client, body: dict[str, str], language: str = "uk-UA,uk;q=0.9,en;q=0.8") -> dict[str, Any]:
    response = await client.post("/chat", json=body, headers={"Accept-Language": language})
    assert response.status == 200
    said: dict[str, Any] = await response.json()
    return said


@pytest.mark.parametrize(
    ("asked", "language", "direction", "label"),
    [
        ("ar", "ar", "rtl", "سؤالكم"),
        ("nl-BE,nl;q=0.9", "nl", "ltr", "Uw vraag"),
        ("de,fr;q=0.5", "fr", "ltr", "Votre question"),
        ("fa-AF", "prs", "rtl", ""),
        ("xx", "en", "ltr", "Your question"),
        ("", "en", "ltr", "Your question"),
    ],
)
async def test_the_page_speaks_the_language_of_the_browser(
    client: Client, asked: str, language: str, direction: str, label: str
) -> None:
    response = await client.get("/", headers={"Accept-Language": asked})
    page = await response.text()
    assert f'<html lang="{language}" dir="{direction}">' in page
    assert label in page


async def test_the_page_allows_nothing_from_elsewhere_and_nothing_inline(client: Client) -> None:
    response = await client.get("/")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = await response.text()
    assert "<script>" not in page
    assert "style=" not in page
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/static/chat.js", "/static/chat.css", "/static/icon.svg"])
async def test_the_page_finds_its_files(client: Client, path: str) -> None:
    assert (await client.get(path)).status == 200


@pytest.mark.parametrize("path", ["/static/../chat.py", "/static/%2e%2e/chat.py", "/staff", "/telegram"])
async def test_nothing_else_is_served(client: Client, path: str) -> None:
    assert (await client.get(path)).status in (403, 404)


async def test_a_question_is_answered_as_html_with_buttons(client: Client) -> None:
    said = await _say(client, {"text": "де ви знаходитесь і який телефон?"})
    [reply] = said["replies"]
    assert reply["lang"] == "uk"
    assert '<a href="tel:+3292657840">09 265 78 40</a>' in reply["html"]
    assert any("press" in button for row in reply["rows"] for button in row)
    assert said["page"]["labels"]["send"] == "Надіслати"


async def test_a_pressed_button_carries_its_step(client: Client) -> None:
    greeting = await _say(client, {})
    press = greeting["replies"][0]["rows"][0][0]["press"]
    topic = await _say(client, {"press": press})
    assert topic["replies"][0]["replaces"]


async def test_the_chosen_language_is_kept_for_this_browser_alone(conversation: Conversation) -> None:
    server = TestServer(web_app(conversation))
    async with TestClient(server) as one, TestClient(server) as other:
        await _say(one, {"press": "cl:tr"})
        assert (await _say(one, {}))["page"]["lang"] == "tr"
        assert (await _say(other, {}))["page"]["lang"] == "uk"


async def test_the_cookie_cannot_be_read_by_scripts_or_sent_from_other_sites(client: Client) -> None:
    response = await client.post("/chat", json={})
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


async def test_what_people_write_is_never_html(client: Client) -> None:
    said = await _say(client, {"text": "<script>alert(1)</script> where is Amal?"}, "en")
    assert "<script" not in said["replies"][0]["html"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b'{"text": 5}', b'{"other": "x"}', b"\xff\xfe", b'{"press": {"a": 1}}'],
)
async def test_what_our_page_never_sends_is_refused(client: Client, body: bytes) -> None:
    response = await client.post("/chat", data=body, headers={"Content-Type": "application/json"})
    assert response.status == 400


async def test_a_form_from_another_site_is_refused(client: Client) -> None:
    assert (await client.post("/chat", data={"text": "hello"})).status == 415


async def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    assert (await client.post("/chat", json={"text": "x" * 100_000})).status == 413


async def test_a_long_text_is_answered(client: Client) -> None:
    assert (await _say(client, {"text": "école " * 1000}))["replies"]


async def test_a_forged_cookie_is_harmless(client: Client) -> None:
    response = await client.post("/chat", json={"press": "cl:nl"}, cookies={"wegwijs_chat": "x" * 4000})
    assert response.status == 200


async def test_a_database_that_is_away_is_said_kindly(conversation: Conversation) -> None:
    async def away(_event: Event) -> Sequence[Reply]:
        raise Unavailable

    async with TestClient(TestServer(web_app(replace(conversation, respond=away)))) as client:
        response = await client.post("/chat", json={"text": "hello"}, headers={"Accept-Language": "fr"})
        assert response.status == 503
        assert "erreur" in (await response.json())["error"].lower() or "problème" in (await response.json())["error"]


async def test_silence_says_nothing_of_the_language_of_the_page(conversation: Conversation) -> None:
    async def silent(_event: Event) -> Sequence[Reply]:
        return ()

    async with TestClient(TestServer(web_app(replace(conversation, respond=silent)))) as client:
        assert await _say(client, {"text": "дякую"}) == {"replies": []}


async def test_a_page_that_runs_no_scripts_names_other_ways_to_help(answer: Respond, catalogues: Texts) -> None:
    def ways(language: Language) -> str:
        return f"{language.name}: [112](tel:112) <b>"

    app = web.Application()
    add_chat(app, answer, catalogues, nothing_waits, ways)
    async with TestClient(TestServer(app)) as client:
        page = await (await client.get("/", headers={"Accept-Language": "tr"})).text()
    assert '<noscript><p>Türkçe: <a href="tel:112">112</a> &lt;b&gt;</p>' in page


@pytest.fixture
async def hasty(catalogues: Texts, answer: Respond) -> AsyncIterator[Client]:
    """Somebody who may ask nothing any more."""
    app = web.Application(middlewares=[limiting(Limit(burst=0, a_minute=0), catalogues, "/telegram")])
    add_chat(app, answer, catalogues, nothing_waits, lambda _language: "")
    async with TestClient(TestServer(app)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("language", "sorry"),
    [
        ("fr", "Vous écrivez très vite. Attendez une minute, s'il vous plaît"),
        ("tr", "Çok hızlı yazıyorsunuz."),
        ("", "You are writing very fast."),
    ],
)
async def test_who_asks_too_often_is_told_to_wait_in_their_language(hasty: Client, language: str, sorry: str) -> None:
    headers = {"Accept-Language": language}
    page = await hasty.get("/", headers=headers)
    answer = await hasty.post("/chat", json={"text": "hello"}, headers=headers)
    notices = await hasty.get("/chat/notices", headers=headers)
    for refused in (page, answer, notices):
        assert (refused.status, refused.headers["Retry-After"]) == (429, "60")
    for said in (await page.text(), (await answer.json())["error"], (await notices.json())["error"]):
        assert said.startswith(sorry)
    assert page.content_type == "text/plain"


async def test_what_telegram_and_operators_ask_is_not_counted(hasty: Client) -> None:
    for path in ("/telegram", "/healthz", "/readyz", "/metrics"):
        assert (await hasty.get(path)).status == 404  # not served here, and not refused either


async def test_a_reply_that_nobody_could_send_is_seen_from_outside(conversation: Conversation) -> None:
    long_ago = utc_now() - datetime.timedelta(hours=1)
    unsent = events.Unsent("telegram:1", "telegram", "1", "[]")
    conversation.channels.append("telegram")
    async with storage.begin(conversation.database) as connection:
        await events.finish(connection, unsent, long_ago - events.LEASE)
    async with TestClient(TestServer(web_app(conversation))) as client:
        status = await (await client.get("/readyz")).json()
        figures = await (await client.get("/metrics")).text()
    assert status["status"] == "ready"
    assert status["notices"].startswith("oldest unsent for 36")
    (age,) = [line.split()[1] for line in figures.splitlines() if line.startswith("wegwijs_outbox_age_seconds ")]
    assert 3600 <= float(age) < 3700


async def test_health_readiness_and_metrics_are_there(client: Client) -> None:
    assert await (await client.get("/healthz")).json() == {"status": "ok"}
    assert await (await client.get("/readyz")).json() == {"status": "ready"}
    assert (await client.get("/metrics")).status == 200
