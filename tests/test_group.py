"""A newcomer and staff, through the staff's group in Telegram: dialogues over the fake Bot API on a real database."""

import datetime
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from telegram import Bot, Update

from bot import storage
from bot.conversation import GroupMessage, GroupPress, Respond
from bot.delivery import Delivery
from bot.handover import SENTENCES, StaffGroup, sentence
from bot.knowledge import Holder
from bot.languages import SOURCE
from bot.storage import staff, talks
from bot.telegram import CHANNEL, Group, Receiver, open_bot, push
from bot.texts import Texts
from bot.understanding import Understanding
from tests import fake_telegram
from tests.conftest import Clock
from tests.fake_telegram import TOKEN, FakeTelegram, Fields, Message, open_fake_telegram

GROUP = -1001
NEWCOMER = 7
ANN = 4321
CLOSE = "Gesprek afsluiten"
START, END = "tp:", "te:"  # the newcomer's buttons


@dataclass(frozen=True)
class Handler:
    """The staff's side, and which group it listens to."""

    staff: StaffGroup
    group_id: int = GROUP

    async def handle(self, event: GroupMessage | GroupPress, key: str) -> str | None:
        return await self.staff.handle(event, key)


@dataclass
class Desk:
    """Newcomers, the bot, and the staff's group."""

    telegram: FakeTelegram
    group: fake_telegram.Group
    bot: Bot
    database: AsyncEngine
    holder: Holder[Understanding]
    texts: Texts
    clock: Clock
    answer: Respond

    def start(self) -> None:
        """Start the bot, or start it again: nothing is remembered but what the database holds."""
        side = StaffGroup(self.database, self.holder, self.texts, self.clock)
        side.client = Group(self.bot, GROUP)
        self.receiver = Receiver(self.bot, self.answer, Handler(side))
        pushes = {CHANNEL: push(self.bot)}
        self.delivery = Delivery(self.database, self.holder, self.texts, self.clock, pushes, group=side)

    async def receive(self, update: Fields) -> None:
        """Let the bot handle an update, and send what it put in the outbox."""
        await self.receiver.receive(Update.de_json(update, self.bot))
        await self.deliver()

    async def deliver(self) -> None:
        self.clock.now += datetime.timedelta(seconds=5)
        while await self.delivery.send_due():
            self.clock.now += datetime.timedelta(seconds=5)

    async def say(self, text: str, language: str = "en") -> None:
        await self.receive(self.telegram.say(text, NEWCOMER, language))

    async def press(self, tag: str, language: str = "en") -> None:
        """The newcomer presses the newest button whose step has this tag."""
        shown, data = next(
            (message, data) for message in reversed(self.heard) for data in _data(message) if data.startswith(tag)
        )
        await self.receive(self.telegram.press_data(shown, data, language))

    async def ask_for_a_person(self, text: str = "Who can help me?", language: str = "en") -> Message:
        """Open a conversation with a first question; gives it as it stands in the group."""
        await self.say("/person", language)
        await self.press(START, language)
        await self.say(text, language)
        return self.posted[-1]

    async def write(self, text: str, under: Message) -> Fields:
        """Ann writes in the topic of a message, or as a reply to it where there are no topics."""
        reply_to = None if under.topic else under.number
        update = self.telegram.write(text, self.group, ANN, under.topic, reply_to)
        await self.receive(update)
        return update

    @property
    def heard(self) -> list[Message]:
        return [message for message in self.telegram.messages if message.chat == NEWCOMER]

    @property
    def posted(self) -> list[Message]:
        return [message for message in self.telegram.messages if message.chat == GROUP]

    async def talk(self, number: int) -> talks.Talk:
        async with storage.begin(self.database) as connection:
            talk = await talks.get(connection, number)
        assert talk
        return talk


def _data(message: Message) -> list[str]:
    return [str(button.get("callback_data", "")) for row in message.keyboard for button in row]


def _number(post: Message) -> int:
    """Of which conversation a first post is."""
    return int(post.data(CLOSE).removeprefix("gc:"))


@pytest.fixture(params=[True, False], ids=["topics", "replies"])
async def desk(
    request: pytest.FixtureRequest,
    database: AsyncEngine,
    understanding: Understanding,
    catalogues: Texts,
    clock: Clock,
    answer: Respond,
) -> AsyncIterator[Desk]:
    async with open_fake_telegram() as fake, open_bot(TOKEN, fake.url) as bot:
        group = fake.open_group(GROUP, forum=request.param)
        opened = Desk(fake, group, bot, database, Holder(understanding), catalogues, clock, answer)
        opened.start()
        yield opened


async def test_a_question_comes_to_staff_and_their_answer_goes_back(desk: Desk) -> None:
    asked = await desk.ask_for_a_person("My son is 6. Who can help me?")
    assert asked.text.endswith("My son is 6. Who can help me?")
    await desk.write("Hello! I can. *Come* on Monday.", asked)
    assert "A person at Amal writes:" in desk.heard[-1].text
    assert "Hello! I can. *Come* on Monday." in desk.heard[-1].text
    silent_at = len(desk.heard)
    await desk.say("Thank you! Where is a school?")
    assert len(desk.heard) == silent_at  # the bot is silent: a person answers
    assert desk.posted[-1].text.endswith("Thank you! Where is a school?")
    assert desk.posted[-1].topic == asked.topic
    assert [name for name in desk.telegram.refusals if "forum" not in name] == []


