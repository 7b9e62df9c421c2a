"""Alarms of the building, which hold robots until a person lets them go on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("zones", sa.Text(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("raised_at", sa.String(length=27), nullable=False),
        sa.Column("raised_by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("cleared_at", sa.String(length=27), nullable=True),
        sa.Column("cleared_by", sa.String(), nullable=True),
        sa.Column("ended_at", sa.String(length=27), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_because", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('fire', 'crash_call')", name="alarm_kind"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("alarm_by_end", "alarm", ["ended_at"])


def downgrade() -> None:
    op.drop_index("alarm_by_end", table_name="alarm")
    op.drop_table("alarm")
