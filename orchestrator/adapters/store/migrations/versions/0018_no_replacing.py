"""Triggers that refuse to put a row of the ledger in another's place."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

KEYS = {
    "ledger_node": ("level", "position"),
    "ledger_opening": ("place", "medicine", "batch", "own_of"),
    "ledger_origin": ("only",),
    "ledger_pending": ("id",),
}
"""What tells rows apart that are not numbered; entries and heads have a trigger of their own."""


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return  # There ON CONFLICT updates, which is refused already.
    for table, key in KEYS.items():
        # REPLACE deletes without a delete trigger.
        same = " AND ".join(f"{column} = NEW.{column}" for column in key)
        op.execute(
            f"CREATE TRIGGER {table}_not_replaced BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in KEYS:
            op.execute(f"DROP TRIGGER {table}_not_replaced")
