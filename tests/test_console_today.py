"""The page of a day: who comes, who came, booking at the desk, closing a moment, paper and calendars."""

import asyncio
import datetime
import html
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest
from icalendar import Calendar
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.console.console import LANGUAGE_COOKIE
from bot.knowledge import Holder
from bot.scheduling import slot_at
from bot.storage import bookings, outbox, staff, tallies
from bot.storage.bookings import BOOKED, CANCELLED, FULFILLED, NOSHOW, Asked, Booked, Booking
from bot.storage.outbox import Draft
from bot.understanding import Understanding
from tests.booking_knowledge import PERMANENCES, SCHOOL, SESSION, with_permanences
from tests.conftest import NOW, Clock
from tests.console_client import Client, form_token, open_console, send, sign_in

WEDNESDAY = "2026-11-25"
FIRST = datetime.datetime(2026, 11, 25, 12, 30, tzinfo=datetime.UTC)  # 13:30 in Brussels
SECOND = FIRST + datetime.timedelta(minutes=30)
THURSDAY = datetime.datetime(2026, 11, 26, 9, 0, tzinfo=datetime.UTC)  # the session, 10:00 in Brussels


@pytest.fixture
def holder(understanding: Understanding) -> Holder[Understanding]:
    return Holder(with_permanences(understanding))


@pytest.fixture
async def desk_client(database: AsyncEngine, holder: Holder[Understanding], clock: Clock) -> AsyncIterator[Client]:
    """A browser of somebody at the desk, in English."""
    async with open_console(database, holder, clock) as client:
        await sign_in(client, database, NOW)
        client.session.cookie_jar.update_cookies({LANGUAGE_COOKIE: "en"})
        yield client


async def _come_back(client: Client, database: AsyncEngine, clock: Clock, at: datetime.datetime) -> None:
    """The same desk on another day: sessions last for hours only."""
    clock.now = at
    await sign_in(client, database, at)


async def _book(
    database: AsyncEngine, start: datetime.datetime = FIRST, asked: Asked | None = None, now: datetime.datetime = NOW
) -> Booking:
    permanence = SCHOOL if start.weekday() == 2 else SESSION
    slot = slot_at(permanence, start)
    assert slot
    async with storage.begin(database) as connection:
        booked = await bookings.book(connection, slot, asked or Asked("telegram", "1001", "uk", 3, 1, "i"), now)
    assert isinstance(booked, Booked)
    return booked.booking


async def _state(database: AsyncEngine, booking: Booking) -> str:
    async with storage.begin(database) as connection:
        found = await bookings.get(connection, booking.id)
    assert found
    return found.state


async def _logged(database: AsyncEngine) -> list[tuple[str, str]]:
    async with storage.begin(database) as connection:
        return [(line.what, line.about) for line in reversed(await staff.log(connection)) if line.what != "sign in"]


async def _counted(database: AsyncEngine) -> Mapping[tuple[str, str, str], int]:
    async with storage.begin(database) as connection:
        found = await tallies.between(connection, NOW.date(), NOW.date() + datetime.timedelta(days=10))
    return {(tally.what, tally.about, tally.language): tally.count for tally in found}


async def _page(client: Client, path: str, status: int = 200) -> str:
    response = await client.get(path)
    assert response.status == status
    return await response.text()


