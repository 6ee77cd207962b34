"""Faults one by one, while people ask: the network, the database, the disk, the files, the clock."""

import asyncio
import datetime
import sqlite3
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    closing,
    contextmanager,
    suppress,
)
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from typing import Literal
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.conversation import Event, Reply, Respond, respond
from bot.delivery import Delivery
from bot.knowledge import Holder, load, open_holder
from bot.replies import KeptReplies
from bot.storage.events import LEASE
from bot.storage.retention import delete_expired
from bot.telegram import CHANNEL, Receiver, add_webhook, open_bot, poll, push
from bot.telegram.receive import SECRET_HEADER
from bot.texts import Texts
from bot.understanding import Understanding
from tests.conftest import Clock, eventually
from tests.fake_telegram import TOKEN, FakeTelegram, Fields, open_fake_telegram, too_many
from tests.serving import SECRET, replies_waiting

WHERE = "where is Amal?"
WEBHOOK = "https://wegwijs.example/telegram"
AN_HOUR = datetime.timedelta(hours=1)
A_WHILE = datetime.timedelta(seconds=11)  # after which a Telegram that was away is tried again

Mode = Literal["open", "reset", "silent"]


@dataclass
class Line:
    """The line to Telegram. `reset`: it breaks as soon as something is said; `silent`: what is said never arrives."""

    upstream: int
    mode: Mode = "open"
    url: str = ""
    broken: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.upstream)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forth(reader, writer, back))
                group.create_task(self._back(there, writer, back))
        finally:
            for end in (writer, back):
                end.close()

    async def _forth(self, said: asyncio.StreamReader, writer: asyncio.StreamWriter, to: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while words := await said.read(65536):
                if self.mode == "open":
                    to.write(words)
                    continue
                self.broken += 1
                if self.mode == "reset":
                    socket = writer.get_extra_info("socket")
                    socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
                    break
        to.close()

    async def _back(self, said: asyncio.StreamReader, to: asyncio.StreamWriter, closes: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while words := await said.read(65536):
                to.write(words)
        closes.close()


@asynccontextmanager
async def _open_line(telegram: FakeTelegram) -> AsyncIterator[Line]:
    line = Line(urlsplit(telegram.url).port or 0)
    server = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    line.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        server.close()


@dataclass
class Town:
    """People on one side, Telegram between, and the bot on a real database on the other."""

    telegram: FakeTelegram
    line: Line
    database: AsyncEngine
    clock: Clock
    receiver: Receiver
    kept: KeptReplies
    delivery: Delivery
    client: TestClient[web.Request, web.Application]

    async def post(self, update: Fields) -> int:
        """Telegram calls the webhook; the status."""
        response = await self.client.post("/telegram", json=update, headers={SECRET_HEADER: SECRET})
        return response.status

    async def ask(self, chat: int = 1, words: str = WHERE) -> int:
        return await self.post(self.telegram.say(words, chat=chat))

    @property
    def told(self) -> list[int]:
        """To whom something was said, in order."""
        return [message.chat for message in self.telegram.messages]

    async def waiting(self) -> int:
        """How many replies wait, once what has arrived is forgotten."""
        await self.kept.flush()
        return await replies_waiting(self.database)

    async def send_after(self, time: datetime.timedelta) -> None:
        """Time passes, what has arrived is forgotten meanwhile, and what is due then is sent."""
        await self.kept.flush()
        self.clock.now += time
        await self.delivery.send_replies()


OpenTown = Callable[..., AbstractAsyncContextManager[Town]]


@pytest.fixture
def open_town(understanding: Understanding, catalogues: Texts, clock: Clock) -> OpenTown:
    """Opens a town on a database; `around` is put around the conversation, `knowledge` comes instead of ours."""

    @asynccontextmanager
    async def open_(
        database: AsyncEngine,
        around: Callable[[Respond], Respond] = lambda inner: inner,
        knowledge: Holder[Understanding] | None = None,
    ) -> AsyncIterator[Town]:
        holder = knowledge or Holder(understanding)
        answer = around(partial(respond, knowledge=holder, database=database, texts=catalogues, clock=clock))
        async with (
            open_fake_telegram() as telegram,
            _open_line(telegram) as line,
            open_bot(TOKEN, line.url) as bot,
        ):
            kept, app = KeptReplies(database, clock), web.Application()
            receiver = Receiver(bot, answer, kept=kept)
            add_webhook(app, receiver, WEBHOOK, SECRET)
            delivery = Delivery(database, holder, catalogues, clock, {CHANNEL: push(bot)})
            async with TestClient(TestServer(app)) as client:
                yield Town(telegram, line, database, clock, receiver, kept, delivery, client)

    return open_


@pytest.fixture
async def town(open_town: OpenTown, database: AsyncEngine) -> AsyncIterator[Town]:
    async with open_town(database) as opened:
        yield opened


@pytest.fixture
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a line that is broken, or for a file that another holds."""
    monkeypatch.setattr("bot.telegram.bot._FIRST_PAUSE", 0.001)
    monkeypatch.setattr("bot.telegram.request._READ_SECONDS", 0.1)
    monkeypatch.setattr("bot.telegram.receive._PAUSE", 0.01)
    monkeypatch.setattr("bot.storage.sqlite.BUSY_SECONDS", 0.05)


# The network


async def test_a_connection_that_is_reset_is_made_again(town: Town) -> None:
    town.line.mode = "reset"
    asking = asyncio.create_task(town.ask())
    await eventually(lambda: town.line.broken)
    town.line.mode = "open"
    assert await asking == 200
    assert (town.told, await town.waiting()) == ([1], 0)


@pytest.mark.usefixtures("haste")
@pytest.mark.parametrize("mode", ["reset", "silent"])
async def test_a_line_that_stays_broken_leaves_the_reply_for_later(town: Town, mode: Mode) -> None:
    town.line.mode = mode
    assert await town.ask() == 200
    await town.send_after(LEASE)
    assert (town.told, await town.waiting()) == ([], 1)
    assert town.line.broken > 1, "it was tried more than once"
    town.line.mode = "open"
    assert await town.ask(chat=2) == 200
    await town.send_after(A_WHILE)
    await town.send_after(LEASE)
    assert (town.told, await town.waiting()) == ([2, 1], 0)


@pytest.mark.usefixtures("haste")
async def test_fetching_goes_on_after_the_line_was_broken(town: Town) -> None:
    polling = asyncio.create_task(poll(town.receiver))
    town.telegram.say(WHERE)
    await eventually(lambda: town.told)
    town.line.mode = "reset"
    town.telegram.say(WHERE, chat=2)
    await eventually(lambda: town.line.broken > 2)
    town.line.mode = "open"
    await eventually(lambda: 2 in town.told)
    await asyncio.sleep(0.1)
    polling.cancel()
    with suppress(asyncio.CancelledError):
        await polling
    assert town.told == [1, 2]


async def test_who_blocks_the_bot_before_the_reply_could_be_sent_is_left_alone(town: Town) -> None:
    town.telegram.chat_faults[1] = [too_many(5)]
    assert await town.ask() == 200
    town.telegram.blocked.add(1)
    await town.send_after(A_WHILE)
    assert (town.told, await town.waiting()) == ([], 0)
    calls = len(town.telegram.calls)
    await town.send_after(LEASE)
    assert len(town.telegram.calls) == calls, "asked once, and not again"
    town.telegram.blocked.clear()
    assert await town.ask(words="hello") == 200
    await town.send_after(A_WHILE)
    assert town.told == [1], "who is back is answered, when the pause is over that Telegram asked for"


# The database


@asynccontextmanager
async def _sqlite(file: Path) -> AsyncIterator[AsyncEngine]:
    async with storage.open_storage(f"sqlite+aiosqlite:///{file}") as database:
        await storage.migrate(database)
        yield database


@contextmanager
def _held(file: Path) -> Iterator[None]:
    """Another process writes, and does not end."""
    with closing(sqlite3.connect(file, isolation_level=None)) as holding:
        holding.execute("BEGIN EXCLUSIVE")
        yield


@pytest.mark.usefixtures("haste")
async def test_a_file_that_another_process_holds_makes_telegram_send_again(open_town: OpenTown, tmp_path: Path) -> None:
    file = tmp_path / "wegwijs.db"
    async with _sqlite(file) as database, open_town(database) as town:
        assert await town.ask(chat=1) == 200
        update = town.telegram.say(WHERE, chat=2)
        with _held(file):
            assert [await town.post(update), await town.post(update)] == [503, 503]
            await town.kept.flush()
        assert [await town.post(update), await town.post(update)] == [200, 200]
        await town.send_after(LEASE)
        assert (town.told, await town.waiting()) == ([1, 2], 0)


@pytest.mark.usefixtures("haste")
async def test_a_database_that_goes_away_between_the_answer_and_a_429_loses_nothing(
    open_town: OpenTown, tmp_path: Path
) -> None:
    file = tmp_path / "wegwijs.db"

    async with AsyncExitStack() as stack:

        def then_away(inner: Respond) -> Respond:
            async def answered(event: Event) -> Sequence[Reply]:
                replies = await inner(event)
                if replies:
                    stack.enter_context(_held(file))
                return replies

            return answered

        async with _sqlite(file) as database, open_town(database, then_away) as town:
            town.telegram.chat_faults[1] = [too_many(5)]
            update = town.telegram.say(WHERE)
            assert await town.post(update) == 200, "it is handled, and its reply is kept"
            await stack.aclose()
            assert await town.post(update) == 200
            assert town.told == [], "whose turn it is to send it has not been decided yet"
            await town.send_after(LEASE)
            await town.send_after(LEASE)
            assert (town.told, await town.waiting()) == ([1], 0)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_server_that_goes_away_and_comes_back_makes_telegram_send_again(
    open_town: OpenTown, database: AsyncEngine, database_url: str, tmp_path: Path
) -> None:
    """Its socket goes, and so do the connections that were open."""
    (directory,) = parse_qs(urlsplit(database_url).query)["host"]
    socket = next(Path(directory).glob(".s.PGSQL.*[0-9]"))  # noqa: ASYNC240
    ours = tmp_path / socket.name
    ours.symlink_to(socket)
    async with (
        storage.open_storage(database_url.replace(directory, quote(str(tmp_path)))) as engine,
        open_town(engine) as town,
    ):
        assert await town.ask(chat=1) == 200
        ours.unlink()
        async with storage.begin(database) as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            await connection.execute(text(f"{others} AND datname = current_database()"))
        update = town.telegram.say(WHERE, chat=2)
        assert [await town.post(update), await town.post(update)] == [503, 503]
        await town.kept.flush()
        ours.symlink_to(socket)
        assert [await town.post(update), await town.post(update)] == [200, 200]
        await town.send_after(LEASE)
        assert (town.told, await town.waiting()) == ([1, 2], 0)


async def _leave_room(database: AsyncEngine, pages: int) -> None:
    """The file may grow by so many pages, as on a disk that is nearly full."""
    async with storage.begin(database) as connection:
        there = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
        await connection.execute(text(f"PRAGMA max_page_count = {there + pages}"))


async def test_a_full_disk_makes_telegram_send_again_and_loses_nothing(open_town: OpenTown, tmp_path: Path) -> None:
    async with _sqlite(tmp_path / "wegwijs.db") as database, open_town(database) as town:
        await _leave_room(database, 2)
        updates = [town.telegram.say(WHERE, chat=chat) for chat in range(1, 31)]
        statuses = [await town.post(update) for update in updates]
        assert set(statuses) == {200, 503}, "there was room at first, and then none"
        assert town.told == [chat for chat, status in enumerate(statuses, 1) if status == 200]
        await town.kept.flush()
        await _leave_room(database, 1000)
        assert [await town.post(update) for update in updates] == [200] * 30
        await town.send_after(LEASE)
        assert (sorted(town.told), await town.waiting()) == (list(range(1, 31)), 0)


# The files


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_broken_knowledge_file_leaves_the_old_answers_until_it_is_mended(
    open_town: OpenTown, database: AsyncEngine, knowledge_copy: Path, understanding: Understanding
) -> None:
    """What was learnt of the whole is used with the texts of the copy: to learn anew takes long."""

    def load_copy(directory: Path) -> Understanding:
        return replace(understanding, snapshot=load(directory))

    facts = knowledge_copy / "facts.yaml"
    good = facts.read_text("utf-8")
    async with open_holder(knowledge_copy, load_copy) as holder, open_town(database, knowledge=holder) as town:
        await asyncio.sleep(0.2)
        facts.write_text(good.replace("contact:", "contact"), "utf-8")
        await eventually(lambda: holder.problems)
        assert await town.ask() == 200
        facts.write_text(good.replace("09 265 78 40", "09 111 22 33"), "utf-8")
        await eventually(lambda: not holder.problems)
        assert await town.ask() == 200
    before, after = (message.text for message in town.telegram.messages)
    assert ("09 265 78 40" in before, "09 111 22 33" in after) == (True, True)


# The clock


async def test_a_clock_that_stands_still_holds_up_nobody(town: Town) -> None:
    """But what Telegram puts off waits for it."""
    town.telegram.chat_faults[3] = [too_many(5)]
    updates = [town.telegram.say(WHERE, chat=chat) for chat in (1, 2, 3)]
    for update in updates * 2:
        assert await town.post(update) == 200
    assert await town.delivery.send_replies() == 0
    assert (town.told, await town.waiting()) == ([1, 2], 1)
    await town.send_after(A_WHILE)
    assert (town.told, await town.waiting()) == ([1, 2, 3], 0)


async def test_a_clock_that_jumps_back_an_hour_lets_nothing_come_twice_or_go_lost(town: Town) -> None:
    """What was put off comes when the clock is there again."""
    town.telegram.chat_faults[2] = [too_many(5)]
    first, second = (town.telegram.say(WHERE, chat=chat) for chat in (1, 2))
    assert [await town.post(first), await town.post(second)] == [200, 200]
    town.clock.now -= AN_HOUR
    async with storage.begin(town.database) as connection:
        assert await delete_expired(connection, town.clock.now) == 0
    assert [await town.post(first), await town.post(second), await town.ask(chat=3)] == [200, 200, 200]
    await town.send_after(A_WHILE)
    assert (town.told, await town.waiting()) == ([1, 3], 1)
    await town.send_after(AN_HOUR)
    await town.send_after(LEASE)
    assert (town.told, await town.waiting()) == ([1, 3, 2], 0)
