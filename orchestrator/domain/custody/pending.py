"""Pending postings: what left one cupboard and has not yet been counted at the other end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.custody.model import PendingId, Stock
from orchestrator.domain.delivery.model import DeliveryId, LineId, ToteId
from orchestrator.domain.site.model import PlaceId

TO_PLACE = "to_place"
"""The fact in which an entry that opens a pending posting names where the units shall go."""


PENDING = "pending"
"""The fact in which a custody entry names the pending posting whose units shall go to another place from then on."""


class LedgerMode(StrEnum):
    """How much of a hospital's stock the ledger sees.

    A ``transit_record`` sees what robots carry, and is reconciled against the hospital's own registers: a cupboard's
    account tells what went in and out by robot and may be negative. A ``register_of_record`` sees everything, so a
    cupboard starts with an opening balance and is never below zero.
    """

    TRANSIT_RECORD = "transit_record"
    REGISTER_OF_RECORD = "register_of_record"

    @property
    def words(self) -> str:
        """The mode, as a sentence names it."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Pending:
    """A quantity of one stock in a tote on its way; resolved exactly once, by the entry of index ``resolved_by``."""

    id: PendingId
    stock: Stock
    quantity: int
    tote: ToteId
    from_place: PlaceId
    to_place: PlaceId
    opened_by: int
    opened_at: datetime
    delivery: DeliveryId | None = None
    line: LineId | None = None
    resolved_by: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody has resolved it yet."""
        return self.resolved_by is None
