"""Who works with the console: the colleagues, and the log of what they did."""

import re

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import storage
from bot.console.console import Console, Visit
from bot.console.signing import link
from bot.storage import staff
from bot.storage.staff import ROLES, Member, Role
from bot.texts import marked

HOME = "/staff/members"
LONGEST_LABEL = 80
_TELEGRAM = re.compile(r"[1-9][0-9]{0,15}")  # "at most 52 significant bits" (Bot API, "User")
_NUMBER = re.compile(r"[0-9]{1,9}")


def add(console: Console) -> None:
    """Serve the colleagues and the log."""
    console.get("/staff/log", "desk", _log)
    console.get(HOME, "administrator", _list)
    console.post(f"{HOME}/add", "administrator", _add)
    console.post(f"{HOME}/role", "administrator", _change_role)
    console.post(f"{HOME}/remove", "administrator", _remove)
    console.post(f"{HOME}/link", "administrator", _make_link)


async def _log(visit: Visit) -> web.Response:
    async with storage.begin(visit.console.database) as connection:
        lines = await staff.log(connection)
    return visit.show("log.html", lines=lines)


async def _list(visit: Visit) -> web.Response:
    async with storage.begin(visit.console.database) as connection:
        return await _page(visit, connection)


async def _page(
    visit: Visit, connection: AsyncConnection, *, problem: str = "", about: Member | None = None, address: str = ""
) -> web.Response:
    """The colleagues. `about`: whom the problem or the sign-in address is about; the problem of a new one has none."""
    return visit.show(
        "members.html",
        status=422 if problem else 200,
        members=await staff.members(connection),
        roles=_roles(visit),
        problem=problem,
        about=about,
        address=address,
        minutes=int(staff.LINK_LIVES.total_seconds() // 60),
        longest=LONGEST_LABEL,
        form=visit.form if problem and about is None else {},
    )


def _roles(visit: Visit) -> dict[Role, str]:
    return {
        "desk": visit.say("Desk"),
        "editor": visit.say("Editor"),
        "administrator": visit.say("Administrator"),
    }


# A new colleague


async def _add(visit: Visit) -> web.Response:
    label = " ".join(visit.form.get("label", "").split())
    telegram = visit.form.get("telegram", "").strip()
    role = _role(visit)
    async with storage.begin(visit.console.database) as connection:
        await _hold(visit, connection)
        problem = _problem_of(visit, label, telegram, await staff.members(connection))
        if problem or role is None:
            return await _page(visit, connection, problem=problem or visit.say("Choose a role."))
        if await staff.add(connection, label, role, telegram or None, visit.now) is None:
            return await _page(visit, connection, problem=visit.say("A colleague has this Telegram number already."))
        await visit.note(connection, marked("add colleague"), f"{label}: {role}")
    return visit.go(HOME)


def _role(visit: Visit) -> Role | None:
    return next((role for role in ROLES if role == visit.form.get("role")), None)


def _problem_of(visit: Visit, label: str, telegram: str, members: list[Member]) -> str:
    if not label or not label.isprintable():
        return visit.say("Write the name of your colleague.")
    if len(label) > LONGEST_LABEL:
        return visit.say("The name is too long: at most {most} signs.", most=LONGEST_LABEL)
    if any(member.label.casefold() == label.casefold() for member in members):
        return visit.say("A colleague has this name already. In the log one could not tell them apart.")
    if telegram and not _TELEGRAM.fullmatch(telegram):
        return visit.say("The Telegram number has digits only. Leave it empty when you do not know it.")
    return ""


# One of the colleagues


async def _hold(visit: Visit, connection: AsyncConnection) -> list[Member]:
    """The administrators; whoever is none of them any more has nothing to do here."""
    held = await staff.hold_administrators(connection)
    if all(each.id != visit.session.member.id for each in held):
        raise web.HTTPNotFound
    return held


async def _meant(visit: Visit, connection: AsyncConnection) -> Member:
    """The colleague whom a form is about. The server's own access is none: it comes back at each start anyway."""
    number = visit.form.get("member", "")
    member = await staff.member(connection, int(number)) if _NUMBER.fullmatch(number) else None
    if member is None or member.is_server:
        raise web.HTTPNotFound
    return member


async def _change_role(visit: Visit) -> web.Response:
    role = _role(visit)
    async with storage.begin(visit.console.database) as connection:
        held = await _hold(visit, connection)
        member = await _meant(visit, connection)
        if role is None:
            return await _page(visit, connection, problem=visit.say("Choose a role."), about=member)
        if role != "administrator" and _is_alone(visit, held) and member.id == visit.session.member.id:
            last = visit.say("You are the only administrator. Make somebody else administrator first.")
            return await _page(visit, connection, problem=last, about=member)
        if role != member.role:
            await staff.change_role(connection, member.id, role)
            await visit.note(connection, marked("change role"), f"{member.label}: {role}")
    steps_down = member.id == visit.session.member.id and role != "administrator"
    return visit.go("/staff" if steps_down else HOME)


def _is_alone(visit: Visit, held: list[Member]) -> bool:
    """Whether nobody else is administrator: somebody among the colleagues has to be."""
    return [each.id for each in held if not each.is_server] == [visit.session.member.id]


async def _remove(visit: Visit) -> web.Response:
    """Nobody removes themselves, so the administrator who does this is left."""
    async with storage.begin(visit.console.database) as connection:
        await _hold(visit, connection)
        member = await _meant(visit, connection)
        if member.id == visit.session.member.id:
            myself = visit.say("You cannot remove yourself. Ask another administrator.")
            return await _page(visit, connection, problem=myself, about=member)
        await staff.remove(connection, member.id)
        await visit.note(connection, marked("remove colleague"), member.label)
    return visit.go(HOME)


async def _make_link(visit: Visit) -> web.Response:
    """Show an address that signs a colleague in. It is shown in this answer only: nobody can look it up again."""
    async with storage.begin(visit.console.database) as connection:
        await _hold(visit, connection)
        member = await _meant(visit, connection)
        if member.telegram:
            theirs = visit.say("This colleague gets an address from the bot: they send it /staff in Telegram.")
            return await _page(visit, connection, problem=theirs, about=member)
        token = await staff.make_link(connection, member.id, visit.now)
        await visit.note(connection, marked("sign-in link"), member.label)
        scheme = "https" if visit.console.https else "http"
        return await _page(visit, connection, about=member, address=link(f"{scheme}://{visit.request.host}", token))
