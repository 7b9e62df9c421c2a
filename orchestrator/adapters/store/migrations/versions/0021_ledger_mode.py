"""The mode of the ledger, kept with the books: it stays once there is an entry."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

HAS_ENTRIES = "EXISTS (SELECT 1 FROM ledger_entry)"
STAYS = "the mode of a ledger stays once it has entries"


def upgrade() -> None:
    table = op.create_table(
        "ledger_mode",
        sa.Column("only", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.CheckConstraint('"only" = 1', name="ledger_mode_only"),
        sa.PrimaryKeyConstraint("only"),
    )
    connection = op.get_bind()
    if connection.execute(sa.text(f"SELECT {HAS_ENTRIES}")).scalar():
        # Only a register of record takes opening balances, and nothing else before them.
        is_register = connection.execute(sa.text("SELECT EXISTS (SELECT 1 FROM ledger_opening)")).scalar()
        mode = "register_of_record" if is_register else "transit_record"
        connection.execute(sa.insert(table).values(only=1, mode=mode))
    if connection.dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _guard_sqlite() -> None:
    op.execute(
        f"CREATE TRIGGER ledger_mode_stays BEFORE UPDATE ON ledger_mode WHEN {HAS_ENTRIES} "
        f"BEGIN SELECT RAISE(ABORT, '{STAYS}'); END"
    )
    op.execute(
        "CREATE TRIGGER ledger_mode_no_delete BEFORE DELETE ON ledger_mode "
        "BEGIN SELECT RAISE(ABORT, 'ledger_mode is append-only'); END"
    )
    # REPLACE deletes without a delete trigger.
    op.execute(
        "CREATE TRIGGER ledger_mode_not_replaced BEFORE INSERT ON ledger_mode "
        "WHEN EXISTS (SELECT 1 FROM ledger_mode) "
        "BEGIN SELECT RAISE(ABORT, 'ledger_mode is append-only'); END"
    )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION ledger_mode_stays() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {HAS_ENTRIES} THEN "
        f"RAISE EXCEPTION '{STAYS}' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
        "RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER ledger_mode_stays BEFORE UPDATE ON ledger_mode "
        "FOR EACH ROW EXECUTE FUNCTION ledger_mode_stays()"
    )
    op.execute(
        "CREATE TRIGGER ledger_mode_no_delete BEFORE DELETE ON ledger_mode "
        "FOR EACH ROW EXECUTE FUNCTION ledger_append_only()"
    )
    op.execute(
        "CREATE TRIGGER ledger_mode_not_emptied BEFORE TRUNCATE ON ledger_mode "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()"
    )


def downgrade() -> None:
    op.drop_table("ledger_mode")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION ledger_mode_stays()")
