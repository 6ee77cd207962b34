"""The conversations with newcomers: who waits for an answer, what was said, answering, and closing."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import handover, storage
from bot.console.console import Console, Visit
from bot.languages import LANGUAGES, SOURCE
from bot.markup import isolate
from bot.storage import talks
from bot.storage.talks import Message, Talk, Words
from bot.texts import Texts, marked

LONGEST = 3000  # signs in one answer; a chat takes no more than 4096, and words can be added to them on the way
CLOSED_SHOWN = datetime.timedelta(days=30)
_MOST = 1000  # open conversations in the list; whoever waits longest must not fall off its end

_HOME = "/staff/conversations"
_ONE = f"{_HOME}/{{id:[0-9]{{1,9}}}}"


@dataclass(frozen=True, slots=True)
class Shown:
    """A conversation in the list, with the last words in it."""

    talk: Talk
    last: Message | None

    @property
    def waits(self) -> bool:
        """Whether the newcomer has had no answer to their last words."""
        return self.last is None or not self.last.who

    @property
    def at(self) -> datetime.datetime:
        """When something was said for the last time."""
        return self.last.at if self.last else self.talk.opened_at


@dataclass(frozen=True, slots=True)
class Sentence:
    """A ready-made sentence: what staff read, and what the newcomer reads."""

    number: int
    dutch: str
    theirs: str


def add(console: Console) -> None:
    """Serve the list of conversations, and each conversation."""
    console.get(_HOME, "desk", _list)
    console.get(_ONE, "desk", _show)
    console.post(f"{_ONE}/say", "desk", _say)
    console.post(f"{_ONE}/sentence", "desk", _send_sentence)
    console.post(f"{_ONE}/close", "desk", _close)


# The list


async def _list(visit: Visit) -> web.Response:
    async with storage.begin(visit.console.database) as connection:
        there = await talks.listed(connection, most=_MOST)
        last = await talks.last_words(connection, [talk.id for talk in there])
        closed = await talks.listed(connection, closed=True)
    opened = [Shown(talk, last.get(talk.id)) for talk in there]
    # Who waits for an answer comes first, and of those who has waited longest.
    opened.sort(key=lambda shown: (not shown.waits, shown.at))
    return visit.show("conversations.html", opened=opened, closed=_lately_closed(closed, visit.now))


def _lately_closed(closed: Sequence[Talk], now: datetime.datetime) -> list[tuple[Talk, datetime.datetime]]:
    """With the moment at which each was closed, the latest first."""
    dated = [(talk, talk.closed_at) for talk in closed if talk.closed_at and now - talk.closed_at <= CLOSED_SHOWN]
    return sorted(dated, key=lambda pair: pair[1], reverse=True)


# One conversation


async def _show(visit: Visit) -> web.Response:
    return await _page(visit)


async def _page(visit: Visit, *, problem: str = "", picking: str = "", text: str = "") -> web.Response:
    """A conversation, with what is wrong with the words (`problem`) or with the choice of a sentence (`picking`)."""
    async with storage.begin(visit.console.database) as connection:
        talk = await _asked_for(visit, connection)
        messages = await talks.said(connection, talk.id)
    return visit.show(
        "conversation.html",
        status=422 if problem or picking else 200,
        talk=talk,
        address=_address(visit),
        messages=messages,
        sentences=_sentences(visit, talk.language),
        in_order=isolate if LANGUAGES[talk.language].direction == "rtl" else str,
        longest=LONGEST,
        problem=problem,
        picking=picking,
        text=text,
    )


async def _asked_for(visit: Visit, connection: AsyncConnection) -> Talk:
    talk = await talks.get(connection, int(visit.request.match_info["id"]))
    if talk is None:
        raise web.HTTPNotFound
    return talk


def _address(visit: Visit) -> str:
    return f"{_HOME}/{int(visit.request.match_info['id'])}"


def _sentences(visit: Visit, language: str) -> list[Sentence]:
    return [
        Sentence(number, _sentence(visit, number, SOURCE), _sentence(visit, number, language))
        for number in range(len(handover.SENTENCES))
    ]


def _sentence(visit: Visit, number: int, language: str) -> str:
    return handover.sentence(Texts(), number, language, visit.snapshot.facts)


# Answering and closing


async def _say(visit: Visit) -> web.Response:
    text = _plain(visit.form.get("text", ""))
    if problem := _problem_of(visit, text):
        return await _page(visit, problem=problem, text=text)
    if not await _answer(visit, lambda _: text):
        return await _page(visit, problem=_too_late(visit), text=text)
    return visit.go(f"{_address(visit)}#answer")


def _plain(typed: str) -> str:
    """As it is kept: a browser sends `\\r\\n` for a new line, and PostgreSQL refuses the null sign."""
    return typed.replace("\r\n", "\n").replace("\0", "").strip()


def _problem_of(visit: Visit, text: str) -> str:
    if not any(sign.isprintable() and not sign.isspace() for sign in text):
        return visit.say("Write an answer first.")
    if len(text) > LONGEST:
        return visit.say("Write at most {most} signs; there are {count}.", most=LONGEST, count=len(text))
    return ""


async def _send_sentence(visit: Visit) -> web.Response:
    chosen = visit.form.get("number", "")
    number = next((number for number in range(len(handover.SENTENCES)) if str(number) == chosen), None)
    if number is None:
        return await _page(visit, picking=visit.say("Pick a sentence first."))
    if not await _answer(visit, lambda talk: _sentence(visit, number, talk.language)):
        return await _page(visit, problem=_too_late(visit))
    return visit.go(f"{_address(visit)}#answer")


async def _answer(visit: Visit, words: Callable[[Talk], str]) -> bool:
    """Say something to the newcomer, once however often it is sent; False when the conversation is closed."""
    async with storage.begin(visit.console.database) as connection:
        if await visit.claim(connection):
            return True
        talk = await _asked_for(visit, connection)
        if talk.closed_at:
            return False
        said = Words(who=visit.session.member.label, text=words(talk))
        await talks.from_staff(connection, talk, said, visit.now)
        await visit.note(connection, marked("answer in a conversation"), str(talk.id))
        await visit.leads_to(connection, _address(visit))
    return True


def _too_late(visit: Visit) -> str:
    return visit.say("This conversation was closed meanwhile: your answer was not sent.")


async def _close(visit: Visit) -> web.Response:
    async with storage.begin(visit.console.database) as connection:
        talk = await _asked_for(visit, connection)
        if await talks.close(connection, talk, visit.now, by_staff=True):
            await visit.note(connection, marked("close a conversation"), str(talk.id))
    return visit.go(_address(visit))
