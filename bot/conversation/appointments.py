"""What a person has booked: see, move, cancel, take a cancellation back, and answer to a reminder.

A booking is looked up together with who asks: a forged button finds nothing, and "not yours" looks like "not there".
"""

import datetime
from collections.abc import Sequence
from urllib.parse import quote_plus

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversation import menus
from bot.conversation.calendars import calendar_file
from bot.conversation.dates import day_and_time, day_in_full, day_in_short, time_of
from bot.conversation.events import Button, Link, Reply, Speaker, Venue
from bot.conversation.packing import pack_day, pack_instant, unpack_day, unpack_instant
from bot.conversation.places import (
    days_with_places,
    example,
    free_slots,
    in_language,
    title,
    wish_of,
)
from bot.conversation.steps import (
    CancelBooking,
    ConfirmCancel,
    ConfirmMove,
    LeaveWaiting,
    ListBookings,
    ListServices,
    MoveBooking,
    MoveDay,
    MoveTime,
    ShowBooking,
    UndoCancel,
    WillCome,
)
from bot.conversation.voice import Rows, Voice
from bot.languages import LANGUAGES
from bot.scheduling import INTERPRETER, Permanence, day_of, open_slot, slot_at
from bot.storage import bookings, tallies, waiting
from bot.storage.bookings import BOOKED, CANCELLED, AlreadyBooked, Booked, Booking, Closed, Full, TooMany

MAP = "https://www.openstreetmap.org/search?query="
_DAYS, _TIMES, _IN_A_ROW = 10, 24, 3


def about(voice: Voice, permanence: Permanence, start: datetime.datetime, people: int, wanted: str) -> list[str]:
    """What, when, where, for how many and with what to bring, in paragraphs."""
    rows = {
        voice.text("Day"): day_in_full(start, voice.language),
        voice.text("Time"): time_of(start, voice.language),
        voice.text("Where"): permanence.place,
        voice.text("People"): str(people),
    }
    if wanted == INTERPRETER:
        rows[voice.text("Language")] = voice.text("With an interpreter")
    elif wanted:
        rows[voice.text("Language")] = LANGUAGES[wanted].name
    bring = in_language(permanence.bring, voice)
    please = voice.text("Please bring")
    brought = [f"**{please}**\n\n{bring}"] if bring else []
    return [f"**{title(voice, permanence)}**", *example(voice, permanence), voice.facts(rows), *brought]


def confirmed(voice: Voice, permanence: Permanence, booking: Booking) -> Sequence[Reply]:
    """The place is taken: everything that one needs to come, with a file for the calendar and a place on the map."""
    done = voice.text("Your appointment is made.")
    remind = voice.text("I will remind you here before it begins.")
    return (_whole(voice, permanence, booking, f"✅ {done}", remind),)


def _whole(voice: Voice, permanence: Permanence, booking: Booking, first: str, *last: str) -> Reply:
    text = about(voice, permanence, booking.start, booking.people, booking.wanted)
    rows = _rows(voice, permanence, booking)
    reply = voice.reply(first, *text, code_line(voice, booking), *last, rows=rows, replaces=True)
    bring = in_language(permanence.bring, voice)
    document = calendar_file(booking, title(voice, permanence), permanence.place, f"{bring}\n{booking.code}".strip())
    return Reply(reply.text, reply.language, reply.rows, reply.replaces, _venue(voice, permanence), document)


def code_line(voice: Voice, booking: Booking) -> str:
    """The code by which staff find a booking."""
    return voice.named(voice.text("Your code"), f"**{booking.code}**")


def _venue(voice: Voice, permanence: Permanence) -> Venue | None:
    if permanence.location is None:
        return None
    return Venue(title(voice, permanence), permanence.place, *permanence.location)


def _rows(voice: Voice, permanence: Permanence, booking: Booking) -> Rows:
    code = voice.language.code
    return (
        (way_there(permanence),),
        (
            voice.button("🔁", "Move", MoveBooking(code, booking.code)),
            voice.button("✕", "Cancel", CancelBooking(code, booking.code)),
        ),
        (voice.button("🗓", "My appointments", ListBookings(code)), menus.topics_button(voice)),
    )


def way_there(permanence: Permanence) -> Button:
    """The way there, on a map."""
    return Button(f"📍 {permanence.place}", Link(MAP + quote_plus(permanence.place)))


async def mine(
    voice: Voice, connection: AsyncConnection, speaker: Speaker, now: datetime.datetime, first: str = ""
) -> Sequence[Reply]:
    """What this person has booked, and where they wait."""
    code = voice.language.code
    booked = await bookings.of_person(connection, speaker.channel, speaker.chat, now)
    waits = await waiting.of_person(connection, speaker.channel, speaker.chat, day_of(now))
    rows: Rows = tuple((Button(_label(voice, each), ShowBooking(code, each.code)),) for each in booked)
    for each in waits:
        leave = voice.text("Leave the waiting list")
        day = day_in_short(each.day, voice.language)
        rows += ((Button(f"✕ {voice.named(day, leave)}", LeaveWaiting(code, str(each.id))),),)
    new = (voice.button("📅", "New appointment", ListServices(code)), menus.topics_button(voice))
    said = voice.text("Your appointments:") if booked else voice.text("You have no appointment.")
    return (voice.reply(*filter(None, (first, said)), rows=(*rows, new), replaces=True),)


