"""The custody ledger, and triggers that refuse to change what is written in it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEPT_FOR_EVER = ("ledger_entry", "ledger_node", "ledger_head", "ledger_opening", "ledger_origin")
"""Tables whose rows are neither changed nor deleted."""


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "ledger_entry",
        sa.Column("number", whole, autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("delivery", sa.String(), nullable=True),
        sa.Column("medicine", sa.String(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ledger_entry_by_place", "ledger_entry", ["place", "number"])
    op.create_index("ledger_entry_by_delivery", "ledger_entry", ["delivery", "number"])
    op.create_index("ledger_entry_by_medicine", "ledger_entry", ["medicine", "number"])
    op.create_table(
        "ledger_node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "position"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_balance",
        sa.Column("of", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("medicine", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=False),
        sa.Column("own_of", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("of", "account", "medicine", "batch", "own_of"),
        sqlite_with_rowid=False,
    )
    op.create_index("ledger_balance_by_medicine", "ledger_balance", ["medicine", "batch"])
    op.create_table(
        "ledger_pending",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("medicine", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=False),
        sa.Column("own_of", sa.String(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("tote", sa.String(), nullable=False),
        sa.Column("from_place", sa.String(), nullable=False),
        sa.Column("to_place", sa.String(), nullable=False),
        sa.Column("opened_by", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.String(length=27), nullable=False),
        sa.Column("delivery", sa.String(), nullable=True),
        sa.Column("line", sa.String(), nullable=True),
        sa.Column("resolved_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ledger_pending_by_resolution", "ledger_pending", ["resolved_by"])
    op.create_table(
        "ledger_opening",
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("medicine", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=False),
        sa.Column("own_of", sa.String(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("place", "medicine", "batch", "own_of"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_head",
        sa.Column("size", whole, autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "ledger_origin",
        sa.Column("only", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.CheckConstraint('"only" = 1', name="ledger_origin_only"),
        sa.PrimaryKeyConstraint("only"),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _guard_sqlite() -> None:
    for table in KEPT_FOR_EVER:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    op.execute(
        "CREATE TRIGGER ledger_pending_no_delete BEFORE DELETE ON ledger_pending "
        "BEGIN SELECT RAISE(ABORT, 'ledger_pending is append-only'); END"
    )
    op.execute(
        "CREATE TRIGGER ledger_pending_once BEFORE UPDATE ON ledger_pending WHEN OLD.resolved_by IS NOT NULL "
        "BEGIN SELECT RAISE(ABORT, 'a pending posting is resolved once'); END"
    )
    # REPLACE deletes without a delete trigger; an entry is the next one or none.
    op.execute(
        "CREATE TRIGGER ledger_entry_next BEFORE INSERT ON ledger_entry "
        "WHEN NEW.number <> COALESCE((SELECT MAX(number) FROM ledger_entry), -1) + 1 "
        "BEGIN SELECT RAISE(ABORT, 'ledger_entry has no gaps and no second of a number'); END"
    )
    op.execute(
        "CREATE TRIGGER ledger_head_next BEFORE INSERT ON ledger_head "
        "WHEN NEW.size <= COALESCE((SELECT MAX(size) FROM ledger_head), -1) "
        "BEGIN SELECT RAISE(ABORT, 'ledger_head only grows'); END"
    )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; "
        "END $$"
    )
    for table in KEPT_FOR_EVER:
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION ledger_append_only()"
        )
    for table in (*KEPT_FOR_EVER, "ledger_pending"):
        op.execute(
            f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()"
        )
    op.execute(
        "CREATE TRIGGER ledger_pending_no_delete BEFORE DELETE ON ledger_pending "
        "FOR EACH ROW EXECUTE FUNCTION ledger_append_only()"
    )
    op.execute(
        "CREATE TRIGGER ledger_pending_once BEFORE UPDATE ON ledger_pending "
        "FOR EACH ROW WHEN (OLD.resolved_by IS NOT NULL) EXECUTE FUNCTION ledger_append_only()"
    )
    op.execute(
        "CREATE FUNCTION ledger_entry_is_next() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF NEW.number <> COALESCE((SELECT MAX(number) FROM ledger_entry), -1) + 1 THEN "
        "RAISE EXCEPTION 'ledger_entry has no gaps' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
        "RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER ledger_entry_next BEFORE INSERT ON ledger_entry "
        "FOR EACH ROW EXECUTE FUNCTION ledger_entry_is_next()"
    )


def downgrade() -> None:
    for table in (*KEPT_FOR_EVER, "ledger_pending", "ledger_balance"):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION ledger_append_only()")
        op.execute("DROP FUNCTION ledger_entry_is_next()")
