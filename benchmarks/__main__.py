"""Print every figure: the right answer beside other methods, one answer in the process, Telegram beside an echo bot,
three processes beside one, and bookings beside bare inserts."""

import asyncio

from benchmarks import answers, bookings, matching, offers, processes, scaling, start, telegram

if __name__ == "__main__":
    matching.measure()
    scaling.measure()
    offers.measure()
    asyncio.run(answers.measure())
    asyncio.run(telegram.measure())
    asyncio.run(processes.measure())
    asyncio.run(start.measure())
    asyncio.run(bookings.measure())
