"""Where a store is: an SQLite file, or a database of a PostgreSQL server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from orchestrator.adapters.store.errors import StoreUrlError

DRIVER = "postgresql+psycopg"


@dataclass(frozen=True, slots=True)
class SqliteAddress:
    """A file on this machine."""

    path: Path

    @property
    def name(self) -> str:
        """What people call the store."""
        return self.path.name

    @property
    def place(self) -> str:
        """Where people find it."""
        return str(self.path)


@dataclass(frozen=True, slots=True, repr=False)
class PostgresAddress:
    """A database of a PostgreSQL server. It may hold a password, so only `name` is ever told to anybody."""

    url: URL

    @property
    def name(self) -> str:
        """What people call the store: the database and its host."""
        host = self.url.host or self.url.query.get("host") or "this machine"
        return f"{self.url.database} on {host if isinstance(host, str) else host[0]}"

    @property
    def place(self) -> str:
        """Where people find it."""
        return self.name


def address_of(url: str) -> SqliteAddress | PostgresAddress:
    """Return the address that a URL such as ``sqlite:////var/lib/wardporter/store.sqlite`` means.

    Raises
    ------
    StoreUrlError
        It names neither an SQLite file nor a PostgreSQL database. The sentence does not repeat the URL.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # What the parser says may quote a piece of the password.
        parsed = None
    if parsed is not None and parsed.database not in (None, "", ":memory:"):
        if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
            return SqliteAddress(Path(str(parsed.database)).resolve())
        if parsed.drivername in ("postgresql", DRIVER):
            return PostgresAddress(parsed.set(drivername=DRIVER))
    raise StoreUrlError(
        "The store was refused: its address is neither that of an SQLite file nor that of a PostgreSQL database; "
        "expected one such as sqlite:////var/lib/wardporter/store.sqlite or "
        "postgresql+psycopg://wardporter@db.hospital.example/wardporter (special characters in a password as %40 and "
        "so on). Correct the setting WARDPORTER_STORE."
    )


def name_of_store(url: str) -> str:
    """Return where the store at an address is, in words that hold no secret; raises `StoreUrlError`."""
    return address_of(url).place
