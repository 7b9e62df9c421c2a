"""The ledger on PostgreSQL: its triggers, and the auditor's reading of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from orchestrator.adapters.ledger_key import LedgerKey, ledger_key
from orchestrator.adapters.store import open_store
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.bootstrap_audit import audit_stored
from orchestrator.domain.custody.audit import BadLedgerError
from tests.support.audited_ledgers import write_entries
from tests.support.ledgers import ORIGIN


@pytest.fixture
def key(tmp_path: Path) -> LedgerKey:
    return ledger_key(tmp_path, ORIGIN)


@pytest.fixture
def url(postgres_url: str, key: LedgerKey) -> str:
    store = open_store(postgres_url, ledger=LedgerTerms(ORIGIN, signer=key))
    write_entries(store, 40, each=3)
    store.close()
    return postgres_url


@pytest.fixture
def database(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


def test_a_good_ledger_is_good_also_while_a_service_has_it_open(url: str, key: LedgerKey) -> None:
    store = open_store(url, ledger=LedgerTerms(ORIGIN, signer=key))
    assert audit_stored(url, key.key).size >= 40
    store.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET body = body",
        "DELETE FROM ledger_entry WHERE number = 3",
        "TRUNCATE ledger_entry",
        "UPDATE ledger_head SET note = note",
        "DELETE FROM ledger_node",
        "DELETE FROM ledger_pending",
        "UPDATE ledger_pending SET resolved_by = NULL WHERE resolved_by IS NOT NULL",
        "INSERT INTO ledger_entry SELECT number + 1000, hash, kind, place, delivery, medicine, body FROM ledger_entry",
    ],
)
def test_the_database_refuses_to_change_what_is_written(database: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.IntegrityError):
        database.execute(statement.encode())


def test_a_row_that_the_owner_changed_is_named(database: psycopg.Connection, url: str, key: LedgerKey) -> None:
    database.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
    database.execute("UPDATE ledger_entry SET body = replace(body, 'pharmacist-1', 'x') WHERE number = 9")
    with pytest.raises(BadLedgerError) as found:
        audit_stored(url, key.key)
    assert found.value.entry == 9
