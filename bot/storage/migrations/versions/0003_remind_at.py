"""When the next reminder of a booking is due. What already waits in the outbox is sent from there."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bookings", sa.Column("remind_at", sa.DateTime(timezone=True)))
    op.create_index("ix_bookings_remind_at", "bookings", ["remind_at"])
    op.drop_index("ix_bookings_end", "bookings")  # only deleting what is old used it, a few times a day


def downgrade() -> None:
    op.create_index("ix_bookings_end", "bookings", ["end"])
    op.drop_index("ix_bookings_remind_at", "bookings")
    op.drop_column("bookings", "remind_at")
