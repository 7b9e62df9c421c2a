"""A person withdraws a robot from its trip, politely: what is released is finished, what is planned is given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.holding import hold_by_person
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.robot_acts import Asked, begin, note
from orchestrator.application.trips import free_the_hatch, give_up_assignments
from orchestrator.application.turn import Turn
from orchestrator.domain.delivery.counting import require_count_finished
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.dispatch.withdrawn import ROBOT_WITHDRAWN
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.hold import Hold, HoldKind
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.reason import Reason


class Aboard(StrEnum):
    """What becomes of the medicines that are in the robot's drawers."""

    RETURN = "return"
    RUNNER = "runner"


def withdraw_robot(uow: UnitOfWork, fleet: FleetOnSite, asked: Asked, *, ids: Ids, aboard: Aboard) -> RobotRecord:
    """Withdraw a robot; one that is on no trip and sent nowhere, or withdrawn already, stays as it is.

    What it was to fetch waits for another robot, and for this one only after a rest or when no other can fetch it (see
    `orchestrator.domain.dispatch.withdrawn`). What is aboard goes back to where it was loaded, or a person takes it
    out where the robot comes to stand: for that it is held, and custody passes when that person says so (see
    `orchestrator.application.hand_to_runner`).

    Raises
    ------
    UnknownRobotError, InvalidInputError
        There is no such robot, or the reason says nothing.
    CountUnfinishedError
        It is to bring back what was opened at the ward and is being counted.
    """
    turn = begin(uow, fleet, asked, ids=ids, act="The withdrawal")
    record = turn.record(asked.robot)
    if record.trip is None and record.sent_to is None:
        return record
    carried = [d for d in turn.deliveries.values() if d.robot == asked.robot and d.state.is_aboard]
    if aboard is Aboard.RETURN:
        for delivery in carried:
            require_count_finished(delivery, act="The withdrawal")
    if _is_withdrawn(turn, asked, carried, aboard):
        return record
    sentence = f"Robot {asked.robot} was withdrawn from its trip by {asked.by}."
    reason = Reason(ROBOT_WITHDRAWN, sentence)
    # The robot as the cause, as where it leaves a station: dispatch reads there who is to keep off the delivery.
    give_up_assignments(turn, asked.robot, reason, cause=asked.robot)
    free_the_hatch(turn, asked.robot, reason)
    _give_up_route(turn, asked, keeps_trip=bool(carried))
    if aboard is Aboard.RETURN:
        _send_back(turn, asked, carried, reason)
    elif carried:
        _wait_for_runner(turn, asked)
    return note(turn, asked, RobotAct.WITHDRAW, outcome=_outcome(carried, aboard))


def _is_withdrawn(turn: Turn, asked: Asked, carried: Sequence[Delivery], aboard: Aboard) -> bool:
    """Whether nothing is left to give up, and what it carries goes where it is to go already."""
    record = turn.record(asked.robot)
    mine = [delivery for delivery in turn.deliveries.values() if delivery.robot == asked.robot]
    if record.sent_to is not None or any(delivery.state in _TO_GIVE_UP for delivery in mine):
        return False
    if not carried or aboard is Aboard.RETURN:
        return all(delivery.state is DeliveryState.RETURNING for delivery in carried)
    # Its route tells nothing: that is planned again while it waits, as of every robot that has a trip.
    return any(_is_for_runner(hold, asked.robot) for hold in record.holds)


_TO_GIVE_UP = frozenset({DeliveryState.ASSIGNED, DeliveryState.LOADING})


def _give_up_route(turn: Turn, asked: Asked, *, keeps_trip: bool) -> None:
    record = turn.record(asked.robot)
    target = record.target if keeps_trip else None
    turn.put(replace(record, route=(), sent_to=None, target=target))


def _send_back(turn: Turn, asked: Asked, carried: Sequence[Delivery], reason: Reason) -> None:
    for delivery in carried:
        if delivery.state is not DeliveryState.RETURNING:
            turn.move(delivery, DeliveryState.RETURNING, cause=asked.by, reason=reason)


def _wait_for_runner(turn: Turn, asked: Asked) -> None:
    """Hold it for the runner, also one that somebody has paused: from now on that is what it waits for."""
    turn.put(turn.record(asked.robot).released_from(HoldKind.PAUSED))
    sentence = _waits_for_runner(asked.robot, asked.by)
    hold_by_person(turn, asked.robot, HoldKind.PAUSED, by=asked.by, sentence=sentence)


def _waits_for_runner(robot: RobotId, by: str) -> str:
    return (
        f"Robot {robot} was withdrawn by {by} and waits for a runner: take out what it carries, say so here, then "
        "resume it."
    )


def _is_for_runner(hold: Hold, robot: RobotId) -> bool:
    return hold.kind is HoldKind.PAUSED and hold.reason == _waits_for_runner(robot, hold.by)


def _outcome(carried: Sequence[Delivery], aboard: Aboard) -> str:
    if not carried:
        return "It carried nothing; it goes to its resting place, unless there is other work for it."
    if aboard is Aboard.RETURN:
        return f"It brings {len(carried)} back."
    return f"It waits for a runner to take out {len(carried)}, where its released way ends."
