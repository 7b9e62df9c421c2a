"""The custody ledger in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.domain.custody.balances import Balance, in_order
from orchestrator.domain.custody.canonical import entry_bytes, entry_hash
from orchestrator.domain.custody.checkpoint import Checkpoint, signed_head
from orchestrator.domain.custody.ledger_errors import UnknownEntryError, UnknownPendingError
from orchestrator.domain.custody.merkle import Frontier, NodeId, frontier_of
from orchestrator.domain.custody.model import Account, Draft, Entry, PendingId, Stock
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.domain.custody.pending import LedgerMode, Pending
from orchestrator.domain.custody.rules import changes_of, stock_named
from orchestrator.domain.delivery.model import DeliveryId
from orchestrator.domain.site.model import PlaceId
from simulation.journal import Journal


@dataclass(slots=True)
class MemoryLedger:
    """Entries by index, and what they come to."""

    journal: Journal
    terms: LedgerTerms = field(default_factory=LedgerTerms.unbound)
    kept: dict[int, Entry] = field(default_factory=dict[int, Entry])
    above: dict[NodeId, bytes] = field(default_factory=dict[NodeId, bytes])
    held: dict[tuple[Account, Stock], int] = field(default_factory=dict[tuple[Account, Stock], int])
    pendings: dict[PendingId, Pending] = field(default_factory=dict[PendingId, Pending])
    heads: dict[int, str] = field(default_factory=dict[int, str])
    openings: dict[tuple[PlaceId, Stock], int] = field(default_factory=dict[tuple[PlaceId, Stock], int])

    @property
    def origin(self) -> LedgerOrigin:
        """Whose ledger it is."""
        return self.terms.origin

    @property
    def mode(self) -> LedgerMode:
        """How much of the stock the ledger sees."""
        return self.terms.mode

    @property
    def size(self) -> int:
        """The number of entries."""
        return len(self.kept)

    def append(self, draft: Draft, at: datetime) -> Entry:
        """Keep an entry, if the rules allow it, and return it with its index and hashes."""
        self.terms.gate.require_open()
        changes = changes_of(draft, self, at=at)
        index = self.size
        previous = self.kept[index - 1].hash if index else self.terms.origin.first_hash
        body = entry_bytes(draft, index=index, recorded_at=at, previous=previous)
        entry = Entry(index, at, draft, previous_hash=previous, hash=entry_hash(body))
        _, completed = self.frontier().append(bytes.fromhex(entry.hash))
        self.journal.put(self.kept, index, entry)
        for node, hash_ in completed:
            self.journal.put(self.above, node, hash_)
        for key, units in changes.balances.items():
            self.journal.put(self.held, key, self.held.get(key, 0) + units)
        for pending in changes.opened:
            self.journal.put(self.pendings, pending.id, pending)
        for pending in changes.resolved:
            self.journal.put(self.pendings, pending.id, replace(pending, resolved_by=index))
        for pending in changes.redirected:
            self.journal.put(self.pendings, pending.id, pending)
        if changes.opens_register_of is not None:
            self.journal.put(self.openings, (draft.place, changes.opens_register_of), index)
        return entry

    def entry(self, index: int) -> Entry:
        """Return an entry; raises `UnknownEntryError`."""
        if index not in self.kept:
            raise UnknownEntryError(
                f"The ledger has no entry {index}; expected an index from 0 to one below its size. GET "
                "/api/v1/ledger/entries lists them.",
                detail={"index": index},
            )
        return self.kept[index]

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
        found: list[Entry] = []
        for index in range(0 if after is None else max(after + 1, 0), self.size):
            if len(found) == limit:
                break
            entry = self.kept[index]
            stock = stock_named(entry.draft)
            if (
                (delivery is None or entry.draft.delivery == delivery)
                and (place is None or entry.draft.place == place)
                and (medicine is None or (stock is not None and stock.medicine == medicine))
            ):
                found.append(entry)
        return found

    def balance(self, account: Account, stock: Stock) -> int:
        """Return the units of a stock in an account; 0 where it never had any."""
        return self.held.get((account, stock), 0)

    def balances(
        self, *, of: str | None = None, medicine: str | None = None, batch: str | None = None
    ) -> Sequence[Balance]:
        """Return what accounts hold, without those that hold nothing, in a fixed order."""
        return in_order(
            Balance(account, stock, units)
            for (account, stock), units in self.held.items()
            if units
            and (of is None or account.of == of)
            and (medicine is None or stock.medicine == medicine)
            and (batch is None or stock.batch == batch)
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
        return self.pendings.get(pending)

    def open_pendings(self) -> Sequence[Pending]:
        """Return the pending postings that nobody has resolved, in the order in which they were opened."""
        found = (pending for pending in self.pendings.values() if pending.is_open)
        return sorted(found, key=lambda pending: (pending.opened_by, pending.id))

    def is_opened(self, place: PlaceId, medicine: str) -> bool:
        """Whether a place has an opening balance of a medicine of the hospital's, of any batch."""
        return any(
            where == place and stock.medicine == medicine and stock.own_of is None for where, stock in self.openings
        )

    def is_stock_opened(self, place: PlaceId, stock: Stock) -> bool:
        """Whether a place has an opening balance of this very stock."""
        return (place, stock) in self.openings

    def frontier(self, size: int | None = None) -> Frontier:
        """Return the right edge of the tree over the first ``size`` entries; over all without it."""
        return frontier_of(self.size if size is None else size, self.nodes)

    def nodes(self, nodes: Sequence[NodeId]) -> Mapping[NodeId, bytes]:
        """Return the hashes of complete nodes of the tree; raises KeyError for one that it has not."""
        return {
            (level, position): self.above[level, position] if level else bytes.fromhex(self.kept[position].hash)
            for level, position in nodes
        }

    def newest_head(self) -> str | None:
        """Return the newest signed head; None while there is none."""
        return self.heads[max(self.heads)] if self.heads else None

    def sign_head(self) -> None:
        """Keep a signed head over what the open transaction has added; nothing was added, nothing is signed."""
        signer = self.terms.signer
        if signer is None or not self.size or self.size in self.heads:
            return
        checkpoint = Checkpoint(self.terms.origin, self.size, self.frontier().root())
        self.journal.put(self.heads, self.size, signed_head(checkpoint, signer.key, signer.sign).text)
