"""The staff's group: words of newcomers into it, words and presses of staff out of it.

Each conversation is a topic there. In a group without topics, or where the bot may not make any, it stands in the group
itself, and staff answer by replying to it.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog
from telegram import (
    Bot,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    MessageEntity,
    ReplyParameters,
    Update,
)
from telegram.constants import CallbackQueryLimit, ForumTopicLimit
from telegram.error import BadRequest, TelegramError

from bot.conversation import CLOSE_COMMAND, GroupMessage, GroupPost, GroupPress, Later, Posted, Unreachable
from bot.languages import LANGUAGES
from bot.telegram.bot import api_call
from bot.telegram.push import outcome_of
from bot.telegram.render import LONGEST, units

_CLOSE_LABEL = "Gesprek afsluiten"
_EMPTY = "…"
_NO_TOPICS = ("not a forum", "not enough rights", "chat_admin_required")
_TOPIC_GONE = ("message thread not found", "topic_deleted", "topic_closed", "topic_id_invalid")

log = structlog.get_logger(__name__)


Opened = Callable[[int], Awaitable[None]]  # hears of a new topic


async def _nobody_asks(_topic: int) -> None: ...


class GroupHandler(Protocol):
    """What staff do in the group goes to `handle`, which claims `key` in its transaction: an update may come twice.

    It gives the sentence to show them, if any: on the button that they pressed, or as a reply to what they wrote.
    """

    @property
    def group_id(self) -> int: ...

    async def handle(self, event: GroupMessage | GroupPress, key: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Group:
    """The staff's group through one bot."""

    bot: Bot
    group_id: int

    async def post(self, post: GroupPost, opened: Opened = _nobody_asks) -> Posted | Later | Unreachable:
        return await push_to_group(self.bot, self.group_id, post, opened)

    async def close_topic(self, topic: int) -> None:
        await close_topic(self.bot, self.group_id, topic)

    async def delete_topic(self, topic: int) -> None:
        await delete_topic(self.bot, self.group_id, topic)


# From staff


def parse_group(update: Update, group: int) -> GroupMessage | GroupPress | None:
    """What staff did in the group with this number; None for another chat, and where silence is right.

    Silence: the words of bots, Telegram's own notices, changed words, commands but for `/close`, and words outside any
    topic that reply to nothing. A `GroupMessage` without text is a picture, a voice, a place.
    """
    if update.callback_query:
        return _parse_press(update.callback_query, group)
    message = update.message
    if message is None or message.chat.id != group or not _is_by_staff(message):
        return None
    topic = message.message_thread_id if message.is_topic_message else None
    reply_to = _replied_to(message)
    text = _words(message)
    if text is None or (topic is None and reply_to is None) or message.from_user is None:
        return None
    return GroupMessage(topic, reply_to, text, message.message_id, str(message.from_user.id))


def _parse_press(query: CallbackQuery, group: int) -> GroupPress | None:
    if query.message is None or query.message.chat.id != group:
        return None
    return GroupPress(query.data or "", str(query.from_user.id))


def _is_by_staff(message: Message) -> bool:
    """An administrator who writes anonymously comes as a bot, but in the name of the group itself."""
    if message.sender_chat:
        return message.sender_chat.id == message.chat.id
    return message.from_user is not None and not message.from_user.is_bot


def _replied_to(message: Message) -> int | None:
    """What staff chose to reply to: all that stands in a topic replies to the notice with which it began."""
    replied = message.reply_to_message
    return None if replied is None or replied.forum_topic_created else replied.message_id


def _words(message: Message) -> str | None:
    """The words to pass on; none of a picture, since its caption alone would say something else."""
    if message.text is None:
        return "" if message.effective_attachment else None
    if not message.text.startswith("/"):
        return message.text
    command = message.text.split(maxsplit=1)[0].partition("@")[0].lower()
    return CLOSE_COMMAND if command == CLOSE_COMMAND else None


async def answer_press(bot: Bot, query: str, sentence: str | None) -> None:
    """Stop the waiting sign on a button, and show a sentence over the chat."""
    short = sentence[: CallbackQueryLimit.ANSWER_CALLBACK_QUERY_TEXT_LENGTH] if sentence else None
    try:
        await api_call(lambda: bot.answer_callback_query(query, short))
    except TelegramError as error:
        log.info("press not answered", error=type(error).__name__, reason=error.message)


async def answer_message(bot: Bot, group: int, event: GroupMessage, sentence: str) -> None:
    """Say something about what a member of staff wrote, below it."""
    below = ReplyParameters(event.message, allow_sending_without_reply=True)
    try:
        await api_call(lambda: bot.send_message(group, sentence, message_thread_id=event.topic, reply_parameters=below))
    except TelegramError as error:
        log.error("telegram refused", error=type(error).__name__, reason=error.message)


# To staff


