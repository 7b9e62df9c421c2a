"""Recalls of medicines, and what every place said it found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recall",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("medicine", sa.String(), nullable=False),
        sa.Column("batches", sa.Text(), nullable=False),
        sa.Column("recall_class", sa.String(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raised_by", sa.String(), nullable=False),
        sa.Column("raised_at", sa.String(length=27), nullable=False),
        sa.Column("places", sa.Text(), nullable=False),
        sa.Column("acknowledgements", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.String(length=27), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.CheckConstraint(
            "recall_class IN ('patient_safety_alert', 'class_two', 'class_three', 'class_four')", name="recall_class"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("recall_by_medicine", "recall", ["medicine", "ended_at"])
    op.create_index("line_by_code", "line", ["code"])


def downgrade() -> None:
    op.drop_index("line_by_code", table_name="line")
    op.drop_index("recall_by_medicine", table_name="recall")
    op.drop_table("recall")
