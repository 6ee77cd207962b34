"""Updates in, by webhook or by long polling, with the same code behind: handle first, acknowledge after."""

import asyncio
import hmac
import math
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, Protocol
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import structlog
from aiohttp import web
from telegram import Bot, Message, Update
from telegram.constants import ChatAction
from telegram.error import BadRequest, RetryAfter, TelegramError

from bot.conversation import GroupMessage, GroupPress, Reply, Respond
from bot.shielding import to_the_end
from bot.storage import Unavailable
from bot.telegram.bot import api_call, is_reached, seconds, until_reached
from bot.telegram.group import GroupHandler, answer_message, answer_press, parse_group
from bot.telegram.parse import ALLOWED_UPDATES, GROUP, chat_of, key_of, parse, pressed_message
from bot.telegram.render import Outgoing, render, without_buttons
from bot.telegram.request import call
from bot.telegram.send import Call, extra_calls, text_calls

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105
POLL_SECONDS = 30
_PAUSE = 1.0
_SLOW_SECONDS = 1.0  # after which a person sees that we are at it
_AWAY_SECONDS = 10.0
_TURN_SECONDS = 8.0  # and then trying, in `api_call`, to edit and to send: together less than the lease on a reply
_MOST_SENDING = 200  # replies on their way at once, before more updates are fetched

log = structlog.get_logger(__name__)


class Kept(Protocol):
    """Replies that are kept until they have arrived, by the key of their update."""

    def arrived(self, event: str) -> None: ...

    async def later(self, event: str, seconds: float) -> None: ...


