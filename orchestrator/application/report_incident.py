"""A person reports that something is wrong with a delivery; no robot carries it any further."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.delivery.lifecycle import ALLOWED, moved, require_state
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.reason import Reason, require_said

ACT = "The incident"

BEFORE_IT = tuple(state for state, after in ALLOWED.items() if DeliveryState.INCIDENT in after)


class IncidentCode(StrEnum):
    """What is wrong."""

    LOST = "lost"
    DAMAGED = "damaged"
    SEAL_BROKEN = "seal_broken"
    DRAWER_FORCED = "drawer_forced"
    WRONG_CONTENTS = "wrong_contents"
    ROBOT_FAILED = "robot_failed"
    OTHER = "other"


def report_incident(
    uow: UnitOfWork, *, delivery: DeliveryId, code: IncidentCode, sentence: str, is_emptied: bool, at: datetime, by: str
) -> Delivery:
    """Record an incident: the delivery ends for robots, and people look into it.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    delivery : DeliveryId
        Which delivery.
    code : IncidentCode
        What is wrong.
    sentence : str
        What happened, in the words of the person.
    is_emptied : bool
        Whether its drawer is empty. If not, the drawer stays locked and taken.
    at : datetime
        Now; aware.
    by : str
        Id of the principal who reports it.

    Returns
    -------
    Delivery
        ``incident``; as it was when it is one already, but for the drawer.

    Raises
    ------
    UnknownDeliveryError, WrongStateError, InvalidInputError
        There is no such delivery, it is closed, or the sentence says nothing.
    """
    require_said(sentence, act=ACT)
    before = uow.deliveries.get(delivery)
    taken = before.out_of_drawer() if is_emptied or not before.is_in_drawer else before
    if before.state is DeliveryState.INCIDENT:
        after = taken
    else:
        require_state(before, *BEFORE_IT, act=ACT, next_step="It is closed; tell the pharmacy.")
        said = Reason(f"incident_{code.value}", sentence.strip())
        after = moved(taken, DeliveryState.INCIDENT, at=at, cause=by, reason=said)
    if after != before:
        keep_change(uow, after, at=at)
    return after
