"""Reading a ledger out of a store beside a service that runs, to verify or export it; nothing is ever written.

The entries are read as they stand in the table and handed to the auditor. Then what the service keeps beside them for
speed is compared with what they come to, so that nobody hides an entry, a balance or a pending posting by an edit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from typing import Any

from sqlalchemy import Column, Connection, Engine, Executable, create_engine, event, func, inspect, select
from sqlalchemy.exc import DatabaseError

from orchestrator.adapters.store import postgresql
from orchestrator.adapters.store.address import PostgresAddress, address_of
from orchestrator.adapters.store.errors import StoreBrokenError, StoreUrlError
from orchestrator.adapters.store.ledger_tables import BALANCE, ENTRY, HEAD, NODE, OPENING, ORIGIN, PENDING
from orchestrator.domain.custody.audit import Audit, BadLedgerError
from orchestrator.domain.custody.checkpoint import IsSigned, KeyName, SignedHead, bodies_of
from orchestrator.domain.custody.comparison import require_kept_heads
from orchestrator.domain.custody.export import entry_line
from orchestrator.domain.custody.ledger_errors import HeadError
from orchestrator.domain.custody.origin import LedgerOrigin

BATCH = 2_000
BESIDE = (ENTRY.c.kind, ENTRY.c.place, ENTRY.c.delivery, ENTRY.c.medicine)
PENDING_AS_KEPT = (
    PENDING.c.id,
    PENDING.c.resolved_by,
    PENDING.c.to_place,
    PENDING.c.quantity,
    PENDING.c.tote,
    PENDING.c.medicine,
    PENDING.c.batch,
    PENDING.c.own_of,
)


@dataclass(frozen=True, slots=True)
class StoredLedger:
    """A ledger as one read-only transaction sees it."""

    connection: Connection
    origin: LedgerOrigin

    def newest_head(self) -> SignedHead | None:
        """Return the newest signed head; None while there is none. Raises `HeadError` when it is not one."""
        text = self.connection.execute(select(HEAD.c.note).order_by(HEAD.c.size.desc()).limit(1)).scalar()
        return None if text is None else SignedHead.parse(text)

    def export_lines(self) -> Iterator[bytes]:
        """Return the lines of an export's entries, as they stand."""
        with self._rows(ENTRY.c.body, ENTRY.c.hash) as rows:
            for body, hash_ in rows:
                yield entry_line(body.encode(), hash_)

    def audit(self, *, sizes: Collection[int] = ()) -> Audit:
        """Read every entry, and what is kept beside the entries; raises `BadLedgerError`."""
        own = [row.size for row in self.connection.execute(select(HEAD.c.size))]
        audit = Audit(self.origin.first_hash, sizes={*own, *sizes})
        leaves: list[bytes] = []
        with self._rows(ENTRY.c.number, ENTRY.c.body, ENTRY.c.hash, *BESIDE) as rows:
            for number, body, hash_, *beside in rows:
                if number != audit.size:
                    raise BadLedgerError(
                        f"Entry {audit.size} is bad: it is not there; number {number} is the next one.",
                        entry=audit.size,
                    )
                _check_columns(number, beside, audit.take(body.encode(), hash_))
                leaves.append(bytes.fromhex(hash_))
        self._check_end(audit, own)
        self._check_nodes(leaves)
        self._check_balances(audit)
        self._check_pendings(audit)
        return audit

    def require_own_heads(self, audit: Audit, *, key: KeyName, is_signed: IsSigned) -> None:
        """Raise `BadLedgerError` unless the heads in the store are heads of its entries, and the newest is signed.

        A service signs a head with every transaction, so there are about as many as entries, and each one's text is
        compared with what the entries come to. The newest one's signature stands for all that it is over; those of
        the others are looked at when something is wrong, to tell since when.
        """
        newest: str | None = None
        body = bodies_of(self.origin)
        with self._streamed(select(HEAD.c.size, HEAD.c.note).order_by(HEAD.c.size)) as rows:
            for size, note in rows:
                if not note.startswith(body(size, audit.roots.get(size, b"")) + "\n"):
                    raise self._wrong_head(audit, key=key, is_signed=is_signed)
                newest = note
        try:
            head = None if newest is None else SignedHead.parse(newest)
        except HeadError as error:
            raise BadLedgerError(f"The newest head in the store is bad. {error.message}") from error
        if audit.size and (head is None or head.checkpoint.size != audit.size):
            raise BadLedgerError("The ledger is bad: its newest head is not over all of its entries.")
        require_kept_heads(audit, [] if head is None else [head], key=key, is_signed=is_signed)

    def _wrong_head(self, audit: Audit, *, key: KeyName, is_signed: IsSigned) -> BadLedgerError:
        """Return what is wrong with the heads in the store, of which one is not of the entries."""
        heads: list[SignedHead] = []
        for size, note in self.connection.execute(select(HEAD.c.size, HEAD.c.note).order_by(HEAD.c.size)):
            try:
                head = SignedHead.parse(note)
                head.require_signed(key, is_signed)
            except HeadError as error:
                return BadLedgerError(f"The head of {size} entries in the store is bad. {error.message}")
            if head.checkpoint.size != size:
                return BadLedgerError(f"The head of {size} entries in the store is one of another size.")
            heads.append(head)
        try:
            require_kept_heads(audit, heads, key=key, is_signed=is_signed)
        except BadLedgerError as error:
            return error
        return BadLedgerError("The ledger is bad: its heads in the store are not those of its entries.")

    def _rows(self, *columns: Column[Any]) -> AbstractContextManager[Iterable[Any]]:
        """Give columns of the entries as they stand."""
        return self._streamed(select(*columns).order_by(ENTRY.c.number))

    @contextmanager
    def _streamed(self, statement: Executable) -> Iterator[Iterable[Any]]:
        """Give rows, some at a time; what is open on the server for that is closed again."""
        options = {"stream_results": True, "yield_per": BATCH}
        with self.connection.execute(statement, execution_options=options) as rows:
            yield chain.from_iterable(rows.partitions())

    # -- what is kept beside the entries --------------------------------------------------------------------------

    def _check_end(self, audit: Audit, heads: Collection[int]) -> None:
        """Nothing beside the entries knows of one after the last: else the end was cut off, and the first is named."""
        at_least = max(heads, default=0)
        for row in self.connection.execute(select(NODE.c.level, func.max(NODE.c.position)).group_by(NODE.c.level)):
            level, position = row
            at_least = max(at_least, (position + 1) << level)
        if at_least > audit.size:
            raise BadLedgerError(
                f"Entry {audit.size} is bad: it is not there, nor is any after it; heads or tree in the store are over "
                f"{at_least} entries at least. The end of the ledger was cut off.",
                entry=audit.size,
            )

    def _check_nodes(self, below: list[bytes]) -> None:
        """Every stored node is over the two below it, and none is missing: a wrong one would give wrong proofs."""
        nodes = select(NODE.c.level, NODE.c.hash).order_by(NODE.c.level, NODE.c.position)
        stored: dict[int, list[bytes]] = {}
        with self._streamed(nodes) as rows:
            for level, hash_ in rows:
                stored.setdefault(level, []).append(hash_)
        level = 1
        while len(below) > 1:
            pairs = zip(below[0::2], below[1::2], strict=False)
            below = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
            if stored.pop(level, None) != below:
                raise BadLedgerError(f"The ledger is bad: level {level} of its stored tree is not over its entries.")
            level += 1
        if stored:
            raise BadLedgerError("The ledger is bad: its stored tree has more nodes than its entries come to.")

    def _check_balances(self, audit: Audit) -> None:
        kept = {
            (row.account, row.of, row.medicine, row.batch, row.own_of or None): row.quantity
            for row in self.connection.execute(select(BALANCE).where(BALANCE.c.quantity != 0))
        }
        for key in kept.keys() | audit.held.keys():
            if kept.get(key, 0) != audit.held.get(key, 0):
                raise BadLedgerError(
                    f"The ledger is bad: the kept balance of the account {key[0]} of {key[1]} for the medicine "
                    f"{key[2]}, batch {key[3]}, is not what its entries come to. The entries are good; it was changed."
                )

    def _check_pendings(self, audit: Audit) -> None:
        seen = 0
        with self._streamed(select(*PENDING_AS_KEPT)) as rows:
            for id_, resolved_by, to_place, quantity, *stock in rows:
                seen += 1
                if resolved_by is None:
                    is_right = (
                        audit.open.get(id_) == ("transit", *stock)
                        and audit.pending_units.get(id_) == quantity
                        and audit.bound_for.get(id_) == to_place
                    )
                else:
                    is_right = audit.resolved.get(id_) == resolved_by
                if not is_right:
                    raise BadLedgerError(
                        f"The ledger is bad: the pending posting {id_} is not what its entries say. The entries are "
                        "good; it was changed."
                    )
        if seen != len(audit.open) + len(audit.resolved):
            raise BadLedgerError("The ledger is bad: a pending posting was taken away or added. The entries are good.")
        openings = select(func.count()).select_from(OPENING)
        entries = select(func.count()).select_from(ENTRY).where(ENTRY.c.kind == "opening_balance")
        if self.connection.execute(openings).scalar() != self.connection.execute(entries).scalar():
            raise BadLedgerError("The ledger is bad: an opening balance was taken away or added. The entries are good.")


