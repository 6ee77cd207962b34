"""An appointment as a file for a calendar (iCalendar, RFC 5545)."""

import datetime

from bot.conversation.events import Document
from bot.storage.bookings import Booking

_PRODUCT = "-//Wegwijs//Wegwijs//EN"
_ALARM = datetime.timedelta(hours=-2)


def calendar_file(booking: Booking, title: str, place: str, description: str) -> Document:
    """`booking` as an `.ics` file. A moved booking keeps its identity, so a calendar moves it too."""
    from icalendar import Alarm, Calendar, Event  # a quarter of a second, which the first answer need not wait for

    event = Event()
    event.add("uid", f"{booking.code}@wegwijs")
    event.add("sequence", int(booking.booked_at.timestamp()) // 60)
    event.add("dtstamp", booking.booked_at)
    event.add("dtstart", booking.start)
    event.add("dtend", booking.end)
    event.add("summary", title)
    event.add("location", place)
    event.add("description", description)
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", title)
    alarm.add("trigger", _ALARM)
    event.add_component(alarm)
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add_component(event)
    return Document(f"wegwijs-{booking.code}.ics", "text/calendar", calendar.to_ical())
