"""What people ask the ledger: its head, and proofs that something is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.custody.checkpoint import Checkpoint
from orchestrator.domain.custody.merkle import consistency_proof, inclusion_proof
from orchestrator.domain.errors import InvalidInputError


class LedgerSizeError(InvalidInputError):
    """There is no such entry, or the ledger never had this size."""

    code = "ledger_size"


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The proof that an entry, by its leaf hash, is in the ledger of a size."""

    leaf: bytes
    size: int
    proof: tuple[bytes, ...]
    root: bytes


@dataclass(frozen=True, slots=True)
class Consistency:
    """The proof that the ledger of one size is the beginning of that of another."""

    old: int
    new: int
    old_root: bytes
    new_root: bytes
    proof: tuple[bytes, ...]


def present_head(uow: UnitOfWork) -> Checkpoint:
    """Return what a head of the ledger would say now."""
    return Checkpoint(uow.ledger.origin, uow.ledger.size, uow.ledger.frontier().root())


def oldest_unwitnessed(uow: UnitOfWork, witnessed: int) -> datetime | None:
    """Return when the first entry was recorded that no second keeper has; None when it has all."""
    return uow.ledger.entry(witnessed).recorded_at if witnessed < uow.ledger.size else None


def inclusion_of(uow: UnitOfWork, *, entry: int, size: int | None) -> Inclusion:
    """Return the proof that an entry is in the ledger of a size; raises `LedgerSizeError`."""
    wanted = _size(uow, size)
    if entry >= wanted:
        raise _no_size(uow)
    leaf = uow.ledger.nodes([(0, entry)])[0, entry]
    proof = inclusion_proof(entry, wanted, uow.ledger.nodes)
    return Inclusion(leaf, wanted, proof, uow.ledger.frontier(wanted).root())


def consistency_of(uow: UnitOfWork, *, old: int, new: int | None) -> Consistency:
    """Return the proof that the ledger only grew from one size to another; raises `LedgerSizeError`."""
    wanted = _size(uow, new)
    if old > wanted:
        raise _no_size(uow)
    old_root, new_root = (uow.ledger.frontier(size).root() for size in (old, wanted))
    return Consistency(old, wanted, old_root, new_root, consistency_proof(old, wanted, uow.ledger.nodes))


def _size(uow: UnitOfWork, size: int | None) -> int:
    if size is not None and size > uow.ledger.size:
        raise _no_size(uow)
    return uow.ledger.size if size is None else size


def _no_size(uow: UnitOfWork) -> LedgerSizeError:
    return LedgerSizeError(
        f"The proof was refused: the ledger has {uow.ledger.size} entries; expected an entry among them, and sizes up "
        "to that, the older first. GET /api/v1/ledger/head tells the size.",
        detail={"size": uow.ledger.size},
    )
