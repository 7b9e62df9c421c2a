"""The fencing epoch of the one that writes; and on PostgreSQL, counters that go on beyond 31 bits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COUNTED = (("event", "number"), ("outbox", "id"), ("robot_entry", "number"), ("lane_closure", "number"))


def upgrade() -> None:
    table = op.create_table(
        "writer_epoch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("id = 1", name="writer_epoch_one_row"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(table, [{"id": 1, "number": 0}])
    if op.get_bind().dialect.name == "sqlite":
        return
    for name, column in COUNTED:
        op.alter_column(name, column, type_=sa.BigInteger(), existing_type=sa.Integer(), existing_nullable=False)


def downgrade() -> None:
    op.drop_table("writer_epoch")
