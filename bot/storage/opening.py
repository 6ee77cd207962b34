"""Opening a database and bringing it up to date."""

import datetime
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.storage import sqlite

MIGRATIONS = Path(__file__).parent / "migrations"
_CONNECT_SECONDS, _COMMAND_SECONDS = 10, 30


Clock = Callable[[], datetime.datetime]


class Unavailable(Exception):
    """The database cannot be reached now; what was asked of it can be tried again."""


@asynccontextmanager
async def open_storage(url: str) -> AsyncIterator[AsyncEngine]:
    """An engine for `url`, closed at the end."""
    engine = sqlite.create_engine(url) if url.startswith("sqlite") else _create_postgresql(url)
    try:
        yield engine
    finally:
        await engine.dispose()


def _create_postgresql(url: str) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"timeout": _CONNECT_SECONDS, "command_timeout": _COMMAND_SECONDS},
    )


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
