"""What people asked and nobody could answer: the words alone, without who asked and without what tells who it was."""

import datetime
import re
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.schema import unanswered

OPEN, ADDED, PUT_AWAY = "open", "added", "put away"
LONGEST = 300  # signs
_READ = 4 * LONGEST  # of a longer text no more is looked at; a number that is cut there is past what is kept

_HIDDEN = "…"
_AT = "[@＠﹫]"
_SIGN = r"[^\s@＠﹫\u3000-\u9fff\uff00-\uffef]"  # of an address; Chinese, which has no spaces, goes on after one
_DIGIT = r"[\d\u1369-\u137c]"  # in any script, and those of Ethiopia
_BETWEEN = r"[\s./,()\[\]_·•–—−\u2010-\u2012،٫٬\u200c\u200d\ufe0f\u20e3-]{0,4}"  # what people write inside a number
_ALONE = "(?<![a-z0-9])"  # where a word in Latin letters begins; Chinese may stand right before it
_STREETS = "straat|laan|steenweg|plein|kaai|dreef|markt|kouter"
_TELLS_WHO = re.compile(
    rf"{_SIGN}{{1,64}}\s?(?:{_AT}|[(\[]\s?at\s?[)\]])\s?{_SIGN}*[.]{_SIGN}+"  # mail addresses, also with spaces
    rf"|{_SIGN}{{1,64}}{_AT}{_SIGN}*"
    rf"|{_AT}\s?\w+"  # names in chats
    rf"|{_ALONE}(?:[a-z][a-z0-9+.-]{{1,30}}:/{{1,2}}|www[.]){_SIGN}+"
    rf"|{_ALONE}[a-z0-9-]{{1,63}}(?:[.][a-z0-9-]{{1,63}}){{0,5}}[.][a-z]{{2,24}}/{_SIGN}+"  # t.me/name
    rf"|[^\W\d_]{{2,40}}(?:{_STREETS})\s(?:nr[.]?\s?)?{_DIGIT}+(?:\s?[a-z]\b)?(?:,?\s(?:bus|bte)\s?\w+)?"  # homes
    rf"|(?:{_ALONE}[a-z]{{1,4}})?[+＋]?{_DIGIT}(?:{_BETWEEN}{_DIGIT}){{4,}}"  # phones, files, accounts, days of birth
    rf"|{_ALONE}(?:[a-z]{{0,8}}{_DIGIT}){{5,}}\w*",  # numbers of papers, with letters in them
    re.IGNORECASE,
)
# What cannot be seen and is no part of a word, turns text around, or has no place in a database.
_STRIPPED = dict.fromkeys((0xAD, 0x61C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF))
_NO_TEXT = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\ud800-\\udfff]")


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
    seen = " ".join(_NO_TEXT.sub(" ", text[:_READ].translate(_STRIPPED)).split())
    return _TELLS_WHO.sub(_HIDDEN, seen)[:LONGEST].rstrip()


async def keep(connection: AsyncConnection, day: datetime.date, language: str, text: str) -> None:
    """Keep a question for the editors."""
    cleaned = scrubbed(text)
    if cleaned.strip(_HIDDEN + " "):
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
