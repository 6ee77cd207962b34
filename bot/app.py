"""Composition root: opens what is needed, puts the rooms together, and serves until told to stop."""

import asyncio
import datetime
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import knowledge, storage
from bot.console import Console, add_console
from bot.console.signing import ENTER, link
from bot.conversation import Push, Respond, respond
from bot.conversation.answering import ways_elsewhere
from bot.conversation.staffdoor import letting_staff_in
from bot.conversation.voice import Voice
from bot.delivery import Delivery
from bot.handover import StaffGroup
from bot.knowledge import Holder
from bot.languages import LANGUAGES, Language
from bot.learning import recall
from bot.limits import Limit
from bot.metrics import Metrics
from bot.middleware import apologising, limited, observed
from bot.replies import KeptReplies
from bot.scheduling import day_of
from bot.settings import PREFIX, Settings, WrongSettings
from bot.storage import events, reminding, retention, staff
from bot.texts import Texts
from bot.understanding import Understanding
from bot.web import add_chat, add_health, limiting, secure
from bot.web.chat import CHANNEL as WEB
from bot.web.chat import LONGEST_BODY, Fetch

Clock = Callable[[], datetime.datetime]

HOUSEKEEPING_SECONDS = 6 * 3600
PERSON = (60, 30)  # messages at once, and a minute from then on; twenty in a minute are always served
ADDRESS = (600, 300)  # requests of one address; a school or a shelter has one for everybody
LATE_SECONDS = 900
_STOP_SECONDS, _LEAST_SECONDS = 4.0, 0.2

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What every channel is given, and what health looks at."""

    respond: Respond
    fetch: Fetch
    knowledge: Holder[Understanding]
    database: AsyncEngine
    texts: Texts
    metrics: Metrics = field(default_factory=Metrics)
    group: StaffGroup | None = None
    channels: list[str] = field(default_factory=list)  # in which we speak unasked


def utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def public_address(settings: Settings) -> str:
    """Where people reach the web side: the host of the webhook, or this machine."""
    if settings.webhook_url:
        parts = urlsplit(settings.webhook_url)
        return f"{parts.scheme}://{parts.netloc}"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


@asynccontextmanager
async def open_conversation(settings: Settings, clock: Clock = utc_now) -> AsyncIterator[Conversation]:
    """Database, knowledge and texts, with the one `respond` that all channels call."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(storage.open_storage(settings.database_url))
        await storage.migrate(database)
        holder = await stack.enter_async_context(knowledge.open_holder(settings.knowledge, recall))
        catalogues = Texts()
        answer: Respond = partial(respond, knowledge=holder, database=database, texts=catalogues, clock=clock)
        console = f"{public_address(settings)}{ENTER}"
        answer = partial(letting_staff_in, answer, database=database, clock=clock, console=console)
        answer = partial(apologising, answer, texts=catalogues)
        answer = partial(limited, answer, limit=Limit(*PERSON), database=database, texts=catalogues)
        metrics = Metrics()
        answer = partial(observed, answer, metrics=metrics, holder=holder)
        fetch = partial(Delivery(database, holder, catalogues, clock, {}).fetch, WEB)
        group = StaffGroup(database, holder, catalogues, clock)
        yield Conversation(answer, fetch, holder, database, catalogues, metrics, group)


# Serving


def web_app(conversation: Conversation, clock: Clock = utc_now, free: str = "") -> web.Application:
    """The aiohttp application: the chat page and health. Telegram's webhook is added by `serve`, at the path `free`."""
    limit = limiting(Limit(*ADDRESS), conversation.texts, free)
    app = web.Application(client_max_size=LONGEST_BODY, middlewares=[limit])
    app.on_response_prepare.append(secure)
    add_chat(app, conversation.respond, conversation.texts, conversation.fetch, partial(_ways, conversation, clock))
    faults, measured = partial(_faults, conversation, clock), partial(_measured, conversation, clock)
    add_health(app, faults, conversation.metrics.registry, measured)
    return app


def _ways(conversation: Conversation, clock: Clock, language: Language) -> str:
    """Where help is without the chat."""
    snapshot = conversation.knowledge.current.snapshot
    return ways_elsewhere(Voice(snapshot, conversation.texts, language, day_of(clock())))


