"""The store on a PostgreSQL server: who may write, what the server has to be, and what never shows."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from psycopg import sql

from orchestrator.adapters.store import (
    SqlStore,
    StoreBrokenError,
    StoreBusyError,
    StoreFencedError,
    StoreLockedError,
    StoreUnreachableError,
    StoreUnsuitableError,
    StoreValueError,
    name_of_store,
    open_store,
)
from orchestrator.adapters.store import postgresql as postgresql_module
from orchestrator.domain.delivery.model import DeliveryId
from tests.support.deliveries import NOON, CountingIds, queue
from tests.support.postgresql import PostgresServer, database_of

WAIT_LIMIT_S = 20.0


@pytest.fixture
def store(postgres_url: str) -> Iterator[SqlStore]:
    opened = open_store(postgres_url)
    yield opened
    opened.close()


def end_sessions(server: PostgresServer, url: str) -> None:
    """End every session on a database, as a restart of the server or a broken network would."""
    with server.session() as session:
        ended = session.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [database_of(url)]
        ).fetchall()
    assert ended
    assert all(done for (done,) in ended)


def events(store: SqlStore) -> list[str]:
    with store.reading() as uow:
        return [event.subject for event in uow.events.after(0, 100)]


def append(store: SqlStore, subject: str) -> None:
    with store.transaction() as uow:
        uow.events.append(at=NOON, kind="k", subject=subject, data={})


def test_empty_database_gets_its_tables(empty_postgres_url: str) -> None:
    store = open_store(empty_postgres_url)
    with store.transaction() as uow:
        delivery = queue(uow, ids=CountingIds())
    with store.reading() as uow:
        assert uow.deliveries.get(delivery.id) == delivery
    store.close()


def test_orchestrator_whose_session_ended_writes_no_more_and_another_takes_over(
    postgres_server: PostgresServer, postgres_url: str, store: SqlStore
) -> None:
    append(store, "told")

    def write_across_the_take_over() -> None:
        with store.transaction() as uow:
            uow.events.append(at=NOON, kind="k", subject="lost", data={})
            end_sessions(postgres_server, postgres_url)
            heir = open_store(postgres_url)
            append(heir, "of the heir")
            heir.close()
            assert heir.epoch == store.epoch + 1

    with pytest.raises(StoreBrokenError):
        write_across_the_take_over()
    assert not store.is_writable
    with pytest.raises(StoreBrokenError, match="restart the orchestrator"), store.transaction():
        pytest.fail("a broken store opened a transaction")
    assert events(store) == ["told", "of the heir"]


def test_one_that_was_thought_dead_finds_a_later_epoch_and_writes_nothing(
    postgres_server: PostgresServer, postgres_url: str, store: SqlStore
) -> None:
    append(store, "told")
    # What a heir does; the session of the old one stays, as it may behind a pool of connections.
    with postgres_server.session(database_of(postgres_url)) as session:
        session.execute("UPDATE writer_epoch SET number = number + 1")
    with store.transaction() as uow:
        assert uow.events.last_number() == 1, "looking is not writing"
    with pytest.raises(StoreFencedError, match="taken over"):
        append(store, "of the old one")
    assert not store.is_writable
    with pytest.raises(StoreFencedError), store.transaction():
        pytest.fail("a fenced store opened a transaction")
    assert events(store) == ["told"]


def test_later_epoch_waits_for_a_commit_that_is_under_way(
    postgres_server: PostgresServer, postgres_url: str, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    commit = store._connection.commit

    def commit_while_another_begins() -> None:
        with postgres_server.session(database_of(postgres_url)) as session:
            session.execute("SET lock_timeout = '200ms'")
            with pytest.raises(Exception, match="lock timeout"):
                session.execute("UPDATE writer_epoch SET number = number + 1")
        seen.append(True)
        commit()

    monkeypatch.setattr(store._connection, "commit", commit_while_another_begins)
    append(store, "told")
    assert seen == [True]


def test_transaction_that_only_looked_is_no_write_for_the_server(
    postgres_server: PostgresServer, store: SqlStore
) -> None:
    def last_transaction() -> str:
        with postgres_server.session() as session:
            return str(session.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchall())

    before = last_transaction()
    with store.transaction() as uow:
        assert uow.events.last_number() == 0
    assert last_transaction() == before
    append(store, "x")
    assert last_transaction() != before


def test_standby_takes_over_when_the_first_ends(postgres_url: str, store: SqlStore) -> None:
    append(store, "told")
    opened: list[SqlStore] = []
    waiting = threading.Thread(target=lambda: opened.append(open_store(postgres_url, is_standby=True)))
    waiting.start()
    with pytest.raises(StoreLockedError, match="--standby"):
        open_store(postgres_url)
    assert not opened
    store.close()
    waiting.join(WAIT_LIMIT_S)
    assert events(opened[0]) == ["told"]
    assert opened[0].epoch == store.epoch + 1
    opened[0].close()


def test_table_held_by_another_program_is_a_refusal_that_may_be_tried_again(
    postgres_server: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgresql_module.SERVER_SETTINGS, "lock_timeout", "100")
    store = open_store(postgres_url)
    with postgres_server.session(database_of(postgres_url)) as session, session.transaction():
        session.execute("LOCK TABLE event")
        with pytest.raises(StoreBusyError):
            append(store, "x")
    append(store, "x")
    assert events(store) == ["x"]
    store.close()


def test_text_that_the_database_cannot_keep_is_refused_and_the_store_works_on(store: SqlStore) -> None:
    with pytest.raises(StoreValueError, match="NUL"):
        append(store, "a\x00b")
    append(store, "ab")
    assert events(store) == ["ab"]


def test_reading_is_refused_while_the_server_is_away_and_goes_on_when_it_is_back(
    postgres_server: PostgresServer, postgres_url: str, store: SqlStore
) -> None:
    append(store, "told")
    with postgres_server.session() as session:
        name = sql.Identifier(database_of(postgres_url))
        session.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        end_sessions(postgres_server, postgres_url)
        with pytest.raises(StoreUnreachableError):
            events(store)
        session.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
    assert events(store) == ["told"]


def test_reader_can_write_nothing(store: SqlStore) -> None:
    with pytest.raises(Exception, match="read-only"), store.reading() as uow:
        uow.events.append(at=NOON, kind="k", subject="x", data={})


@pytest.mark.parametrize(
    ("setting", "value"), [("synchronous_commit", "off"), ("search_path", "nowhere"), ("timezone", "Europe/London")]
)
def test_what_the_database_has_set_otherwise_does_not_count(
    postgres_server: PostgresServer, postgres_url: str, setting: str, value: str
) -> None:
    name = database_of(postgres_url)
    with postgres_server.session() as session:
        statement = sql.SQL("ALTER DATABASE {} SET {} = {}")
        session.execute(statement.format(sql.Identifier(name), sql.Identifier(setting), sql.Literal(value)))
    store = open_store(postgres_url)
    with store.transaction() as uow:
        kept = uow.jobs._connection.exec_driver_sql(f"SHOW {setting}").scalar()
        queue(uow, ids=CountingIds())
    assert kept != value
    store.close()


def test_server_that_would_lose_what_it_acknowledged_is_refused(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A server with fsync off is one more server to start; what is asked of it is the same as of this setting.
    monkeypatch.setitem(postgresql_module.UNSUITABLE, "fsync", ("really on", "what it acknowledged may be lost"))
    with pytest.raises(StoreUnsuitableError, match=r"fsync is on, expected really on.*docs/postgresql\.md"):
        open_store(postgres_url)


def test_database_whose_order_may_change_is_refused(
    postgres_server: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The test server knows no other order; the built-in one counts for what it is, the system's by its name.
    monkeypatch.setattr(postgresql_module, "STABLE_COLLATIONS", {"POSIX"})
    with pytest.raises(StoreUnsuitableError, match="its collation is C, expected"):
        open_store(postgres_url)
    built_in = postgres_server.new_database(locale="LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'")
    open_store(postgres_server.url(built_in)).close()
    postgres_server.drop(postgres_server.url(built_in))


def test_password_shows_neither_in_refusals_nor_in_names(postgres_url: str) -> None:
    secret = "hidden-word"
    nowhere = f"postgresql+psycopg://wardporter:{secret}@127.0.0.1:1/books?password={secret}"
    with pytest.raises(StoreUnreachableError) as refused:
        open_store(nowhere)
    assert secret not in str(refused.value)
    assert secret not in repr(refused.value.detail)
    assert name_of_store(nowhere) == "books on 127.0.0.1"
    store = open_store(postgres_url.replace("postgres@", f"postgres:{secret}@"))
    assert secret not in repr(store._readers) + str(store.__dict__)
    store.close()


def test_what_no_text_can_be_is_refused_where_it_is_only_asked_for(postgres_url: str) -> None:
    """An address may hold it: GET /api/v1/deliveries/%00."""
    store = open_store(postgres_url)
    with pytest.raises(StoreValueError, match="The request was refused"), store.reading() as uow:
        uow.deliveries.get(DeliveryId("delivery\x00"))
    store.close()
