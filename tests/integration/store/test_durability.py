"""What was told is kept: over kill -9, a full disk, a second orchestrator, and a newer or older program."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from orchestrator.adapters.store import (
    StoreBrokenError,
    StoreBusyError,
    StoreLockedError,
    StoreUrlError,
    StoreVersionError,
    open_store,
)
from orchestrator.adapters.store import store as store_module
from orchestrator.adapters.store.migrate import migration_config
from orchestrator.adapters.store.rows import Row
from orchestrator.adapters.store.unit_of_work import SqlUnitOfWork
from orchestrator.domain.delivery.model import DeliveryId, DeliveryState
from orchestrator.domain.fleet.model import ActionId, RobotId
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.domain.fleet.record import RobotRecord
from tests.support.deliveries import NOON, CountingIds, bring_to, queue

REPOSITORY = Path(__file__).resolve().parents[3]
KILLS = 3
COMMITS_BEFORE_KILL = 15


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.sqlite"


@contextmanager
def writer(url: str, *, first: int, file_bytes_max: str = "") -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.support.delivery_writer", url, str(first)]
    arguments = [file_bytes_max] if file_bytes_max else []
    with subprocess.Popen([*command, *arguments], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def kept_ids(url: str) -> tuple[set[str], list[int]]:
    store = open_store(url)
    try:
        with store.reading() as uow:
            events = uow.events.after(0, 100_000)
            ids = {event.subject for event in events}
            assert {delivery.id for delivery in uow.deliveries.open()} == ids
            return ids, [event.number for event in events]
    finally:
        store.close()


def test_every_delivery_told_before_a_kill_is_there_afterwards(url: str) -> None:
    told: set[str] = set()
    for kill in range(KILLS):
        with writer(url, first=kill * 1_000_000) as process:
            assert process.stdout is not None
            told.update(process.stdout.readline().strip() for _ in range(COMMITS_BEFORE_KILL))
            process.kill()
            # What it had printed before the signal came counts as told, too; the last line may be half a line.
            told.update(line.strip() for line in process.stdout if line.endswith("\n"))
        kept, numbers = kept_ids(url)
        assert told <= kept
        assert len(kept) - len(told) <= kill + 1, "at most the commit that was under way is there untold"
        assert numbers == list(range(1, len(numbers) + 1))


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


def test_second_orchestrator_is_refused_while_the_first_lives(url: str) -> None:
    first = open_store(url)
    with pytest.raises(StoreLockedError, match="only one"):
        open_store(url)
    first.close()
    open_store(url).close()


def test_lock_ends_with_its_process_however_it_ends(url: str) -> None:
    with writer(url, first=0) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        with pytest.raises(StoreLockedError):
            open_store(url)
        process.kill()
        process.wait()
    open_store(url).close()


def test_write_while_another_program_holds_the_database_is_refused_and_may_be_tried_again(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "BUSY_TIMEOUT_MS", 10)
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


def test_reading_sees_one_committed_state_while_another_transaction_is_open(url: str) -> None:
    store = open_store(url)
    with store.transaction() as writing:
        queue(writing, ids=CountingIds())
        with store.reading() as reading:
            assert list(reading.deliveries.open()) == []
    with store.reading() as reading:
        assert len(reading.deliveries.open()) == 1
    store.close()


def test_line_of_no_delivery_is_refused_by_the_database(url: str, tmp_path: Path) -> None:
    open_store(url).close()
    database = sqlite3.connect(tmp_path / "store.sqlite")
    database.execute("PRAGMA foreign_keys=ON")
    database.execute("INSERT INTO job VALUES ('j', 'p', '2026-01-31T12:00:00.000000Z')")
    database.execute(
        "INSERT INTO line (id, delivery_id, position, medicine, quantity, unit, handling_class) "
        "VALUES ('l', 'none', 0, 'm', 1, 'u', 'ordinary')"
    )
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        database.commit()
    database.close()


@pytest.mark.parametrize(("column", "value"), [("quantity", "0"), ("handling_class", "'anything'")])
def test_value_outside_its_check_is_refused_by_the_database(url: str, tmp_path: Path, column: str, value: str) -> None:
    store = open_store(url)
    with store.transaction() as uow:
        queue(uow, ids=CountingIds())
    store.close()
    database = sqlite3.connect(tmp_path / "store.sqlite")
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        database.execute(f"UPDATE line SET {column} = {value}")
    database.close()


def test_store_reopened_goes_on_where_it_was(url: str) -> None:
    ids = CountingIds()
    store = open_store(url)
    with store.transaction() as uow:
        first = queue(uow, ids=ids)
    store.close()
    store = open_store(url)
    with store.transaction() as uow:
        assert list(uow.deliveries.open()) == [first]
        second = queue(uow, ids=ids)
        assert uow.events.last_number() == 2
    with store.reading() as uow:
        assert uow.deliveries.get(DeliveryId(second.id)) == second
    store.close()


def test_everything_may_be_changed_after_a_restart(url: str) -> None:
    robot = RobotId("robot-1")
    store = open_store(url)
    with store.transaction() as uow:
        delivery = queue(uow, ids=CountingIds())
        uow.robots.save(RobotRecord(robot, passed=1))
        message = uow.outbox.add(robot, at=NOON, action=RobotAction(ActionId("a"), ActionKind.PAUSE))
    loading = bring_to(store, delivery.id, DeliveryState.LOADING)
    assert loading.trip is not None
    store.close()
    store = open_store(url)
    with store.transaction() as uow:
        uow.robots.save(replace(uow.robots.get(robot), passed=2))
        uow.trips.save(replace(uow.trips.get(loading.trip), has_arrived=True))
        uow.outbox.settle(message.id, "acknowledged")
    bring_to(store, delivery.id, DeliveryState.ARRIVED)
    with store.reading() as uow:
        assert uow.robots.get(robot) == RobotRecord(robot, passed=2)
        assert uow.trips.get(loading.trip).has_arrived
        assert list(uow.outbox.wanted()) == []
        assert uow.deliveries.get(delivery.id).state is DeliveryState.ARRIVED
    store.close()


def test_migrations_lead_to_the_tables_that_the_rows_describe(url: str) -> None:
    open_store(url).close()
    engine = create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Row.metadata) == []
    engine.dispose()


def test_store_of_a_newer_program_is_refused(url: str, tmp_path: Path) -> None:
    open_store(url).close()
    database = sqlite3.connect(tmp_path / "store.sqlite")
    database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.commit()
    database.close()
    with pytest.raises(StoreVersionError, match="another version"):
        open_store(url)


@pytest.mark.parametrize("address", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "postgresql://host/db"])
def test_address_that_is_no_file_is_refused(address: str) -> None:
    with pytest.raises(StoreUrlError, match="sqlite:////"):
        open_store(address)


def test_counts_outlive_the_migration_that_rebuilds_the_lines_they_refer_to(url: str, tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    config = migration_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
    engine.dispose()
    at = "2026-01-31T12:00:00.000000Z"
    database = sqlite3.connect(path)
    database.execute(f"INSERT INTO job VALUES ('j', 'p', '{at}')")
    database.execute(
        "INSERT INTO delivery (id, job_id, from_station, to_station, priority, tote_id, state, queued_at, waiting) "
        f"VALUES ('d', 'j', 'a', 'b', 'routine', 't', 'sealed', '{at}', '[]')"
    )
    database.execute("INSERT INTO line VALUES ('l', 'd', 0, 'm', 1, 'u', NULL, NULL, 'ordinary')")
    database.execute("INSERT INTO line_count VALUES ('d', 'loading', 0, 'l', 1)")
    database.commit()
    database.close()

    open_store(url).close()

    database = sqlite3.connect(path)
    assert database.execute("SELECT line_id, quantity FROM line_count").fetchall() == [("l", 1)]
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    database.close()