def _check_columns(number: int, beside: Sequence[Any], said: Mapping[str, Any]) -> None:
    postings = said["postings"]
    medicine = postings[0][2] if postings else said["facts"].get("medicine")
    if beside != [said["kind"], said["place"], said["delivery"], medicine]:
        raise BadLedgerError(
            f"Entry {number} is bad: what it is found by (kind, place, delivery, medicine) is not what it says.",
            entry=number,
        )


@contextmanager
def stored_ledger(url: str) -> Iterator[StoredLedger]:
    """Open the ledger of a store for reading until the block ends, whether a service has the store open or not.

    Raises
    ------
    StoreUrlError
        There is no store, or it has no ledger.
    """
    engine = _read_only(url)
    try:
        with engine.connect() as connection, connection.begin():
            kept = None
            if inspect(connection).has_table(ORIGIN.name):
                kept = connection.execute(select(ORIGIN.c.line)).scalar()
            if kept is None:
                raise StoreUrlError(
                    "The ledger was refused: this store has none yet; expected one that wardporter serve has opened. "
                    "Name its data folder."
                )
            yield StoredLedger(connection, LedgerOrigin.parse(kept))
    except DatabaseError as error:
        raise StoreBrokenError(
            f"The ledger was refused: the database cannot be read ({error.orig}); expected a whole store of this "
            "version. Put back a copy of it, and verify that.",
        ) from error
    finally:
        engine.dispose()


def _read_only(url: str) -> Engine:
    parsed = address_of(url)
    if isinstance(parsed, PostgresAddress):
        return postgresql.reading_engine(parsed)
    path = parsed.path
    if not path.is_file():
        raise StoreUrlError(
            f"The ledger was refused: there is no store {path}; expected the data folder of a service. Name it."
        )
    address = f"{path.resolve().as_uri()}?mode=ro"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True, isolation_level=None))

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine
