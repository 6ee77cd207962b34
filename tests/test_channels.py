"""Telegram and the terminal with a place, a file, and words that nobody asked for just now."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs
from telegram import Bot, Update
from telegram.error import BadRequest

from bot.cli import _show
from bot.conversation import (
    Button,
    Document,
    Event,
    Later,
    Link,
    Reply,
    Respond,
    Sent,
    Unreachable,
    Venue,
)
from bot.languages import LANGUAGES
from bot.telegram import Receiver, open_bot, push
from tests.fake_telegram import TOKEN, FakeTelegram, Refused, open_fake_telegram, too_many
from tests.fake_telegram import Document as SentDocument
from tests.fake_telegram import Message as SentMessage

CALENDAR = "BEGIN:VCALENDAR\r\nSUMMARY:مدرسة é\r\nEND:VCALENDAR\r\n".encode() + bytes(range(256))
PLACE = Venue("Amal", "Kongostraat 42, 9000 Gent", 51.06284, 3.73045)
FILE = Document("wegwijs-7K3M.ics", "text/calendar", CALENDAR)
BOOKED = Reply("Your place is **sure**.", LANGUAGES["en"], venue=PLACE, document=FILE)
REMINDER = Reply("غدًا لديكم موعد.", LANGUAGES["ar"], replaces=True, venue=PLACE)


def _saying(*replies: Reply) -> Respond:
    """A conversation that always says the same."""

    async def respond(_event: Event) -> Sequence[Reply]:
        return replies

    return respond


@pytest.fixture
async def bot(telegram: FakeTelegram) -> AsyncIterator[Bot]:
    async with open_bot(TOKEN, telegram.url) as opened:
        telegram.calls.clear()
        yield opened


async def _receive(bot: Bot, respond: Respond, update: dict[str, Any]) -> None:
    await Receiver(bot, respond).receive(Update.de_json(update, bot))


async def _shown(telegram: FakeTelegram, bot: Bot) -> SentMessage:
    """A message whose button can be pressed."""
    await _receive(bot, _saying(Reply("Sure?", LANGUAGES["en"])), telegram.say("a place"))
    return telegram.messages[0]


# Telegram, to the one who spoke


async def test_after_the_words_come_the_place_and_the_file(telegram: FakeTelegram, bot: Bot) -> None:
    await _receive(bot, _saying(BOOKED), telegram.say("yes", chat=7))
    assert telegram.calls == ["sendMessage", "sendVenue", "sendDocument"]
    assert [message.text for message in telegram.messages] == ["Your place is sure."]
    assert [(venue.chat, venue.title, venue.address) for venue in telegram.venues] == [(7, PLACE.title, PLACE.address)]
    assert [(venue.latitude, venue.longitude) for venue in telegram.venues] == [(51.06284, 3.73045)]
    [file] = telegram.documents
    assert file == SentDocument(7, file.number, "wegwijs-7K3M.ics", "text/calendar", CALENDAR)
    assert telegram.refusals == []


async def test_the_place_and_the_file_come_also_when_the_words_replace_others(telegram: FakeTelegram, bot: Bot) -> None:
    press = telegram.press_data(await _shown(telegram, bot), "lt:en")
    await _receive(bot, _saying(replace(BOOKED, replaces=True)), press)
    assert [(message.text, message.edited) for message in telegram.messages] == [("Your place is sure.", True)]
    assert telegram.calls[-4:] == ["editMessageText", "sendVenue", "sendDocument", "answerCallbackQuery"]


async def test_a_file_name_in_any_script_arrives_whole(telegram: FakeTelegram, bot: Bot) -> None:
    named = replace(BOOKED, document=replace(FILE, name='موعد "é".ics'))
    await _receive(bot, _saying(named), telegram.say("yes"))
    assert [file.content for file in telegram.documents] == [CALENDAR]
    assert telegram.refusals == []


@pytest.mark.parametrize("method", ["sendVenue", "sendDocument"])
async def test_a_place_or_file_that_is_refused_is_logged_and_loses_nothing_else(
    telegram: FakeTelegram, bot: Bot, method: str
) -> None:
    telegram.faults[method] = [Refused(400, "Bad Request: something is wrong with it")]
    question = Reply("And now?", LANGUAGES["en"])
    update = telegram.press_data(await _shown(telegram, bot), "lt:en")
    with capture_logs() as logs:
        await _receive(bot, _saying(BOOKED, question), update)
    assert [message.text for message in telegram.messages[1:]] == ["Your place is sure.", "And now?"]
    assert len(telegram.venues) + len(telegram.documents) == 1
    assert [line["event"] for line in logs] == ["telegram refused an extra"]
    assert telegram.unanswered == []


@pytest.mark.parametrize("fault", [too_many(1), Refused(502, "Bad Gateway")], ids=["429", "502"])
async def test_a_file_that_could_not_be_sent_just_now_is_sent_again(
    telegram: FakeTelegram, bot: Bot, fault: Refused
) -> None:
    telegram.faults["sendDocument"] = [fault]
    await _receive(bot, _saying(BOOKED), telegram.say("yes"))
    assert [file.content for file in telegram.documents] == [CALENDAR]
    assert len(telegram.messages) == len(telegram.venues) == 1


# Telegram, to someone who did not ask just now


async def test_what_is_pushed_arrives_in_order(telegram: FakeTelegram, bot: Bot) -> None:
    assert await push(bot)("7", (BOOKED, REMINDER)) == Sent()
    assert telegram.calls == ["sendMessage", "sendVenue", "sendDocument", "sendMessage", "sendVenue"]
    assert [(message.chat, message.text) for message in telegram.messages] == [
        (7, "Your place is sure."),
        (7, "غدًا لديكم موعد."),
    ]
    assert [venue.chat for venue in telegram.venues] == [7, 7]
    assert [file.chat for file in telegram.documents] == [7]


async def test_pushing_nothing_is_done_at_once(telegram: FakeTelegram, bot: Bot) -> None:
    assert await push(bot)("7", ()) == Sent()
    assert telegram.calls == []


async def test_a_push_that_is_too_early_says_when_to_come_back_and_tries_once(telegram: FakeTelegram, bot: Bot) -> None:
    telegram.chat_faults[7] = [too_many(90)]
    assert await push(bot)("7", (BOOKED,)) == Later(90)
    assert telegram.calls == ["sendMessage"]
    assert await push(bot)("7", (BOOKED,)) == Sent()
    assert len(telegram.messages) == 1


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_push_while_telegram_has_a_fault_is_for_later(telegram: FakeTelegram, bot: Bot, status: int) -> None:
    telegram.faults["sendMessage"] = [Refused(status, "Internal Server Error")]
    outcome = await push(bot)("7", (BOOKED,))
    assert isinstance(outcome, Later)
    assert 1 <= outcome.seconds <= 60
    assert telegram.calls == ["sendMessage"]


async def test_a_push_while_telegram_is_away_is_for_later() -> None:
    async with AsyncExitStack() as outer, AsyncExitStack() as server:
        telegram = await server.enter_async_context(open_fake_telegram())
        bot = await outer.enter_async_context(open_bot(TOKEN, telegram.url))
        await server.aclose()
        assert isinstance(await push(bot)("7", (BOOKED,)), Later)


async def test_a_person_who_blocked_the_bot_is_unreachable_until_they_open_it_again(
    telegram: FakeTelegram, bot: Bot
) -> None:
    telegram.blocked.add(7)
    assert await push(bot)("7", (BOOKED,)) == Unreachable()
    assert await push(bot)("8", (BOOKED,)) == Sent()
    telegram.blocked.clear()
    assert await push(bot)("7", (BOOKED,)) == Sent()
    assert [message.chat for message in telegram.messages] == [8, 7]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (403, "Forbidden: user is deactivated"),
        (403, "Forbidden: bot can't initiate conversation with a user"),
        (400, "Bad Request: chat not found"),
        (400, "Bad Request: PEER_ID_INVALID"),
    ],
)
async def test_a_chat_that_is_gone_is_unreachable(telegram: FakeTelegram, bot: Bot, status: int, reason: str) -> None:
    telegram.chat_faults[7] = [Refused(status, reason)]
    assert await push(bot)("7", (BOOKED,)) == Unreachable()
    assert telegram.calls == ["sendMessage"]


async def test_a_chat_of_another_channel_is_unreachable(bot: Bot) -> None:
    assert await push(bot)("no-number", (BOOKED,)) == Unreachable()


async def test_a_push_that_is_our_own_mistake_is_a_fault(telegram: FakeTelegram, bot: Bot) -> None:
    telegram.chat_faults[7] = [Refused(400, "Bad Request: BUTTON_DATA_INVALID")]
    with pytest.raises(BadRequest):
        await push(bot)("7", (BOOKED,))


@pytest.mark.parametrize(
    "fault",
    [too_many(90), Refused(502, "Bad Gateway"), Refused(403, "Forbidden: bot was blocked by the user")],
    ids=["429", "502", "403"],
)
async def test_once_the_words_arrived_a_push_counts_as_sent(telegram: FakeTelegram, bot: Bot, fault: Refused) -> None:
    telegram.faults["sendVenue"] = [fault]
    with capture_logs() as logs:
        assert await push(bot)("7", (BOOKED,)) == Sent()
    assert telegram.calls == ["sendMessage", "sendVenue", "sendDocument"]
    assert [line["event"] for line in logs] == ["part of a push not sent"]


# The terminal


def test_the_terminal_names_the_place_and_the_file_before_the_buttons(capsys: pytest.CaptureFixture[str]) -> None:
    _show([replace(BOOKED, rows=((Button("More", Link("https://www.amal.gent")),),))])
    shown = [line for line in capsys.readouterr().out.splitlines() if line]
    assert shown == [
        "Your place is sure.",
        "📍 Amal, Kongostraat 42, 9000 Gent",
        "📄 wegwijs-7K3M.ics",
        "  /1  More",
    ]
