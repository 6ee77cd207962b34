"""What is kept about a person: told, given and deleted."""

import datetime
import json

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.conversation import Respond
from bot.languages import LANGUAGES
from bot.scheduling import Slot
from bot.storage import bookings, retention
from bot.storage.bookings import Booked
from bot.storage.schema import metadata
from bot.texts import Texts
from tests.conftest import NOW, OpenDialogue
from tests.dialogue import Dialogue

_NO_PERSON = {"slots", "closures", "feedback", "tallies", "unanswered", "staff", "sign_ins", "sessions",
              "feeds", "staff_log", "messages"}  # fmt: skip
START = datetime.datetime(2026, 11, 25, 12, 30, tzinfo=datetime.UTC)
SLOT = Slot(START, START + datetime.timedelta(minutes=30), "school", 4)


@pytest.mark.parametrize("code", list(LANGUAGES))
async def test_what_is_kept_is_told_in_every_language(dialogue: OpenDialogue, catalogues: Texts, code: str) -> None:
    person = dialogue(code)
    said = await person.commands("privacy")
    assert catalogues.text("Your appointments: until 30 days after the day itself.", code) in said
    assert len(person.labels) == 3


def test_what_is_told_is_what_is_done() -> None:
    assert datetime.timedelta(days=365) == retention.PEOPLE
    assert datetime.timedelta(days=30) == retention.BOOKINGS
    assert datetime.timedelta(days=30) == retention.CONVERSATIONS
    assert datetime.timedelta(days=180) == retention.SUBSCRIPTIONS
    assert datetime.timedelta(days=90) == retention.UNANSWERED


async def _lives(person: Dialogue, database: AsyncEngine) -> None:
    """Leave something of every kind."""
    await person.presses_data("cl:en")
    await person.presses_data("ow:en:m.lti")
    await person.presses_data("tp:en")
    await person.says("My secret question")
    async with storage.begin(database) as connection:
        asked = bookings.Asked("test", person.speaker.chat, "en")
        assert isinstance(await bookings.book(connection, SLOT, asked, NOW), Booked)
    await person.presses_data("jw:en:school:1:-:20261202")


async def _tables_with(database: AsyncEngine, chat: str) -> set[str]:
    async with storage.begin(database) as connection:
        return {
            table.name
            for table in metadata.sorted_tables
            if "chat" in table.c and (await connection.execute(select(table).where(table.c.chat == chat))).first()
        }


async def test_everything_is_given_as_a_file(dialogue: OpenDialogue, database: AsyncEngine) -> None:
    person, other = dialogue("en"), dialogue("en")
    await _lives(person, database)
    await other.presses_data("tp:en")
    await other.says("Somebody else's words")
    await person.presses_data("pd:en")
    document = person.replies[0].document
    assert document
    found = json.loads(document.content)
    assert {"language", "appointments", "subscriptions", "conversations", "messages"} <= set(found)
    assert found["messages"][0]["text"] == "My secret question"
    assert "Somebody else" not in document.content.decode()


async def test_everything_is_deleted_at_once_and_places_come_free(
    dialogue: OpenDialogue, database: AsyncEngine
) -> None:
    person, other = dialogue("en"), dialogue("en")
    for each in (person, other):
        await _lives(each, database)
    assert "cancelled as well" in await person.presses_data("px:en")
    assert "is deleted" in await person.presses("Yes, delete everything")
    assert await _tables_with(database, person.speaker.chat) == set()
    assert await _tables_with(database, other.speaker.chat) >= {"people", "bookings", "conversations", "subscriptions"}
    async with storage.begin(database) as connection:
        taken = await bookings.taken(connection, "school", START, START + datetime.timedelta(hours=1))
        messages = metadata.tables["messages"]
        texts = (await connection.execute(select(messages.c.text))).scalars().all()
    assert (taken, len(texts)) == ({START: 1}, 1)
    await person.presses_data("pd:en")
    assert person.text == "We keep nothing about you."


def test_every_table_about_a_person_is_known_to_deleting() -> None:
    about_a_person = {table.name for table in metadata.sorted_tables if "chat" in table.c}
    assert about_a_person == {"people", "bookings", "waiting", "subscriptions", "conversations", "outbox", "handled"}
    assert {table.name for table in metadata.sorted_tables} == about_a_person | _NO_PERSON


async def test_a_stranger_deletes_only_themselves(answer: Respond, database: AsyncEngine) -> None:
    person, stranger = Dialogue(answer, "en"), Dialogue(answer, "en")
    await _lives(person, database)
    await stranger.presses_data("py:en")
    assert "bookings" in await _tables_with(database, person.speaker.chat)


async def test_who_asks_in_words_to_delete_everything_finds_the_button(dialogue: OpenDialogue) -> None:
    person = dialogue("en")
    await person.says("please delete all my data")
    await person.presses("🔒")
    assert any("Delete everything" in label for label in person.labels)
