"""`wegwijs bookings`: what staff do with bookings, from a terminal."""

import argparse
import asyncio
import datetime
from collections.abc import Awaitable, Callable
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import desk, settings, storage
from bot.console.today import IN_THE_LOG
from bot.knowledge import load
from bot.languages import LANGUAGES
from bot.scheduling import BRUSSELS, Permanence, day_of
from bot.storage import bookings, staff
from bot.storage.bookings import Booked, Closed, Full

Permanences = desk.Permanences


class WrongBooking(Exception):
    """What was asked cannot be done; its text is one line."""


def add_bookings(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The commands, each with what it needs."""
    command = commands.add_parser("bookings", help="who comes, and closing or booking a moment")
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")

    action = actions.add_parser("list", help="who comes on a day (today)")
    action.add_argument("day", type=_day, nargs="?", metavar="DAY", help="such as 2026-12-02")
    action.add_argument("--service", metavar="NAME", help="one permanence only")
    action.set_defaults(run=_run(_list))

    for name, state, description in (
        ("arrived", bookings.FULFILLED, "this person came"),
        ("absent", bookings.NOSHOW, "this person did not come"),
        ("expected", bookings.BOOKED, "take `arrived` or `absent` back"),
    ):
        action = actions.add_parser(name, help=description)
        action.add_argument("code", metavar="CODE")
        action.set_defaults(run=_run(_mark), state=state)

    action = actions.add_parser("book", help="book for somebody without Telegram")
    _add_moment(action)
    action.add_argument("time", type=_time, metavar="TIME", help="such as 13:30")
    action.add_argument("--people", type=int, default=1, metavar="N")
    action.add_argument("--language", choices=LANGUAGES, default="nl")
    action.set_defaults(run=_run(_book))

    for name, work, description in (
        ("close", _close, "close a day or one time, and tell everybody concerned"),
        ("reopen", _reopen, "take a closing back"),
    ):
        action = actions.add_parser(name, help=description)
        _add_moment(action)
        action.add_argument("time", type=_time, nargs="?", metavar="TIME", help="one time only, such as 13:30")
        action.set_defaults(run=_run(work))

    action = actions.add_parser("misfits", help="bookings for which the permanence has no slot any more")
    action.set_defaults(run=_run(_misfits))


def _add_moment(action: argparse.ArgumentParser) -> None:
    action.add_argument("service", metavar="SERVICE", help="the name of a file in permanences/")
    action.add_argument("day", type=_day, metavar="DAY", help="such as 2026-12-02")


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write the day like 2026-12-02") from None


def _time(text: str) -> datetime.time:
    try:
        return datetime.time.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write the time like 13:30") from None


Action = Callable[[argparse.Namespace, Permanences, AsyncConnection, datetime.datetime], Awaitable[int]]


def _run(action: Action) -> Callable[[argparse.Namespace], int]:
    """`action` on the database of the settings, in one transaction."""

    async def run(chosen: argparse.Namespace) -> int:
        loaded = settings.load()
        permanences = load(Path(loaded.knowledge)).permanences
        async with storage.open_storage(loaded.database_url) as database:
            await storage.migrate(database)
            async with storage.begin(database) as connection:
                return await action(chosen, permanences, connection, datetime.datetime.now(datetime.UTC))

    return lambda chosen: asyncio.run(run(chosen))


async def _list(
    chosen: argparse.Namespace, permanences: Permanences, connection: AsyncConnection, now: datetime.datetime
) -> int:
    day = chosen.day or day_of(now)
    lines = await desk.day(connection, permanences, day, chosen.service)
    for line in lines:
        print(_shown(line))
    if not lines:
        print(f"nobody on {day}")
    return 0


def _shown(line: desk.Line) -> str:
    booking = line.booking
    notes = [
        "says to come" if booking.coming else "",
        "" if line.reached else "not reached",
        "" if line.fits else "no such slot now",
    ]
    local = booking.start.astimezone(BRUSSELS)
    spoken = f"{booking.language}, interpreter" if booking.wanted == "i" else booking.wanted or booking.language
    told = ", ".join(filter(None, notes))
    return (
        f"{local:%Y-%m-%d %H:%M}  {booking.service:<12} {booking.code}  {booking.people:>2} people  "
        f"{spoken:<16} {booking.state:<10} {told}".rstrip()
    )


async def _mark(
    chosen: argparse.Namespace, permanences: Permanences, connection: AsyncConnection, now: datetime.datetime
) -> int:
    match await desk.mark(connection, chosen.code, chosen.state, now):
        case None:
            raise WrongBooking(f"there is no booking {chosen.code}; see `wegwijs bookings list`")
        case desk.Marked(booking, changed):
            if changed:
                await staff.note(connection, staff.OPERATOR, IN_THE_LOG[chosen.state], booking.code, now)
            return 0
        case desk.Cancelled(booking):
            raise WrongBooking(f"booking {booking.code} was cancelled; nothing has changed")
        case desk.FellAway(booking):
            raise WrongBooking(f"booking {booking.code} fell away when its moment was closed; nothing has changed")
        case desk.StillToCome(booking):
            raise WrongBooking(f"{day_of(booking.start)} is still to come: nobody can have arrived or stayed away yet")


async def _book(
    chosen: argparse.Namespace, permanences: Permanences, connection: AsyncConnection, now: datetime.datetime
) -> int:
    permanence = _permanence(permanences, chosen.service)
    if not 1 <= chosen.people <= permanence.most_people:
        raise WrongBooking(f"--people takes 1 to {permanence.most_people}")
    start = datetime.datetime.combine(chosen.day, chosen.time, BRUSSELS).astimezone(datetime.UTC)
    asked = desk.at_the_desk(permanence, chosen.people, chosen.language)
    match await desk.book_for(connection, permanence, start, asked, now):
        case Booked(booking):
            print(f"booked: {booking.code}")
            return 0
        case Full():
            raise WrongBooking("this time is full")
        case Closed():
            raise WrongBooking("this time is past, closed, or not one of the permanence's")


async def _close(
    chosen: argparse.Namespace, permanences: Permanences, connection: AsyncConnection, now: datetime.datetime
) -> int:
    permanence = _permanence(permanences, chosen.service)
    fallen = await desk.close(connection, permanence, chosen.day, chosen.time, now)
    if fallen is None:
        raise WrongBooking("there is no such moment")
    print(f"closed; {len(fallen)} bookings fall away")
    for booking in fallen:
        print(f"  {booking.code}  {'is told' if booking.chat else 'has no chat: tell them yourself'}")
    return 0


async def _reopen(
    chosen: argparse.Namespace, permanences: Permanences, connection: AsyncConnection, now: datetime.datetime
) -> int:
    permanence = _permanence(permanences, chosen.service)
    if not await desk.reopen(connection, permanence, chosen.day, chosen.time, now):
        raise WrongBooking("this moment was not closed")
    return 0


async def _misfits(
    chosen: argparse.Namespace, permanences: Permanences, connection: AsyncConnection, now: datetime.datetime
) -> int:
    for line in await desk.misfits(connection, permanences, now):
        print(_shown(line))
    return 0


def _permanence(permanences: Permanences, service: str) -> Permanence:
    if service not in permanences:
        raise WrongBooking(f"there is no permanence {service}; there are: {', '.join(permanences) or 'none'}")
    return permanences[service]
