"""What custody adds to deliveries and lines, approvals to carry, incidents."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CLASSES = ("ordinary", "locked", "controlled")
KINDS = (
    "short",
    "over",
    "seal_differs",
    "seal_broken",
    "wrong_contents",
    "drawer_forced",
    "drawer_not_empty",
    "drawer_left_open",
    "break_glass",
    "mechanical_key",
    "temperature",
    "custody_without_person",
    "breakage",
    "lost",
    "other",
)


def upgrade() -> None:
    op.add_column("delivery", sa.Column("custody", sa.Text(), nullable=False, server_default="{}"))
    counts = _counts_set_aside()
    with op.batch_alter_table("line") as line:
        line.add_column(sa.Column("code", sa.String(), nullable=True))
        line.add_column(sa.Column("schedule", sa.String(), nullable=True))
        line.add_column(sa.Column("storage", sa.String(), nullable=False, server_default="room"))
        line.drop_constraint("line_handling_class", type_="check")
        line.create_check_constraint("line_handling_class", _one_of("handling_class", CLASSES))
    _put_back(counts)
    op.create_table(
        "carriage_approval",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("handling_class", sa.String(), nullable=False),
        sa.Column("from_place", sa.String(), nullable=False),
        sa.Column("to_place", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=False),
        sa.Column("approved_at", sa.String(length=27), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.String(length=27), nullable=True),
        sa.Column("revoked_at", sa.String(length=27), nullable=True),
        sa.Column("revoked_by", sa.String(), nullable=True),
        sa.CheckConstraint(_one_of("handling_class", CLASSES), name="carriage_approval_class"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("is_controlled", sa.Boolean(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("delivery", sa.String(), nullable=True),
        sa.Column("schedule", sa.String(), nullable=True),
        sa.Column("caused_by", sa.Text(), nullable=False),
        sa.Column("follow_ups", sa.Text(), nullable=False),
        sa.CheckConstraint(_one_of("kind", KINDS), name="incident_kind"),
        sa.ForeignKeyConstraint(["delivery"], ["delivery.id"], initially="DEFERRED", deferrable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("incident_by_age", "incident", ["at", "id"])


def downgrade() -> None:
    op.drop_index("incident_by_age", table_name="incident")
    op.drop_table("incident")
    op.drop_table("carriage_approval")
    counts = _counts_set_aside()
    with op.batch_alter_table("line") as line:
        line.drop_constraint("line_handling_class", type_="check")
        line.create_check_constraint("line_handling_class", _one_of("handling_class", ("ordinary", "controlled")))
        line.drop_column("storage")
        line.drop_column("schedule")
        line.drop_column("code")
    _put_back(counts)
    with op.batch_alter_table("delivery") as delivery:
        delivery.drop_column("custody")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


COUNTS = sa.table(
    "line_count", *(sa.column(name) for name in ("delivery_id", "kind", "position", "line_id", "quantity"))
)


def _counts_set_aside() -> list[dict[str, Any]]:
    """Take the counts out of the way: SQLite rebuilds the table they refer to, which it counts as deleting its rows."""
    if op.get_bind().dialect.name != "sqlite":
        return []
    kept = [dict(row) for row in op.get_bind().execute(sa.select(COUNTS)).mappings()]
    op.get_bind().execute(sa.delete(COUNTS))
    return kept


def _put_back(counts: list[dict[str, Any]]) -> None:
    if counts:
        op.get_bind().execute(sa.insert(COUNTS), counts)
