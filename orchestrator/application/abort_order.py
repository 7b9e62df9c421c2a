"""A person aborts what a robot is doing: its order is cancelled now, and it stands until it is resumed."""

from __future__ import annotations

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.holding import cancel_order, give_up_order, hold_by_person
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.readiness import has_other_order
from orchestrator.application.robot_acts import Asked, begin, note
from orchestrator.application.trips import free_the_hatch, give_up_assignments
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.reason import Reason


def abort_order(uow: UnitOfWork, fleet: FleetOnSite, asked: Asked, *, ids: Ids) -> RobotRecord:
    """Cancel a robot's order at once and keep it standing; what it was to fetch waits for another.

    What is aboard stays on its account. What it does that it was not asked for here is cancelled as well. A robot that
    stands already without an order, paused, stays as it is.

    Raises
    ------
    UnknownRobotError, InvalidInputError
        There is no such robot, or the reason says nothing.
    """
    turn = begin(uow, fleet, asked, ids=ids, act="The abort")
    record = turn.record(asked.robot)
    has_order = record.phase in (OrderPhase.WANTED, OrderPhase.ACKNOWLEDGED)
    has_other = has_other_order(turn, asked.robot)
    if record.is_held_for(HoldKind.PAUSED) and not (has_order or has_other):
        return record
    sentence = f"What robot {asked.robot} did was aborted by {asked.by}; it goes on when it is resumed."
    reason = Reason(HoldKind.PAUSED.code, sentence)
    hold_by_person(turn, asked.robot, HoldKind.PAUSED, by=asked.by, sentence=sentence)
    give_up_assignments(turn, asked.robot, reason)
    free_the_hatch(turn, asked.robot, reason)
    give_up_order(turn, asked.robot, reason)
    if has_other:
        cancel_order(turn, asked.robot, reason)
    is_told = has_order or has_other
    outcome = "Its order was cancelled; it stands until it is resumed." if is_told else "It stands until resumed."
    return note(turn, asked, RobotAct.ABORT, outcome=outcome)
