"""Staff and their sessions, conversations with a person, what nobody could answer, and counts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text as sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
OPEN = sql("closed_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("label", sa.String(80), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("telegram", sa.String(32), unique=True),
        sa.Column("added_at", INSTANT, nullable=False),
    )
    op.create_table(
        "sign_ins",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("staff", sa.Integer, sa.ForeignKey("staff.id", ondelete="CASCADE"), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("staff", sa.Integer, sa.ForeignKey("staff.id", ondelete="CASCADE"), nullable=False),
        sa.Column("form_token", sa.String(64), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
    )
    op.create_index("ix_sessions_staff", "sessions", ["staff"])
    op.create_table(
        "feeds",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("staff", sa.Integer, sa.ForeignKey("staff.id", ondelete="CASCADE"), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
    )
    op.create_table(
        "staff_log",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("about", sa.String(200), nullable=False),
    )
    op.create_index("ix_staff_log_at", "staff_log", ["at"])
    op.create_table(
        "unanswered",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
    )
    op.create_index("ix_unanswered_day", "unanswered", ["day"])
    op.create_table(
        "tallies",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("what", sa.String(16), primary_key=True),
        sa.Column("about", sa.String(200), primary_key=True),
        sa.Column("language", sa.String(8), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_table(
        "conversations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("chat", sa.String(64), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT),
        sa.Column("topic", sa.BigInteger),
        sa.Column("reached", sa.Boolean, nullable=False),
    )
    op.create_index("ix_conversations_chat", "conversations", ["channel", "chat"])
    op.create_index(
        "ux_conversations_open",
        "conversations",
        ["channel", "chat"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "conversation", sa.Integer, sa.ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("group_message", sa.BigInteger),
    )
    op.create_index("ix_messages_conversation", "messages", ["conversation"])
    op.create_index("ix_messages_group_message", "messages", ["group_message"])
    op.add_column("outbox", sa.Column("message", sa.Integer))
    op.add_column("handled", sa.Column("channel", sa.String(16)))
    op.add_column("handled", sa.Column("chat", sa.String(64)))
    op.add_column("handled", sa.Column("replies", sa.Text))
    op.add_column("handled", sa.Column("send_at", INSTANT))
    unsent = sql("send_at IS NOT NULL")
    op.create_index("ix_handled_send_at", "handled", ["send_at"], sqlite_where=unsent, postgresql_where=unsent)


def downgrade() -> None:
    op.drop_index("ix_handled_send_at", "handled")
    for column in ("send_at", "replies", "chat", "channel"):
        op.drop_column("handled", column)
    op.drop_column("outbox", "message")
    for table in (
        *("messages", "conversations", "tallies", "unanswered"),
        *("staff_log", "feeds", "sessions", "sign_ins", "staff"),
    ):
        op.drop_table(table)
