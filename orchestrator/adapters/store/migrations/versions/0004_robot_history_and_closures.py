"""What people did with robots, where they sent them, and which lanes they closed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("robot_record", sa.Column("sent_to", sa.String(), nullable=True))
    op.create_table(
        "robot_entry",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("robot", sa.String(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.CheckConstraint(
            "act IN ('pause', 'resume', 'send', 'withdraw', 'abort', 'fence_off', 'out_of_service', 'in_service', "
            "'held')",
            name="robot_entry_act",
        ),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("robot_entry_by_robot", "robot_entry", ["robot", "number"], unique=False)
    op.create_table(
        "lane_closure",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("until", sa.String(length=27), nullable=True),
        sa.Column("opened_at", sa.String(length=27), nullable=True),
        sa.Column("opened_by", sa.String(), nullable=True),
        sa.Column("opened_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("lane_closure_by_end", "lane_closure", ["opened_at"], unique=False)


def downgrade() -> None:
    op.drop_table("lane_closure")
    op.drop_table("robot_entry")
    op.drop_column("robot_record", "sent_to")
