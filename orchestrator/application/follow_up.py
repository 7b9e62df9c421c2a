"""Somebody looks into an incident."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.custody.errors import NotEligibleError
from orchestrator.domain.custody.incident import FollowUp, Incident, IncidentId
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.reason import require_said

ACT = "The follow-up"
FOLLOWED_UP = "incident_followed_up"


def follow_up(uow: UnitOfWork, *, incident: IncidentId, sentence: str, closes: bool, at: datetime, by: str) -> Incident:
    """Keep what somebody found out about an incident; nobody who was there when it happened closes it.

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
    return followed
