"""How far each robot's own journal of its drawers is in the books."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("robot_record", sa.Column("journal", sa.String(), nullable=False, server_default=""))
    op.add_column("robot_record", sa.Column("journal_last", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("robot_record", "journal_last")
    op.drop_column("robot_record", "journal")
