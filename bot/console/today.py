"""Today: who comes to which permanence, who came, closing and opening a moment, and the list on paper."""

import datetime
import re

from aiohttp import web

from bot import desk, storage
from bot.console import counter, feed
from bot.console.console import Console, Visit
from bot.console.daylist import helpers, parse_code, parse_day, read_day, show_day
from bot.knowledge.problems import marked
from bot.scheduling import Permanence, day_of
from bot.storage.bookings import BOOKED, FULFILLED, NOSHOW

_TIME = re.compile(r"\d{2}:\d{2}", re.ASCII)
IN_THE_LOG = {FULFILLED: marked("arrived"), NOSHOW: marked("not come"), BOOKED: marked("expected again")}


def add(console: Console) -> None:
    """Serve the list of a day and what is done from it."""
    console.get("/staff", "desk", _today)
    console.get("/staff/print", "desk", _on_paper)
    console.post("/staff/bookings/mark", "desk", _mark)
    console.post("/staff/close", "desk", _close)
    console.post("/staff/reopen", "desk", _reopen)
    counter.add(console)
    feed.add(console)


async def _today(visit: Visit) -> web.Response:
    asked = visit.request.query.get("day")
    on = parse_day(asked, visit.today) if asked else visit.today
    if on is None:
        return await show_day(visit, visit.today, visit.say("There is no such day. This is today."))
    return await show_day(visit, on)


async def _on_paper(visit: Visit) -> web.Response:
    asked, service = visit.request.query.get("day"), visit.request.query.get("service") or None
    on = parse_day(asked, visit.today) if asked else visit.today
    if on is None or (service is not None and service not in visit.snapshot.permanences):
        raise web.HTTPNotFound
    async with storage.begin(visit.console.database) as connection:
        sections = await read_day(connection, visit, on, service)
    return visit.show("today_print.html", day=on, sections=sections, **helpers(visit))


# Who came


async def _mark(visit: Visit) -> web.Response:
    code, state = parse_code(visit.form.get("code", "")), visit.form.get("state", "")
    if state not in IN_THE_LOG:
        return await show_day(visit, visit.today, visit.say("Choose whether they arrived or did not come."))
    if code is None:
        raise web.HTTPNotFound
    async with storage.begin(visit.console.database) as connection:
        outcome = await desk.mark(connection, code, state, visit.now)
        if isinstance(outcome, desk.Marked) and outcome.changed:
            await visit.note(connection, IN_THE_LOG[state], code)
    match outcome:
        case None:
            raise web.HTTPNotFound
        case desk.Marked(booking):
            return visit.go(f"/staff?day={day_of(booking.start)}#b-{booking.code}")
        case desk.Cancelled(booking):
            problem = visit.say("Booking {code} was cancelled. Nothing has changed.", code=code)
        case desk.FellAway(booking):
            problem = visit.say("Booking {code} fell away when the moment was closed. Nothing has changed.", code=code)
        case desk.StillToCome(booking):
            problem = visit.say("This day is still to come: nobody can have arrived or stayed away yet.")
    return await show_day(visit, day_of(booking.start), problem)


# Closing and opening


async def _close(visit: Visit) -> web.Response:
    permanence, on, at, problem = _chosen_moment(visit)
    if problem or on is None:
        return await show_day(visit, on or visit.today, problem)
    if on < visit.today:
        return await show_day(visit, on, visit.say("This day is over: there is nothing to close any more."))
    async with storage.begin(visit.console.database) as connection:
        fallen = await desk.close(connection, permanence, on, at, visit.now)
        if fallen is not None:
            await visit.note(connection, marked("close"), _about(permanence, on, at))
    if fallen is None:
        return await show_day(visit, on, visit.say("The permanence has no such moment on this day."))
    return visit.go(f"/staff?day={on}#closed-{permanence.service}")


async def _reopen(visit: Visit) -> web.Response:
    permanence, on, at, problem = _chosen_moment(visit)
    if problem or on is None:
        return await show_day(visit, on or visit.today, problem)
    async with storage.begin(visit.console.database) as connection:
        reopened = await desk.reopen(connection, permanence, on, at, visit.now)
        if reopened:
            await visit.note(connection, marked("reopen"), _about(permanence, on, at))
    if not reopened:
        return await show_day(visit, on, visit.say("This moment was not closed, or somebody opened it again already."))
    return visit.go(f"/staff?day={on}#p-{permanence.service}")


def _chosen_moment(visit: Visit) -> tuple[Permanence, datetime.date | None, datetime.time | None, str]:
    """What a form is about: the permanence, the day, the time unless it is the whole day; and what is wrong with it."""
    permanence = visit.snapshot.permanences.get(visit.form.get("service", ""))
    if permanence is None:
        raise web.HTTPNotFound
    on = parse_day(visit.form.get("day", ""), visit.today)
    if on is None:
        return permanence, None, None, visit.say("There is no such day. This is today.")
    text = visit.form.get("time", "")
    at = _parse_time(text)
    return permanence, on, at, visit.say("There is no such time.") if text and at is None else ""


def _parse_time(text: str) -> datetime.time | None:
    try:
        return datetime.time.fromisoformat(text) if _TIME.fullmatch(text) else None
    except ValueError:
        return None


def _about(permanence: Permanence, on: datetime.date, at: datetime.time | None) -> str:
    return f"{permanence.service} {on}" + (f" {at:%H:%M}" if at else "")
