"""A newcomer and a person at Amal: dialogues through the core, with what staff write put in as the console does."""

import datetime
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.conversation import GroupMessage, GroupPost, GroupPress, Later, Posted, Reply, Respond, Sent, Unreachable
from bot.delivery import Delivery
from bot.handover import SENTENCES, StaffGroup, sentence
from bot.knowledge import Holder
from bot.languages import LANGUAGES
from bot.scheduling import Hours, Moment
from bot.storage import retention, talks, unanswered
from bot.storage.talks import Talk, Words
from bot.texts import Texts
from bot.understanding import Understanding
from tests.conftest import Clock, OpenDialogue
from tests.dialogue import Dialogue


class Post:
    """Takes what is pushed to newcomers."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, Reply]] = []
        self.blocked = False

    async def push(self, chat: str, replies: Sequence[Reply]) -> Sent | Unreachable:
        if self.blocked:
            return Unreachable()
        self.arrived += [(chat, reply) for reply in replies]
        return Sent()


class Room:
    """The staff's group, as far as the conversation cares."""

    def __init__(self, *, topics: bool) -> None:
        self.topics = topics
        self.posts: list[GroupPost] = []
        self.closed: list[int] = []
        self.deleted: list[int] = []
        self.busy = 0

    async def post(self, post: GroupPost, opened: Callable[[int], Awaitable[None]]) -> Posted | Later | Unreachable:
        if self.busy:
            self.busy -= 1
            return Later(1)
        self.posts.append(post)
        topic = (post.topic or 700 + post.conversation) if self.topics else None
        if topic is not None and post.topic is None:
            await opened(topic)
        return Posted(topic, 9000 + len(self.posts))

    async def close_topic(self, topic: int) -> None:
        self.closed.append(topic)

    async def delete_topic(self, topic: int) -> None:
        self.deleted.append(topic)


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture(params=[True, False], ids=["topics", "replies"])
def room(request: pytest.FixtureRequest) -> Room:
    return Room(topics=request.param)


@pytest.fixture
def group(
    database: AsyncEngine, understanding: Understanding, catalogues: Texts, clock: Clock, room: Room
) -> StaffGroup:
    made = StaffGroup(database, Holder(understanding), catalogues, clock)
    made.client = room
    return made


@pytest.fixture
def delivery(
    database: AsyncEngine, understanding: Understanding, catalogues: Texts, clock: Clock, post: Post, group: StaffGroup
) -> Delivery:
    async def no_wait(_seconds: float) -> None: ...

    return Delivery(database, Holder(understanding), catalogues, clock, {"test": post.push}, no_wait, group=group)


async def _deliver(delivery: Delivery, clock: Clock) -> None:
    while await delivery.send_due():
        clock.now += datetime.timedelta(seconds=2)


async def _opens(person: Dialogue, texts: Texts) -> None:
    await person.commands("person")
    await person.presses(texts.text("Write to a person here", person.language))


async def _talk(database: AsyncEngine, person: Dialogue) -> Talk:
    async with storage.begin(database) as connection:
        talk = await talks.current(connection, "test", person.speaker.chat)
    assert talk
    return talk


async def _staff_says(database: AsyncEngine, talk: Talk, text: str, now: datetime.datetime) -> None:
    async with storage.begin(database) as connection:
        await talks.from_staff(connection, talk, Words("Noor", text), now)


@pytest.mark.parametrize("code", ["nl", "uk", "ar", "tr"])
async def test_words_go_to_staff_and_back_while_the_bot_is_silent(
    dialogue: OpenDialogue, database: AsyncEngine, catalogues: Texts, delivery: Delivery, clock: Clock, post: Post,
    room: Room, code: str,
) -> None:  # fmt: skip
    person = dialogue(code)
    await _opens(person, catalogues)
    assert catalogues.text("End the conversation", code) in person.labels[0]
    said = await person.says("Ik heb een vraag over mijn brief van Amal")
    assert catalogues.text("I have passed it on.", code) in said
    assert await person.says("Wat moet ik doen?") == "", "a person answers now"
    await _deliver(delivery, clock)
    assert [(each.who, each.text, each.language) for each in room.posts] == [
        ("", "Ik heb een vraag over mijn brief van Amal", code),
        ("", "Wat moet ik doen?", code),
    ]
    assert len(room.posts[0].sentences) == len(SENTENCES)
    assert room.posts[1].sentences == ()
    await _staff_says(database, await _talk(database, person), "Kom *morgen* naar Amal", clock.now)
    await _deliver(delivery, clock)
    ((chat, reply),) = post.arrived
    assert (chat, reply.language.code) == (person.speaker.chat, code)
    assert catalogues.text("A person at Amal writes:", code) in reply.text
    assert r"Kom \*morgen\* naar Amal" in reply.text, "what staff write is shown as they wrote it"
    await person.presses_data(f"te:{code}")
    assert (
        catalogues.text("The conversation with the person is over. I answer your questions again.", code) in person.text
    )
    assert await person.says("Hoeveel kost het inburgeringstraject?") != ""


