"""Composition root: opens what is needed, puts the rooms together, and serves until told to stop."""

import asyncio
import datetime
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic, perf_counter
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import knowledge, storage
from bot.console import Console, add_console
from bot.console.signing import ENTER, link
from bot.conversation import Event, Push, Reply, Respond, respond
from bot.conversation.respond import apology
from bot.conversation.staffdoor import letting_staff_in
from bot.delivery import Delivery
from bot.handover import StaffGroup
from bot.knowledge import Holder
from bot.languages import LANGUAGES, language_of
from bot.learning import recall
from bot.limits import Limit
from bot.replies import KeptReplies
from bot.settings import PREFIX, Settings, WrongSettings
from bot.storage import people, reminding, retention, staff
from bot.texts import Texts
from bot.understanding import Understanding
from bot.web import add_chat, add_health, limiting, secure
from bot.web.chat import CHANNEL as WEB
from bot.web.chat import LONGEST_BODY

Clock = Callable[[], datetime.datetime]
Fetch = Callable[[str], Awaitable[Sequence[Reply]]]  # what waits for a chat of the web page

HOUSEKEEPING_SECONDS = 6 * 3600
PERSON = (60, 30)  # messages at once, and a minute from then on; twenty in a minute are always served
ADDRESS = (600, 300)  # requests of one address; a school or a shelter has one for everybody
LATE_SECONDS = 900
OPERATOR, NOBODYS_ID = "Operator", "0"  # the member whose link `wegwijs serve` prints; no Telegram user has this id
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
    registry: CollectorRegistry
    group: StaffGroup | None = None
    seen: "_Seen | None" = None


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
        registry = CollectorRegistry()
        answer: Respond = partial(respond, knowledge=holder, database=database, texts=catalogues, clock=clock)
        console = f"{public_address(settings)}{ENTER}"
        answer = partial(letting_staff_in, answer, database=database, clock=clock, console=console)
        answer = partial(_apologising, answer, texts=catalogues)
        answer = partial(_limited, answer, limit=Limit(*PERSON), database=database, texts=catalogues)
        seen = _Seen(registry)
        answer = partial(_observed, answer, seen=seen, holder=holder)
        fetch = partial(Delivery(database, holder, catalogues, clock, {}).fetch, WEB)
        group = StaffGroup(database, holder, catalogues, clock)
        yield Conversation(answer, fetch, holder, database, catalogues, registry, group, seen)


# The nest around `respond`, from the inside out


async def _apologising(inner: Respond, event: Event, *, texts: Texts) -> Sequence[Reply]:
    """A fault of ours becomes a kind word; a database that is away does not, so that the event can come again."""
    try:
        return await inner(event)
    except storage.Unavailable:
        raise
    except Exception:
        log.exception("respond failed", event_type=type(event).__name__)
        return apology(texts, event.speaker)


async def _limited(
    inner: Respond, event: Event, *, limit: Limit, database: AsyncEngine, texts: Texts
) -> Sequence[Reply]:
    """Who writes faster than anybody can read is told so, once, in their language; until then all is served."""
    speaker = event.speaker
    who = f"{speaker.channel}:{speaker.chat}"
    if limit.allows(who, monotonic()):
        return await inner(event)
    if not limit.tells(who):
        return ()
    async with storage.begin(database) as connection:
        chosen = await people.language_of(connection, speaker.channel, speaker.chat)
    language = LANGUAGES.get(chosen or "") or language_of(speaker.hint) or LANGUAGES["en"]
    slow = texts.text("You are writing very fast. Please wait a minute, then I can answer again.", language.code)
    return (Reply(slow, language),)


