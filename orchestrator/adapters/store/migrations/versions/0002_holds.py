"""Holds on robots, which a person has to lift."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("robot_record", sa.Column("holds", sa.Text(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("robot_record", "holds")
