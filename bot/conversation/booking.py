"""Booking a slot with buttons only: what for, how many people, which language, day, time, confirm.

Each button carries all that was chosen so far, so a question in between loses nothing. Free places are those of this
moment; a place is taken when the last press succeeds, never before.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversation import appointments, menus
from bot.conversation.dates import day_in_full, day_in_short, time_of, weekday_in
from bot.conversation.events import Button, Reply, Speaker
from bot.conversation.packing import pack_day, pack_instant, unpack_day, unpack_instant
from bot.conversation.places import (
    ANY,
    Wish,
    asked_by,
    days_with_places,
    free_slots,
    heading,
    is_number,
    kept,
    read_wish,
    title,
)
from bot.conversation.steps import (
    BookDay,
    BookDays,
    BookFor,
    BookPeople,
    BookTime,
    ConfirmBooking,
    JoinWaiting,
    ListBookings,
    ListServices,
)
from bot.conversation.voice import Rows, Voice
from bot.languages import LANGUAGES
from bot.scheduling import INTERPRETER, Slot, day_of, open_slot
from bot.storage import bookings, tallies
from bot.storage.bookings import AlreadyBooked, Booked, Closed, Full, TooMany
from bot.understanding import Meaning
from bot.understanding.normalise import fold

_DAYS, _TIMES, _IN_A_ROW = 10, 24, 3
_LIKELY = 3  # entries that a wish for an appointment may be about
_SHORTEST_STEM, _LONGEST_ENDING = 4, 2


def services(voice: Voice) -> Sequence[Reply]:
    """What one can make an appointment for."""
    if not voice.snapshot.permanences:
        return menus.no_appointments(voice)
    if len(voice.snapshot.permanences) == 1:
        return people(voice, next(iter(voice.snapshot.permanences)), ANY)
    rows: Rows = tuple(
        (Button(f"📅 {title(voice, permanence)}", BookFor(voice.language.code, service, ANY)),)
        for service, permanence in voice.snapshot.permanences.items()
    )
    mine = (voice.button("🗓", "My appointments", ListBookings(voice.language.code)),)
    question = voice.text("What would you like to make an appointment for?")
    return (voice.reply(question, rows=(*rows, mine, (menus.topics_button(voice),)), replaces=True),)


def begin(voice: Voice, meaning: Meaning, text: str) -> Sequence[Reply]:
    """Where somebody starts who wrote that they want to come: at the service and the weekday that they named."""
    service = named_service(voice, meaning, text)
    if service is None:
        return services(voice)
    weekday = weekday_in(text, voice.language)
    return people(voice, service, ANY if weekday is None else str(weekday))


def named_service(voice: Voice, meaning: Meaning, text: str) -> str | None:
    """The permanence that the message names, if it names one. Every message about an appointment is somewhat like the
    entry about appointments, so it takes one of the service's own words."""
    folded = fold(text)
    likely = (voice.snapshot.entries[match.slug] for match in meaning.matches[:_LIKELY])
    services = (action.value for entry in likely for action in entry.actions if action.kind == "book")
    known = (service for service in services if service in voice.snapshot.permanences)
    return next((service for service in known if any(stem in folded for stem in _stems(voice, service))), None)


def _stems(voice: Voice, service: str) -> Iterator[str]:
    """The beginnings of the words that only this service has, in this language, Dutch and English."""
    for code in dict.fromkeys((voice.language.code, "nl", "en")):
        for keyword in voice.snapshot.keywords_of_services[code].get(service, ()):
            folded = fold(keyword)
            if len(folded) > _SHORTEST_STEM or not folded.isascii():
                yield folded[: max(_SHORTEST_STEM, len(folded) - _LONGEST_ENDING)]