async def test_staff_answer_in_the_group_and_close_it_there(
    dialogue: OpenDialogue, database: AsyncEngine, catalogues: Texts, delivery: Delivery, clock: Clock, post: Post,
    room: Room, group: StaffGroup,
) -> None:  # fmt: skip
    person = dialogue("uk")
    await _opens(person, catalogues)
    await person.says("Питання про школу")
    await _deliver(delivery, clock)
    talk = await _talk(database, person)
    topic, reply_to = (talk.topic, None) if room.topics else (None, 9001)
    answer = GroupMessage(topic, reply_to, "Goed, ik kijk.", 9100, "555001234")
    assert await group.handle(answer, "telegram:1") is None
    assert await group.handle(answer, "telegram:1") is None, "an update that comes twice"
    assert await group.handle(GroupPress(f"gs:{talk.id}:1", "555001234"), "telegram:2") == "✓"
    await _deliver(delivery, clock)
    texts = [reply.text for _, reply in post.arrived]
    assert len(texts) == 2
    assert "Goed, ik kijk\\." in texts[0]
    assert "1234" not in "".join(texts), "who answered is not told to newcomers"
    assert await group.handle(GroupMessage(topic, reply_to, "/close", 9101, "555001234"), "telegram:3")
    await _deliver(delivery, clock)
    over = "The conversation with the person is over. I answer your questions again."
    assert catalogues.text(over, "uk") in post.arrived[-1][1].text
    assert room.closed == ([talk.topic] if room.topics else [])
    assert "afgesloten" in (await group.handle(replace(answer, message=9102), "telegram:4") or "")


async def test_what_belongs_to_no_conversation_or_is_forged_is_told_to_staff(group: StaffGroup) -> None:
    events = (
        GroupPress("gs:999:1", "5"),
        GroupPress("gs:x:1", "5"),
        GroupPress("zz", "5"),
        GroupPress("gs:99999999999999:1", "5"),
    )
    for number, event in enumerate(events):
        assert "geen gesprek" in (await group.handle(event, f"telegram:{number}") or "")
    assert await group.handle(GroupMessage(1, None, "x", 1, "5"), "telegram:8") is None, "colleagues among themselves"


async def test_a_forged_sentence_is_refused(
    dialogue: OpenDialogue, database: AsyncEngine, catalogues: Texts, group: StaffGroup
) -> None:
    person = dialogue("en")
    await _opens(person, catalogues)
    talk = await _talk(database, person)
    for data in (f"gs:{talk.id}:99", f"gs:{talk.id}:-1", f"zz:{talk.id}:1", f"gs:{talk.id}:"):
        assert "knop" in (await group.handle(GroupPress(data, "5"), f"key:{data}") or "")


async def test_help_lines_do_not_wait_for_a_person(dialogue: OpenDialogue, catalogues: Texts) -> None:
    person = dialogue("en")
    await _opens(person, catalogues)
    assert "112" in await person.says("My husband hits me and I am afraid, he has a knife")


async def test_staff_see_that_somebody_blocked_the_bot(
    dialogue: OpenDialogue, database: AsyncEngine, catalogues: Texts, delivery: Delivery, clock: Clock, post: Post
) -> None:
    person = dialogue("en")
    await _opens(person, catalogues)
    await _staff_says(database, await _talk(database, person), "Hello", clock.now)
    post.blocked = True
    await _deliver(delivery, clock)
    assert (await _talk(database, person)).reached is False
    post.blocked = False
    await _staff_says(database, await _talk(database, person), "Hello again", clock.now)
    await _deliver(delivery, clock)
    assert (await _talk(database, person)).reached is True


async def test_a_busy_group_gets_it_later_and_once(
    dialogue: OpenDialogue, catalogues: Texts, delivery: Delivery, clock: Clock, room: Room
) -> None:
    room.busy = 1
    person = dialogue("en")
    await _opens(person, catalogues)
    await person.says("One question")
    await delivery.send_due()
    assert room.posts == []
    clock.now += datetime.timedelta(seconds=5)
    await _deliver(delivery, clock)
    assert [each.text for each in room.posts] == ["One question"]


