"""Several processes behind one webhook, one of which is killed; and one that is told to stop in the middle of work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.replies import FLUSH_SECONDS
from bot.storage.schema import handled
from tests.conftest import KNOWLEDGE, NOW, eventually
from tests.fake_telegram import FakeTelegram, Refused
from tests.serving import (
    WEBHOOK,
    Crowd,
    Gate,
    Serving,
    compare,
    learn_answers,
    open_webhook,
    replies_waiting,
    start,
    told_in,
)

UPDATES, AT_ONCE, KILLED_AFTER = 60, 8, 20
CROWD = Crowd(first=1, chats=20)

Serve = Callable[..., Awaitable[Serving]]


@pytest.fixture
def gate(telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch) -> Gate:
    held = Gate(telegram)
    monkeypatch.setattr(telegram, "call", held.call)
    return held


@pytest.fixture
async def serve(telegram: FakeTelegram, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Serve]:
    """Starts a process on a database, with more settings where they are given; none outlives the test."""
    monkeypatch.chdir(workplace)
    started: list[Serving] = []

    async def begin(url: str, **settings: str) -> Serving:
        started.append(await start(telegram, url, workplace, KNOWLEDGE=str(KNOWLEDGE), **settings))
        return started[-1]

    yield begin
    for each in started:
        if each.process.returncode is None:
            await each.kill()


async def _let_the_lease_run_out(database: AsyncEngine) -> None:
    """Of what waits now; else the test would take half a minute."""
    async with storage.begin(database) as connection:
        await connection.execute(update(handled).where(handled.c.replies.is_not(None)).values(send_at=NOW))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_of_two_processes_one_is_killed_and_no_reply_is_lost_or_doubled(
    database: AsyncEngine, database_url: str, telegram: FakeTelegram, gate: Gate, serve: Serve
) -> None:
    """Killed with replies that are kept and have not reached Telegram; those that have are marked by then."""
    first, second = [await serve(database_url, **WEBHOOK) for _ in range(2)]
    async with open_webhook(first.address, second.address) as webhook:
        answers = await learn_answers(telegram, webhook, first=1000)
        alone = len(telegram.messages)
        updates = [CROWD.ask(telegram, number) for number in range(UPDATES)]
        delivering = asyncio.create_task(webhook.deliver_all(updates, AT_ONCE))
        await eventually(lambda: len(telegram.messages) >= alone + KILLED_AFTER)
        gate.close()
        await eventually(lambda: gate.held == AT_ONCE)
        await asyncio.sleep(3 * FLUSH_SECONDS)
        await first.kill()
        gate.open(Refused(502, "Bad Gateway"))
        third = await serve(database_url, **WEBHOOK)
        webhook.addresses[0] = third.address
        async with asyncio.timeout(30):
            await delivering
        await asyncio.sleep(3 * FLUSH_SECONDS)
        assert await replies_waiting(database) > 0, "of the one that was killed, or this shows nothing"
        assert webhook.again > 0
        await _let_the_lease_run_out(database)
        async with asyncio.timeout(20):
            while await replies_waiting(database):
                await asyncio.sleep(0.1)
        assert [await second.stop(), await third.stop()] == [0, 0]
    assert compare(CROWD.expect(answers, UPDATES), told_in(telegram)) == (0, 0)


async def _stopped_in_the_middle(telegram: FakeTelegram, gate: Gate, serving: Serving) -> tuple[int, float]:
    """The exit status of a process that was sending a reply when it was told to stop, and the seconds that it took."""
    async with open_webhook(serving.address) as webhook:
        gate.close()
        asked = asyncio.create_task(webhook.deliver(telegram.say("where is Amal?")))
        await eventually(lambda: gate.held)
        stopping, began = asyncio.create_task(serving.stop()), monotonic()
        await asyncio.sleep(1)
        assert not stopping.done()
        gate.open()
        async with asyncio.timeout(10):
            status = await stopping
            seconds = monotonic() - began
            await asked
    assert webhook.statuses == {200: 1}
    return status, seconds


async def test_a_process_that_is_told_to_stop_answers_what_is_under_way(
    workplace: Path, telegram: FakeTelegram, gate: Gate, serve: Serve
) -> None:
    serving = await serve(f"sqlite:///{workplace}/x.db", **WEBHOOK)
    status, seconds = await _stopped_in_the_middle(telegram, gate, serving)
    assert (status, len(telegram.messages)) == (0, 1)
    assert "Kongostraat" in telegram.messages[0].text
    assert seconds < 5
    assert "Traceback" not in (workplace / "serve.log").read_text()


async def test_what_was_answered_while_stopping_is_not_sent_again_by_the_next(
    workplace: Path, telegram: FakeTelegram, gate: Gate, serve: Serve
) -> None:
    await _stopped_in_the_middle(telegram, gate, await serve(f"sqlite:///{workplace}/x.db", **WEBHOOK))
    async with storage.open_storage(f"sqlite+aiosqlite:///{workplace}/x.db") as database:
        assert await replies_waiting(database) == 0


async def test_a_process_that_fetches_updates_answers_what_is_under_way_when_it_is_told_to_stop(
    workplace: Path, telegram: FakeTelegram, gate: Gate, serve: Serve
) -> None:
    serving = await serve(f"sqlite:///{workplace}/x.db")
    gate.close()
    telegram.say("where is Amal?")
    await eventually(lambda: gate.held)
    stopping = asyncio.create_task(serving.stop())
    await asyncio.sleep(1)
    gate.open()
    async with asyncio.timeout(10):
        assert await stopping == 0
    async with storage.open_storage(f"sqlite+aiosqlite:///{workplace}/x.db") as database:
        assert (await replies_waiting(database), len(telegram.messages)) == (0, 1)
