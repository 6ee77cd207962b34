"""The Bot API client, and how long it tries."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

import structlog
from telegram import Bot
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut

from bot.telegram.request import AiohttpRequest, proxy_for

__all__ = ["BadRequest", "InvalidToken", "api_call", "is_reached", "open_bot", "reach", "seconds", "until_reached"]

Result = TypeVar("Result")
log = structlog.get_logger(__name__)

CONNECTIONS = 64
_TRIES = 4
_LONGEST_WAIT = 60  # seconds; Telegram asks for more only when something is very wrong
_FIRST_PAUSE = 0.5
IMPATIENT_SECONDS = 10


@asynccontextmanager
async def open_bot(
    token: str, api: str, heard: Callable[[str], None] = lambda _: None, *, wait: bool = True
) -> AsyncIterator[Bot]:
    """A client that knows its own name. Waits until Telegram answers; raises `InvalidToken` when it refuses us.

    Without `wait` it is tried once, and a client that has not reached Telegram has to `reach` it later.

    `heard` hears of each call what went wrong: a status, `timeout` or `connection`; nothing where all went well.
    """
    os.environ.setdefault("PTB_TIMEDELTA", "1")  # times as timedelta, which the library will do by itself one day
    proxy = proxy_for(api)
    calls, updates = AiohttpRequest(CONNECTIONS, heard, proxy), AiohttpRequest(1, heard, proxy)
    bot = Bot(token, f"{api}/bot", f"{api}/file/bot", request=calls, get_updates_request=updates)
    try:
        await (reach(bot) if wait else _tried_once(bot))
        yield bot
    finally:
        await calls.shutdown()
        await updates.shutdown()


async def reach(bot: Bot) -> None:
    """Wait until Telegram answers and `bot` knows its name; raises `InvalidToken` when it refuses us."""
    await until_reached(bot.initialize)


def is_reached(bot: Bot) -> bool:
    """Whether `bot` knows its name yet."""
    try:
        return bool(bot.username)
    except RuntimeError:
        return False


async def _tried_once(bot: Bot) -> None:
    try:
        await bot.initialize()
    except (NetworkError, RetryAfter) as error:
        if isinstance(error, BadRequest):
            raise
        log.warning("telegram not reached", error=type(error).__name__)


async def until_reached(call: Callable[[], Awaitable[object]]) -> None:
    """Make a call until Telegram has taken it; raises `BadRequest` and `InvalidToken`, where that would not help."""
    pause = _FIRST_PAUSE
    while True:
        try:
            await call()
            return
        except (NetworkError, RetryAfter) as error:
            if isinstance(error, BadRequest):
                raise
            log.warning("telegram not reached", error=type(error).__name__, next_try_in=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_WAIT)


async def api_call(call: Callable[[], Awaitable[Result]], *, patient: bool = True) -> Result | None:
    """The result of `call`, tried again where that can help; None when the chat is closed to us.

    A 429 is obeyed: Telegram names the seconds (`retry_after`). Who is not `patient` gets it raised, and gives up
    after `IMPATIENT_SECONDS`. Raises `BadRequest` for what we got wrong, and the last `TelegramError` when trying
    again did not help.
    """
    if patient:
        return await _tried(call, patient=True)
    try:
        async with asyncio.timeout(IMPATIENT_SECONDS):
            return await _tried(call, patient=False)
    except TimeoutError:
        raise TimedOut from None


async def _tried(call: Callable[[], Awaitable[Result]], *, patient: bool) -> Result | None:
    for attempt in range(_TRIES):
        try:
            return await call()
        except Forbidden:
            log.info("chat closed")
            return None
        except BadRequest:
            raise
        except RetryAfter as error:
            if not patient:
                raise
            await asyncio.sleep(min(seconds(error.retry_after), _LONGEST_WAIT))
        except NetworkError as error:
            log.warning("telegram not reached", error=type(error).__name__)
            await asyncio.sleep(_FIRST_PAUSE * 2**attempt)
    return await _last_try(call)


def seconds(period: int | timedelta) -> float:
    """A time as the library gives it: as a `timedelta`, or as a number from its older versions."""
    return period.total_seconds() if isinstance(period, timedelta) else period


async def _last_try(call: Callable[[], Awaitable[Result]]) -> Result | None:
    try:
        return await call()
    except Forbidden:
        return None
    except TelegramError:
        log.error("reply not sent")
        raise
