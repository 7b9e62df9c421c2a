"""The words of the ledger: accounts, stock, postings, entries.

Double entry: the postings of an entry sum to zero for every stock, so that units move and never appear or vanish.
Quantities are integers of the smallest unit (tablet, ampoule, millilitre or its fraction as the medicine says).
Datetimes are aware and UTC. Misuse of Drugs Regulations 2001, regulations 19 and 20, ask for what an entry keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NewType

from orchestrator.domain.delivery.model import DeliveryId, LineId, ToteId
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.site.model import PlaceId

PendingId = NewType("PendingId", str)
"""Id of a pending posting; the id of the delivery's line it is for."""


class AccountKind(StrEnum):
    """What an account stands for.

    ``cupboard`` (a place's safe custody), ``transit`` (a tote on its way), ``quarantine`` (set apart at a place,
    unopened or under dispute) and ``returned`` (came back to a place, not yet back in stock) hold units; ``supplier``
    and ``opening`` are where units come from, ``patient``, ``destroyed`` (wasted too) and ``broken`` where they go.
    ``over`` and ``short`` hold what is under investigation: units that were counted and nobody sent, and units that
    were sent and nobody counted. ``tolerated`` holds what counts of liquids differed by within the policy's tolerance:
    units that were missing, less those that were too many.
    """

    SUPPLIER = "supplier"
    OPENING = "opening"
    CUPBOARD = "cupboard"
    TRANSIT = "transit"
    QUARANTINE = "quarantine"
    RETURNED = "returned"
    PATIENT = "patient"
    DESTROYED = "destroyed"
    BROKEN = "broken"
    TOLERATED = "tolerated"
    OVER = "over"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class Account:
    """One account: its kind and whose it is, a place or a tote (``of``)."""

    kind: AccountKind
    of: str

    @classmethod
    def of_place(cls, kind: AccountKind, place: PlaceId) -> Account:
        """Return a place's account."""
        return cls(kind, place)

    @classmethod
    def transit(cls, tote: ToteId) -> Account:
        """Return the account of a tote on its way."""
        return cls(AccountKind.TRANSIT, tote)


@dataclass(frozen=True, slots=True)
class Stock:
    """What is counted: a medicine by its code, one batch of it, and whose own it is.

    ``medicine`` is the dm+d code as text, or what a line without a code is called. ``own_of`` is the reference of the
    patient whose own medicine it is; None for the hospital's stock. Patients' own are never merged with stock.
    """

    medicine: str
    batch: str
    own_of: str | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """A change of one account: units added (positive) or taken (negative)."""

    account: Account
    stock: Stock
    quantity: int


class EntryKind(StrEnum):
    """What happened."""

    OPENING_BALANCE = "opening_balance"
    SUPPLIER_RECEIPT = "supplier_receipt"
    SEALED = "sealed"
    RESEALED = "resealed"
    RECEIVED = "received"
    RECEIVED_DIFFERENT = "received_different"
    RETURNED = "returned"
    QUARANTINED = "quarantined"
    RESTOCKED = "restocked"
    SUPPLIED = "supplied"
    DESTROYED = "destroyed"
    BROKEN = "broken"
    STOCK_CHECK = "stock_check"
    DISCREPANCY_RESOLVED = "discrepancy_resolved"
    CORRECTION = "correction"
    CUSTODY = "custody"


class Signing(StrEnum):
    """In what part somebody signed an entry."""

    ACTOR = "actor"
    WITNESS = "witness"


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed an entry: a different, authenticated person each, with the role they acted in."""

    person: PersonId
    part: Signing
    role: str
    registration: str | None = None


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before the ledger has taken it.

    Parameters
    ----------
    kind : EntryKind
        What happened.
    occurred_at : datetime
        When it happened; the ledger adds when it was recorded.
    place : PlaceId
        The place in whose register it stands first.
    signatures : tuple of Signature
        Who signed; all different people.
    postings : tuple of Posting
        The units that move; they sum to zero for each stock. Empty where nothing moves (``custody``, ``stock_check``).
    opens : tuple of PendingId
        Pending postings that this entry opens.
    resolves : tuple of PendingId
        Pending postings that this entry resolves; each is open, and is resolved once.
    corrects : int or None
        Index of the entry that this one corrects.
    delivery : DeliveryId or None
        The delivery it belongs to.
    line : LineId or None
        The line it belongs to.
    reason : str
        A code and, for people, a sentence; required where something is corrected, differs or goes wrong.
    facts : mapping of str to str
        What else the register's headings ask for: medicine name, form, strength, schedule, class, supplier,
        requisition, patient reference, seal number, counted quantities, drawer, robot. Keys are lower case words.
    """

    kind: EntryKind
    occurred_at: datetime
    place: PlaceId
    signatures: tuple[Signature, ...]
    postings: tuple[Posting, ...] = ()
    opens: tuple[PendingId, ...] = ()
    resolves: tuple[PendingId, ...] = ()
    corrects: int | None = None
    delivery: DeliveryId | None = None
    line: LineId | None = None
    reason: str = ""
    facts: Mapping[str, str] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the ledger: the draft, its index from 0 without gaps, when it was recorded, and its hashes in hex."""

    index: int
    recorded_at: datetime
    draft: Draft
    previous_hash: str
    hash: str
