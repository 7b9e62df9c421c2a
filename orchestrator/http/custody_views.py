"""What answers show of custody. No patient and no count is in them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from orchestrator.domain.custody.approval import NO_LEGAL_AUTHORITY, CarriageApproval
from orchestrator.domain.custody.incident import Incident, IncidentKind
from orchestrator.domain.delivery.custody_record import BasisKind, Carrier, CustodyRecord, LineEnd, SupplyKind
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.model import Principal, Role

READERS_OF_DETAILS = frozenset({Role.PHARMACIST, Role.ACCOUNTABLE_OFFICER})


class ActView(BaseModel):
    """Who did something, and when."""

    by: str
    at: datetime


class AcceptanceView(ActView):
    """The ward's acceptance, and whom it names."""

    named: list[str]


class RerouteView(ActView):
    """Where the delivery shall go instead, once that ward has accepted it; and who said so."""

    to_station: str


class LineEndView(BaseModel):
    """How a line ended."""

    line: str
    end: LineEnd
    at: datetime
    reason: str | None


class CustodyView(BaseModel):
    """What custody knows of a delivery; no patient and no count is in it.

    ``purged_by`` is the entry of the ledger that says when most of it was purged, its years having passed.
    """

    supply: SupplyKind
    basis: BasisKind | None
    carrier: Carrier
    returns_to: str
    verified: ActView | None
    dispensed: ActView | None
    checked: ActView | None
    acceptance: AcceptanceView | None
    reroute: RerouteView | None
    accountable: str | None
    loaded_by: list[str]
    received_by: list[str]
    lines: list[LineEndView]
    in_fridge: ActView | None
    has_excursion: bool
    purged_by: int | None


def custody_view(custody: CustodyRecord, *, returns_to: str) -> CustodyView:
    """Return what an answer shows of custody."""

    def acted(act: object) -> ActView | None:
        return None if act is None else ActView.model_validate(act, from_attributes=True)

    acceptance = custody.acceptance
    return CustodyView(
        supply=custody.supply,
        basis=None if custody.basis is None else custody.basis.kind,
        carrier=custody.carrier,
        returns_to=returns_to,
        verified=acted(custody.verified),
        dispensed=acted(custody.dispensed_by),
        checked=acted(custody.checked),
        acceptance=None
        if acceptance is None
        else AcceptanceView(by=acceptance.by, at=acceptance.at, named=list(acceptance.named)),
        reroute=None if custody.reroute is None else RerouteView.model_validate(custody.reroute, from_attributes=True),
        accountable=custody.accountable,
        loaded_by=list(custody.loaders),
        received_by=list(custody.receivers),
        lines=[LineEndView(line=one.line, end=one.end, at=one.at, reason=one.reason) for one in custody.settled],
        in_fridge=acted(custody.in_fridge),
        has_excursion=custody.excursion is not None,
        purged_by=custody.purged_by,
    )


class ApprovalView(BaseModel):
    """An approval on record. It confers no legal authority, and says so."""

    id: str
    handling_class: HandlingClass
    from_place: str
    to_place: str
    model: str
    approved_by: str
    approved_at: datetime
    reference: str
    ends_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    notice: str = NO_LEGAL_AUTHORITY


def approval_view(approval: CarriageApproval) -> ApprovalView:
    """Return what an answer shows of an approval."""
    return ApprovalView.model_validate(approval, from_attributes=True)


class ApprovalsView(BaseModel):
    """Every approval on record, oldest first."""

    approvals: list[ApprovalView]


class FollowUpView(BaseModel):
    """What somebody found out about an incident."""

    by: str
    at: datetime
    sentence: str
    closes: bool


class IncidentView(BaseModel):
    """One incident. ``details`` are shown to pharmacists and the accountable officer, to everybody else as null."""

    id: str
    kind: IncidentKind
    at: datetime
    place: str
    is_controlled: bool
    schedule: str | None
    sentence: str
    details: str | None
    delivery: str | None
    is_closed: bool
    follow_ups: list[FollowUpView]


def incident_view(incident: Incident, *, to: Principal) -> IncidentView:
    """Return what an answer shows somebody of an incident."""
    view = IncidentView.model_validate(incident, from_attributes=True)
    return view if to.roles & READERS_OF_DETAILS else view.model_copy(update={"details": None})


class IncidentsView(BaseModel):
    """Incidents, newest first."""

    incidents: list[IncidentView]
