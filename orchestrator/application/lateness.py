"""What is told of arrivals: that an expected one has changed, and that something will be late while it can be helped.

A critical delivery that may come later than ``due_by`` less the time of a runner is called out for once: a runner where
the place has any, else the nurse in charge; and the nurse in charge too when that moment has come and it is still with
the robot. Of any other it is told once that it will be late. Nothing here takes a delivery from a robot: people do, by
`orchestrator.application.hand_to_runner`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orchestrator.application.calling import Call, call_people
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.spots import spot_of
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.contacts import Function
from orchestrator.domain.delivery.arrival import REASONS, LateStep
from orchestrator.domain.delivery.model import Delivery
from orchestrator.domain.dispatch.policy import DispatchPolicy

ETA_CHANGED = "eta_changed"
DELIVERY_LATE = "delivery_late"

AUDIENCE = {
    LateStep.RUNNER_NEEDED: (Function.PHARMACY, Function.WARD),
    LateStep.ESCALATED: (Function.NURSE_IN_CHARGE, Function.PHARMACY),
}
"""Who is called at each step."""


def tell_change(turn: Turn, delivery: Delivery, *, policy: DispatchPolicy) -> Delivery:
    """Tell people if the expected arrival of a critical delivery differs much from what they were told last."""
    arrival = delivery.arrival
    if not delivery.counts_as_critical or not _is_change(delivery, policy):
        return delivery
    is_first = arrival.told_at is None and not arrival.is_told_unknown
    told = replace(
        delivery, arrival=replace(arrival, told_at=arrival.expected_at, is_told_unknown=arrival.expected_at is None)
    )
    turn.note(told)
    if not is_first or arrival.expected_at is None:
        turn.tell(ETA_CHANGED, delivery.id, {**_where(delivery), **_when(delivery), "told_at": _text(arrival.told_at)})
    return told


def call_if_late(turn: Turn, fleet: FleetOnSite, delivery: Delivery, *, latest_at: datetime | None) -> Delivery:
    """Call people, or tell them, of a delivery that will be late, each once.

    Parameters
    ----------
    turn : Turn
        The transaction.
    fleet : FleetOnSite
        Its policy says whether there are runners and what they need, and how people are reached.
    delivery : Delivery
        One that a robot is still to bring.
    latest_at : datetime or None
        When it is there in 95 of 100 cases; None if nobody can bring it as things are.
    """
    step = _next_step(delivery, latest_at=latest_at, policy=fleet.policy.dispatch, at=turn.at)
    if step is None:
        return delivery
    late = replace(delivery, arrival=replace(delivery.arrival, late=step))
    data = {**_where(delivery), **_when(delivery), "due_by": _text(delivery.due_by)}
    if step is LateStep.TOLD:
        turn.note(late)
        turn.tell(DELIVERY_LATE, delivery.id, data)
        return late
    reason = REASONS[step]
    turn.let_wait(late, tuple(one for one in delivery.waiting if one not in REASONS.values()))
    turn.tell(reason.code, delivery.id, data)
    _call(turn, fleet, delivery, step)
    return turn.delivery(delivery.id)


def _call(turn: Turn, fleet: FleetOnSite, delivery: Delivery, step: LateStep) -> None:
    where: dict[str, object] = {}
    rides = ""
    if delivery.robot is not None and delivery.state.is_aboard:
        spot = spot_of(fleet, delivery.robot, turn.record(delivery.robot).report)
        where, rides = dict(spot.data), f" It is in drawer {delivery.drawer} of robot {delivery.robot}, {spot.words}."
    reason = REASONS[step]
    named = f"Delivery {delivery.id} from {delivery.from_station} to {delivery.to_station} is critical."
    call = Call(reason.code, f"{named} {reason.sentence}{rides}", AUDIENCE[step], where)
    call_people(turn.uow, call, subject=delivery.id, contacts=fleet.policy.custody.contacts, at=turn.at)


def _next_step(
    delivery: Delivery, *, latest_at: datetime | None, policy: DispatchPolicy, at: datetime
) -> LateStep | None:
    if delivery.due_by is None or delivery.arrival.late is LateStep.ESCALATED:
        return None
    if not delivery.counts_as_critical:
        expected_at = delivery.arrival.expected_at
        is_late = delivery.due_by < (at if expected_at is None else expected_at)
        return LateStep.TOLD if is_late and delivery.arrival.late is None else None
    last_moment = delivery.due_by - policy.runner_time
    if latest_at is not None and latest_at <= last_moment:
        return None
    if delivery.arrival.late is LateStep.RUNNER_NEEDED:
        return LateStep.ESCALATED if at >= last_moment else None
    return LateStep.RUNNER_NEEDED if policy.has_runners else LateStep.ESCALATED


def _is_change(delivery: Delivery, policy: DispatchPolicy) -> bool:
    arrival = delivery.arrival
    if arrival.expected_at is None:
        return not arrival.is_told_unknown
    if arrival.told_at is None:
        return True
    return abs(arrival.expected_at - arrival.told_at) > policy.eta_change


def _where(delivery: Delivery) -> dict[str, object]:
    return {"from_station": delivery.from_station, "to_station": delivery.to_station, "robot": delivery.robot}


def _when(delivery: Delivery) -> dict[str, object]:
    arrival = delivery.arrival
    return {
        "expected_at": _text(arrival.expected_at),
        "expected_latest_at": _text(arrival.expected_latest_at),
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
