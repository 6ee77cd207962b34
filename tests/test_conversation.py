"""What a person says and presses, and what comes back."""

import datetime
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.conversation import answering, respond
from bot.conversation.voice import Voice
from bot.knowledge import Holder
from bot.languages import LANGUAGES
from bot.learning import learn
from bot.storage import retention
from bot.storage.schema import feedback, handled, people
from bot.texts import Texts
from bot.understanding import Match, Meaning, Understanding
from tests.conftest import NOW, Clock, OpenDialogue
from tests.dialogue import Dialogue


async def test_start_greets_in_the_language_of_the_phone_and_shows_the_topics(dialogue: OpenDialogue) -> None:
    person = dialogue("uk-UA")
    assert "Вітаю! Я Wegwijs." in await person.starts()
    assert any("Школа" in label for label in person.labels)


async def test_start_without_a_known_language_shows_the_24_languages(dialogue: OpenDialogue) -> None:
    person = dialogue("pt-BR")
    await person.starts()
    assert person.labels == [language.name for language in LANGUAGES.values()]


async def test_a_topic_leads_to_its_questions_and_to_an_answer(dialogue: OpenDialogue) -> None:
    person = dialogue("tr")
    await person.starts()
    await person.presses("Okul")
    assert person.replies[0].replaces
    await person.presses("OKAN")
    assert "31" in person.text
    await person.starts()
    await person.presses("Okul")
    assert "Wegwijs" not in await person.presses("←")
    assert any("Okul" in label for label in person.labels)


async def test_a_free_question_gets_its_answer_with_the_facts_filled_in(dialogue: OpenDialogue) -> None:
    person = dialogue("nl")
    await person.says("hoe geraak ik aan jullie telefoonnummer en adres?")
    assert "Kongostraat 42, 9000 Gent" in person.text
    assert "09 265 78 40" in person.text
    assert "https://www.amal.gent" in person.links


async def test_an_answer_leads_to_related_answers(dialogue: OpenDialogue) -> None:
    person = dialogue("fr")
    await person.says("c'est quoi OKAN pour ma fille de 15 ans")
    await person.presses("Une école")
    assert "Gentinfo" in person.text


async def test_in_dutch_shows_the_same_answer_for_a_desk_and_leads_back(dialogue: OpenDialogue) -> None:
    person = dialogue("ar")
    arabic = await person.says("شو يعني OKAN وابني عمره 14")
    await person.presses("🇧🇪")
    assert "Wat is OKAN?" in person.text
    assert person.language == "nl"
    assert await person.presses("←") == arabic


async def test_what_is_not_known_is_declined_with_the_way_to_a_person(dialogue: OpenDialogue) -> None:
    person = dialogue("en")
    await person.says("who won the football match yesterday?")
    assert "I do not know the answer" in person.text
    assert "09 265 78 40" in person.text


async def test_a_doubtful_question_gets_three_suggestions_and_a_way_out(
    dialogue: OpenDialogue, understanding: Understanding, catalogues: Texts
) -> None:
    slugs = ("school-find", "school-okan", "contact", "emergency")
    doubt = Meaning("nl", "suggest", tuple(Match(slug, 0.4) for slug in slugs))
    person = dialogue("nl")
    person.replies = answering.reply_to(
        doubt, Voice(understanding.snapshot, catalogues, LANGUAGES["nl"], NOW.date()), "", None
    )
    assert person.labels[:3] == ["Een school voor mijn kind", "Wat is OKAN?", "Contact met Amal"]
    assert "info@amal.gent" in await person.presses("✕")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("nl", "mijn man slaat mij en ik durf niet naar huis"),
        ("en", "my husband beats me, please help"),
        ("fr", "mon mari me frappe"),
        ("ar", "زوجي يضربني"),
        ("uk", "мене б'є чоловік"),
        ("tr", "kocam beni dövüyor"),
    ],
)
async def test_danger_leads_to_the_help_lines_before_anything_else(
    dialogue: OpenDialogue, language: str, said: str
) -> None:
    person = dialogue(language)
    await person.says(said)
    assert person.language == language
    first_lines = "\n".join(person.text.split("\n")[:3])
    assert "101" in first_lines
    assert "1712" in person.text
    assert not any("👍" in label for label in person.labels)