async def test_something_without_words_is_not_passed_on(dialogue: OpenDialogue, catalogues: Texts) -> None:
    person = dialogue("fr")
    await _opens(person, catalogues)
    said = await person.sends_something_without_words()
    assert said == catalogues.text("I can only pass on words. Please write your question in words.", "fr")


async def test_opening_twice_is_one_conversation_and_somebody_else_has_their_own(
    dialogue: OpenDialogue, database: AsyncEngine, catalogues: Texts
) -> None:
    person, other = dialogue("en"), dialogue("en")
    for each in (person, person, other):
        await _opens(each, catalogues)
    async with storage.begin(database) as connection:
        assert len(await talks.listed(connection)) == 2
    await other.presses_data("te:en")
    assert (await _talk(database, person)).closed_at is None


async def test_a_conversation_goes_thirty_days_after_its_end_and_a_forgotten_one_too(
    dialogue: OpenDialogue, database: AsyncEngine, catalogues: Texts, clock: Clock, answer: Respond
) -> None:
    closed, forgotten = dialogue("en"), dialogue("en")
    for person in (closed, forgotten):
        await _opens(person, catalogues)
        await person.says("A question")
    await closed.presses_data("te:en")
    async with storage.begin(database) as connection:
        later = clock.now + retention.CONVERSATIONS + datetime.timedelta(seconds=1)
        await retention.delete_expired(connection, later)
        assert (await talks.listed(connection, closed=True), len(await talks.listed(connection))) == ([], 1)
        await retention.delete_expired(connection, later + retention.CONVERSATIONS)
        assert await talks.listed(connection) == []


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_every_ready_made_sentence_is_there_in_every_language(
    understanding: Understanding, catalogues: Texts, code: str
) -> None:
    for number, english in enumerate(SENTENCES):
        said = sentence(catalogues, number, code, understanding.snapshot.facts)
        assert "{" not in said
        assert code == "en" or said != english


# The hours of the desk

HOURS = Hours((Moment(0, datetime.time(9), datetime.time(12), 0, 0),), frozenset({datetime.date(2026, 11, 30)}))


@pytest.mark.parametrize(
    ("now", "is_open", "next_"),
    [
        ("2026-11-23T08:30+00:00", True, "2026-12-07T08:00+00:00"),
        ("2026-11-23T07:59+00:00", False, "2026-11-23T08:00+00:00"),
        ("2026-11-23T11:00+00:00", False, "2026-12-07T08:00+00:00"),
        ("2026-11-30T08:30+00:00", False, "2026-12-07T08:00+00:00"),
    ],
)
def test_the_desk_is_open_on_the_clock_of_brussels(now: str, is_open: bool, next_: str) -> None:
    at = datetime.datetime.fromisoformat(now)
    assert HOURS.is_open(at) is is_open
    assert HOURS.opens_next(at) == datetime.datetime.fromisoformat(next_)


# What nobody could answer


async def test_what_nobody_could_answer_is_kept_without_who(dialogue: OpenDialogue, database: AsyncEngine) -> None:
    person = dialogue("en")
    await person.says("Where do I renew my fishing permit for the river, mail me at ali@example.com or 0471 12 34 56")
    async with storage.begin(database) as connection:
        (kept,) = await unanswered.still_open(connection)
    assert kept.text == "Where do I renew my fishing permit for the river, mail me at … or …"


async def test_who_comes_back_to_a_conversation_is_told_that_a_person_listens(
    dialogue: OpenDialogue, catalogues: Texts, clock: Clock
) -> None:
    person = dialogue("en")
    await _opens(person, catalogues)
    assert "I have passed it on." in await person.says("How do I enrol my child?")
    assert await person.says("He is five.") == ""
    clock.now += datetime.timedelta(hours=2)
    assert "I have passed it on." in await person.says("Is anybody there?"), "after so long nobody remembers"
    assert "What you write now goes to a person at Amal" in await person.starts()
    assert "✕ End the conversation" in person.labels


async def test_a_process_without_the_group_leaves_what_was_written_to_one_that_has_it(
    dialogue: OpenDialogue, catalogues: Texts, clock: Clock, delivery: Delivery, group: StaffGroup, room: Room
) -> None:
    person = dialogue("en")
    await _opens(person, catalogues)
    await person.says("How do I enrol my child?")
    alone = replace(delivery, group=None)
    await alone.send_due()
    assert room.posts == []
    await _deliver(delivery, clock)
    assert [post.text for post in room.posts] == ["How do I enrol my child?"]
