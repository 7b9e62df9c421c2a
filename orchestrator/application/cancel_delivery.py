"""Staff no longer want a delivery: before sealing it is cancelled, afterwards it comes back unopened."""

from __future__ import annotations

from datetime import datetime

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.delivery.lifecycle import moved, require_state
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.reason import Reason, require_said

CANCELLED_BY_STAFF = "cancelled_by_staff"

BEFORE_SEALING = (
    DeliveryState.QUEUED,
    DeliveryState.VERIFIED,
    DeliveryState.ASSIGNED,
    DeliveryState.LOADING,
    DeliveryState.HELD,
)
SEALED = (DeliveryState.SEALED, DeliveryState.IN_TRANSIT, DeliveryState.ARRIVED)


def cancel_delivery(uow: UnitOfWork, *, delivery: DeliveryId, reason: str, at: datetime, by: str) -> Delivery:
    """Cancel a delivery, or send it back when it is sealed.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    delivery : DeliveryId
        Which delivery.
    reason : str
        Why, in the words of the person: 1 to 500 printable characters.
    at : datetime
        Now; aware.
    by : str
        Id of the principal who cancels.

    Returns
    -------
    Delivery
        ``cancelled``, or ``returning`` when its medicines are aboard.

    Raises
    ------
    UnknownDeliveryError, WrongStateError
        There is no such delivery, or it is closed, on its way back, or in a person's hands.
    InvalidInputError
        The reason is empty or too long.
    """
    wanted = uow.deliveries.get(delivery)
    require_said(reason, act="The cancellation")
    require_state(
        wanted,
        *BEFORE_SEALING,
        *SEALED,
        act="The cancellation",
        next_step="Nothing is left to cancel; look at its history.",
    )
    after = DeliveryState.RETURNING if wanted.state in SEALED else DeliveryState.CANCELLED
    cancelled = moved(wanted, after, at=at, cause=by, reason=Reason(CANCELLED_BY_STAFF, reason))
    keep_change(uow, cancelled, at=at)
    return cancelled
