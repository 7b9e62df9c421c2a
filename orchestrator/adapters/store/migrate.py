"""Bringing a store's tables up to date, from any earlier version."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine

from orchestrator.adapters.store.errors import StoreVersionError

MIGRATIONS = Path(__file__).parent / "migrations"


def migration_config() -> Config:
    """Return what Alembic needs to find our migrations; they are packaged beside this module."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(engine: Engine, path: Path) -> None:
    """Run the migrations that the store has not had, all of them in one transaction.

    Raises
    ------
    StoreVersionError
        The store has a revision that this program does not know.
    """
    config = migration_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            known = ScriptDirectory.from_config(config).get_current_head()
            raise StoreVersionError(
                f"The store {path.name} was refused: another version of the program wrote it ({error}); expected a "
                f"revision up to {known}. Start the version that wrote it, or a newer one.",
                detail={"store": path.name, "known": known},
            ) from error
