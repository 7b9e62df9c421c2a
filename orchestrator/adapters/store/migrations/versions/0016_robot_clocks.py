"""By how much each robot's clock is ahead of ours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("robot_record", sa.Column("clock_skew_s", sa.Float(), nullable=True))


def downgrade() -> None:
    op.drop_column("robot_record", "clock_skew_s")