def _label(voice: Voice, booking: Booking) -> str:
    permanence = voice.snapshot.permanences.get(booking.service)
    name = title(voice, permanence) if permanence else booking.service
    when = f"{day_in_short(day_of(booking.start), voice.language)} {time_of(booking.start, voice.language)}"
    return f"🗓 {when} · {name}"


def show(voice: Voice, booking: Booking) -> Sequence[Reply]:
    """One booking, with what one can do with it."""
    permanence = voice.snapshot.permanences.get(booking.service)
    if permanence is None or booking.state != BOOKED:
        return not_there(voice)
    name = voice.text("Your appointment")
    return (_whole(voice, permanence, booking, f"🗓 {name}"),)


def not_there(voice: Voice) -> Sequence[Reply]:
    """A booking that is gone, or was never theirs."""
    sorry = voice.text("I cannot find this appointment. Perhaps it is over or cancelled.")
    code = voice.language.code
    rows: Rows = ((voice.button("🗓", "My appointments", ListBookings(code)), menus.topics_button(voice)),)
    return (voice.reply(sorry, rows=rows, replaces=True),)


# Moving


async def move(
    voice: Voice, connection: AsyncConnection, booking: Booking, now: datetime.datetime, first: str = ""
) -> Sequence[Reply]:
    """The days to which it can be moved. The old place stays theirs until the new one is."""
    permanence = _movable(voice, booking, now)
    if permanence is None:
        return not_there(voice)
    free, _ = await days_with_places(connection, wish_of(permanence, booking), now)
    code = voice.language.code
    buttons = [
        Button(f"{day_in_short(day, voice.language)} · {count}", MoveDay(code, booking.code, pack_day(day)))
        for day, count in list(free.items())[:_DAYS]
    ]
    kept = voice.text("Your old time stays yours until the new one is sure.")
    said = (
        voice.text("Choose a day. Beside it you see how many times are free.")
        if free
        else voice.text("There is no free time now. Please look again later, or ask a person at Amal.")
    )
    rows = (*menus.in_rows(buttons, 2), _back(voice, booking))
    return (voice.reply(*filter(None, (first, said)), kept, rows=rows, replaces=True),)


async def move_day(
    voice: Voice, connection: AsyncConnection, booking: Booking, step: MoveDay, now: datetime.datetime
) -> Sequence[Reply]:
    """The times of a day to which it can be moved."""
    permanence, day = _movable(voice, booking, now), unpack_day(step.day)
    if permanence is None:
        return not_there(voice)
    free = await free_slots(connection, wish_of(permanence, booking), now)
    starts = [slot.start for slot in free if slot.day == day and slot.start != booking.start]
    if not starts or day is None:
        return await move(voice, connection, booking, now)
    code = voice.language.code
    buttons = [
        Button(time_of(start, voice.language), MoveTime(code, booking.code, pack_instant(start)))
        for start in starts[:_TIMES]
    ]
    said = voice.text("{day}: choose a time.", day=day_in_full(day, voice.language))
    back = (voice.button("←", "Back", MoveBooking(code, booking.code)),)
    return (voice.reply(said, rows=(*menus.in_rows(buttons, _IN_A_ROW), back), replaces=True),)


def move_time(voice: Voice, booking: Booking, step: MoveTime, now: datetime.datetime) -> Sequence[Reply]:
    """The old time and the new one, before it is moved."""
    permanence, start = _movable(voice, booking, now), unpack_instant(step.start)
    if permanence is None:
        return not_there(voice)
    if start is None or open_slot(permanence, start, now) is None:
        return _time_is_gone(voice, booking)
    code = voice.language.code
    old, new = (day_and_time(at, voice.language) for at in (booking.start, start))
    listed = voice.facts({voice.text("Old time"): old, voice.text("New time"): new})
    rows: Rows = (
        (voice.button("✅", "Confirm", ConfirmMove(code, booking.code, step.start)),),
        (voice.button("←", "Back", MoveBooking(code, booking.code)),),
    )
    return (voice.reply(listed, voice.text("Is this right? Then confirm."), rows=rows, replaces=True),)


async def confirm_move(
    voice: Voice, connection: AsyncConnection, booking: Booking, step: ConfirmMove, now: datetime.datetime
) -> Sequence[Reply]:
    """Take the new place, then give back the old one, whose turn it is then for who waits."""
    permanence, start = _movable(voice, booking, now), unpack_instant(step.start)
    if permanence is None:
        return not_there(voice)
    slot = open_slot(permanence, start, now) if start else None
    if slot is None:
        return _time_is_gone(voice, booking)
    match await bookings.move(connection, booking, slot, now):
        case Booked(moved):
            await waiting.offer_freed_place(connection, permanence, booking.start, now)
            done = voice.text("Your appointment is moved.")
            return (_whole(voice, permanence, moved, f"✅ {done}"),)
        case AlreadyBooked(same):
            return show(voice, same)
        case Full() | TooMany():
            sorry = voice.text("I am sorry, somebody else has just taken that place.")
            return await move(voice, connection, booking, now, first=sorry)
        case Closed():
            return _time_is_gone(voice, booking)


