"""A Telegram update to an event; None where silence is right."""

import re

from telegram import CallbackQuery, Message, Update
from telegram.constants import ChatType

from bot.conversation import Attachment, Command, Event, Press, Speaker, Start, Utterance

CHANNEL = "telegram"
GROUP = "telegramgroup"  # a group of people, where what is answered has no buttons: they would be everybody's
ALLOWED_UPDATES = ("message", "edited_message", "callback_query")


def parse(update: Update, name: str = "") -> Event | None:
    """The event in `update`. Channels and Telegram's own notices give none; groups neither, unless the bot whose user
    name is `name` is spoken to."""
    key = key_of(update)
    if update.callback_query:
        return _parse_press(update.callback_query, key)
    message = update.message or update.edited_message
    if message is None or message.from_user is None:
        return None
    if message.chat.type != ChatType.PRIVATE:
        return _parse_group_message(message, name, key) if update.message else None
    speaker = Speaker(CHANNEL, str(message.chat.id), message.from_user.language_code)
    words = message.text or message.caption
    if words:
        return _parse_words(words, speaker, key)
    # An edited message without words is a place that moves: the first one had its answer.
    if update.message is None or not message.effective_attachment:
        return None
    return Attachment(speaker=speaker, key=key, spoken=bool(message.voice or message.video_note or message.audio))


def _parse_group_message(message: Message, name: str, key: str) -> Event | None:
    """Words to the bot in a group: with its name in them, or as a reply to words of its own."""
    words, user = message.text or "", message.from_user
    called = bool(name) and f"@{name}".casefold() in words.casefold()
    replied = message.reply_to_message
    answers = bool(name and replied and replied.from_user and replied.from_user.username == name)
    if not words or user is None or user.is_bot or not (called or answers):
        return None
    text = re.sub(rf"/?\w*@{re.escape(name)}", "", words, flags=re.IGNORECASE).strip()
    return Utterance(text=text, speaker=Speaker(GROUP, str(message.chat.id), user.language_code), key=key)


def _parse_words(words: str, speaker: Speaker, key: str) -> Event:
    words = words.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # half a sign cannot be stored
    if not words.startswith("/"):
        return Utterance(text=words, speaker=speaker, key=key)
    called, payload = (*words[1:].split(maxsplit=1), "", "")[:2]
    name = called.partition("@")[0].lower()
    if name == "start":
        return Start(payload=payload.strip(), speaker=speaker, key=key)
    return Command(name=name, speaker=speaker, key=key)


def _parse_press(query: CallbackQuery, key: str) -> Event | None:
    chat = query.message.chat if query.message else None
    if chat is None or chat.type != ChatType.PRIVATE:
        return None
    return Press(data=query.data or "", speaker=Speaker(CHANNEL, str(chat.id), query.from_user.language_code), key=key)


def key_of(update: Update) -> str:
    """What names an update when it comes twice."""
    return f"{CHANNEL}:{update.update_id}"


def chat_of(update: Update) -> int:
    """Whose turn it is: updates with the same number are handled one after the other."""
    return update.effective_chat.id if update.effective_chat else 0


def pressed_message(update: Update) -> Message | None:
    """The message whose button was pressed, as far as it can still be edited."""
    message = update.callback_query.message if update.callback_query else None
    return message if isinstance(message, Message) else None
