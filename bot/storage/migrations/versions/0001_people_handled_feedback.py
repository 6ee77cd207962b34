"""People, handled events and feedback."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("channel", sa.String(16), primary_key=True),
        sa.Column("chat", sa.String(64), primary_key=True),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("seen_on", sa.Date, nullable=False),
    )
    op.create_index("ix_people_seen_on", "people", ["seen_on"])
    op.create_table(
        "handled",
        sa.Column("event", sa.String(64), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_handled_at", "handled", ["at"])
    op.create_table(
        "feedback",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("slug", sa.String(200), primary_key=True),
        sa.Column("language", sa.String(8), primary_key=True),
        sa.Column("helped", sa.Boolean, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    for table in ("feedback", "handled", "people"):
        op.drop_table(table)
