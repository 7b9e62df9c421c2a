"""The service's role on PostgreSQL can add to what must stay as it is, and change nothing of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from orchestrator.adapters.store import (
    StoreRoleError,
    StoreUrlError,
    StoreVersionError,
    open_store,
    prepare_store,
)
from orchestrator.adapters.store.rights import NEVER_DELETED_FROM, ONLY_ADDED_TO
from orchestrator.adapters.store.rows import Row
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.model import RobotId
from tests.support.deliveries import NOON, CountingIds, bring_to, queue
from tests.support.ledgers import opening, sealing
from tests.support.postgresql import PostgresServer, database_of
from tests.support.shared_data import REPOSITORY


@dataclass(frozen=True, slots=True)
class Roles:
    """A database, its owner and the service's role."""

    owner: str
    service: str
    owner_url: str
    service_url: str


@pytest.fixture
def roles(postgres_server: PostgresServer, empty_postgres_url: str) -> Iterator[Roles]:
    database = database_of(empty_postgres_url)
    names = owner, service = f"{database}_owner", f"{database}_service"
    with postgres_server.session() as session:
        for name in names:
            session.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        session.execute(
            sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(database), sql.Identifier(owner))
        )
    yield Roles(owner, service, postgres_server.url(database, user=owner), postgres_server.url(database, user=service))
    postgres_server.drop(empty_postgres_url)
    with postgres_server.session() as session:
        for name in names:
            session.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_service_lives_with_its_rights(roles: Roles) -> None:
    prepare_store(roles.owner_url, role=roles.service)
    store = open_store(roles.service_url)
    with store.transaction() as uow:
        delivery = queue(uow, ids=CountingIds())
        uow.history.add(RobotId("robot-1"), at=NOON, act=RobotAct.PAUSE, by="porter-1", reason="r", outcome="o")
    bring_to(store, delivery.id, DeliveryState.ARRIVED)
    with store.transaction() as uow:
        entry = uow.ledger.append(opening(), NOON)
        uow.ledger.append(sealing(), NOON)
    with store.reading() as uow:
        assert uow.ledger.entry(0) == entry
        assert uow.ledger.size == 2
    store.close()


@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", sorted(ONLY_ADDED_TO))
def test_service_cannot_change_what_must_stay(
    postgres_server: PostgresServer, roles: Roles, table: str, statement: LiteralString
) -> None:
    prepare_store(roles.owner_url, role=roles.service)
    # Rights that somebody had given before are taken away again by the next preparation.
    with postgres_server.session(database_of(roles.owner_url)) as session:
        session.execute(
            sql.SQL("GRANT ALL ON {} TO PUBLIC, {}").format(sql.Identifier(table), sql.Identifier(roles.service))
        )
    prepare_store(roles.owner_url, role=roles.service)
    column = sql.Identifier(Row.metadata.tables[table].columns.keys()[0])
    with postgres_server.session(database_of(roles.service_url), user=roles.service) as session:
        assert session.execute("SELECT current_user").fetchone() == (roles.service,)
        session.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(sql.SQL(statement).format(sql.Identifier(table), column, column))


def test_service_cannot_take_the_tables_away_or_give_itself_rights(
    postgres_server: PostgresServer, roles: Roles
) -> None:
    prepare_store(roles.owner_url, role=roles.service)
    with postgres_server.session(database_of(roles.service_url), user=roles.service) as session:
        for statement in (
            "DROP TABLE event",
            "ALTER TABLE event DISABLE TRIGGER ALL",
            "CREATE TABLE mine (id int)",
            "SET session_replication_role = replica",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(statement)
        # The server answers with a warning that nothing was granted.
        session.execute("GRANT UPDATE ON event TO CURRENT_USER")
        assert session.execute("SELECT has_table_privilege('event', 'UPDATE')").fetchone() == (False,)


def test_every_table_that_only_grows_is_kept_from_changes() -> None:
    assert ONLY_ADDED_TO <= set(Row.metadata.tables)
    documented = {
        name
        for name, row in ((kind.__tablename__, kind) for kind in Row.__subclasses__())
        if "only ever added" in (row.__doc__ or "")
    }
    assert documented <= ONLY_ADDED_TO
    assert {name for name in Row.metadata.tables if name.startswith("ledger")} == {
        *(name for name in ONLY_ADDED_TO if name.startswith("ledger")),
        *NEVER_DELETED_FROM,
    }


@pytest.mark.parametrize("table", sorted(NEVER_DELETED_FROM))
def test_service_cannot_delete_what_the_ledger_comes_to(
    postgres_server: PostgresServer, roles: Roles, table: str
) -> None:
    prepare_store(roles.owner_url, role=roles.service)
    with postgres_server.session(database_of(roles.service_url), user=roles.service) as session:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


def test_service_on_tables_of_another_version_is_told_who_has_to_change_them(roles: Roles) -> None:
    with pytest.raises(StoreVersionError, match="wardporter store prepare"):
        open_store(roles.service_url)


def test_role_that_no_right_can_be_kept_from_is_refused(postgres_server: PostgresServer, roles: Roles) -> None:
    with pytest.raises(StoreRoleError, match="superuser"):
        prepare_store(roles.owner_url, role="postgres")
    with pytest.raises(StoreRoleError, match="member of the owner"):
        prepare_store(roles.owner_url, role=roles.owner)
    with pytest.raises(StoreRoleError, match="there is no role"):
        prepare_store(roles.owner_url, role="nobody-1")
    with pytest.raises(StoreUrlError, match="of a file"):
        prepare_store("sqlite:////nowhere/store.sqlite", role=roles.service)


def test_command_prepares_the_store_and_shows_no_secret(roles: Roles) -> None:
    url = roles.owner_url.replace("@", ":hidden-word@", 1)
    command = [sys.executable, "-m", "orchestrator.cli", "store", "prepare", "--role", roles.service]
    done = subprocess.run(
        command,
        env={**os.environ, "WARDPORTER_STORE": url},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "up to date" in done.stdout
    assert "hidden-word" not in done.stdout
    open_store(roles.service_url).close()