async def test_each_conversation_stands_by_itself(desk: Desk) -> None:
    asked = await desk.ask_for_a_person("Who can help me?")
    other = desk.telegram.say("/person", 8)
    await desk.receive(other)
    shown = desk.telegram.messages[-1]
    start = next(data for data in _data(shown) if data.startswith(START))
    await desk.receive(desk.telegram.press_data(shown, start))
    await desk.receive(desk.telegram.say("I am somebody else", 8))
    heard = len(desk.heard)
    await desk.write("For the second one.", desk.posted[-1])
    assert len(desk.heard) == heard
    assert "For the second one." in desk.telegram.messages[-1].text
    assert desk.telegram.messages[-1].chat == 8
    await desk.write("For the first one.", asked)
    assert "For the first one." in desk.heard[-1].text


async def test_staff_pick_a_sentence_that_the_newcomer_reads_in_their_language(desk: Desk) -> None:
    asked = await desk.ask_for_a_person("Хто може мені допомогти?", "uk")
    facts = desk.holder.current.snapshot.facts
    dutch = [sentence(desk.texts, number, SOURCE, facts) for number in range(len(SENTENCES))]
    assert asked.labels == [*dutch, CLOSE]
    await desk.receive(desk.telegram.press_in_group(asked, dutch[1], ANN))
    assert sentence(desk.texts, 1, "uk", facts) in desk.heard[-1].text
    assert desk.telegram.unanswered == []


async def test_what_was_picked_stands_in_the_group_for_colleagues(desk: Desk) -> None:
    async with storage.begin(desk.database) as connection:
        await staff.add(connection, "Ann", "desk", str(ANN), desk.clock())
    asked = await desk.ask_for_a_person()
    await desk.receive(desk.telegram.press_in_group(asked, asked.labels[1], ANN))
    heading, words = desk.posted[-1].text.split("\n", 1)
    assert heading.endswith("Ann")
    assert words
    assert desk.posted[-1].topic == asked.topic


@pytest.mark.parametrize("how", ["/close", "button"])
async def test_staff_end_a_conversation_and_the_bot_answers_again(desk: Desk, how: str) -> None:
    asked = await desk.ask_for_a_person()
    if how == "/close":
        await desk.write("/close", asked)
    else:
        await desk.receive(desk.telegram.press_in_group(asked, CLOSE, ANN))
    assert "The conversation with the person is over." in desk.heard[-1].text
    posted = len(desk.posted)
    await desk.say("where is Amal?")
    assert "Kongostraat" in desk.heard[-1].text
    assert len(desk.posted) == posted
    assert all(topic.closed for topic in desk.group.topics.values())


async def test_the_newcomer_ends_a_conversation(desk: Desk) -> None:
    asked = await desk.ask_for_a_person()
    await desk.press(END)
    assert "The conversation with the person is over." in desk.heard[-1].text
    assert (await desk.talk(_number(asked))).closed_at
    assert all(topic.closed for topic in desk.group.topics.values())


async def test_what_staff_write_after_the_end_is_not_passed_on_and_they_are_told(desk: Desk) -> None:
    asked = await desk.ask_for_a_person()
    await desk.press(END)
    heard = len(desk.heard)
    update = await desk.write("Are you there?", asked)
    assert len(desk.heard) == heard
    assert "Dit gesprek is afgesloten." in desk.posted[-1].text
    assert desk.posted[-1].reply_to == update["message"]["message_id"]


async def test_what_staff_write_comes_once_when_telegram_brings_it_twice(desk: Desk) -> None:
    asked = await desk.ask_for_a_person()
    update = await desk.write("Hello!", asked)
    heard = len(desk.heard)
    await desk.receive(update)
    assert len(desk.heard) == heard


async def test_a_conversation_goes_on_after_a_restart(desk: Desk) -> None:
    asked = await desk.ask_for_a_person()
    desk.start()
    await desk.write("We are back.", asked)
    assert "We are back." in desk.heard[-1].text
    desk.start()
    await desk.say("Good!")
    assert desk.posted[-1].text.endswith("Good!")
    assert desk.posted[-1].topic == asked.topic


async def test_staff_can_see_that_the_newcomer_blocked_the_bot(desk: Desk) -> None:
    asked = await desk.ask_for_a_person()
    assert (await desk.talk(_number(asked))).reached
    desk.telegram.blocked.add(NEWCOMER)
    await desk.write("Hello!", asked)
    assert not (await desk.talk(_number(asked))).reached


async def test_a_topic_that_staff_deleted_is_made_again_for_the_next_words(desk: Desk) -> None:
    asked = await desk.ask_for_a_person()
    if asked.topic is None:
        pytest.skip("there are no topics")
    desk.group.delete(asked.topic)
    await desk.say("Is somebody there?")
    again = desk.posted[-1]
    assert (again.text, list(desk.group.topics)) == ("Is somebody there?", [again.topic])
    await desk.write("Yes, I am.", again)
    assert "Yes, I am." in desk.heard[-1].text


async def test_staff_who_talk_to_each_other_are_left_alone(desk: Desk) -> None:
    await desk.ask_for_a_person()
    heard, posted = len(desk.heard), len(desk.posted)
    coffee = desk.telegram.write("Who has coffee?", desk.group, ANN)
    await desk.receive(coffee)
    assert (len(desk.heard), len(desk.posted)) == (heard, posted)
    await desk.receive(desk.telegram.write("I do.", desk.group, 52, reply_to=coffee["message"]["message_id"]))
    assert (len(desk.heard), len(desk.posted)) == (heard, posted)


async def test_a_picture_of_staff_is_not_passed_on_and_they_are_told(desk: Desk) -> None:
    asked = await desk.ask_for_a_person()
    heard, posted = len(desk.heard), len(desk.posted)
    picture = {"photo": [{"file_id": "1", "file_unique_id": "1", "width": 1, "height": 1}], "caption": "look"}
    reply_to = None if asked.topic else asked.number
    await desk.receive(desk.telegram.share(picture, desk.group, ANN, asked.topic, reply_to))
    assert (len(desk.heard), len(desk.posted)) == (heard, posted + 1)
