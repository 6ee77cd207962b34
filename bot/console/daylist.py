"""The list of a day as pages show it: each permanence with who comes, who fell away, and what is closed."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import desk, storage
from bot.console.console import Visit
from bot.conversation.dates import time_of
from bot.desk import Line
from bot.languages import LANGUAGES
from bot.scheduling import BRUSSELS, Permanence, Slot, bounds, slots_on
from bot.storage import bookings
from bot.storage.bookings import CLOSED

_FARTHEST = datetime.timedelta(days=3660)  # from today, to where pages go
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CODE = re.compile(r"[0-9A-Z]{1,16}")


@dataclass(frozen=True, slots=True)
class Closing:
    """A day that is closed, where `time` is "", or one time of it. A slot that is gone cannot be opened again."""

    time: str
    can_reopen: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A permanence on a day. `known` is false when its file is gone; `empty`: open, and nobody has booked."""

    service: str
    title: str
    known: bool
    example: bool
    coming: Sequence[Line]
    fallen: Sequence[Line]
    slots: Sequence[Slot]
    empty: Sequence[Slot]
    closings: Sequence[Closing]

    @property
    def people(self) -> int:
        return sum(line.booking.people for line in self.coming)


def parse_day(text: str, today: datetime.date) -> datetime.date | None:
    """`2026-12-02` as a day; None when it is none, or so far away that nobody means it."""
    try:
        day = datetime.date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
    return day if day and abs(day - today) <= _FARTHEST else None


def parse_code(text: str) -> str | None:
    """A booking's code as somebody typed it; None when it can be none."""
    code = text.strip().upper()
    return code if _CODE.fullmatch(code) else None


def clock(at: datetime.datetime) -> str:
    """The time in Brussels as forms send it: `13:30`."""
    return f"{at.astimezone(BRUSSELS):%H:%M}"


def title_of(visit: Visit, service: str) -> str:
    """What staff call a permanence."""
    permanence = visit.snapshot.permanences.get(service)
    return (permanence and permanence.titles.get(visit.language)) or service.capitalize()


async def read_day(
    connection: AsyncConnection, visit: Visit, on: datetime.date, service: str | None = None
) -> list[Section]:
    """Each permanence of a day, or one of them; also one that is in no file any more, while somebody is in it."""
    known = visit.snapshot.permanences
    lines = await desk.day(connection, known, on, service)
    gone = sorted({line.booking.service for line in lines} - known.keys())
    wanted = [name for name in (*known, *gone) if service in (None, name)]
    sections = [await _section(connection, visit, on, (name, lines)) for name in wanted]
    return [section for section in sections if section.slots or section.coming or section.fallen]


async def _section(
    connection: AsyncConnection, visit: Visit, on: datetime.date, listed: tuple[str, Sequence[Line]]
) -> Section:
    service, lines = listed
    permanence = visit.snapshot.permanences.get(service)
    theirs = [line for line in lines if line.booking.service == service]
    coming = [line for line in theirs if line.booking.state != CLOSED]
    slots = slots_on(permanence, on) if permanence else []
    closed = await bookings.closed_between(connection, service, *bounds(on))
    taken = {line.booking.start for line in coming}
    return Section(
        service=service,
        title=title_of(visit, service),
        known=permanence is not None,
        example=permanence is not None and permanence.example,
        coming=coming,
        fallen=[line for line in theirs if line.booking.state == CLOSED],
        slots=slots,
        empty=[slot for slot in slots if slot.start not in taken and not is_in(slot, closed)],
        closings=[_closing(permanence, on, span) for span in sorted(closed)],
    )


def is_in(slot: Slot, closed: Sequence[tuple[datetime.datetime, datetime.datetime]]) -> bool:
    """Whether a slot is in one of these closings."""
    return any(start <= slot.start < end for start, end in closed)


def _closing(
    permanence: Permanence | None, on: datetime.date, span: tuple[datetime.datetime, datetime.datetime]
) -> Closing:
    slots = slots_on(permanence, on) if permanence else []
    if span == bounds(on):
        return Closing("", can_reopen=bool(slots))
    return Closing(clock(span[0]), can_reopen=any((slot.start, slot.end) == span for slot in slots))


async def show_day(visit: Visit, on: datetime.date, problem: str = "") -> web.Response:
    """The page of a day; with `problem`, what could not be done."""
    async with storage.begin(visit.console.database) as connection:
        sections = await read_day(connection, visit, on)
        misfits = await desk.misfits(connection, visit.snapshot.permanences, visit.now)
    return visit.show(
        "today.html",
        status=422 if problem else 200,
        problem=problem,
        day=on,
        before=on - datetime.timedelta(days=1),
        after=on + datetime.timedelta(days=1),
        sections=sections,
        misfits=misfits,
        **helpers(visit),
    )


def helpers(visit: Visit) -> dict[str, Any]:
    """What the templates of these pages need besides `Visit.show`'s."""
    return {
        "clock": clock,
        "hour": lambda at: time_of(at, LANGUAGES[visit.language]),
        "local_day": lambda at: at.astimezone(BRUSSELS).date(),
        "title_of": lambda service: title_of(visit, service),
        "filled": visit.form,
    }
