"""Staff no longer want a delivery: before sealing it is cancelled, afterwards it comes back unopened."""

from __future__ import annotations

from datetime import datetime

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.delivery.lifecycle import moved, require_state
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.reason import Reason

CANCELLED_BY_STAFF = "cancelled_by_staff"
REASON_LENGTH_MAX = 500

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
    if not reason.strip() or len(reason) > REASON_LENGTH_MAX or not reason.isprintable():
        raise InvalidInputError(
            f"The cancellation was refused: the reason is empty, too long or not printable; expected 1 to "
            f"{REASON_LENGTH_MAX} printable characters. Say in a few words why.",
            detail={"field": "reason", "length_max": REASON_LENGTH_MAX},
        )
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
