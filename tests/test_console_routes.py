"""A walk over every route of the console, by those who may not, with forged forms, and with nasty words."""

import asyncio
import datetime
import html
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.console.console import COOKIE, FORM_TOKEN, LANGUAGE_COOKIE
from bot.conversation import Respond
from bot.knowledge import Holder
from bot.knowledge.problems import Problem
from bot.scheduling import slot_at
from bot.storage import bookings, feedback, staff, talks, tallies
from bot.storage.bookings import Asked
from bot.storage.schema import unanswered as unanswered_table
from bot.storage.staff import ROLES, Role
from bot.storage.talks import Words
from bot.understanding import Understanding
from bot.web.chat import LONGEST_BODY
from tests.booking_knowledge import SCHOOL, with_permanences
from tests.conftest import Clock
from tests.console_walk import (
    LANGUAGE,
    SLUG,
    Answer,
    Browser,
    House,
    Page,
    address,
    ask,
    contents,
    enter,
    enter_again,
    forms,
    open_app,
    open_house,
    routes,
)

WEDNESDAY = datetime.datetime(2026, 11, 25, 10, 0, tzinfo=datetime.UTC)  # before the first appointment of that day
ENTER = "/staff/enter/"

# Who may open what; `None`: no session is asked for, a token in the address is.
WHO_MAY: Mapping[str, Role | None] = {
    "GET /staff/enter/{token}": None,
    "POST /staff/enter/{token}": None,
    "GET /staff/calendar/{token}.ics": None,
    "HEAD /staff/calendar/{token}.ics": None,
    "POST /staff/sign-out": "desk",
    "POST /staff/sign-out-everywhere": "desk",
    "POST /staff/language": "desk",
    "GET /staff": "desk",
    "GET /staff/print": "desk",
    "GET /staff/book": "desk",
    "POST /staff/book": "desk",
    "GET /staff/booked": "desk",
    "POST /staff/bookings/mark": "desk",
    "POST /staff/close": "desk",
    "POST /staff/reopen": "desk",
    "POST /staff/feed": "desk",
    "GET /staff/conversations": "desk",
    "GET /staff/conversations/{id}": "desk",
    "POST /staff/conversations/{id}/say": "desk",
    "POST /staff/conversations/{id}/sentence": "desk",
    "POST /staff/conversations/{id}/close": "desk",
    "GET /staff/figures": "desk",
    "GET /staff/figures.csv": "desk",
    "GET /staff/figures/chart/{name}.svg": "desk",
    "GET /staff/log": "desk",
    "GET /staff/unanswered": "editor",
    "POST /staff/unanswered/add": "editor",
    "POST /staff/unanswered/away": "editor",
    "GET /staff/knowledge": "editor",
    "GET /staff/knowledge/{slug}/{language}": "editor",
    "POST /staff/knowledge/{slug}/{language}": "editor",
    "POST /staff/knowledge/{slug}/{language}/review": "editor",
    "GET /staff/try": "editor",
    "POST /staff/try": "editor",
    "GET /staff/members": "administrator",
    "POST /staff/members/add": "administrator",
    "POST /staff/members/role": "administrator",
    "POST /staff/members/remove": "administrator",
    "POST /staff/members/link": "administrator",
}
LATER: tuple[Mapping[str, str], ...] = ({}, {"state": bookings.BOOKED}, {"state": bookings.NOSHOW})
LINES_OF_THE_LOG = 19  # kinds of things that are done in the console and stand in the log
EVERYTHING_ELSE = "* /staff{rest}"  # what is not there, for any method


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = WEDNESDAY
    return clock


@pytest.fixture
def holder(understanding: Understanding) -> Holder[Understanding]:
    return Holder(with_permanences(understanding))


@pytest.fixture
async def house(
    database: AsyncEngine, holder: Holder[Understanding], clock: Clock, knowledge_copy: Path, answer: Respond
) -> AsyncIterator[House]:
    async with open_house(database, holder, clock, knowledge_copy, answer) as opened:
        yield opened


