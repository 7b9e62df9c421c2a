"""What was told is kept, on a file and on a server: over kill -9, a second orchestrator, a newer or older program."""

from __future__ import annotations

import traceback
from dataclasses import replace
from datetime import timedelta

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, update
from sqlalchemy.exc import IntegrityError

from orchestrator.adapters.store import StoreLockedError, StoreVersionError, open_store
from orchestrator.adapters.store.address import SqliteAddress, address_of
from orchestrator.adapters.store.migrate import migration_config
from orchestrator.adapters.store.postgresql import writing_engine
from orchestrator.adapters.store.rows import LineRow, Row
from orchestrator.adapters.store.sqlite import sqlite_engine
from orchestrator.adapters.store.tables import table_of
from orchestrator.domain.delivery.model import DeliveryId, DeliveryState, LineId, Tote, ToteId
from orchestrator.domain.fleet.model import ActionId, RobotId
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.people.proofs import PinCount
from tests.support.deliveries import NOON, CountingIds, bring_to, queue
from tests.support.postgresql import store_url_of
from tests.support.store_writer import kept_ids, writer

KILLS = 3
COMMITS_BEFORE_KILL = 15


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    return store_url_of(request.param, request)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest) -> str:
    return store_url_of(request.param, request, is_empty=True)


def raw_engine(url: str) -> Engine:
    """The database without the program over it."""
    address = address_of(url)
    return sqlite_engine(address.path) if isinstance(address, SqliteAddress) else writing_engine(address)


def write_past_the_program(url: str, *statements: str) -> None:
    engine = raw_engine(url)
    try:
        with engine.connect() as connection, connection.begin():
            for statement in statements:
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


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


def test_reading_sees_one_committed_state_while_another_transaction_is_open(url: str) -> None:
    store = open_store(url)
    with store.transaction() as writing:
        queue(writing, ids=CountingIds())
        with store.reading() as reading:
            assert list(reading.deliveries.open()) == []
    with store.reading() as reading:
        assert len(reading.deliveries.open()) == 1
    store.close()


def test_line_of_no_delivery_is_refused_by_the_database(url: str) -> None:
    open_store(url).close()
    line = (
        "INSERT INTO line (id, delivery_id, position, medicine, quantity, unit, handling_class) "
        "VALUES ('l', 'none', 0, 'm', 1, 'u', 'ordinary')"
    )
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"):
        write_past_the_program(url, line)


@pytest.mark.parametrize(("column", "value"), [("quantity", "0"), ("handling_class", "'anything'")])
def test_value_outside_its_check_is_refused_by_the_database(url: str, column: str, value: str) -> None:
    store = open_store(url)
    with store.transaction() as uow:
        queue(uow, ids=CountingIds())
    store.close()
    with pytest.raises(IntegrityError, match=r"(?i)check"):
        write_past_the_program(url, f"UPDATE line SET {column} = {value}")


def test_broken_rule_of_the_database_is_told_without_its_values_and_leaves_the_store_working(url: str) -> None:
    store = open_store(url)
    with store.transaction() as uow:
        queue(uow, ids=CountingIds())

    def break_a_rule() -> None:
        with store.transaction() as uow:
            uow.jobs._connection.execute(update(table_of(LineRow)).values(quantity=0, medicine="secret-medicine"))

    with pytest.raises(IntegrityError) as refused:
        break_a_rule()
    assert "secret-medicine" not in "".join(traceback.format_exception(refused.value))
    with store.transaction() as uow:
        assert uow.deliveries.open()[0].lines[0].quantity > 0
    store.close()


def test_epoch_grows_with_every_opening(url: str) -> None:
    first = open_store(url)
    first.close()
    second = open_store(url)
    assert second.epoch == first.epoch + 1
    second.close()


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
    engine = raw_engine(url)
    with engine.connect() as connection, connection.begin():
        assert compare_metadata(MigrationContext.configure(connection), Row.metadata) == []
    engine.dispose()


def test_store_of_a_newer_program_is_refused(url: str) -> None:
    open_store(url).close()
    write_past_the_program(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreVersionError, match="another version"):
        open_store(url)