class _Seen:
    """What is counted."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = Counter("wegwijs_events", "Events handled", ["channel", "type"], registry=registry)
        self.decisions = Counter(
            "wegwijs_decisions", "Decisions on typed words", ["decision", "language"], registry=registry
        )
        self.telegram_away = False
        self.updates = Counter(
            "wegwijs_updates", "Telegram updates, by what became of them", ["outcome"], registry=registry
        )
        self.telegram_errors = Counter(
            "wegwijs_telegram_errors", "Calls of the Bot API that did not succeed", ["error"], registry=registry
        )
        self.outbox_age = Gauge(
            "wegwijs_outbox_age_seconds", "Since when the oldest notice that is due waits", registry=registry
        )
        self.knowledge = Gauge("wegwijs_knowledge_info", "The knowledge in use", ["version"], registry=registry)
        self.seconds = Histogram(
            "wegwijs_respond_seconds",
            "Time from event to replies",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
            registry=registry,
        )

    def telegram_called(self, error: str) -> None:
        """What became of a call; Telegram is away when it does not answer, or answers that it cannot."""
        if error:
            self.telegram_errors.labels(error).inc()
        self.telegram_away = error in ("timeout", "connection") or error.startswith("5")

    def show_knowledge(self, version: str) -> None:
        """Only the version in use has a figure."""
        self.knowledge.clear()
        self.knowledge.labels(version).set(1)


async def _observed(inner: Respond, event: Event, *, seen: _Seen, holder: Holder[Understanding]) -> Sequence[Reply]:
    """One log line and a few counts for each event; nothing that a person wrote."""
    channel, kind = event.speaker.channel, type(event).__name__
    started = perf_counter()
    with structlog.contextvars.bound_contextvars(channel=channel, event_type=kind):
        try:
            replies = await inner(event)
        except storage.Unavailable:
            log.error("database away")
            raise
        seconds = perf_counter() - started
        seen.events.labels(channel, kind).inc()
        seen.seconds.observe(seconds)
        noted = structlog.contextvars.get_contextvars()
        if "decision" in noted:
            seen.decisions.labels(noted["decision"], noted["language"]).inc()
        log.info(
            "answered", replies=len(replies), ms=round(seconds * 1000, 2), knowledge=holder.current.snapshot.version
        )
        structlog.contextvars.unbind_contextvars("decision", "language", "slug", "score")
    return replies


# Serving


def web_app(conversation: Conversation, clock: Clock = utc_now, free: str = "") -> web.Application:
    """The aiohttp application: the chat page and health. Telegram's webhook is added by `serve`, at the path `free`."""
    app = web.Application(client_max_size=LONGEST_BODY, middlewares=[limiting(Limit(*ADDRESS), free)])
    app.on_response_prepare.append(secure)
    add_chat(app, conversation.respond, conversation.texts, conversation.fetch)
    add_health(
        app, partial(_faults, conversation, clock), conversation.registry, partial(_measured, conversation, clock)
    )
    return app


async def _faults(conversation: Conversation, clock: Clock) -> dict[str, str]:
    """What is wrong with each part; notices that wait for long are told, and are no reason to take nobody any more."""
    try:
        async with storage.begin(conversation.database) as connection:
            waiting = await reminding.oldest_due(connection, clock())
    except storage.Unavailable:
        return {"database": "away"}
    age = (clock() - waiting).total_seconds() if waiting else 0.0
    faults = {"notices": f"oldest unsent for {age:.0f} s"} if age > LATE_SECONDS else {}
    if conversation.seen and conversation.seen.telegram_away:
        faults["telegram"] = "away"
    if conversation.knowledge.problems:
        faults["knowledge"] = "files refused; the earlier ones are in use"
    return faults


async def _measured(conversation: Conversation, clock: Clock) -> None:
    """Bring the figures up to date that nobody counts."""
    if conversation.seen is None:
        return
    conversation.seen.show_knowledge(conversation.knowledge.current.snapshot.version)
    with suppress(storage.Unavailable):
        async with storage.begin(conversation.database) as connection:
            waiting = await reminding.oldest_due(connection, clock())
        conversation.seen.outbox_age.set((clock() - waiting).total_seconds() if waiting else 0)


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
        address = await _listen(stack, app, settings)
        beside = (_keep_house(conversation, clock), _read_ahead(conversation.texts), delivery.run(), *receiving)
        stack.push_async_callback(stack.stop, *map(asyncio.create_task, beside))
        announce(address, await _first_link(settings, conversation.database, clock, address))
        await _told_to_stop()


