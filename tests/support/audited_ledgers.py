"""Whole ledgers for the auditor: a store with a key, many entries, its export and its heads."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from orchestrator.adapters.ledger_key import LedgerKey, is_signed, ledger_key
from orchestrator.adapters.store import open_store
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.application.ports import Store, UnitOfWork
from orchestrator.bootstrap_audit import LEDGER_FOLDER
from orchestrator.domain.custody.audit import Audit
from orchestrator.domain.custody.canonical import entry_bytes
from orchestrator.domain.custody.checkpoint import SignedHead
from orchestrator.domain.custody.comparison import require_kept_heads
from orchestrator.domain.custody.export import ExportTitle, audited, entry_line, head_line
from orchestrator.domain.custody.model import Stock
from orchestrator.domain.custody.movements import (
    custody_event,
    quantity_correction,
    received,
    received_different,
    returned,
    supplied,
    supplier_receipt,
)
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.settings import STORE_FILE
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON
from tests.support.ledgers import MORPHINE, ORIGIN, PHARMACY, WARD, occasion, sealing


@dataclass(frozen=True)
class Exported:
    """An export as lines, and the heads that were kept while it grew."""

    lines: list[bytes]
    heads: list[SignedHead]
    key: LedgerKey

    def verify(self, lines: Sequence[bytes] | None = None, heads: Sequence[SignedHead] | None = None) -> Audit:
        """Verify lines against heads as the command does; raises what it raises."""
        given = iter(self.lines if lines is None else lines)
        kept = self.heads if heads is None else heads
        title = ExportTitle.parse(next(given, b""))
        audit, _ = audited(title, given, is_signed=is_signed, sizes=[head.checkpoint.size for head in kept])
        require_kept_heads(audit, kept, key=title.key, is_signed=is_signed)
        return audit


def write_entries(store: Store, count: int, *, seed: int = 0, each: int = 1) -> None:
    """Write some entries of every kind, ``each`` in one transaction."""
    chance = random.Random(seed)
    written = 0
    while written < count:
        with store.transaction() as uow:
            for _ in range(min(each, count - written)):
                _write_one(uow, written, chance)
                written += 1


def _write_one(uow: UnitOfWork, number: int, chance: random.Random) -> None:
    at = NOON + timedelta(seconds=number)
    open_ones = uow.ledger.open_pendings()[:20]
    act = chance.random()
    here = occasion(PHARMACY, at=at, reason="As counted.", facts={"form": "tablet", "note": "Grün, “quoted”"})
    if act < 0.35 or not open_ones:
        uow.ledger.append(sealing(f"line-{number}", tote=f"tote-{number % 7}", quantity=1 + number % 20), at)
    elif act < 0.55:
        uow.ledger.append(received(chance.choice(open_ones), occasion(WARD, "nurse-1", "nurse-2", at=at)), at)
    elif act < 0.65:
        differs = occasion(WARD, "nurse-1", "nurse-2", at=at, reason="Counted twice.")
        pending = chance.choice(open_ones)
        uow.ledger.append(received_different(pending, counted=pending.quantity + 1, occasion=differs), at)
    elif act < 0.75:
        uow.ledger.append(returned(chance.choice(open_ones), here), at)
    elif act < 0.85:
        uow.ledger.append(supplier_receipt(Stock("other", f"B-{number % 3}"), 5, here), at)
    elif act < 0.95:
        uow.ledger.append(custody_event("drawer_opened", here), at)
    else:
        wrong = uow.ledger.append(supplied(MORPHINE, 3, here), at)
        uow.ledger.append(quantity_correction(wrong, right=2, occasion=here), at)


def an_export(folder: Path, *, count: int, seed: int = 0, origin: LedgerOrigin = ORIGIN, key: str = "key") -> Exported:
    """Return an export of a ledger of about ``count`` entries, with a head kept every few of them."""
    signer = ledger_key(folder / key, origin)
    store = MemoryStore(LedgerTerms(origin, signer=signer))
    write_entries(store, count, seed=seed, each=1 + seed % 5)
    return export_of(store, signer)


def export_of(store: MemoryStore, signer: LedgerKey) -> Exported:
    """Return the export of a store's ledger."""
    with store.reading() as uow:
        entries = uow.ledger.entries(limit=10_000)
        newest = uow.ledger.newest_head()
        heads = [SignedHead.parse(text) for text in uow.ledger.heads.values()]
    assert newest is not None
    lines = [ExportTitle(LedgerOrigin.parse(signer.key.name), signer.key).line]
    for entry in entries:
        body = entry_bytes(entry.draft, index=entry.index, recorded_at=entry.recorded_at, previous=entry.previous_hash)
        lines.append(entry_line(body, entry.hash))
    lines.append(head_line(SignedHead.parse(newest)))
    return Exported(lines, [*heads[::4], heads[-1]], signer)


def a_house(folder: Path, *, count: int, each: int = 1, origin: LedgerOrigin = ORIGIN) -> Path:
    """Write a data folder as a service leaves it, with some entries, and return it."""
    data = folder / "data"
    terms = LedgerTerms(origin, signer=ledger_key(data / LEDGER_FOLDER, origin))
    store = open_store(f"sqlite:///{data / STORE_FILE}", ledger=terms)
    write_entries(store, count, each=each)
    store.close()
    return data
