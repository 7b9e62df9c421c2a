"""What custody adds to a delivery: for what it is supplied, who checked it, who answers for it, what was counted.

Everything here is said by people, each with who and when, and only ever added to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from orchestrator.domain.delivery.counts import FirstCount
from orchestrator.domain.delivery.ids import LineId, ToteId
from orchestrator.domain.fleet.model import ModelId
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.site.model import StationId


class SupplyKind(StrEnum):
    """For what a delivery is supplied."""

    PATIENT = "patient"
    WARD_STOCK = "ward_stock"
    DISCHARGE = "discharge"
    TRANSFER = "transfer"
    RETURN = "return"


class BasisKind(StrEnum):
    """What somebody is supplied on (Misuse of Drugs Regulations 2001, regulation 14, asks for it in writing)."""

    WARD_REQUISITION = "ward_requisition"
    PRESCRIPTION = "prescription"
    DISCHARGE_ORDER = "discharge_order"
    TOP_UP_LIST = "top_up_list"
    TRANSFER_FORM = "transfer_form"
    RETURN_NOTE = "return_note"


BASES_OF: dict[SupplyKind, frozenset[BasisKind]] = {
    SupplyKind.PATIENT: frozenset({BasisKind.PRESCRIPTION, BasisKind.WARD_REQUISITION}),
    SupplyKind.WARD_STOCK: frozenset({BasisKind.WARD_REQUISITION, BasisKind.TOP_UP_LIST}),
    SupplyKind.DISCHARGE: frozenset({BasisKind.DISCHARGE_ORDER}),
    SupplyKind.TRANSFER: frozenset({BasisKind.TRANSFER_FORM}),
    SupplyKind.RETURN: frozenset({BasisKind.RETURN_NOTE}),
}
"""The bases on which each kind of supply may be made."""


class Carrier(StrEnum):
    """Who carries it: a robot, or a messenger on foot."""

    ROBOT = "robot"
    MESSENGER = "messenger"


@dataclass(frozen=True, slots=True)
class Basis:
    """On what a delivery is supplied: the kind of paper or order, its number, and who signed it, if that is known."""

    kind: BasisKind
    reference: str
    requested_by: PersonId | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a person did: who, and when."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Dispensed:
    """One line as it was picked: batch, expiry, the count, and whether a scanner read it.

    ``unread_because`` is the reason why batch and expiry were entered by hand, ``expires_at`` the moment from which a
    pack whose code gives one may not be used any more; aware.
    """

    line: LineId
    quantity: int
    batch: str
    expiry: date | None
    gtin: str | None = None
    unread_because: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The ward's word that it takes the delivery, and the two people it names to receive it."""

    by: PersonId
    at: datetime
    named: tuple[PersonId, ...]


@dataclass(frozen=True, slots=True)
class Reroute:
    """Where a delivery shall go instead, since the patient is there now; it goes once that place has accepted it."""

    to_station: StationId
    by: str
    at: datetime


class LineEnd(StrEnum):
    """How a line ended."""

    RECEIVED = "received"
    RECEIVED_DIFFERENT = "received_different"
    QUARANTINED = "quarantined"
    RETURNED = "returned"
    RETURNED_DIFFERENT = "returned_different"


@dataclass(frozen=True, slots=True)
class SettledLine:
    """How one line ended, once: the counted quantity, and why where it is not as it was sent."""

    line: LineId
    end: LineEnd
    quantity: int
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CustodyRecord:
    """What custody knows of a delivery.

    Parameters
    ----------
    supply : SupplyKind
        For what it is supplied.
    basis : Basis or None
        On what; None where the policy lets ordinary medicines go without one.
    patient : str or None
        Reference of the patient, for whom alone it is; never logged.
    own_of_patient : bool
        Whether the medicines are the patient's own.
    carrier : Carrier
        Who carries it.
    return_to : StationId or None
        The staffed place it comes back to; where it came from while None.
    models : tuple of ModelId
        The robot models that the accountable officer's approval covers; any while empty.
    verified, checked : Act or None
        The pharmacist's verification, and the independent check by somebody else.
    dispensed : tuple of Dispensed
        What was picked, by whom in ``dispensed_by``.
    acceptance : Acceptance or None
        The ward's.
    reroute : Reroute or None
        Where it shall go instead, while that is open; the acceptance is then that place's.
    accountable : PersonId or None
        The accountable person of record from sealing until every line has ended. Not a claim about legal possession.
    loaders, receivers : tuple of PersonId
        Who loaded and who received, each authenticated.
    first_counts : tuple of FirstCount
        The first count at each place where a recount was asked for; both are kept.
    broken_seals, found_wrong : tuple of ToteId, tuple of LineId
        The totes whose seal people found broken, and the lines that hold something else; said once, it stands.
    settled : tuple of SettledLine
        The lines that have ended.
    opened_by_emergency : str or None
        Why it was opened by one person alone.
    out_of_fridge_at, in_fridge : datetime or None, Act or None
        Since when a fridge item is out of the fridge, and who put it back into one.
    excursion : str or None
        How the temperature left its limits; a silent logger counts as an excursion of unknown size.
    purged_by : int or None
        The entry of the ledger that says what of this was purged, and when; see `purged`.
    """

    supply: SupplyKind = SupplyKind.WARD_STOCK
    basis: Basis | None = None
    patient: str | None = None
    own_of_patient: bool = False
    carrier: Carrier = Carrier.ROBOT
    return_to: StationId | None = None
    models: tuple[ModelId, ...] = ()
    verified: Act | None = None
    dispensed: tuple[Dispensed, ...] = ()
    dispensed_by: Act | None = None
    checked: Act | None = None
    acceptance: Acceptance | None = None
    reroute: Reroute | None = None
    accountable: PersonId | None = None
    loaders: tuple[PersonId, ...] = ()
    receivers: tuple[PersonId, ...] = ()
    first_counts: tuple[FirstCount, ...] = ()
    broken_seals: tuple[ToteId, ...] = ()
    found_wrong: tuple[LineId, ...] = ()
    settled: tuple[SettledLine, ...] = ()
    opened_by_emergency: str | None = None
    out_of_fridge_at: datetime | None = None
    in_fridge: Act | None = None
    excursion: str | None = None
    purged_by: int | None = None

    def ended(self, line: LineId) -> SettledLine | None:
        """Return how a line ended, None while it has not."""
        return next((settled for settled in self.settled if settled.line == line), None)

    def purged(self, entry: int) -> CustodyRecord:
        """Return what stays once its years have passed: for what it was and who carried it, and how its lines ended."""
        return CustodyRecord(
            supply=self.supply,
            own_of_patient=self.own_of_patient,
            carrier=self.carrier,
            return_to=self.return_to,
            settled=tuple(replace(settled, reason=None) for settled in self.settled),
            purged_by=entry,
        )

    def picked(self, line: LineId) -> Dispensed | None:
        """Return what was picked for a line, None while nothing was."""
        return next((dispensed for dispensed in self.dispensed if dispensed.line == line), None)


NOTHING_SAID = CustodyRecord()
"""A delivery of which nobody has said anything yet."""
