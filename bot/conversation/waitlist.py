"""Waiting for a place on a full day."""

import datetime
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversation import appointments, booking, menus
from bot.conversation.dates import day_in_full
from bot.conversation.events import Reply, Speaker
from bot.conversation.packing import unpack_day, unpack_number
from bot.conversation.places import ANY, Wish, asked_by, read_wish
from bot.conversation.steps import BookFor, JoinWaiting, LeaveWaiting
from bot.conversation.voice import Rows, Voice
from bot.scheduling import day_of, open_slot, slots_on
from bot.storage import bookings, tallies, waiting
from bot.storage.bookings import AlreadyBooked, Booked, Closed, Full, TooMany


async def join(
    voice: Voice, connection: AsyncConnection, step: JoinWaiting, speaker: Speaker, now: datetime.datetime
) -> Sequence[Reply]:
    """Put this person on the list of a day."""
    wish, day = read_wish(voice, step.service, step.people, step.wanted), unpack_day(step.day)
    if wish is None or day is None or day < day_of(now) or day > day_of(now + wish.permanence.horizon):
        return booking.gone(voice, step.service)
    turn = await waiting.join(connection, step.service, day, asked_by(speaker, voice, wish))
    for slot in slots_on(wish.permanence, day):  # a place may have come free while the person looked at the days
        await waiting.offer_freed_place(connection, wish.permanence, slot.start, now)
    code = voice.language.code
    rows: Rows = (
        (voice.button("✕", "Leave the waiting list", LeaveWaiting(code, str(turn.id))),),
        (voice.button("📅", "Choose another time", BookFor(code, step.service, ANY)), menus.topics_button(voice)),
    )
    said = voice.text(
        "You are on the waiting list for {day}. When a place comes free, I write to you here.",
        day=day_in_full(day, voice.language),
    )
    return (voice.reply(said, rows=rows, replaces=True),)


async def leave(
    voice: Voice, connection: AsyncConnection, number: str, speaker: Speaker, now: datetime.datetime
) -> Sequence[Reply]:
    """Take this person off the list, and ask the next for what they were asked for."""
    turn = await waiting.leave(connection, unpack_number(number) or 0, speaker.channel, speaker.chat)
    if turn and turn.asked_for and turn.asked_until and turn.asked_until > now:
        await waiting.offer_freed_place(connection, voice.snapshot.permanences.get(turn.service), turn.asked_for, now)
    said = voice.text("You are no longer on the waiting list.")
    return (voice.reply(said, rows=((menus.topics_button(voice),),), replaces=True),)


async def accept(
    voice: Voice, connection: AsyncConnection, number: str, speaker: Speaker, now: datetime.datetime
) -> Sequence[Reply]:
    """Take the place that came free, if it is still there."""
    turn = await waiting.find(connection, unpack_number(number) or 0, speaker.channel, speaker.chat)
    permanence = voice.snapshot.permanences.get(turn.service) if turn else None
    slot = open_slot(permanence, turn.asked_for, now) if turn and permanence and turn.asked_for else None
    if turn is None or permanence is None or slot is None:
        return appointments.not_there(voice)
    asked = asked_by(speaker, voice, Wish(permanence, turn.people, turn.wanted or ANY))
    match await bookings.book(connection, slot, asked, now, permanence.most_open):
        case Booked(made) | AlreadyBooked(made) as outcome:
            if isinstance(outcome, Booked):
                await tallies.count(connection, day_of(now), tallies.BOOKED, turn.service, voice.language.code)
            await waiting.leave(connection, turn.id, speaker.channel, speaker.chat)
            return appointments.confirmed(voice, permanence, made)
        case Full() | Closed():
            sorry = voice.text("I am sorry, somebody else has just taken that place.")
            stays = voice.text("You stay on the waiting list.")
            leave_it = voice.button("✕", "Leave the waiting list", LeaveWaiting(voice.language.code, number))
            return (voice.reply(sorry, stays, rows=((leave_it,),), replaces=True),)
        case TooMany():
            sorry = voice.text("You have an appointment for this already. You can move it or cancel it.")
            return await appointments.mine(voice, connection, speaker, now, first=sorry)
