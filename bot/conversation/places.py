"""What is free for whom: a wish (how many people, which language) against the slots of a permanence as they are now."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversation.events import Speaker
from bot.conversation.voice import Voice
from bot.languages import LANGUAGES
from bot.scheduling import INTERPRETER, Permanence, Slot, bookable
from bot.storage import bookings
from bot.storage.bookings import Asked, Booking

ANY = "-"  # a language that is wanted: no matter which


@dataclass(frozen=True, slots=True)
class Wish:
    """What was chosen so far."""

    permanence: Permanence
    people: int
    wanted: str

    def fits(self, slot: Slot) -> bool:
        return slot.suits(kept(self.wanted))

    @property
    def places(self) -> int:
        return self.permanence.places_for(self.people)


def read_wish(voice: Voice, service: str, count: str, wanted: str) -> Wish | None:
    """What a button says was chosen; None where no button of ours could say so."""
    permanence = voice.snapshot.permanences.get(service)
    if permanence is None or not is_number(count, permanence.most_people):
        return None
    return Wish(permanence, int(count), wanted) if wanted in (ANY, INTERPRETER, *LANGUAGES) else None


def asked_by(speaker: Speaker, voice: Voice, wish: Wish) -> Asked:
    """Who asks for what, for the storage."""
    return Asked(speaker.channel, speaker.chat, voice.language.code, wish.people, wish.places, kept(wish.wanted))


def kept(wanted: str) -> str:
    return "" if wanted == ANY else wanted


def wish_of(permanence: Permanence, booking: Booking) -> Wish:
    """What a booking was made for."""
    return Wish(permanence, booking.people, booking.wanted or ANY)


async def free_slots(connection: AsyncConnection, wish: Wish, now: datetime.datetime) -> list[Slot]:
    """The slots in which this wish fits now."""
    return [slot for slot, free in await _slots_with_places(connection, wish, now) if free >= wish.places]


async def days_with_places(
    connection: AsyncConnection, wish: Wish, now: datetime.datetime
) -> tuple[Mapping[datetime.date, int], Sequence[datetime.date]]:
    """For each day how many times are free, and the days on which none is."""
    free: dict[datetime.date, int] = {}
    for slot, places in await _slots_with_places(connection, wish, now):
        free[slot.day] = free.get(slot.day, 0) + (places >= wish.places)
    return {day: count for day, count in free.items() if count}, [day for day, count in free.items() if not count]


async def _slots_with_places(connection: AsyncConnection, wish: Wish, now: datetime.datetime) -> list[tuple[Slot, int]]:
    """The slots that fit the wish and are not closed, and how many places are free in each."""
    found = [slot for slot in bookable(wish.permanence, now) if wish.fits(slot)]
    if not found:
        return []
    since, until = found[0].start, found[-1].end
    taken = await bookings.taken(connection, wish.permanence.service, since, until)
    closed = await bookings.closed_between(connection, wish.permanence.service, since, until)
    return [
        (slot, slot.capacity - taken.get(slot.start, 0))
        for slot in found
        if not any(start <= slot.start < end for start, end in closed)
    ]


def title(voice: Voice, permanence: Permanence) -> str:
    """What a permanence is called in this language, or in a fallback."""
    return in_language(permanence.titles, voice) or permanence.service.capitalize()


def in_language(texts: Mapping[str, str], voice: Voice) -> str:
    """Of texts by language, the one in this language or in the first fallback that is there; nothing where none is."""
    return next((texts[code] for code in voice.language.chain if code in texts), "")


def heading(voice: Voice, permanence: Permanence) -> list[str]:
    """Its name, and a word of warning where it is only an example."""
    return [f"**{title(voice, permanence)}**", *example(voice, permanence)]


def example(voice: Voice, permanence: Permanence) -> list[str]:
    if not permanence.example:
        return []
    warning = voice.text("This is an example, not a real moment. Please do not come for it.")
    return [f"*{warning}*"]


def is_number(text: str, highest: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= highest
