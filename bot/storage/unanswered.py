"""What people asked and nobody could answer: the words alone, without who asked and without what tells who it was."""

import datetime
import re
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.schema import unanswered

OPEN, ADDED, PUT_AWAY = "open", "added", "put away"
LONGEST = 300  # signs

_HIDDEN = "…"
_TELLS_WHO = re.compile(
    r"\S+@\S+"  # mail addresses, and names in chats
    r"|(?:https?://|www\.)\S+"
    r"|@\w+"
    r"|\+?\d(?:[\s./()-]?\d){4,}",  # phone numbers, and numbers of files and papers, in any digits
)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that got no answer."""

    id: int
    day: datetime.date
    language: str
    text: str
    state: str


def scrubbed(text: str) -> str:
    """`text` without mail addresses, links, names in chats and long numbers, and no longer than is kept."""
    return _TELLS_WHO.sub(_HIDDEN, " ".join(text.split()))[:LONGEST]


async def keep(connection: AsyncConnection, day: datetime.date, language: str, text: str) -> None:
    """Keep a question for the editors."""
    if cleaned := scrubbed(text).strip(_HIDDEN + " "):
        row = {"day": day, "language": language, "text": cleaned, "state": OPEN}
        await connection.execute(insert(unanswered).values(row))


async def still_open(connection: AsyncConnection, language: str | None = None, most: int = 1000) -> list[Unanswered]:
    """The latest first."""
    rows = select(unanswered).where(unanswered.c.state == OPEN).order_by(unanswered.c.id.desc()).limit(most)
    if language:
        rows = rows.where(unanswered.c.language == language)
    return [Unanswered(**row._mapping) for row in await connection.execute(rows)]


async def get(connection: AsyncConnection, number: int) -> Unanswered | None:
    row = (await connection.execute(select(unanswered).where(unanswered.c.id == number))).first()
    return Unanswered(**row._mapping) if row else None


async def settle(connection: AsyncConnection, number: int, state: str) -> bool:
    """Mark as `ADDED` or `PUT_AWAY`; False when it was settled before."""
    there = (unanswered.c.id == number) & (unanswered.c.state == OPEN)
    return (await connection.execute(update(unanswered).where(there).values(state=state))).rowcount == 1
