"""Colleagues: who may come in, who decides on it, and what the log says of it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import storage
from bot.storage import staff
from bot.storage.staff import LogLine, Member, Role
from bot.understanding import Understanding
from tests.conftest import NOW, Clock
from tests.console_client import Client, form_token, open_console, send, sign_in

HOME = "/staff/members"
_ADDRESS = re.compile(r'id="address"[^>]* value="(https?://[^"]+)"')


async def _add(database: AsyncEngine, label: str, role: Role = "desk", telegram: str | None = None) -> Member:
    async with storage.begin(database) as connection:
        member = await staff.add(connection, label, role, telegram, NOW)
        assert member
    return member


async def _members(database: AsyncEngine) -> dict[str, str]:
    async with storage.begin(database) as connection:
        return {member.label: member.role for member in await staff.members(connection)}


async def _log(database: AsyncEngine) -> list[tuple[str, str, str]]:
    async with storage.begin(database) as connection:
        lines = await staff.log(connection)
    return [(line.who, line.what, line.about) for line in lines if line.what != "sign in"]


@pytest.fixture
async def client(database: AsyncEngine, understanding: Understanding, clock: Clock) -> AsyncIterator[Client]:
    """An administrator's browser."""
    async with open_console(database, understanding, clock) as opened:
        opened.session.headers["Accept-Language"] = "en"
        await sign_in(opened, database, NOW, "administrator", "Noor")
        yield opened


@asynccontextmanager
async def _second_browser(client: Client) -> AsyncIterator[Client]:
    """Another browser on the same console."""
    assert isinstance(client.server, TestServer)
    async with TestClient(client.server) as other:
        other.session.headers["Accept-Language"] = "en"
        yield other


async def _send(client: Client, what: str, **form: object) -> tuple[int, str]:
    status, page = await send(client, f"{HOME}/{what}", form, page=HOME)
    return status, unescape(page)


# The list


async def test_the_list_names_everybody_and_marks_who_looks(client: Client, database: AsyncEngine) -> None:
    await _add(database, "Sara <b>", "editor", "123456")
    page = await (await client.get(HOME)).text()
    assert "Sara &lt;b&gt;" in page
    assert "123456" in page
    assert "<bdi>Noor</bdi> (you)" in page
    assert not re.search(r"\sstyle=|<style|<script(?! src=)|\son[a-z]+=", page)


async def test_the_servers_own_access_stands_in_the_list_and_cannot_be_changed(
    client: Client, database: AsyncEngine
) -> None:
    server = await _add(database, staff.OPERATOR, "administrator", staff.NOBODYS_ID)
    page = unescape(await (await client.get(HOME)).text())
    row = re.search(r"<tr>\s*<th[^>]*><bdi>the server's own access.*?</tr>", page, re.DOTALL)
    assert row
    assert " ".join(re.sub(r"<[^>]+>", " ", row[0]).split()) == "the server's own access Administrator –"
    assert staff.OPERATOR not in page
    for what in ("role", "remove", "link"):
        assert (await _send(client, what, member=server.id, role="desk"))[0] == 404
    assert (await _members(database))[staff.OPERATOR] == "administrator"


@pytest.mark.parametrize("role", ["desk", "editor"])
async def test_the_colleagues_are_for_administrators_only(
    database: AsyncEngine, understanding: Understanding, clock: Clock, role: Role
) -> None:
    async with open_console(database, understanding, clock) as client:
        assert (await client.get(HOME)).status == 404
        member = await sign_in(client, database, NOW, role)
        assert (await client.get(HOME)).status == 404
        token = await form_token(client, "/staff/figures")
        for what in ("add", "role", "remove", "link"):
            form = {"form_token": token, "member": member.id, "role": "administrator", "label": "Me"}
            assert (await client.post(f"{HOME}/{what}", data=form)).status == 404
    assert await _members(database) == {"Noor": role}


