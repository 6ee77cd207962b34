"""`wegwijs qr`: a poster with a code to scan, to print and hang up."""

import argparse
import asyncio
import re
from pathlib import Path

from bot import settings
from bot.conversation.start import PAYLOAD, first_step, language_in
from bot.knowledge import load
from bot.languages import LANGUAGES
from bot.settings import PREFIX
from bot.texts import Texts

_BOT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")
_ENOUGH_SECONDS = 20


class WrongPoster(Exception):
    """The poster cannot be made; its text is one line."""


def add_poster(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command, with what it needs."""
    command = commands.add_parser("qr", help="a poster (PDF) with a code to scan that opens the chat in Telegram")
    command.add_argument("--bot", metavar="NAME", help="the bot's name in Telegram; else that of the token is asked")
    command.add_argument(
        "--start",
        metavar="WHAT",
        help="what the chat begins with: a topic, an entry, book-SERVICE or offers-KIND, "
        "with __LANGUAGE behind it to speak that at once, such as school__uk (default: __LANGUAGE alone)",
    )
    command.add_argument("--language", choices=LANGUAGES, default="nl", help="of the poster (default: nl)")
    command.add_argument("--out", type=Path, metavar="FILE", help="default: wegwijs-WHAT.pdf")
    command.set_defaults(run=_qr)


def _qr(chosen: argparse.Namespace) -> int:
    # Imported here: the PDF library takes half a second, which no other command need wait for.
    from bot.poster import MissingFont, Poster, render

    start = f"__{chosen.language}" if chosen.start is None else chosen.start
    _check_start(start)
    poster = Poster(_bot_name(chosen.bot), start, LANGUAGES[chosen.language])
    out = chosen.out or Path(f"wegwijs-{start.strip('_') or chosen.language}.pdf")
    try:
        out.write_bytes(render(poster, Texts()))
    except MissingFont as missing:
        raise WrongPoster(str(missing)) from None
    except OSError as error:
        raise WrongPoster(f"{out} cannot be written: {error.strerror}") from None
    print(f"{out}: {poster.address}")
    return 0


def _check_start(start: str) -> None:
    """A poster hangs for years: what it asks for must be there."""
    if start and not PAYLOAD.fullmatch(start):
        raise WrongPoster(f"--start holds {start!r}; it takes at most 64 of A-Z a-z 0-9 _ -")
    what, _, code = start.rpartition("__") if "__" in start else (start, "", "")
    if code and language_in(start) is None:
        raise WrongPoster(f"--start names the language {code!r}; it takes {' '.join(LANGUAGES)}")
    if what and first_step(load(settings.load().knowledge), start, LANGUAGES["en"]) is None:
        raise WrongPoster(f"nothing starts with {what!r}: there is no such topic, entry, book-SERVICE or offers-KIND")


def _bot_name(given: str | None) -> str:
    name = given.removeprefix("@") if given else asyncio.run(_asked_name())
    if not _BOT_NAME.fullmatch(name):
        raise WrongPoster(f"--bot holds {name!r}; it takes the bot's name in Telegram, such as wegwijs_bot")
    return name


async def _asked_name() -> str:
    """The name that Telegram knows our token by."""
    loaded = settings.load()
    if loaded.telegram_token is None:
        raise WrongPoster(f"give --bot NAME, or set {PREFIX}TELEGRAM_TOKEN to a token from @BotFather")
    # Imported here: the library takes a quarter of a second, which a poster with --bot need not wait for.
    from bot import telegram

    try:
        async with (
            asyncio.timeout(_ENOUGH_SECONDS),
            telegram.open_bot(loaded.telegram_token.get_secret_value(), loaded.telegram_api) as bot,
        ):
            return bot.username
    except telegram.InvalidToken:
        raise WrongPoster(f"{PREFIX}TELEGRAM_TOKEN is not accepted by Telegram; give --bot NAME") from None
    except TimeoutError:
        raise WrongPoster("Telegram cannot be reached now; give --bot NAME") from None
