"""What a robot carries by the actions it has finished, and what its factsheet says against its configuration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("carried", "findings"):
        op.add_column("robot_record", sa.Column(name, sa.Text(), nullable=False, server_default="[]"))


def downgrade() -> None:
    for name in ("carried", "findings"):
        op.drop_column("robot_record", name)