def test_deliveries_of_before_lie_in_one_tote_with_the_seals_put_on_and_read(empty_url: str) -> None:
    config, at = migration_config(), "2026-01-31T12:00:00.000000Z"
    engine = raw_engine(empty_url)
    with engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0012")
    engine.dispose()
    columns = "id, job_id, from_station, to_station, priority, tote_id, seal_number, state, queued_at, waiting, custody"
    write_past_the_program(
        empty_url,
        f"INSERT INTO job VALUES ('j', 'p', '{at}')",
        f"INSERT INTO delivery ({columns}) VALUES ('d', 'j', 'a', 'b', 'routine', 't', 'S-1', 'received', '{at}', "
        """'[]', '{"seal_differed":1,"patient":"local-7"}')""",
        "INSERT INTO line (id, delivery_id, position, medicine, quantity, unit, handling_class) "
        "VALUES ('m', 'd', 1, 'm', 1, 'u', 'ordinary'), ('l', 'd', 0, 'm', 1, 'u', 'ordinary')",
        "INSERT INTO handover (delivery_id, kind, at, by, drawer, seal_number, is_short_or_over) "
        f"VALUES ('d', 'loading', '{at}', 'p', 'top', 'S-1', false), ('d', 'receipt', '{at}', 'n', NULL, 'S-2', false)",
    )
    store = open_store(empty_url)
    with store.reading() as uow:
        delivery = uow.deliveries.get(DeliveryId("d"))
        assert uow.deliveries.sealed_with("S-1") == delivery
    store.close()
    assert delivery.load == "t"
    assert delivery.totes == (Tote(ToteId("t"), (LineId("l"), LineId("m")), "S-1", "S-2", seal_differed=1),)
    assert delivery.custody.patient == "local-7"


def test_counts_of_before_keep_their_locks_and_those_of_nobody_are_known_as_such(empty_url: str) -> None:
    config, at = migration_config(), "2026-01-31T12:00:00.000000Z"
    engine = raw_engine(empty_url)
    with engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0016")
    engine.dispose()
    write_past_the_program(
        empty_url,
        "INSERT INTO person (id, roles, places, is_agency, badge, pin) "
        """VALUES ('nurse-1', '["nurse"]', '["birch"]', false, 'known', 'hash')""",
        "INSERT INTO pin_count (badge, device, in_a_row, wrong_at) "
        f"""VALUES ('known', '*', 5, '["{at}"]'), ('known', 'phone-1', 0, '[]'), ('made-up', '*', 1, '["{at}"]')""",
    )
    store = open_store(empty_url)
    with store.transaction() as uow:
        assert list(uow.proofs.pin_counts("known")) == [
            PinCount("known", "*", 5, (NOON,)),
            PinCount("known", "phone-1"),
        ]
        assert list(uow.proofs.pin_counts("made-up")) == [PinCount("made-up", "*", 1, (NOON,), is_of_nobody=True)]
        uow.proofs.forget_counts_of_nobody(before=NOON + timedelta(seconds=1), keep=9)
        assert list(uow.proofs.pin_counts("made-up")) == []
        assert uow.proofs.pin_count("known", "*").is_locked
    store.close()


def test_counts_outlive_the_migration_that_rebuilds_the_lines_they_refer_to(empty_url: str) -> None:
    config, at = migration_config(), "2026-01-31T12:00:00.000000Z"
    engine = raw_engine(empty_url)
    with engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
    engine.dispose()
    write_past_the_program(
        empty_url,
        f"INSERT INTO job VALUES ('j', 'p', '{at}')",
        "INSERT INTO delivery (id, job_id, from_station, to_station, priority, tote_id, state, queued_at, waiting) "
        f"VALUES ('d', 'j', 'a', 'b', 'routine', 't', 'sealed', '{at}', '[]')",
        "INSERT INTO line VALUES ('l', 'd', 0, 'm', 1, 'u', NULL, NULL, 'ordinary')",
        "INSERT INTO line_count VALUES ('d', 'loading', 0, 'l', 1)",
    )
    open_store(empty_url).close()
    engine = raw_engine(empty_url)
    with engine.connect() as connection, connection.begin():
        kept = connection.exec_driver_sql("SELECT line_id, quantity FROM line_count").fetchall()
        assert [tuple(row) for row in kept] == [("l", 1)]
        if empty_url.startswith("sqlite"):
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall() == []
    engine.dispose()
