"""SQLite, called where it is needed instead of in a thread.

aiosqlite sends every call to a thread and waits for it: nine times for a transaction with one question, five
milliseconds in all, where the calls themselves take less than one. Here they run at once. So there is one
connection, whose users wait for each other without holding up the rest; only another process that writes at the same
moment could, and for no longer than `BUSY_SECONDS`.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiosqlite
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

BUSY_SECONDS = 2


class _DirectConnection(aiosqlite.Connection):
    """aiosqlite's own connection, but for the one method through which all its calls go."""

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)


def create_engine(url: str) -> AsyncEngine:
    """An engine for an SQLite `url`; the directory of its file is made when it is missing."""
    file = make_url(url).database or ":memory:"
    if file != ":memory:":
        Path(file).parent.mkdir(parents=True, exist_ok=True)

    def open_file() -> sqlite3.Connection:
        return sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)

    async def connect() -> aiosqlite.Connection:
        return await _DirectConnection(open_file, iter_chunk_size=64)

    engine = create_async_engine(url, async_creator=connect, pool_size=1, max_overflow=0, hide_parameters=True)
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another process wrote between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