async def _walk(house: House, browser: Browser | None, *, good: bool = True) -> dict[str, Answer]:
    """Everything, asked for by one browser, with forms that would do something."""
    found = {}
    filled = forms(house)
    for method, path in routes(house):
        if method == "*":
            continue
        form = {**filled.get(path, {}), FORM_TOKEN: browser.form_token if browser else "x" * 43}
        place = address(house, path, good=good)
        found[f"{method} {path}"] = await ask(house, method, place, browser, form if method == "POST" else None)
    return found


async def _not_there(house: House) -> Answer:
    return await ask(house, "GET", "/staff/nothing-here")


def _bare(answer: Answer) -> str:
    """A page without the field that gives back what was typed."""
    return re.sub(r' *<label for="typed">.*</textarea>\n', "", answer.text, flags=re.DOTALL)


# Who may


async def test_every_route_says_who_may_open_it(house: House) -> None:
    """A new route comes here first."""
    assert {f"{method} {path}" for method, path in routes(house)} == {*WHO_MAY, EVERYTHING_ELSE}


async def test_without_a_session_nothing_is_there_and_nothing_changes(house: House) -> None:
    before = await contents(house)
    walked = await _walk(house, None, good=False)
    assert {where: each.status for where, each in walked.items() if each.status != 404} == {}
    nothing = await _not_there(house)
    assert {_bare(each) for where, each in walked.items() if not where.startswith("HEAD")} == {nothing.text}
    assert await contents(house) == before


async def test_a_session_that_has_ended_opens_nothing(house: House) -> None:
    browser = await enter(house, "administrator")
    assert (await ask(house, "GET", "/staff/members", browser)).status == 200
    house.clock.now += staff.SESSION_LIVES
    await _opens_nothing(house, browser)


@pytest.mark.parametrize("path", ["/staff/sign-out", "/staff/sign-out-everywhere"])
async def test_a_stolen_session_opens_nothing_once_its_owner_signs_out(house: House, path: str) -> None:
    browser = await enter(house, "administrator")
    signed_out = await ask(house, "POST", path, browser, {FORM_TOKEN: browser.form_token})
    assert (signed_out.status, signed_out.headers["Location"]) == (303, "/")
    await _opens_nothing(house, browser)


async def test_signing_out_everywhere_ends_the_other_browsers_and_the_calendars_too(house: House) -> None:
    first = await enter(house, "administrator")
    second = await enter_again(house, first.member)
    async with storage.begin(house.database) as connection:
        feed = await staff.make_feed(connection, first.member.id, "school")
    assert (await ask(house, "GET", f"/staff/calendar/{feed}.ics")).status == 200
    await ask(house, "POST", "/staff/sign-out-everywhere", first, {FORM_TOKEN: first.form_token})
    assert (await ask(house, "GET", f"/staff/calendar/{feed}.ics")).status == 404
    await _opens_nothing(house, second)


async def test_a_colleague_who_is_removed_has_nothing_open_any_more(house: House) -> None:
    browser, boss = await enter(house, "administrator"), await enter(house, "administrator", "Fatma")
    form = {"member": str(browser.member.id), FORM_TOKEN: boss.form_token}
    assert (await ask(house, "POST", "/staff/members/remove", boss, form)).status == 303
    await _opens_nothing(house, browser)


async def _opens_nothing(house: House, browser: Browser) -> None:
    before = await contents(house)
    walked = await _walk(house, browser, good=False)
    assert {where: each.status for where, each in walked.items() if each.status != 404} == {}
    assert await contents(house) == before


async def test_each_role_opens_its_own_pages_and_no_others(house: House) -> None:
    nothing = await _not_there(house)
    for role in ROLES:
        browser = await enter(house, role, f"Somebody at the {role}")
        before = await contents(house)
        walked = await _walk(house, replace(browser, form_token="forged"))
        for where, answer in walked.items():
            if least := WHO_MAY[where]:
                may = browser.member.may(least)
                expected = 404 if not may else 403 if where.startswith("POST") else 200
                assert (role, where, answer.status) == (role, where, expected)
                assert may or _bare(answer) == nothing.text
        assert await contents(house) == before


