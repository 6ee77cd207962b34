"""How often things happened, as staff may see it: sums of counts, with the small ones hidden. No input or output.

Nobody may be found behind a number, so no count below `LEAST` is shown. Totals are shown, and whoever knows a total
and all cells but the hidden ones knows the sum of those. That sum says what a hidden cell holds when there is one of
them, or when all of them hold the same. So the next smallest is hidden too, until two hidden cells differ: which cells
are hidden depends on the counts alone, so that whatever they hold could as well stand in each other's place.
"""

import datetime
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.storage import tallies
from bot.storage.feedback import Feedback
from bot.storage.tallies import Tally

LEAST = 5
LEAST_HELPFUL = 10  # so many entries that helped least are named

ANSWERS = ("answer", "suggest", "decline")  # what can become of a question
OTHERS = ("book", "offers", "handoff", "talk", "smalltalk")  # what else people write
ELSEWHERE = ""  # the topic of entries that are gone

Key = TypeVar("Key", bound=Hashable)
Count = int | None  # None: hidden


@dataclass(frozen=True, slots=True)
class Parts(Generic[Key]):
    """Counts and their total, with the small ones hidden."""

    cells: Mapping[Key, Count]
    total: Count


@dataclass(frozen=True, slots=True)
class Helped:
    """How often an entry helped, and how often it did not."""

    slug: str
    yes: Count
    no: int

    @property
    def share(self) -> float:
        """How much of what is shown is "no"."""
        return self.no / (self.no + (self.yes or 0))


@dataclass(frozen=True, slots=True)
class Bookings:
    """What became of the bookings for a service."""

    service: str
    booked: Count
    fulfilled: Count
    noshow: Count
    cancelled: Count

    @property
    def cells(self) -> tuple[Count, Count, Count, Count]:
        return self.booked, self.fulfilled, self.noshow, self.cancelled


@dataclass(frozen=True, slots=True)
class Known:
    """What there can be counts of. Each has its cell, even when there was nothing: none looks the same as a few.

    `topics`: the topic of each entry.
    """

    days: Sequence[datetime.date]
    languages: Collection[str]
    topics: Mapping[str, str]
    services: Collection[str]


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is shown of a period."""

    days: Parts[datetime.date]
    languages: Parts[str]
    answers: Parts[str]
    topics: Parts[str]
    others: Mapping[str, Count]
    helped: Parts[bool]
    helped_least: Sequence[Helped]
    bookings: Sequence[Bookings]


def days_of(first: datetime.date, last: datetime.date) -> list[datetime.date]:
    """Each day from `first` to `last`, both included."""
    return [first + datetime.timedelta(days=number) for number in range((last - first).days + 1)]


# Hiding


def hide(counts: Mapping[Key, int]) -> dict[Key, Count]:
    """`counts`, with None for the small ones and for as many of the next as keep anybody from computing those."""
    cut = _cut(sorted(counts.values()))
    return {key: count if count > cut else None for key, count in counts.items()}


def _cut(ascending: Sequence[int]) -> int:
    """The largest count that is hidden; -1 when all are shown."""
    small = [count for count in ascending if count < LEAST]
    if not small:
        return -1
    if small[0] != small[-1]:
        return small[-1]
    return next((count for count in ascending if count > small[0]), small[0])


def parts(counts: Mapping[Key, int], *, total_is_shown: bool = True) -> Parts[Key]:
    """`counts` and their total. When others must not know the total, nothing that adds up to it is shown."""
    total = sum(counts.values())
    if total < LEAST or not total_is_shown:
        return Parts(dict.fromkeys(counts), None)
    return Parts(hide(counts), total)


# Counting


def figures(counted: Iterable[Tally], helped: Iterable[Feedback], known: Known) -> Figures:
    """What `counted` and `helped` add up to."""
    spoken = [tally for tally in counted if tally.language in known.languages]
    questions = [tally for tally in spoken if tally.what in ANSWERS]
    answers = parts(_sums(ANSWERS, ((tally.what, tally.count) for tally in questions)))
    said = [each for each in helped if each.language in known.languages]
    total_helped = parts(_sums((True, False), ((each.helped, each.count) for each in said)))
    return Figures(
        days=parts(_sums(known.days, ((tally.day, tally.count) for tally in questions))),
        languages=parts(_sums(known.languages, ((tally.language, tally.count) for tally in questions))),
        answers=answers,
        topics=_topics(questions, answers, known),
        others=hide_small(_sums(OTHERS, ((tally.what, tally.count) for tally in spoken if tally.what in OTHERS))),
        helped=total_helped,
        helped_least=_helped_least(said, total_helped, known),
        bookings=_bookings(spoken, known),
    )


def hide_small(counts: Mapping[Key, int]) -> dict[Key, Count]:
    """`counts` that add up to nothing that is shown, with None for the small ones."""
    return {key: count if count >= LEAST else None for key, count in counts.items()}


def _sums(keys: Iterable[Key], counted: Iterable[tuple[Key, int]]) -> dict[Key, int]:
    sums: Counter[Key] = Counter(dict.fromkeys(keys, 0))
    for key, count in counted:
        sums[key] += count
    return dict(sums)


def _topics(questions: Iterable[Tally], answers: Parts[str], known: Known) -> Parts[str]:
    """What the answers were about; they add up to the answers, so both are shown or neither."""
    about = ((known.topics.get(tally.about, ELSEWHERE), tally.count) for tally in questions if tally.what == "answer")
    every = (*dict.fromkeys(known.topics.values()), ELSEWHERE)
    return parts(_sums(every, about), total_is_shown=answers.cells["answer"] is not None)


def _helped_least(said: Sequence[Feedback], total: Parts[bool], known: Known) -> list[Helped]:
    """The entries that helped least. The order follows from what is shown, so that it tells nothing else."""
    slugs = dict.fromkeys((*known.topics, *(each.slug for each in said)))
    shown = {
        helped: parts(
            _sums(slugs, ((each.slug, each.count) for each in said if each.helped is helped)),
            total_is_shown=total.cells[helped] is not None,
        )
        for helped in (True, False)
    }
    entries = [Helped(slug, shown[True].cells[slug], no) for slug, no in shown[False].cells.items() if no is not None]
    return sorted(entries, key=lambda entry: (-entry.share, -entry.no, entry.slug))[:LEAST_HELPFUL]


def _bookings(spoken: Iterable[Tally], known: Known) -> list[Bookings]:
    """Each service that there is, and each that is gone if anything can be shown of it."""
    ends = (tallies.FULFILLED, tallies.NOSHOW, tallies.CANCELLED)
    counts = Counter[tuple[str, str]]()
    for tally in spoken:
        if tally.what in (*ends, tallies.BOOKED):
            counts[tally.about, tally.what] += tally.count
    services = dict.fromkeys((*known.services, *sorted({service for service, _ in counts})))
    rows = [_row(service, {what: counts[service, what] for what in (tallies.BOOKED, *ends)}) for service in services]
    return [row for row in rows if row.service in known.services or any(cell is not None for cell in row.cells)]


def _row(service: str, counts: Mapping[str, int]) -> Bookings:
    """How the bookings ended adds up to about the bookings, once their day has come."""
    booked = counts[tallies.BOOKED]
    ends = hide({what: count for what, count in counts.items() if what != tallies.BOOKED})
    return Bookings(
        service,
        booked if booked >= LEAST else None,
        ends[tallies.FULFILLED],
        ends[tallies.NOSHOW],
        ends[tallies.CANCELLED],
    )
