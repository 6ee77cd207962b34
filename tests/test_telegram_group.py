"""The staff's group in Telegram: topics and replies, what staff write and press there, over the fake Bot API."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from telegram import Bot, ReplyParameters
from telegram.error import BadRequest

from bot.conversation import GroupMessage, GroupPost, GroupPress, Later, Posted, Respond, Unreachable
from bot.languages import LANGUAGES
from bot.storage import Unavailable
from bot.telegram import Group as StaffGroup
from bot.telegram import Receiver, add_webhook
from bot.telegram.receive import SECRET_HEADER
from tests.fake_telegram import ANONYMOUS, FakeTelegram, Fields, Group, Refused, too_many

SECRET = "a-secret"
SENTENCES = ("Hallo, ik werk bij Amal.", "Een ogenblik, alstublieft.")
FIRST = GroupPost(12, "uk", None, "", "Де школа?", SENTENCES)

Post = Callable[..., Awaitable[int]]


@dataclass
class Handler:
    """Keeps what staff did, once for each key; `answer` is what it says back, or the fault that it meets."""

    group_id: int
    answer: str | Exception | None = None
    events: list[GroupMessage | GroupPress] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    async def handle(self, event: GroupMessage | GroupPress, key: str) -> str | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        if key in self.keys:
            return None
        self.keys.add(key)
        self.events.append(event)
        return self.answer


@pytest.fixture(params=[True, False], ids=["topics", "no topics"])
def any_group(telegram: FakeTelegram, request: pytest.FixtureRequest) -> Group:
    return telegram.open_group(forum=request.param)


@pytest.fixture
def forum(telegram: FakeTelegram) -> Group:
    return telegram.open_group()


@pytest.fixture
def plain(telegram: FakeTelegram) -> Group:
    return telegram.open_group(forum=False)


@pytest.fixture
def handler() -> Handler:
    return Handler(-1001)


@pytest.fixture
async def post(bot: Bot, handler: Handler) -> AsyncIterator[Post]:
    """Deliver an update to the webhook; gives the HTTP status."""

    async def silent(_event: object) -> tuple[()]:
        raise AssertionError("the conversation with newcomers has no part in this")

    app = web.Application()
    add_webhook(app, Receiver(bot, silent, handler), "https://wegwijs.example/telegram", SECRET)
    async with TestClient(TestServer(app)) as client:

        async def deliver(update: object) -> int:
            response = await client.post("/telegram", json=update, headers={SECRET_HEADER: SECRET})
            return response.status

        yield deliver


async def _posted(bot: Bot, group: Group, post: GroupPost = FIRST) -> Posted:
    posted = await StaffGroup(bot, group.number).post(post)
    assert isinstance(posted, Posted)
    return posted


# Into the group


async def test_the_first_post_makes_a_topic_with_the_language_in_its_name(
    telegram: FakeTelegram, bot: Bot, forum: Group
) -> None:
    posted = await _posted(bot, forum)
    [message] = telegram.messages
    [(topic, made)] = forum.topics.items()
    assert posted == Posted(topic, message.number)
    assert made.name == f"#12 {LANGUAGES['uk'].name} (uk)"
    assert (message.text, message.topic, message.entities) == ("Де школа?", topic, [])
    assert telegram.refusals == []


async def test_the_first_post_carries_the_sentences_and_the_way_to_close(
    telegram: FakeTelegram, bot: Bot, any_group: Group
) -> None:
    await _posted(bot, any_group)
    [message] = telegram.messages
    assert message.labels == [*SENTENCES, "Gesprek afsluiten"]
    assert [button["callback_data"] for [button] in message.keyboard] == ["gs:12:0", "gs:12:1", "gc:12"]


async def test_a_later_post_comes_into_the_same_topic_without_buttons(
    telegram: FakeTelegram, bot: Bot, forum: Group
) -> None:
    first = await _posted(bot, forum)
    second = await _posted(bot, forum, GroupPost(12, "uk", first.topic, "", "Дякую"))
    assert len(forum.topics) == 1
    assert second == Posted(first.topic, telegram.messages[-1].number)
    assert (telegram.messages[-1].topic, telegram.messages[-1].keyboard) == (first.topic, [])


async def test_two_conversations_have_two_topics(bot: Bot, forum: Group) -> None:
    first, second = await _posted(bot, forum), await _posted(bot, forum, replace(FIRST, conversation=13, language="ar"))
    assert first.topic != second.topic
    assert [topic.name for topic in forum.topics.values()] == ["#12 Українська (uk)", "#13 العربية (ar)"]


@pytest.mark.parametrize(("forum", "may_manage"), [(False, True), (False, False), (True, False)])
async def test_without_topics_a_post_stands_in_the_group_with_its_number_on_top(
    telegram: FakeTelegram, bot: Bot, forum: bool, may_manage: bool
) -> None:
    group = telegram.open_group(forum=forum, may_manage=may_manage)
    posted = await _posted(bot, group)
    [message] = telegram.messages
    assert posted == Posted(None, message.number)
    assert (message.text, message.topic) == ("#12 uk\nДе школа?", None)
    assert message.entities == [{"type": "bold", "offset": 0, "length": 6}]


async def test_a_topic_that_was_deleted_is_made_again_with_its_buttons(
    telegram: FakeTelegram, bot: Bot, forum: Group
) -> None:
    first = await _posted(bot, forum)
    assert first.topic
    forum.delete(first.topic)
    again = await _posted(bot, forum, GroupPost(12, "uk", first.topic, "", "Дякую"))
    assert list(forum.topics) == [again.topic]
    assert telegram.messages[-1].topic == again.topic
    assert telegram.messages[-1].labels == ["Gesprek afsluiten"]


async def test_a_group_whose_topics_were_switched_off_goes_on_with_replies(
    telegram: FakeTelegram, bot: Bot, forum: Group
) -> None:
    first = await _posted(bot, forum)
    forum.forum = False
    assert await _posted(bot, forum, replace(FIRST, topic=first.topic)) == Posted(None, telegram.messages[-1].number)
    assert telegram.messages[-1].text.startswith("#12 uk\n")


async def test_a_topic_that_is_closed_to_the_bot_is_left_for_the_group_itself(
    telegram: FakeTelegram, bot: Bot, forum: Group
) -> None:
    first = await _posted(bot, forum)
    assert first.topic
    forum.topics[first.topic].closed, forum.may_manage = True, False
    assert (await _posted(bot, forum, replace(FIRST, topic=first.topic))).topic is None
    assert "Bad Request: TOPIC_CLOSED" in telegram.refusals


async def test_words_from_the_console_say_who_wrote_them(telegram: FakeTelegram, bot: Bot, any_group: Group) -> None:
    await _posted(bot, any_group, replace(FIRST, who="Ann *de* Vries 👩", text="Goeiedag"))
    [message] = telegram.messages
    heading, words = message.text.split("\n")
    assert (heading.removeprefix("#12 uk · "), words) == ("Ann *de* Vries 👩", "Goeiedag")
    assert message.entities == [{"type": "bold", "offset": 0, "length": len(heading.encode("utf-16-le")) // 2}]


@pytest.mark.parametrize("text", ["*vet* _x_ `y` [z](https://example.org)", "<b>& </b>", "#13 uk\nnietes", "/close"])
async def test_words_stand_in_the_group_as_they_were_written(
    telegram: FakeTelegram, bot: Bot, forum: Group, text: str
) -> None:
    await _posted(bot, forum, replace(FIRST, text=text))
    assert (telegram.messages[0].text, telegram.messages[0].entities) == (text, [])


async def test_words_of_nothing_but_space_still_arrive(telegram: FakeTelegram, bot: Bot, forum: Group) -> None:
    await _posted(bot, forum, replace(FIRST, text=" \n "))
    assert telegram.messages[0].text == "…"


@pytest.mark.parametrize(
    "text", ["слово " * 1500, "а" * 9000, "👩🏽‍🎓" * 2000, "een regel\n" * 900, "x" * 4096, "x" * 4090]
)
async def test_long_words_come_in_pieces_with_the_buttons_under_the_last(
    telegram: FakeTelegram, bot: Bot, any_group: Group, text: str
) -> None:
    posted = await _posted(bot, any_group, replace(FIRST, text=text))
    pieces = [message.text.removeprefix("#12 uk\n") for message in telegram.messages]
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert {message.topic for message in telegram.messages} == {posted.topic}
    assert [bool(message.keyboard) for message in telegram.messages] == [False] * (len(pieces) - 1) + [True]
    assert posted.message == telegram.messages[-1].number
    assert [entry for entry in telegram.refusals if "forum" not in entry] == []


async def test_pieces_end_where_a_word_ends(telegram: FakeTelegram, bot: Bot, forum: Group) -> None:
    await _posted(bot, forum, replace(FIRST, text="woorden " * 1000))
    assert all(set(message.text.split()) == {"woorden"} for message in telegram.messages)


async def test_a_piece_that_fails_does_not_bring_the_first_one_twice(
    telegram: FakeTelegram, bot: Bot, forum: Group
) -> None:
    first = await _posted(bot, forum)
    text = "woorden " * 1000

    async def fail_the_second() -> None:
        while len(telegram.messages) < 2:
            await asyncio.sleep(0)
        telegram.faults["sendMessage"] = [Refused(400, "Bad Request: something")]

    failing = asyncio.create_task(fail_the_second())
    posted = await _posted(bot, forum, GroupPost(12, "uk", first.topic, "", text))
    await failing
    assert posted.message == telegram.messages[1].number


@pytest.mark.parametrize("method", ["createForumTopic", "sendMessage"])
async def test_a_group_that_has_had_enough_is_left_alone_for_a_while(
    telegram: FakeTelegram, bot: Bot, forum: Group, method: str
) -> None:
    topic = None if method == "createForumTopic" else (await _posted(bot, forum)).topic
    telegram.faults[method] = [too_many(17)]
    assert await StaffGroup(bot, forum.number).post(replace(FIRST, topic=topic)) == Later(17)
    assert len(forum.topics) == (topic is not None)


async def test_a_first_post_that_has_to_wait_comes_into_the_topic_that_was_made_for_it(
    telegram: FakeTelegram, bot: Bot, forum: Group
) -> None:
    opened: list[int] = []

    async def remember(topic: int) -> None:
        opened.append(topic)

    telegram.faults["sendMessage"] = [too_many(40)]
    assert await StaffGroup(bot, forum.number).post(FIRST, remember) == Later(40)
    await _posted(bot, forum, replace(FIRST, topic=opened[0]))
    assert (list(forum.topics), len(telegram.messages)) == (opened, 1)


@pytest.mark.parametrize("text", ["Forbidden: bot was kicked from the supergroup chat", "Bad Request: chat not found"])
@pytest.mark.parametrize("method", ["createForumTopic", "sendMessage"])
async def test_a_group_without_the_bot_is_out_of_reach(
    telegram: FakeTelegram, bot: Bot, forum: Group, text: str, method: str
) -> None:
    telegram.faults[method] = [Refused(403 if text.startswith("F") else 400, text)]
    assert await StaffGroup(bot, forum.number).post(FIRST) == Unreachable()


async def test_what_we_got_wrong_is_raised(telegram: FakeTelegram, bot: Bot, forum: Group) -> None:
    telegram.faults["sendMessage"] = [Refused(400, "Bad Request: BUTTON_DATA_INVALID")]
    with pytest.raises(BadRequest):
        await StaffGroup(bot, forum.number).post(FIRST)


async def test_a_topic_is_closed(bot: Bot, forum: Group) -> None:
    posted = await _posted(bot, forum)
    assert posted.topic
    await StaffGroup(bot, forum.number).close_topic(posted.topic)
    assert forum.topics[posted.topic].closed


@pytest.mark.parametrize("why", ["closed", "deleted", "rights", "forum", "kicked"])
async def test_a_topic_that_cannot_be_closed_is_no_fault(
    telegram: FakeTelegram, bot: Bot, forum: Group, why: str
) -> None:
    topic = (await _posted(bot, forum)).topic
    assert topic
    forum.topics[topic].closed = why == "closed"
    forum.may_manage, forum.forum = why != "rights", why != "forum"
    if why == "deleted":
        forum.delete(topic)
    if why == "kicked":
        telegram.blocked.add(forum.number)
    await StaffGroup(bot, forum.number).close_topic(topic)
    assert len(telegram.refusals) == 1


# Out of the group


async def test_what_staff_write_in_a_topic_reaches_the_handler(
    telegram: FakeTelegram, bot: Bot, forum: Group, handler: Handler, post: Post
) -> None:
    topic = (await _posted(bot, forum)).topic
    update = telegram.write("Goeiedag!", forum, 4321, topic)
    assert await post(update) == 200
    assert handler.events == [GroupMessage(topic, None, "Goeiedag!", update["message"]["message_id"], "4321")]
    assert handler.keys == {f"telegram:{update['update_id']}"}
    assert len(telegram.messages) == 1


async def test_a_reply_within_a_topic_says_to_which_message(
    telegram: FakeTelegram, bot: Bot, forum: Group, handler: Handler, post: Post
) -> None:
    posted = await _posted(bot, forum)
    await post(telegram.write("Goeiedag!", forum, reply_to=posted.message))
    [event] = handler.events
    assert isinstance(event, GroupMessage)
    assert (event.topic, event.reply_to) == (posted.topic, posted.message)


async def test_a_reply_in_a_group_without_topics_is_in_no_topic(
    telegram: FakeTelegram, bot: Bot, plain: Group, handler: Handler, post: Post
) -> None:
    posted = await _posted(bot, plain)
    update = telegram.write("Goeiedag!", plain, 4321, reply_to=posted.message)
    await post(update)
    assert handler.events == [GroupMessage(None, posted.message, "Goeiedag!", update["message"]["message_id"], "4321")]


async def test_words_outside_any_topic_that_reply_to_nothing_are_left_alone(
    telegram: FakeTelegram, any_group: Group, handler: Handler, post: Post
) -> None:
    assert await post(telegram.write("Wie heeft er koffie?", any_group)) == 200
    assert (handler.events, telegram.messages) == ([], [])


@pytest.mark.parametrize("text", ["/close", "/close@wegwijs_bot", "/CLOSE", "/close tot ziens"])
async def test_close_ends_a_conversation_in_a_topic_and_as_a_reply(
    telegram: FakeTelegram, bot: Bot, any_group: Group, handler: Handler, post: Post, text: str
) -> None:
    posted = await _posted(bot, any_group)
    await post(telegram.write(text, any_group, reply_to=posted.message))
    [event] = handler.events
    assert isinstance(event, GroupMessage)
    assert (event.text, event.topic, event.reply_to) == ("/close", posted.topic, posted.message)


@pytest.mark.parametrize("text", ["/start", "/staff@wegwijs_bot", "/", "/closes"])
async def test_other_commands_never_go_to_a_newcomer(
    telegram: FakeTelegram, bot: Bot, forum: Group, handler: Handler, post: Post, text: str
) -> None:
    topic = (await _posted(bot, forum)).topic
    assert await post(telegram.write(text, forum, topic=topic)) == 200
    assert (handler.events, len(telegram.messages)) == ([], 1)


_BOT = {"id": 99, "is_bot": True, "first_name": "Other"}
_TELEGRAM = {"id": 777000, "is_bot": False, "first_name": "Telegram"}


@pytest.mark.parametrize(
    "content",
    [
        {"from": _BOT, "text": "I am a bot"},
        {"from": _TELEGRAM, "sender_chat": {"id": -55, "type": "channel", "title": "C"}, "text": "news"},
        {"forum_topic_closed": {}},
        {"forum_topic_reopened": {}},
        {"forum_topic_edited": {"name": "x"}},
        {"new_chat_members": [_BOT]},
        {"left_chat_member": _BOT},
    ],
)
async def test_bots_channels_and_notices_are_left_alone(
    telegram: FakeTelegram, bot: Bot, forum: Group, handler: Handler, post: Post, content: Fields
) -> None:
    topic = (await _posted(bot, forum)).topic
    assert await post(telegram.share(content, forum, topic=topic)) == 200
    assert (handler.events, len(telegram.messages)) == ([], 1)


async def test_the_notice_with_which_a_topic_begins_is_left_alone(
    telegram: FakeTelegram, forum: Group, handler: Handler, post: Post
) -> None:
    topic = telegram.open_topic(forum, "Koffie")
    made = {"forum_topic_created": {"name": "Koffie", "icon_color": 7322096}}
    assert await post(telegram.share(made, forum, topic=topic)) == 200
    assert handler.events == []


async def test_an_administrator_who_writes_anonymously_is_staff(
    telegram: FakeTelegram, bot: Bot, forum: Group, handler: Handler, post: Post
) -> None:
    topic = (await _posted(bot, forum)).topic
    anonymous = {"id": ANONYMOUS, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    await post(telegram.share({"text": "Dag", "from": anonymous, "sender_chat": forum.chat}, forum, topic=topic))
    [event] = handler.events
    assert (event.sender, isinstance(event, GroupMessage) and event.text) == (str(ANONYMOUS), "Dag")


async def test_changed_words_are_not_passed_on_again(
    telegram: FakeTelegram, bot: Bot, forum: Group, handler: Handler, post: Post
) -> None:
    topic = (await _posted(bot, forum)).topic
    assert await post(telegram.share({"text": "Dag!"}, forum, topic=topic, kind="edited_message")) == 200
    assert handler.events == []


@pytest.mark.parametrize(
    "content",
    [
        {"photo": [{"file_id": "1", "file_unique_id": "1", "width": 1, "height": 1}], "caption": "kijk"},
        {"voice": {"file_id": "1", "file_unique_id": "1", "duration": 3}},
        {"location": {"latitude": 51.0, "longitude": 3.7}},
    ],
)
async def test_a_picture_or_a_voice_reaches_the_handler_without_words(
    telegram: FakeTelegram, bot: Bot, forum: Group, handler: Handler, post: Post, content: Fields
) -> None:
    topic = (await _posted(bot, forum)).topic
    await post(telegram.share(content, forum, topic=topic))
    [event] = handler.events
    assert isinstance(event, GroupMessage)
    assert event.text == ""


async def test_a_press_reaches_the_handler_and_shows_its_sentence(
    telegram: FakeTelegram, bot: Bot, any_group: Group, handler: Handler, post: Post
) -> None:
    await _posted(bot, any_group)
    handler.answer = "Verstuurd."
    await post(telegram.press_in_group(telegram.messages[0], "ogenblik", 4321))
    assert handler.events == [GroupPress("gs:12:1", "4321")]
    assert (telegram.notices, telegram.unanswered) == (["Verstuurd."], [])


async def test_a_long_sentence_after_a_press_is_cut(
    telegram: FakeTelegram, bot: Bot, forum: Group, handler: Handler, post: Post
) -> None:
    await _posted(bot, forum)
    handler.answer = "ja " * 200
    await post(telegram.press_in_group(telegram.messages[0], "afsluiten"))
    assert (handler.events, telegram.unanswered) == ([GroupPress("gc:12", "51")], [])
    assert len(telegram.notices[0]) <= 200


@pytest.mark.parametrize("data", ["", "gs", "gs:12:x", "lt:en", "👩" * 16])
async def test_any_bytes_may_come_back_from_a_press(
    telegram: FakeTelegram, bot: Bot, forum: Group, handler: Handler, post: Post, data: str
) -> None:
    await _posted(bot, forum)
    assert await post(telegram.press_data_in_group(telegram.messages[0], data)) == 200
    assert (handler.events, telegram.unanswered) == ([GroupPress(data, "51")], [])


async def test_what_could_not_be_done_is_said_as_a_reply(
    telegram: FakeTelegram, bot: Bot, any_group: Group, handler: Handler, post: Post
) -> None:
    posted = await _posted(bot, any_group)
    handler.answer = "Dit gesprek is afgesloten."
    update = telegram.write("Dag", any_group, reply_to=posted.message)
    await post(update)
    said = telegram.messages[-1]
    assert said.text == "Dit gesprek is afgesloten."
    assert (said.topic, said.reply_to) == (posted.topic, update["message"]["message_id"])


async def test_what_could_not_be_done_is_said_also_when_the_message_is_gone(
    telegram: FakeTelegram, bot: Bot, forum: Group, handler: Handler, post: Post
) -> None:
    topic = (await _posted(bot, forum)).topic
    handler.answer = "Dit gesprek is afgesloten."
    update = telegram.write("Dag", forum, topic=topic)
    del forum.messages[update["message"]["message_id"]]
    await post(update)
    assert (telegram.messages[-1].topic, telegram.messages[-1].reply_to) == (topic, None)


async def test_a_group_that_refuses_the_sentence_is_no_fault(
    telegram: FakeTelegram, bot: Bot, forum: Group, handler: Handler, post: Post
) -> None:
    posted = await _posted(bot, forum)
    handler.answer = "Dit gesprek is afgesloten."
    update = telegram.write("Dag", forum, topic=posted.topic)
    telegram.faults["sendMessage"] = [Refused(400, "Bad Request: TOPIC_CLOSED")]
    assert await post(update) == 200


async def test_the_same_update_twice_has_one_effect(
    telegram: FakeTelegram, bot: Bot, forum: Group, handler: Handler, post: Post
) -> None:
    topic = (await _posted(bot, forum)).topic
    handler.answer = "Gezien."
    updates = [
        telegram.write("Dag", forum, topic=topic),
        telegram.press_in_group(telegram.messages[0], "ogenblik"),
    ]
    for update in updates:
        assert await asyncio.gather(*(post(update) for _ in range(3))) == [200] * 3
    assert len(handler.events) == 2
    assert (telegram.notices, telegram.unanswered, len(telegram.messages)) == (["Gezien."], [], 2)


async def test_a_database_that_is_away_lets_the_update_come_again(
    telegram: FakeTelegram, bot: Bot, forum: Group, handler: Handler, post: Post
) -> None:
    topic = (await _posted(bot, forum)).topic
    updates = [
        telegram.write("Dag", forum, topic=topic),
        telegram.press_in_group(telegram.messages[0], "ogenblik"),
    ]
    handler.answer = Unavailable()
    assert [await post(update) for update in updates] == [503, 503]
    assert len(telegram.unanswered) == 1
    handler.answer = None
    assert [await post(update) for update in updates] == [200, 200]
    assert (len(handler.events), telegram.unanswered) == (2, [])


async def test_a_fault_of_ours_is_logged_and_acknowledged(
    telegram: FakeTelegram, bot: Bot, forum: Group, handler: Handler, post: Post
) -> None:
    topic = (await _posted(bot, forum)).topic
    handler.answer = ZeroDivisionError()
    with structlog.testing.capture_logs() as logs:
        assert await post(telegram.write("geheim", forum, topic=topic)) == 200
        assert await post(telegram.press_in_group(telegram.messages[0], "ogenblik")) == 200
    assert [entry["event"] for entry in logs] == ["group not handled"] * 2
    assert "geheim" not in str(logs)
    assert telegram.unanswered == []


async def test_in_another_group_the_bot_is_silent(
    telegram: FakeTelegram, bot: Bot, handler: Handler, post: Post
) -> None:
    other = telegram.open_group(-2002)
    posted = await _posted(bot, other)
    await post(telegram.write("Dag", other, topic=posted.topic))
    await post(telegram.press_in_group(telegram.messages[0], "ogenblik"))
    assert (handler.events, telegram.unanswered, len(telegram.messages)) == ([], [], 1)


async def test_without_a_handler_the_staff_group_is_a_group_like_others(
    telegram: FakeTelegram, bot: Bot, forum: Group, answer: Respond
) -> None:
    posted = await _posted(bot, forum)
    receiver: Any = Receiver(bot, answer)
    app = web.Application()
    add_webhook(app, receiver, "https://wegwijs.example/telegram", SECRET)
    async with TestClient(TestServer(app)) as client:
        update = telegram.write("Where is a school?", forum, topic=posted.topic)
        response = await client.post("/telegram", json=update, headers={SECRET_HEADER: SECRET})
        assert response.status == 200
    assert len(telegram.messages) == 1


async def test_newcomers_are_answered_beside_a_group(telegram: FakeTelegram, bot: Bot, answer: Respond) -> None:
    handler = Handler(-1001)
    app = web.Application()
    add_webhook(app, Receiver(bot, answer, handler), "https://wegwijs.example/telegram", SECRET)
    async with TestClient(TestServer(app)) as client:
        update = telegram.say("where is Amal?")
        await client.post("/telegram", json=update, headers={SECRET_HEADER: SECRET})
    assert (handler.events, len(telegram.messages)) == ([], 1)


# The fake refuses what Telegram refuses; else the tests above would say little


@pytest.mark.parametrize(
    "send",
    [
        lambda bot: bot.create_forum_topic(-1001, "x" * 129),
        lambda bot: bot.create_forum_topic(-1001, " "),
        lambda bot: bot.create_forum_topic(1, "a private chat"),
        lambda bot: bot.close_forum_topic(-1001, 77),
        lambda bot: bot.send_message(-1001, "x", message_thread_id=77),
        lambda bot: bot.send_message(1, "x", message_thread_id=77),
        lambda bot: bot.send_message(-1001, "x", reply_parameters=ReplyParameters(77)),
    ],
)
async def test_the_fake_refuses_a_wrong_topic_or_reply(
    telegram: FakeTelegram, bot: Bot, forum: Group, send: Callable[[Bot], Any]
) -> None:
    with pytest.raises(BadRequest):
        await send(bot)
    assert (telegram.messages, forum.topics) == ([], {})


async def test_the_fake_refuses_a_long_sentence_after_a_press(telegram: FakeTelegram, bot: Bot, forum: Group) -> None:
    await _posted(bot, forum)
    update = telegram.press_in_group(telegram.messages[0], "afsluiten")
    with pytest.raises(BadRequest):
        await bot.answer_callback_query(update["callback_query"]["id"], "x" * 201)
    assert len(telegram.unanswered) == 1
