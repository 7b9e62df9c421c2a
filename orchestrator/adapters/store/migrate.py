"""Bringing a store's tables up to date, from any earlier version."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import ProgrammingError

from orchestrator.adapters.store.errors import StoreVersionError

MIGRATIONS = Path(__file__).parent / "migrations"

VERSION_TABLE = "alembic_version"
"""Where Alembic keeps the revision."""

INSUFFICIENT_PRIVILEGE = "42501"
"""The SQLSTATE of PostgreSQL when a role may not do what it tries."""


def migration_config() -> Config:
    """Return what Alembic needs to find our migrations; they are packaged beside this module."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@cache
def newest_revision() -> str:
    """Return the revision that this program brings a store to."""
    newest = ScriptDirectory.from_config(migration_config()).get_current_head()
    assert newest is not None, "there are migrations"
    return newest


def migrate(connection: Connection, name: str) -> None:
    """Run the migrations that the store has not had, all of them in one transaction.

    Parameters
    ----------
    connection : Connection
        To the store, outside a transaction.
    name : str
        Of the store, for people.

    Raises
    ------
    StoreVersionError
        The store has a revision that this program does not know, or we may not change its tables.
    """
    with connection.begin():
        if MigrationContext.configure(connection).get_current_revision() == newest_revision():
            return
        config = migration_config()
        config.attributes["connection"] = connection
        detail = {"store": name, "known": newest_revision()}
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreVersionError(
                f"The store {name} was refused: another version of the program wrote it ({error}); expected a "
                f"revision up to {newest_revision()}. Start the version that wrote it, or a newer one.",
                detail=detail,
            ) from error
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) != INSUFFICIENT_PRIVILEGE:
                raise
            raise StoreVersionError(
                f"The store {name} was refused: its tables are not those of revision {newest_revision()}, and this "
                "role may not change them; expected that their owner has. Run `wardporter store prepare` as their "
                "owner (docs/postgresql.md).",
                detail=detail,
            ) from error
