"""Conversations between a newcomer and staff, and what was said in them."""

import datetime
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import outbox
from bot.storage.schema import conversations, messages
from bot.storage.upsert import insert_for

STAFF_GROUP = "staffgroup"  # the channel that leads to the staff's group in Telegram; its chat is a conversation
# Kinds of notices: words to staff and to the newcomer, the end, words that could not be delivered, a topic to delete.
TO_STAFF, TO_PERSON, ENDED, UNREACHED, FORGET = "tostaff", "said", "ended", "unreached", "forget"


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation. `topic`: its thread in the staff's group; `reached`: our last words could be delivered."""

    id: int
    channel: str
    chat: str
    language: str
    opened_at: datetime.datetime
    closed_at: datetime.datetime | None
    topic: int | None
    reached: bool


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody says. `group_message`: its number in the staff's group, when it was said there."""

    who: str
    text: str
    group_message: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What was said. `who`: empty for the newcomer, otherwise the label of a member of staff."""

    id: int
    conversation: int
    at: datetime.datetime
    who: str
    text: str
    group_message: int | None


async def start(connection: AsyncConnection, channel: str, chat: str, language: str, now: datetime.datetime) -> Talk:
    """Open a conversation; the one that is open already, where there is one."""
    if there := await current(connection, channel, chat):
        return there
    values = {"channel": channel, "chat": chat, "language": language, "opened_at": now, "reached": True}
    row = insert_for(connection, conversations).values(values).on_conflict_do_nothing().returning(*conversations.c)
    made = (await connection.execute(row)).first()
    talk = _talk(made) if made else await current(connection, channel, chat)
    if talk is None:
        raise LookupError(channel)  # somebody closed it in this very moment
    return talk


async def current(connection: AsyncConnection, channel: str, chat: str) -> Talk | None:
    """The open conversation of a newcomer."""
    theirs = (conversations.c.channel == channel) & (conversations.c.chat == chat) & conversations.c.closed_at.is_(None)
    row = (await connection.execute(select(conversations).where(theirs))).first()
    return _talk(row) if row else None


async def get(connection: AsyncConnection, number: int) -> Talk | None:
    row = (await connection.execute(select(conversations).where(conversations.c.id == number))).first()
    return _talk(row) if row else None


async def listed(connection: AsyncConnection, *, closed: bool = False, most: int = 200) -> list[Talk]:
    """The open ones, or the closed ones, the latest first."""
    there = conversations.c.closed_at.is_not(None) if closed else conversations.c.closed_at.is_(None)
    latest = conversations.c.closed_at.desc() if closed else conversations.c.id.desc()
    rows = select(conversations).where(there).order_by(latest).limit(most)
    return [_talk(row) for row in await connection.execute(rows)]


async def said(connection: AsyncConnection, number: int) -> list[Message]:
    """Everything that was said, in order."""
    rows = select(messages).where(messages.c.conversation == number).order_by(messages.c.id)
    return [_message(row) for row in await connection.execute(rows)]


async def last_words(connection: AsyncConnection, numbers: Collection[int]) -> Mapping[int, Message]:
    """What was said last in each of these conversations; nothing for one in which nothing was said."""
    latest = select(func.max(messages.c.id)).where(messages.c.conversation.in_(numbers))
    rows = select(messages).where(messages.c.id.in_(latest.group_by(messages.c.conversation)))
    found = [_message(row) for row in await connection.execute(rows)]
    return {message.conversation: message for message in found}


async def message(connection: AsyncConnection, number: int) -> Message | None:
    row = (await connection.execute(select(messages).where(messages.c.id == number))).first()
    return _message(row) if row else None


async def from_person(connection: AsyncConnection, talk: Talk, text: str, now: datetime.datetime) -> Message:
    """What the newcomer says: kept, and on its way to the staff's group."""
    kept = await _keep(connection, talk, Words("", text), now)
    await outbox.put(connection, _draft(kept, TO_STAFF, STAFF_GROUP, str(talk.id), now))
    return kept


