"""How long it takes from `make run` to the first answer, on an installed environment and a new database."""

import asyncio
import os
import signal
import tempfile
from statistics import median
from time import perf_counter

import aiohttp

RUNS = 5


async def measure() -> None:
    times = [await _first_answer() for _ in range(RUNS)]
    print(f"From `make run` to the first answer, {RUNS} runs, seconds")
    print(f"  median {median(times):.2f}   slowest {max(times):.2f}")


async def _first_answer() -> float:
    with tempfile.TemporaryDirectory() as directory:
        environment = {
            **os.environ,
            "WEGWIJS_DATABASE_URL": f"sqlite:///{directory}/bench.db",
            "WEGWIJS_PORT": "8099",
        }
        quiet = asyncio.subprocess.DEVNULL
        started = perf_counter()
        process = await asyncio.create_subprocess_exec(
            "make", "run", env=environment, stdout=quiet, stderr=quiet, start_new_session=True
        )
        try:
            await _ask("http://127.0.0.1:8099/chat")
            return perf_counter() - started
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            await process.wait()


async def _ask(url: str) -> None:
    async with aiohttp.ClientSession() as client, asyncio.timeout(60):
        while True:
            try:
                async with client.post(url, json={"text": "where is Amal?"}) as response:
                    response.raise_for_status()
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.02)
