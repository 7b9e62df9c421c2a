"""Somebody looks into an incident; the last one closed closes the delivery too, where none of its lines is open."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.recorded_acts import open_lines
from orchestrator.domain.custody.errors import NotEligibleError
from orchestrator.domain.custody.incident import FollowUp, Incident, IncidentId
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.reason import Reason, require_said

ACT = "The follow-up"
FOLLOWED_UP = "incident_followed_up"

INCIDENT_CLOSED = Reason(
    "incident_closed", "Every line has ended where it was brought; what went wrong was looked into and closed."
)


def follow_up(uow: UnitOfWork, *, incident: IncidentId, sentence: str, closes: bool, at: datetime, by: str) -> Incident:
    """Keep what somebody found out about an incident; nobody who was there when it happened closes it.

    With the last open incident of a delivery that ended as one, and of which no line is open, the delivery is closed
    as ``received``: its lines were counted, or set apart, where it was brought.

    Raises
    ------
    UnknownIncidentError, InvalidInputError
        There is no such incident, or the sentence says nothing.
    NotEligibleError
        Whoever was there would close it.
    """
    require_said(sentence, act=ACT)
    known = uow.incidents.get(incident)
    if closes and by in known.caused_by:
        raise NotEligibleError(
            f"{ACT} was refused: {by} was there when incident {incident} happened; expected somebody else to close it. "
            "Write down what you know, and ask the accountable officer.",
            detail={"incident": incident},
        )
    followed = replace(known, follow_ups=(*known.follow_ups, FollowUp(PersonId(by), at, sentence, closes)))
    uow.incidents.save(followed)
    uow.events.append(at=at, kind=FOLLOWED_UP, subject=incident, data={"closes": closes})
    if closes:
        _close_delivery(uow, followed, at=at, by=by)
    return followed


def _close_delivery(uow: UnitOfWork, incident: Incident, *, at: datetime, by: str) -> None:
    if incident.delivery is None:
        return
    delivery = uow.deliveries.get(incident.delivery)
    others = [known for known in uow.incidents.of_delivery(delivery.id) if known.id != incident.id]
    is_over = not open_lines(delivery) and all(known.is_closed for known in others)
    if delivery.state is DeliveryState.INCIDENT and is_over:
        closed = moved(delivery, DeliveryState.RECEIVED, at=at, cause=by, reason=INCIDENT_CLOSED)
        keep_change(uow, closed, at=at)
