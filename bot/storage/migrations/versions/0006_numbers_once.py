"""On SQLite the number of a conversation is given once: else that of a deleted one comes back for somebody else, and
what staff answer to the first reaches the second. PostgreSQL never gives a number twice."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text as sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLES = ("conversations", "messages")


def upgrade() -> None:
    _make_anew(once=True)


def downgrade() -> None:
    _make_anew(once=False)


def _make_anew(*, once: bool) -> None:
    """SQLite cannot change a key; and dropping a table deletes what refers to it."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in TABLES:
        op.execute(f"CREATE TEMPORARY TABLE kept_{table} AS SELECT * FROM {table}")
    for table in reversed(TABLES):
        op.drop_table(table)
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
        sqlite_autoincrement=once,
    )
    op.create_index("ix_conversations_chat", "conversations", ["channel", "chat"])
    op.create_index(
        "ux_conversations_open", "conversations", ["channel", "chat"], unique=True, sqlite_where=sql("closed_at IS NULL")
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("conversation", sa.Integer, sa.ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("group_message", sa.BigInteger),
    )
    op.create_index("ix_messages_conversation", "messages", ["conversation"])
    op.create_index("ix_messages_group_message", "messages", ["group_message"])
    for table in TABLES:
        op.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
        op.execute(f"DROP TABLE kept_{table}")
