"""One event in, replies out: the one function that every channel calls."""

import datetime
from collections.abc import Callable, Sequence
from typing import assert_never

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import storage
from bot.conversation import answering, menus
from bot.conversation.events import Attachment, Command, Event, Press, Reply, Speaker, Start, Utterance
from bot.conversation.steps import (
    AskPerson,
    Book,
    ChooseLanguage,
    DidNotHelp,
    Helped,
    ListLanguages,
    ListTopics,
    ShowDutch,
    ShowEntry,
    ShowTopic,
    Step,
    unpack,
)
from bot.conversation.voice import Voice
from bot.knowledge import Holder
from bot.languages import LANGUAGES, Language, language_of
from bot.storage import events, feedback, people
from bot.texts import Texts
from bot.understanding import Understanding

DEFAULT = LANGUAGES["en"]


async def respond(
    event: Event,
    *,
    knowledge: Holder[Understanding],
    database: AsyncEngine,
    texts: Texts,
    clock: Callable[[], datetime.datetime],
) -> Sequence[Reply]:
    """Replies for the one who spoke; none for an event that was handled before.

    Raises `storage.Unavailable` when the database is away: then nothing has happened, and the event can come again.
    """
    understanding = knowledge.current
    now = clock()
    async with storage.begin(database) as connection:
        if event.key and not await events.claim(connection, event.key, now):
            return ()
        speaker = event.speaker
        code = await people.chosen_language(connection, speaker.channel, speaker.chat, now.date())
        chosen = LANGUAGES.get(code or "")
        match event:
            case Start():
                return menus.greet(
                    _voice(understanding, texts, chosen, speaker), known=_knows_language(chosen, speaker)
                )
            case Command(name=name):
                return menus.command(_voice(understanding, texts, chosen, speaker), name)
            case Attachment():
                return menus.read_only_text(_voice(understanding, texts, chosen, speaker))
            case Utterance(text=text):
                hint = language_of(speaker.hint)
                return answering.answer(understanding, texts, text, chosen=chosen, hint=hint)
            case Press(data=data):
                step = unpack(data)
                if step is None:
                    return menus.old_button(_voice(understanding, texts, chosen, speaker))
                voice = Voice(understanding.snapshot, texts, LANGUAGES[step.language])
                return await _take(step, voice, connection, speaker, now)
            case _:
                assert_never(event)


async def _take(
    step: Step, voice: Voice, connection: AsyncConnection, speaker: Speaker, now: datetime.datetime
) -> Sequence[Reply]:
    match step:
        case ListLanguages():
            return menus.languages(voice)
        case ChooseLanguage(language=language):
            await people.choose_language(connection, speaker.channel, speaker.chat, language, now.date())
            return menus.language_chosen(voice)
        case ListTopics():
            return menus.topics(voice)
        case ShowTopic(topic=topic):
            return menus.topic(voice, topic)
        case ShowEntry(slug=slug):
            return answering.show(voice, slug)
        case ShowDutch(slug=slug):
            return answering.show_dutch(voice, slug)
        case Helped(slug=slug) | DidNotHelp(slug=slug):
            helped = isinstance(step, Helped)
            if entry := voice.snapshot.find(slug):
                await feedback.count(connection, now.date(), entry.slug, step.language, helped=helped)
            return answering.thank_for_feedback(voice, helped=helped)
        case AskPerson():
            return answering.ask_person(voice)
        case Book():
            return answering.book(voice)
        case _:
            assert_never(step)


def apology(texts: Texts, speaker: Speaker) -> Sequence[Reply]:
    """What a person hears when something is broken on our side."""
    language = language_of(speaker.hint) or DEFAULT
    sorry = texts.text(
        "Something went wrong on our side. I am sorry. Please try again in a few minutes.", language.code
    )
    return (Reply(sorry, language),)


def _voice(understanding: Understanding, texts: Texts, chosen: Language | None, speaker: Speaker) -> Voice:
    return Voice(understanding.snapshot, texts, chosen or language_of(speaker.hint) or DEFAULT)


def _knows_language(chosen: Language | None, speaker: Speaker) -> bool:
    return chosen is not None or language_of(speaker.hint) is not None
