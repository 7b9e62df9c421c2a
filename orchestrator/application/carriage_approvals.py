"""The accountable officer's approvals that robots carry controlled drugs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orchestrator.application.errors import UnknownApprovalError
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.domain.custody.approval import ApprovalId, CarriageApproval
from orchestrator.domain.custody.errors import NotEligibleError
from orchestrator.domain.custody.people import Present
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.model import ModelId
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.model import Person, Role
from orchestrator.domain.reason import require_said
from orchestrator.domain.site.model import PlaceId

ACT = "The approval"
CHANGED = "carriage_approval_changed"

__all__ = ["UnknownApprovalError", "approve_carriage", "revoke_approval"]


def approve_carriage(
    uow: UnitOfWork,
    *,
    handling_class: HandlingClass,
    from_place: PlaceId,
    to_place: PlaceId,
    model: ModelId,
    reference: str,
    ends_at: datetime | None,
    at: datetime,
    present: Present,
    ids: Ids,
) -> CarriageApproval:
    """Keep an approval; it confers no legal authority.

    Raises
    ------
    NotEligibleError
        Who approves is not the accountable officer.
    InvalidInputError
        The reference says nothing, or it would have ended before it begins.
    """
    officer = _officer(present, at=at)
    require_said(reference, act=ACT)
    if ends_at is not None and ends_at <= at:
        raise InvalidInputError(
            f"{ACT} was refused: ends_at has passed; expected a moment in the future. Correct it, or leave it out.",
            detail={"field": "ends_at"},
        )
    approval = CarriageApproval(
        id=ApprovalId(ids.new("approval")),
        handling_class=handling_class,
        from_place=from_place,
        to_place=to_place,
        model=model,
        approved_by=officer.id,
        approved_at=at,
        reference=reference,
        ends_at=ends_at,
    )
    uow.approvals.add(approval)
    _tell(uow, approval, at=at)
    return approval


def revoke_approval(uow: UnitOfWork, *, approval: ApprovalId, at: datetime, present: Present) -> CarriageApproval:
    """End an approval at once; again changes nothing.

    Raises
    ------
    UnknownApprovalError, NotEligibleError
        There is no such approval, or who revokes it is not the accountable officer.
    """
    officer = _officer(present, at=at)
    standing = uow.approvals.get(approval)
    if standing.revoked_at is not None:
        return standing
    revoked = replace(standing, revoked_at=at, revoked_by=officer.id)
    uow.approvals.save(revoked)
    _tell(uow, revoked, at=at)
    return revoked


def _officer(present: Present, *, at: datetime) -> Person:
    for person in present.people[:1]:
        if person.has(Role.ACCOUNTABLE_OFFICER) and person.is_active(at):
            return person
    raise NotEligibleError(
        f"{ACT} was refused: {present.actor} is not the accountable officer; expected them, with badge and PIN. "
        "Ask them."
    )


def _tell(uow: UnitOfWork, approval: CarriageApproval, *, at: datetime) -> None:
    data = {
        "handling_class": approval.handling_class.value,
        "from_place": approval.from_place,
        "to_place": approval.to_place,
        "model": approval.model,
        "stands": approval.stands(at),
    }
    uow.events.append(at=at, kind=CHANGED, subject=approval.id, data=data)
