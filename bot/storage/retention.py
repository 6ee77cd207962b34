"""How long each thing is kept. This is the one place where it is set."""

import datetime

from sqlalchemy import Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import talks
from bot.storage.schema import (
    bookings,
    closures,
    conversations,
    feedback,
    handled,
    messages,
    outbox,
    people,
    sessions,
    sign_ins,
    slots,
    staff_log,
    subscriptions,
    tallies,
    unanswered,
    waiting,
)

PEOPLE = datetime.timedelta(days=365)  # after the last day that the person wrote or pressed
HANDLED = datetime.timedelta(
    days=2
)  # also for replies that could not be sent; Telegram keeps an update for 24 hours (Bot API, "Getting updates")
FEEDBACK = datetime.timedelta(days=2 * 365)
CONVERSATIONS = datetime.timedelta(days=30)  # after a conversation was closed
UNANSWERED = datetime.timedelta(days=90)
TALLIES = datetime.timedelta(days=5 * 365)
STAFF_LOG = datetime.timedelta(days=365)
SUBSCRIPTIONS = datetime.timedelta(days=180)  # after somebody asked to be told
BOOKINGS = datetime.timedelta(days=30)  # after the day; so long also what was told about them


def _ended_before(instant: datetime.datetime) -> Select[tuple[int]]:
    """Conversations that were closed before, or in which nobody closed and nobody spoke for twice as long."""
    last = select(func.max(messages.c.at)).where(messages.c.conversation == conversations.c.id).scalar_subquery()
    forgotten = conversations.c.closed_at.is_(None) & (
        func.coalesce(last, conversations.c.opened_at) < instant - CONVERSATIONS
    )
    return select(conversations.c.id).where((conversations.c.closed_at < instant) | forgotten)


async def delete_expired(connection: AsyncConnection, now: datetime.datetime) -> int:
    """Delete what is past its time; the number of rows that went."""
    today = now.date()
    over = _ended_before(now - CONVERSATIONS)
    topics = select(conversations.c.topic).where(conversations.c.id.in_(over), conversations.c.topic.is_not(None))
    await talks.forget_topics(connection, (await connection.execute(topics)).scalars().all(), now)
    expired = (
        delete(people).where(people.c.seen_on < today - PEOPLE),
        delete(handled).where(handled.c.at < now - HANDLED),
        delete(feedback).where(feedback.c.day < today - FEEDBACK),
        delete(outbox).where(outbox.c.due < now - BOOKINGS),
        delete(bookings).where(bookings.c.end < now - BOOKINGS),
        delete(slots).where(slots.c.start < now - BOOKINGS),
        delete(closures).where(closures.c.end < now - BOOKINGS),
        delete(waiting).where(waiting.c.day < today),
        delete(sign_ins).where(sign_ins.c.until < now),
        delete(sessions).where(sessions.c.until < now),
        delete(staff_log).where(staff_log.c.at < now - STAFF_LOG),
        delete(unanswered).where(unanswered.c.day < today - UNANSWERED),
        delete(tallies).where(tallies.c.day < today - TALLIES),
        delete(messages).where(messages.c.conversation.in_(over)),
        delete(conversations).where(conversations.c.id.in_(over)),
        delete(subscriptions).where(subscriptions.c.until < today),
    )
    return sum([(await connection.execute(statement)).rowcount for statement in expired])
