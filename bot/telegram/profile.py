"""What Telegram shows of the bot before anybody writes: its commands, its descriptions and the menu button."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import structlog
from telegram import Bot, BotCommand, MenuButtonCommands
from telegram.error import BadRequest, NetworkError, RetryAfter, TelegramError

from bot.languages import LANGUAGES
from bot.telegram.bot import seconds
from bot.texts import Texts

Result = TypeVar("Result")
log = structlog.get_logger(__name__)

# Telegram takes two-letter codes only (ISO 639-1); who has another language sees the default.
DEFAULT = "en"
CODES = tuple(code for code in LANGUAGES if len(code) == 2)
_PAUSES = (0.5, 2.0, 8.0)  # seconds between tries while Telegram cannot be reached


async def set_profile(bot: Bot, texts: Texts) -> None:
    """Set what differs from what Telegram has. What cannot be set is logged, and left for the next start."""
    parts = [
        partial(part, bot, texts, code)
        for code in ("", *CODES)
        for part in (_set_commands, _set_description, _set_short_description)
    ]
    for part in (*parts, partial(_set_menu_button, bot)):
        try:
            await part()
        except TelegramError as error:
            failed = {"part": part.func.__name__.removeprefix("_set_"), "language": "".join(part.args[2:])}
            log.warning("profile not set", **failed, error=type(error).__name__, reason=error.message)


def commands(texts: Texts, language: str) -> Sequence[BotCommand]:
    """The commands as the menu shows them."""
    return (
        BotCommand("start", texts.text("Start", language)),
        BotCommand("topics", texts.text("Topics", language)),
        BotCommand("offers", texts.text("Courses and activities", language)),
        BotCommand("appointments", texts.text("My appointments", language)),
        BotCommand("language", texts.text("Choose your language", language)),
        BotCommand("person", texts.text("Talk to a person", language)),
        BotCommand("privacy", texts.text("Your data and privacy", language)),
        BotCommand("help", texts.text("Help", language)),
    )


def description(texts: Texts, language: str) -> str:
    """What stands in an empty chat, above the start button."""
    return texts.text(
        "I answer your questions about living in Ghent, in 24 languages: Dutch lessons, the integration trajectory, "
        "school, free time and more. I am a computer program. If I do not know something, I show you the way to a "
        "person.",
        language,
    )


def short_description(texts: Texts, language: str) -> str:
    """What stands on the bot's page, and beside a link to it."""
    return texts.text("Answers about living in Ghent, in 24 languages.", language)


# The parts: read, compare, set. An empty `code` is the default, for all other languages.


async def _set_commands(bot: Bot, texts: Texts, code: str) -> None:
    wanted = tuple(commands(texts, code or DEFAULT))
    if await _patiently(lambda: bot.get_my_commands(language_code=code)) != wanted:
        await _patiently(lambda: bot.set_my_commands(wanted, language_code=code))


async def _set_description(bot: Bot, texts: Texts, code: str) -> None:
    wanted = description(texts, code or DEFAULT)
    if (await _patiently(lambda: bot.get_my_description(code))).description != wanted:
        await _patiently(lambda: bot.set_my_description(wanted, code))


async def _set_short_description(bot: Bot, texts: Texts, code: str) -> None:
    wanted = short_description(texts, code or DEFAULT)
    if (await _patiently(lambda: bot.get_my_short_description(code))).short_description != wanted:
        await _patiently(lambda: bot.set_my_short_description(wanted, code))


async def _set_menu_button(bot: Bot) -> None:
    if await _patiently(bot.get_chat_menu_button) != MenuButtonCommands():
        await _patiently(lambda: bot.set_chat_menu_button(menu_button=MenuButtonCommands()))


async def _patiently(call: Callable[[], Awaitable[Result]]) -> Result:
    """The result of `call`. A 429 is waited out, however long it takes: nobody waits for this."""
    pauses = iter(_PAUSES)
    while True:
        try:
            return await call()
        except RetryAfter as error:
            await asyncio.sleep(seconds(error.retry_after))
        except NetworkError as error:
            pause = next(pauses, None)
            if pause is None or isinstance(error, BadRequest):
                raise
            await asyncio.sleep(pause)
