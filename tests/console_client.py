"""A browser of a member of staff, for tests: the console on a real database, signed in through a real link."""

import datetime
import re
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.console import Console, add_console
from bot.knowledge import Holder
from bot.storage import staff
from bot.storage.staff import Member, Role
from bot.understanding import Understanding
from bot.web import secure
from tests.conftest import KNOWLEDGE

Client = TestClient[web.Request, web.Application]
_FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


@asynccontextmanager
async def open_console(
    database: AsyncEngine,
    understanding: Understanding | Holder[Understanding],
    clock: Callable[[], datetime.datetime],
    directory: Path = KNOWLEDGE,
) -> AsyncIterator[Client]:
    """A browser on the console that nobody has signed in to."""
    app = web.Application()
    app.on_response_prepare.append(secure)
    holder = understanding if isinstance(understanding, Holder) else Holder(understanding)
    add_console(Console(app, database, holder, directory, clock))
    async with TestClient(TestServer(app)) as client:
        yield client


async def sign_in(
    client: Client, database: AsyncEngine, now: datetime.datetime, role: Role = "desk", label: str = "Noor"
) -> Member:
    """Make a member with this role, and sign this browser in as them."""
    async with storage.begin(database) as connection:
        member = await staff.add(connection, label, role, None, now)
        assert member
        token = await staff.make_link(connection, member.id, now)
    response = await client.post(f"/staff/enter/{token}", allow_redirects=False)
    assert response.status == 303
    return member


async def form_token(client: Client, path: str = "/staff") -> str:
    """The token that stands in the forms of a page."""
    found = _FORM_TOKEN.search(await (await client.get(path)).text())
    assert found
    return found[1]


def once() -> str:
    """What makes a form another one than those that were sent before."""
    return secrets.token_urlsafe(16)


async def send(client: Client, path: str, form: Mapping[str, Any], *, page: str = "/staff") -> tuple[int, str]:
    """Fill in a form of `page`; the status and the page that follows."""
    response = await client.post(path, data={"once": once(), **form, "form_token": await form_token(client, page)})
    return response.status, await response.text()
