"""Words for a person who did not ask just now: a reminder, a change, an answer of staff."""

from collections.abc import Iterator, Sequence

import structlog
from telegram import Bot
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError

from bot.conversation import Later, Push, Reply, Sent, Unreachable
from bot.telegram.bot import seconds
from bot.telegram.render import without_buttons
from bot.telegram.send import Call, extra_calls, text_calls

_AWAY_SECONDS = 10.0
# What Telegram says, as a 400, of a chat that is not there (any more).
_GONE = ("chat not found", "user not found", "peer_id_invalid")

log = structlog.get_logger(__name__)


def push(bot: Bot, *, in_groups: bool = False) -> Push:
    """Sends through `bot` and tries once: the caller keeps what could not be sent, and the time. In groups there are no
    buttons.

    What is pushed counts as sent once its first message arrived, so that it never arrives twice; a later part
    that fails is logged. Raises `TelegramError` for what we got wrong, as long as nothing arrived.
    """

    async def send(chat: str, replies: Sequence[Reply]) -> Sent | Later | Unreachable:
        arrived = False
        shown = [without_buttons(reply, bot.username) for reply in replies] if in_groups else replies
        for call in _calls(bot, chat, shown):
            try:
                await call()
            except TelegramError as error:
                if not arrived:
                    return outcome_of(error)
                log.warning("part of a push not sent", error=type(error).__name__, reason=error.message)
            arrived = True
        return Sent()

    return send


def _calls(bot: Bot, chat: str, replies: Sequence[Reply]) -> Iterator[Call]:
    for reply in replies:
        yield from text_calls(bot, chat, reply)
        yield from extra_calls(bot, chat, reply)


def outcome_of(error: TelegramError) -> Later | Unreachable:
    """What an error means for what was to be sent; raises what we got wrong ourselves."""
    match error:
        case RetryAfter():
            return Later(seconds(error.retry_after))
        case Forbidden():
            return Unreachable()
        case BadRequest() if any(reason in error.message.lower() for reason in _GONE):
            return Unreachable()
        case NetworkError() if not isinstance(error, BadRequest):
            return Later(_AWAY_SECONDS)
        case _:
            raise error