async def test_a_role_that_is_taken_away_is_gone_at_once(house: House) -> None:
    browser = await enter(house, "administrator")
    async with storage.begin(house.database) as connection:
        await staff.change_role(connection, browser.member.id, "desk")
    assert (await ask(house, "GET", "/staff/members", browser)).status == 404
    assert (await ask(house, "GET", "/staff", browser)).status == 200


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "POST", "GET"])
async def test_another_method_tells_nobody_which_pages_there_are(house: House, method: str) -> None:
    before = await contents(house)
    for served, path in routes(house):
        if method != served and not path.startswith("/staff/calendar"):
            place = address(house, path, good=False)
            assert (place, (await ask(house, method, place)).status) == (place, 404)
    assert await contents(house) == before


COOKIES = [
    *(b"", b"x", b'"', b"%00", b"\xff\xfe", "é".encode(), b"a" * 4000, b"None", b"../../x", b"' OR 1=1 --"),
    *(b"x; wegwijs_staff=y", b"\xed\xa0\x80"),
]


@pytest.mark.parametrize("cookie", COOKIES)
async def test_a_session_that_somebody_made_up_is_none(house: House, cookie: bytes) -> None:
    line = await _raw(house, b"GET /staff HTTP/1.1\r\nCookie: " + COOKIE.encode() + b"=" + cookie)
    assert line.startswith(b"HTTP/1.1 404 ")


