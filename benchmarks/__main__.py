"""Print every figure: one answer in the process, and Telegram beside a bare echo bot."""

import asyncio

from benchmarks import answers, start, telegram

if __name__ == "__main__":
    asyncio.run(answers.measure())
    asyncio.run(telegram.measure())
    asyncio.run(start.measure())