async def test_a_form_of_somebody_else_changes_nothing(client: Client, database: AsyncEngine) -> None:
    sara = await _add(database, "Sara")
    for what in ("add", "role", "remove", "link"):
        form = {"form_token": "forged", "member": sara.id, "role": "administrator", "label": "Me"}
        assert (await client.post(f"{HOME}/{what}", data=form)).status == 403
    assert await _members(database) == {"Noor": "administrator", "Sara": "desk"}
    assert await _log(database) == []


# Adding


async def test_a_new_colleague_is_in_the_list_and_in_the_log(client: Client, database: AsyncEngine) -> None:
    status, page = await _send(client, "add", label="  Sara   Maes ", role="editor", telegram=" 123456 ")
    assert (status, "Sara Maes" in page) == (200, True)
    assert await _members(database) == {"Noor": "administrator", "Sara Maes": "editor"}
    assert await _log(database) == [("Noor", "add colleague", "Sara Maes: editor")]


async def test_two_colleagues_without_telegram_are_two(client: Client, database: AsyncEngine) -> None:
    for label in ("Sara", "Tom"):
        assert (await _send(client, "add", label=label, role="desk", telegram=""))[0] == 200
    assert set(await _members(database)) == {"Noor", "Sara", "Tom"}


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"label": "  ", "role": "desk"}, "Write the name"),
        ({"label": "a\x00b", "role": "desk"}, "Write the name"),
        ({"label": "\u202ea", "role": "desk"}, "Write the name"),
        ({"label": "a" * 81, "role": "desk"}, "too long: at most 80"),
        ({"label": "noor", "role": "desk"}, "has this name already"),
        ({"label": "Sara", "role": "king"}, "Choose a role"),
        ({"label": "Sara"}, "Choose a role"),
        ({"label": "Sara", "role": "desk", "telegram": "@sara"}, "digits only"),
        ({"label": "Sara", "role": "desk", "telegram": "٤٥٦"}, "digits only"),
        ({"label": "Sara", "role": "desk", "telegram": "9" * 17}, "digits only"),
        ({"label": "Sara", "role": "desk", "telegram": "42"}, "has this Telegram number already"),
        ({}, "Write the name"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_filled_in_stays(
    client: Client, database: AsyncEngine, form: dict[str, str], sentence: str
) -> None:
    await _add(database, "Tom", "desk", "42")
    status, page = await _send(client, "add", **form)
    assert (status, 'role="alert"' in page) == (422, True)
    assert sentence in page
    assert f'value="{form.get("telegram", "")}" aria-describedby="telegram-help"' in page
    assert set(await _members(database)) == {"Noor", "Tom"}
    assert await _log(database) == []


# Roles


async def test_a_role_changes_at_once(client: Client, database: AsyncEngine) -> None:
    async with _second_browser(client) as theirs:
        sara = await sign_in(theirs, database, NOW, "desk", "Sara")
        assert (await theirs.get(HOME)).status == 404
        assert (await _send(client, "role", member=sara.id, role="administrator"))[0] == 200
        assert (await theirs.get(HOME)).status == 200
    assert await _log(database) == [("Noor", "change role", "Sara: administrator")]


@pytest.mark.parametrize("beside_the_server", [True, False])
async def test_the_only_administrator_stays_one(
    client: Client, database: AsyncEngine, *, beside_the_server: bool
) -> None:
    await _add(database, "Sara", "editor")
    if beside_the_server:
        await _add(database, staff.OPERATOR, "administrator", staff.NOBODYS_ID)
    (noor,) = [member for member in await _all(database) if member.label == "Noor"]
    status, page = await _send(client, "role", member=noor.id, role="desk")
    assert (status, "You are the only administrator" in page) == (422, True)
    assert (await _members(database))["Noor"] == "administrator"


async def _all(database: AsyncEngine) -> list[Member]:
    async with storage.begin(database) as connection:
        return await staff.members(connection)


async def test_whoever_runs_the_server_makes_the_first_administrators(
    database: AsyncEngine, understanding: Understanding, clock: Clock
) -> None:
    async with open_console(database, understanding, clock) as client:
        client.session.headers["Accept-Language"] = "en"
        server = await _add(database, staff.OPERATOR, "administrator", staff.NOBODYS_ID)
        async with storage.begin(database) as connection:
            token = await staff.make_link(connection, server.id, NOW)
        await client.post(f"/staff/enter/{token}")
        assert (await _send(client, "add", label="Sara", role="administrator", telegram=""))[0] == 200
        assert "the server's own access</bdi> (you)" in unescape(await (await client.get(HOME)).text())
        (sara,) = [member for member in await _all(database) if not member.is_server]
        assert (await _send(client, "role", member=sara.id, role="desk"))[0] == 200
    assert (await _members(database))["Sara"] == "desk"


async def test_one_of_two_administrators_can_step_down(client: Client, database: AsyncEngine) -> None:
    await _add(database, "Sara", "administrator")
    (noor,) = [member for member in await _all(database) if member.label == "Noor"]
    token = await form_token(client, HOME)
    form = {"form_token": token, "member": noor.id, "role": "desk"}
    response = await client.post(f"{HOME}/role", data=form, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, "/staff")
    assert (await client.get(HOME)).status == 404
    assert await _members(database) == {"Noor": "desk", "Sara": "administrator"}


async def test_the_same_role_again_leaves_no_line(client: Client, database: AsyncEngine) -> None:
    sara = await _add(database, "Sara", "editor")
    assert (await _send(client, "role", member=sara.id, role="editor"))[0] == 200
    assert await _log(database) == []


async def test_an_unknown_role_is_refused(client: Client, database: AsyncEngine) -> None:
    sara = await _add(database, "Sara", "editor")
    status, page = await _send(client, "role", member=sara.id, role="king")
    assert (status, "Choose a role" in page) == (422, True)
    assert (await _members(database))["Sara"] == "editor"


# Removing


async def test_who_is_removed_is_out_at_once(client: Client, database: AsyncEngine) -> None:
    async with _second_browser(client) as theirs:
        sara = await sign_in(theirs, database, NOW, "editor", "Sara")
        assert (await theirs.get("/staff/log")).status == 200
        assert (await _send(client, "remove", member=sara.id))[0] == 200
        assert (await theirs.get("/staff/log")).status == 404
    assert await _members(database) == {"Noor": "administrator"}
    assert await _log(database) == [("Noor", "remove colleague", "Sara")]


async def test_nobody_removes_themselves(client: Client, database: AsyncEngine) -> None:
    await _add(database, "Sara", "administrator")
    (noor,) = [member for member in await _all(database) if member.label == "Noor"]
    status, page = await _send(client, "remove", member=noor.id)
    assert (status, "You cannot remove yourself" in page) == (422, True)
    assert await _members(database) == {"Noor": "administrator", "Sara": "administrator"}


@pytest.mark.parametrize("number", ["", "0", "99999", "-1", "1e3", "9" * 40, "٣"])
@pytest.mark.parametrize("what", ["role", "remove", "link"])
async def test_a_colleague_who_is_not_there_is_not_found(client: Client, what: str, number: str) -> None:
    assert (await _send(client, what, member=number, role="desk"))[0] == 404


# Signing in without Telegram


async def test_an_address_is_shown_once_and_signs_the_colleague_in_once(client: Client, database: AsyncEngine) -> None:
    sara = await _add(database, "Sara", "editor")
    status, page = await _send(client, "link", member=sara.id)
    address = _ADDRESS.search(page)
    assert (status, bool(address)) == (200, True)
    assert address
    assert not _ADDRESS.search(await (await client.get(HOME)).text())
    async with _second_browser(client) as theirs:
        path = address[1].removeprefix(str(client.make_url("/")).rstrip("/"))
        assert path.startswith("/staff/enter/")
        assert (await theirs.post(path, allow_redirects=False)).status == 303
        assert (await theirs.get("/staff/log")).status == 200
        assert (await theirs.get(HOME)).status == 404
        assert (await theirs.post(path, allow_redirects=False)).status == 404
    assert await _log(database) == [("Noor", "sign-in link", "Sara")]


async def test_who_has_telegram_gets_an_address_there(client: Client, database: AsyncEngine) -> None:
    sara = await _add(database, "Sara", "editor", "42")
    status, page = await _send(client, "link", member=sara.id)
    assert (status, _ADDRESS.search(page)) == (422, None)
    assert "they send it /staff in Telegram" in page


async def test_sign_out_everywhere_ends_ones_own_sessions_only(client: Client, database: AsyncEngine) -> None:
    async with _second_browser(client) as theirs:
        await sign_in(theirs, database, NOW, "desk", "Sara")
        assert "/staff/sign-out-everywhere" in await (await client.get(HOME)).text()
        form = {"form_token": await form_token(client, HOME)}
        response = await client.post("/staff/sign-out-everywhere", data=form, allow_redirects=False)
        assert response.status == 303
        assert (await client.get(HOME)).status == 404
        assert (await theirs.get("/staff/log")).status == 200


# Two at the same moment


async def test_two_administrators_who_remove_each_other_leave_one(client: Client, database: AsyncEngine) -> None:
    async with _second_browser(client) as theirs:
        sara = await sign_in(theirs, database, NOW, "administrator", "Sara")
        (noor,) = [member for member in await _all(database) if member.label == "Noor"]
        tokens = await form_token(client, HOME), await form_token(theirs, HOME)
        both = ((client, sara, tokens[0]), (theirs, noor, tokens[1]))
        answers = await asyncio.gather(
            *(
                browser.post(f"{HOME}/remove", data={"form_token": token, "member": who.id}, allow_redirects=False)
                for browser, who, token in both
            )
        )
    assert sorted(answer.status for answer in answers) == [303, 404]
    assert list((await _members(database)).values()) == ["administrator"]


async def _step_down(connection: AsyncConnection, number: int, looked: asyncio.Barrier | None) -> None:
    """One administrator steps down if there is another, with the guard or (`looked`) after both have only looked."""
    if looked is None:
        there = await staff.hold_administrators(connection)
    else:
        there = [each for each in await staff.members(connection) if each.role == "administrator"]
        await looked.wait()
    if len(there) > 1:
        await staff.change_role(connection, number, "desk")


async def _both_step_down(database: AsyncEngine, looked: asyncio.Barrier | None) -> list[str]:
    both = [await _add(database, label, "administrator") for label in ("Noor", "Sara")]

    async def step_down(number: int) -> None:
        async with storage.begin(database) as connection:
            await _step_down(connection, number, looked)

    await asyncio.gather(*(step_down(member.id) for member in both))
    return sorted((await _members(database)).values())


async def test_two_administrators_who_step_down_leave_one(database: AsyncEngine) -> None:
    assert await _both_step_down(database, None) == ["administrator", "desk"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_without_the_guard_two_administrators_would_leave_nobody(database: AsyncEngine) -> None:
    """On PostgreSQL; SQLite lets one transaction write at a time."""
    assert await _both_step_down(database, asyncio.Barrier(2)) == ["desk", "desk"]


# The log


async def test_the_log_shows_the_latest_first_and_escapes(client: Client, database: AsyncEngine) -> None:
    (noor,) = await _all(database)
    async with storage.begin(database) as connection:
        await staff.note(connection, noor.label, "close a day", "school 2026-12-02", NOW)
        await staff.note(connection, noor.label, "add colleague", "<script>alert(1)</script>", NOW)
        assert await staff.log(connection, 1) == [LogLine(NOW, "Noor", "add colleague", "<script>alert(1)</script>")]
    page = await (await client.get("/staff/log")).text()
    assert page.index("add colleague") < page.index("close a day")
    assert "<script>alert" not in page
    assert "school 2026-12-02" in page
    assert '<time datetime="2026-11-23T09:30:00+00:00">10:30</time>' in page


async def test_the_desk_may_read_the_log_in_which_its_own_sign_in_stands(
    database: AsyncEngine, understanding: Understanding, clock: Clock
) -> None:
    async with open_console(database, understanding, clock) as client:
        client.session.headers["Accept-Language"] = "en"
        assert (await client.get("/staff/log")).status == 404
        await sign_in(client, database, NOW)
        response = await client.get("/staff/log")
        assert response.status == 200
        assert "sign in" in await response.text()