async def _raw(house: House, request: bytes) -> bytes:
    """The first line of the answer to bytes that no client sends by itself."""
    server = house.client.server
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(request + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return line


async def test_while_the_database_is_away_every_page_says_so(
    house: House, holder: Holder[Understanding], answer: Respond
) -> None:
    browser = await enter(house, "administrator")
    async with (
        storage.open_storage("postgresql+asyncpg://nobody@127.0.0.1:1/nowhere") as away,
        open_app(away, holder, house.clock, house.directory, answer) as client,
    ):
        walked = await _walk(replace(house, client=client), browser)
    assert {where: each.status for where, each in walked.items() if each.status != 503} == {}


# Forms


async def test_every_form_does_something_with_the_token_of_its_session(house: House) -> None:
    """Without this, the tests below would show nothing: these very forms are refused there."""
    assert {path for method, path in routes(house) if method == "POST"} - {f"{ENTER}{{token}}"} == set(forms(house))
    member = (await enter(house, "administrator")).member
    own = {"Origin": str(house.client.make_url("")).rstrip("/")}
    for path in forms(house):
        browser = await enter_again(house, member)
        before = await contents(house)
        form = {**forms(house)[path], FORM_TOKEN: browser.form_token}
        answer = await ask(house, "POST", address(house, path), browser, form, own)
        assert (path, answer.status in (200, 303)) == (path, True)
        assert (path, await contents(house) != before) == (path, path not in ("/staff/language", "/staff/try"))


async def test_the_log_in_dutch_has_no_line_in_english(house: House) -> None:
    await ask(house, "POST", await _link(house))
    member = (await enter(house, "administrator")).member
    for path in forms(house):
        for more in LATER if path == "/staff/bookings/mark" else ({},):
            browser = await enter_again(house, member)
            form = {**forms(house)[path], **more, FORM_TOKEN: browser.form_token}
            await ask(house, "POST", address(house, path), browser, form)
    async with storage.begin(house.database) as connection:
        done = {line.what for line in await staff.log(connection)}
    assert len(done) == LINES_OF_THE_LOG
    page = await ask(house, "GET", "/staff/log", await enter_again(house, member), headers={"Accept-Language": "nl"})
    said = {html.unescape(what) for what in re.findall(r"</bdi></td><td>(.*?)</td>", page.text)}
    assert (len(said), said & done) == (LINES_OF_THE_LOG, set())


async def test_a_form_without_the_token_of_its_session_changes_nothing(house: House) -> None:
    browser = await enter(house, "administrator")
    second, stranger = await enter_again(house, browser.member), await enter(house, "administrator", "Fatma")
    tokens = ("", "forged", browser.form_token[:-1], browser.form_token + "x", second.form_token, stranger.form_token)
    before = await contents(house)
    for path, form in forms(house).items():
        place = address(house, path)
        statuses = [(await ask(house, "POST", place, browser, form)).status]
        statuses += [(await ask(house, "POST", place, browser, {**form, FORM_TOKEN: each})).status for each in tokens]
        in_the_address = f"{place}?{FORM_TOKEN}={browser.form_token}"
        statuses.append((await ask(house, "POST", in_the_address, browser, form)).status)
        assert (path, statuses) == (path, [403] * len(statuses))
    assert await contents(house) == before


@pytest.mark.parametrize(
    "origin", ["https://elsewhere.example", "null", "http://127.0.0.1", "http://127.0.0.1.example:80", "//", "x"]
)
async def test_a_form_on_a_page_of_somebody_else_changes_nothing(house: House, origin: str) -> None:
    browser = await enter(house, "administrator")
    async with storage.begin(house.database) as connection:
        token = await staff.make_link(connection, house.other.id, house.clock())
    before = await contents(house)
    for path, form in forms(house).items():
        filled = {**form, FORM_TOKEN: browser.form_token}
        answer = await ask(house, "POST", address(house, path), browser, filled, {"Origin": origin})
        assert (path, answer.status) == (path, 403)
    assert (await ask(house, "POST", f"{ENTER}{token}", headers={"Origin": origin})).status == 403
    assert await contents(house) == before


async def test_a_body_over_the_limit_is_refused_and_changes_nothing(house: House) -> None:
    browser = await enter(house, "administrator")
    before = await contents(house)
    for path, form in forms(house).items():
        large = {**form, FORM_TOKEN: browser.form_token, "more": "x" * LONGEST_BODY}
        assert (path, (await ask(house, "POST", address(house, path), browser, large)).status) == (path, 413)
        assert (path, (await ask(house, "POST", address(house, path), None, large)).status) == (path, 404)
    assert await contents(house) == before


BODIES = [
    ("multipart/form-data", b"--x\r\n"),
    ("multipart/form-data; boundary=x", b"no part"),
    ("application/x-www-form-urlencoded; charset=hex", b"a=b"),
    ("application/x-www-form-urlencoded", b"form_token=%ff%fe&a=%ed%a0%80"),
    ("application/x-www-form-urlencoded; charset=utf-16", b"a"),
    ("application/json", b'{"form_token": "x"}'),
    ("text/plain", b"form_token=x"),
]


@pytest.mark.parametrize(("kind", "body"), BODIES)
async def test_a_body_that_is_no_form_is_refused_and_changes_nothing(house: House, kind: str, body: bytes) -> None:
    browser = await enter(house, "administrator")
    before = await contents(house)
    for path in forms(house):
        headers = {"Cookie": f"{COOKIE}={browser.session}", "Content-Type": kind}
        async with house.client.post(address(house, path), data=body, headers=headers) as response:
            assert (path, response.status) in ((path, 403), (path, 400))
    assert await contents(house) == before


# Links


async def _link(house: House) -> str:
    async with storage.begin(house.database) as connection:
        return ENTER + await staff.make_link(connection, house.other.id, house.clock())


async def test_a_link_works_once(house: House) -> None:
    link = await _link(house)
    entered = await ask(house, "POST", link)
    assert (entered.status, entered.headers["Location"]) == (303, "/staff")
    cookie = {"Cookie": f"{COOKIE}={entered.cookies[0].value}"}
    assert (await ask(house, "GET", "/staff", headers=cookie)).status == 200
    assert [(await ask(house, method, link)).status for method in ("GET", "POST")] == [404, 404]


async def test_opening_a_link_does_not_use_it_up(house: House) -> None:
    link = await _link(house)
    assert [(await ask(house, method, link)).status for method in ("GET", "GET", "GET", "POST")] == [200] * 3 + [303]


async def test_a_link_works_for_ten_minutes(house: House) -> None:
    early, late = await _link(house), await _link(house)
    house.clock.now += datetime.timedelta(minutes=9, seconds=59)
    assert (await ask(house, "POST", early)).status == 303
    house.clock.now += datetime.timedelta(seconds=1)
    assert [(await ask(house, method, late)).status for method in ("GET", "POST")] == [404, 404]


async def test_of_two_who_use_a_link_together_one_comes_in(house: House) -> None:
    link = await _link(house)
    entered = await asyncio.gather(*(ask(house, "POST", link) for _ in range(5)))
    assert sorted(each.status for each in entered) == [303, 404, 404, 404, 404]
    assert sum(len(each.cookies) for each in entered) == 1


async def test_who_tries_many_links_has_to_wait(house: House) -> None:
    tried = [(await ask(house, "GET" if turn % 2 else "POST", f"{ENTER}{turn}")).status for turn in range(30)]
    assert tried == [404] * 20 + [429] * 10
    good = await _link(house)
    assert [(await ask(house, method, good)).status for method in ("GET", "POST")] == [429, 429]
    house.clock.now += datetime.timedelta(minutes=1)
    assert (await ask(house, "POST", good)).status == 303


async def test_a_link_and_a_session_are_not_in_the_database(house: House) -> None:
    link = await _link(house)
    kept = repr(await contents(house))
    assert link.removeprefix(ENTER) not in kept
    assert house.feed not in kept
    session = (await ask(house, "POST", link)).cookies[0].value
    assert session not in repr(await contents(house))


@pytest.mark.parametrize("token", ["%00", "%ff", "%ed%a0%80", "%c3%a9", "x" * 4000, "..%2f..%2fstaff", "%2e%2e"])
async def test_a_link_or_a_calendar_that_somebody_made_up_opens_nothing(house: House, token: str) -> None:
    for request in (f"GET {ENTER}{token}", f"POST {ENTER}{token}", f"GET /staff/calendar/{token}.ics"):
        line = await _raw(house, request.encode() + b" HTTP/1.1")
        assert (request, line[:13]) in ((request, b"HTTP/1.1 404 "), (request, b"HTTP/1.1 400 "))


async def test_behind_https_cookies_go_over_https_only(
    house: House, holder: Holder[Understanding], answer: Respond
) -> None:
    links = [await _link(house) for _ in range(2)]
    async with open_app(house.database, holder, house.clock, house.directory, answer, https=True) as client:
        safe = replace(house, client=client, https=True)
        for path in (*links, "/staff/language", "/staff/sign-out"):
            browser = await enter_again(house, house.other)
            form = {FORM_TOKEN: browser.form_token, "language": "nl"}
            answered = await ask(safe, "POST", path, browser, form)
            assert (answered.status, [bool(each["secure"]) for each in answered.cookies]) == (303, [True])


async def test_a_language_that_is_none_is_not_kept(house: House) -> None:
    browser = await enter(house, "desk")
    for language in ("fr", "", "en; Path=/", "en\r\nSet-Cookie: a=b"):
        form = {"language": language, FORM_TOKEN: browser.form_token}
        assert (await ask(house, "POST", "/staff/language", browser, form)).cookies == []
    form = {"language": "en", FORM_TOKEN: browser.form_token}
    kept = (await ask(house, "POST", "/staff/language", browser, form)).cookies
    assert [(each.key, each.value) for each in kept] == [(LANGUAGE_COOKIE, "en")]


OTHER_PLACES = [
    *("", "/", "staff", "/staffx", "//evil.example", "/staff//evil.example", "/staff/../x", "/staff/..", "/staff\\x"),
    *("/\\evil.example", "https://evil.example/staff", "/staff/%2e%2e/x", "/staff/a\r\nSet-Cookie: a=b", "/staff/\0"),
    *("/staff/é", "/staff @evil.example", "/staff/%2E./x", "javascript:alert(1)"),
]


@pytest.mark.parametrize("path", OTHER_PLACES)
async def test_the_language_leads_nowhere_else(house: House, path: str) -> None:
    browser = await enter(house, "desk")
    form = {"language": "en", "path": path, FORM_TOKEN: browser.form_token}
    answered = await ask(house, "POST", "/staff/language", browser, form)
    assert (answered.status, answered.headers["Location"]) == (303, "/staff")


@pytest.mark.parametrize(
    "path",
    [
        *("/staff", "/staff?day=2026-11-26", f"/staff/knowledge/{SLUG}/ar", "/staff/unanswered?language=uk&page=2"),
        *("/staff/figures?from=2026-11-01&to=2026-11-20", "/staff/try"),
    ],
)
async def test_choosing_the_language_stays_on_the_page(house: House, path: str) -> None:
    browser = await enter(house, "editor")
    shown = (await ask(house, "GET", path, browser)).text
    assert (await _after_the_language(house, browser, shown)) == path


async def test_after_a_form_the_language_leads_to_a_page_that_opens(house: House) -> None:
    browser = await enter(house, "administrator")
    for path in forms(house):
        place = address(house, path)
        refused = await ask(house, "POST", place, browser, {FORM_TOKEN: browser.form_token})
        if refused.is_page and refused.status == 422:
            then = await _after_the_language(house, browser, refused.text)
            assert (then, (await ask(house, "GET", then, browser)).status) == (then, 200)


async def _after_the_language(house: House, browser: Browser, page: str) -> str:
    """Where the button for the language of a page leads to."""
    found = re.search(r'name="path" value="([^"]*)"', page)
    assert found
    form = {"language": "nl", "path": html.unescape(found[1]), FORM_TOKEN: browser.form_token}
    return (await ask(house, "POST", "/staff/language", browser, form)).headers["Location"]


# What is on the pages

SOURCES = (
    *("newcomer", "staff", "question", "label", "logged", "gone", "title", "topic", "offer", "permanence", "place"),
    *("written", "asked", "fault", "address"),
)


def nasty(source: str) -> str:
    """Words that would run, break out of an attribute, or be filled in, if a template let them."""
    return f"{source}<script>x</script>\"'><b onx=1>{{{{7*7}}}}"


def _with_nasty_words(understanding: Understanding) -> Understanding:
    """The knowledge with such words in everything that staff write into files."""
    snapshot = understanding.snapshot
    entry = snapshot.entries[SLUG]
    body = f"{nasty('title')}".replace("{{7*7}}", "") + " [x](javascript:alert(1)) <img src=x onerror=alert(1)>"
    text = replace(entry.texts[LANGUAGE], title=nasty("title"), body=body, questions=(nasty("asked"),))
    entries = {**snapshot.entries, SLUG: replace(entry, texts={**entry.texts, LANGUAGE: text})}
    topics = {
        slug: replace(topic, titles={code: nasty("topic") for code in ("nl", "en")})
        for slug, topic in snapshot.topics.items()
    }
    offers = replace(
        snapshot.offers, offers=tuple(replace(each, name=nasty("offer")) for each in snapshot.offers.offers)
    )
    school = replace(SCHOOL, titles={code: nasty("permanence") for code in ("nl", "en", "uk")}, place=nasty("place"))
    changed = replace(snapshot, entries=entries, topics=topics, offers=offers, permanences={"school": school})
    return replace(understanding, snapshot=changed)


def _write_nasty_words(directory: Path) -> None:
    """Such words in the file of an entry, as an editor would have typed them."""
    file = directory / "practical" / SLUG / f"{LANGUAGE}.md"
    head = {"title": nasty("written"), "questions": [nasty("asked")], "keywords": [nasty("asked")], "status": "draft"}
    body = nasty("written").replace("{{7*7}}", "") + " [x](javascript:alert(1)) <img src=x onerror=alert(1)>"
    file.write_text(f"---\n{yaml.safe_dump(head, allow_unicode=True)}---\n{body}\n", encoding="utf-8")


async def _say_nasty_words(house: House) -> None:
    """Such words from newcomers and from staff in every table that holds words."""
    today = house.clock().date()
    async with storage.begin(house.database) as connection:
        talk = await talks.get(connection, house.talk)
        member = await staff.add(connection, nasty("label"), "desk", None, house.clock())
        assert talk
        assert member
        await talks.from_person(connection, talk, nasty("newcomer"), house.clock())
        await talks.from_staff(connection, talk, Words(nasty("label"), nasty("staff")), house.clock())
        row = {"day": today, "language": LANGUAGE, "text": nasty("question"), "state": "open"}
        await connection.execute(insert(unanswered_table), [row])
        await staff.note(connection, member.label, nasty("logged")[:32], nasty("logged"), house.clock())
        slot = slot_at(replace(SCHOOL, service=nasty("gone")), WEDNESDAY.replace(hour=13))
        assert slot
        await bookings.book(connection, slot, Asked("telegram", "1002", "ar", 1, 1), house.clock())
        for _ in range(9):
            await tallies.count(connection, today, "booked", nasty("gone"), "uk")
            await feedback.count(connection, today, nasty("gone"), "uk", helped=False)


@pytest.fixture
async def nasty_house(
    database: AsyncEngine, holder: Holder[Understanding], clock: Clock, knowledge_copy: Path, answer: Respond
) -> AsyncIterator[House]:
    """The same with words in it that would do harm."""
    async with open_house(database, holder, clock, knowledge_copy, answer) as opened:
        holder.current = _with_nasty_words(holder.current)
        holder.problems = (Problem(knowledge_copy / "x.md", 1, nasty("fault")),)
        _write_nasty_words(knowledge_copy)
        await _say_nasty_words(opened)
        yield opened


TRIED = (
    *("wat is het telefoonnummer van Amal", "een cursus Nederlands voor beginners", "vrije tijd voor kinderen"),
    nasty("address"),
)


def _addresses(house: House) -> list[str]:
    """What is opened beside the plain pages: searches, and addresses that somebody made up."""
    made_up = "".join(f"%{byte:02x}" for byte in nasty("address").encode())
    return [
        "/staff?day=2026-11-26",
        f"/staff?day={made_up}",
        f"/staff/print?day={WEDNESDAY:%Y-%m-%d}",
        "/staff/book?service=school",
        f"/staff/book?service={made_up}",
        f"/staff/unanswered?language={made_up}&page={made_up}&done={made_up}",
        f"/staff/knowledge/{SLUG}/ar?saved={made_up}",
        f"/staff/knowledge/{SLUG}/{made_up}",
        f"/staff/figures?from={made_up}&to={made_up}",
        *(f"/staff/figures/chart/{name}.svg" for name in ("languages", "answers", "topics", "bookings")),
    ]


async def _pages(house: House) -> dict[str, Answer]:
    """Every page that somebody who may do everything can see: opened, refused, and after each form."""
    boss = await enter(house, "administrator", "Fatma")
    found = {
        f"GET {place}": await ask(house, "GET", place, boss)
        for place in [
            *(address(house, path) for method, path in routes(house) if method == "GET"),
            *_addresses(house),
            await _link(house),
        ]
    }
    preview = {**forms(house)["/staff/knowledge/{slug}/{language}"], "action": "preview", "title": nasty("address")}
    sent: list[tuple[str, Mapping[str, str]]] = [("/staff/knowledge/{slug}/{language}", preview)]
    sent += [("/staff/try", {"text": text, "language": "nl"}) for text in TRIED]
    for path, form in forms(house).items():
        sent += [(path, {name: nasty("address") for name in form}), (path, {}), (path, form)]
        sent += [(path, {**form, name: nasty("address")}) for name in form]
    for number, (path, form) in enumerate(sent):
        browser = await enter_again(house, boss.member)
        place = address(house, path)
        answer = await ask(house, "POST", place, browser, {**form, FORM_TOKEN: browser.form_token})
        found[f"POST {place} {number}"] = answer
    return found


async def test_no_page_has_a_script_or_a_style_of_its_own_and_words_stay_words(nasty_house: House) -> None:
    pages = await _pages(nasty_house)
    seen = set()
    for where, answer in pages.items():
        if answer.is_page or "svg" in answer.headers.get("Content-Type", ""):
            assert (where, Page(answer.text).faults) == (where, [])
            assert (where, Page(answer.text).forms_without_token) in ((where, []), (where, [nasty_link(where)]))
            words = html.unescape(answer.text)
            assert (where, "onx=1>49" in words) == (where, False)
            seen |= {source for source in SOURCES if f"{source}<script>x</script>\"'><b onx=1>" in words}
    assert seen == set(SOURCES)


def nasty_link(where: str) -> str:
    """The page behind a link: its form needs no token, since the address itself is one."""
    return where.removeprefix("GET ") if where.startswith(f"GET {ENTER}") else ""


async def test_what_a_spreadsheet_gets_holds_no_formula(nasty_house: House) -> None:
    boss = await enter(nasty_house, "administrator", "Fatma")
    file = await ask(nasty_house, "GET", "/staff/figures.csv", boss)
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert file.headers["Content-Disposition"].startswith("attachment;")
