"""The parts of a reply as Bot API calls; each can be made again."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from telegram import Bot, InputFile, Message

from bot.conversation import Document, Reply, Venue
from bot.telegram.render import Outgoing, render
from bot.telegram.request import call

Call = Callable[[], Awaitable[object]]


def text_calls(bot: Bot, chat: int | str, reply: Reply) -> Iterator[Call]:
    """Send the words of `reply`, with its buttons."""
    for message in render(reply):
        yield partial(_send_message, bot, chat, message)


def extra_calls(bot: Bot, chat: int | str, reply: Reply) -> Iterator[Call]:
    """Send what comes after the words of `reply`, as far as it has any."""
    if reply.venue:
        yield partial(_send_venue, bot, chat, reply.venue)
    if reply.document:
        yield partial(_send_document, bot, chat, reply.document)


async def _send_message(bot: Bot, chat: int | str, message: Outgoing) -> object:
    return await call(bot, "sendMessage", {"chat_id": str(chat), **message.fields})


# The words have made a sound already: what comes with them is silent.


async def _send_venue(bot: Bot, chat: int | str, venue: Venue) -> Message:
    return await bot.send_venue(
        chat, venue.latitude, venue.longitude, venue.title, venue.address, disable_notification=True
    )


async def _send_document(bot: Bot, chat: int | str, document: Document) -> Message:
    file = InputFile(document.content, document.name)
    file.mimetype = document.media_type  # else guessed from the name, with what the machine happens to know
    return await bot.send_document(chat, file, disable_notification=True)
