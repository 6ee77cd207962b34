"""The figures in words for staff: one sheet a table, which the page, the charts and the spreadsheet file all show."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from babel.dates import format_date

from bot.console.console import Visit
from bot.figures import ANSWERS, ELSEWHERE, OTHERS, Bookings, Count, Figures, Parts
from bot.languages import LANGUAGES

HIDDEN = "<5"


@dataclass(frozen=True, slots=True)
class Row:
    """`language`: of the label, where it is not that of the page. `short`: the label under a bar, if not the same."""

    label: str
    cells: tuple[Count, ...]
    language: str = ""
    short: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table. `head`: what the rows are, and what each column counts; `total`: the last row, where there is one."""

    name: str
    title: str
    head: tuple[str, ...]
    rows: Sequence[Row]
    total: tuple[Count, ...] = ()
    chart: bool = True
    long: bool = False

    @property
    def is_visible(self) -> bool:
        """Whether a chart of it shows anything."""
        return any(cell is not None for row in self.rows for cell in row.cells)


def shown(count: Count) -> str:
    """A count as it is written."""
    return HIDDEN if count is None else str(count)


def sheets(visit: Visit, figures: Figures) -> list[Sheet]:
    """Every table of a period."""
    return [
        _days(visit, figures.days),
        _languages(visit, figures.languages),
        _answers(visit, figures.answers),
        _topics(visit, figures.topics),
        _others(visit, figures.others),
        _bookings(visit, figures.bookings),
        _helped(visit, figures.helped),
        _helped_least(visit, figures),
    ]


def _days(visit: Visit, days: Parts[datetime.date]) -> Sheet:
    locale = LANGUAGES[visit.language].cldr
    rows = [
        Row(format_date(day, "EEE d MMM y", locale=locale), (count,), short=format_date(day, "d MMM", locale=locale))
        for day, count in days.cells.items()
    ]
    head = visit.say("Day"), visit.say("Questions")
    return Sheet("days", visit.say("Questions per day"), head, rows, (days.total,), long=True)


def _languages(visit: Visit, languages: Parts[str]) -> Sheet:
    rows = [
        Row(f"{LANGUAGES[code].name} ({code})", (count,), language=code)
        for code, count in _largest_first(languages.cells)
    ]
    head = visit.say("Language"), visit.say("Questions")
    return Sheet("languages", visit.say("Questions per language"), head, rows, (languages.total,))


def _answers(visit: Visit, answers: Parts[str]) -> Sheet:
    names = {
        "answer": visit.say("Answered"),
        "suggest": visit.say("Suggested: “Do you mean …?”"),
        "decline": visit.say("No answer found"),
    }
    rows = [Row(names[what], (answers.cells[what],)) for what in ANSWERS]
    head = visit.say("Outcome"), visit.say("Questions")
    return Sheet("answers", visit.say("What became of the questions"), head, rows, (answers.total,))


def _topics(visit: Visit, topics: Parts[str]) -> Sheet:
    known = visit.snapshot.topics
    names = {slug: topic.title(visit.language) for slug, topic in known.items()}
    names[ELSEWHERE] = visit.say("Entries that are no longer there")
    rows = [Row(names.get(slug, slug), (count,)) for slug, count in _largest_first(topics.cells)]
    head = visit.say("Topic"), visit.say("Answers")
    return Sheet("topics", visit.say("Topics of the answers"), head, rows, (topics.total,))


def _others(visit: Visit, others: Mapping[str, Count]) -> Sheet:
    names = {
        "book": visit.say("Wanted an appointment"),
        "offers": visit.say("Looked for a course or an activity"),
        "handoff": visit.say("Asked for a person"),
        "talk": visit.say("Began a conversation with a person"),
        "smalltalk": visit.say("Greeted or thanked"),
    }
    rows = [Row(names[what], (others[what],)) for what in OTHERS]
    head = visit.say("What"), visit.say("Times")
    return Sheet("others", visit.say("What else people wrote"), head, rows, chart=False)


def _bookings(visit: Visit, bookings: Sequence[Bookings]) -> Sheet:
    names = {name: each.titles.get(visit.language, name) for name, each in visit.snapshot.permanences.items()}
    rows = [Row(names.get(each.service, each.service), each.cells) for each in bookings]
    head = (
        visit.say("Permanence"),
        visit.say("Booked"),
        visit.say("Arrived"),
        visit.say("Not come"),
        visit.say("Cancelled"),
    )
    return Sheet("bookings", visit.say("Bookings per permanence"), head, rows)


def _helped(visit: Visit, helped: Parts[bool]) -> Sheet:
    rows = [Row(visit.say("Yes"), (helped.cells[True],)), Row(visit.say("No"), (helped.cells[False],))]
    head = visit.say("Yes or no"), visit.say("Times")
    return Sheet("helped", visit.say("“Did this help?”"), head, rows, (helped.total,), chart=False)


def _helped_least(visit: Visit, figures: Figures) -> Sheet:
    entries = visit.snapshot.entries
    rows = [
        Row(entries[each.slug].text(visit.language).title if each.slug in entries else each.slug, (each.yes, each.no))
        for each in figures.helped_least
    ]
    head = visit.say("Entry"), visit.say("Helped"), visit.say("Did not help")
    return Sheet("helped-least", visit.say("Entries that helped least"), head, rows, chart=False)


def _largest_first(cells: Mapping[str, Count]) -> Iterable[tuple[str, Count]]:
    """The hidden ones come last, in the order that they always have: it tells nothing."""
    return sorted(cells.items(), key=lambda item: -(item[1] or 0))