async def test_help_lines_come_first_also_when_the_person_asks_for_something_else_beside(
    dialogue: OpenDialogue,
) -> None:
    person = dialogue("en")
    await person.says("I want to enrol for a Dutch course but my husband beats me and says he will kill me")
    assert "1712" in person.text


async def test_the_language_can_be_chosen_and_is_kept(dialogue: OpenDialogue) -> None:
    person = dialogue("en")
    await person.commands("language")
    await person.presses("Türkçe")
    assert person.language == "tr"
    await person.starts()
    assert person.language == "tr"


async def test_a_question_in_another_language_is_answered_in_it_with_a_button_to_switch(
    dialogue: OpenDialogue,
) -> None:
    person = dialogue("nl")
    await person.says("Скільки коштує інтеграційна програма і чи треба платити?")
    assert person.language == "uk"
    await person.presses("Українська")
    assert person.language == "uk"
    await person.starts()
    assert person.language == "uk"


async def test_an_answer_in_the_usual_language_has_no_button_to_switch(dialogue: OpenDialogue) -> None:
    person = dialogue("nl")
    await person.says("hoeveel kost de inburgering")
    assert not any("Nederlands" in label for label in person.labels)


async def test_feedback_is_counted_without_who(dialogue: OpenDialogue, database: AsyncEngine) -> None:
    for _ in range(2):
        person = dialogue("en")
        await person.says("how much do I have to pay for the integration trajectory?")
        assert "I am glad that it helped" in await person.presses("👍")
    await person.says("how much do I have to pay for the integration trajectory?")
    assert "info@amal.gent" in await person.presses("👎")
    async with storage.begin(database) as connection:
        rows = (await connection.execute(select(feedback).order_by(feedback.c.helped))).all()
    assert [tuple(row) for row in rows] == [
        (NOW.date(), "trajectory-cost", "en", False, 1),
        (NOW.date(), "trajectory-cost", "en", True, 2),
    ]


async def test_only_a_chosen_language_is_kept_of_a_person(dialogue: OpenDialogue, database: AsyncEngine) -> None:
    silent = dialogue("en")
    await silent.says("where is Amal?")
    chooser = dialogue("en")
    await chooser.commands("language")
    await chooser.presses("Soomaali")
    async with storage.begin(database) as connection:
        rows = (await connection.execute(select(people))).all()
    assert [tuple(row) for row in rows] == [("test", chooser.speaker.chat, "so", NOW.date())]


async def test_who_stays_away_for_a_year_is_forgotten(
    dialogue: OpenDialogue, database: AsyncEngine, clock: Clock
) -> None:
    person, other = dialogue("en"), dialogue("en")
    for someone in (person, other):
        await someone.commands("language")
        await someone.presses("Türkçe")
    clock.now = NOW + datetime.timedelta(days=200)
    await other.says("merhaba")
    clock.now = NOW + retention.PEOPLE + datetime.timedelta(days=1)
    async with storage.begin(database) as connection:
        await retention.delete_expired(connection, clock.now)
        kept = (await connection.execute(select(people.c.chat))).scalars().all()
    assert kept == [other.speaker.chat]


async def test_an_event_that_comes_twice_has_one_effect(dialogue: OpenDialogue, database: AsyncEngine) -> None:
    person = dialogue("en")
    assert await person.says("where is Amal?", key="test:1")
    question = person.replies
    assert await person.presses("👍", key="test:2")
    person.replies = question
    assert await person.presses("👍", key="test:2") == ""
    assert await person.says("where is Amal?", key="test:1") == ""
    async with storage.begin(database) as connection:
        counted = (await connection.execute(select(feedback.c.count))).scalar_one()
        events = (await connection.execute(select(func.count()).select_from(handled))).scalar_one()
    assert (counted, events) == (1, 2)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "x",
        ":",
        "se",
        "se:uk",
        "se:xx:contact",
        "se:uk:contact:more",
        "zz:uk",
        "se:uk:" + "a" * 5000,
        "cl:'; DROP TABLE people",
        "🙂" * 20,
        "se:uk:\0",
    ],
)
async def test_a_forged_or_outdated_button_gets_a_kind_word_and_fresh_buttons(
    dialogue: OpenDialogue, data: str
) -> None:
    person = dialogue("en")
    await person.presses_data(data)
    assert any("👤" in label for label in person.labels)


