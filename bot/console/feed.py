"""A permanence as a calendar that a calendar program reads by itself (iCalendar, RFC 5545).

Its address is the key: whoever has it reads when how many people come and their codes, and nothing else.
"""

import datetime
from collections.abc import Sequence
from functools import partial
from itertools import groupby

from aiohttp import web

from bot import storage
from bot.console.console import Console, Visit, language_of, say
from bot.console.daylist import show_day, title_of
from bot.knowledge.problems import marked
from bot.storage import agenda, staff
from bot.storage.bookings import CLOSED, Booking

_BACK = datetime.timedelta(days=30)  # bookings are not kept longer
_AHEAD = datetime.timedelta(days=3660)
_PRODUCT = "-//Wegwijs//Wegwijs//EN"


def add(console: Console) -> None:
    """Serve the calendars, and the button that makes an address."""
    console.post("/staff/feed", "desk", _make)
    console.app.router.add_get("/staff/calendar/{token}.ics", partial(_calendar, console))


async def _make(visit: Visit) -> web.Response:
    """Make an address and show it. Only its hash is kept, so it cannot be shown again."""
    service = visit.form.get("service", "")
    if not service:
        return await show_day(visit, visit.today, visit.say("Choose a permanence."))
    if service not in visit.snapshot.permanences:
        raise web.HTTPNotFound
    async with storage.begin(visit.console.database) as connection:
        token = await staff.make_feed(connection, visit.session.member.id, service)
        await visit.note(connection, marked("make calendar address"), service)
    scheme = "https" if visit.console.https else visit.request.scheme
    address = f"{scheme}://{visit.request.host}/staff/calendar/{token}.ics"
    return visit.show("feed.html", address=address, title=title_of(visit, service))


async def _calendar(console: Console, request: web.Request) -> web.Response:
    now = console.clock()
    async with storage.begin(console.database) as connection:
        service = await staff.service_of_feed(connection, request.match_info["token"])
        if service is None:
            raise web.HTTPNotFound
        found = await agenda.between(connection, now - _BACK, now + _AHEAD, service)
    there = [booking for booking in found if booking.state != CLOSED]
    return web.Response(
        body=_written(there, now, language_of(request)),
        content_type="text/calendar",
        charset="utf-8",
    )


def _written(there: Sequence[Booking], now: datetime.datetime, language: str) -> bytes:
    """One event for each slot that has bookings. It keeps its identity, so that a calendar changes it in place."""
    from icalendar import Calendar, Event  # a quarter of a second, which the first answer need not wait for

    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    for start, together in groupby(there, key=lambda booking: booking.start):
        in_slot = list(together)
        event = Event()
        event.add("uid", f"{in_slot[0].service}-{start:%Y%m%dT%H%M%SZ}@wegwijs")
        event.add("dtstamp", now)
        event.add("dtstart", start)
        event.add("dtend", max(booking.end for booking in in_slot))
        event.add("summary", _summary(in_slot, language))
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


def _summary(in_slot: Sequence[Booking], language: str) -> str:
    """`3 bookings, 5 people: 7K3MQ, …`"""
    people = sum(booking.people for booking in in_slot)
    counted = (
        say("1 booking", language) if len(in_slot) == 1 else say("{count} bookings", language, count=len(in_slot)),
        say("1 person", language) if people == 1 else say("{count} people", language, count=people),
    )
    return f"{', '.join(counted)}: {', '.join(booking.code for booking in in_slot)}"
