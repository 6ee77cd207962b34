"""The tables. What changes here needs a migration in `migrations/`; a test compares the two."""

import datetime

from sqlalchemy import (
    BigInteger,
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
    Text,
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

# Events that were handled, so that one which comes twice has one effect. `replies` stand there until they have arrived;
# from `send_at` on somebody else sends them.
handled = Table(
    "handled",
    metadata,
    Column("event", String(64), primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    Column("channel", String(16)),
    Column("chat", String(64)),
    Column("replies", Text),
    Column("send_at", Instant),
    Index(
        "ix_handled_send_at",
        "send_at",
        sqlite_where=sql("send_at IS NOT NULL"),
        postgresql_where=sql("send_at IS NOT NULL"),
    ),
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

# Who wants to be told of new offers. `known`: ids of offers that need no telling.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("channel", String(16), nullable=False),
    Column("chat", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("search", String(64), nullable=False),
    Column("known", Text, nullable=False),
    Column("until", Date, nullable=False),
    Index("ux_subscriptions_search", "channel", "chat", "search", unique=True),
)

# Staff, and how they come in. Links and sessions are kept as hashes: who reads the database cannot use them.
staff = Table(
    "staff",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("label", String(80), nullable=False),
    Column("role", String(16), nullable=False),
    Column("telegram", String(32), unique=True),
    Column("added_at", Instant, nullable=False),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("staff", Integer, ForeignKey("staff.id", ondelete="CASCADE"), nullable=False),
    Column("until", Instant, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("staff", Integer, ForeignKey("staff.id", ondelete="CASCADE"), nullable=False),
    Column("form_token", String(64), nullable=False),
    Column("until", Instant, nullable=False),
    Index("ix_sessions_staff", "staff"),
)

# Calendar addresses that members made for themselves, one for a service.
feeds = Table(
    "feeds",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("staff", Integer, ForeignKey("staff.id", ondelete="CASCADE"), nullable=False),
    Column("service", String(64), nullable=False),
)

# What staff did: who (their label then), what, and about what; never what a newcomer wrote.
staff_log = Table(
    "staff_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    Column("who", String(80), nullable=False),
    Column("what", String(32), nullable=False),
    Column("about", String(200), nullable=False),
)

# What nobody could answer, without who asked. `state`: open, added or put away.
unanswered = Table(
    "unanswered",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("day", Date, nullable=False, index=True),
    Column("language", String(8), nullable=False),
    Column("text", Text, nullable=False),
    Column("state", String(16), nullable=False),
)

# How often something happened, by day and language: an answer, a booking, somebody who did not come.
tallies = Table(
    "tallies",
    metadata,
    Column("day", Date, primary_key=True),
    Column("what", String(16), primary_key=True),
    Column("about", String(200), primary_key=True),
    Column("language", String(8), primary_key=True),
    Column("count", Integer, nullable=False),
)

# Conversations with a person. `topic` is the thread in the staff's group, when it has one there.
conversations = Table(
    "conversations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("channel", String(16), nullable=False),
    Column("chat", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("topic", BigInteger),
    Column("reached", Boolean, nullable=False),
    Index("ix_conversations_chat", "channel", "chat"),
    Index(
        "ux_conversations_open",
        "channel",
        "chat",
        unique=True,
        sqlite_where=sql("closed_at IS NULL"),
        postgresql_where=sql("closed_at IS NULL"),
    ),
    sqlite_autoincrement=True,  # the number of a deleted one never comes back for somebody else
)

# What was said in them. `who`: empty for the newcomer, otherwise the label of a staff member.
messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation", Integer, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("who", String(80), nullable=False),
    Column("text", Text, nullable=False),
    Column("group_message", BigInteger, index=True),
    Index("ix_messages_conversation", "conversation"),
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
    Column("subscription", Integer),
    Column("message", Integer),
    Column("about", Text, nullable=False, server_default=""),
    Column("due", Instant, nullable=False),
    Column("claimed_until", Instant),
    Column("state", String(16), nullable=False),
    Index("ix_outbox_due", "state", "due"),
    Index("ix_outbox_booking", "booking"),
    Index("ix_outbox_chat", "channel", "chat"),
)
