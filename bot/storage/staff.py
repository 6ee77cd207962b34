"""Staff: who they are, how they sign in, and what they did.

A link and a session are each a long random token. Only its hash is kept, so that the database gives nobody a way in.
"""

import datetime
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import events
from bot.storage.schema import feeds, handled, sessions, sign_ins, staff, staff_log
from bot.storage.upsert import insert_for

Role = Literal["desk", "editor", "administrator"]
ROLES: tuple[Role, ...] = ("desk", "editor", "administrator")

OPERATOR, NOBODYS_ID = "Operator", "0"  # the server's own access to the console; no Telegram user has this id
LINK_LIVES = datetime.timedelta(minutes=10)
SESSION_LIVES = datetime.timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Member:
    """A staff member. `label`: what colleagues call them; `telegram`: their user id there, if any."""

    id: int
    label: str
    role: Role
    telegram: str | None

    @property
    def is_server(self) -> bool:
        """Whether this is no colleague, but the access of whoever runs the server."""
        return self.telegram == NOBODYS_ID

    def may(self, role: Role) -> bool:
        """Whether they have this role, or one above it."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `form_token` stands in every form, and must come back with it."""

    member: Member
    form_token: str
    hash: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """One thing that a member did."""

    at: datetime.datetime
    who: str
    what: str
    about: str


def _hash(token: str) -> str:
    return sha256(token.encode(errors="surrogatepass")).hexdigest()  # a cookie may hold any bytes


# Members


async def add(
    connection: AsyncConnection, label: str, role: Role, telegram: str | None, now: datetime.datetime
) -> Member | None:
    """A new member; None when somebody has this Telegram id already."""
    row = insert_for(connection, staff).values(label=label, role=role, telegram=telegram, added_at=now)
    again = row.on_conflict_do_nothing(index_elements=["telegram"]).returning(*staff.c)
    made = (await connection.execute(again)).first()
    return _member(made) if made else None


async def members(connection: AsyncConnection) -> list[Member]:
    rows = await connection.execute(select(staff).order_by(staff.c.id))
    return [_member(row) for row in rows]


async def member(connection: AsyncConnection, number: int) -> Member | None:
    row = (await connection.execute(select(staff).where(staff.c.id == number))).first()
    return _member(row) if row else None


async def by_telegram(connection: AsyncConnection, telegram: str) -> Member | None:
    row = (await connection.execute(select(staff).where(staff.c.telegram == telegram))).first()
    return _member(row) if row else None


async def hold_administrators(connection: AsyncConnection) -> list[Member]:
    """The administrators, the server among them, who stay so until this transaction ends.

    Without it, two who take each other away at the same moment would leave nobody.
    """
    there = select(staff).where(staff.c.role == "administrator").order_by(staff.c.id)
    return [_member(row) for row in await connection.execute(there.with_for_update())]


async def change_role(connection: AsyncConnection, number: int, role: Role) -> None:
    await connection.execute(update(staff).where(staff.c.id == number).values(role=role))


async def remove(connection: AsyncConnection, number: int) -> None:
    """Take a member away, and end their sessions at once."""
    for table in (sessions, sign_ins, feeds):
        await connection.execute(delete(table).where(table.c.staff == number))
    await connection.execute(delete(staff).where(staff.c.id == number))


def _member(row: Row[tuple[object, ...]]) -> Member:
    return Member(row.id, row.label, row.role, row.telegram)


# Signing in


async def make_link(connection: AsyncConnection, number: int, now: datetime.datetime) -> str:
    """A token that signs this member in, once and within `LINK_LIVES`."""
    token = secrets.token_urlsafe(32)
    await connection.execute(insert(sign_ins).values(hash=_hash(token), staff=number, until=now + LINK_LIVES))
    return token


async def link_is_good(connection: AsyncConnection, token: str, now: datetime.datetime) -> bool:
    """Whether a link would still sign somebody in; it stays as it is."""
    there = (sign_ins.c.hash == _hash(token)) & (sign_ins.c.until > now)
    return (await connection.execute(select(sign_ins.c.staff).where(there))).first() is not None


async def sign_in(connection: AsyncConnection, token: str, now: datetime.datetime) -> str | None:
    """Use a link up; the token of the session that it opens, or None when it was used or is too old."""
    there = (sign_ins.c.hash == _hash(token)) & (sign_ins.c.until > now)
    number = (await connection.execute(delete(sign_ins).where(there).returning(sign_ins.c.staff))).scalar()
    if number is None:
        return None
    session = secrets.token_urlsafe(32)
    values = {"staff": number, "form_token": secrets.token_urlsafe(32), "until": now + SESSION_LIVES}
    await connection.execute(insert(sessions).values(hash=_hash(session), **values))
    return session


async def session_of(connection: AsyncConnection, token: str, now: datetime.datetime) -> Session | None:
    """Who is signed in with this token; None when nobody is, or no longer."""
    there = (sessions.c.hash == _hash(token)) & (sessions.c.until > now)
    rows = select(staff, sessions.c.form_token, sessions.c.hash).join(sessions).where(there)
    row = (await connection.execute(rows)).first()
    return Session(_member(row), row.form_token, row.hash) if row else None


async def sign_out(connection: AsyncConnection, session: Session) -> None:
    await connection.execute(delete(sessions).where(sessions.c.hash == session.hash))


async def make_feed(connection: AsyncConnection, number: int, service: str) -> str:
    """A token for a calendar address of this member, until they sign out everywhere or leave."""
    token = secrets.token_urlsafe(32)
    await connection.execute(insert(feeds).values(hash=_hash(token), staff=number, service=service))
    return token


async def service_of_feed(connection: AsyncConnection, token: str) -> str | None:
    """The service whose calendar a token opens; None when it opens none."""
    service: str | None = (
        await connection.execute(select(feeds.c.service).where(feeds.c.hash == _hash(token)))
    ).scalar()
    return service


async def sign_out_everywhere(connection: AsyncConnection, number: int) -> int:
    """End every session of a member, and their calendar addresses; how many sessions there were."""
    await connection.execute(delete(feeds).where(feeds.c.staff == number))
    return (await connection.execute(delete(sessions).where(sessions.c.staff == number))).rowcount


# Forms that make something: a double click sends one twice


async def claim_form(connection: AsyncConnection, once: str, now: datetime.datetime) -> str | None:
    """Take a form in the transaction of its effects: whoever sends it again waits until that one ends.

    Where it came before and made something, the page that it led to; otherwise None.
    """
    event = _form(once)
    if await events.claim(connection, event, now):
        return None
    led_to: str | None = (await connection.execute(select(handled.c.replies).where(handled.c.event == event))).scalar()
    return led_to


async def form_leads_to(connection: AsyncConnection, once: str, place: str) -> None:
    """A form that was claimed has made something, which `place` shows."""
    await connection.execute(update(handled).where(handled.c.event == _form(once)).values(replies=place))


def _form(once: str) -> str:
    return f"form:{once}"


# The log


async def note(connection: AsyncConnection, who: str, what: str, about: str, now: datetime.datetime) -> None:
    """Leave a line of what a member, by their label, did, in the transaction in which it is done."""
    await connection.execute(insert(staff_log).values(at=now, who=who, what=what, about=about[:200]))


async def log(connection: AsyncConnection, most: int = 200) -> list[LogLine]:
    """The latest lines first."""
    rows = select(staff_log).order_by(staff_log.c.id.desc()).limit(most)
    return [LogLine(row.at, row.who, row.what, row.about) for row in await connection.execute(rows)]
