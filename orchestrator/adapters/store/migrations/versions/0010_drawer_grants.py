"""Drawer grants and what came of them, and which robots check them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("robot_record", sa.Column("checks_grants", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "drawer_grant",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("robot", sa.String(), nullable=False),
        sa.Column("drawer", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("people", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.String(length=27), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("answered_at", sa.String(length=27), nullable=True),
        sa.Column("closed_at", sa.String(length=27), nullable=True),
        sa.Column("settled_at", sa.String(length=27), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('load', 'hand_over', 'take_back', 'retrieve', 'recount')", name="drawer_grant_purpose"
        ),
        sa.CheckConstraint("outcome IN ('issued', 'opened', 'refused', 'void')", name="drawer_grant_outcome"),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], initially="DEFERRED", deferrable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("robot", "nonce", name="drawer_grant_nonce"),
    )
    op.create_index("drawer_grant_by_delivery", "drawer_grant", ["delivery_id"])
    op.create_index("drawer_grant_by_end", "drawer_grant", ["settled_at"])


def downgrade() -> None:
    op.drop_index("drawer_grant_by_end", table_name="drawer_grant")
    op.drop_index("drawer_grant_by_delivery", table_name="drawer_grant")
    op.drop_table("drawer_grant")
    op.drop_column("robot_record", "checks_grants")
