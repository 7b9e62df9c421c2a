"""Nobody receives what stands before the ward: people are told, one after the other, and then it goes back.

A robot never leaves a delivery behind, and it does not wait for ever: others wait for their medicines too.
"""

from __future__ import annotations

from datetime import datetime

from orchestrator.application.refuse_delivery import NOBODY_ANSWERED
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.contacts import Function
from orchestrator.domain.custody.policy import CustodyPolicy
from orchestrator.domain.delivery.counting import is_being_counted
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.reason import Reason

CALLED = "receiver_called"

STAGES = (
    Reason("receiver_missing", "It stands at the ward and nobody has received it; the ward is called again."),
    Reason("nurse_in_charge_called", "Nobody has received it; the nurse in charge is called."),
    Reason("site_manager_called", "Nobody has received it; the site manager is called."),
)
"""Who is called, one after the other."""

AUDIENCE = dict(
    zip((s.code for s in STAGES), (Function.WARD, Function.NURSE_IN_CHARGE, Function.SITE_MANAGER), strict=True)
)
STAGE_CODES = frozenset(stage.code for stage in STAGES)
HOLD_CODES = frozenset(kind.code for kind in HoldKind)


def call_receivers(turn: Turn, policy: CustodyPolicy) -> None:
    """Call the next person for every delivery that waits too long for its receiver, or send it back."""
    for delivery in list(turn.deliveries.values()):
        if delivery.state is not DeliveryState.ARRIVED or _is_being_received(delivery):
            continue
        waited_s = (turn.at - _arrived_at(delivery)).total_seconds()
        if waited_s >= policy.return_after_s:
            turn.move(delivery, DeliveryState.RETURNING, cause="custody", reason=NOBODY_ANSWERED)
            continue
        stage = min(int(waited_s // policy.nobody_answers_s), len(STAGES))
        reason = STAGES[stage - 1] if stage > 0 else None
        if reason is not None and reason not in delivery.waiting:
            others = (other for other in delivery.waiting if other.code not in STAGE_CODES)
            turn.let_wait(delivery, (reason, *others))
            called: dict[str, object] = {"code": reason.code, "to_station": delivery.to_station}
            turn.tell(CALLED, delivery.id, called | {"audience": [AUDIENCE[reason.code].value]})


def _is_being_received(delivery: Delivery) -> bool:
    """Whether people are at it: they were asked to count or to read the seal once more, or took it out unsigned.

    That its robot is held, as when somebody pauses it there, keeps nobody from being called.
    """
    return is_being_counted(delivery) or any(reason.code not in STAGE_CODES | HOLD_CODES for reason in delivery.waiting)


def _arrived_at(delivery: Delivery) -> datetime:
    return next(change.at for change in reversed(delivery.history) if change.after is DeliveryState.ARRIVED)