class Receiver:
    """Handles updates: those of one chat one after the other, those of different chats side by side.

    `group` is given what staff do in their group; `kept` hears what became of replies; `count` of each update.
    """

    def __init__(self, bot: Bot, respond: Respond, group: GroupHandler | None = None, kept: Kept | None = None) -> None:
        self.bot = bot
        self._respond = respond
        self._group = group
        self._kept = kept
        self._held: dict[int, float] = {}
        self.count: Callable[[str], None] = lambda _outcome: None
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._sending_turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def receive(self, update: Update) -> None:
        """Handle one update, and send its replies; raises `Unavailable` when it must come again."""
        if sending := await self.handle(update):
            await asyncio.wait([sending])  # which goes on when we are told to stop meanwhile

    async def handle(self, update: Update) -> asyncio.Task[None] | None:
        """Handle one update; raises `Unavailable` when it must come again.

        What it did is stored when this returns, with its replies, and these are on their way: the task ends when they
        were sent, or put off.
        """
        turn = self._turns.setdefault(chat_of(update), asyncio.Lock())
        async with turn:
            try:
                return await self._handle(update)
            except Unavailable:
                raise
            except Exception:  # it would be the same the next time, and hold up all that comes after it
                self.count("failed")
                log.exception("update not handled")
                return None

    async def room(self) -> None:
        """Wait until not too much is on its way."""
        while len(self._tasks) > _MOST_SENDING:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def finish(self) -> None:
        """Wait until all that is on its way was sent."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _handle(self, update: Update) -> asyncio.Task[None] | None:
        if self._group and chat_of(update) == self._group.group_id:
            done = parse_group(update, self._group.group_id)
            return await self._handle_group(self._group, update, done) if done else None
        event = parse(update, self.bot.username)
        if event is None:
            self.count("ignored")
            return self._begin(self._acknowledge(update))
        chat = chat_of(update)
        typing = asyncio.get_running_loop().call_later(_SLOW_SECONDS, self._show_typing, chat)
        sending = None
        try:
            replies = await self._respond(event)
            if not replies:
                self.count("silent")  # it came before, and had its replies then; or it was one too many
                return self._begin(self._acknowledge(update))
            if event.speaker.channel == GROUP:
                replies = [without_buttons(reply, self.bot.username) for reply in replies]
            sending = self._begin(self._deliver_in_turn(chat, replies, update, monotonic() + _TURN_SECONDS))
            sending.add_done_callback(lambda _: typing.cancel())
            return sending
        finally:
            if sending is None:
                typing.cancel()

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _deliver_in_turn(self, chat: int, replies: Sequence[Reply], update: Update, until: float) -> None:
        """Send replies after those that were there before in this chat. Whoever waits for too long leaves it to
        others, who take it up when the lease on it has ended.
        """
        turn = self._sending_turns.setdefault(chat, asyncio.Lock())
        async with turn:
            if self._kept and monotonic() > until:
                self.count("put off")
                return
            try:
                await self._deliver(chat, replies, update, key_of(update))
            except Exception:
                log.exception("reply not sent")

    def _show_typing(self, chat: int) -> None:
        """Tell somebody whose answer takes a while that it comes."""
        self._begin(self._type(chat))

    async def _type(self, chat: int) -> None:
        with suppress(TelegramError):
            await self.bot.send_chat_action(chat, ChatAction.TYPING)

    async def _deliver(self, chat: int, replies: Sequence[Reply], update: Update, key: str) -> None:
        """Send replies, or leave them for later where Telegram says so: this chat waits, the others do not."""
        left = self._held.get(chat, 0.0) - monotonic()
        try:
            if left > 0 and self._kept:
                raise RetryAfter(math.ceil(left))
            await self._send(chat, replies, update, key)
        except RetryAfter as error:
            await self._put_off(chat, key, seconds(error.retry_after))
        except BadRequest as error:
            log.error("telegram refused", error=type(error).__name__, reason=error.message)
            self._arrived(key)
        except TelegramError as error:
            log.warning("reply put off", error=type(error).__name__)
            await self._put_off(chat, key, _AWAY_SECONDS)
        else:
            self.count("answered")
        finally:
            await self._acknowledge(update)

    def _arrived(self, key: str) -> None:
        """Nobody has to send it again."""
        if self._kept:
            self._kept.arrived(key)

    async def _put_off(self, chat: int, key: str, for_seconds: float) -> None:
        self.count("put off")
        now = monotonic()
        self._held = {other: until for other, until in self._held.items() if until > now}
        self._held[chat] = now + for_seconds
        if self._kept is None:
            log.error("reply lost")
            return
        try:
            await self._kept.later(key, for_seconds)
        except Unavailable:
            log.warning("reply kept for the length of its lease")

    async def _handle_group(
        self, group: GroupHandler, update: Update, event: GroupMessage | GroupPress
    ) -> asyncio.Task[None] | None:
        """A fault of ours is logged and acknowledged; when the database is away, the update comes again."""
        sentence = None
        try:
            sentence = await group.handle(event, key_of(update))
        except Unavailable:
            raise
        except Exception:
            log.exception("group not handled", event_type=type(event).__name__)
        if update.callback_query:
            return self._begin(answer_press(self.bot, update.callback_query.id, sentence))
        if isinstance(event, GroupMessage) and sentence:
            return self._begin(answer_message(self.bot, group.group_id, event, sentence))
        return None

    async def _acknowledge(self, update: Update) -> None:
        """Stop the waiting sign on a pressed button; too late is no harm."""
        if query := update.callback_query:
            with suppress(TelegramError):
                await api_call(lambda: self.bot.answer_callback_query(query.id), patient=False)

    async def _send(self, chat: int, replies: Sequence[Reply], update: Update, key: str) -> None:
        """Once the first message has arrived, the replies count as arrived, and a 429 is waited out here: what follows
        belongs to it.
        """
        pressed, patient = pressed_message(update), self._kept is None
        for reply in replies:
            if not await self._edited(pressed, reply, patient=patient):
                for call in text_calls(self.bot, chat, reply):
                    await api_call(call, patient=patient)
                    self._arrived(key)
                    patient = True
            self._arrived(key)
            patient = True
            for call in extra_calls(self.bot, chat, reply):
                await self._send_extra(call)
            if reply.reaction and update.message:
                await self._react(update.message, reply.reaction)

    async def _react(self, message: Message, emoji: str) -> None:
        """Put an emoji on the person's own words; without it the reply says the same."""
        with suppress(TelegramError):
            await self.bot.set_message_reaction(message.chat.id, message.message_id, emoji)

    async def _send_extra(self, call: Call) -> None:
        """Send what comes after the words; without it the words still say the same."""
        try:
            await api_call(call)
        except TelegramError as error:
            log.error("telegram refused an extra", error=type(error).__name__, reason=error.message)

    async def _edited(self, pressed: Message | None, reply: Reply, *, patient: bool) -> bool:
        """Whether the words of `reply` stand in place of the pressed message."""
        if pressed is None or not reply.replaces:
            return False
        messages = render(reply)
        return len(messages) == 1 and await self._edit(pressed, messages[0], patient=patient)

    async def _edit(self, pressed: Message, message: Outgoing, *, patient: bool) -> bool:
        """Show `message` in place of the pressed one; False when that one is gone or too old."""
        try:
            place = {"chat_id": str(pressed.chat.id), "message_id": str(pressed.message_id)}
            await api_call(lambda: call(self.bot, "editMessageText", {**place, **message.fields}), patient=patient)
        except BadRequest as error:
            return "not modified" in error.message
        return True


