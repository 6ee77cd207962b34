"""The database: its tables are what the migrations make, and it is said when it is away."""

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Table, func, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import storage
from bot.scheduling import Slot
from bot.storage import agenda, bookings, events, outbox, personal, reminding, retention, talks, waiting
from bot.storage.bookings import Asked
from bot.storage.opening import MIGRATIONS
from bot.storage.outbox import Draft
from bot.storage.schema import bookings as bookings_table
from bot.storage.schema import closures, handled, metadata, slots
from bot.storage.schema import outbox as outbox_table
from bot.storage.schema import waiting as waiting_table
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


SLOT = Slot(NOW - datetime.timedelta(hours=1), NOW, "school", 3)  # it ends now
ASKED = Asked("test", "p1", "en")


async def _count(connection: AsyncConnection, *tables: Table) -> list[int]:
    return [(await connection.execute(select(func.count()).select_from(table))).scalar_one() for table in tables]


async def test_a_booking_goes_with_its_place_and_its_notices_a_while_after_its_day(database: AsyncEngine) -> None:
    tables = (bookings_table, slots, outbox_table)
    next_week = replace(SLOT, start=SLOT.start + datetime.timedelta(7), end=SLOT.end + datetime.timedelta(7))
    async with storage.begin(database) as connection:
        for slot in (SLOT, next_week):
            await bookings.book(connection, slot, ASKED, NOW - datetime.timedelta(days=3))
            await reminding.put_due(connection, slot.start, (ASKED.channel,), 10)
        assert await _count(connection, *tables) == [2, 2, 4]
        await retention.delete_expired(connection, NOW + retention.BOOKINGS)
        assert [each.start for each in await _all_bookings(connection)] == [SLOT.start, next_week.start]
        await retention.delete_expired(connection, NOW + retention.BOOKINGS + datetime.timedelta(seconds=1))
        assert [each.start for each in await _all_bookings(connection)] == [next_week.start]
        assert await _count(connection, *tables) == [1, 1, 2]


async def _all_bookings(connection: AsyncConnection) -> list[bookings.Booking]:
    return await agenda.between(connection, SLOT.start, NOW + datetime.timedelta(days=30))


@pytest.mark.parametrize("state", [bookings.CANCELLED, bookings.CLOSED, bookings.FULFILLED, bookings.NOSHOW])
async def test_a_booking_goes_whatever_became_of_it(database: AsyncEngine, state: str) -> None:
    async with storage.begin(database) as connection:
        made = await bookings.book(connection, SLOT, ASKED, NOW - datetime.timedelta(days=3))
        assert isinstance(made, bookings.Booked)
        change = agenda.mark if state in (bookings.FULFILLED, bookings.NOSHOW) else bookings.cancel
        assert await change(connection, made.booking, state)
        await retention.delete_expired(connection, NOW + retention.BOOKINGS + datetime.timedelta(seconds=1))
        assert await _count(connection, bookings_table, outbox_table) == [0, 0]


async def test_a_notice_without_a_booking_goes_too(database: AsyncEngine) -> None:
    async with storage.begin(database) as connection:
        old = Draft(key="old", kind="free", channel="test", chat="p1", due=NOW - retention.BOOKINGS)
        older = replace(old, key="older", due=old.due - datetime.timedelta(seconds=1))
        for draft in (old, older):
            await outbox.put(connection, draft)
        assert await retention.delete_expired(connection, NOW) == 1
        assert (await connection.execute(select(outbox_table.c.key))).scalars().all() == ["old"]


async def test_who_waits_for_a_day_that_is_over_is_forgotten(database: AsyncEngine) -> None:
    async with storage.begin(database) as connection:
        for day in (NOW.date() - datetime.timedelta(days=1), NOW.date()):
            await waiting.join(connection, "school", day, ASKED)
        assert await retention.delete_expired(connection, NOW) == 1
        assert (await connection.execute(select(waiting_table.c.day))).scalars().all() == [NOW.date()]


async def test_a_closing_goes_a_while_after_its_end(database: AsyncEngine) -> None:
    async with storage.begin(database) as connection:
        await agenda.close(connection, "school", SLOT.start, SLOT.end, NOW)
        assert await retention.delete_expired(connection, SLOT.end + retention.BOOKINGS) == 0
        assert await retention.delete_expired(connection, SLOT.end + retention.BOOKINGS + datetime.timedelta(1)) == 1
        assert await _count(connection, closures) == [0]


@pytest.mark.parametrize("url", ["postgresql+asyncpg://nobody@127.0.0.1:1/x", "sqlite+aiosqlite:////proc/none/x.db"])
async def test_a_database_that_is_away_is_said(url: str) -> None:
    with pytest.raises((storage.Unavailable, OSError)):
        async with storage.open_storage(url) as engine, storage.begin(engine):
            pass


async def test_the_number_of_a_deleted_conversation_never_comes_back(database: AsyncEngine) -> None:
    """What staff answer to somebody who is gone would reach somebody else."""
    async with storage.begin(database) as connection:
        first = await talks.start(connection, "telegram", "1", "en", NOW)
        await personal.delete_all(connection, "telegram", "1", NOW)
        second = await talks.start(connection, "telegram", "2", "en", NOW)
    assert second.id != first.id


async def test_conversations_of_an_earlier_version_are_kept(tmp_path: Path) -> None:
    def upgrade(connection: Connection, revision: str) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    async with storage.open_storage(f"sqlite+aiosqlite:///{tmp_path}/x.db") as engine:
        async with storage.begin(engine) as connection:
            await connection.run_sync(upgrade, "0005")
            talk = await talks.start(connection, "telegram", "1", "en", NOW)
            await talks.from_person(connection, talk, "hello", NOW)
        await storage.migrate(engine)
        async with storage.begin(engine) as connection:
            assert await talks.current(connection, "telegram", "1") == talk
            assert [message.text for message in await talks.said(connection, talk.id)] == ["hello"]


@pytest.mark.parametrize(("code", "passes"), [("57P03", True), ("53300", True), ("40P01", True), ("42P01", False)])
async def test_a_server_that_is_starting_or_full_or_in_a_deadlock_counts_as_away(
    database: AsyncEngine, code: str, passes: bool
) -> None:
    """With these PostgreSQL says that the same can be asked again."""

    class FromServer(Exception):
        sqlstate = code

    with pytest.raises(storage.Unavailable if passes else DBAPIError):
        async with storage.begin(database):
            raise DBAPIError("SELECT 1", None, FromServer())
