"""Opening a database and bringing it up to date."""

import datetime
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.storage import sqlite

MIGRATIONS = Path(__file__).parent / "migrations"
_CONNECT_SECONDS, _COMMAND_SECONDS = 10, 30


Clock = Callable[[], datetime.datetime]


class Unusable(Exception):
    """The database answers, and does not serve us; says why."""


class Unavailable(Exception):
    """The database cannot be reached now; what was asked of it can be tried again."""


# What passes (PostgreSQL, appendix A): no connection, two in each other's way, too many, starting or stopping.
_AWAY = ("08", "40", "53", "57P")


@asynccontextmanager
async def open_storage(url: str) -> AsyncIterator[AsyncEngine]:
    """An engine for `url`, closed at the end; raises `Unavailable` where no file can be made for it."""
    try:
        engine = sqlite.create_engine(url) if url.startswith("sqlite") else _create_postgresql(url)
    except OSError as error:
        raise Unavailable(type(error).__name__) from error
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
        if error.connection_invalidated or _sqlstate(error).startswith(_AWAY):
            raise Unavailable(type(error).__name__) from error
        raise


def _sqlstate(error: DBAPIError) -> str:
    """The code of PostgreSQL; empty where there is none."""
    return str(getattr(error.orig, "sqlstate", None) or "")


async def migrate(engine: AsyncEngine) -> None:
    """Bring the tables to what this version needs. Safe when many processes start at once on PostgreSQL.

    Raises `Unusable` for a database that is there and cannot be used: another password, no rights, a newer version's.
    """
    try:
        async with begin(engine) as connection:
            await connection.run_sync(_upgrade)
    except Unavailable:
        raise
    except CommandError:
        raise Unusable("it was made by a newer version") from None
    except Exception as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise Unusable(reason) from error


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7399231)")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