async def test_a_button_for_an_answer_that_is_gone_declines_kindly(dialogue: OpenDialogue) -> None:
    person = dialogue()
    for data in ("se:en:no-such-entry", "sd:en:no-such-entry", "st:en:no-such-topic"):
        assert "no longer works" in await person.presses_data(data)
    assert "glad" in await person.presses_data("hy:en:no-such-entry")


@pytest.mark.parametrize("said", ["😀😀", "?!", "…", "   ", "", "👍🏽", "٪", "\u200f\u2068\u2069"])
async def test_a_message_without_words_gets_a_kind_word(dialogue: OpenDialogue, said: str) -> None:
    person = dialogue("ar")
    assert "لا أرى" in await person.says(said) or person.text
    assert person.language == "ar"
    assert person.labels


@pytest.mark.parametrize(
    "said",
    [
        "a" * 4096,
        "école " * 682,
        "<b>where</b> is *Amal* _[x](http://y) & `z`",
        "{{ contact.phone }} {language} %s %(x)s",
        "\u202eweird\u202c \x00 control",
        "漢" * 4096,
        "1234567890",
    ],
)
async def test_strange_text_gets_an_answer_and_never_an_error(dialogue: OpenDialogue, said: str) -> None:
    person = dialogue("en")
    assert await person.says(said)


async def test_something_without_words_gets_a_kind_word_in_the_persons_language(dialogue: OpenDialogue) -> None:
    person = dialogue("uk")
    await person.sends_something_without_words()
    assert "тільки текст" in person.text or "лише текст" in person.text
    assert person.language == "uk"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("hello there", "What would you like to know?"),
        ("thanks a lot!", "You are welcome"),
        ("bye bye", "all the best in Ghent"),
        ("are you a robot?", "a computer program, not a person"),
        ("I want to talk to a real person please", "You can ask a person at Amal"),
        ("please cancel my appointment of tomorrow", "What would you like to make an appointment for?"),
    ],
)
async def test_what_is_no_question_gets_a_fitting_word(dialogue: OpenDialogue, said: str, expected: str) -> None:
    assert expected in await dialogue("en").says(said)


async def test_an_unknown_command_gets_help(dialogue: OpenDialogue) -> None:
    assert "Hello! I am Wegwijs." in await dialogue("en").commands("nonsense")


async def test_typed_words_never_become_a_step(dialogue: OpenDialogue) -> None:
    person = dialogue("en")
    await person.says("cl:tr")
    await person.starts()
    assert person.language == "en"


async def test_every_language_can_be_chosen_and_speaks_its_own_words(
    dialogue: OpenDialogue, catalogues: Texts, understanding: Understanding
) -> None:
    person = dialogue("en")
    for code in LANGUAGES:
        await person.commands("language")
        await person.presses(LANGUAGES[code].name)
        assert person.language == code
        assert catalogues.text("Good. From now on I write to you in this language.", code) in person.text
        for topic in understanding.snapshot.topics.values():
            assert any(topic.title(code) in label for label in person.labels)


async def test_a_missing_translation_is_shown_in_another_language_and_says_so(
    knowledge_copy: Path, database: AsyncEngine, catalogues: Texts
) -> None:
    holder = Holder(learn(knowledge_copy))
    person = Dialogue(partial(respond, knowledge=holder, database=database, texts=catalogues, clock=lambda: NOW))
    await person.presses_data("se:rn:contact")
    assert person.language == "rn"
    assert "Français" in person.text
    assert "Contact" in person.text


async def test_an_answer_that_was_sure_for_a_time_says_so_when_that_time_is_over(
    understanding: Understanding, catalogues: Texts
) -> None:
    entry = next(each for each in understanding.snapshot.entries.values() if each.valid_until and not each.urgent)
    assert entry.valid_until
    voice = Voice(understanding.snapshot, catalogues, LANGUAGES["en"], entry.valid_until)
    assert "This text was right until" not in answering.show(voice, entry.slug.split("/")[-1])[0].text
    later = replace(voice, today=entry.valid_until + datetime.timedelta(days=1))
    assert "This text was right until" in answering.show(later, entry.slug.split("/")[-1])[0].text
