"""Greeting, languages and topics: what a person chooses from."""

from collections.abc import Sequence

from bot.conversation.events import Button, Reply
from bot.conversation.offer_steps import ListOffers
from bot.conversation.person_steps import ShowPrivacy
from bot.conversation.steps import (
    AskPerson,
    ChooseLanguage,
    ListLanguages,
    ListServices,
    ListTopics,
    ShowEntry,
    ShowTopic,
)
from bot.conversation.voice import Rows, Voice
from bot.knowledge.snapshot import short_reference
from bot.languages import LANGUAGES

LANGUAGES_IN_A_ROW = 3
TOPICS_IN_A_ROW = 2


def greet(voice: Voice, *, known: bool) -> Sequence[Reply]:
    """The first words. Somebody whose language we don't know sees the languages first."""
    greeting = voice.text(
        "Hello! I am Wegwijs. I help people who are new in Ghent: "
        "Dutch lessons, the integration trajectory, school, free time and more."
    )
    if not known:
        return (voice.reply(greeting, voice.text("Choose your language."), rows=_language_rows()),)
    return (voice.reply(greeting, _invitation(voice), rows=topic_rows(voice)),)


def command(voice: Voice, name: str) -> Sequence[Reply]:
    """What the channel's own menu asks for; an unknown name gets the greeting."""
    match name:
        case "language":
            return (voice.reply(voice.text("Choose your language."), rows=_language_rows()),)
        case "topics":
            return (voice.reply(_invitation(voice), rows=topic_rows(voice)),)
        case _:
            return greet(voice, known=True)


def languages(voice: Voice) -> Sequence[Reply]:
    return (voice.reply(voice.text("Choose your language."), rows=_language_rows(), replaces=True),)


def language_chosen(voice: Voice) -> Sequence[Reply]:
    confirmation = voice.text("Good. From now on I write to you in this language.")
    return (voice.reply(confirmation, _invitation(voice), rows=topic_rows(voice), replaces=True),)


def topics(voice: Voice) -> Sequence[Reply]:
    return (voice.reply(_invitation(voice), rows=topic_rows(voice), replaces=True),)


def topic(voice: Voice, slug: str) -> Sequence[Reply]:
    """The questions of one topic; the topics again when it is gone."""
    shown = next((topic for topic in voice.snapshot.topics.values() if short_reference(topic.slug) == slug), None)
    if shown is None:
        return old_button(voice)
    heading = voice.text("{topic}: choose a question, or write your own.", topic=shown.title(voice.language.code))
    back: Rows = ((voice.button("←", "Back", ListTopics(voice.language.code)),),)
    return (voice.reply(heading, rows=entry_rows(voice, shown.entries) + back, replaces=True),)


def old_button(voice: Voice) -> Sequence[Reply]:
    sorry = voice.text("This button is old and no longer works. Please choose again.")
    return (voice.reply(sorry, rows=topic_rows(voice)),)


def no_appointments(voice: Voice) -> Sequence[Reply]:
    """What is said where the knowledge holds no permanences."""
    sorry = voice.text("I cannot make, change or cancel an appointment in this chat. Please ask Amal:")
    return (voice.reply(sorry, *ways_to_amal(voice), rows=((topics_button(voice), language_button(voice)),)),)


def ways_to_amal(voice: Voice) -> list[str]:
    """Phone, mail and address, as far as the facts hold them."""
    labels = {
        "contact.phone": voice.text("Phone"),
        "contact.email": voice.text("E-mail"),
        "contact.address": voice.text("Address"),
        "contact.site": voice.text("Website"),
    }
    known = {label: f"{{{{ {fact} }}}}" for fact, label in labels.items() if fact in voice.snapshot.facts}
    return [voice.snapshot.fill(voice.facts(known), voice.language.code)] if known else []


def read_only_text(voice: Voice) -> Sequence[Reply]:
    sorry = voice.text("I can only read text. Please write your question in words.")
    return (voice.reply(sorry, rows=topic_rows(voice)),)


def cannot_listen(voice: Voice) -> Sequence[Reply]:
    """For a spoken message: what they can do instead."""
    sorry = voice.text(
        "I cannot listen to voice messages. Please write your question, or choose a topic below. "
        "Many phones have a microphone on the keyboard: it writes down what you say."
    )
    return (voice.reply(sorry, rows=topic_rows(voice)),)


def topic_rows(voice: Voice) -> Rows:
    """A button for each topic, then an appointment, the language and a person."""
    code = voice.language.code
    buttons = [
        Button(f"{topic.icon} {topic.title(code)}".strip(), ShowTopic(code, short_reference(topic.slug)))
        for topic in voice.snapshot.topics.values()
    ]
    offers = (
        ((voice.button("🔎", "Courses and activities", ListOffers(code)),),) if voice.snapshot.offers.offers else ()
    )
    book = ((voice.button("📅", "Make an appointment", ListServices(code)),),) if voice.snapshot.permanences else ()
    privacy = (voice.button("🔒", "Your data and privacy", ShowPrivacy(code)),)
    return (*in_rows(buttons, TOPICS_IN_A_ROW), *offers, *book, (language_button(voice), person_button(voice)), privacy)


def entry_rows(voice: Voice, slugs: Sequence[str]) -> Rows:
    """A button with its title for each entry."""
    code = voice.language.code
    entries = [voice.snapshot.entries[slug] for slug in slugs]
    return tuple((Button(entry.text(code).title, ShowEntry(code, short_reference(entry.slug))),) for entry in entries)


def topics_button(voice: Voice) -> Button:
    return voice.button("☰", "Topics", ListTopics(voice.language.code))


def language_button(voice: Voice) -> Button:
    return voice.button("🌐", "Language", ListLanguages(voice.language.code))


def person_button(voice: Voice) -> Button:
    return voice.button("👤", "Talk to a person", AskPerson(voice.language.code))


def _invitation(voice: Voice) -> str:
    return voice.text("Choose a topic below, or write your question in your own words.")


def _language_rows() -> Rows:
    buttons = [Button(language.name, ChooseLanguage(language.code)) for language in LANGUAGES.values()]
    return in_rows(buttons, LANGUAGES_IN_A_ROW)


def in_rows(buttons: Sequence[Button], width: int) -> Rows:
    """`buttons` in rows of `width`."""
    return tuple(tuple(buttons[start : start + width]) for start in range(0, len(buttons), width))