def _time_is_gone(voice: Voice, booking: Booking) -> Sequence[Reply]:
    """Their appointment stays as it is."""
    sorry = voice.text("I am sorry, this time is no longer possible. Please choose another one.")
    other = voice.button("📅", "Choose another time", MoveBooking(voice.language.code, booking.code))
    return (voice.reply(sorry, rows=((other,), _back(voice, booking)), replaces=True),)


def _movable(voice: Voice, booking: Booking, now: datetime.datetime) -> Permanence | None:
    ahead = booking.state == BOOKED and booking.start > now
    return voice.snapshot.permanences.get(booking.service) if ahead else None


# Cancelling


def cancel(voice: Voice, booking: Booking, now: datetime.datetime) -> Sequence[Reply]:
    """Whether they are sure."""
    if booking.state != BOOKED or booking.start <= now:
        return not_there(voice)
    code = voice.language.code
    when = day_and_time(booking.start, voice.language)
    rows: Rows = (
        (voice.button("✕", "Yes, cancel", ConfirmCancel(code, booking.code)),),
        (voice.button("←", "No, keep it", ShowBooking(code, booking.code)),),
    )
    return (voice.reply(voice.text("Cancel this appointment?"), f"**{when}**", rows=rows, replaces=True),)


async def confirm_cancel(
    voice: Voice, connection: AsyncConnection, booking: Booking, now: datetime.datetime
) -> Sequence[Reply]:
    """Give the place back, at once and to the next who waits."""
    cancelled = booking.start > now and await bookings.cancel(connection, booking)
    if cancelled:
        await tallies.count(connection, day_of(now), tallies.CANCELLED, booking.service, voice.language.code)
        await waiting.offer_freed_place(connection, voice.snapshot.permanences.get(booking.service), booking.start, now)
    elif booking.start <= now or booking.state != CANCELLED:
        return not_there(voice)
    code = voice.language.code
    rows: Rows = (
        (voice.button("↩", "Undo", UndoCancel(code, booking.code)),),
        (voice.button("📅", "New appointment", ListServices(code)), menus.topics_button(voice)),
    )
    done = voice.text("Your appointment is cancelled. Thank you for telling us: somebody else can come now.")
    return (voice.reply(done, rows=rows, replaces=True),)


async def undo_cancel(
    voice: Voice, connection: AsyncConnection, booking: Booking, now: datetime.datetime
) -> Sequence[Reply]:
    """Take the same place again, if nobody has."""
    permanence = voice.snapshot.permanences.get(booking.service)
    slot = slot_at(permanence, booking.start) if permanence else None
    if permanence is None or slot is None or slot.start <= now:
        return not_there(voice)
    match await bookings.restore(connection, booking, slot, now, permanence.most_open):
        case Booked(restored) | AlreadyBooked(restored) as outcome:
            if isinstance(outcome, Booked):
                await tallies.count(connection, day_of(now), tallies.BOOKED, booking.service, voice.language.code)
            done = voice.text("Your appointment is back.")
            return (_whole(voice, permanence, restored, f"✅ {done}"),)
        case TooMany():
            sorry = voice.text("You have an appointment for this already. You can move it or cancel it.")
            rows: Rows = ((voice.button("🗓", "My appointments", ListBookings(voice.language.code)),),)
            return (voice.reply(sorry, rows=rows, replaces=True),)
        case Full() | Closed():
            sorry = voice.text("I am sorry, somebody else has just taken that place.")
            rows = ((voice.button("📅", "New appointment", ListServices(voice.language.code)),),)
            return (voice.reply(sorry, rows=rows, replaces=True),)


async def will_come(voice: Voice, connection: AsyncConnection, booking: Booking) -> Sequence[Reply]:
    """Thanks for saying so."""
    if not await bookings.say_coming(connection, booking):
        return not_there(voice)
    rows: Rows = ((voice.button("🗓", "My appointments", ListBookings(voice.language.code)),),)
    return (voice.reply(voice.text("Thank you. See you soon!"), rows=rows),)


def reminder_rows(voice: Voice, permanence: Permanence, booking: Booking) -> Rows:
    """What one can answer to a reminder."""
    code = voice.language.code
    return (
        (
            voice.button("✅", "I come", WillCome(code, booking.code)),
            voice.button("✕", "I can't come", CancelBooking(code, booking.code)),
        ),
        (way_there(permanence),),
    )


def _back(voice: Voice, booking: Booking) -> tuple[Button, ...]:
    return (voice.button("←", "Back", ShowBooking(voice.language.code, booking.code)),)
