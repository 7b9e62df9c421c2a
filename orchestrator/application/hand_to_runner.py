"""A person carries a delivery on: out of a robot's drawer, or instead of a robot."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.delivery.lifecycle import ALLOWED, moved, require_state
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.reason import Reason, require_said

ACT = "The handing to a runner"
HANDED_TO_RUNNER = "handed_to_runner"

BEFORE_IT = tuple(state for state, after in ALLOWED.items() if DeliveryState.HANDED_TO_RUNNER in after)


def hand_to_runner(
    uow: UnitOfWork, *, delivery: DeliveryId, reason: str, is_emptied: bool, at: datetime, by: str
) -> Delivery:
    """Record that ``by`` carries a delivery from now on.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    delivery : DeliveryId
        Which delivery.
    reason : str
        Why, in the words of the person.
    is_emptied : bool
        Whether it was taken out of its drawer already. If not, the drawer stays taken until the robot reports that the
        load is gone, or somebody says so here by asking again.
    at : datetime
        Now; aware.
    by : str
        Id of the principal who carries it.

    Returns
    -------
    Delivery
        ``handed_to_runner``; as it was when it is so already, but for the drawer.

    Raises
    ------
    UnknownDeliveryError, WrongStateError, InvalidInputError
        There is no such delivery, it is closed, or the reason says nothing.
    """
    require_said(reason, act=ACT)
    before = uow.deliveries.get(delivery)
    if before.state is DeliveryState.HANDED_TO_RUNNER:
        after = before.out_of_drawer() if is_emptied else before
    else:
        require_state(before, *BEFORE_IT, act=ACT, next_step="Nothing is left to carry; look at its history.")
        # What was not sealed lies in no locked drawer: whoever carries it has it in hand.
        taken = before.out_of_drawer() if is_emptied or not before.is_in_drawer else before
        trip = before.trip if before.is_in_drawer else None
        said = Reason(HANDED_TO_RUNNER, reason.strip())
        after = moved(replace(taken, trip=trip), DeliveryState.HANDED_TO_RUNNER, at=at, cause=by, reason=said)
    if after != before:
        keep_change(uow, after, at=at)
    return after
