"""Triggers that refuse to change what is written in the access log."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

LOG = "access_decision"
NEXT = f"COALESCE((SELECT MAX(number) FROM {LOG}), 0) + 1"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _guard_sqlite() -> None:
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {LOG}_no_{act.lower()} BEFORE {act} ON {LOG} "
            f"BEGIN SELECT RAISE(ABORT, '{LOG} is append-only'); END"
        )
    # REPLACE deletes without a delete trigger; a decision is the next one or none.
    op.execute(
        f"CREATE TRIGGER {LOG}_next BEFORE INSERT ON {LOG} WHEN NEW.number <> {NEXT} "
        f"BEGIN SELECT RAISE(ABORT, '{LOG} has no gaps and no second of a number'); END"
    )


def _guard_postgresql() -> None:
    # The function that refuses is the ledger's.
    op.execute(
        f"CREATE TRIGGER {LOG}_kept BEFORE UPDATE OR DELETE ON {LOG} FOR EACH ROW EXECUTE FUNCTION ledger_append_only()"
    )
    op.execute(
        f"CREATE TRIGGER {LOG}_not_emptied BEFORE TRUNCATE ON {LOG} "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()"
    )
    op.execute(
        f"CREATE FUNCTION {LOG}_is_next() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF NEW.number <> {NEXT} THEN "
        f"RAISE EXCEPTION '{LOG} has no gaps' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
        "RETURN NEW; END $$"
    )
    op.execute(f"CREATE TRIGGER {LOG}_next BEFORE INSERT ON {LOG} FOR EACH ROW EXECUTE FUNCTION {LOG}_is_next()")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for what in ("no_update", "no_delete", "next"):
            op.execute(f"DROP TRIGGER {LOG}_{what}")
        return
    for what in ("kept", "not_emptied", "next"):
        op.execute(f"DROP TRIGGER {LOG}_{what} ON {LOG}")
    op.execute(f"DROP FUNCTION {LOG}_is_next()")
