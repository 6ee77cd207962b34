"""Figures: counts of the right things, and nothing by which a small one can be known."""

import csv
import datetime
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from html import unescape

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.console.figures import _harmless
from bot.console.sheets import Row, Sheet
from bot.figures import ANSWERS, LEAST, OTHERS, Count, Figures, Known, Parts, days_of, figures, hide, parts
from bot.storage import feedback, tallies
from bot.storage.feedback import Feedback
from bot.storage.schema import feedback as feedback_table
from bot.storage.schema import tallies as tallies_table
from bot.storage.tallies import Tally
from bot.understanding import Understanding
from tests.conftest import NOW, Clock
from tests.console_client import Client, open_console, sign_in

TODAY = NOW.date()
YESTERDAY = TODAY - datetime.timedelta(days=1)
ENTRY, OTHER_ENTRY = "school-find", "contact"

Counts = list[int]

_UNHURRIED = settings(deadline=None)  # a busy machine is no failure


# What nobody may work out


def _vectors(length: int, total: int) -> Iterator[tuple[int, ...]]:
    if length == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in _vectors(length - 1, total - first))


def _shown(counts: Iterable[int]) -> tuple[list[Count], Count]:
    made = parts(dict(enumerate(counts)))
    return list(made.cells.values()), made.total


def _could_be(cells: list[Count], total: int) -> list[tuple[int, ...]]:
    """All counts that look the same to somebody who knows the total, and how we hide."""
    hidden = [number for number, cell in enumerate(cells) if cell is None]
    rest = total - sum(cell for cell in cells if cell is not None)
    found = []
    for guess in _vectors(len(hidden), rest) if hidden else [()]:
        counts = [cell if cell is not None else 0 for cell in cells]
        for number, value in zip(hidden, guess, strict=True):
            counts[number] = value
        if _shown(counts)[0] == cells:
            found.append(tuple(counts))
    return found


def _is_safe(counts: Iterable[int]) -> bool:
    cells, total = _shown(counts)
    if total is None:
        return all(cell is None for cell in cells)
    possible = _could_be(cells, total)
    return all(len({each[number] for each in possible}) > 1 for number, cell in enumerate(cells) if cell is None)


@_UNHURRIED
@given(st.lists(st.integers(0, 12), min_size=1, max_size=4))
def test_whoever_knows_the_total_and_the_rule_cannot_work_out_a_hidden_cell(counts: Counts) -> None:
    assert _is_safe(counts)


def test_no_hidden_cell_can_be_worked_out_in_any_row_of_three_small_counts() -> None:
    assert [counts for counts in itertools.product(range(9), repeat=3) if not _is_safe(counts)] == []


def test_hiding_only_the_small_ones_would_tell_them() -> None:
    """The twin of the test above, without the guard."""
    total, shown = 20 + 3, [20, None]
    assert total - sum(cell or 0 for cell in shown) == 3


@_UNHURRIED
@given(st.lists(st.integers(0, 500), max_size=40))
def test_no_small_count_is_shown_and_a_shown_one_is_right(counts: Counts) -> None:
    made = parts(dict(enumerate(counts)))
    assert made.total is None or made.total == sum(counts) >= LEAST
    for number, cell in made.cells.items():
        assert cell is None or cell == counts[number] >= LEAST


@_UNHURRIED
@given(st.lists(st.integers(0, 500), min_size=2, max_size=40))
def test_hidden_cells_are_none_or_at_least_two_and_can_change_places(counts: Counts) -> None:
    made = hide(dict(enumerate(counts)))
    hidden = [number for number, cell in made.items() if cell is None]
    assert len(hidden) != 1
    changed = list(counts)
    for number, other in zip(hidden, [*hidden[1:], *hidden[:1]], strict=True):
        changed[number] = counts[other]
    assert hide(dict(enumerate(changed))) == made


def test_one_small_cell_takes_the_next_smallest_with_it() -> None:
    assert hide({"nl": 40, "uk": 3, "ar": 9}) == {"nl": 40, "uk": None, "ar": None}


