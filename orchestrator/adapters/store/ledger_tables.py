"""The tables of the ledger, as SQLAlchemy tables: an entry is written without a row object in between.

``ledger_entry`` is the truth: ``body`` is the entry's canonical text, and what stands beside it is there to be found
by and is checked against it by the verifier. ``ledger_balance``, ``ledger_pending`` and ``ledger_opening`` are what the
entries come to, kept so that no act has to fold them; ``ledger_node`` holds the complete nodes of the tree above its
leaves. "" stands for the hospital's own stock in ``own_of``, because a key holds no NULL.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from orchestrator.adapters.store.columns import Moment
from orchestrator.adapters.store.rows import Row

ENTRY = Table(
    "ledger_entry",
    Row.metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("kind", String, nullable=False),
    Column("place", String, nullable=False),
    Column("delivery", String),
    Column("medicine", String),
    Column("body", Text, nullable=False),
    Index("ledger_entry_by_place", "place", "number"),
    Index("ledger_entry_by_delivery", "delivery", "number"),
    Index("ledger_entry_by_medicine", "medicine", "number"),
)

NODE = Table(
    "ledger_node",
    Row.metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
    sqlite_with_rowid=False,
)

BALANCE = Table(
    "ledger_balance",
    Row.metadata,
    Column("of", String, primary_key=True),
    Column("account", String, primary_key=True),
    Column("medicine", String, primary_key=True),
    Column("batch", String, primary_key=True),
    Column("own_of", String, primary_key=True),
    Column("quantity", BigInteger, nullable=False),
    Index("ledger_balance_by_medicine", "medicine", "batch"),
    sqlite_with_rowid=False,
)

PENDING = Table(
    "ledger_pending",
    Row.metadata,
    Column("id", String, primary_key=True),
    Column("medicine", String, nullable=False),
    Column("batch", String, nullable=False),
    Column("own_of", String),
    Column("quantity", BigInteger, nullable=False),
    Column("tote", String, nullable=False),
    Column("from_place", String, nullable=False),
    Column("to_place", String, nullable=False),
    Column("opened_by", BigInteger, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("delivery", String),
    Column("line", String),
    Column("resolved_by", BigInteger),
    Index("ledger_pending_by_resolution", "resolved_by"),
)

OPENING = Table(
    "ledger_opening",
    Row.metadata,
    Column("place", String, primary_key=True),
    Column("medicine", String, primary_key=True),
    Column("batch", String, primary_key=True),
    Column("own_of", String, primary_key=True),
    Column("entry", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

HEAD = Table(
    "ledger_head",
    Row.metadata,
    Column("size", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)

ORIGIN = Table(
    "ledger_origin",
    Row.metadata,
    Column("only", Integer, primary_key=True, autoincrement=False),
    Column("line", String, nullable=False),
)

MODE = Table(
    "ledger_mode",
    Row.metadata,
    Column("only", Integer, primary_key=True, autoincrement=False),
    Column("mode", String, nullable=False),
)