async def push_to_group(
    bot: Bot, group: int, post: GroupPost, opened: Opened = _nobody_asks
) -> Posted | Later | Unreachable:
    """Post words into the topic of their conversation, which is made where there is none (any more).

    `opened` is told of a new topic before anything stands in it: where the first post has to wait, it comes there.
    Like `push`, it counts as posted once its first message stands there, and raises `TelegramError` for what we got
    wrong. The message that `Posted` names is the last one, under which the buttons are.
    """
    try:
        if post.topic is not None and (posted := await _post_in_old_topic(bot, group, post, post.topic)):
            return posted
        topic = await _make_topic(bot, group, post)
        if topic is None:
            return await _post(bot, group, _messages(post, heading=f"#{post.conversation} {post.language}"), None)
        await opened(topic)
        return await _post(bot, group, _messages(post, is_new=True), topic)
    except TelegramError as error:
        return outcome_of(error)


async def close_topic(bot: Bot, group: int, topic: int) -> None:
    """Close a topic; one that cannot be closed stays as it is."""
    try:
        await api_call(lambda: bot.close_forum_topic(group, topic), patient=False)
    except TelegramError as error:
        log.warning("topic not closed", error=type(error).__name__, reason=error.message)


async def delete_topic(bot: Bot, group: int, topic: int) -> None:
    """Delete a topic with all that stands in it; one that is gone already is no harm."""
    try:
        await api_call(lambda: bot.delete_forum_topic(group, topic), patient=False)
    except TelegramError as error:
        log.warning("topic not deleted", error=type(error).__name__, reason=error.message)


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """One message. `bold`: how long the heading is, in UTF-16 code units."""

    text: str
    bold: int
    keyboard: InlineKeyboardMarkup | None = None


async def _post_in_old_topic(bot: Bot, group: int, post: GroupPost, topic: int) -> Posted | None:
    """None when the topic is gone, or was closed to us."""
    try:
        return await _post(bot, group, _messages(post), topic)
    except BadRequest as error:
        if not _says(error, _TOPIC_GONE):
            raise
        log.info("topic gone", reason=error.message)
        return None


async def _make_topic(bot: Bot, group: int, post: GroupPost) -> int | None:
    """A new topic; None where the group has none or we may not make any."""
    language = LANGUAGES.get(post.language)
    name = f"#{post.conversation} {language.name} ({language.code})" if language else f"#{post.conversation}"
    try:
        made = await bot.create_forum_topic(group, name[: ForumTopicLimit.MAX_NAME_LENGTH])
    except BadRequest as error:
        if not _says(error, _NO_TOPICS):
            raise
        return None
    return made.message_thread_id


async def _post(bot: Bot, group: int, messages: Sequence[_Outgoing], topic: int | None) -> Posted:
    sent = await _send(bot, group, messages[0], topic)
    return await _post_others(bot, group, messages[1:], Posted(topic, sent.message_id))


async def _post_others(bot: Bot, group: int, messages: Sequence[_Outgoing], posted: Posted) -> Posted:
    """Send the rest of long words; what fails is logged, since the first part stands there."""
    for message in messages:
        try:
            sent = await api_call(partial(_send, bot, group, message, posted.topic), patient=False)
        except TelegramError as error:
            log.error("part of a post not sent", error=type(error).__name__, reason=error.message)
            continue
        posted = Posted(posted.topic, sent.message_id) if sent else posted
    return posted


async def _send(bot: Bot, group: int, message: _Outgoing, topic: int | None) -> Message:
    entities = [MessageEntity(MessageEntity.BOLD, 0, message.bold)] if message.bold else []
    return await bot.send_message(
        group,
        message.text,
        entities=entities,
        message_thread_id=topic,
        reply_markup=message.keyboard,
        link_preview_options=LinkPreviewOptions(is_disabled=True),
    )


def _messages(post: GroupPost, *, heading: str = "", is_new: bool = False) -> list[_Outgoing]:
    """A post as messages, each with its heading, the last one with the buttons."""
    heading = " · ".join(part for part in (heading, post.who) if part)
    above = f"{heading}\n" if heading else ""
    pieces = list(_pieces(post.text.strip() or _EMPTY, LONGEST - units(above)))
    keyboard = _keyboard(post) if post.sentences or is_new else None
    return [
        _Outgoing(above + piece, units(heading), keyboard if number == len(pieces) else None)
        for number, piece in enumerate(pieces, start=1)
    ]


def _keyboard(post: GroupPost) -> InlineKeyboardMarkup:
    """The ready-made sentences, by their Dutch text, and the way to end the conversation."""
    buttons = [
        InlineKeyboardButton(sentence, callback_data=f"gs:{post.conversation}:{number}")
        for number, sentence in enumerate(post.sentences)
    ]
    close = InlineKeyboardButton(_CLOSE_LABEL, callback_data=f"gc:{post.conversation}")
    return InlineKeyboardMarkup([[button] for button in (*buttons, close)])


def _pieces(text: str, most: int) -> Iterator[str]:
    """Pieces of at most so many code units, divided at the end of a line or of a word where there is one."""
    while units(text) > most:
        start = text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore")
        half = len(start) // 2
        place = max(start.rfind("\n", half), 0) or max(start.rfind(" ", half), 0) or len(start)
        yield text[:place].rstrip()
        text = text[place:].lstrip()
    yield text


def _says(error: BadRequest, reasons: Sequence[str]) -> bool:
    return any(reason in error.message.lower() for reason in reasons)
