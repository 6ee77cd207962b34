"""Figures: how much is asked, in which languages, about what, whether it helped, and who came. Counts only."""

import csv
import datetime
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiohttp import web

from bot import storage
from bot.console.charts import draw
from bot.console.console import Console, Visit
from bot.console.sheets import HIDDEN, Sheet, sheets, shown
from bot.figures import Figures, Known, days_of, figures
from bot.languages import LANGUAGES
from bot.storage import feedback, tallies

USUAL, MOST = 28, 366  # days
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # what a spreadsheet may take for one


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both included."""

    first: datetime.date
    last: datetime.date


def add(console: Console) -> None:
    """Serve the figures as tables, as pictures and as a file."""
    console.get("/staff/figures", "desk", _page)
    console.get("/staff/figures.csv", "desk", _file)
    console.get("/staff/figures/chart/{name}.svg", "desk", _chart)


async def _page(visit: Visit) -> web.Response:
    period = _period_of(visit)
    good = isinstance(period, Period)
    return visit.show(
        "figures.html",
        status=200 if good else 422,
        problem="" if isinstance(period, Period) else period,
        first=period.first.isoformat() if isinstance(period, Period) else visit.request.query.get("from", ""),
        last=period.last.isoformat() if isinstance(period, Period) else visit.request.query.get("to", ""),
        sheets=await _sheets(visit, period) if isinstance(period, Period) else (),
        shown=shown,
    )


async def _file(visit: Visit) -> web.Response:
    period = _known_period(visit)
    name = f"wegwijs-{period.first}-{period.last}.csv"
    return web.Response(
        text="\ufeff" + _written(visit, await _sheets(visit, period)),  # without the mark Excel reads it as Latin
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _chart(visit: Visit) -> web.Response:
    name = visit.request.match_info["name"]
    found = [sheet for sheet in await _sheets(visit, _known_period(visit)) if sheet.chart and sheet.name == name]
    if not found:
        raise web.HTTPNotFound
    return web.Response(body=draw(found[0], visit.say("Nothing to show")), content_type="image/svg+xml")


# The period


def _period_of(visit: Visit) -> Period | str:
    """The period that is asked for, or what is wrong with it."""
    try:
        last = _day(visit, "to") or visit.today
        first = _day(visit, "from") or last - datetime.timedelta(days=USUAL - 1)
    except (ValueError, OverflowError):
        return visit.say("One of the days is not a date. Write it like 2026-12-31.")
    if last > visit.today:
        return visit.say("The last day has not come yet.")
    if first > last:
        return visit.say("The first day comes after the last day.")
    if (last - first).days >= MOST:
        return visit.say("Choose at most {most} days.", most=MOST)
    return Period(first, last)


def _day(visit: Visit, name: str) -> datetime.date | None:
    asked = visit.request.query.get(name, "").strip()
    return datetime.date.fromisoformat(asked) if asked else None


def _known_period(visit: Visit) -> Period:
    period = _period_of(visit)
    if isinstance(period, str):
        raise web.HTTPUnprocessableEntity(text=period)
    return period


# What is counted


async def _sheets(visit: Visit, period: Period) -> list[Sheet]:
    return sheets(visit, await _figures(visit, period))


async def _figures(visit: Visit, period: Period) -> Figures:
    async with storage.begin(visit.console.database) as connection:
        counted = await tallies.between(connection, period.first, period.last)
        helped = await feedback.between(connection, period.first, period.last)
    known = Known(
        days=days_of(period.first, period.last),
        languages=tuple(LANGUAGES),
        topics={slug: entry.topic for slug, entry in visit.snapshot.entries.items()},
        services=tuple(visit.snapshot.permanences),
    )
    return figures(counted, helped, known)


# The file


def _written(visit: Visit, tables: Sequence[Sheet]) -> str:
    file = io.StringIO(newline="")
    rows = csv.writer(file)
    rows.writerow([visit.say("Table"), visit.say("Row"), visit.say("Column"), visit.say("Count")])
    for sheet in tables:
        rows.writerows([_harmless(cell) for cell in line] for line in _lines(visit, sheet))
    rows.writerow([HIDDEN, visit.say("fewer than 5, or hidden so that nobody can work out another number"), "", ""])
    return file.getvalue()


def _lines(visit: Visit, sheet: Sheet) -> Iterator[tuple[str, str, str, str]]:
    total = [(visit.say("Total"), sheet.total)] if sheet.total else []
    for label, cells in [*((row.label, row.cells) for row in sheet.rows), *total]:
        for column, count in zip(sheet.head[1:], cells, strict=True):
            yield sheet.title, label, column, shown(count)


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet takes for text, whatever staff or files called something."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
