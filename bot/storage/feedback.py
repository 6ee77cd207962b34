"""Whether answers helped: counts per day, entry and language, without who pressed."""

import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.schema import feedback
from bot.storage.upsert import insert_for


async def count(connection: AsyncConnection, day: datetime.date, slug: str, language: str, *, helped: bool) -> None:
    """Add one to that day's count."""
    row = insert_for(connection, feedback).values(day=day, slug=slug, language=language, helped=helped, count=1)
    await connection.execute(
        row.on_conflict_do_update(
            index_elements=["day", "slug", "language", "helped"], set_={"count": feedback.c.count + 1}
        )
    )