async def from_staff(connection: AsyncConnection, talk: Talk, words: Words, now: datetime.datetime) -> Message | None:
    """What a member of staff says: kept, and on its way to the newcomer; from the console also to the group.

    None when the conversation is over by now.
    """
    there = (conversations.c.id == talk.id) & conversations.c.closed_at.is_(None)
    if (await connection.execute(select(conversations.c.id).where(there).with_for_update())).first() is None:
        return None
    kept = await _keep(connection, talk, words, now)
    await outbox.put(connection, _draft(kept, TO_PERSON, talk.channel, talk.chat, now))
    if words.group_message is None:
        await outbox.put(connection, _draft(kept, TO_STAFF, STAFF_GROUP, str(talk.id), now))
    return kept


async def close(connection: AsyncConnection, talk: Talk, now: datetime.datetime, *, by_staff: bool) -> bool:
    """End a conversation; False when it had ended. Each side hears it when the other one ended it."""
    there = (conversations.c.id == talk.id) & conversations.c.closed_at.is_(None)
    if (await connection.execute(update(conversations).where(there).values(closed_at=now))).rowcount != 1:
        return False
    key = f"{ENDED}:{talk.id}"
    to_group = outbox.Draft(
        key=f"{key}:group", kind=ENDED, channel=STAFF_GROUP, chat=str(talk.id), due=now, about=str(talk.id)
    )
    to_person = outbox.Draft(key=key, kind=ENDED, channel=talk.channel, chat=talk.chat, due=now, about=str(talk.id))
    await outbox.put(connection, *((to_group, to_person) if by_staff else (to_group,)))
    return True


async def _keep(connection: AsyncConnection, talk: Talk, words: Words, now: datetime.datetime) -> Message:
    said_by = {"who": words.who, "text": words.text.replace("\0", ""), "group_message": words.group_message}
    row = insert(messages).values(conversation=talk.id, at=now, **said_by).returning(*messages.c)
    return _message((await connection.execute(row)).one())


def _draft(message: Message, kind: str, channel: str, chat: str, now: datetime.datetime) -> outbox.Draft:
    return outbox.Draft(key=f"{kind}:{message.id}", kind=kind, channel=channel, chat=chat, due=now, message=message.id)


# The staff's group


async def set_topic(connection: AsyncConnection, talk: Talk, topic: int) -> None:
    """The thread of a conversation in the group."""
    await connection.execute(update(conversations).where(conversations.c.id == talk.id).values(topic=topic))


async def set_group_message(connection: AsyncConnection, number: int, group_message: int) -> None:
    """Under which number a message stands in the group, so that somebody can reply to it."""
    await connection.execute(update(messages).where(messages.c.id == number).values(group_message=group_message))


async def of_topic(connection: AsyncConnection, topic: int) -> Talk | None:
    """The conversation of a thread."""
    rows = select(conversations).where(conversations.c.topic == topic).order_by(conversations.c.id.desc()).limit(1)
    row = (await connection.execute(rows)).first()
    return _talk(row) if row else None


async def of_group_message(connection: AsyncConnection, group_message: int) -> Talk | None:
    """The conversation that a message in the group belongs to."""
    rows = select(conversations).join(messages).where(messages.c.group_message == group_message)
    row = (await connection.execute(rows.order_by(messages.c.id.desc()).limit(1))).first()
    return _talk(row) if row else None


async def set_reached(connection: AsyncConnection, said: Message, now: datetime.datetime, *, reached: bool) -> None:
    """Whether these words of staff arrived; where they did not, staff are told in the group as well."""
    there = conversations.c.id == said.conversation
    await connection.execute(update(conversations).where(there).values(reached=reached))
    if not reached:
        await outbox.put(connection, _draft(said, UNREACHED, STAFF_GROUP, str(said.conversation), now))


async def forget_topics(connection: AsyncConnection, topics: Iterable[int], now: datetime.datetime) -> None:
    """Let the topics of conversations that are deleted here go from the group too."""
    drafts = [
        outbox.Draft(
            key=f"{FORGET}:{topic}", kind=FORGET, channel=STAFF_GROUP, chat=str(topic), due=now, about=str(topic)
        )
        for topic in topics
    ]
    await outbox.put(connection, *drafts)


def _talk(row: Row[tuple[object, ...]]) -> Talk:
    return Talk(**row._mapping)


def _message(row: Row[tuple[object, ...]]) -> Message:
    return Message(**row._mapping)
