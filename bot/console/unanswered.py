"""What people asked and nobody could answer, put together where it is alike, to write into an entry or to put away."""

import asyncio
import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from bot import storage
from bot.console.console import Console, Visit
from bot.knowledge import editing
from bot.languages import LANGUAGES, SOURCE, Language
from bot.likeness import Alike, grouped
from bot.storage import unanswered
from bot.storage.unanswered import ADDED, LONGEST, PUT_AWAY, Unanswered
from bot.texts import marked
from bot.understanding import Understanding

PAGE = "/staff/unanswered"
MOST = 1000  # questions that are looked at, and that one form settles
ON_A_PAGE = 25  # groups
_LIKELY = 3
_LARGEST_NUMBER = 2**31 - 1  # of a row


@dataclass(frozen=True, slots=True)
class Likely:
    """An entry that a question is like. `percent`: about how often it is the right one."""

    slug: str
    title: str
    percent: int


@dataclass(frozen=True, slots=True)
class Group:
    """Questions in one language that are alike. `texts`: each way it was asked and how often, the most usual first."""

    ids: tuple[int, ...]
    language: Language
    question: str
    texts: tuple[tuple[str, int], ...]
    last: datetime.date


@dataclass(frozen=True, slots=True)
class _Filled:
    """A form that came back."""

    ids: tuple[int, ...] = ()
    entry: str = ""
    language: str = ""
    question: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """Which part of the list somebody looks at."""

    language: str
    number: int = 1

    def address(self, number: int | None = None, **more: str) -> str:
        values = {"language": self.language, "page": str(number or self.number), **more}
        return f"{PAGE}?{urlencode(values)}"


def add(console: Console) -> None:
    """Serve the unanswered questions."""
    console.get(PAGE, "editor", _list)
    console.post(f"{PAGE}/add", "editor", _add)
    console.post(f"{PAGE}/away", "editor", _put_away)


async def _list(visit: Visit) -> web.Response:
    return await _show(visit, _place(visit.request.query))


async def _add(visit: Visit) -> web.Response:
    """Write a question to an entry; it counts as dealt with once it stands in the file."""
    filled, place = _filled(visit.form), _place(visit.form, "list")
    if problems := _wrong(visit, filled):
        return await _show(visit, place, filled, problems)
    if not await _any_open(visit, filled.ids):
        return visit.go(place.address(done="before"))
    who = visit.session.member.label
    try:
        await editing.add_question(visit.console.directory, filled.entry, filled.language, filled.question, who)
    except editing.Refused as refused:
        return await _show(visit, place, filled, refused.said(visit.say))
    await _settle(visit, filled.ids, ADDED, marked("add question"), f"{filled.entry} {filled.language}")
    return visit.go(place.address(done="added"))


async def _put_away(visit: Visit) -> web.Response:
    filled, place = _filled(visit.form), _place(visit.form, "list")
    if not filled.ids:
        return await _show(visit, place, filled, [visit.say("Choose a question from the list.")])
    settled = await _settle(visit, filled.ids, PUT_AWAY, marked("put question away"))
    return visit.go(place.address(done="away" if settled else "before"))


async def _settle(visit: Visit, ids: Sequence[int], state: str, what: str, about: str = "") -> int:
    """Mark rows as dealt with; how many there were. Those that a colleague dealt with meanwhile stay as they are."""
    async with storage.begin(visit.console.database) as connection:
        settled = sum([await unanswered.settle(connection, number, state) for number in ids])
        if settled or state == ADDED:
            await visit.note(connection, what, f"{about} ({settled})".strip())
    return settled


async def _any_open(visit: Visit, ids: Sequence[int]) -> bool:
    async with storage.begin(visit.console.database) as connection:
        for number in ids:
            row = await unanswered.get(connection, number)
            if row and row.state == unanswered.OPEN:
                return True
    return False


# What came from outside


def _place(values: Mapping[str, str], language: str = "language") -> _Place:
    """The list that an address or a form speaks of; all of it where it speaks of none."""
    code, page = values.get(language, ""), values.get("page", "1")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 4 else 1
    return _Place(code if code in LANGUAGES else "", max(number, 1))


def _filled(form: dict[str, str]) -> _Filled:
    question = " ".join(form.get("question", "").split())
    return _Filled(_numbers(form.get("ids", "")), form.get("entry", ""), form.get("language", ""), question)


