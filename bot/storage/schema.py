"""The tables. What changes here needs a migration in `migrations/`; a test compares the two."""

import datetime

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
)
from sqlalchemy import (
    text as sql,
)
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

# How many places of a slot are taken. A slot has a row from its first booking on.
slots = Table(
    "slots",
    metadata,
    Column("service", String(64), primary_key=True),
    Column("start", Instant, primary_key=True),
    Column("taken", Integer, nullable=False),
)

# A person in a slot. `chat` is empty where staff booked for somebody whom no channel reaches.
bookings = Table(
    "bookings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", String(8), nullable=False, unique=True),
    Column("service", String(64), nullable=False),
    Column("start", Instant, nullable=False),
    Column("end", Instant, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("chat", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("wanted", String(8), nullable=False),
    Column("people", Integer, nullable=False),
    Column("places", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("coming", Boolean, nullable=False),
    Column("booked_at", Instant, nullable=False),
    Column("remind_at", Instant),
    Index("ix_bookings_slot", "service", "start"),
    Index("ix_bookings_person", "channel", "chat"),
    Index("ix_bookings_remind_at", "remind_at"),
    # One booking of a person in a slot; desk bookings have no chat to tell them apart.
    Index(
        "ux_bookings_booked",
        "service",
        "start",
        "channel",
        "chat",
        unique=True,
        sqlite_where=sql("state = 'booked' AND chat <> ''"),
        postgresql_where=sql("state = 'booked' AND chat <> ''"),
    ),
)

# Moments that staff closed, from an instant to an instant.
closures = Table(
    "closures",
    metadata,
    Column("service", String(64), primary_key=True),
    Column("start", Instant, primary_key=True),
    Column("end", Instant, primary_key=True),
)

# Who waits for a place on a day, in the order of `id`. While `asked_until` lies ahead, this person may say yes.
waiting = Table(
    "waiting",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("service", String(64), nullable=False),
    Column("day", Date, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("chat", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("wanted", String(8), nullable=False),
    Column("people", Integer, nullable=False),
    Column("places", Integer, nullable=False),
    Column("asked_for", Instant),
    Column("asked_until", Instant),
    Index("ux_waiting_person", "service", "day", "channel", "chat", unique=True),
)

# Notices that wait to be sent, and those that were. `key` names one, so that it is never there twice.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(120), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("chat", String(64), nullable=False),
    Column("booking", Integer, ForeignKey("bookings.id", ondelete="CASCADE")),
    Column("waiting", Integer),
    Column("due", Instant, nullable=False),
    Column("claimed_until", Instant),
    Column("state", String(16), nullable=False),
    Index("ix_outbox_due", "state", "due"),
    Index("ix_outbox_booking", "booking"),
    Index("ix_outbox_chat", "channel", "chat"),
)
