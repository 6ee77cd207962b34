"""Slots, bookings, closures, the waiting list and the outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text as sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
BOOKED = sql("state = 'booked' AND chat <> ''")


def upgrade() -> None:
    op.create_table(
        "slots",
        sa.Column("service", sa.String(64), primary_key=True),
        sa.Column("start", INSTANT, primary_key=True),
        sa.Column("taken", sa.Integer, nullable=False),
    )
    op.create_table(
        "bookings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("code", sa.String(8), nullable=False, unique=True),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("start", INSTANT, nullable=False),
        sa.Column("end", INSTANT, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("chat", sa.String(64), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("wanted", sa.String(8), nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("places", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("coming", sa.Boolean, nullable=False),
        sa.Column("booked_at", INSTANT, nullable=False),
    )
    op.create_index("ix_bookings_slot", "bookings", ["service", "start"])
    op.create_index("ix_bookings_person", "bookings", ["channel", "chat"])
    op.create_index("ix_bookings_end", "bookings", ["end"])
    op.create_index(
        "ux_bookings_booked",
        "bookings",
        ["service", "start", "channel", "chat"],
        unique=True,
        sqlite_where=BOOKED,
        postgresql_where=BOOKED,
    )
    op.create_table(
        "closures",
        sa.Column("service", sa.String(64), primary_key=True),
        sa.Column("start", INSTANT, primary_key=True),
        sa.Column("end", INSTANT, primary_key=True),
    )
    op.create_table(
        "waiting",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("chat", sa.String(64), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("wanted", sa.String(8), nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("places", sa.Integer, nullable=False),
        sa.Column("asked_for", INSTANT),
        sa.Column("asked_until", INSTANT),
    )
    op.create_index("ux_waiting_person", "waiting", ["service", "day", "channel", "chat"], unique=True)
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(120), nullable=False, unique=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("chat", sa.String(64), nullable=False),
        sa.Column("booking", sa.Integer, sa.ForeignKey("bookings.id", ondelete="CASCADE")),
        sa.Column("waiting", sa.Integer),
        sa.Column("due", INSTANT, nullable=False),
        sa.Column("claimed_until", INSTANT),
        sa.Column("state", sa.String(16), nullable=False),
    )
    op.create_index("ix_outbox_due", "outbox", ["state", "due"])
    op.create_index("ix_outbox_booking", "outbox", ["booking"])
    op.create_index("ix_outbox_chat", "outbox", ["channel", "chat"])


def downgrade() -> None:
    for table in ("outbox", "waiting", "closures", "bookings", "slots"):
        op.drop_table(table)