def test_small_cells_that_hold_the_same_take_the_next_smallest_with_them() -> None:
    assert hide({"nl": 40, "uk": 0, "ar": 0, "fr": 9}) == {"nl": 40, "uk": None, "ar": None, "fr": None}


def test_small_cells_that_differ_hide_nothing_else() -> None:
    assert hide({"nl": 40, "uk": 1, "ar": 0, "fr": 9}) == {"nl": 40, "uk": None, "ar": None, "fr": 9}


def test_what_adds_up_to_a_hidden_total_is_hidden() -> None:
    assert parts({"a": 10, "b": 20}, total_is_shown=False) == Parts({"a": None, "b": None}, None)


# All tables together

_KNOWN = Known(
    days=days_of(YESTERDAY, TODAY),
    languages=("nl", "uk"),
    topics={"a": "school", "b": "school", "c": "money"},
    services=("school",),
)
_COUNT = st.integers(1, 12)
_TALLIES = st.lists(
    st.builds(
        Tally,
        st.sampled_from(_KNOWN.days),
        st.sampled_from((*ANSWERS, *OTHERS, "booked", "cancelled", "fulfilled", "noshow")),
        st.sampled_from(("a", "c", "gone", "school", "")),
        st.sampled_from(("nl", "uk")),
        _COUNT,
    ),
    max_size=12,
)
_FEEDBACK = st.lists(
    st.builds(
        Feedback,
        st.sampled_from(_KNOWN.days),
        st.sampled_from(("a", "b", "c", "gone")),
        st.sampled_from(("nl", "uk")),
        st.booleans(),
        _COUNT,
    ),
    max_size=12,
)


def _cells_of(made: Figures) -> Iterator[Count]:
    for table in (made.days, made.languages, made.answers, made.topics, made.helped):
        yield from (*table.cells.values(), table.total)
    yield from made.others.values()
    yield from itertools.chain.from_iterable((each.yes, each.no) for each in made.helped_least)
    yield from itertools.chain.from_iterable(each.cells for each in made.bookings)


@_UNHURRIED
@given(_TALLIES, _FEEDBACK)
def test_no_table_shows_a_small_count(counted: list[Tally], helped: list[Feedback]) -> None:
    assert all(cell is None or cell >= LEAST for cell in _cells_of(figures(counted, helped, _KNOWN)))


@_UNHURRIED
@given(_TALLIES, _FEEDBACK)
def test_no_table_adds_up_to_what_another_hides(counted: list[Tally], helped: list[Feedback]) -> None:
    made = figures(counted, helped, _KNOWN)
    assert made.days.total == made.languages.total == made.answers.total
    assert made.topics.total == made.answers.cells["answer"]
    if made.topics.total is None:
        assert set(made.topics.cells.values()) == {None}
    for helps, cell in made.helped.cells.items():
        if cell is None:
            assert {each.yes if helps else each.no for each in made.helped_least} <= {None}


@_UNHURRIED
@given(_TALLIES, _FEEDBACK)
def test_the_order_of_what_helped_least_tells_nothing_that_is_hidden(
    counted: list[Tally], helped: list[Feedback]
) -> None:
    named = figures(counted, helped, _KNOWN).helped_least
    assert sorted(named, key=lambda each: (-each.no / (each.no + (each.yes or 0)), -each.no, each.slug)) == named


def _bookings(booked: int, fulfilled: int, noshow: int, cancelled: int, service: str = "school") -> list[Tally]:
    counts = {"booked": booked, "fulfilled": fulfilled, "noshow": noshow, "cancelled": cancelled}
    return [Tally(TODAY, what, service, "nl", count) for what, count in counts.items() if count]


def test_who_did_not_come_cannot_be_taken_from_the_bookings() -> None:
    (row,) = figures(_bookings(30, 20, 2, 8), [], _KNOWN).bookings
    assert row.cells == (30, 20, None, None)


def test_a_service_that_is_gone_is_named_while_something_of_it_can_be_shown() -> None:
    made = figures([*_bookings(30, 10, 10, 10, "old"), *_bookings(1, 1, 0, 0, "tiny")], [], _KNOWN).bookings
    assert [row.service for row in made] == ["school", "old"]


