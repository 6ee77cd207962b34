"""Whether answers helped: counts per day, entry and language, without who pressed."""

import datetime
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.schema import feedback
from bot.storage.upsert import insert_for


@dataclass(frozen=True, slots=True)
class Feedback:
    """How often people said on a day that an entry helped, or that it did not."""

    day: datetime.date
    slug: str
    language: str
    helped: bool
    count: int


async def count(connection: AsyncConnection, day: datetime.date, slug: str, language: str, *, helped: bool) -> None:
    """Add one to that day's count."""
    row = insert_for(connection, feedback).values(day=day, slug=slug, language=language, helped=helped, count=1)
    await connection.execute(
        row.on_conflict_do_update(
            index_elements=["day", "slug", "language", "helped"], set_={"count": feedback.c.count + 1}
        )
    )


async def between(connection: AsyncConnection, first: datetime.date, last: datetime.date) -> list[Feedback]:
    """The counts of these days, both included."""
    there = (feedback.c.day >= first) & (feedback.c.day <= last)
    rows = select(feedback).where(there).order_by(*feedback.primary_key)
    return [Feedback(**row._mapping) for row in await connection.execute(rows)]
