"""Decisions as they are made and kept: what a delivery is to the policy, and the log of who was let do what."""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import REFUSED_TO_PEOPLE, Decision, NotAllowedError, Subject, Why
from orchestrator.domain.delivery.model import Delivery
from orchestrator.domain.people.model import Person, Principal, PrincipalKind
from orchestrator.domain.people.proofs import SessionEnd
from orchestrator.domain.site.model import Site, StationId

ACCESS_LOCKED = "access_locked"
REFUSALS_MAX = 3
REFUSALS_WITHIN = timedelta(minutes=15)


def subject_of_delivery(delivery: Delivery, site: Site) -> Subject:
    """Return what the policy asks about a delivery."""
    return subject_of_stations(site, delivery.from_station, delivery.bound_for, delivery=delivery)


def subject_of_stations(
    site: Site, source: StationId, target: StationId, *, delivery: Delivery | None = None
) -> Subject:
    """Return what the policy asks about a delivery from and to some stations; an unknown one is of no place."""
    start, end = site.stations.get(source), site.stations.get(target)
    back = None if delivery is None else site.stations.get(delivery.returns_to)
    return Subject(
        delivery.id if delivery else "",
        source=start.place if start else None,
        target=end.place if end else None,
        back=back.place if back else None,
        state=delivery.state if delivery else None,
    )


def subject_of_person(person: Person) -> Subject:
    """Return what the policy asks about a member of staff."""
    return Subject(person.id, places=person.places, person=person.id)


def keep_decision(
    uow: UnitOfWork,
    *,
    at: datetime,
    act: Act,
    why: Why,
    principal: Principal | None,
    device: str | None,
    subject: str,
) -> Decision:
    """Keep a decision, and lock the device on which too much was refused (case 44).

    After three acts refused to people at a device, since somebody last signed in there and within a quarter of an
    hour, its sessions end and an event says so.
    """
    decision = Decision(
        at,
        act,
        why is Why.ALLOWED,
        why,
        principal.id if principal else "",
        principal.kind if principal else None,
        device,
        subject,
    )
    uow.decisions.add(decision)
    if device is not None and why in REFUSED_TO_PEOPLE:
        _lock_if_too_many(uow, device, at=at)
    return decision


def keep_refusal(
    uow: UnitOfWork, refused: NotAllowedError, *, at: datetime, principal: Principal, subject: str
) -> None:
    """Keep that the policy refused something, to whom: who asked, or a person whose step-up was presented."""
    is_other = refused.who != principal.id
    who = Principal(refused.who, PrincipalKind.PERSON, frozenset()) if is_other else principal
    keep_decision(uow, at=at, act=refused.act, why=refused.why, principal=who, device=principal.device, subject=subject)


def _lock_if_too_many(uow: UnitOfWork, device: str, *, at: datetime) -> None:
    since = max(filter(None, (at - REFUSALS_WITHIN, uow.proofs.newest_start(device))))
    if uow.decisions.refused_at(device, since=since) < REFUSALS_MAX:
        return
    for session in uow.proofs.sessions(device=device):
        uow.proofs.save_session(session.ended(at, SessionEnd.DEVICE_LOCKED))
    uow.events.append(
        at=at, kind=ACCESS_LOCKED, subject=device, data={"what": "device", "why": f"{REFUSALS_MAX} acts refused"}
    )