def test_answers_with_an_entry_that_is_gone_have_a_row_of_their_own() -> None:
    counted = [Tally(TODAY, "answer", "a", "nl", 10), Tally(TODAY, "answer", "gone", "nl", 3)]
    counted += [Tally(TODAY, what, "", "nl", 30) for what in ("suggest", "decline")]
    made = figures([*counted, Tally(TODAY, "answer", "c", "nl", 2)], [], _KNOWN)
    assert made.topics == Parts({"school": 10, "money": None, "": None}, 15)


# The page


async def _count(database: AsyncEngine, *counted: Tally | Feedback) -> None:
    async with storage.begin(database) as connection:
        for each in counted:
            table = tallies_table if isinstance(each, Tally) else feedback_table
            values = {name: getattr(each, name) for name in each.__slots__}
            await connection.execute(insert(table).values(values))


def _some() -> tuple[Tally | Feedback, ...]:
    return (
        Tally(TODAY, "answer", ENTRY, "nl", 40),
        Tally(TODAY, "answer", OTHER_ENTRY, "ar", 17),
        Tally(YESTERDAY, "suggest", ENTRY, "uk", 3),
        Tally(YESTERDAY, "suggest", ENTRY, "ti", 9),
        Tally(YESTERDAY, "decline", "", "nl", 11),
        Tally(TODAY, "smalltalk", "", "nl", 25),
        Tally(TODAY, "handoff", "", "nl", 4),
        Tally(TODAY, "booked", "school", "nl", 31),
        Tally(TODAY, "fulfilled", "school", "nl", 18),
        Tally(TODAY, "noshow", "school", "nl", 6),
        Tally(TODAY, "cancelled", "school", "nl", 7),
        Tally(TODAY - datetime.timedelta(days=28), "answer", ENTRY, "nl", 1000),
        Feedback(TODAY, ENTRY, "nl", True, 21),
        Feedback(TODAY, ENTRY, "nl", False, 13),
        Feedback(TODAY, OTHER_ENTRY, "nl", False, 2),
    )


_ROW = re.compile(r"<tr>\s*<th scope=\"row\">(.*?)</th>(.*?)</tr>", re.DOTALL)


