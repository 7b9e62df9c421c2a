"""The database itself refuses to change what is written in the ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine

from orchestrator.adapters.ledger_key import ledger_key
from orchestrator.adapters.store import open_store
from orchestrator.adapters.store.migrate import migration_config
from orchestrator.application.ledger_keeping import LedgerModeError, LedgerOriginError, LedgerTerms
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.settings import STORE_FILE
from tests.support.audited_ledgers import a_house
from tests.support.deliveries import NOON
from tests.support.ledgers import ORIGIN, RECORD, REGISTER, opening, sealing

TABLES = (
    "ledger_entry",
    "ledger_node",
    "ledger_head",
    "ledger_opening",
    "ledger_origin",
    "ledger_pending",
    "ledger_mode",
)

BEFORE_MODES = "0020"
"""The revision before the mode was kept with the books."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    data = a_house(tmp_path, count=30)
    store = open_store(f"sqlite:///{data / STORE_FILE}")
    with store.transaction() as uow:
        uow.ledger.append(opening(counted=5, on_books=0), NOON)
    store.close()
    with closing(sqlite3.connect(data / STORE_FILE)) as connection:
        yield connection


@pytest.mark.parametrize("table", TABLES)
def test_no_row_is_deleted(database: sqlite3.Connection, table: str) -> None:
    assert database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET body = body",
        "UPDATE ledger_entry SET place = 'elsewhere' WHERE number = 3",
        "UPDATE ledger_node SET hash = hash",
        "UPDATE ledger_head SET note = note",
        "UPDATE ledger_opening SET entry = 0",
        "UPDATE ledger_origin SET line = 'wardporter/small-house'",
        "UPDATE ledger_pending SET quantity = 1 WHERE resolved_by IS NOT NULL",
        "REPLACE INTO ledger_entry SELECT * FROM ledger_entry WHERE number = 3",
        "INSERT INTO ledger_entry SELECT number + 1000, hash, kind, place, delivery, medicine, body FROM ledger_entry",
        "REPLACE INTO ledger_head SELECT * FROM ledger_head",
        "INSERT INTO ledger_origin VALUES (2, 'wardporter/small-house')",
        "REPLACE INTO ledger_origin VALUES (1, 'wardporter/small-house')",
        "UPDATE ledger_mode SET mode = 'register_of_record'",
        "INSERT INTO ledger_mode VALUES (2, 'register_of_record')",
        "REPLACE INTO ledger_mode VALUES (1, 'register_of_record')",
        "REPLACE INTO ledger_opening SELECT * FROM ledger_opening",
        "REPLACE INTO ledger_node SELECT level, position, zeroblob(32) FROM ledger_node LIMIT 1",
        "REPLACE INTO ledger_pending SELECT * FROM ledger_pending WHERE resolved_by IS NOT NULL",
    ],
)
def test_no_row_is_changed_or_put_in_between(database: sqlite3.Connection, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        database.execute(statement)


def test_a_store_keeps_one_ledger_for_good(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    open_store(url, ledger=LedgerTerms(ORIGIN)).close()
    open_store(url, ledger=LedgerTerms(ORIGIN)).close()
    for other in (LedgerOrigin(ORIGIN.site, is_simulation=False), LedgerOrigin("elsewhere", is_simulation=True)):
        with pytest.raises(LedgerOriginError):
            open_store(url, ledger=LedgerTerms(other))


@pytest.mark.parametrize(("first", "then"), [(RECORD, REGISTER), (REGISTER, RECORD)])
def test_a_ledger_keeps_its_mode_once_it_has_entries(tmp_path: Path, first: LedgerTerms, then: LedgerTerms) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    open_store(url, ledger=then).close()
    store = open_store(url, ledger=first)
    with store.transaction() as uow:
        uow.ledger.append(opening(), NOON)
    store.close()
    with pytest.raises(LedgerModeError, match=f"is a {first.mode.words} and has entries") as refused:
        open_store(url, ledger=then)
    assert f"Start with ledger_mode {first.mode.value}" in refused.value.message
    for terms in (first, None):
        store = open_store(url, ledger=terms)
        with store.reading() as uow:
            assert (uow.ledger.mode, uow.ledger.size) == (first.mode, 1)
        store.close()


@pytest.mark.parametrize("terms", [RECORD, REGISTER])
def test_books_of_before_keep_the_mode_that_their_entries_show(tmp_path: Path, terms: LedgerTerms) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    store = open_store(url, ledger=terms)
    with store.transaction() as uow:
        uow.ledger.append(opening() if terms is REGISTER else sealing(), NOON)
    store.close()
    engine = create_engine(url)
    with engine.connect() as connection, connection.begin():
        config = migration_config()
        config.attributes["connection"] = connection
        command.downgrade(config, BEFORE_MODES)
    engine.dispose()
    with pytest.raises(LedgerModeError):
        open_store(url, ledger=RECORD if terms is REGISTER else REGISTER)
    open_store(url, ledger=terms).close()


def test_a_simulated_ledger_and_a_real_one_have_no_entry_in_common(tmp_path: Path) -> None:
    hashes: list[set[str]] = []
    for is_simulation in (True, False):
        origin = LedgerOrigin("small-house", is_simulation=is_simulation)
        terms = LedgerTerms(origin, signer=ledger_key(tmp_path, origin))
        store = open_store(f"sqlite:///{tmp_path}/{is_simulation}.sqlite", ledger=terms)
        with store.transaction() as uow:
            hashes.append({uow.ledger.append(sealing(f"line-{n}"), NOON).hash for n in range(3)})
        store.close()
    assert hashes[0].isdisjoint(hashes[1])
    assert {file.name for file in tmp_path.glob("*.key")} == {"ledger.key", "ledger-simulation.key"}
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in tmp_path.glob("*.key"))
