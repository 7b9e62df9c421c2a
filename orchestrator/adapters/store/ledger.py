"""The custody ledger in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from orchestrator.adapters.store.ledger_tables import BALANCE, ENTRY, HEAD, NODE, OPENING, PENDING
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.domain.custody.balances import Balance, in_order
from orchestrator.domain.custody.canonical import entry_bytes, entry_from_bytes, entry_hash
from orchestrator.domain.custody.checkpoint import Checkpoint, signed_head
from orchestrator.domain.custody.ledger_errors import UnknownEntryError, UnknownPendingError
from orchestrator.domain.custody.merkle import Frontier, NodeId, frontier_of
from orchestrator.domain.custody.model import Account, AccountKind, Draft, Entry, PendingId, Stock
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.domain.custody.pending import LedgerMode, Pending
from orchestrator.domain.custody.rules import Changes, changes_of, stock_named
from orchestrator.domain.delivery.model import DeliveryId, LineId, ToteId
from orchestrator.domain.site.model import PlaceId

_OPENING_KEY = ("place", "medicine", "batch", "own_of")
_BALANCE_KEY = ("of", "account", "medicine", "batch", "own_of")
_LAST_ENTRY = select(ENTRY.c.number, ENTRY.c.hash).order_by(ENTRY.c.number.desc()).limit(1)
_ADD_ENTRY = insert(ENTRY)
_ADD_NODES = insert(NODE)
_ADD_PENDINGS = insert(PENDING)
_ADD_OPENING = insert(OPENING)
_ADD_HEAD = insert(HEAD)
_NEWEST_HEAD = select(HEAD.c.note).order_by(HEAD.c.size.desc()).limit(1)


def _adding_to_balance(dialect: str) -> Any:
    into = postgresql.insert(BALANCE) if dialect == "postgresql" else sqlite.insert(BALANCE)
    return into.on_conflict_do_update(
        index_elements=list(_BALANCE_KEY), set_={"quantity": BALANCE.c.quantity + into.excluded.quantity}
    )


# Made once with places for values: a statement that is made anew for each act costs as much as it does to run it.
_BALANCE_OF = select(BALANCE.c.quantity).where(*(BALANCE.c[name] == bindparam(name) for name in _BALANCE_KEY))
_PENDING_OF = select(PENDING).where(PENDING.c.id == bindparam("pending"))
_OPEN_PENDINGS = select(PENDING).where(PENDING.c.resolved_by.is_(None)).order_by(PENDING.c.opened_by, PENDING.c.id)
_RESOLVE = update(PENDING).where(PENDING.c.id == bindparam("pending")).values(resolved_by=bindparam("entry"))
_REDIRECT = update(PENDING).where(PENDING.c.id == bindparam("pending")).values(to_place=bindparam("place"))
_OPENED = (
    select(OPENING.c.entry)
    .where(
        OPENING.c.place == bindparam("place"),
        OPENING.c.medicine == bindparam("medicine"),
        OPENING.c.own_of == "",
    )
    .limit(1)
)
_STOCK_OPENED = select(OPENING.c.entry).where(*(OPENING.c[name] == bindparam(name) for name in _OPENING_KEY))
_BODY_OF = select(ENTRY.c.body).where(ENTRY.c.number == bindparam("index"))
_ADD_TO_BALANCE = {dialect: _adding_to_balance(dialect) for dialect in ("sqlite", "postgresql")}


@dataclass(frozen=True, slots=True)
class Edge:
    """Where the ledger ends: the right edge of its tree, and the hash that the next entry links to."""

    frontier: Frontier
    last_hash: str


class RememberedEdge:
    """The edge as committed and as the open transaction has it, so that an append reads nothing to find it."""

    def __init__(self) -> None:
        self._committed: Edge | None = None
        self._written: Edge | None = None

    def get(self) -> Edge | None:
        """Return the newest edge, None when it is not remembered."""
        return self._written or self._committed

    @property
    def written(self) -> Edge | None:
        """The edge as the open transaction has moved it; None while it has not."""
        return self._written

    def has_read(self, edge: Edge) -> None:
        """Remember what was read before the open transaction wrote anything."""
        self._committed = edge

    def has_written(self, edge: Edge) -> None:
        """Remember what the open transaction wrote."""
        self._written = edge

    def commit(self) -> None:
        """Take what the transaction wrote as committed."""
        self._committed, self._written = self._written or self._committed, None

    def roll_back(self) -> None:
        """Forget what the transaction wrote."""
        self._written = None


class SqlLedger:
    """The ledger over one open transaction."""

    def __init__(self, connection: Connection, remembered: RememberedEdge, terms: LedgerTerms) -> None:
        self._connection = connection
        self._remembered = remembered
        self._terms = terms

    @property
    def origin(self) -> LedgerOrigin:
        """Whose ledger it is."""
        return self._terms.origin

    @property
    def mode(self) -> LedgerMode:
        """How much of the stock the ledger sees."""
        return self._terms.mode

    @property
    def size(self) -> int:
        """The number of entries."""
        return self._edge().frontier.size

    # -- writing --------------------------------------------------------------------------------------------------

    def append(self, draft: Draft, at: datetime) -> Entry:
        """Keep an entry, if the rules allow it, and return it with its index and hashes."""
        self._terms.gate.require_open()
        edge = self._edge()
        changes = changes_of(draft, self, at=at)
        index = edge.frontier.size
        body = entry_bytes(draft, index=index, recorded_at=at, previous=edge.last_hash)
        entry = Entry(index, at, draft, previous_hash=edge.last_hash, hash=entry_hash(body))
        stock = stock_named(draft)
        self._connection.execute(
            _ADD_ENTRY,
            {
                "number": index,
                "hash": entry.hash,
                "kind": draft.kind.value,
                "place": draft.place,
                "delivery": draft.delivery,
                "medicine": None if stock is None else stock.medicine,
                "body": body.decode(),
            },
        )
        frontier, completed = edge.frontier.append(bytes.fromhex(entry.hash))
        if completed:
            nodes = [{"level": level, "position": position, "hash": hash_} for (level, position), hash_ in completed]
            self._connection.execute(_ADD_NODES, nodes)
        self._keep(changes, index=index, place=draft.place)
        self._remembered.has_written(Edge(frontier, entry.hash))
        return entry

    def _keep(self, changes: Changes, *, index: int, place: PlaceId) -> None:
        if changes.balances:
            self._connection.execute(
                _ADD_TO_BALANCE[self._connection.dialect.name],
                [
                    {**_balance_key(account, stock), "quantity": units}
                    for (account, stock), units in changes.balances.items()
                ],
            )
        if changes.opened:
            self._connection.execute(_ADD_PENDINGS, [_pending_to_values(pending) for pending in changes.opened])
        for pending in changes.resolved:
            self._connection.execute(_RESOLVE, {"pending": pending.id, "entry": index})
        for pending in changes.redirected:
            self._connection.execute(_REDIRECT, {"pending": pending.id, "place": pending.to_place})
        stock = changes.opens_register_of
        if stock is not None:
            self._connection.execute(_ADD_OPENING, {**_opening_key(place, stock), "entry": index})

    # -- entries --------------------------------------------------------------------------------------------------

    def entry(self, index: int) -> Entry:
        """Return an entry; raises `UnknownEntryError`."""
        found = self._connection.execute(_BODY_OF, {"index": index}).scalar()
        if found is None:
            raise UnknownEntryError(
                f"The ledger has no entry {index}; expected an index from 0 to one below its size. GET "
                "/api/v1/ledger/entries lists them.",
                detail={"index": index},
            )
        return entry_from_bytes(found.encode())

    def entries(
        self,
        *,
        after: int | None = None,
        limit: int,
        delivery: DeliveryId | None = None,
        place: PlaceId | None = None,
        medicine: str | None = None,
    ) -> Sequence[Entry]:
        """Return up to ``limit`` entries with a larger index than ``after``, in order."""
        statement = select(ENTRY.c.body)
        if after is not None:
            statement = statement.where(ENTRY.c.number > after)
        for column, wanted in ((ENTRY.c.delivery, delivery), (ENTRY.c.place, place), (ENTRY.c.medicine, medicine)):
            if wanted is not None:
                statement = statement.where(column == wanted)
        bodies = self._connection.execute(statement.order_by(ENTRY.c.number).limit(limit)).scalars()
        return [entry_from_bytes(body.encode()) for body in bodies]

    # -- what they come to ----------------------------------------------------------------------------------------

    def balance(self, account: Account, stock: Stock) -> int:
        """Return the units of a stock in an account; 0 where it never had any."""
        return self._connection.execute(_BALANCE_OF, _balance_key(account, stock)).scalar() or 0

    def balances(
        self, *, of: str | None = None, medicine: str | None = None, batch: str | None = None
    ) -> Sequence[Balance]:
        """Return what accounts hold, without those that hold nothing, in a fixed order."""
        statement = select(BALANCE).where(BALANCE.c.quantity != 0)
        for name, wanted in (("of", of), ("medicine", medicine), ("batch", batch)):
            if wanted is not None:
                statement = statement.where(BALANCE.c[name] == wanted)
        rows = self._connection.execute(statement).all()
        return in_order(
            Balance(
                Account(AccountKind(row.account), row.of),
                Stock(row.medicine, row.batch, row.own_of or None),
                row.quantity,
            )
            for row in rows
        )

    def pending(self, pending: PendingId) -> Pending:
        """Return a pending posting, open or resolved; raises `UnknownPendingError`."""
        found = self.find_pending(pending)
        if found is None:
            raise UnknownPendingError(
                f"Nothing is on its way under {pending}; expected the id of a line that was sealed.",
                detail={"pending": pending},
            )
        return found

    def find_pending(self, pending: PendingId) -> Pending | None:
        """Return a pending posting, open or resolved; None when there is none."""
        row = self._connection.execute(_PENDING_OF, {"pending": pending}).first()
        return None if row is None else _pending_from_row(row)

    def open_pendings(self) -> Sequence[Pending]:
        """Return the pending postings that nobody has resolved, in the order in which they were opened."""
        return [_pending_from_row(row) for row in self._connection.execute(_OPEN_PENDINGS)]

    def is_opened(self, place: PlaceId, medicine: str) -> bool:
        """Whether a place has an opening balance of a medicine of the hospital's, of any batch."""
        found = self._connection.execute(_OPENED, {"place": place, "medicine": medicine})
        return found.scalar() is not None

    def is_stock_opened(self, place: PlaceId, stock: Stock) -> bool:
        """Whether a place has an opening balance of this very stock."""
        return self._connection.execute(_STOCK_OPENED, _opening_key(place, stock)).scalar() is not None

    # -- the tree -------------------------------------------------------------------------------------------------

    def frontier(self, size: int | None = None) -> Frontier:
        """Return the right edge of the tree over the first ``size`` entries; over all without it."""
        whole = self._edge().frontier
        return whole if size is None or size == whole.size else frontier_of(size, self.nodes)

    def nodes(self, nodes: Sequence[NodeId]) -> Mapping[NodeId, bytes]:
        """Return the hashes of complete nodes of the tree; raises KeyError for one that it has not."""
        found: dict[NodeId, bytes] = {}
        leaves = [position for level, position in nodes if level == 0]
        if leaves:
            statement = select(ENTRY.c.number, ENTRY.c.hash).where(ENTRY.c.number.in_(leaves))
            found.update({(0, row.number): bytes.fromhex(row.hash) for row in self._connection.execute(statement)})
        above = [node for node in nodes if node[0] > 0]
        if above:
            wanted = or_(*(and_(NODE.c.level == level, NODE.c.position == position) for level, position in above))
            rows = self._connection.execute(select(NODE).where(wanted))
            found.update({(row.level, row.position): row.hash for row in rows})
        missing = [node for node in nodes if node not in found]
        if missing:
            raise KeyError(missing[0])
        return found

    def newest_head(self) -> str | None:
        """Return the newest signed head; None while there is none."""
        return self._connection.execute(_NEWEST_HEAD).scalar()

    def sign_head(self) -> None:
        """Keep a signed head over what the open transaction has added; nothing was added, nothing is signed."""
        written = self._remembered.written
        if written is None or self._terms.signer is None:
            return
        signer = self._terms.signer
        checkpoint = Checkpoint(self._terms.origin, written.frontier.size, written.frontier.root())
        head = signed_head(checkpoint, signer.key, signer.sign)
        self._connection.execute(_ADD_HEAD, {"size": checkpoint.size, "note": head.text})

    def _edge(self) -> Edge:
        edge = self._remembered.get()
        if edge is None:
            row = self._connection.execute(_LAST_ENTRY).first()
            if row is None:
                edge = Edge(Frontier(), self._terms.origin.first_hash)
            else:
                edge = Edge(frontier_of(row.number + 1, self.nodes), row.hash)
            self._remembered.has_read(edge)
        return edge