def _text(page: str) -> str:
    """What a page shows, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def _row(page: str, booking: Booking) -> str:
    found = re.search(rf'<tr id="b-{booking.code}">.*?</tr>', page, re.DOTALL)
    assert found
    return _text(found[0])


def _problem(page: str) -> str:
    found = re.search(r'<p class="problem" role="alert">(.*?)</p>', page, re.DOTALL)
    assert found
    return html.unescape(found[1])


# Who comes


async def test_a_day_shows_who_comes_in_the_order_of_time(desk_client: Client, database: AsyncEngine) -> None:
    later = await _book(database, SECOND, Asked("telegram", "1002", "ar", 1, 1, "ar"))
    first = await _book(database)
    page = await _page(desk_client, f"/staff?day={WEDNESDAY}")
    assert page.index(first.code) < page.index(later.code)
    assert _row(page, first) == f"13:30 {first.code} expected 3 Українська with an interpreter can be reached"
    assert _row(page, later) == f"14:00 {later.code} expected 1 العربية asks for: العربية can be reached"
    assert "Bookings: 2. People: 4." in page
    assert "Free, without bookings: 14:30" in _text(page)


async def test_today_is_shown_without_a_day_and_leads_to_the_days_around_it(desk_client: Client) -> None:
    page = await _page(desk_client, "/staff")
    assert "Permanences on Monday, 23 November 2026" in _text(page)
    assert "There is no permanence on this day." in page
    assert 'href="/staff?day=2026-11-22"' in page
    assert 'href="/staff?day=2026-11-24"' in page


async def test_a_day_is_in_brussels_also_shortly_after_midnight(
    desk_client: Client, database: AsyncEngine, clock: Clock
) -> None:
    await _come_back(desk_client, database, clock, datetime.datetime(2026, 11, 23, 23, 30, tzinfo=datetime.UTC))
    assert "Tuesday, 24 November 2026" in await _page(desk_client, "/staff")


@pytest.mark.parametrize("day", ["tomorrow", "2026-13-02", "20261202", "0001-01-01", "9999-12-31", "%00", "<b>"])
async def test_a_day_that_is_none_shows_today_with_a_sentence(desk_client: Client, day: str) -> None:
    page = await _page(desk_client, f"/staff?day={day}", status=422)
    assert _problem(page) == "There is no such day. This is today."
    assert "Monday, 23 November 2026" in page


async def test_who_said_they_come_and_who_was_not_reached_is_shown(desk_client: Client, database: AsyncEngine) -> None:
    coming, lost = await _book(database), await _book(database, SECOND, Asked("telegram", "1002", "tr"))
    async with storage.begin(database) as connection:
        await bookings.say_coming(connection, coming)
        await outbox.put(
            connection, Draft(key="k", kind="day", channel="telegram", chat="1002", due=NOW, booking=lost.id)
        )
        notice = (await outbox.claim(connection, NOW, ["telegram"], 1))[0]
        await outbox.mark_unreachable(connection, notice.id)
    page = await _page(desk_client, f"/staff?day={WEDNESDAY}")
    assert "says: I come can be reached" in _row(page, coming)
    assert "not reached" in _row(page, lost)


async def test_a_booking_whose_moment_is_gone_is_listed_below_with_what_to_do(
    desk_client: Client, database: AsyncEngine, holder: Holder[Understanding]
) -> None:
    booking = await _book(database)
    holder.current = with_permanences(holder.current, {"school": replace(SCHOOL, moments=())})
    page = await _page(desk_client, "/staff")
    below = _text(page[page.index('id="misfits"') :])
    assert "They count on their time, and nobody has told them. Receive them anyway" in below
    assert f"Wednesday, 25 November 2026 13:30 {booking.code} Finding a school 3 Українська" in below
    assert "does not fit: there is no such moment now" in _row(
        await _page(desk_client, f"/staff?day={WEDNESDAY}"), booking
    )


async def test_who_comes_to_a_permanence_without_a_file_is_still_on_the_list(
    desk_client: Client, database: AsyncEngine, holder: Holder[Understanding]
) -> None:
    booking = await _book(database)
    holder.current = with_permanences(holder.current, {"ukraine": SESSION})
    page = await _page(desk_client, f"/staff?day={WEDNESDAY}")
    assert "This permanence is in no file any more" in page
    assert booking.code in _row(page, booking)


# Who came


async def test_one_click_marks_who_came_and_another_takes_it_back(
    desk_client: Client, database: AsyncEngine, clock: Clock
) -> None:
    booking = await _book(database)
    await _come_back(desk_client, database, clock, FIRST)
    form = {"code": booking.code, "state": FULFILLED}
    status, page = await send(desk_client, "/staff/bookings/mark", form)
    assert (status, await _state(database, booking)) == (200, FULFILLED)
    assert f"arrived Take back {booking.code}" in _row(page, booking)
    await send(desk_client, "/staff/bookings/mark", {**form, "state": BOOKED})
    assert await _state(database, booking) == BOOKED
    await send(desk_client, "/staff/bookings/mark", {"code": booking.code.lower(), "state": NOSHOW})
    assert await _state(database, booking) == NOSHOW
    assert await _logged(database) == [
        ("arrived", booking.code),
        ("expected again", booking.code),
        ("not come", booking.code),
    ]
    assert await _counted(database) == {("fulfilled", "school", "uk"): 0, ("noshow", "school", "uk"): 1}


async def test_marking_twice_counts_once(desk_client: Client, database: AsyncEngine, clock: Clock) -> None:
    booking = await _book(database)
    await _come_back(desk_client, database, clock, FIRST)
    for _ in range(2):
        status, _ = await send(desk_client, "/staff/bookings/mark", {"code": booking.code, "state": FULFILLED})
        assert status == 200
    assert await _counted(database) == {("fulfilled", "school", "uk"): 1}
    assert await _logged(database) == [("arrived", booking.code)]


async def test_two_clicks_at_the_same_moment_count_once(
    desk_client: Client, database: AsyncEngine, clock: Clock
) -> None:
    booking = await _book(database)
    await _come_back(desk_client, database, clock, FIRST)
    form = {"code": booking.code, "state": NOSHOW, "form_token": await form_token(desk_client)}
    clicks = [desk_client.post("/staff/bookings/mark", data=form, allow_redirects=False) for _ in range(4)]
    assert [response.status for response in await asyncio.gather(*clicks)] == [303] * 4
    assert await _counted(database) == {("noshow", "school", "uk"): 1}
    assert await _logged(database) == [("not come", booking.code)]


async def test_a_booking_that_was_cancelled_a_moment_ago_cannot_be_marked(
    desk_client: Client, database: AsyncEngine, clock: Clock
) -> None:
    booking = await _book(database)
    await _come_back(desk_client, database, clock, FIRST)
    token = await form_token(desk_client, f"/staff?day={WEDNESDAY}")
    async with storage.begin(database) as connection:
        await bookings.cancel(connection, booking)
    form = {"code": booking.code, "state": FULFILLED, "form_token": token}
    response = await desk_client.post("/staff/bookings/mark", data=form)
    assert response.status == 422
    assert _problem(await response.text()) == f"Booking {booking.code} was cancelled. Nothing has changed."
    assert await _state(database, booking) == CANCELLED
    assert (await _counted(database), await _logged(database)) == ({}, [])


async def test_nobody_arrives_on_a_day_that_is_still_to_come(desk_client: Client, database: AsyncEngine) -> None:
    booking = await _book(database)
    assert 'value="fulfilled"' not in await _page(desk_client, f"/staff?day={WEDNESDAY}")
    status, page = await send(desk_client, "/staff/bookings/mark", {"code": booking.code, "state": NOSHOW})
    assert (status, await _state(database, booking)) == (422, BOOKED)
    assert "still to come" in _problem(page)


@pytest.mark.parametrize("state", ["", "cancelled", "closed", "elsewhere"])
async def test_a_forged_state_changes_nothing(
    desk_client: Client, database: AsyncEngine, clock: Clock, state: str
) -> None:
    booking = await _book(database)
    await _come_back(desk_client, database, clock, FIRST)
    status, _ = await send(desk_client, "/staff/bookings/mark", {"code": booking.code, "state": state})
    assert (status, await _state(database, booking)) == (422, BOOKED)


@pytest.mark.parametrize("code", ["", "ZZZZZ", "\0", "é" * 3000])
async def test_a_code_that_is_none_is_not_found(desk_client: Client, code: str) -> None:
    status, _ = await send(desk_client, "/staff/bookings/mark", {"code": code, "state": FULFILLED})
    assert status == 404


# At the desk


async def test_the_desk_books_and_sees_the_code_large(desk_client: Client, database: AsyncEngine) -> None:
    form = {"service": "school", "slot": "2026-11-25T12:30Z", "people": "2", "language": "uk"}
    page = await _page(desk_client, "/staff/book?service=school")
    assert 'value="2026-11-25T12:30Z"' in page
    status, booked = await send(desk_client, "/staff/book", form)
    code = re.search(r'class="big-code">(\w{5})<', booked)
    assert (status, bool(code)) == (200, True)
    assert code
    assert "Wednesday, 25 November 2026, 13:30" in _text(booked)
    assert "середа, 25 листопада 2026" in booked
    assert await _logged(database) == [("book at the desk", code[1])]
    assert await _counted(database) == {("booked", "school", "uk"): 1}
    listed = await _page(desk_client, f"/staff?day={WEDNESDAY}")
    assert f"13:30 {code[1]} expected 2 Українська booked at the desk, cannot be reached" in _text(listed)


async def _book_form(client: Client, **changed: str) -> Mapping[str, str]:
    """The form to book somebody with, as a browser sends it."""
    page = await _page(client, "/staff/book?service=school")
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page[page.index('action="/staff/book"') :]))
    return {**hidden, "slot": "2026-11-25T12:30Z", "people": "2", "language": "uk", **changed}


async def test_a_double_click_books_once_and_leads_to_the_same_code(desk_client: Client, database: AsyncEngine) -> None:
    form = await _book_form(desk_client)
    clicks = [desk_client.post("/staff/book", data=form, allow_redirects=False) for _ in range(3)]
    places = {(each.status, each.headers["Location"]) for each in await asyncio.gather(*clicks)}
    ((status, place),) = places
    assert status == 303
    code = place.removeprefix("/staff/booked?code=")
    assert await _logged(database) == [("book at the desk", code)]
    page = await _page(desk_client, f"/staff?day={WEDNESDAY}")
    assert ("Bookings: 1. People: 2." in page, code in page) == (True, True)
    await desk_client.post("/staff/book", data=await _book_form(desk_client))
    assert "Bookings: 2. People: 4." in await _page(desk_client, f"/staff?day={WEDNESDAY}")


async def test_a_double_click_on_the_last_place_shows_the_code_too(desk_client: Client, database: AsyncEngine) -> None:
    await _book(database)
    form = await _book_form(desk_client)
    codes = [(await desk_client.post("/staff/book", data=form)).url.query["code"] for _ in range(2)]
    assert codes[0] == codes[1]
    assert await _counted(database) == {("booked", "school", "uk"): 1}


async def test_a_form_that_was_refused_can_be_sent_again(desk_client: Client, database: AsyncEngine) -> None:
    there = [await _book(database, asked=Asked("telegram", chat, "nl")) for chat in ("1001", "1002")]
    form = {**await _book_form(desk_client), "slot": "2026-11-25T12:30Z"}
    assert (await desk_client.post("/staff/book", data=form)).status == 422
    async with storage.begin(database) as connection:
        await bookings.cancel(connection, there[0])
    assert (await desk_client.post("/staff/book", data=form)).url.path == "/staff/booked"


async def test_who_stands_at_the_desk_needs_no_notice(desk_client: Client, database: AsyncEngine, clock: Clock) -> None:
    await _come_back(desk_client, database, clock, FIRST + datetime.timedelta(minutes=5))
    form = {"service": "school", "slot": "2026-11-25T12:30Z", "people": "1", "language": "ti"}
    assert 'value="2026-11-25T12:30Z"' in await _page(desk_client, "/staff/book?service=school")
    assert (await send(desk_client, "/staff/book", form))[0] == 200


async def test_a_full_slot_is_not_offered_and_takes_nobody_from_the_desk(
    desk_client: Client, database: AsyncEngine
) -> None:
    for chat in ("1001", "1002"):
        await _book(database, asked=Asked("telegram", chat, "nl"))
    assert 'value="2026-11-25T12:30Z"' not in await _page(desk_client, "/staff/book?service=school")
    form = {"service": "school", "slot": "2026-11-25T12:30Z", "people": "4", "language": "ar"}
    status, page = await send(desk_client, "/staff/book", form)
    assert status == 422
    assert _problem(page) == "There are not enough places at this time any more. Choose another time."
    assert 'value="4"' in page
    assert '<option value="ar" lang="ar" dir="auto" selected>' in page
    assert await _logged(database) == []


async def test_where_each_person_takes_a_place_the_desk_cannot_oversell(
    desk_client: Client, database: AsyncEngine
) -> None:
    await _book(database, THURSDAY, Asked("telegram", "1001", "uk", 4, 4))
    form = {"service": "ukraine", "slot": "2026-11-26T09:00Z", "people": "3", "language": "uk"}
    assert "not enough places" in _problem((await send(desk_client, "/staff/book", form))[1])
    assert (await send(desk_client, "/staff/book", {**form, "people": "2"}))[0] == 200


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"slot": ""}, "Choose a time."),
        ({"slot": "0001-01-01T00:00+2359"}, "Choose a time."),
        ({"slot": "9999-12-31T23:59-2359"}, "Choose a time."),
        ({"slot": "2026-11-25T02:00Z"}, "This time is over, closed, or not one of this permanence."),
        ({"slot": "2026-11-18T12:30Z"}, "This time is over, closed, or not one of this permanence."),
        ({"people": "0"}, "Fill in how many people come: 1 to 8."),
        ({"people": "٣"}, "Fill in how many people come: 1 to 8."),
        ({"people": "9"}, "Fill in how many people come: 1 to 8."),
        ({"language": "xx"}, "Choose a language."),
    ],
)
async def test_what_is_filled_in_wrongly_is_said(
    desk_client: Client, database: AsyncEngine, wrong: Mapping[str, str], said: str
) -> None:
    form = {"service": "school", "slot": "2026-11-25T12:30Z", "people": "1", "language": "nl", **wrong}
    status, page = await send(desk_client, "/staff/book", form)
    assert status == 422
    assert _problem(page).startswith(said)
    assert await _logged(database) == []


async def test_the_permanence_is_chosen_first(desk_client: Client) -> None:
    page = await _page(desk_client, "/staff/book")
    assert [f"/staff/book?service={service}" in page for service in PERMANENCES] == [True, True]


# Closing and opening


async def test_closing_a_time_shows_who_fell_away_and_who_could_not_be_reached(
    desk_client: Client, database: AsyncEngine
) -> None:
    told, untold = await _book(database), await _book(database, asked=Asked("desk", "", "so", 2, 1))
    kept = await _book(database, SECOND, Asked("telegram", "1003", "fr"))
    form = {"service": "school", "day": WEDNESDAY, "time": "13:30"}
    status, page = await send(desk_client, "/staff/close", form)
    assert status == 200
    assert _row(page, told) == f"13:30 {told.code} 3 Українська with an interpreter a message goes to them"
    assert _row(page, untold) == f"13:30 {untold.code} 2 Soomaali could not be reached yet"
    assert "expected" in _row(page, kept)
    assert "Free, without bookings: 14:30" in _text(page)
    assert await _logged(database) == [("close", f"school {WEDNESDAY} 13:30")]
    async with storage.begin(database) as connection:
        assert [notice.chat for notice in await outbox.claim(connection, NOW, ["telegram"], 9)] == ["1001"]


async def test_a_closed_day_takes_nobody_until_it_is_opened_again(desk_client: Client, database: AsyncEngine) -> None:
    moment = {"service": "school", "day": WEDNESDAY, "time": ""}
    form = {"service": "school", "slot": "2026-11-25T12:30Z", "people": "1", "language": "nl"}
    _, page = await send(desk_client, "/staff/close", moment)
    assert "the whole day Open again" in _text(page)
    assert "Nobody: there were no bookings." in page
    assert 'value="2026-11-25T' not in await _page(desk_client, "/staff/book?service=school")
    assert (await send(desk_client, "/staff/book", form))[0] == 422
    status, page = await send(desk_client, "/staff/reopen", moment)
    assert (status, "Open again" in page) == (200, False)
    assert (await send(desk_client, "/staff/book", form))[0] == 200
    assert [line for line in await _logged(database) if line[0] in ("close", "reopen")] == [
        ("close", f"school {WEDNESDAY}"),
        ("reopen", f"school {WEDNESDAY}"),
    ]


async def test_what_fell_away_cannot_be_marked(desk_client: Client, database: AsyncEngine) -> None:
    booking = await _book(database)
    await send(desk_client, "/staff/close", {"service": "school", "day": WEDNESDAY, "time": ""})
    status, page = await send(desk_client, "/staff/bookings/mark", {"code": booking.code, "state": FULFILLED})
    assert status == 422
    assert "fell away" in _problem(page)


@pytest.mark.parametrize(
    ("path", "wrong", "said"),
    [
        ("close", {"day": "2026-11-24"}, "The permanence has no such moment on this day."),
        ("close", {"time": "03:00"}, "The permanence has no such moment on this day."),
        ("close", {"time": "25:00"}, "There is no such time."),
        ("close", {"time": "13:30+01:00"}, "There is no such time."),
        ("close", {"day": "9999-12-31"}, "There is no such day. This is today."),
        ("close", {"day": ""}, "There is no such day. This is today."),
        ("close", {"day": "2026-11-18"}, "This day is over: there is nothing to close any more."),
        ("reopen", {}, "This moment was not closed, or somebody opened it again already."),
        ("reopen", {"day": "1"}, "There is no such day. This is today."),
    ],
)
async def test_a_forged_day_or_time_closes_and_opens_nothing(
    desk_client: Client, database: AsyncEngine, path: str, wrong: Mapping[str, str], said: str
) -> None:
    booking = await _book(database)
    form = {"service": "school", "day": WEDNESDAY, "time": "", **wrong}
    status, page = await send(desk_client, f"/staff/{path}", form)
    assert (status, _problem(page)) == (422, said)
    assert (await _state(database, booking), await _logged(database)) == (BOOKED, [])


@pytest.mark.parametrize("path", ["book", "close", "reopen", "feed"])
async def test_a_forged_service_is_not_found(desk_client: Client, database: AsyncEngine, path: str) -> None:
    form = {"service": "pottery", "day": WEDNESDAY, "slot": "2026-11-25T12:30Z", "people": "1", "language": "nl"}
    assert (await send(desk_client, f"/staff/{path}", form))[0] == 404
    assert await _logged(database) == []


@pytest.mark.parametrize(
    "path", ["book?service=pottery", "print?service=pottery", "print?day=never", "booked?code=ZZZZZ", "booked"]
)
async def test_a_page_about_nothing_is_not_found(desk_client: Client, path: str) -> None:
    await _page(desk_client, f"/staff/{path}", status=404)


# On paper and in calendars


async def test_the_list_on_paper_has_no_navigation_and_nobody_who_fell_away(
    desk_client: Client, database: AsyncEngine
) -> None:
    booking, fallen = await _book(database), await _book(database, SECOND, Asked("telegram", "1002", "fr"))
    await send(desk_client, "/staff/close", {"service": "school", "day": WEDNESDAY, "time": "14:00"})
    page = await _page(desk_client, f"/staff/print?day={WEDNESDAY}&service=school")
    assert f"13:30 {booking.code} 3 Українська with an interpreter" in _text(page)
    assert fallen.code not in page
    assert [tag in page for tag in ("<nav", "<form", "<button", "<a ")] == [False] * 4


async def _address(client: Client) -> str:
    status, page = await send(client, "/staff/feed", {"service": "school"})
    found = re.search(r'value="(https?://[^"]+/staff/calendar/[\w-]+\.ics)"', page)
    assert (status, bool(found)) == (200, True)
    assert found
    return found[1]


async def test_a_calendar_shows_each_slot_with_its_codes_to_whoever_has_the_address(
    desk_client: Client, database: AsyncEngine, holder: Holder[Understanding], clock: Clock
) -> None:
    two = await _book(database), await _book(database, asked=Asked("telegram", "1002", "ar", 2, 1))
    alone = await _book(database, SECOND, Asked("telegram", "1003", "fr"))
    await _book(database, THURSDAY, Asked("telegram", "1004", "uk"))
    path = (await _address(desk_client)).partition("/staff")[2]
    async with open_console(database, holder, clock) as stranger:
        response = await stranger.get(f"/staff{path}", headers={"Accept-Language": "en"})
        assert (response.status, response.content_type) == (200, "text/calendar")
        body = await response.read()
    events = Calendar.from_ical(body).walk("VEVENT")
    assert [(event.decoded("dtstart"), event.decoded("dtend"), str(event["summary"])) for event in events] == [
        (FIRST, SECOND, f"2 bookings, 5 people: {two[0].code}, {two[1].code}"),
        (SECOND, SECOND + datetime.timedelta(minutes=30), f"1 booking, 1 person: {alone.code}"),
    ]
    assert b"DTSTART:20261125T123000Z" in body
    assert {name for event in events for name in event} == {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY"}
    assert await _logged(database) == [("make calendar address", "school")]


async def test_an_event_in_a_calendar_keeps_its_identity_and_goes_with_its_last_booking(
    desk_client: Client, database: AsyncEngine
) -> None:
    booking = await _book(database)
    address = (await _address(desk_client)).partition("/staff")[2]

    async def identities() -> list[str]:
        read = Calendar.from_ical(await (await desk_client.get(f"/staff{address}")).read())
        return [str(event["uid"]) for event in read.walk("VEVENT")]

    before = await identities()
    other = await _book(database, asked=Asked("telegram", "1002", "fr"))
    assert (len(before), await identities()) == (1, before)
    async with storage.begin(database) as connection:
        for each in (booking, other):
            await bookings.cancel(connection, each)
    assert await identities() == []


async def test_a_calendar_that_is_not_there_is_not_found_and_one_ends_when_its_owner_signs_out_everywhere(
    desk_client: Client,
) -> None:
    await _page(desk_client, "/staff/calendar/abc.ics", status=404)
    address = (await _address(desk_client)).partition("/staff")[2]
    await _page(desk_client, f"/staff{address}")
    token = await form_token(desk_client)
    await desk_client.post("/staff/sign-out-everywhere", data={"form_token": token}, allow_redirects=False)
    await _page(desk_client, f"/staff{address}", status=404)


async def test_nobody_without_a_session_sees_or_changes_a_day(
    desk_client: Client, database: AsyncEngine, holder: Holder[Understanding], clock: Clock
) -> None:
    booking = await _book(database)
    async with open_console(database, holder, clock) as stranger:
        for path in ("", f"?day={WEDNESDAY}", "/book", "/print", f"/booked?code={booking.code}"):
            await _page(stranger, f"/staff{path}", status=404)
        for path in ("bookings/mark", "book", "close", "reopen", "feed"):
            response = await stranger.post(f"/staff/{path}", data={"code": booking.code, "service": "school"})
            assert response.status == 404
    response = await desk_client.post("/staff/close", data={"service": "school", "day": WEDNESDAY})
    assert (response.status, await _state(database, booking)) == (403, BOOKED)
