"""How often something happened: counts per day, language and subject, without who."""

import datetime
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Insert, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.schema import tallies
from bot.storage.upsert import insert_in

BOOKED, CANCELLED, FULFILLED, NOSHOW = "booked", "cancelled", "fulfilled", "noshow"


@dataclass(frozen=True, slots=True)
class Tally:
    """`what`: a decision (`answer`, `decline` …) or what became of a booking; `about`: an entry or a service."""

    day: datetime.date
    what: str
    about: str
    language: str
    count: int


async def count(  # noqa: PLR0913
    connection: AsyncConnection, day: datetime.date, what: str, about: str, language: str, *, by: int = 1
) -> None:
    """Add one; or take one away, `by` -1, where it was a mistake."""
    values = {"day": day, "what": what, "about": about[:200], "language": language, "count": by}
    await connection.execute(_counting(connection.dialect.name), values)


@cache
def _counting(dialect: str) -> Insert:
    row = insert_in(dialect, tallies).values({column.name: bindparam(column.name) for column in tallies.c})
    return row.on_conflict_do_update(
        index_elements=["day", "what", "about", "language"], set_={"count": tallies.c.count + row.excluded["count"]}
    )


async def between(connection: AsyncConnection, first: datetime.date, last: datetime.date) -> list[Tally]:
    """The counts of these days, both included."""
    there = (tallies.c.day >= first) & (tallies.c.day <= last)
    rows = select(tallies).where(there).order_by(tallies.c.day, tallies.c.what, tallies.c.about, tallies.c.language)
    return [Tally(**row._mapping) for row in await connection.execute(rows)]
