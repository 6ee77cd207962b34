"""`wegwijs serve` as an operator starts it, and Telegram as it calls a webhook and compares what people got."""

import asyncio
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.storage.schema import handled
from tests.fake_telegram import TOKEN, FakeTelegram, Refused

SECRET = "a-secret"
WEBHOOK = {"WEBHOOK_URL": "https://wegwijs.example/telegram", "WEBHOOK_SECRET": SECRET}
PATIENCE = 60.0  # seconds, after which a start counts as failed
_PAUSE = 0.05
_QUESTIONS = Path(__file__).with_name("questions.jsonl")

Fields = dict[str, Any]
Told = Mapping[int, Counter[str]]  # by chat, how often each message came


@dataclass(frozen=True, slots=True)
class Serving:
    """A process that is ready."""

    process: asyncio.subprocess.Process
    address: str

    async def kill(self) -> None:
        """As the machine does when it has no memory left."""
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """As a supervisor does; the exit status."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        return await self.process.wait()


async def start(telegram: FakeTelegram, database_url: str, directory: Path, **settings: str) -> Serving:
    """A process that joins `telegram`, on a port of its own. What it logs is added to `serve.log` in `directory`."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("WEGWIJS_")},
        "WEGWIJS_TELEGRAM_TOKEN": TOKEN,
        "WEGWIJS_TELEGRAM_API": telegram.url,
        "WEGWIJS_DATABASE_URL": database_url,
        "WEGWIJS_PORT": "0",
        **{f"WEGWIJS_{name}": value for name, value in settings.items()},
    }
    command = str(Path(sys.executable).with_name("wegwijs")), "serve"
    with (directory / "serve.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=log
        )
    return Serving(process, await _address(process))


async def _address(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None:
        raise RuntimeError("not started with a pipe")
    async with asyncio.timeout(PATIENCE):
        while line := (await process.stdout.readline()).decode():
            if "Web chat" in line:
                return line.split()[-1].rstrip("/")
    raise RuntimeError(f"ended with {await process.wait()} before it was ready")


@dataclass
class Webhook:
    """Telegram's side of a webhook: what was not answered with 200 is sent again, to the next of `addresses`.

    `again` counts those; `statuses` are the answers, 0 for none.
    """

    session: aiohttp.ClientSession
    addresses: list[str]
    again: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    _turns: Iterator[int] = field(default_factory=count)

    async def deliver(self, update: Fields) -> None:
        """Until somebody has taken it."""
        while await self._post(self.addresses[next(self._turns) % len(self.addresses)], update) != 200:
            self.again += 1
            await asyncio.sleep(_PAUSE)

    async def deliver_all(self, updates: Sequence[Fields], at_once: int) -> None:
        """In this order, so many at the same time."""
        left = iter(updates)

        async def work() -> None:
            for update in left:
                await self.deliver(update)

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())

    async def _post(self, address: str, update: Fields) -> int:
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        status = 0
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self.session.post(f"{address}/telegram", json=update, headers=headers) as response:
                status = response.status
        self.statuses[status] += 1
        return status


@asynccontextmanager
async def open_webhook(*addresses: str) -> AsyncIterator[Webhook]:
    """Telegram's side, with the time that it gives an answer."""
    timeout = aiohttp.ClientTimeout(total=60)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        yield Webhook(session, list(addresses))


class Gate:
    """Holds messages to people between the bot and Telegram, while it is closed; `call` takes the place of Telegram's.

    `held` is how many wait.
    """

    def __init__(self, telegram: FakeTelegram) -> None:
        self.held = 0
        self._open = asyncio.Event()
        self._open.set()
        self._only: int | None = None
        self._fault: Refused | None = None
        self._inner = telegram.call

    def close(self, only: int | None = None) -> None:
        """For everybody, or for the chat `only`."""
        self._only = only
        self._open.clear()

    def open(self, fault: Refused | None = None) -> None:
        """Let pass what was held, or refuse it with `fault`."""
        self._fault = fault
        self._open.set()

    async def call(self, method: str, fields: Fields) -> Any:
        """As the fake Telegram answers it, when the gate lets it pass."""
        concerned = self._only in (None, int(fields.get("chat_id", 0)))
        if method == "sendMessage" and concerned and not self._open.is_set():
            self.held += 1
            await self._open.wait()
            self.held -= 1
            if self._fault:
                raise self._fault
        return await self._inner(method, fields)


# What people ask, and whether each got what belongs to it


@dataclass(frozen=True, slots=True)
class Question:
    """Words, and the language of the phone of who asks."""

    text: str
    language: str


Answers = Mapping[Question, Counter[str]]


@cache
def questions() -> Sequence[Question]:
    """Different ones, in many languages."""
    lines = [json.loads(line) for line in _QUESTIONS.read_text("utf-8").splitlines()]
    return [Question(line["text"], line["lang"]) for line in lines]


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many `chats`, the `first` of them by number, that ask in turn; nobody asks the same twice before they have
    asked everything.
    """

    first: int
    chats: int

    def chat(self, number: int) -> int:
        return self.first + number % self.chats

    def question(self, number: int) -> Question:
        return questions()[(number % self.chats + number // self.chats) % len(questions())]

    def ask(self, telegram: FakeTelegram, number: int) -> Fields:
        """The update `number`."""
        asked = self.question(number)
        return telegram.say(asked.text, chat=self.chat(number), language=asked.language)

    def expect(self, answers: Answers, updates: int) -> Told:
        """What must have come in each chat after so many updates."""
        expected: defaultdict[int, Counter[str]] = defaultdict(Counter)
        for number in range(updates):
            expected[self.chat(number)] += answers[self.question(number)]
        return expected


async def learn_answers(telegram: FakeTelegram, webhook: Webhook, first: int) -> Answers:
    """What each question is answered with: asked by people who ask nothing else, in chats from `first` on."""
    alone = Crowd(first, len(questions()))
    for number in range(alone.chats):
        await webhook.deliver(alone.ask(telegram, number))
    told = told_in(telegram)
    return {alone.question(number): told[alone.chat(number)] for number in range(alone.chats)}


def told_in(telegram: FakeTelegram) -> Told:
    """What came in each chat."""
    told: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for message in telegram.messages:
        told[message.chat][message.text] += 1
    return told


def compare(expected: Told, told: Told) -> tuple[int, int]:
    """How many messages are lost, and how many came that should not, or once too often."""
    nothing = Counter[str]()
    lost = sum((expected[chat] - told.get(chat, nothing)).total() for chat in expected)
    doubled = sum((told.get(chat, nothing) - expected[chat]).total() for chat in expected)
    return lost, doubled


async def replies_waiting(database: AsyncEngine) -> int:
    """Events whose replies are kept because nobody knows that they have arrived."""
    rows = select(func.count()).select_from(handled).where(handled.c.replies.is_not(None))
    async with storage.begin(database) as connection:
        return int((await connection.execute(rows)).scalar_one())
