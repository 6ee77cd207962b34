"""Permanences: staff's files to values, what keeps them from being used, and what is only reported."""

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from bot.knowledge.facts import Fact, as_url
from bot.knowledge.problems import Problem, marked, problem
from bot.knowledge.schema import ExceptionFile, MomentFile, PermanenceFile, TimesFile
from bot.knowledge.written import FACTS, PERMANENCES, Written, YamlFile
from bot.languages import LANGUAGES
from bot.scheduling import Moment, Permanence

LONGEST_NAME = 24  # of the 64 bytes of a button, which also holds a time, a language and a number of people
_NAME = re.compile(rf"[A-Za-z0-9-]{{1,{LONGEST_NAME}}}")

Lists = tuple[tuple[str, Sequence[MomentFile] | Sequence[ExceptionFile]], ...]


def permanence_of(service: str, written: PermanenceFile, facts: Mapping[str, Fact]) -> Permanence:
    """The value that a file means. Every language has a title and something to bring, if need be a fallback's."""
    exceptions: dict[datetime.date, tuple[Moment, ...]] = {}
    for exception in written.exceptions:
        moment = _moment(exception, exception.date.weekday())
        exceptions[exception.date] = (*exceptions.get(exception.date, ()), moment)
    return Permanence(
        service=service,
        titles=_in_every_language(written.title, otherwise=service),
        bring=_in_every_language(written.bring),
        place=str(facts.get(written.place, "")),
        location=written.location,
        moments=tuple(_moment(moment, moment.weekday, moment.first, moment.last) for moment in written.moments),
        closed=frozenset(written.closed),
        exceptions=exceptions,
        on_holidays=written.holidays == "open",
        notice=datetime.timedelta(hours=written.latest),
        horizon=datetime.timedelta(days=written.earliest),
        most_open=written.most_open,
        most_people=written.most_people,
        per_person=written.places == "person",
        example=written.example,
    )


def _moment(
    times: TimesFile, weekday: int, first: datetime.date | None = None, last: datetime.date | None = None
) -> Moment:
    return Moment(weekday, times.start, times.end, times.slot, times.capacity, times.languages, first, last)


def _in_every_language(texts: Mapping[str, str], otherwise: str = "") -> Mapping[str, str]:
    there = {code: text.strip() for code, text in texts.items() if text.strip()}
    return {
        code: next((there[name] for name in (*language.chain, *there) if name in there), otherwise)
        for code, language in LANGUAGES.items()
    }


def faults_of(file: YamlFile[PermanenceFile], facts: Mapping[str, Fact]) -> Iterator[Problem]:
    """What keeps a file from being used, although each of its values can be read."""
    if not _NAME.fullmatch(file.path.stem):
        message = marked("name this file with letters a-z, digits and dashes, at most {longest}")
        yield problem(file.path, 1, message, longest=LONGEST_NAME, fault=True)
    fact = facts.get(file.content.place)
    if not isinstance(fact, str) or as_url(fact):
        message = marked("`place` names `{name}`, and {file} has no such address; mend the name or add it there")
        yield problem(file.path, file.line("place"), message, name=file.content.place, file=FACTS, fault=True)
    yield from _unknown_languages(file)
    for name, times in _lists(file.content):
        for place, each in enumerate(times):
            yield from _faults_of_times(file, each, name, place)
    yield from _overlaps(file)
    yield from _clashing_days(file)


def _lists(content: PermanenceFile) -> Lists:
    return ("moments", content.moments), ("exceptions", content.exceptions)


def _unknown_languages(file: YamlFile[PermanenceFile]) -> Iterator[Problem]:
    content = file.content
    named: list[tuple[str | int, ...]] = [("title", code) for code in content.title]
    named += [("bring", code) for code in content.bring]
    message = marked("`{code}` is not one of the languages ({codes}); mend or remove it")
    found = {where: str(where[-1]) for where in named}
    for name, times in _lists(content):
        for place, each in enumerate(times):
            found |= {(name, place, "languages", number): code for number, code in enumerate(each.languages)}
    for where, code in found.items():
        if code not in LANGUAGES:
            yield problem(file.path, file.line(*where), message, code=code, codes=" ".join(LANGUAGES), fault=True)


