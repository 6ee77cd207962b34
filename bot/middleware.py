"""What stands around `respond`, from the inside out: an apology for faults, limits, and one log line for each event."""

from collections.abc import Sequence
from time import monotonic, perf_counter

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.conversation import Event, Reply, Respond
from bot.conversation.respond import apology
from bot.knowledge import Holder
from bot.languages import LANGUAGES, language_of
from bot.limits import Limit
from bot.metrics import Metrics
from bot.storage import people
from bot.texts import Texts
from bot.understanding import Understanding

log = structlog.get_logger(__name__)


async def apologising(inner: Respond, event: Event, *, texts: Texts) -> Sequence[Reply]:
    """A fault of ours becomes a kind word; a database that is away does not, so that the event can come again."""
    try:
        return await inner(event)
    except storage.Unavailable:
        raise
    except Exception:
        log.exception("respond failed", event_type=type(event).__name__)
        return apology(texts, event.speaker)


async def limited(
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


async def observed(inner: Respond, event: Event, *, metrics: Metrics, holder: Holder[Understanding]) -> Sequence[Reply]:
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
        metrics.events.labels(channel, kind).inc()
        metrics.seconds.observe(seconds)
        noted = structlog.contextvars.get_contextvars()
        if "decision" in noted:
            metrics.decisions.labels(noted["decision"], noted["language"]).inc()
        log.info(
            "answered", replies=len(replies), ms=round(seconds * 1000, 2), knowledge=holder.current.snapshot.version
        )
        structlog.contextvars.unbind_contextvars("decision", "language", "slug", "score")
    return replies
