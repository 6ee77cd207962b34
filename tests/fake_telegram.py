"""A small Bot API server that refuses what Telegram refuses.

It speaks HTTP behind `WEGWIJS_TELEGRAM_API`, keeps what the bot sent, and lets a test play the people.
"""

import asyncio
import json
import math
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from telegram.constants import ChatAction, ReactionEmoji

TOKEN = "123456:TEST"
LONGEST_TEXT = 4096  # UTF-16 code units
LONGEST_DATA = 64  # bytes
LONGEST_TOPIC = 128  # signs
LONGEST_NOTICE = 200  # signs over the chat, after a press
BOT = 123456
ANONYMOUS = 1087968824  # the bot in whose name administrators write who hide theirs
NOW = 1_790_000_000
OVERALL_A_SECOND = 30  # messages
AT_ONCE_IN_A_CHAT = 3  # messages, before one a second

Fields = dict[str, Any]


class Refused(Exception):
    """What Telegram answers when a call is wrong."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"ok": False, "error_code": status, "description": description, "parameters": parameters}


@dataclass
class Message:
    """A message from the bot, as the person sees it now. `topic`, `reply_to`: where it stands in a group."""

    chat: int
    number: int
    text: str
    entities: list[Fields]
    keyboard: list[list[Fields]]
    edited: bool = False
    topic: int | None = None
    reply_to: int | None = None

    @property
    def labels(self) -> list[str]:
        return [button["text"] for row in self.keyboard for button in row]

    def data(self, label: str) -> str:
        """The data of the first button whose label holds `label`."""
        return next(str(b["callback_data"]) for row in self.keyboard for b in row if label in b["text"])


@dataclass(frozen=True)
class Venue:
    """A place on the map that the bot sent."""

    chat: int
    number: int
    title: str
    address: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Document:
    """A file that the bot sent."""

    chat: int
    number: int
    name: str
    media_type: str
    content: bytes


@dataclass
class Topic:
    """A topic of a group, made by the bot or by a member."""

    name: str
    closed: bool = False


@dataclass
class Group:
    """A supergroup with the bot in it. `forum`: it has topics; `may_manage`: the bot may make, close and write in all.

    `topics` are those that were not deleted; `messages` are the numbers of what stands there, each with its topic.
    """

    number: int
    forum: bool = True
    may_manage: bool = True
    topics: dict[int, Topic] = field(default_factory=dict)
    messages: dict[int, int | None] = field(default_factory=dict)

    @property
    def chat(self) -> Fields:
        forum = {"is_forum": True} if self.forum else {}
        return {"id": self.number, "type": "supergroup", "title": "Staff", **forum}

    def place(self, topic: int | None, reply_to: int | None) -> int | None:
        """The topic in which a message of the bot comes to stand; refused when it is not there or not open to it."""
        if topic is None and reply_to is not None:
            topic = self.messages.get(reply_to)
        if topic is None:
            return None
        if not self.forum or topic not in self.topics:
            raise Refused(400, "Bad Request: message thread not found")
        if self.topics[topic].closed and not self.may_manage:
            raise Refused(400, "Bad Request: TOPIC_CLOSED")
        return topic

    def delete(self, topic: int) -> None:
        """As a member does: the topic goes with all that stands in it."""
        del self.topics[topic]
        self.messages = {number: there for number, there in self.messages.items() if there != topic}


@dataclass
class Limits:
    """Telegram's limits: 30 messages in any second, and in one chat one a second after a few at once.

    `refused` counts the messages that came too soon, `busiest` is the largest number taken in one second.
    """

    refused: int = 0
    busiest: int = 0
    _taken: deque[float] = field(default_factory=deque)
    _full_until: dict[int, float] = field(default_factory=dict)

    def take(self, chat: int, now: float) -> None:
        """Count a message to `chat`, or refuse it with the seconds to wait."""
        while self._taken and self._taken[0] <= now - 1:
            self._taken.popleft()
        overall = self._taken[0] + 1 - now if len(self._taken) >= OVERALL_A_SECOND else 0.0
        full_until = max(self._full_until.get(chat, now), now)
        wait = max(overall, full_until - now - (AT_ONCE_IN_A_CHAT - 1))
        if wait > 0:
            self.refused += 1
            raise too_many(math.ceil(wait))
        self._taken.append(now)
        self._full_until[chat] = full_until + 1
        self.busiest = max(self.busiest, len(self._taken))


def too_many(seconds: int) -> Refused:
    return Refused(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


LONGEST_DESCRIPTION, LONGEST_SHORT_DESCRIPTION, LONGEST_COMMAND = 512, 120, 256  # signs
MOST_COMMANDS = 100


@dataclass
class Profile:
    """What is shown of the bot, by language code; that of all other languages has none. `changes` are the calls that
    set something.
    """

    commands: dict[str, list[Fields]] = field(default_factory=dict)
    texts: dict[str, dict[str, str]] = field(default_factory=lambda: {"description": {}, "short_description": {}})
    menu_button: Fields = field(default_factory=lambda: {"type": "default"})
    changes: list[str] = field(default_factory=list)

    @property
    def methods(self) -> Mapping[str, Callable[[Fields], Awaitable[Any]]]:
        return {
            "getMyCommands": self._get_my_commands,
            "setMyCommands": self._set_my_commands,
            "getMyDescription": partial(self._get_text, "description"),
            "setMyDescription": partial(self._set_text, "description", LONGEST_DESCRIPTION),
            "getMyShortDescription": partial(self._get_text, "short_description"),
            "setMyShortDescription": partial(self._set_text, "short_description", LONGEST_SHORT_DESCRIPTION),
            "getChatMenuButton": self._get_chat_menu_button,
            "setChatMenuButton": self._set_chat_menu_button,
        }

    async def _get_my_commands(self, fields: Fields) -> list[Fields]:
        return self.commands.get(_language_code(fields), [])

    async def _set_my_commands(self, fields: Fields) -> bool:
        commands: list[Fields] = fields.get("commands") or []
        if len(commands) > MOST_COMMANDS:
            raise Refused(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command.get("command", ""), re.ASCII):
                raise Refused(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(command.get("description", "").strip()) <= LONGEST_COMMAND:
                raise Refused(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands[_language_code(fields)] = commands
        self.changes.append("commands")
        return True

    async def _get_text(self, name: str, fields: Fields) -> Fields:
        return {name: self.texts[name].get(_language_code(fields), "")}

    async def _set_text(self, name: str, longest: int, fields: Fields) -> bool:
        text = str(fields.get(name, ""))
        if len(text) > longest:
            raise Refused(400, f"Bad Request: {name.replace('_', ' ')} is too long")
        self.texts[name][_language_code(fields)] = text
        self.changes.append(name)
        return True

    async def _get_chat_menu_button(self, _fields: Fields) -> Fields:
        return self.menu_button

    async def _set_chat_menu_button(self, fields: Fields) -> bool:
        button: Fields = fields.get("menu_button") or {"type": "default"}
        if button.get("type") not in ("default", "commands"):
            raise Refused(400, "Bad Request: MenuButton has unsupported type")
        self.menu_button = button
        self.changes.append("menu_button")
        return True


def _language_code(fields: Fields) -> str:
    code = str(fields.get("language_code", ""))
    if not re.fullmatch(r"(?:[a-z]{2})?", code, re.ASCII):
        raise Refused(400, "Bad Request: invalid language code specified")
    return code


@dataclass
class FakeTelegram:
    """The server's state.

    `faults` are answered, one each, instead of the next calls of a method; `chat_faults` instead of the next calls
    that send to a chat. A chat in `blocked` belongs to a person who blocked the bot. `notices` are the sentences that
    were shown after presses.
    """

    updates: list[Fields] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    venues: list[Venue] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    groups: dict[int, Group] = field(default_factory=dict)
    presses: dict[str, bool] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    reactions: list[tuple[int, str]] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    faults: dict[str, list[Refused]] = field(default_factory=dict)
    chat_faults: dict[int, list[Refused]] = field(default_factory=dict)
    blocked: set[int] = field(default_factory=set)
    limits: Limits | None = None
    profile: Profile = field(default_factory=Profile)
    webhook: Fields = field(default_factory=dict)
    url: str = ""
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _update: int = 1000
    _number: int = 1

    # What people do

    def private(self, chat: int, language: str) -> Fields:
        self._update += 1
        self._number += 1
        person = {"id": chat, "is_bot": False, "first_name": "P", "language_code": language}
        return {"message_id": self._number, "date": NOW, "chat": {"id": chat, "type": "private"}, "from": person}

    def say(self, text: str, chat: int = 1, language: str = "en", **more: Any) -> Fields:
        return self.bring({"message": {**self.private(chat, language), "text": text, **more}})

    def send(self, content: Fields, chat: int = 1, language: str = "en", kind: str = "message") -> Fields:
        return self.bring({kind: {**self.private(chat, language), **content}})

    def press(self, message: Message, label: str, language: str = "en") -> Fields:
        return self.press_data(message, message.data(label), language)

    def press_data(self, message: Message, data: str, language: str = "en") -> Fields:
        shown = self.private(message.chat, language)
        query = str(self._update)
        self.presses[query] = False
        pressed = {**shown, "message_id": message.number, "text": message.text}
        sender = pressed.pop("from")
        return self.bring(
            {"callback_query": {"id": query, "from": sender, "chat_instance": "1", "message": pressed, "data": data}}
        )

    # What members of a group do

    def open_group(self, number: int = -1001, *, forum: bool = True, may_manage: bool = True) -> Group:
        self.groups[number] = Group(number, forum, may_manage)
        return self.groups[number]

    def open_topic(self, group: Group, name: str) -> int:
        """A member makes a topic; its number is that of the notice with which it begins."""
        self._number += 1
        group.topics[self._number] = Topic(name)
        group.messages[self._number] = self._number
        return self._number

    def write(
        self,
        text: str,
        group: Group,
        member: int = 51,
        topic: int | None = None,
        reply_to: int | None = None,
        **more: Any,
    ) -> Fields:
        """A member writes in a topic, in the group itself, or as a reply to a message."""
        return self.share({"text": text, **more}, group, member, topic, reply_to)

    def share(
        self,
        content: Fields,
        group: Group,
        member: int = 51,
        topic: int | None = None,
        reply_to: int | None = None,
        kind: str = "message",
    ) -> Fields:
        """A member puts something in the group. A message in a topic replies at least to the topic's first notice."""
        message = {**self.private(member, "nl"), "chat": group.chat, **content}
        topic = group.messages[reply_to] if reply_to is not None else topic
        if topic is not None:
            message |= {"message_thread_id": topic, "is_topic_message": True}
            message["reply_to_message"] = self._shown(group, topic)
        if reply_to is not None:
            message.setdefault("message_thread_id", reply_to)  # of a group without topics: a thread of replies
            message["reply_to_message"] = self._shown(group, reply_to)
        group.messages[self._number] = topic
        return self.bring({kind: message})

    def press_in_group(self, message: Message, label: str, member: int = 51) -> Fields:
        return self.press_data_in_group(message, message.data(label), member)

    def press_data_in_group(self, message: Message, data: str, member: int = 51) -> Fields:
        sender = self.private(member, "nl")["from"]
        query = str(self._update)
        self.presses[query] = False
        shown = self._shown(self.groups[message.chat], message.number)
        return self.bring(
            {"callback_query": {"id": query, "from": sender, "chat_instance": "1", "message": shown, "data": data}}
        )

    def _shown(self, group: Group, number: int) -> Fields:
        """A message as it stands under another one, or under a button."""
        shown: Fields = {"message_id": number, "date": NOW, "chat": group.chat}
        topic = group.messages[number]
        if topic is not None:
            shown |= {"message_thread_id": topic, "is_topic_message": True}
        if topic == number:
            return shown | {"forum_topic_created": {"name": group.topics[number].name, "icon_color": 7322096}}
        ours = next((message for message in self.messages if message.number == number), None)
        sender = {"id": BOT if ours else 52, "is_bot": bool(ours), "first_name": "B" if ours else "M"}
        return shown | {"from": sender, "text": ours.text if ours else "something"}

    def bring(self, update: Fields) -> Fields:
        """Put an update where the bot fetches it; returns it, for a webhook or to bring it again."""
        numbered = {"update_id": self._update, **update}
        self.updates.append(numbered)
        self._arrived.set()
        return numbered

    @property
    def unanswered(self) -> list[str]:
        """Presses that still wait for `answerCallbackQuery`."""
        return [query for query, answered in self.presses.items() if not answered]

    # What the bot calls

    async def call(self, method: str, fields: Fields) -> Any:
        self.calls.append(method)
        if self.faults.get(method):
            raise self.faults[method].pop(0)
        if "chat_id" in fields:
            self._check_chat(str(fields["chat_id"]), method)
        methods: Mapping[str, Callable[[Fields], Awaitable[Any]]] = {
            "getMe": self._get_me,
            "getUpdates": self._get_updates,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "sendMessage": self._send_message,
            "sendVenue": self._send_venue,
            "sendDocument": self._send_document,
            "editMessageText": self._edit_message_text,
            "answerCallbackQuery": self._answer_callback_query,
            "createForumTopic": self._create_forum_topic,
            "closeForumTopic": self._close_forum_topic,
            "deleteForumTopic": self._delete_forum_topic,
            "setMessageReaction": self._set_message_reaction,
            "sendChatAction": self._send_chat_action,
        }
        methods = {**methods, **self.profile.methods}
        if method not in methods:
            raise Refused(404, "Not Found")
        return await methods[method](fields)

    def _check_chat(self, chat_id: str, method: str) -> None:
        if not chat_id.removeprefix("-").isdecimal():
            raise Refused(400, "Bad Request: chat not found")
        chat = int(chat_id)
        if chat in self.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if self.chat_faults.get(chat):
            raise self.chat_faults[chat].pop(0)
        if self.limits and method.startswith("send"):
            self.limits.take(chat, asyncio.get_running_loop().time())

    async def _get_me(self, _fields: Fields) -> Fields:
        return {"id": BOT, "is_bot": True, "first_name": "Wegwijs", "username": "wegwijs_bot"}

    async def _get_updates(self, fields: Fields) -> list[Fields]:
        if self.webhook.get("url"):
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active")
        offset = int(fields.get("offset") or 0)
        self.updates = [update for update in self.updates if update["update_id"] >= offset]
        if not self.updates:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), 0.5)
            except TimeoutError:
                return []
        return self.updates[:100]

    async def _set_webhook(self, fields: Fields) -> bool:
        if not str(fields["url"]).startswith("https://"):
            raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self.webhook = fields
        return True

    async def _delete_webhook(self, _fields: Fields) -> bool:
        self.webhook = {}
        return True

    async def _send_message(self, fields: Fields) -> Fields:
        content = _content(fields)
        chat, group = int(fields["chat_id"]), self.groups.get(int(fields["chat_id"]))
        topic, reply_to = self._place(fields, group)
        self._number += 1
        message = Message(chat, self._number, *content, topic=topic, reply_to=reply_to)
        self.messages.append(message)
        if group is None:
            return _sent(message)
        group.messages[self._number] = topic
        thread = {"message_thread_id": topic, "is_topic_message": True} if topic is not None else {}
        return _sent(message) | {"chat": group.chat} | thread

    def _place(self, fields: Fields, group: Group | None) -> tuple[int | None, int | None]:
        """The topic, and the message to which a message of the bot replies."""
        topic = int(fields["message_thread_id"]) if "message_thread_id" in fields else None
        reply: Fields = fields.get("reply_parameters") or {}
        reply_to: int | None = reply.get("message_id")
        if group is None:
            if topic is not None:
                raise Refused(400, "Bad Request: message thread not found")
            return None, reply_to
        if reply_to is not None and reply_to not in group.messages:
            if not reply.get("allow_sending_without_reply"):
                raise Refused(400, "Bad Request: message to be replied not found")
            reply_to = None
        return group.place(topic, reply_to), reply_to

    async def _create_forum_topic(self, fields: Fields) -> Fields:
        group, name = self.groups.get(int(fields["chat_id"])), _words(fields, "name")
        if group is None or not group.forum:
            raise Refused(400, "Bad Request: the chat is not a forum")
        if not group.may_manage:
            raise Refused(400, "Bad Request: not enough rights to create a topic")
        if len(name) > LONGEST_TOPIC:
            raise Refused(400, "Bad Request: topic name is too long")
        topic = self.open_topic(group, name)
        return {"message_thread_id": topic, "name": name, "icon_color": 7322096}

    async def _close_forum_topic(self, fields: Fields) -> bool:
        group = self.groups.get(int(fields["chat_id"]))
        if group is None or not group.forum:
            raise Refused(400, "Bad Request: the chat is not a forum")
        topic = group.topics.get(int(fields["message_thread_id"]))
        if topic is None:
            raise Refused(400, "Bad Request: TOPIC_ID_INVALID")
        if not group.may_manage:
            raise Refused(400, "Bad Request: not enough rights to close the topic")
        if topic.closed:
            raise Refused(400, "Bad Request: TOPIC_NOT_MODIFIED")
        topic.closed = True
        return True

    async def _delete_forum_topic(self, fields: Fields) -> bool:
        group = self.groups.get(int(fields["chat_id"]))
        topic = int(fields["message_thread_id"])
        if group is None or topic not in group.topics:
            raise Refused(400, "Bad Request: TOPIC_ID_INVALID")
        group.delete(topic)
        return True

    async def _set_message_reaction(self, fields: Fields) -> bool:
        (reaction,) = _decoded(fields["reaction"])
        if reaction["type"] != "emoji" or reaction["emoji"] not in list(ReactionEmoji):
            raise Refused(400, "Bad Request: REACTION_INVALID")
        self.reactions.append((int(fields["chat_id"]), reaction["emoji"]))
        return True

    async def _send_chat_action(self, fields: Fields) -> bool:
        if fields["action"] not in list(ChatAction):
            raise Refused(400, "Bad Request: wrong parameter action in request")
        self.actions.append(int(fields["chat_id"]))
        return True

    async def _send_venue(self, fields: Fields) -> Fields:
        self._number += 1
        title, address = (_words(fields, name) for name in ("title", "address"))
        latitude, longitude = _degrees(fields, "latitude", 90), _degrees(fields, "longitude", 180)
        venue = Venue(int(fields["chat_id"]), self._number, title, address, latitude, longitude)
        self.venues.append(venue)
        place = {"latitude": latitude, "longitude": longitude}
        return _envelope(venue) | {"venue": {"location": place, "title": title, "address": address}}

    async def _send_document(self, fields: Fields) -> Fields:
        file = fields.get("document")
        if not isinstance(file, web.FileField):
            raise Refused(400, "Bad Request: there is no document in the request")
        content = file.file.read()
        if not content:
            raise Refused(400, "Bad Request: file must be non-empty")
        self._number += 1
        document = Document(int(fields["chat_id"]), self._number, file.filename, file.content_type, content)
        self.documents.append(document)
        known = {"file_id": str(self._number), "file_unique_id": str(self._number), "file_name": file.filename}
        return _envelope(document) | {"document": known}

    async def _edit_message_text(self, fields: Fields) -> Fields:
        message = next((m for m in self.messages if m.number == int(fields["message_id"])), None)
        if message is None or message.chat != int(fields["chat_id"]):
            raise Refused(400, "Bad Request: message to edit not found")
        text, entities, keyboard = _content(fields)
        if (message.text, message.keyboard) == (text, keyboard):
            raise Refused(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup "
                "are exactly the same as a current content and reply markup of the message",
            )
        message.text, message.entities, message.keyboard, message.edited = text, entities, keyboard, True
        return _sent(message)

    async def _answer_callback_query(self, fields: Fields) -> bool:
        query = str(fields["callback_query_id"])
        if query not in self.presses or self.presses[query]:
            raise Refused(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        notice = str(fields.get("text", ""))
        if len(notice) > LONGEST_NOTICE:
            raise Refused(400, "Bad Request: MESSAGE_TOO_LONG")
        self.presses[query] = True
        self.notices += [notice] if notice else []
        return True


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _content(fields: Fields) -> tuple[str, list[Fields], list[list[Fields]]]:
    text = fields.get("text", "").strip()
    if not text:
        raise Refused(400, "Bad Request: message text is empty")
    if _units(text) > LONGEST_TEXT:
        raise Refused(400, "Bad Request: message is too long")
    entities: list[Fields] = fields.get("entities") or []
    for entity in entities:
        _check_entity(entity, text)
    keyboard: list[list[Fields]] = (fields.get("reply_markup") or {}).get("inline_keyboard", [])
    for row in keyboard:
        for button in row:
            _check_button(button)
    return text, entities, keyboard


def _check_entity(entity: Fields, text: str) -> None:
    start, end = entity["offset"], entity["offset"] + entity["length"]
    if start < 0 or entity["length"] <= 0 or end > _units(text):
        raise Refused(400, "Bad Request: entity is outside the text")
    text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")  # not in the middle of an emoji
    if entity["type"] == "text_link" and not entity["url"].startswith(("http://", "https://", "tg://")):
        raise Refused(400, "Bad Request: wrong HTTP URL")


def _check_button(button: Fields) -> None:
    if not button.get("text"):
        raise Refused(400, "Bad Request: inline keyboard button text is empty")
    kinds = [kind for kind in ("url", "callback_data") if button.get(kind)]
    if len(kinds) != 1:
        raise Refused(400, "Bad Request: text buttons are unallowed in the inline keyboard")
    if "callback_data" in kinds and len(button["callback_data"].encode()) > LONGEST_DATA:
        raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
    if "url" in kinds and not button["url"].startswith(("http://", "https://", "tg://")):
        raise Refused(400, "Bad Request: BUTTON_URL_INVALID")


def _words(fields: Fields, name: str) -> str:
    words = str(fields.get(name, "")).strip()
    if not words:
        raise Refused(400, f"Bad Request: {name} must be non-empty")
    return words


def _degrees(fields: Fields, name: str, most: float) -> float:
    try:
        degrees = float(fields[name])
    except (KeyError, ValueError):
        raise Refused(400, f"Bad Request: {name} must be a number") from None
    if not -most <= degrees <= most:
        raise Refused(400, "Bad Request: wrong venue location specified")
    return degrees


def _envelope(sent: Message | Venue | Document) -> Fields:
    return {"message_id": sent.number, "date": NOW, "chat": {"id": sent.chat, "type": "private"}}


def _sent(message: Message) -> Fields:
    return _envelope(message) | {"text": message.text}


def _decoded(value: str) -> Any:
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


@asynccontextmanager
async def open_fake_telegram(*, limited: bool = False, port: int | None = None) -> AsyncIterator[FakeTelegram]:
    """A running server; its address is `url`. `limited`: it keeps Telegram's limits on how many messages a second."""
    fake = FakeTelegram(limits=Limits() if limited else None)

    async def handle(request: web.Request) -> web.Response:
        if request.match_info["token"] != TOKEN:
            return web.json_response({"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401)
        fields: Fields = dict(await request.post())
        for name in ("entities", "reply_markup", "reply_parameters", "allowed_updates", "commands", "menu_button"):
            if name in fields:
                fields[name] = _decoded(fields[name])
        try:
            return web.json_response({"ok": True, "result": await fake.call(request.match_info["method"], fields)})
        except Refused as refused:
            fake.refusals.append(str(refused))
            return web.json_response(refused.body, status=refused.status)

    app = web.Application()
    app.router.add_post("/bot{token}/{method}", handle)
    async with TestServer(app, port=port) as server:
        fake.url = str(server.make_url("")).rstrip("/")
        yield fake