async def _faults(conversation: Conversation, clock: Clock) -> dict[str, str]:
    """What is wrong with each part; what waits for long is told, and is no reason to take nobody any more."""
    try:
        age = await _outbox_age(conversation, clock)
    except storage.Unavailable:
        return {"database": "away"}
    faults = {"notices": f"oldest unsent for {age:.0f} s"} if age > LATE_SECONDS else {}
    if conversation.metrics.telegram_away:
        faults["telegram"] = "away"
    if conversation.knowledge.problems:
        faults["knowledge"] = "files refused; the earlier ones are in use"
    return faults


async def _measured(conversation: Conversation, clock: Clock) -> None:
    """Bring the figures up to date that nobody counts."""
    conversation.metrics.show_knowledge(conversation.knowledge.current.snapshot.version)
    with suppress(storage.Unavailable):
        conversation.metrics.outbox_age.set(await _outbox_age(conversation, clock))


async def _outbox_age(conversation: Conversation, clock: Clock) -> float:
    """Seconds since the oldest notice, reminder or reply should have been sent that was not."""
    now = clock()
    async with storage.begin(conversation.database) as connection:
        channels = conversation.channels
        due = [await oldest_due(connection, now, channels) for oldest_due in (reminding.oldest_due, events.oldest_due)]
    return max((now - at).total_seconds() for at in (*due, now) if at)


async def serve(settings: Settings, announce: Callable[[str, str], None], clock: Clock = utc_now) -> None:
    """Serve the web side, and Telegram when there is a token, until SIGTERM or SIGINT."""
    async with _Stack() as stack:
        conversation = await stack.enter_async_context(open_conversation(settings, clock))
        # What was learnt stays, and is large: looking through it again and again would hold up everybody meanwhile.
        gc.collect()
        gc.freeze()
        app = web_app(conversation, clock, urlsplit(settings.webhook_url or "").path)
        https = bool(settings.webhook_url)
        add_console(Console(app, conversation.database, conversation.knowledge, settings.knowledge, clock, https))
        pushes, receiving = await _open_telegram(stack, settings, conversation, app, clock)
        delivery = Delivery(
            conversation.database,
            conversation.knowledge,
            conversation.texts,
            clock,
            pushes,
            group=conversation.group,
        )
        conversation.channels.extend(delivery.channels)
        address = await _listen(stack, app, settings)
        stack.run(_keep_house(conversation, clock), _read_ahead(conversation.texts), delivery.run(), *receiving)
        announce(address, await _first_link(settings, conversation.database, clock, address))
        await stack.told_to_stop()


async def _open_telegram(
    stack: "_Stack", settings: Settings, conversation: Conversation, app: web.Application, clock: Clock
) -> tuple[Mapping[str, Push], Sequence[Coroutine[None, None, None]]]:
    """Join Telegram: how to reach people there, and what has to run beside the web side."""
    if settings.telegram_token is None:
        return {}, ()
    # Imported here: the library takes a quarter of a second, which the web chat alone need not wait for.
    from bot import telegram

    token, heard = settings.telegram_token.get_secret_value(), conversation.metrics.telegram_called
    with _token_refused(telegram.InvalidToken):
        bot = await stack.enter_async_context(telegram.open_bot(token, settings.telegram_api, heard, wait=False))
    group = conversation.group if settings.staff_chat is not None else None
    if group and settings.staff_chat is not None:
        group.client, group.group_id = telegram.Group(bot, settings.staff_chat), settings.staff_chat
    kept = KeptReplies(conversation.database, clock)
    receiver = telegram.Receiver(bot, conversation.respond, group, kept)
    receiver.count = lambda outcome: conversation.metrics.updates.labels(outcome).inc()
    # Stopped after everything that answers, so that what has arrived until then is forgotten.
    stack.run(kept.run())
    stack.push_async_callback(stack.in_time, receiver.finish)
    pushes = {telegram.CHANNEL: telegram.push(bot), telegram.GROUP: telegram.push(bot, in_groups=True)}
    receive = partial(telegram.poll, receiver)
    if settings.webhook_url and settings.webhook_secret:
        secret = settings.webhook_secret.get_secret_value()
        telegram.add_webhook(app, receiver, settings.webhook_url, secret)
        tell = partial(telegram.set_webhook, bot, settings.webhook_url, secret)
        receive = partial(_webhook, tell, telegram.BadRequest)

    async def join() -> None:
        """As soon as Telegram answers; until then the web side serves alone."""
        with _token_refused(telegram.InvalidToken):
            await telegram.reach(bot)
        await asyncio.gather(receive(), telegram.set_profile(bot, conversation.texts))

    return pushes, (join(),)


