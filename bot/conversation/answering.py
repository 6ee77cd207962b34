"""Answers: what the knowledge says to a question, or an honest word that it says nothing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never
from urllib.parse import quote_plus

from structlog.contextvars import bind_contextvars

from bot.conversation import booking, menus, offering, talking
from bot.conversation.dates import day_in_full
from bot.conversation.events import Button, Link, Reply
from bot.conversation.person_steps import ShowPrivacy
from bot.conversation.steps import AskPerson, Book, ChooseLanguage, DidNotHelp, Helped, ShowDutch, ShowEntry
from bot.conversation.voice import Rows, Voice
from bot.knowledge import Action, Entry
from bot.knowledge.snapshot import short_reference
from bot.languages import LANGUAGES, SOURCE, Language
from bot.offers import Search
from bot.understanding import Meaning, Understanding

PRIVACY = "privacy"  # the entry that tells what one can see, take along and delete here
SUGGESTIONS = 3
RELATED = 3
MAP = "https://www.openstreetmap.org/search?query="


def understand(understanding: Understanding, text: str, *, chosen: Language | None, hint: Language | None) -> Meaning:
    """What typed words mean, noted for the log: never the words themselves."""
    meaning = understanding.understand(text, chosen=chosen, hint=hint)
    best = meaning.matches[0] if meaning.matches else None
    bind_contextvars(
        decision=meaning.decision,
        language=meaning.language,
        slug=best.slug if best else None,
        score=round(best.score, 3) if best else None,
    )
    return meaning


def urgent_in(understanding: Understanding, meaning: Meaning) -> str | None:
    """The entry with help lines that a message calls for; None when nobody is in danger."""
    best = meaning.matches[0].slug if meaning.decision == "answer" else ""
    urgent = {entry.slug for entry in understanding.snapshot.urgent}
    return short_reference(best) if best in urgent else None


def offering_languages(
    replies: Sequence[Reply], meaning: Meaning, voice: Voice, usual: Language | None
) -> Sequence[Reply]:
    """`replies` with a way to settle the language, where it is in doubt or not the usual one."""
    if meaning.rival:
        return _offering(replies, _which_language(meaning.language, meaning.rival))
    if usual and usual.code != meaning.language:
        return _offering(replies, _always_this_language(voice))
    return replies


def reply_to(meaning: Meaning, voice: Voice, text: str, search: Search | None) -> Sequence[Reply]:
    """What a decision looks like to the person; `search` is what they look for among the offers, if anything."""
    if search:
        return offering.found_in_words(voice, search, meaning)
    match meaning.decision:
        case "answer":
            return show(voice, short_reference(meaning.matches[0].slug))
        case "suggest":
            return _suggest(voice, [match.slug for match in meaning.matches[:SUGGESTIONS]])
        case "decline":
            return decline(voice) if meaning.has_words else _no_words(voice)
        case "smalltalk":
            return _chat(voice, meaning.smalltalk)
        case "handoff":
            return ask_person(voice)
        case "book":
            return booking.begin(voice, meaning, text)
        case _:
            assert_never(meaning.decision)


def show(voice: Voice, reference: str) -> Sequence[Reply]:
    """An entry, with what one may want next."""
    entry = voice.snapshot.find(reference)
    if entry is None:
        return menus.old_button(voice)
    if entry.urgent:
        return (voice.reply(*_entry_text(voice, entry), rows=_urgent_rows(voice, entry)),)
    question = voice.text("Did this help you?")
    return (voice.reply(*_entry_text(voice, entry), f"*{question}*", rows=_entry_rows(voice, entry)),)


def show_dutch(voice: Voice, reference: str) -> Sequence[Reply]:
    """The same answer in Dutch, for somebody at a desk, with a way back."""
    entry = voice.snapshot.find(reference)
    if entry is None:
        return menus.old_button(voice)
    back: Rows = ((voice.button("←", "Back", ShowEntry(voice.language.code, reference)),),)
    dutch = voice.speaking(LANGUAGES[SOURCE])
    return (dutch.reply(*_entry_text(dutch, entry), rows=back),)


def thank_for_feedback(voice: Voice, *, helped: bool) -> Sequence[Reply]:
    if helped:
        return (voice.reply(voice.text("Thank you. I am glad that it helped."), rows=_way_on(voice)),)
    sorry = voice.text("Thank you for telling me. I am sorry that it did not help.")
    return (voice.reply(sorry, *_person(voice), rows=_way_on(voice)),)


def ask_person(voice: Voice) -> Sequence[Reply]:
    """How to reach a human being."""
    return (voice.reply(*_person(voice), rows=((talking.start_button(voice),), *_way_on(voice))),)


def ways_elsewhere(voice: Voice) -> str:
    """For a page that cannot chat: how to reach Amal, and the help lines for somebody in danger."""
    urgent = [part for entry in voice.snapshot.urgent for part in _entry_text(voice, entry)]
    return "\n\n".join((*_person(voice), *urgent))


def decline(voice: Voice) -> Sequence[Reply]:
    """Not knowing, said as it is, with the way to somebody who does."""
    sorry = voice.text(
        "I am sorry, I do not know the answer to that. I prefer to say so than to tell you something wrong."
    )
    return (voice.reply(sorry, *_person(voice), rows=((talking.start_button(voice),), *menus.topic_rows(voice))),)


def _no_words(voice: Voice) -> Sequence[Reply]:
    sorry = voice.text("I see no words in your message. Please write your question in words.")
    return (voice.reply(sorry, rows=menus.topic_rows(voice)),)


def _suggest(voice: Voice, slugs: Sequence[str]) -> Sequence[Reply]:
    none: Rows = ((voice.button("✕", "None of these", AskPerson(voice.language.code)),),)
    heading = voice.text("Is one of these your question?")
    return (voice.reply(heading, rows=menus.entry_rows(voice, slugs) + none),)


def _chat(voice: Voice, kind: str | None) -> Sequence[Reply]:
    match kind:
        case "thanks":
            said = voice.text("You are welcome. If you have another question, just write it.")
            return (replace(voice.reply(said, rows=menus.topic_rows(voice)), reaction="❤"),)
        case "goodbye":
            said = voice.text("Goodbye, and all the best in Ghent!")
        case "identity":
            said = voice.text(
                "I am a computer program, not a person. I give answers that people wrote and checked. "
                "If you want, you can talk to a person at Amal."
            )
        case "stop":
            said = voice.text("Choose a topic below, or write your question in your own words.")
        case _:
            said = voice.text("Hello! What would you like to know?")
    return (voice.reply(said, rows=menus.topic_rows(voice)),)


def _entry_text(voice: Voice, entry: Entry) -> list[str]:
    text = entry.text(voice.language.code)
    notes = []
    if text.language != voice.language.code:
        name = LANGUAGES[text.language].name
        notes.append(
            voice.text("This text is not there in your language yet. You see it here in {language}.", language=name)
        )
    if text.status == "outdated":
        notes.append(voice.text("The Dutch text is newer than this translation. Only the Dutch text is sure."))
    if entry.valid_until and entry.valid_until < voice.today:
        day = day_in_full(entry.valid_until, voice.language)
        notes.append(
            voice.text("This text was right until {day}. Something may have changed since. Please ask Amal.", day=day)
        )
    return [f"**{text.title}**", *filter(None, (text.body,)), *(f"*{note}*" for note in notes)]


def _entry_rows(voice: Voice, entry: Entry) -> Rows:
    code, reference = voice.language.code, short_reference(entry.slug)
    feedback = (
        voice.button("👍", "Yes", Helped(code, reference)),
        voice.button("👎", "No", DidNotHelp(code, reference)),
    )
    actions = tuple((button,) for action in entry.actions if (button := _action_button(voice, action)))
    related = menus.entry_rows(voice, entry.related[:RELATED])
    if reference == PRIVACY:
        actions = ((voice.button("🔒", "Your data and privacy", ShowPrivacy(code)),),)
    return (feedback, *actions, *related, (*_dutch_button(voice, reference), menus.topics_button(voice)))


def _urgent_rows(voice: Voice, entry: Entry) -> Rows:
    """Nothing that stands between a person in danger and the help lines."""
    related = menus.entry_rows(voice, entry.related[:RELATED])
    return (*related, (*_dutch_button(voice, short_reference(entry.slug)), menus.topics_button(voice)))


def _dutch_button(voice: Voice, reference: str) -> tuple[Button, ...]:
    if voice.language.code == SOURCE:
        return ()
    return (voice.button("🇧🇪", "Show in Dutch", ShowDutch(voice.language.code, reference)),)


def _action_button(voice: Voice, action: Action) -> Button | None:
    match action.kind:
        case "book":
            return voice.button("📅", "Make an appointment", Book(voice.language.code, short_reference(action.value)))
        case "link":
            return Button(f"🔗 {action.value.removeprefix('https://')}", Link(action.value))
        case "place":
            return Button(f"📍 {action.value}", Link(MAP + quote_plus(action.value)))
        case "offers":
            return offering.button(voice, action.value)
        case _:
            assert_never(action.kind)


def _person(voice: Voice) -> list[str]:
    return [voice.text("You can ask a person at Amal:"), *menus.ways_to_amal(voice)]


def _way_on(voice: Voice) -> Rows:
    return ((menus.topics_button(voice), menus.language_button(voice)),)


def _offering(replies: Sequence[Reply], row: tuple[Button, ...]) -> Sequence[Reply]:
    """`replies` with one more row of buttons under the last."""
    return (*replies[:-1], replace(replies[-1], rows=(*replies[-1].rows, row)))


def _always_this_language(voice: Voice) -> tuple[Button, ...]:
    label = voice.text("Always write in {language}", language=voice.language.name)
    return (Button(f"🌐 {label}", ChooseLanguage(voice.language.code)),)


def _which_language(*codes: str) -> tuple[Button, ...]:
    """Where a message may be in either of two languages, the person says which: their names need no words."""
    return tuple(Button(f"🌐 {LANGUAGES[code].name}?", ChooseLanguage(code)) for code in codes)