def _tables(page: str) -> dict[str, dict[str, list[str]]]:
    """The tables of the page as somebody reads them: title, row, cells."""
    found = {}
    for table in re.findall(r"<table.*?</table>", page, re.DOTALL):
        title = re.search(r"<caption[^>]*>(.*?)</caption>", table)
        assert title
        rows = _ROW.findall(table)
        found[unescape(title[1])] = {
            unescape(re.sub(r"<[^>]+>", "", name)): [unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", cells)]
            for name, cells in rows
        }
    return found


async def _get(client: Client, path: str) -> tuple[int, str]:
    response = await client.get(path, headers={"Accept-Language": "en"})
    return response.status, await response.text()


async def _read(client: Client, query: str = "") -> dict[str, dict[str, list[str]]]:
    status, page = await _get(client, f"/staff/figures{query}")
    assert status == 200
    return _tables(page)


async def test_the_page_shows_the_last_four_weeks(
    database: AsyncEngine, understanding: Understanding, clock: Clock
) -> None:
    await _count(database, *_some())
    async with open_console(database, understanding, clock) as client:
        await sign_in(client, database, NOW)
        tables = await _read(client)
    days = tables["Questions per day"]
    assert len(days) == 28 + 1
    assert days["Mon 23 Nov 2026"] == ["57"]
    assert days["Sun 22 Nov 2026"] == ["<5"]  # all other days hold nothing, and with the total one could tell
    assert days["Total"] == ["80"]


async def test_the_page_counts_what_people_asked_and_what_became_of_it(
    database: AsyncEngine, understanding: Understanding, clock: Clock
) -> None:
    await _count(database, *_some())
    async with open_console(database, understanding, clock) as client:
        await sign_in(client, database, NOW)
        tables = await _read(client)
    languages = tables["Questions per language"]
    assert len(languages) == 24 + 1
    assert (languages["Nederlands (nl)"], languages["العربية (ar)"], languages["ትግርኛ (ti)"]) == (["51"], ["17"], ["9"])
    assert (languages["Українська (uk)"], languages["Shqip (sq)"], languages["Total"]) == (["<5"], ["<5"], ["80"])
    assert list(tables["What became of the questions"].values()) == [["57"], ["12"], ["11"], ["80"]]
    assert list(tables["What else people wrote"].values()) == [["<5"], ["<5"], ["<5"], ["<5"], ["25"]]
    assert ["31", "18", "6", "7"] in tables["Bookings per permanence"].values()


async def test_the_page_names_the_entries_that_helped_least(
    database: AsyncEngine, understanding: Understanding, clock: Clock
) -> None:
    await _count(database, *_some())
    title = understanding.snapshot.entries[ENTRY].text("en").title
    async with open_console(database, understanding, clock) as client:
        await sign_in(client, database, NOW)
        tables = await _read(client)
    assert tables["“Did this help?”"] == {"Yes": ["21"], "No": ["15"], "Total": ["36"]}
    # All other entries hold the same number of "yes", none, so that of this one is hidden too.
    assert tables["Entries that helped least"] == {title: ["<5", "13"]}


async def test_a_period_of_one_day_counts_that_day_alone(
    database: AsyncEngine, understanding: Understanding, clock: Clock
) -> None:
    await _count(database, *_some(), Tally(YESTERDAY, "decline", "", "en", 20))
    async with open_console(database, understanding, clock) as client:
        await sign_in(client, database, NOW)
        tables = await _read(client, f"?from={YESTERDAY}&to={YESTERDAY}")
    assert tables["Questions per day"] == {"Sun 22 Nov 2026": ["43"], "Total": ["43"]}


async def test_a_page_of_nothing_shows_no_number(
    database: AsyncEngine, understanding: Understanding, clock: Clock
) -> None:
    async with open_console(database, understanding, clock) as client:
        await sign_in(client, database, NOW)
        status, page = await _get(client, "/staff/figures")
    assert status == 200
    assert {cell for table in _tables(page).values() for cells in table.values() for cell in cells} == {"<5"}
    assert "<img class" not in page


async def test_a_period_that_cannot_be_is_explained_and_kept_in_the_form(
    database: AsyncEngine, understanding: Understanding, clock: Clock
) -> None:
    wrong = {
        '?from="><b>&to=2026-11-01': "not a date",
        "?to=0001-01-02": "not a date",
        "?from=2026-11-20&to=2026-11-10": "comes after",
        "?from=2026-11-20&to=2026-11-24": "has not come",
        "?from=2025-11-22&to=2026-11-23": "at most 366 days",
    }
    async with open_console(database, understanding, clock) as client:
        await sign_in(client, database, NOW)
        for query, sentence in wrong.items():
            status, page = await _get(client, f"/staff/figures{query}")
            assert (status, 'role="alert"' in page) == (422, True), query
            assert sentence in page
            for path in ("/staff/figures.csv", "/staff/figures/chart/days.svg"):
                assert (await client.get(path + query)).status == 422
        assert "&#34;&gt;&lt;b&gt;" in (await _get(client, '/staff/figures?from="><b>'))[1]
        assert (await _get(client, "/staff/figures?from=2025-11-23&to=2026-11-23"))[0] == 200


async def test_the_page_runs_nothing_inline(database: AsyncEngine, understanding: Understanding, clock: Clock) -> None:
    await _count(database, *_some())
    async with open_console(database, understanding, clock) as client:
        await sign_in(client, database, NOW)
        _, page = await _get(client, "/staff/figures")
    assert not re.search(r"\sstyle=|<style|<script(?! src=)|\son[a-z]+=", page)
    assert page.count("<img class") == page.count("The table below says the same in numbers.") == 5


async def test_only_who_is_signed_in_sees_figures(
    database: AsyncEngine, understanding: Understanding, clock: Clock
) -> None:
    async with open_console(database, understanding, clock) as client:
        for path in ("/staff/figures", "/staff/figures.csv", "/staff/figures/chart/days.svg"):
            assert (await client.get(path)).status == 404


# Pictures


async def test_each_picture_is_without_scripts_and_styles_and_has_no_bar_for_what_is_hidden(
    database: AsyncEngine, understanding: Understanding, clock: Clock
) -> None:
    await _count(database, *_some())
    bars = {"days": 1, "languages": 3, "answers": 3, "topics": 1, "bookings": 4}
    async with open_console(database, understanding, clock) as client:
        await sign_in(client, database, NOW)
        for name, number in bars.items():
            response = await client.get(f"/staff/figures/chart/{name}.svg")
            assert (response.status, response.content_type) == (200, "image/svg+xml")
            picture = await response.read()
            assert set(re.findall(rb"<([a-z]+)", picture)) == {
                b"svg",
                b"defs",
                b"title",
                b"g",
                b"rect",
                b"path",
                b"text",
            }
            assert not re.search(rb"\sstyle=|href=|\son[a-z]+=", picture)
            assert picture.count(b'class="bar"') == number, name


async def test_a_picture_of_nothing_says_so_and_an_unknown_one_is_not_there(
    database: AsyncEngine, understanding: Understanding, clock: Clock
) -> None:
    async with open_console(database, understanding, clock) as client:
        await sign_in(client, database, NOW)
        assert "Nothing to show" in (await _get(client, "/staff/figures/chart/days.svg"))[1]
        for name in ("helped", "secrets", "..%2Fdays"):
            assert (await client.get(f"/staff/figures/chart/{name}.svg")).status == 404


# The file


async def test_the_file_holds_what_the_page_holds(
    database: AsyncEngine, understanding: Understanding, clock: Clock
) -> None:
    await _count(database, *_some())
    async with open_console(database, understanding, clock) as client:
        await sign_in(client, database, NOW)
        tables = await _read(client)
        response = await client.get("/staff/figures.csv", headers={"Accept-Language": "en"})
        text = (await response.read()).decode("utf-8-sig")
    assert response.content_type == "text/csv"
    assert 'filename="wegwijs-2026-10-27-2026-11-23.csv"' in response.headers["Content-Disposition"]
    head, *rows, note = csv.reader(io.StringIO(text, newline=""))
    assert (head, note[0]) == (["Table", "Row", "Column", "Count"], "<5")
    for title, table in tables.items():
        for name, cells in table.items():
            assert [count for sheet, row, _, count in rows if (sheet, row) == (title, name)] == cells


def test_no_cell_of_the_file_is_a_formula() -> None:
    for formula in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"):
        assert _harmless(formula) == f"'{formula}"
    for text in ("<5", "12", "school", "العربية (ar)", ""):
        assert _harmless(text) == text


def test_a_sheet_without_a_visible_cell_has_no_picture() -> None:
    assert not Sheet("x", "X", ("a", "b"), [Row("a", (None,))]).is_visible
    assert Sheet("x", "X", ("a", "b"), [Row("a", (None,)), Row("b", (5,))]).is_visible


# Storage


async def test_feedback_is_read_for_the_days_that_are_asked_for(database: AsyncEngine) -> None:
    before = YESTERDAY - datetime.timedelta(days=1)
    async with storage.begin(database) as connection:
        for day, helped in ((before, True), (YESTERDAY, True), (YESTERDAY, True), (TODAY, False)):
            await feedback.count(connection, day, "a", "nl", helped=helped)
        found = await feedback.between(connection, YESTERDAY, TODAY)
    assert found == [Feedback(YESTERDAY, "a", "nl", True, 2), Feedback(TODAY, "a", "nl", False, 1)]


async def test_what_is_counted_one_by_one_is_what_is_shown(
    database: AsyncEngine, understanding: Understanding, clock: Clock
) -> None:
    async with storage.begin(database) as connection:
        for _ in range(6):
            await tallies.count(connection, TODAY, "answer", ENTRY, "nl")
            await tallies.count(connection, TODAY, "decline", "", "nl")
            await tallies.count(connection, TODAY, "suggest", ENTRY, "nl")
    async with open_console(database, understanding, clock) as client:
        await sign_in(client, database, NOW)
        tables = await _read(client, f"?from={TODAY}")
    assert list(tables["What became of the questions"].values()) == [["6"], ["6"], ["6"], ["18"]]
