"""Who asks: a chat in a channel and the language that they chose, nothing else."""

import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.schema import people
from bot.storage.upsert import insert_for


async def chosen_language(connection: AsyncConnection, channel: str, chat: str, today: datetime.date) -> str | None:
    """The language that this person chose, if they did; notes that they are still here, once a day."""
    theirs = (people.c.channel == channel) & (people.c.chat == chat)
    row = (await connection.execute(select(people.c.language, people.c.seen_on).where(theirs))).first()
    if row is None:
        return None
    if row.seen_on < today:
        await connection.execute(update(people).where(theirs).values(seen_on=today))
    return str(row.language)


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
