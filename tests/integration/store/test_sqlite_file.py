"""What was told is kept in a file: over a full disk, and beside another program."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from orchestrator.adapters.store import StoreBrokenError, StoreBusyError, StoreUrlError, open_store
from orchestrator.adapters.store import sqlite as sqlite_module
from orchestrator.adapters.store.unit_of_work import SqlUnitOfWork
from tests.support.deliveries import NOON, CountingIds, queue
from tests.support.store_writer import kept_ids, writer


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.sqlite"


def test_disk_that_fails_stops_the_store_and_keeps_what_was_told(url: str) -> None:
    open_store(url).close()
    with writer(url, first=0, file_bytes_max=str(400_000)) as process:
        assert process.stdout is not None
        lines = [line.strip() for line in process.stdout]
        assert process.wait() == 0
    told = {line for line in lines if not line.startswith("refused")}
    assert [line for line in lines if line.startswith("refused")] == ["refused store_broken"] * 2
    kept, numbers = kept_ids(url)
    assert told
    assert told <= kept
    assert numbers == list(range(1, len(numbers) + 1))


def test_broken_store_says_so_and_takes_no_more_writes(url: str) -> None:
    store = open_store(url)
    with store.transaction() as uow:
        queue(uow, ids=CountingIds())

    def fill_the_disk() -> None:
        with store.transaction() as uow:
            connection = uow.jobs._connection
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
            for number in range(10_000):
                uow.events.append(at=NOON, kind="k", subject=str(number), data={"text": "x" * 500})

    with pytest.raises(StoreBrokenError, match="free space"):
        fill_the_disk()
    assert not store.is_writable
    with pytest.raises(StoreBrokenError), store.transaction():
        pytest.fail("a broken store opened a transaction")
    with store.reading() as uow:
        assert uow.events.last_number() == 1
    store.close()


def test_write_while_another_program_holds_the_database_is_refused_and_may_be_tried_again(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_module, "BUSY_TIMEOUT_MS", 10)
    store = open_store(url)
    other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusyError), store.transaction():
        pytest.fail("two programs write")
    other.close()
    with store.transaction() as uow:
        queue(uow, ids=CountingIds())
    store.close()


def pragma(uow: SqlUnitOfWork, name: str) -> object:
    return uow.jobs._connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_every_connection_is_durable_and_keeps_references(url: str) -> None:
    store = open_store(url)
    with store.transaction() as writing, store.reading() as reading:
        for uow, is_read_only in ((writing, 0), (reading, 1)):
            assert [pragma(uow, name) for name in ("journal_mode", "synchronous", "foreign_keys", "query_only")] == [
                "wal",
                2,
                1,
                is_read_only,
            ]
    store.close()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://host/db",
        "postgresql://host",
        "postgresql+asyncpg://host/db",
        "postgresql://wardporter:p@ss:hidden@host/db",
    ],
)
def test_address_that_is_no_store_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(StoreUrlError, match="sqlite:////") as refused:
        open_store(address)
    assert "hidden" not in str(refused.value)
    assert refused.value.__cause__ is None
