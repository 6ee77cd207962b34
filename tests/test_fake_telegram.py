"""The fake Bot API refuses what Telegram refuses; else the tests behind it would say little."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aiohttp import ClientSession
from telegram import Bot
from telegram.error import BadRequest, RetryAfter, TelegramError

from bot.telegram import open_bot
from tests.fake_telegram import TOKEN, FakeTelegram, Venue, open_fake_telegram

Send = Callable[[Bot], Any]


@pytest.mark.parametrize(
    "send",
    [
        lambda bot: bot.send_venue(1, 90.1, 3.7, "Amal", "Gent"),
        lambda bot: bot.send_venue(1, 51.0, -180.5, "Amal", "Gent"),
        lambda bot: bot.send_venue(1, float("nan"), 3.7, "Amal", "Gent"),
        lambda bot: bot.send_venue(1, 51.0, 3.7, " ", "Gent"),
        lambda bot: bot.send_venue(1, 51.0, 3.7, "Amal", " "),
        lambda bot: bot.send_venue("somebody", 51.0, 3.7, "Amal", "Gent"),
        lambda bot: bot.send_document(1, b"", filename="empty.ics"),
        lambda bot: bot.send_document("somebody", b"x", filename="a.ics"),
    ],
)
async def test_the_fake_refuses_a_wrong_place_or_file(telegram: FakeTelegram, bot: Bot, send: Send) -> None:
    with pytest.raises(BadRequest):
        await send(bot)
    assert (telegram.venues, telegram.documents) == ([], [])


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("sendVenue", {"chat_id": "1", "title": "Amal", "address": "Gent"}),
        ("sendVenue", {"chat_id": "1", "latitude": "51", "longitude": "3.7", "address": "Gent"}),
        ("sendVenue", {"chat_id": "1", "latitude": "51", "longitude": "3,7", "title": "Amal", "address": "Gent"}),
        ("sendDocument", {"chat_id": "1"}),
        ("sendDocument", {"chat_id": "1", "document": "a name of no file"}),
    ],
)
async def test_the_fake_refuses_a_call_with_something_missing(
    telegram: FakeTelegram, method: str, fields: dict[str, str]
) -> None:
    async with ClientSession() as session, session.post(f"{telegram.url}/bot{TOKEN}/{method}", data=fields) as response:
        assert response.status == 400
    assert (telegram.venues, telegram.documents) == ([], [])


async def test_the_fake_keeps_what_is_right(telegram: FakeTelegram, bot: Bot) -> None:
    sent = await bot.send_venue(1, -90, 180, "Amal", "Gent")
    assert sent.venue
    assert telegram.venues == [Venue(1, sent.message_id, "Amal", "Gent", -90, 180)]


async def _tried(bot: Bot, chats: Sequence[int]) -> list[object]:
    sending = (bot.send_message(chat, "hello") for chat in chats)
    return await asyncio.gather(*sending, return_exceptions=True)


async def test_the_fake_with_limits_takes_thirty_messages_in_one_second() -> None:
    async with open_fake_telegram(limited=True) as telegram, open_bot(TOKEN, telegram.url) as bot:
        outcomes = await _tried(bot, range(1, 41))
        assert len(telegram.messages) == 30
        assert sum(isinstance(outcome, RetryAfter) for outcome in outcomes) == 10
        assert telegram.limits
        assert (telegram.limits.refused, telegram.limits.busiest) == (10, 30)
        await asyncio.sleep(1)
        assert not any(isinstance(outcome, TelegramError) for outcome in await _tried(bot, range(41, 51)))


async def test_the_fake_with_limits_takes_a_few_messages_at_once_in_one_chat() -> None:
    async with open_fake_telegram(limited=True) as telegram, open_bot(TOKEN, telegram.url) as bot:
        outcomes = await _tried(bot, [7] * 5)
        assert sum(isinstance(outcome, RetryAfter) for outcome in outcomes) == 2
        await asyncio.sleep(1)
        await bot.send_message(7, "hello")
        with pytest.raises(RetryAfter):
            await bot.send_message(7, "hello")
        await bot.send_message(8, "hello")
        assert [message.chat for message in telegram.messages] == [7, 7, 7, 7, 8]


async def test_the_fake_has_no_limits_unless_asked(telegram: FakeTelegram, bot: Bot) -> None:
    await _tried(bot, [7] * 40)
    assert len(telegram.messages) == 40
