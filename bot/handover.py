"""A person behind the bot: the sentences that staff can pick, and the way of words to the staff's group and back."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import storage
from bot.conversation import CLOSE_COMMAND, GroupMessage, GroupPost, GroupPress, Later, Posted, Sent, Unreachable
from bot.conversation.packing import unpack_number
from bot.knowledge import Holder
from bot.languages import LANGUAGES, SOURCE
from bot.storage import events, staff, talks
from bot.storage.outbox import Notice
from bot.storage.talks import ENDED, FORGET, UNREACHED, Talk, Words
from bot.texts import Texts, marked
from bot.understanding import Understanding

log = structlog.get_logger(__name__)

# What staff say often; written and checked in every language. A name in braces is a fact of the group `contact`.
SENTENCES: tuple[str, ...] = (
    marked("Hello, I work at Amal. How can I help you?"),
    marked("One moment, please. I am looking it up."),
    marked("Could you tell me a little more, please?"),
    marked("In which language can we talk best?"),
    marked("Please do not send identity numbers or papers here."),
    marked("You can call us: {phone}."),
    marked("You can come to us: {address}."),
    marked('You can make an appointment here with the button "Make an appointment".'),
    marked("I am asking a colleague. I write to you again as soon as I can."),
    marked("I am sorry, we cannot help with this ourselves."),
    marked("Does this answer your question?"),
    marked("Thank you, and goodbye. You can always write to us again."),
)
NO_CONVERSATION = "Dit hoort bij geen gesprek. / This belongs to no conversation."
US = "Wegwijs"  # who tells staff what became of a conversation
SAY, CLOSE = "gs", "gc"  # what a button in the group begins with


def sentence(texts: Texts, number: int, language: str, facts: Mapping[str, object]) -> str:
    """A ready-made sentence in a language, with its facts; raises `IndexError` for a number that is none."""
    contact = {name: str(facts.get(f"contact.{name}", "")) for name in ("phone", "address")}
    return texts.text(SENTENCES[number], language).format(**contact)


class GroupClient(Protocol):
    """The staff's group, as Telegram has it."""

    async def post(self, post: GroupPost, opened: Callable[[int], Awaitable[None]]) -> Posted | Later | Unreachable: ...

    async def close_topic(self, topic: int) -> None: ...

    async def delete_topic(self, topic: int) -> None: ...


_TOLD = {
    ENDED: "Dit gesprek is afgesloten. / This conversation is closed.",
    UNREACHED: (
        "Het laatste bericht kon niet bezorgd worden: de bot is geblokkeerd of de chat is weg. / "
        "The last message could not be delivered: the bot was blocked, or the chat is gone."
    ),
}


