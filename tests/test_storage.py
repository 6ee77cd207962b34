"""The database: its tables are what the migrations make, and it is said when it is away."""

import datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.storage import events, retention
from bot.storage.schema import handled, metadata
from tests.conftest import NOW


async def test_the_migrations_make_the_tables_of_the_schema(database: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with database.begin() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_twice_changes_nothing(database: AsyncEngine) -> None:
    await storage.migrate(database)


async def test_a_moment_comes_back_aware_and_in_utc(database: AsyncEngine) -> None:
    brussels = datetime.timezone(datetime.timedelta(hours=1))
    async with storage.begin(database) as connection:
        await events.claim(connection, "a", datetime.datetime(2026, 11, 23, 10, 30, tzinfo=brussels))
        at = (await connection.execute(select(handled.c.at))).scalar_one()
    assert (at, at.tzinfo) == (NOW, datetime.UTC)


async def test_a_moment_without_a_zone_is_refused(database: AsyncEngine) -> None:
    with pytest.raises(Exception, match="without a time zone"):
        async with storage.begin(database) as connection:
            await connection.execute(insert(handled).values(event="a", at=NOW.replace(tzinfo=None)))


async def test_an_event_is_claimed_once(database: AsyncEngine) -> None:
    async with storage.begin(database) as connection:
        assert await events.claim(connection, "a", NOW)
    async with storage.begin(database) as connection:
        assert not await events.claim(connection, "a", NOW)


async def test_an_event_whose_transaction_failed_can_come_again(database: AsyncEngine) -> None:
    async def fail() -> None:
        async with storage.begin(database) as connection:
            await events.claim(connection, "a", NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with storage.begin(database) as connection:
        assert await events.claim(connection, "a", NOW)


async def test_what_is_past_its_time_is_deleted(database: AsyncEngine) -> None:
    async with storage.begin(database) as connection:
        await events.claim(connection, "old", NOW - retention.HANDLED - datetime.timedelta(seconds=1))
        await events.claim(connection, "new", NOW)
        assert await retention.delete_expired(connection, NOW) == 1
        assert (await connection.execute(select(handled.c.event))).scalars().all() == ["new"]


@pytest.mark.parametrize("url", ["postgresql+asyncpg://nobody@127.0.0.1:1/x", "sqlite+aiosqlite:////proc/none/x.db"])
async def test_a_database_that_is_away_is_said(url: str) -> None:
    with pytest.raises((storage.Unavailable, OSError)):
        async with storage.open_storage(url) as engine, storage.begin(engine):
            pass