def people(voice: Voice, service: str, when: str) -> Sequence[Reply]:
    """How many people come: the first question about a service. `when`: a weekday that was named, or `-`."""
    permanence = voice.snapshot.permanences.get(service)
    if permanence is None:
        return services(voice)
    code = voice.language.code
    if permanence.most_people == 1:
        return languages(voice, service, when, "1")
    buttons = [
        Button(str(number), BookPeople(code, service, when, str(number)))
        for number in range(1, permanence.most_people + 1)
    ]
    question = voice.text("How many people will come? Count yourself and the children who come along.")
    rows = (*menus.in_rows(buttons, 4), _back(voice, ListServices(code)))
    return (voice.reply(*heading(voice, permanence), question, rows=rows, replaces=True),)


def languages(voice: Voice, service: str, when: str, count: str) -> Sequence[Reply]:
    """Which language they want to speak there, where there is a choice."""
    permanence = voice.snapshot.permanences.get(service)
    if permanence is None or not is_number(count, permanence.most_people):
        return services(voice)
    code = voice.language.code
    spoken = dict.fromkeys(spoken for moment in permanence.moments for spoken in moment.languages)
    buttons = [Button(LANGUAGES[each].name, BookDays(code, service, when, count, each)) for each in spoken]
    rows = (
        *menus.in_rows(buttons, _IN_A_ROW),
        (voice.button("💬", "With an interpreter", BookDays(code, service, when, count, INTERPRETER)),),
        (voice.button("✓", "It does not matter", BookDays(code, service, when, count, ANY)),),
        _back(voice, BookFor(code, service, when)),
    )
    question = voice.text("Which language would you like to speak there?")
    return (voice.reply(*heading(voice, permanence), question, rows=rows, replaces=True),)


