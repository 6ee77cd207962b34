"""Wegwijs and the echo bot, each as a process of its own, on the same fake Bot API server."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from bot.storage.events import LEASE
from tests.fake_telegram import TOKEN, FakeTelegram, Fields, Message, open_fake_telegram
from tests.serving import WEBHOOK, Crowd, Webhook, compare, learn_answers, open_webhook, start, told_in

ROUNDS = 3  # of both in turn, so that both meet the same machine
UPDATES = 1000
CHATS = 100
QUESTION = "where is Amal and what is your phone number?"
STEADY = Crowd(first=100_000, chats=UPDATES)  # each asks once
MANY, FEW = 20_000, 5_000
TWICE = 10  # every so many updates, one comes twice
LATER = 500  # updates between the two, for half of those; the others come twice at once
AT_ONCE = 40  # as many as Telegram sends at once to a webhook that asks for no other number
CROWD = Crowd(first=1, chats=2000)

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Updates a second, milliseconds of processor time for each, and the reply p99 in ms at a steady rate."""

    rate: float
    each: float
    p99: float


async def measure() -> None:
    """Print throughput, processor time and reply time beside the echo bot's; then what became of many updates."""
    print(f"Telegram by long polling, {UPDATES} updates in {CHATS} chats, median of {ROUNDS} rounds")
    pairs = [await _round() for _ in range(ROUNDS)]
    _report("echo bot", [echo for echo, _ in pairs])
    _report("wegwijs", [ours for _, ours in pairs])
    ratios = {
        "throughput": [ours.rate / echo.rate for echo, ours in pairs],
        "processor time": [ours.each / echo.each for echo, ours in pairs],
        "reply p99": [ours.p99 / echo.p99 for echo, ours in pairs],
    }
    print("  wegwijs / echo bot: " + ", ".join(f"{name} {median(each):.2f}" for name, each in ratios.items()))
    await _measure_many()


async def _round() -> tuple[Figures, Figures]:
    """The echo bot, and then wegwijs at the same steady rate."""
    async with open_fake_telegram() as telegram:
        echo = await _figures(telegram, (sys.executable, "-m", "benchmarks.echo", TOKEN, telegram.url))
    async with open_fake_telegram() as telegram:
        serve = str(Path(sys.executable).with_name("wegwijs")), "serve"
        return echo, await _figures(telegram, serve, echo.rate / 2)


def _report(name: str, rounds: Sequence[Figures]) -> None:
    rate, each, p99 = (median(getattr(figures, field) for figures in rounds) for field in ("rate", "each", "p99"))
    print(
        f"  {name:<10} {rate:7.0f} updates a second   {each:6.2f} ms of processor time each   "
        f"reply p99 {p99:6.1f} ms at half the echo bot's throughput"
    )


async def _figures(telegram: FakeTelegram, command: Command, steady: float | None = None) -> Figures:
    """`steady`: updates a second for the reply time; without it, half of what this one can."""
    async with _running(telegram, *command) as process:
        await _answer(telegram, CHATS)  # until both have warmed up
        before, started = _processor_seconds(process.pid), perf_counter()
        await _answer(telegram, UPDATES)
        seconds, spent = perf_counter() - started, _processor_seconds(process.pid) - before
        rate, each = UPDATES / seconds, spent / UPDATES * 1000
        for _ in range(2):  # the first time each answer is drawn up; the second is what everybody else waits for
            times = await _reply_times(telegram, steady or rate / 2)
    return Figures(rate, each, 1000 * sorted(times)[len(times) * 99 // 100])


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


# Reply time at a steady rate


class _Noted(list[Message]):
    """Messages, with the moment at which the first came in each chat."""

    def __init__(self) -> None:
        super().__init__()
        self.at: dict[int, float] = {}

    def append(self, message: Message) -> None:
        self.at.setdefault(message.chat, perf_counter())
        super().append(message)


async def _reply_times(telegram: FakeTelegram, rate: float) -> list[float]:
    """Seconds from an update being there to its reply. Updates come at this rate, whether or not the bot keeps up."""
    telegram.messages = noted = _Noted()
    brought: dict[int, float] = {}
    started = perf_counter()
    for number in range(UPDATES):
        due = started + number / rate
        if (early := due - perf_counter()) > 0:
            await asyncio.sleep(early)
        brought[STEADY.chat(number)] = due
        STEADY.ask(telegram, number)
    async with asyncio.timeout(120):
        while len(noted.at) < UPDATES:
            await asyncio.sleep(0.005)
    return [noted.at[chat] - due for chat, due in brought.items()]


# Many updates


async def _measure_many() -> None:
    """By webhook, some of them twice: is anything lost or doubled, and does memory stay flat?"""
    print(f"{MANY} updates in {CROWD.chats} chats by webhook, {AT_ONCE} at once, one of {TWICE} delivered twice")
    with tempfile.TemporaryDirectory() as directory:
        async with open_fake_telegram() as telegram:
            serving = await start(telegram, f"sqlite:///{directory}/bench.db", Path(directory), **WEBHOOK)
            try:
                async with open_webhook(serving.address) as webhook:
                    await _deliver_many(telegram, webhook, serving.process.pid)
            finally:
                await serving.stop()


async def _deliver_many(telegram: FakeTelegram, webhook: Webhook, pid: int) -> None:
    answers = await learn_answers(telegram, webhook, first=STEADY.first)
    updates = [CROWD.ask(telegram, number) for number in range(MANY)]
    started = perf_counter()
    await webhook.deliver_all(_some_twice(updates[:FEW]), AT_ONCE)
    few = _resident(pid)
    await webhook.deliver_all(_some_twice(updates[FEW:]), AT_ONCE)
    many, seconds = _resident(pid), perf_counter() - started
    await asyncio.sleep(LEASE.total_seconds() + 10)  # what was kept by mistake would come now
    expected = CROWD.expect(answers, MANY)
    lost, doubled = compare(expected, told_in(telegram))
    print(
        f"  messages expected {sum(each.total() for each in expected.values())}   lost {lost}   doubled {doubled}   sent again {webhook.again}   "
        f"{MANY * (1 + 1 / TWICE) / seconds:.0f} deliveries a second"
    )
    print(
        f"  memory after {FEW} updates {few:.0f} MB, after {MANY} {many:.0f} MB: "
        f"{100 * (many / few - 1):+.1f} % (flat is less than 10 % more)"
    )


def _some_twice(updates: Sequence[Fields]) -> list[Fields]:
    """Each in its turn; of those that come twice, half come again at once, and half after a while."""
    places = [(float(place), update) for place, update in enumerate(updates)]
    for nth, place in enumerate(range(0, len(updates), TWICE)):
        places.append((place + (0.5 if nth % 2 else LATER + 0.5), updates[place]))
    return [update for _, update in sorted(places, key=lambda placed: placed[0])]


def _resident(pid: int) -> float:
    """Megabytes of memory in use."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