class StaffGroup:
    """What goes to the staff's group and what comes from there."""

    def __init__(
        self, database: AsyncEngine, knowledge: Holder[Understanding], texts: Texts, clock: storage.Clock
    ) -> None:
        self._database, self._knowledge, self._texts, self._clock = database, knowledge, texts, clock
        self.client: GroupClient | None = None
        self.group_id = 0

    async def deliver(self, notice: Notice) -> Sent | Later | Unreachable | None:
        """Post what a notice tells; None where there is no group, or nothing to tell any more."""
        if self.client is None:
            return None
        if notice.kind == FORGET:
            await self.client.delete_topic(int(notice.about))
            return Sent()
        if notice.kind in (ENDED, UNREACHED):
            return await self._tell(notice, self.client)
        async with storage.begin(self._database) as connection:
            message = await talks.message(connection, notice.message or 0)
            talk = await talks.get(connection, message.conversation) if message else None
            said = await talks.said(connection, talk.id) if talk else []
        if message is None or talk is None:
            return None
        opened = partial(self._remember_topic, talk)
        posted = await self.client.post(self._post(talk, message, first=said[0].id == message.id), opened)
        if not isinstance(posted, Posted):
            return posted
        async with storage.begin(self._database) as connection:
            await talks.set_group_message(connection, message.id, posted.message)
        return Sent()

    async def _remember_topic(self, talk: Talk, topic: int) -> None:
        async with storage.begin(self._database) as connection:
            await talks.set_topic(connection, talk, topic)

    def _post(self, talk: Talk, message: talks.Message, *, first: bool) -> GroupPost:
        dutch, theirs = self._sentences(SOURCE), self._sentences(talk.language)
        picked = [other for own, other in zip(theirs, dutch, strict=True) if own == message.text and own != other]
        text = "\n".join((message.text, *(f"({each})" for each in picked if message.who)))
        return GroupPost(talk.id, talk.language, talk.topic, message.who, text, dutch if first else ())

    def _sentences(self, language: str) -> tuple[str, ...]:
        facts = self._knowledge.current.snapshot.facts
        return tuple(sentence(self._texts, number, language, facts) for number in range(len(SENTENCES)))

    async def _tell(self, notice: Notice, client: GroupClient) -> Sent | Later | Unreachable | None:
        """Let staff know that a conversation is over, or that their words could not be delivered."""
        async with storage.begin(self._database) as connection:
            talk = await talks.get(connection, int(notice.chat))
            there = bool(talk and await talks.said(connection, talk.id))
        if talk is None or not there:
            return None
        told = _TOLD[notice.kind]
        post = GroupPost(talk.id, talk.language, talk.topic, US, told)
        posted = await client.post(post, partial(self._remember_topic, talk))
        if not isinstance(posted, Posted):
            return posted
        if notice.kind == ENDED and talk.topic is not None:
            await client.close_topic(talk.topic)
        return Sent()

    async def handle(self, event: GroupMessage | GroupPress, key: str) -> str | None:
        """Pass on what staff wrote or pressed in the group; a word back to them where they need one."""
        now = self._clock()
        async with storage.begin(self._database) as connection:
            if not await events.claim(connection, key, now):
                return None
            talk = await self._talk_of(connection, event)
            if talk is None:  # colleagues who write to one another
                return None if isinstance(event, GroupMessage) else NO_CONVERSATION
            if _closes(event):
                await talks.close(connection, talk, now, by_staff=True)
                return _TOLD[ENDED]
            text = self._words(event, talk)
            if text == "":
                return "Alleen woorden gaan door. / Only words are passed on."
            if text is None:
                return "Deze knop is oud. / This button is old."
            member = await staff.by_telegram(connection, event.sender)
            who = member.label if member else f"Telegram …{event.sender[-4:]}"
            number = event.message if isinstance(event, GroupMessage) else None
            if not await talks.from_staff(connection, talk, Words(who, text, number), now):
                return _TOLD[ENDED]
            await staff.note(connection, who, "answer in a conversation", str(talk.id), now)
        return None if isinstance(event, GroupMessage) else "✓"

    async def _talk_of(self, connection: AsyncConnection, event: GroupMessage | GroupPress) -> Talk | None:
        if isinstance(event, GroupPress):
            number = unpack_number(event.data.split(":")[1]) if event.data.count(":") else None
            return await talks.get(connection, number) if number is not None else None
        if event.topic is not None and (talk := await talks.of_topic(connection, event.topic)):
            return talk
        return await talks.of_group_message(connection, event.reply_to) if event.reply_to is not None else None

    def _words(self, event: GroupMessage | GroupPress, talk: Talk) -> str | None:
        if isinstance(event, GroupMessage):
            return event.text
        tag, number = event.data.partition(":")[0], unpack_number(event.data.rpartition(":")[2])
        if tag != SAY or number is None or number >= len(SENTENCES):
            return None
        facts = self._knowledge.current.snapshot.facts
        return sentence(self._texts, number, LANGUAGES[talk.language].code, facts)


def _closes(event: GroupMessage | GroupPress) -> bool:
    if isinstance(event, GroupPress):
        return event.data.startswith(f"{CLOSE}:")
    return event.text.split("@")[0].strip() == CLOSE_COMMAND
