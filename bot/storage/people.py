"""Who asks: a chat in a channel and the language that they chose, nothing else."""

import datetime
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.schema import conversations, people
from bot.storage.upsert import insert_for


@dataclass(frozen=True, slots=True)
class Known:
    """What we know of who speaks: the language that they chose, and their open conversation with staff."""

    language: str | None = None
    talk: int | None = None


async def known(connection: AsyncConnection, channel: str, chat: str, today: datetime.date) -> Known:
    """What we know of this person, in one question; notes that they are still here, once a day."""
    row = (await connection.execute(_knowing(), {"channel": channel, "chat": chat})).one()
    if row.seen_on is not None and row.seen_on < today:
        theirs = (people.c.channel == channel) & (people.c.chat == chat)
        await connection.execute(update(people).where(theirs).values(seen_on=today))
    return Known(row.language, row.talk)


@cache
def _knowing() -> Select[Any]:
    channel: BindParameter[str] = bindparam("channel")
    chat: BindParameter[str] = bindparam("chat")
    them = select(people).where(people.c.channel == channel, people.c.chat == chat).subquery()
    open_one = (
        select(conversations.c.id)
        .where(conversations.c.channel == channel, conversations.c.chat == chat, conversations.c.closed_at.is_(None))
        .scalar_subquery()
    )
    one = select(literal(1).label("one")).subquery()
    return select(them.c.language, them.c.seen_on, open_one.label("talk")).select_from(
        one.outerjoin(them, literal(True))
    )


async def language_of(connection: AsyncConnection, channel: str, chat: str) -> str | None:
    """The language that this person chose, without taking it for a visit of theirs."""
    theirs = (people.c.channel == channel) & (people.c.chat == chat)
    language: str | None = (await connection.execute(select(people.c.language).where(theirs))).scalar()
    return language


async def choose_language(
    connection: AsyncConnection, channel: str, chat: str, language: str, today: datetime.date
) -> None:
    """Keep this person's choice until they make another, or stay away (see `retention`)."""
    row = insert_for(connection, people).values(channel=channel, chat=chat, language=language, seen_on=today)
    await connection.execute(
        row.on_conflict_do_update(
            index_elements=["channel", "chat"],
            set_={"language": row.excluded.language, "seen_on": row.excluded.seen_on},
        )
    )