def add_webhook(app: web.Application, receiver: Receiver, url: str, secret: str) -> None:
    """Serve Telegram's webhook at the path of `url`; others are refused before their body is read."""

    async def webhook(request: web.Request) -> web.Response:
        if not hmac.compare_digest(request.headers.get(SECRET_HEADER, "").encode(), secret.encode()):
            return web.Response(status=403)
        if not is_reached(receiver.bot):
            return web.Response(status=503)
        try:
            update = Update.de_json(await request.json(), receiver.bot)
        except (ValueError, TypeError, KeyError, AttributeError):
            log.warning("webhook body refused")
            return web.Response(status=400)
        try:
            await receiver.receive(update)
        except Unavailable:
            return web.Response(status=503)
        return web.Response()

    app.router.add_post(urlsplit(url).path or "/", webhook)


async def set_webhook(bot: Bot, url: str, secret: str) -> None:
    """Tell Telegram where to send updates; raises `BadRequest` when it does not want to send them there."""
    await until_reached(lambda: bot.set_webhook(url, secret_token=secret, allowed_updates=ALLOWED_UPDATES))


async def poll(receiver: Receiver) -> None:
    """Fetch updates until cancelled. The offset moves only when all that came was handled."""
    with suppress(TelegramError):
        await api_call(receiver.bot.delete_webhook)
    offset: int | None = None
    while True:
        try:
            updates = await receiver.bot.get_updates(
                offset, timeout=POLL_SECONDS, allowed_updates=ALLOWED_UPDATES, read_timeout=POLL_SECONDS + 10
            )
            await to_the_end(_handle_all(receiver, updates))
        except TelegramError as error:
            log.warning("telegram not reached", error=type(error).__name__)
            await asyncio.sleep(_PAUSE)
        except Unavailable:
            await asyncio.sleep(_PAUSE)
        except Exception:
            log.exception("updates not fetched")
            await asyncio.sleep(_PAUSE)
        else:
            offset = updates[-1].update_id + 1 if updates else offset
            await receiver.room()


async def _handle_all(receiver: Receiver, updates: Sequence[Update]) -> None:
    by_chat: dict[int, list[Update]] = defaultdict(list)
    for update in updates:
        by_chat[chat_of(update)].append(update)
    outcomes = await asyncio.gather(
        *(_handle_in_order(receiver, chat) for chat in by_chat.values()), return_exceptions=True
    )
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _handle_in_order(receiver: Receiver, updates: Sequence[Update]) -> None:
    for update in updates:
        await receiver.handle(update)
