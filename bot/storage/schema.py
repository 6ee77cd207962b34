"""The tables. What changes here needs a migration in `migrations/`; a test compares the two."""

import datetime

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, MetaData, String, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData()


class Instant(TypeDecorator[datetime.datetime]):
    """A moment, always aware and in UTC. SQLite drops the zone without a word; this puts it back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime.datetime | None, dialect: Dialect) -> datetime.datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value and value.astimezone(datetime.UTC)

    def process_result_value(self, value: datetime.datetime | None, dialect: Dialect) -> datetime.datetime | None:
        return value and (value if value.tzinfo else value.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)


# A person is a chat in a channel, and is kept only once they choose a language.
people = Table(
    "people",
    metadata,
    Column("channel", String(16), primary_key=True),
    Column("chat", String(64), primary_key=True),
    Column("language", String(8), nullable=False),
    Column("seen_on", Date, nullable=False, index=True),
)

# Events that were handled, so that one which comes twice has one effect.
handled = Table(
    "handled",
    metadata,
    Column("event", String(64), primary_key=True),
    Column("at", Instant, nullable=False, index=True),
)

# "Did this help?": counts only, without who.
feedback = Table(
    "feedback",
    metadata,
    Column("day", Date, primary_key=True),
    Column("slug", String(200), primary_key=True),
    Column("language", String(8), primary_key=True),
    Column("helped", Boolean, primary_key=True),
    Column("count", Integer, nullable=False),
)
