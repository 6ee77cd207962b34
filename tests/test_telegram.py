"""Telegram from the outside: a fake Bot API server on one side, people on the other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from telegram import Bot

from bot.conversation import Event, Press, Reply, Respond
from bot.languages import LANGUAGES
from bot.storage import Unavailable
from bot.telegram import InvalidToken, Receiver, add_webhook, open_bot, poll, set_webhook
from bot.telegram.receive import SECRET_HEADER
from bot.telegram.render import LONGEST, render
from bot.telegram.request import proxy_for
from tests.conftest import eventually
from tests.fake_telegram import FakeTelegram, Message, Refused

SECRET = "a-secret"
WEBHOOK = "https://wegwijs.example/telegram"

Post = Callable[..., Awaitable[int]]


@pytest.fixture
def receiver(bot: Bot, answer: Respond) -> Receiver:
    return Receiver(bot, answer)


@pytest.fixture
async def polling(receiver: Receiver) -> AsyncIterator[None]:
    task = asyncio.create_task(poll(receiver))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _client(receiver: Receiver) -> TestClient[Any, Any]:
    app = web.Application()
    add_webhook(app, receiver, WEBHOOK, SECRET)
    client = TestClient(TestServer(app))
    await client.start_server()
    return client


@pytest.fixture
async def post(receiver: Receiver) -> AsyncIterator[Post]:
    """Deliver an update to the webhook; gives the HTTP status."""
    client = await _client(receiver)

    async def deliver(update: object, secret: str = SECRET) -> int:
        response = await client.post("/telegram", json=update, headers={SECRET_HEADER: secret})
        return response.status

    yield deliver
    await client.close()


async def _heard(telegram: FakeTelegram, count: int) -> Message:
    """The newest message, once there are `count`."""
    await eventually(lambda: len(telegram.messages) >= count)
    return telegram.messages[-1]


@pytest.mark.usefixtures("polling")
async def test_polling_carries_a_whole_conversation(telegram: FakeTelegram) -> None:
    telegram.say("/start", language="uk")
    greeting = await _heard(telegram, 1)
    assert greeting.text.startswith("Вітаю!")
    telegram.press(greeting, "Школа", "uk")
    await eventually(lambda: greeting.edited)
    telegram.press(greeting, "OKAN", "uk")
    answer = await _heard(telegram, 2)
    assert "OKAN" in answer.text
    assert any(entity["type"] == "bold" for entity in answer.entities)
    telegram.say("/language", language="uk")
    languages = await _heard(telegram, 3)
    telegram.press(languages, "العربية", "uk")
    await eventually(lambda: "سأكتب" in languages.text or languages.edited)
    telegram.say("/help", language="uk")
    assert "Wegwijs" in (await _heard(telegram, 4)).text
    await eventually(lambda: not telegram.unanswered)
    assert telegram.refusals == []


async def test_the_webhook_answers_a_question_before_it_says_ok(telegram: FakeTelegram, post: Post) -> None:
    assert await post(telegram.say("where is Amal, what is your phone number?")) == 200
    [message] = telegram.messages
    assert "Kongostraat 42, 9000 Gent" in message.text
    assert telegram.refusals == []


async def test_the_webhook_is_told_to_telegram_with_its_secret(telegram: FakeTelegram, receiver: Receiver) -> None:
    await set_webhook(receiver.bot, WEBHOOK, SECRET)
    assert telegram.webhook["url"] == WEBHOOK
    assert telegram.webhook["secret_token"] == SECRET
    assert telegram.webhook["allowed_updates"] == ["message", "edited_message", "callback_query"]


@pytest.mark.parametrize("secret", ["", "wrong", "a-secre"])
async def test_a_webhook_call_without_the_secret_is_refused(telegram: FakeTelegram, post: Post, secret: str) -> None:
    assert await post(telegram.say("hello"), secret) == 403
    assert telegram.messages == []


@pytest.mark.parametrize("body", [[], "text", None, 7, {"update_id": "x"}, {"message": {}}, {}])
async def test_a_webhook_body_that_is_no_update_is_refused_without_harm(post: Post, body: object) -> None:
    assert await post(body) in (200, 400)


async def test_the_same_update_twice_is_answered_once(telegram: FakeTelegram, post: Post) -> None:
    update = telegram.say("where is Amal?")
    assert [await post(update), await post(update)] == [200, 200]
    assert len(telegram.messages) == 1


async def test_the_same_update_twice_at_once_is_answered_once(telegram: FakeTelegram, post: Post) -> None:
    update = telegram.say("where is Amal?")
    assert await asyncio.gather(*(post(update) for _ in range(5))) == [200] * 5
    assert len(telegram.messages) == 1


async def test_the_same_press_twice_is_answered_once_and_acknowledged_twice(telegram: FakeTelegram, post: Post) -> None:
    await post(telegram.say("/start"))
    update = telegram.press(telegram.messages[0], "School")
    assert [await post(update), await post(update)] == [200, 200]
    assert telegram.unanswered == []
    assert len(telegram.refusals) == 1, "of the second, since whoever took the first may have died before"
    assert len(telegram.messages) == 1


async def test_a_button_pressed_again_that_changes_nothing_is_no_error(telegram: FakeTelegram, post: Post) -> None:
    await post(telegram.say("/topics"))
    for _ in range(2):
        await post(telegram.press_data(telegram.messages[0], "lt:en"))
    assert len(telegram.messages) == 1
    assert telegram.unanswered == []


async def test_a_press_under_a_message_that_is_gone_gets_a_new_message(telegram: FakeTelegram, post: Post) -> None:
    await post(telegram.say("/start"))
    gone = Message(1, 99999, "old", [], [])
    await post(telegram.press_data(gone, "lt:en"))
    assert len(telegram.messages) == 2
    assert telegram.unanswered == []


@pytest.mark.parametrize("data", ["", "zz:old:button", "se:en:no-such-entry", "🙂" * 16])
async def test_a_forged_or_old_button_gets_a_kind_word(telegram: FakeTelegram, post: Post, data: str) -> None:
    await post(telegram.say("/start"))
    await post(telegram.press_data(telegram.messages[0], data))
    assert "no longer works" in telegram.messages[-1].text
    assert telegram.unanswered == []


MEDIA: dict[str, dict[str, Any]] = {
    "voice": {"voice": {"file_id": "a", "file_unique_id": "a", "duration": 2}},
    "photo": {"photo": [{"file_id": "a", "file_unique_id": "a", "width": 1, "height": 1}]},
    "location": {"location": {"latitude": 51.0, "longitude": 3.7}},
    "contact": {"contact": {"phone_number": "+320", "first_name": "A"}},
    "document": {"document": {"file_id": "a", "file_unique_id": "a"}},
    "sticker": {
        "sticker": {
            "file_id": "a",
            "file_unique_id": "a",
            "type": "regular",
            "width": 1,
            "height": 1,
            "is_animated": False,
            "is_video": False,
        }
    },
}


@pytest.mark.parametrize("kind", MEDIA)
async def test_what_has_no_words_gets_a_kind_word(telegram: FakeTelegram, post: Post, kind: str) -> None:
    assert await post(telegram.send(MEDIA[kind], language="tr")) == 200
    [message] = telegram.messages
    assert "yaz" in message.text.lower() or "metin" in message.text.lower()
    assert ("mikrofon" in message.text.lower()) is (kind == "voice"), "who spoke hears what they can do instead"


async def test_the_words_under_a_photo_are_read(telegram: FakeTelegram, post: Post) -> None:
    await post(telegram.send({**MEDIA["photo"], "caption": "where is Amal?"}))
    assert "Kongostraat" in telegram.messages[0].text


async def test_an_edited_question_is_answered_anew_and_a_moving_place_is_not(
    telegram: FakeTelegram, post: Post
) -> None:
    await post(telegram.send({"text": "where is Amal?", "edit_date": 1}, kind="edited_message"))
    await post(telegram.send({**MEDIA["location"], "edit_date": 1}, kind="edited_message"))
    assert len(telegram.messages) == 1


@pytest.mark.parametrize("chat", [{"id": -5, "type": "group"}, {"id": -6, "type": "supergroup"}])
async def test_in_a_group_the_bot_is_silent(telegram: FakeTelegram, post: Post, chat: dict[str, object]) -> None:
    assert await post(telegram.send({"text": "where is Amal?", "chat": chat})) == 200
    assert telegram.messages == []


@pytest.mark.parametrize("text", ["<b>bold</b> & *stars* _under_ [x](y) `code`", "a" * 4096, "😀", "\u202e \u2066"])
async def test_signs_and_long_texts_are_answered(telegram: FakeTelegram, post: Post, text: str) -> None:
    assert await post(telegram.say(text)) == 200
    assert len(telegram.messages) == 1
    assert telegram.refusals == []


async def test_right_to_left_answers_keep_numbers_and_names_in_one_piece(telegram: FakeTelegram, post: Post) -> None:
    await post(telegram.say("وين عنوان أمل؟", language="ar"))
    assert "\u2068Kongostraat 42, 9000 Gent\u2069" in telegram.messages[0].text
    assert "\u206809 265 78 40\u2069" in telegram.messages[0].text


async def test_a_429_is_obeyed_and_the_answer_comes_later(telegram: FakeTelegram, post: Post) -> None:
    telegram.faults["sendMessage"] = [Refused(429, "Too Many Requests: retry after 1", retry_after=1)]
    started = asyncio.get_running_loop().time()
    assert await post(telegram.say("where is Amal?")) == 200
    assert asyncio.get_running_loop().time() - started >= 1
    assert len(telegram.messages) == 1


async def test_a_gateway_fault_is_tried_again(telegram: FakeTelegram, post: Post) -> None:
    telegram.faults["sendMessage"] = [Refused(502, "Bad Gateway")]
    assert await post(telegram.say("where is Amal?")) == 200
    assert len(telegram.messages) == 1


@pytest.mark.parametrize(
    ("status", "reason"), [(403, "Forbidden: bot was blocked by the user"), (400, "Bad Request: chat not found")]
)
async def test_a_chat_that_is_closed_to_us_ends_quietly(
    telegram: FakeTelegram, post: Post, status: int, reason: str
) -> None:
    telegram.faults["sendMessage"] = [Refused(status, reason)]
    assert await post(telegram.say("where is Amal?")) == 200
    assert await post(telegram.say("where is Amal?", chat=2)) == 200
    assert [message.chat for message in telegram.messages] == [2]


async def test_a_press_is_acknowledged_also_when_the_answer_cannot_be_sent(telegram: FakeTelegram, post: Post) -> None:
    await post(telegram.say("/start"))
    telegram.faults["sendMessage"] = [Refused(403, "Forbidden: bot was blocked by the user")]
    await post(telegram.press_data(telegram.messages[0], "se:en:contact"))
    assert telegram.unanswered == []


def _away_once(answer: Respond) -> Respond:
    """The conversation on a database that is away for the first event."""
    away = [True]

    async def sometimes(event: Event) -> Sequence[Reply]:
        if away:
            away.pop()
            raise Unavailable
        return await answer(event)

    return sometimes


async def test_a_database_that_is_away_makes_telegram_send_again(
    telegram: FakeTelegram, bot: Bot, answer: Respond
) -> None:
    client = await _client(Receiver(bot, _away_once(answer)))
    update = telegram.say("where is Amal?")
    statuses = [(await client.post("/telegram", json=update, headers={SECRET_HEADER: SECRET})).status for _ in range(2)]
    await client.close()
    assert statuses == [503, 200]
    assert len(telegram.messages) == 1


async def test_polling_fetches_again_what_could_not_be_handled(
    telegram: FakeTelegram, bot: Bot, answer: Respond
) -> None:
    task = asyncio.create_task(poll(Receiver(bot, _away_once(answer))))
    telegram.say("where is Amal?")
    await _heard(telegram, 1)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_one_chat_is_answered_in_order_and_does_not_hold_up_another(telegram: FakeTelegram, bot: Bot) -> None:
    gate = asyncio.Event()
    handled: list[str] = []

    async def slow_for_chat_1(event: Event) -> Sequence[Reply]:
        assert not isinstance(event, Press)
        if event.speaker.chat == "1" and not handled.count("1"):
            await gate.wait()
        handled.append(event.speaker.chat)
        return (Reply("ok", LANGUAGES["en"]),)

    client = await _client(Receiver(bot, slow_for_chat_1))
    headers = {SECRET_HEADER: SECRET}
    first = [asyncio.create_task(client.post("/telegram", json=telegram.say(t), headers=headers)) for t in "ab"]
    await asyncio.sleep(0.05)
    await client.post("/telegram", json=telegram.say("c", chat=2), headers=headers)
    gate.set()
    await asyncio.gather(*first)
    await client.close()
    assert handled == ["2", "1", "1"]


async def test_a_wrong_token_is_said_at_once(telegram: FakeTelegram) -> None:
    with pytest.raises(InvalidToken):
        async with open_bot("1:wrong", telegram.url):
            pass


@pytest.mark.parametrize("text", ["word " * 2000, "**bold**\n\n" * 900, "x" * 9000, "- item 😀\n" * 1500])
def test_a_long_reply_is_split_into_messages_that_telegram_takes(text: str) -> None:
    messages = render(Reply(text, LANGUAGES["en"]))
    assert len(messages) > 1
    assert all(0 < len(message.text.encode("utf-16-le")) // 2 <= LONGEST for message in messages)
    assert "".join(message.text for message in messages).count("x") == text.count("x")


def test_telegram_is_reached_through_the_proxy_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "telegram.example")
    assert proxy_for("https://api.telegram.org") == "http://proxy.example:3128"
    assert proxy_for("https://telegram.example:8443") is None