def _balance_key(account: Account, stock: Stock) -> dict[str, str]:
    return {
        "of": account.of,
        "account": account.kind.value,
        "medicine": stock.medicine,
        "batch": stock.batch,
        "own_of": stock.own_of or "",
    }


def _opening_key(place: PlaceId, stock: Stock) -> dict[str, str]:
    return {"place": place, "medicine": stock.medicine, "batch": stock.batch, "own_of": stock.own_of or ""}


def _pending_to_values(pending: Pending) -> dict[str, Any]:
    return {
        "id": pending.id,
        "medicine": pending.stock.medicine,
        "batch": pending.stock.batch,
        "own_of": pending.stock.own_of,
        "quantity": pending.quantity,
        "tote": pending.tote,
        "from_place": pending.from_place,
        "to_place": pending.to_place,
        "opened_by": pending.opened_by,
        "opened_at": pending.opened_at,
        "delivery": pending.delivery,
        "line": pending.line,
        "resolved_by": pending.resolved_by,
    }


def _pending_from_row(row: Row[Any]) -> Pending:
    return Pending(
        id=PendingId(row.id),
        stock=Stock(row.medicine, row.batch, row.own_of),
        quantity=row.quantity,
        tote=ToteId(row.tote),
        from_place=PlaceId(row.from_place),
        to_place=PlaceId(row.to_place),
        opened_by=row.opened_by,
        opened_at=row.opened_at,
        delivery=None if row.delivery is None else DeliveryId(row.delivery),
        line=None if row.line is None else LineId(row.line),
        resolved_by=row.resolved_by,
    )
