"""Opening a database and bringing it up to date."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_SECONDS = 10


class Unavailable(Exception):
    """The database cannot be reached now; what was asked of it can be tried again."""


@asynccontextmanager
async def open_storage(url: str) -> AsyncIterator[AsyncEngine]:
    """An engine for `url`, closed at the end. A directory for an SQLite file is made when it is missing."""
    engine = create_async_engine(url, pool_pre_ping=not url.startswith("sqlite"), connect_args=_connect_args(url))
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, make_url(url).database)
    try:
        yield engine
    finally:
        await engine.dispose()


def _connect_args(url: str) -> dict[str, Any]:
    return {"timeout": _BUSY_SECONDS} if url.startswith("sqlite") else {"timeout": _BUSY_SECONDS, "command_timeout": 30}


def _prepare_sqlite(engine: AsyncEngine, file: str | None) -> None:
    if file and file != ":memory:":
        Path(file).parent.mkdir(parents=True, exist_ok=True)

    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy says BEGIN itself, below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: Connection) -> None:
        # A transaction that reads first and writes later fails at once when another one wrote between.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@asynccontextmanager
async def begin(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction; raises `Unavailable` when the database is away, before or during it."""
    try:
        async with engine.begin() as connection:
            yield connection
    except (OperationalError, InterfaceError, PoolTimeout, OSError) as error:
        raise Unavailable(type(error).__name__) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable(type(error).__name__) from error
        raise


async def migrate(engine: AsyncEngine) -> None:
    """Bring the tables to what this version needs. Safe when many processes start at once on PostgreSQL."""
    async with begin(engine) as connection:
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7399231)")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