def _numbers(text: str) -> tuple[int, ...]:
    """The numbers of rows in a hidden field; none when it is not one that we wrote."""
    parts = text.split(",")
    if len(parts) > MOST or not all(part.isascii() and part.isdigit() and len(part) <= 10 for part in parts):
        return ()
    numbers = tuple(dict.fromkeys(map(int, parts)))
    return numbers if all(0 < number <= _LARGEST_NUMBER for number in numbers) else ()


def _wrong(visit: Visit, filled: _Filled) -> list[str]:
    """What cannot be done with a form, in sentences."""
    checks = (
        (filled.ids, visit.say("Choose a question from the list.")),
        (filled.entry in visit.snapshot.entries, visit.say("Choose an entry.")),
        (filled.language in LANGUAGES, visit.say("Choose a language.")),
        (filled.question, visit.say("Write the question.")),
        (
            len(filled.question) <= LONGEST,
            visit.say("The question is too long: at most {most} signs.", most=LONGEST),
        ),
    )
    return [sentence for good, sentence in checks if not good]


# The page


async def _show(
    visit: Visit, place: _Place, filled: _Filled | None = None, problems: Sequence[str] = ()
) -> web.Response:
    async with storage.begin(visit.console.database) as connection:
        rows = await unanswered.still_open(connection, place.language or None, MOST)
    groups = await asyncio.to_thread(groups_of, rows)
    back = _came_back(groups, filled)
    pages = max(1, -(-len(groups) // ON_A_PAGE))
    number = groups.index(back) // ON_A_PAGE + 1 if back else min(place.number, pages)
    place = _Place(place.language, number)
    first = (place.number - 1) * ON_A_PAGE
    shown = await asyncio.to_thread(_with_likely, groups[first : first + ON_A_PAGE], visit.understanding)
    return visit.show(
        "unanswered.html",
        status=422 if problems else 200,
        groups=shown,
        count=len(rows),
        most=MOST,
        longest=LONGEST,
        place=place,
        pages=pages,
        back=back,
        filled=filled,
        problems=problems,
        done=visit.request.query.get("done", ""),
        topics=_topics(visit),
    )


def groups_of(rows: Sequence[Unanswered]) -> list[Group]:
    """Rows put together where they are alike within a language, the largest group first, then the latest."""
    spoken: dict[str, list[Unanswered]] = {}
    for row in rows:
        spoken.setdefault(row.language, []).append(row)
    groups = [
        _group(own, alike)
        for code, own in spoken.items()
        if code in LANGUAGES
        for alike in grouped([row.text for row in own])
    ]
    return sorted(groups, key=lambda group: (-len(group.ids), -max(group.ids)))


def _group(rows: Sequence[Unanswered], alike: Alike) -> Group:
    own = [rows[place] for place in alike.places]
    return Group(
        ids=tuple(row.id for row in own),
        language=LANGUAGES[own[0].language],
        question=rows[alike.typical].text,
        texts=tuple(Counter(row.text for row in own).most_common()),
        last=max(row.day for row in own),
    )


def _came_back(groups: Sequence[Group], filled: _Filled | None) -> Group | None:
    """The group whose form came back; None when there was none, or all of it was dealt with meanwhile."""
    wanted = set(filled.ids) if filled else set()
    return next((group for group in groups if wanted.intersection(group.ids)), None)


def _with_likely(groups: Sequence[Group], understanding: Understanding) -> list[tuple[Group, tuple[Likely, ...]]]:
    return [(group, _likely(group, understanding)) for group in groups]


def _likely(group: Group, understanding: Understanding) -> tuple[Likely, ...]:
    """The entries that a question is most like now."""
    matches = understanding.understand(group.question, chosen=group.language).matches[:_LIKELY]
    entries = understanding.snapshot.entries
    return tuple(
        Likely(match.slug, entries[match.slug].text(SOURCE).title, round(100 * match.score)) for match in matches
    )


def _topics(visit: Visit) -> list[tuple[str, list[tuple[str, str]]]]:
    """All entries by topic, with their Dutch titles."""
    snapshot = visit.snapshot
    return [
        (topic.title(SOURCE), [(slug, snapshot.entries[slug].text(SOURCE).title) for slug in topic.entries])
        for topic in snapshot.topics.values()
    ]
