"""What people hear without having asked: reminders, a moment that is closed, a place that came free."""

from bot.conversation import appointments
from bot.conversation.dates import day_and_time, day_in_full, time_of
from bot.conversation.events import Reply
from bot.conversation.places import ANY, title
from bot.conversation.steps import AcceptPlace, BookDays, LeaveWaiting
from bot.conversation.voice import Rows, Voice
from bot.scheduling import DAY_BEFORE, Permanence
from bot.storage.bookings import Booking
from bot.storage.waiting import Waiting


def reminder(voice: Voice, permanence: Permanence, booking: Booking, kind: str) -> Reply:
    """The day before, or two hours before."""
    first = (
        voice.text("Do not forget: you have an appointment tomorrow.")
        if kind == DAY_BEFORE
        else voice.text("Do not forget: your appointment begins soon.")
    )
    text = appointments.about(voice, permanence, booking.start, booking.people, booking.wanted)
    code = appointments.code_line(voice, booking)
    rows = appointments.reminder_rows(voice, permanence, booking)
    return voice.reply(f"⏰ {first}", *text, code, rows=rows)


def closed(voice: Voice, permanence: Permanence, booking: Booking) -> Reply:
    """Staff closed the moment: sorry, and other times."""
    sorry = voice.text("I am sorry: your appointment cannot take place. Amal has to close on that moment.")
    wanted = booking.wanted or ANY
    other = BookDays(voice.language.code, booking.service, ANY, str(booking.people), wanted)
    rows: Rows = ((voice.button("📅", "Choose another time", other),),)
    return voice.reply(sorry, *_which(voice, permanence, booking), rows=rows)


def _which(voice: Voice, permanence: Permanence, booking: Booking) -> list[str]:
    return [f"**{title(voice, permanence)}**\n\n{day_and_time(booking.start, voice.language)}"]


def day_closed(voice: Voice, permanence: Permanence, turn: Waiting) -> Reply:
    """The day that somebody waits for is closed."""
    sorry = voice.text("I am sorry, this time is no longer possible. Please choose another one.")
    code = voice.language.code
    other = BookDays(code, turn.service, ANY, str(turn.people), turn.wanted or ANY)
    rows: Rows = (
        (voice.button("📅", "Choose another time", other),),
        (voice.button("✕", "Leave the waiting list", LeaveWaiting(code, str(turn.id))),),
    )
    day = day_in_full(turn.day, voice.language)
    return voice.reply(f"**{title(voice, permanence)}**", day, sorry, rows=rows)


def place_free(voice: Voice, permanence: Permanence, turn: Waiting) -> Reply:
    """A place came free for somebody who waits."""
    if turn.asked_for is None or turn.asked_until is None:
        raise ValueError("nobody asked them")
    code, number = voice.language.code, str(turn.id)
    text = appointments.about(voice, permanence, turn.asked_for, turn.people, turn.wanted)
    until = voice.text(
        "Do you want it? Please say so before {time}; after that I ask the next person.",
        time=time_of(turn.asked_until, voice.language),
    )
    rows: Rows = (
        (voice.button("✅", "Take this place", AcceptPlace(code, number)),),
        (voice.button("✕", "Leave the waiting list", LeaveWaiting(code, number)),),
    )
    free = voice.text("A place has come free.")
    return voice.reply(f"🎉 {free}", *text, until, rows=rows)
