"""The ledger on a PostgreSQL server: refused changes, and changes by a superuser that an auditor finds."""

from __future__ import annotations

from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from typer.testing import CliRunner, Result

from orchestrator.adapters.ledger_key import ledger_key
from orchestrator.adapters.store import SqlStore, open_store
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.bootstrap_audit import LEDGER_FOLDER
from orchestrator.cli import app
from tests.support.audited_ledgers import write_entries
from tests.support.deliveries import NOON
from tests.support.ledgers import ORIGIN, opening, sealing
from tests.support.postgresql import PostgresServer, database_of

GOOD, BAD = 0, 1


@pytest.fixture
def store(postgres_url: str, tmp_path: Path) -> SqlStore:
    """A store with some entries, open all the time as a service has it."""
    opened = open_store(postgres_url, ledger=LedgerTerms(ORIGIN, signer=ledger_key(tmp_path / LEDGER_FOLDER, ORIGIN)))
    write_entries(opened, 30)
    with opened.transaction() as uow:
        uow.ledger.append(opening(counted=5, on_books=0), NOON)
    return opened


def verify(url: str, data: Path) -> Result:
    return CliRunner().invoke(app, ["ledger", "verify", "--data", str(data)], env={"WARDPORTER_STORE": url})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET body = body",
        "UPDATE ledger_node SET hash = hash",
        "UPDATE ledger_head SET note = note",
        "UPDATE ledger_opening SET entry = 0",
        "UPDATE ledger_origin SET line = 'wardporter/small-house'",
        "UPDATE ledger_pending SET quantity = 1 WHERE resolved_by IS NOT NULL",
        "DELETE FROM ledger_entry WHERE number = 3",
        "DELETE FROM ledger_pending",
        "TRUNCATE ledger_entry",
        "TRUNCATE ledger_pending",
        "INSERT INTO ledger_entry SELECT number + 1000, hash, kind, place, delivery, medicine, body FROM ledger_entry",
    ],
)
def test_even_a_superuser_is_refused_while_the_triggers_stand(
    postgres_server: PostgresServer, postgres_url: str, store: SqlStore, statement: LiteralString
) -> None:
    with postgres_server.session(database_of(postgres_url)) as session:
        with pytest.raises(psycopg.errors.IntegrityError):
            session.execute(statement)
    store.close()


def test_refusal_of_a_trigger_leaves_the_store_working(store: SqlStore) -> None:
    def change() -> None:
        with store.transaction() as uow:
            uow.jobs._connection.exec_driver_sql("UPDATE ledger_entry SET body = body")

    with pytest.raises(Exception, match="append-only"):
        change()
    assert store.is_writable
    with store.transaction() as uow:
        uow.ledger.append(sealing("line-new"), NOON)
    store.close()


@pytest.mark.parametrize("set_to", ["place = 'elsewhere'", "body = replace(body, 'pharmacist-1', 'pharmacist-9')"])
def test_row_changed_by_a_superuser_is_named_while_the_service_goes_on(
    postgres_server: PostgresServer, postgres_url: str, store: SqlStore, tmp_path: Path, set_to: LiteralString
) -> None:
    good = verify(postgres_url, tmp_path)
    assert good.exit_code == GOOD, good.output
    with postgres_server.session(database_of(postgres_url)) as session:
        session.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
        session.execute("UPDATE ledger_entry SET " + set_to + " WHERE number = 17")
    bad = verify(postgres_url, tmp_path)
    assert bad.exit_code == BAD
    assert "Entry 17 is bad" in bad.stdout
    store.close()
