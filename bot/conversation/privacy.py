"""What is kept about a person, in their language; all of it given to them, or deleted, when they ask."""

import datetime
import json
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversation import menus
from bot.conversation.events import Document, Reply, Speaker
from bot.conversation.person_steps import AskDelete, DeleteAll, GiveData, ShowPrivacy
from bot.conversation.voice import Rows, Voice
from bot.scheduling import day_of
from bot.storage import personal, tallies, waiting

_FILE = "wegwijs.json"


def about(voice: Voice) -> Sequence[Reply]:
    """What is kept, why and for how long."""
    kept = (
        voice.text("Your language: until one year after you last wrote."),
        voice.text("Your appointments: until 30 days after the day itself."),
        voice.text("Your place on a waiting list: until that day is over."),
        voice.text("What you asked to be told about: at most 180 days."),
        voice.text("A conversation with a person: until 30 days after its end."),
        voice.text("A question that I could not answer: at most 90 days, without who asked it."),
        voice.text("How often an answer was given and helped: only the numbers, without who."),
    )
    code = voice.language.code
    rows: Rows = (
        (voice.button("📄", "Give me my data", GiveData(code)),),
        (voice.button("🗑", "Delete everything", AskDelete(code)),),
        (menus.topics_button(voice),),
    )
    title, what = voice.text("Your data and privacy"), voice.text("What we keep")
    why = voice.text(
        "We keep as little as we can, and only to help you. We do not keep your name. "
        "Nobody outside Amal gets it from us."
    )
    listed = "\n".join(f"- {line}" for line in kept)
    telegram = voice.text("Telegram has rules of its own about what you write in its app.")
    return (voice.reply(f"**{title}**", why, f"**{what}**", listed, telegram, rows=rows, replaces=True),)


async def give(voice: Voice, connection: AsyncConnection, speaker: Speaker) -> Sequence[Reply]:
    """Everything, as a file that people and programs can read."""
    found = await personal.gathered(connection, speaker.channel, speaker.chat)
    if not found:
        return (voice.reply(voice.text("We keep nothing about you."), rows=_way_on(voice)),)
    content = json.dumps(found, ensure_ascii=False, indent=2).encode()
    reply = voice.reply(voice.text("This is everything that we keep about you."), rows=_way_on(voice))
    return (replace(reply, document=Document(_FILE, "application/json", content)),)


def ask(voice: Voice) -> Sequence[Reply]:
    """Whether they are sure."""
    code = voice.language.code
    question = voice.text("Delete everything that we keep about you? Your appointments are cancelled as well.")
    rows: Rows = (
        (voice.button("🗑", "Yes, delete everything", DeleteAll(code)),),
        (voice.button("←", "No, keep everything", ShowPrivacy(code)),),
    )
    return (voice.reply(question, rows=rows, replaces=True),)


async def delete(
    voice: Voice, connection: AsyncConnection, speaker: Speaker, now: datetime.datetime
) -> Sequence[Reply]:
    """Delete everything now, and ask who waits for the places that came free."""
    asked = await waiting.of_person(connection, speaker.channel, speaker.chat, day_of(now))
    for booking in await personal.delete_all(connection, speaker.channel, speaker.chat, now):
        await tallies.count(connection, day_of(now), tallies.CANCELLED, booking.service, booking.language)
        await waiting.offer_freed_place(connection, voice.snapshot.permanences.get(booking.service), booking.start, now)
    for turn in asked:
        if turn.asked_for:  # nobody else would be asked for that place any more
            permanence = voice.snapshot.permanences.get(turn.service)
            await waiting.offer_freed_place(connection, permanence, turn.asked_for, now)
    done = voice.text("Everything that we kept about you is deleted.")
    return (voice.reply(done, rows=((menus.topics_button(voice),),), replaces=True),)


def _way_on(voice: Voice) -> Rows:
    return ((voice.button("←", "Back", ShowPrivacy(voice.language.code)), menus.topics_button(voice)),)
