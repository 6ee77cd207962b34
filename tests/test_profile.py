"""What Telegram shows of the bot before anybody writes, through a Bot API that refuses what Telegram refuses."""

from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs
from telegram import Bot, BotCommand
from telegram.error import BadRequest

from bot.languages import LANGUAGES
from bot.telegram.profile import CODES, commands, description, set_profile, short_description
from bot.texts import Texts
from tests.fake_telegram import (
    LONGEST_COMMAND,
    LONGEST_DESCRIPTION,
    LONGEST_SHORT_DESCRIPTION,
    FakeTelegram,
    Refused,
    too_many,
)

EVERY = ["", *CODES]


async def test_each_language_that_telegram_takes_has_its_own_profile(
    telegram: FakeTelegram, bot: Bot, catalogues: Texts
) -> None:
    await set_profile(bot, catalogues)
    profile = telegram.profile
    assert list(profile.commands) == list(profile.texts["description"]) == EVERY
    for code in EVERY:
        language = code or "en"
        assert profile.texts["description"][code] == description(catalogues, language)
        assert profile.texts["short_description"][code] == short_description(catalogues, language)
        assert [command["command"] for command in profile.commands[code]] == [
            *("start", "topics", "offers", "appointments", "language", "person", "privacy", "help")
        ]
    assert profile.commands["uk"][3]["description"] == catalogues.text("My appointments", "uk") != "My appointments"
    assert profile.menu_button == {"type": "commands"}
    assert telegram.refusals == []


async def test_a_restart_sets_nothing_that_is_there(telegram: FakeTelegram, bot: Bot, catalogues: Texts) -> None:
    await set_profile(bot, catalogues)
    telegram.profile.changes.clear()
    await set_profile(bot, catalogues)
    assert telegram.profile.changes == []


async def test_only_what_differs_is_set(telegram: FakeTelegram, bot: Bot, catalogues: Texts) -> None:
    await set_profile(bot, catalogues)
    telegram.profile.changes.clear()
    telegram.profile.texts["description"]["uk"] = "Something old"
    telegram.profile.commands["fr"] = telegram.profile.commands["fr"][1:]
    telegram.profile.menu_button = {"type": "default"}
    await set_profile(bot, catalogues)
    assert sorted(telegram.profile.changes) == ["commands", "description", "menu_button"]
    assert telegram.profile.texts["description"]["uk"] == description(catalogues, "uk")
    assert len(telegram.profile.commands["fr"]) == 8


async def test_a_429_is_waited_out(telegram: FakeTelegram, bot: Bot, catalogues: Texts) -> None:
    telegram.faults["setMyCommands"] = [too_many(1)] * 2
    telegram.faults["getMyDescription"] = [too_many(1)]
    with capture_logs() as logs:
        await set_profile(bot, catalogues)
    assert list(telegram.profile.commands) == EVERY
    assert logs == []


async def test_a_server_that_is_away_for_a_moment_is_asked_again(
    telegram: FakeTelegram, bot: Bot, catalogues: Texts
) -> None:
    telegram.faults["setMyShortDescription"] = [Refused(502, "Bad Gateway")]
    await set_profile(bot, catalogues)
    assert list(telegram.profile.texts["short_description"]) == EVERY


async def test_what_telegram_refuses_is_logged_and_the_rest_is_set(
    telegram: FakeTelegram, bot: Bot, catalogues: Texts
) -> None:
    telegram.faults["setMyDescription"] = [Refused(400, "Bad Request: something new")]
    telegram.faults["setChatMenuButton"] = [Refused(403, "Forbidden: something else")]
    with capture_logs() as logs:
        await set_profile(bot, catalogues)
    assert [(line["part"], line["language"], line["log_level"]) for line in logs] == [
        ("description", "", "warning"),
        ("menu_button", "", "warning"),
    ]
    assert list(telegram.profile.texts["description"]) == EVERY[1:]
    assert list(telegram.profile.commands) == EVERY


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_fits_what_telegram_takes(code: str, catalogues: Texts) -> None:
    assert 0 < len(description(catalogues, code)) <= LONGEST_DESCRIPTION
    assert 0 < len(short_description(catalogues, code)) <= LONGEST_SHORT_DESCRIPTION
    assert all(0 < len(command.description) <= LONGEST_COMMAND for command in commands(catalogues, code))


Call = Callable[[Bot], Awaitable[object]]


@pytest.mark.parametrize(
    "call",
    [
        lambda bot: bot.set_my_commands([BotCommand("start", "Start")], language_code="prs"),
        lambda bot: bot.set_my_commands([BotCommand("start", "Start")], language_code="UK"),
        lambda bot: bot.set_my_commands([BotCommand("/start", "Start")]),
        lambda bot: bot.set_my_commands([BotCommand("Start", "Start")]),
        lambda bot: bot.set_my_commands([BotCommand("my-data", "Start")]),
        lambda bot: bot.set_my_commands([BotCommand("a" * 33, "Start")]),
        lambda bot: bot.set_my_commands([BotCommand("start", "")]),
        lambda bot: bot.set_my_commands([BotCommand("start", "x" * 257)]),
        lambda bot: bot.set_my_commands([BotCommand(f"start{n}", "Start") for n in range(101)]),
        lambda bot: bot.set_my_description("x" * 513),
        lambda bot: bot.set_my_description("x", "tzm"),
        lambda bot: bot.set_my_short_description("x" * 121),
        lambda bot: bot.get_my_commands(language_code="prs"),
        lambda bot: bot.get_my_description("prs"),
        lambda bot: bot.get_my_short_description("nl-BE"),
    ],
)
async def test_the_fake_refuses_a_wrong_profile(telegram: FakeTelegram, bot: Bot, call: Call) -> None:
    with pytest.raises(BadRequest):
        await call(bot)
    assert telegram.profile.changes == []