async def _webhook(tell: Callable[[], Awaitable[None]], refusal: type[Exception]) -> None:
    try:
        await tell()
    except refusal as error:
        raise WrongSettings(f"{PREFIX}WEBHOOK_URL is not accepted by Telegram: {error}") from None


@contextmanager
def _token_refused(refusal: type[Exception]) -> Iterator[None]:
    try:
        yield
    except refusal:
        raise WrongSettings(
            f"{PREFIX}TELEGRAM_TOKEN is not accepted by Telegram; it takes the token that @BotFather gives"
        ) from None


async def _first_link(settings: Settings, database: AsyncEngine, clock: Clock, address: str) -> str:
    """Let the members in that the settings name, and make a link for the operator, who has this machine anyway."""
    now = clock()
    async with storage.begin(database) as connection:
        for number in settings.staff:
            await staff.add(connection, f"Telegram …{str(number)[-4:]}", "administrator", str(number), now)
        await staff.add(connection, staff.OPERATOR, "administrator", staff.NOBODYS_ID, now)
        operator = await staff.by_telegram(connection, staff.NOBODYS_ID)
        token = await staff.make_link(connection, operator.id, now) if operator else ""
    public = public_address(settings) if settings.webhook_url else address
    return link(public, token)


async def _listen(stack: "_Stack", app: web.Application, settings: Settings) -> str:
    """The address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_SECONDS)
    stack.push_async_callback(stack.in_time, runner.cleanup)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OSError as error:
        raise WrongSettings(
            f"cannot listen on {settings.host} port {settings.port} ({error.strerror}); "
            f"set {PREFIX}HOST or {PREFIX}PORT to another"
        ) from None
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{runner.addresses[0][1]}"


async def _keep_house(conversation: Conversation, clock: Clock) -> None:
    """Delete what is past its time, now and every few hours."""
    while True:
        try:
            async with storage.begin(conversation.database) as connection:
                deleted = await retention.delete_expired(connection, clock())
            log.info("kept house", deleted=deleted)
        except storage.Unavailable:
            log.warning("house not kept: database away")
        except Exception:
            log.exception("house not kept")
        await asyncio.sleep(HOUSEKEEPING_SECONDS)


async def _read_ahead(texts: Texts) -> None:
    """Read the catalogue of every language, so that nobody who is the first to speak one waits for it."""
    for code in LANGUAGES:
        await asyncio.to_thread(texts.text, "Yes", code)


class _Stack(AsyncExitStack):
    """What has to end when we are told to stop. All of it together has `_STOP_SECONDS`, from the first that ends."""

    def __init__(self) -> None:
        super().__init__()
        self._told = asyncio.Event()
        self._fault: BaseException | None = None
        self._by: float | None = None

    def run(self, *work: Coroutine[Any, Any, None]) -> None:
        """Do `work` beside the rest until we are told to stop. A fault in it stops us: whoever watches starts us anew,
        and nobody goes on deaf.
        """
        tasks = [asyncio.create_task(each) for each in work]
        for task in tasks:
            task.add_done_callback(self._ended)
        self.push_async_callback(self._stop, tasks)

    async def told_to_stop(self) -> None:
        """Wait for SIGTERM or SIGINT; raises the fault that stopped us, if that came first."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told.set)
        await self._told.wait()
        if self._fault:
            raise self._fault

    async def in_time(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work`, as far as time allows."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._left):
                await work()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()):
            self._fault = self._fault or fault
            self._told.set()

    async def _stop(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=self._left)

    @property
    def _left(self) -> float:
        """Seconds; never none at all, for what takes no time."""
        now = monotonic()
        self._by = self._by or now + _STOP_SECONDS
        return max(self._by - now, _LEAST_SECONDS)
