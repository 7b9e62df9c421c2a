"""When deliveries are expected, which are critical, and how long past drives took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("is_critical", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("delivery", sa.Column("arrival", sa.Text(), nullable=False, server_default="{}"))
    op.create_table(
        "drive",
        sa.Column("trip_id", sa.String(), nullable=False),
        sa.Column("robot", sa.String(), nullable=False),
        sa.Column("from_station", sa.String(), nullable=False),
        sa.Column("to_station", sa.String(), nullable=False),
        sa.Column("planned_s", sa.Float(), nullable=False),
        sa.Column("actual_s", sa.Float(), nullable=False),
        sa.Column("arrived_at", sa.String(length=27), nullable=False),
        sa.CheckConstraint("planned_s > 0", name="drive_planned"),
        sa.ForeignKeyConstraint(["trip_id"], ["trip.id"], deferrable=True, initially="DEFERRED"),
        sa.PrimaryKeyConstraint("trip_id"),
    )
    op.create_index("drive_by_arrival", "drive", ["arrived_at", "trip_id"])


def downgrade() -> None:
    op.drop_index("drive_by_arrival", table_name="drive")
    op.drop_table("drive")
    with op.batch_alter_table("delivery") as delivery:
        delivery.drop_column("arrival")
        delivery.drop_column("is_critical")