def _faults_of_times(file: YamlFile[PermanenceFile], times: TimesFile, *where: str | int) -> Iterator[Problem]:
    minutes = _minutes(times.end) - _minutes(times.start)
    if minutes <= 0:
        message = marked("this moment begins at {start} and ends at {end}; mend `from` or `to`")
        start, end = (f"{time:%H:%M}" for time in (times.start, times.end))
        yield problem(file.path, file.line(*where, "to"), message, start=start, end=end, fault=True)
    elif times.slot > minutes:
        message = marked("a slot of {slot} minutes does not fit in a moment of {minutes} minutes; make it shorter")
        yield problem(file.path, file.line(*where, "slot"), message, slot=times.slot, minutes=minutes, fault=True)
    if isinstance(times, MomentFile) and times.first and times.last and times.last < times.first:
        yield problem(file.path, file.line(*where, "last"), "`last` is before `first`; mend one of them", fault=True)


def _minutes(time: datetime.time) -> int:
    return time.hour * 60 + time.minute


def _overlaps(file: YamlFile[PermanenceFile]) -> Iterator[Problem]:
    message = marked("this moment overlaps with the one in line {line}; change the times or dates of one of them")
    for name, times in _lists(file.content):
        for (earlier, one), (later, other) in combinations(enumerate(times), 2):
            if _on_one_day(one, other) and one.start < other.end and other.start < one.end:
                line, twin = file.line(name, later, "from"), file.line(name, earlier, "from")
                yield problem(file.path, line, message, line=twin, fault=True)


def _on_one_day(one: TimesFile, other: TimesFile) -> bool:
    """Whether there can be a day that has both."""
    if isinstance(one, ExceptionFile) and isinstance(other, ExceptionFile):
        return one.date == other.date
    if isinstance(one, MomentFile) and isinstance(other, MomentFile):
        first = max(one.first or datetime.date.min, other.first or datetime.date.min)
        last = min(one.last or datetime.date.max, other.last or datetime.date.max)
        return one.weekday == other.weekday and first <= last
    return False


def _clashing_days(file: YamlFile[PermanenceFile]) -> Iterator[Problem]:
    """A day that is closed twice, or closed and an exception: nobody can know which was meant."""
    closed: dict[datetime.date, int] = {}
    for place, day in enumerate(file.content.closed):
        line = file.line("closed", place)
        if day in closed:
            message = marked("{date} stands already in line {line}; take one of them out")
            yield problem(file.path, line, message, date=day, line=closed[day], fault=True)
        closed.setdefault(day, line)
    for place, exception in enumerate(file.content.exceptions):
        if exception.date in closed:
            message = marked("{date} is closed in line {line} and has a moment here; take one of them out")
            line = file.line("exceptions", place, "date")
            yield problem(file.path, line, message, date=exception.date, line=closed[exception.date], fault=True)


def check_permanences(written: Written, today: datetime.date) -> Iterator[Problem]:
    """What is wrong in permanences that can be used all the same; `today` tells what is past."""
    for file in written.permanences.values():
        yield from _check_languages(file)
        yield from _check_whether_bookable(file)
        if not file.content.example:  # nobody keeps an example in step; it is replaced
            yield from _check_past(file, today)
    yield from _check_files(written.directory / PERMANENCES)


def _check_languages(file: YamlFile[PermanenceFile]) -> Iterator[Problem]:
    message = marked("`{name}` has no `{code}`; say it in {language}")
    for name, texts in (("title", file.content.title), ("bring", file.content.bring)):
        for code, language in LANGUAGES.items():
            if not texts.get(code, "").strip():
                yield problem(file.path, file.line(name), message, name=name, code=code, language=language.name)


def _check_whether_bookable(file: YamlFile[PermanenceFile]) -> Iterator[Problem]:
    content = file.content
    if not content.moments and not content.exceptions:
        yield problem(file.path, 1, "there is nothing to book; add `moments` or `exceptions`")
    if content.latest >= 24 * content.earliest:
        message = marked("nobody can book: `latest` is {hours} hours and `earliest` only {days} days; mend one of them")
        yield problem(file.path, file.line("latest"), message, hours=content.latest, days=content.earliest)


def _check_past(file: YamlFile[PermanenceFile], today: datetime.date) -> Iterator[Problem]:
    dates: dict[tuple[str | int, ...], datetime.date | None] = {}
    dates |= {("moments", place, "last"): moment.last for place, moment in enumerate(file.content.moments)}
    dates |= {("closed", place): day for place, day in enumerate(file.content.closed)}
    dates |= {("exceptions", place, "date"): each.date for place, each in enumerate(file.content.exceptions)}
    for where, day in dates.items():
        if day and day < today:
            yield problem(file.path, file.line(*where), "{date} is past; change it or take it out", date=day)


def _check_files(folder: Path) -> Iterator[Problem]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix != ".yaml" or path.name.startswith("."):
            yield problem(path, 1, "this file is not used; remove it, or let its name end in .yaml")