async def days(voice: Voice, connection: AsyncConnection, step: BookDays, now: datetime.datetime) -> Sequence[Reply]:
    """The days on which there is a place now, and those on which one can wait for one."""
    wish = read_wish(voice, step.service, step.people, step.wanted)
    if wish is None:
        return services(voice)
    free, full = await days_with_places(connection, wish, now)
    if step.when in "0123456" and any(str(day.weekday()) == step.when for day in (*free, *full)):
        free = {day: count for day, count in free.items() if str(day.weekday()) == step.when}
        full = [day for day in full if str(day.weekday()) == step.when]
    code, chosen = voice.language.code, (step.service, step.people, step.wanted)
    buttons = [
        Button(f"{day_in_short(day, voice.language)} · {count}", BookDay(code, *chosen, pack_day(day)))
        for day, count in list(free.items())[:_DAYS]
    ]
    waits = [
        Button(f"⏳ {day_in_short(day, voice.language)}", JoinWaiting(code, *chosen, pack_day(day)))
        for day in full[: _DAYS // 2]
    ]
    rows = (
        *menus.in_rows(buttons, 2),
        *menus.in_rows(waits, 2),
        *_other_days(voice, step),
        _back_to_people(voice, step),
    )
    return (voice.reply(*heading(voice, wish.permanence), *_about_days(voice, free, full), rows=rows, replaces=True),)


def _about_days(voice: Voice, free: Mapping[datetime.date, int], full: Sequence[datetime.date]) -> list[str]:
    said = [
        voice.text("Choose a day. Beside it you see how many times are free.")
        if free
        else voice.text("There is no free time now. Please look again later, or ask a person at Amal.")
    ]
    if full:
        said.append(voice.text("⏳ means: this day is full. Press it, and I write to you when a place comes free."))
    return said


def _other_days(voice: Voice, step: BookDays) -> Rows:
    if step.when == ANY:
        return ()
    return ((voice.button("📅", "All days", BookDays(step.language, step.service, ANY, step.people, step.wanted)),),)


def _back_to_people(voice: Voice, step: BookDays) -> tuple[Button, ...]:
    return _back(voice, BookPeople(step.language, step.service, step.when, step.people))


async def times(voice: Voice, connection: AsyncConnection, step: BookDay, now: datetime.datetime) -> Sequence[Reply]:
    """The times of a day at which there is a place now."""
    wish, day = read_wish(voice, step.service, step.people, step.wanted), unpack_day(step.day)
    if wish is None or day is None:
        return services(voice)
    code, chosen = voice.language.code, (step.service, step.people, step.wanted)
    free = [slot for slot in await free_slots(connection, wish, now) if slot.day == day]
    if not free:
        return await days(voice, connection, BookDays(code, step.service, ANY, step.people, step.wanted), now)
    buttons = [
        Button(time_of(slot.start, voice.language), BookTime(code, *chosen, pack_instant(slot.start)))
        for slot in free[:_TIMES]
    ]
    back = _back(voice, BookDays(code, step.service, ANY, step.people, step.wanted))
    said = voice.text("{day}: choose a time.", day=day_in_full(day, voice.language))
    rows = (*menus.in_rows(buttons, _IN_A_ROW), back)
    return (voice.reply(*heading(voice, wish.permanence), said, rows=rows, replaces=True),)


def summary(voice: Voice, step: BookTime, now: datetime.datetime) -> Sequence[Reply]:
    """What would be booked, before it is."""
    found = _wished_slot(voice, step, now)
    if found is None:
        return gone(voice, step.service)
    wish, slot = found
    code, chosen = voice.language.code, (step.service, step.people, step.wanted)
    rows: Rows = (
        (voice.button("✅", "Confirm", ConfirmBooking(code, *chosen, step.start)),),
        _back(voice, BookDay(code, *chosen, pack_day(slot.day))),
    )
    text = appointments.about(voice, wish.permanence, slot.start, wish.people, kept(wish.wanted))
    return (voice.reply(*text, voice.text("Is this right? Then confirm."), rows=rows, replaces=True),)


async def confirm(
    voice: Voice, connection: AsyncConnection, step: ConfirmBooking, speaker: Speaker, now: datetime.datetime
) -> Sequence[Reply]:
    """Take the place, and say so only when it is taken."""
    found = _wished_slot(voice, step, now)
    if found is None:
        return gone(voice, step.service)
    wish, slot = found
    asked = asked_by(speaker, voice, wish)
    match await bookings.book(connection, slot, asked, now, wish.permanence.most_open):
        case Booked(booking):
            await tallies.count(connection, day_of(now), tallies.BOOKED, step.service, voice.language.code)
            return appointments.confirmed(voice, wish.permanence, booking)
        case AlreadyBooked(booking):
            return appointments.confirmed(voice, wish.permanence, booking)
        case Full():
            return await too_late(voice, connection, step, slot, now)
        case Closed():
            return gone(voice, step.service)
        case TooMany():
            sorry = voice.text("You have an appointment for this already. You can move it or cancel it.")
            return await appointments.mine(voice, connection, speaker, now, first=sorry)


async def too_late(
    voice: Voice, connection: AsyncConnection, step: ConfirmBooking, slot: Slot, now: datetime.datetime
) -> Sequence[Reply]:
    """Somebody was faster: what else there is, on the same day first."""
    day = BookDay(voice.language.code, step.service, step.people, step.wanted, pack_day(slot.day))
    (other,) = await times(voice, connection, day, now)
    sorry = voice.text("I am sorry, somebody else has just taken that place.")
    return (voice.reply(sorry, other.text, rows=other.rows, replaces=True),)


def gone(voice: Voice, service: str) -> Sequence[Reply]:
    """A time that is past, closed, or no longer there."""
    sorry = voice.text("I am sorry, this time is no longer possible. Please choose another one.")
    again = BookFor(voice.language.code, service, ANY)
    rows: Rows = ((voice.button("📅", "Choose another time", again),), (menus.topics_button(voice),))
    return (voice.reply(sorry, rows=rows, replaces=True),)


def _wished_slot(voice: Voice, step: BookTime | ConfirmBooking, now: datetime.datetime) -> tuple[Wish, Slot] | None:
    wish, start = read_wish(voice, step.service, step.people, step.wanted), unpack_instant(step.start)
    slot = open_slot(wish.permanence, start, now) if wish and start else None
    return (wish, slot) if wish and slot and wish.fits(slot) else None


def _back(voice: Voice, step: ListServices | BookFor | BookPeople | BookDays | BookDay) -> tuple[Button, ...]:
    return (voice.button("←", "Back", step),)
