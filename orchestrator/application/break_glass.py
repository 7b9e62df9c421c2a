"""One person alone opens in an emergency: always an incident, at once, and a second person is called."""

from __future__ import annotations

from datetime import datetime

from orchestrator.application.calling import Call, call_people
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.recorded_acts import is_on_ledger, open_incident
from orchestrator.application.spots import spot_of
from orchestrator.domain.custody.contacts import Function
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.issued_grant import IssuedGrant
from orchestrator.domain.delivery.model import Delivery

CODE = "break_glass"


def break_glass(
    uow: UnitOfWork,
    fleet: FleetOnSite,
    delivery: Delivery,
    grant: IssuedGrant,
    *,
    reason: str,
    at: datetime,
    ids: Ids,
) -> None:
    """Open the incident of a grant that one person alone was given, and call others to where it opens.

    Parameters
    ----------
    delivery : Delivery
        What is opened.
    grant : IssuedGrant
        Who was given leave, and which drawer.
    reason : str
        Why, in their words; only few read it, because people name patients in an emergency.
    """
    sentence = (
        f"Drawer {grant.drawer} of robot {grant.robot} was granted to one person alone in an emergency; a second "
        "person was not there. Count what is left, with somebody else."
    )
    open_incident(
        uow,
        delivery,
        IncidentKind.BREAK_GLASS,
        sentence,
        at=at,
        ids=ids,
        place=grant.place,
        caused_by=grant.people,
        details=f"Reason given: {reason.strip()}",
    )
    is_controlled = any(is_on_ledger(line) for line in delivery.lines)
    spot = spot_of(fleet, grant.robot, uow.robots.get(grant.robot).report)
    audience = (Function.NURSE_IN_CHARGE, Function.SITE_MANAGER)
    call = Call(
        CODE,
        f"Somebody opens drawer {grant.drawer} of robot {grant.robot} alone, in an emergency, {spot.words}. Go there.",
        (*audience, *((Function.ACCOUNTABLE_OFFICER,) if is_controlled else ())),
        spot.data,
    )
    call_people(uow, call, subject=grant.robot, contacts=fleet.policy.custody.contacts, at=at)
