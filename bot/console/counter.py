"""Booking for somebody at the desk: what is free in the next days, and the code that they take with them."""

import datetime
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import desk, storage
from bot.console.console import Console, Visit
from bot.console.daylist import helpers, is_in, parse_code, title_of
from bot.conversation.dates import day_in_full, time_of
from bot.conversation.places import is_number
from bot.knowledge.problems import marked
from bot.languages import LANGUAGES
from bot.scheduling import Permanence, Slot, day_of, slots_on
from bot.storage import agenda, bookings
from bot.storage.bookings import Asked, Booked, Booking, Closed, Full

_DAYS = 14  # so many are shown
_FARTHEST = datetime.timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Free:
    """A slot with places that nobody has taken. `value`: how a form sends it."""

    slot: Slot
    places: int

    @property
    def value(self) -> str:
        return f"{self.slot.start:%Y-%m-%dT%H:%MZ}"


def add(console: Console) -> None:
    """Serve booking at the desk."""
    console.get("/staff/book", "desk", _form)
    console.post("/staff/book", "desk", _book)
    console.get("/staff/booked", "desk", _booked)


async def _form(visit: Visit) -> web.Response:
    service = visit.request.query.get("service")
    if service is None:
        return await _show(visit, None)
    if service not in visit.snapshot.permanences:
        raise web.HTTPNotFound
    return await _show(visit, visit.snapshot.permanences[service])


async def _show(visit: Visit, permanence: Permanence | None, problem: str = "") -> web.Response:
    free: list[Free] = []
    if permanence:
        async with storage.begin(visit.console.database) as connection:
            free = await _free(connection, permanence, visit.now)
    return visit.show(
        "book.html",
        status=422 if problem else 200,
        problem=problem,
        permanence=permanence,
        permanences=visit.snapshot.permanences,
        free=free,
        days=_DAYS,
        **helpers(visit),
    )


async def _free(connection: AsyncConnection, permanence: Permanence, now: datetime.datetime) -> list[Free]:
    """The slots that are not over, not closed and not full. Staff need no notice: who stands there can come in."""
    days = (day_of(now) + datetime.timedelta(days=more) for more in range(_DAYS))
    slots = [slot for on in days for slot in slots_on(permanence, on) if slot.end > now]
    if not slots:
        return []
    span = slots[0].start, slots[-1].end
    taken = await bookings.taken(connection, permanence.service, *span)
    closed = await bookings.closed_between(connection, permanence.service, *span)
    found = [Free(slot, slot.capacity - taken.get(slot.start, 0)) for slot in slots]
    return [each for each in found if each.places > 0 and not is_in(each.slot, closed)]


async def _book(visit: Visit) -> web.Response:
    permanence = visit.snapshot.permanences.get(visit.form.get("service", ""))
    if permanence is None:
        raise web.HTTPNotFound
    match _read(visit, permanence):
        case str(problem):
            return await _show(visit, permanence, problem)
        case start, asked:
            return await _book_for(visit, permanence, start, asked)


def _read(visit: Visit, permanence: Permanence) -> tuple[datetime.datetime, Asked] | str:
    """What was filled in; a sentence when something is missing or wrong."""
    start = _parse_start(visit.form.get("slot", ""), visit.now)
    people, language = visit.form.get("people", "").strip(), visit.form.get("language", "")
    if start is None:
        return visit.say("Choose a time.")
    if not is_number(people, permanence.most_people):
        return visit.say("Fill in how many people come: 1 to {most}.", most=permanence.most_people)
    if language not in LANGUAGES:
        return visit.say("Choose a language.")
    return start, desk.at_the_desk(permanence, int(people), language)


def _parse_start(text: str, now: datetime.datetime) -> datetime.datetime | None:
    try:
        start = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M%z")
    except ValueError:
        return None
    return start.astimezone(datetime.UTC) if abs(start - now) <= _FARTHEST else None


async def _book_for(visit: Visit, permanence: Permanence, start: datetime.datetime, asked: Asked) -> web.Response:
    async with storage.begin(visit.console.database) as connection:
        if there := await visit.claim(connection):
            return visit.go(there)
        outcome = await desk.book_for(connection, permanence, start, asked, visit.now)
        if isinstance(outcome, Booked):
            await visit.note(connection, marked("book at the desk"), outcome.booking.code)
            await visit.leads_to(connection, _place(outcome.booking))
    match outcome:
        case Booked(booking):
            return visit.go(_place(booking))
        case Full():
            problem = visit.say("There are not enough places at this time any more. Choose another time.")
        case Closed():
            problem = visit.say("This time is over, closed, or not one of this permanence. Choose another time.")
    return await _show(visit, permanence, problem)


def _place(booking: Booking) -> str:
    return f"/staff/booked?code={booking.code}"


async def _booked(visit: Visit) -> web.Response:
    """The code to write down or print, with what the person has to know in their own language."""
    code = parse_code(visit.request.query.get("code", ""))
    if code is None:
        raise web.HTTPNotFound
    async with storage.begin(visit.console.database) as connection:
        booking = await agenda.by_code(connection, code)
    if booking is None:
        raise web.HTTPNotFound
    theirs = LANGUAGES.get(booking.language) or LANGUAGES[visit.language]
    permanence = visit.snapshot.permanences.get(booking.service)
    return visit.show(
        "booked.html",
        booking=booking,
        permanence=permanence,
        theirs=theirs,
        their_title=(permanence and permanence.titles.get(theirs.code)) or title_of(visit, booking.service),
        their_day=day_in_full(booking.start, theirs),
        their_hour=time_of(booking.start, theirs),
        **helpers(visit),
    )
