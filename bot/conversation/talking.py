"""Writing to a person: a conversation is opened, words are passed on, either side ends it."""

import datetime
import re
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversation import menus
from bot.conversation.dates import day_in_full, time_of
from bot.conversation.events import Button, Reply, Speaker
from bot.conversation.person_steps import EndTalk, StartTalk
from bot.conversation.voice import Rows, Voice
from bot.scheduling import day_of
from bot.storage import talks, tallies
from bot.storage.talks import Talk

_SILENCE = datetime.timedelta(hours=1)  # after which people no longer know whom they write to
_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!<>|~&])")


def start_button(voice: Voice) -> Button:
    return voice.button("✉", "Write to a person here", StartTalk(voice.language.code))


async def start(voice: Voice, connection: AsyncConnection, speaker: Speaker, now: datetime.datetime) -> Sequence[Reply]:
    """Open a conversation, and say when somebody is at the desk."""
    await talks.start(connection, speaker.channel, speaker.chat, voice.language.code, now)
    await tallies.count(connection, day_of(now), "talk", "", voice.language.code)
    passes = voice.text(
        "I pass this conversation on to a person at Amal. Please write your question here. "
        "It can take some time before somebody answers."
    )
    return (voice.reply(passes, *hours(voice, now), rows=_end_row(voice)),)


def hours(voice: Voice, now: datetime.datetime) -> list[str]:
    """Whether somebody is at the desk now, and when again; nothing where the files say no hours, or only examples."""
    desk = voice.snapshot.hours
    if not desk.moments or desk.example:
        return []
    if desk.is_open(now):
        return [voice.text("The desk is open now.")]
    at = desk.opens_next(now)
    if at is None:
        return []
    day, time = day_in_full(at, voice.language), time_of(at, voice.language)
    return [voice.text("The desk is closed now. It opens again on {day} at {time}.", day=day, time=time)]


async def pass_on(
    voice: Voice, connection: AsyncConnection, talk: Talk, text: str, now: datetime.datetime
) -> Sequence[Reply]:
    """Pass words on. The first ones are answered, and those after a silence: from then on a person does."""
    earlier = await talks.said(connection, talk.id)
    await talks.from_person(connection, talk, text, now)
    if earlier and now - earlier[-1].at < _SILENCE:
        return ()
    passed = voice.text("I have passed it on.")
    open_ = still_open(voice)
    return (voice.reply(passed, open_.text, *hours(voice, now), rows=open_.rows),)


async def end(voice: Voice, connection: AsyncConnection, speaker: Speaker, now: datetime.datetime) -> Sequence[Reply]:
    """The newcomer ends it."""
    if talk := await talks.current(connection, speaker.channel, speaker.chat):
        await talks.close(connection, talk, now, by_staff=False)
    return (ended(voice),)


def ended(voice: Voice) -> Reply:
    """The bot answers again."""
    over = voice.text("The conversation with the person is over. I answer your questions again.")
    return voice.reply(over, rows=menus.topic_rows(voice))


def still_open(voice: Voice) -> Reply:
    """For somebody who comes back to the menu while a person listens."""
    now_to_person = voice.text("What you write now goes to a person at Amal, until one of you ends the conversation.")
    return voice.reply(now_to_person, rows=_end_row(voice))


def only_words(voice: Voice) -> Sequence[Reply]:
    return (voice.reply(voice.text("I can only pass on words. Please write your question in words.")),)


def from_staff(voice: Voice, text: str) -> Reply:
    """What a person at Amal wrote, as they wrote it."""
    heading = voice.text("A person at Amal writes:")
    return voice.reply(f"*{heading}*", as_written(text), rows=_end_row(voice))


def as_written(text: str) -> str:
    """Somebody's words as Markdown that shows them as they are."""
    return "  \n".join(_MARKS.sub(r"\\\1", line) for line in text.strip().splitlines())


def _end_row(voice: Voice) -> Rows:
    return ((voice.button("✕", "End the conversation", EndTalk(voice.language.code)),),)
