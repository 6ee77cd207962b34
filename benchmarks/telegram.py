"""Wegwijs and the echo bot, each as a process of its own, on the same fake Bot API server."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

from tests.fake_telegram import TOKEN, FakeTelegram, open_fake_telegram

UPDATES = 1000
CHATS = 100
QUESTION = "where is Amal and what is your phone number?"


async def measure() -> None:
    """Answer the same updates with both, and print throughput and processor time for one update."""
    print(f"Telegram by long polling, {UPDATES} updates in {CHATS} chats")
    figures = {}
    for name, command in {
        "echo bot": (sys.executable, "-m", "benchmarks.echo"),
        "wegwijs": (str(Path(sys.executable).with_name("wegwijs")), "serve"),
    }.items():
        async with open_fake_telegram() as telegram:
            figures[name] = await _run(name, telegram, command)
    print(
        f"  wegwijs / echo bot: throughput {figures['wegwijs'][0] / figures['echo bot'][0]:.2f}, "
        f"processor time {figures['wegwijs'][1] / figures['echo bot'][1]:.2f}"
    )


async def _run(name: str, telegram: FakeTelegram, command: tuple[str, ...]) -> tuple[float, float]:
    arguments = (TOKEN, telegram.url) if name == "echo bot" else ()
    async with _running(telegram, *command, *arguments) as process:
        await _answer(telegram, CHATS)  # until both have warmed up
        before, started = _processor_seconds(process.pid), perf_counter()
        await _answer(telegram, UPDATES)
        seconds, spent = perf_counter() - started, _processor_seconds(process.pid) - before
    rate, each = UPDATES / seconds, spent / UPDATES * 1000
    print(f"  {name:<10} {rate:7.0f} updates a second   {each:6.2f} ms of processor time each")
    return rate, each


@asynccontextmanager
async def _running(telegram: FakeTelegram, *command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    with tempfile.TemporaryDirectory() as directory:
        environment = {
            **os.environ,
            "WEGWIJS_TELEGRAM_TOKEN": TOKEN,
            "WEGWIJS_TELEGRAM_API": telegram.url,
            "WEGWIJS_DATABASE_URL": f"sqlite:///{directory}/bench.db",
            "WEGWIJS_PORT": "0",
        }
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=quiet, stderr=quiet)
        try:
            yield process
        finally:
            process.terminate()
            await process.wait()


async def _answer(telegram: FakeTelegram, count: int) -> None:
    """Bring `count` updates, and wait until each has its answer."""
    target = len(telegram.messages) + count
    for number in range(count):
        telegram.say(QUESTION, chat=1 + number % CHATS)
    async with asyncio.timeout(120):
        while len(telegram.messages) < target:
            await asyncio.sleep(0.005)


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