async def _open_telegram(
    stack: "_Stack", settings: Settings, conversation: Conversation, app: web.Application, clock: Clock
) -> tuple[Mapping[str, Push], Sequence[Coroutine[None, None, None]]]:
    """Join Telegram: how to reach people there, and what has to run beside the web side."""
    if settings.telegram_token is None:
        return {}, ()
    # Imported here: the library takes a quarter of a second, which the web chat alone need not wait for.
    from bot import telegram

    token = settings.telegram_token.get_secret_value()
    try:
        seen = conversation.seen
        heard = seen.telegram_called if seen else lambda _: None
        bot = await stack.enter_async_context(telegram.open_bot(token, settings.telegram_api, heard))
    except telegram.InvalidToken:
        raise WrongSettings(
            f"{PREFIX}TELEGRAM_TOKEN is not accepted by Telegram; it takes the token that @BotFather gives"
        ) from None
    group = conversation.group if settings.staff_chat is not None else None
    if group and settings.staff_chat is not None:
        group.client, group.group_id = telegram.Group(bot, settings.staff_chat), settings.staff_chat
    kept = KeptReplies(conversation.database, clock)
    receiver = telegram.Receiver(bot, conversation.respond, group, kept)
    if seen:
        receiver.count = lambda outcome: seen.updates.labels(outcome).inc()
    # Stopped after everything that answers, so that what has arrived until then is forgotten.
    stack.push_async_callback(stack.stop, asyncio.create_task(kept.run()))
    stack.push_async_callback(stack.in_time, receiver.finish)
    running = (telegram.set_profile(bot, conversation.texts),)
    pushes = {telegram.CHANNEL: telegram.push(bot)}
    if not settings.webhook_url or not settings.webhook_secret:
        return pushes, (telegram.poll(receiver), *running)
    secret = settings.webhook_secret.get_secret_value()
    telegram.add_webhook(app, receiver, settings.webhook_url, secret)
    return pushes, (telegram.set_webhook(bot, settings.webhook_url, secret), *running)


async def _first_link(settings: Settings, database: AsyncEngine, clock: Clock, address: str) -> str:
    """Let the members in that the settings name, and make a link for the operator, who has this machine anyway."""
    now = clock()
    async with storage.begin(database) as connection:
        for number in settings.staff:
            await staff.add(connection, f"Telegram …{str(number)[-4:]}", "administrator", str(number), now)
        await staff.add(connection, OPERATOR, "administrator", NOBODYS_ID, now)
        operator = await staff.by_telegram(connection, NOBODYS_ID)
        token = await staff.make_link(connection, operator.id, now) if operator else ""
    public = public_address(settings) if settings.webhook_url else address
    return link(public, token)


async def _listen(stack: "_Stack", app: web.Application, settings: Settings) -> str:
    """The address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_SECONDS)
    stack.push_async_callback(stack.in_time, runner.cleanup)
    await runner.setup()
    await web.TCPSite(runner, settings.host, settings.port).start()
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
        await asyncio.sleep(HOUSEKEEPING_SECONDS)


async def _read_ahead(texts: Texts) -> None:
    """Read the catalogue of every language, so that nobody who is the first to speak one waits for it."""
    for code in LANGUAGES:
        await asyncio.to_thread(texts.text, "Yes", code)


class _Stack(AsyncExitStack):
    """What has to end when we are told to stop. All of it together has `_STOP_SECONDS`, from the first that ends."""

    _by: float | None = None

    @property
    def _left(self) -> float:
        """Seconds; never none at all, for what takes no time."""
        now = monotonic()
        self._by = self._by or now + _STOP_SECONDS
        return max(self._by - now, _LEAST_SECONDS)

    async def in_time(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work`, as far as time allows."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._left):
                await work()

    async def stop(self, *tasks: asyncio.Task[None]) -> None:
        """Cancel `tasks`, and wait for what they still have to do."""
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=self._left)


async def _told_to_stop() -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await told.wait()
