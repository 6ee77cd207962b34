"""Three processes behind one webhook on one PostgreSQL, beside one; and three of which one is killed all the time."""

import asyncio
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import monotonic, perf_counter

from benchmarks.bookings import _postgresql
from bot import storage
from bot.replies import FLUSH_SECONDS
from bot.storage.events import LEASE
from tests.fake_telegram import FakeTelegram, open_fake_telegram
from tests.serving import (
    WEBHOOK,
    Answers,
    Crowd,
    Serving,
    Webhook,
    compare,
    learn_answers,
    open_webhook,
    replies_waiting,
    start,
    told_in,
)

PROCESSES = 3
UPDATES = 1500
AT_ONCE = 40
KILLED_UPDATES = 3000
KILLED_AT_ONCE = 12
KILL_SECONDS = 3.0
WARM, ONE, THREE, KILLED, ALONE = (Crowd(first, chats=500) for first in range(1, 50_001, 10_000))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where processes are started: their Telegram, their database and the directory of their log."""

    telegram: FakeTelegram
    database_url: str
    directory: Path

    async def start(self, processes: int) -> list[Serving]:
        starting = (start(self.telegram, self.database_url, self.directory, **WEBHOOK) for _ in range(processes))
        return list(await asyncio.gather(*starting))


async def measure() -> None:
    """Print updates a second with one and with three, and what was lost or doubled while they were killed."""
    print(f"Processes behind one webhook on one PostgreSQL, {os.cpu_count()} cores for all that runs here")
    with _postgresql() as url, tempfile.TemporaryDirectory() as directory:
        async with open_fake_telegram() as telegram:
            place = _Place(telegram, url, Path(directory))
            one = await _throughput(place, 1, ONE)
            three = await _throughput(place, PROCESSES, THREE)
            print(
                f"  1 process {one:5.0f} updates a second   {PROCESSES} processes {three:5.0f}   ratio {three / one:.2f}"
            )
            await _measure_killing(place)


async def _throughput(place: _Place, processes: int, crowd: Crowd) -> float:
    serving = await place.start(processes)
    try:
        async with open_webhook(*(each.address for each in serving)) as webhook:
            warm = [WARM.ask(place.telegram, number) for number in range(100 * processes)]
            await webhook.deliver_all(warm, AT_ONCE)
            updates = [crowd.ask(place.telegram, number) for number in range(UPDATES)]
            started = perf_counter()
            await webhook.deliver_all(updates, AT_ONCE)
            return UPDATES / (perf_counter() - started)
    finally:
        await _stop(serving)


async def _stop(serving: Sequence[Serving]) -> None:
    await asyncio.gather(*(each.stop() for each in serving))


async def _measure_killing(place: _Place) -> None:
    serving = await place.start(PROCESSES)
    try:
        async with open_webhook(*(each.address for each in serving)) as webhook:
            answers = await learn_answers(place.telegram, webhook, ALONE.first)
            started = perf_counter()
            kills = await _deliver_while_killing(place, webhook, serving)
            seconds = perf_counter() - started
            left = await _wait_until_sent(place.database_url)
            _report(place.telegram, answers, f"{kills} kills in {seconds:.0f} s", webhook, left)
    finally:
        await _stop(serving)


async def _deliver_while_killing(place: _Place, webhook: Webhook, serving: list[Serving]) -> int:
    """Until all was taken; how many processes were killed."""
    delivered = asyncio.Event()
    killing = asyncio.create_task(_kill_in_turn(place, webhook, serving, delivered))
    updates = [KILLED.ask(place.telegram, number) for number in range(KILLED_UPDATES)]
    await webhook.deliver_all(updates, KILLED_AT_ONCE)
    delivered.set()
    return await killing


async def _kill_in_turn(place: _Place, webhook: Webhook, serving: list[Serving], delivered: asyncio.Event) -> int:
    """Kill one and start another in its place, until all was `delivered`; how often."""
    for kills in count():
        with suppress(TimeoutError):
            await asyncio.wait_for(delivered.wait(), KILL_SECONDS)
            return kills
        number = kills % len(serving)
        await serving[number].kill()
        (serving[number],) = await place.start(1)
        webhook.addresses[number] = serving[number].address
    raise AssertionError("counting never ends")


async def _wait_until_sent(url: str) -> int:
    """Give what a killed process kept the time to be sent by another; how many replies still wait."""
    until = monotonic() + 3 * LEASE.total_seconds()
    async with storage.open_storage(url) as database:
        while (left := await replies_waiting(database)) and monotonic() < until:
            await asyncio.sleep(FLUSH_SECONDS)
    return left


def _report(telegram: FakeTelegram, answers: Answers, kills: str, webhook: Webhook, left: int) -> None:
    lost, doubled = compare(KILLED.expect(answers, KILLED_UPDATES), told_in(telegram))
    print(
        f"  {KILLED_UPDATES} updates to {PROCESSES} processes, {kills} (SIGKILL): "
        f"delivered again {webhook.again}   lost {lost}   doubled {doubled}   still waiting {left}"
    )
