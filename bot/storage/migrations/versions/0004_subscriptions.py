"""Who wants to be told of new courses and activities."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("chat", sa.String(64), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("search", sa.String(64), nullable=False),
        sa.Column("known", sa.Text, nullable=False),
        sa.Column("until", sa.Date, nullable=False),
    )
    op.create_index("ux_subscriptions_search", "subscriptions", ["channel", "chat", "search"], unique=True)
    op.add_column("outbox", sa.Column("subscription", sa.Integer))
    op.add_column("outbox", sa.Column("about", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("outbox", "about")
    op.drop_column("outbox", "subscription")
    op.drop_table("subscriptions")
