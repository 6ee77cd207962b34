"""Where a conversation begins that a poster or a link opened."""

import pytest
from telegram import Update

from bot.conversation import Respond
from bot.telegram import Receiver, open_bot
from tests.conftest import OpenDialogue
from tests.dialogue import Dialogue
from tests.fake_telegram import TOKEN, open_fake_telegram

GREETING = "Hello! I am Wegwijs."


async def test_a_topic_opens_with_its_questions(dialogue: OpenDialogue) -> None:
    person: Dialogue = dialogue("en")
    assert "choose a question" in await person.starts("school")
    assert any("school" in label.lower() for label in person.labels)


async def test_an_entry_opens_with_its_answer(dialogue: OpenDialogue) -> None:
    person: Dialogue = dialogue("en")
    assert "Kongostraat 42" in await person.starts("contact")
    assert "Did this help you?" in person.text


async def test_a_service_opens_where_one_books_it(dialogue: OpenDialogue) -> None:
    person: Dialogue = dialogue("en")
    assert "How many people will come?" in await person.starts("book-school")
    await person.presses("2")
    assert "Which language" in person.text


async def test_a_kind_of_offers_opens_with_the_first_choice(dialogue: OpenDialogue) -> None:
    person: Dialogue = dialogue("en")
    assert "Course on society (MO)" in await person.starts("offers-mo")


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "__",
        "nothing-of-ours",
        "book-",
        "book-pottery",
        "offers-",
        "offers-pottery",
        "mo ",
        "school find",
        "school/school-find",
        "../school",
        "école",
        "school" * 11,
        "\x00",
        "__xx",
    ],
)
async def test_nothing_and_what_is_unknown_are_greeted(dialogue: OpenDialogue, payload: str) -> None:
    assert (await dialogue("en").starts(payload)).startswith(GREETING)


@pytest.mark.parametrize("payload", ["__uk", "school__uk", "contact__uk", "book-school__uk", "offers-mo__uk"])
async def test_a_language_in_it_is_spoken_at_once_and_kept(dialogue: OpenDialogue, payload: str) -> None:
    person: Dialogue = dialogue("fr")
    await person.starts(payload)
    assert person.language == "uk"
    await person.starts()
    assert person.language == "uk"
    assert person.text.startswith("Вітаю!")


async def test_a_language_in_it_takes_the_place_of_one_chosen_before(dialogue: OpenDialogue) -> None:
    person: Dialogue = dialogue("en")
    await person.starts("__uk")
    await person.starts("school__prs")
    assert person.language == "prs"
    await person.starts("school")
    assert person.language == "prs"


async def test_a_language_that_is_none_of_ours_leaves_the_one_that_was_chosen(dialogue: OpenDialogue) -> None:
    person: Dialogue = dialogue("en")
    await person.starts("__uk")
    await person.starts("school__de")
    assert person.language == "uk"
    assert not person.text.startswith("Вітаю!")


async def test_whose_language_is_not_known_can_choose_one_wherever_they_begin(dialogue: OpenDialogue) -> None:
    for payload in ("school", "contact", "book-school", "offers-mo"):
        assert "🌐 Language" in await _labels(dialogue("de"), payload)
    assert "🌐 Language" not in await _labels(dialogue("en"), "school")
    assert "🌐 Language" not in await _labels(dialogue("de"), "school__en")


async def _labels(person: Dialogue, payload: str) -> list[str]:
    await person.starts(payload)
    return person.labels


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        ("/start school-find__uk", "uk"),
        ("/start  school__uk ", "uk"),
        ("/START@wegwijs_bot __uk", "uk"),
        ("/start\nschool__uk", "uk"),
        ("/start", "en"),
        ("/start __uk and more", "en"),
        ("/startschool__uk", "en"),
    ],
)
async def test_telegram_hands_the_payload_over(answer: Respond, words: str, begins: str) -> None:
    async with open_fake_telegram() as telegram, open_bot(TOKEN, telegram.url) as bot:
        receiver = Receiver(bot, answer)
        for text in (words, "/language"):
            telegram.say(text, language="en")
            await receiver.receive(Update.de_json(telegram.updates.pop(), bot))
        spoken = "Choose your language." if begins == "en" else "Виберіть мову."
        assert telegram.messages[-1].text == spoken
