"""Staff no longer want a delivery: before sealing it is cancelled, afterwards it comes back unopened.

An order for a patient that was stopped ends what goes to that patient; what goes into a ward's stock is on no order and
goes on.
"""

from __future__ import annotations

from datetime import datetime

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.recorded_acts import record_event
from orchestrator.application.refuse_delivery import not_elsewhere
from orchestrator.domain.custody.people import Present
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.counting import require_count_finished
from orchestrator.domain.delivery.custody_record import SupplyKind
from orchestrator.domain.delivery.lifecycle import moved, require_state
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.reason import Reason, require_said

CANCELLED_BY_STAFF = "cancelled_by_staff"
ORDER_STOPPED = "order_stopped"

FOR_ONE_PATIENT = frozenset({SupplyKind.PATIENT, SupplyKind.DISCHARGE})
"""What is supplied on an order for one patient."""

BEFORE_SEALING = (
    DeliveryState.QUEUED,
    DeliveryState.VERIFIED,
    DeliveryState.ASSIGNED,
    DeliveryState.LOADING,
    DeliveryState.HELD,
)
UNSEALED_WITH_PEOPLE = (DeliveryState.HANDED_TO_RUNNER, DeliveryState.INCIDENT)
"""Where what nobody sealed may be as well: a person took it, or looks into it."""

SEALED = (DeliveryState.SEALED, DeliveryState.IN_TRANSIT, DeliveryState.ARRIVED)


def cancel_delivery(
    uow: UnitOfWork,
    *,
    delivery: DeliveryId,
    reason: str,
    at: datetime,
    by: str,
    premises: Premises,
    is_order_stopped: bool = False,
) -> Delivery:
    """Cancel a delivery, or send it back when it is sealed; of what is on the ledger an entry says so then.

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
    premises : Premises
        Stations and places.
    is_order_stopped : bool
        Whether that is because the order for the patient was stopped; a person says so until the EPR does.

    Returns
    -------
    Delivery
        ``cancelled``, or ``returning`` when its medicines are aboard; unchanged, and told, when the order was
        stopped and it goes into a ward's stock.

    Raises
    ------
    UnknownDeliveryError, WrongStateError
        There is no such delivery, or it is closed, on its way back, or in a person's hands under its seal.
    CountUnfinishedError
        It was opened, and is to be counted once more.
    InvalidInputError
        The reason is empty or too long.
    """
    wanted = uow.deliveries.get(delivery)
    require_said(reason, act="The cancellation")
    follows_patient = () if wanted.custody.reroute is None else (DeliveryState.RETURNING,)
    with_people = UNSEALED_WITH_PEOPLE if wanted.loading is None else ()
    require_state(
        wanted,
        *BEFORE_SEALING,
        *SEALED,
        *with_people,
        *follows_patient,
        act="The cancellation",
        next_step="Nothing is left to cancel; look at its history.",
    )
    require_count_finished(wanted, act="The cancellation")
    if is_order_stopped and wanted.custody.supply not in FOR_ONE_PATIENT:
        goes_on = {"state": wanted.state.value, "supply": wanted.custody.supply.value, "by": by}
        uow.events.append(at=at, kind=ORDER_STOPPED, subject=wanted.id, data=goes_on)
        return wanted
    why = Reason(ORDER_STOPPED if is_order_stopped else CANCELLED_BY_STAFF, reason)
    if wanted.state is DeliveryState.RETURNING:
        place = premises.place(wanted.from_station)
        cancelled = not_elsewhere(uow, wanted, why, at=at, present=Present(by), place=place)
    elif wanted.state in SEALED:
        place = premises.place(wanted.from_station)
        record_event(uow, wanted, why.code, at=at, place=place, present=Present(by), reason=reason, facts={"by": by})
        cancelled = moved(wanted, DeliveryState.RETURNING, at=at, cause=by, reason=why)
    else:
        cancelled = moved(wanted, DeliveryState.CANCELLED, at=at, cause=by, reason=why)
    keep_change(uow, cancelled, at=at)
    return cancelled
