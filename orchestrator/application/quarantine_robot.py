"""A person, or whoever takes back its certificate, puts a robot into quarantine."""

from __future__ import annotations

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.holding import give_up_order, hold_by_person
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.robot_acts import Asked, begin, note
from orchestrator.application.trips import free_the_hatch, give_up_assignments
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.reason import Reason


def quarantine_robot(uow: UnitOfWork, fleet: FleetOnSite, asked: Asked, *, ids: Ids) -> RobotRecord:
    """Quarantine a robot: it gets no orders and is heard only now and then; one in quarantine stays as it is.

    What it was to fetch waits for another robot, as where a rule lays this hold.

    Raises
    ------
    UnknownRobotError, InvalidInputError
        There is no such robot, or the reason says nothing.
    """
    turn = begin(uow, fleet, asked, ids=ids, act="The quarantine")
    record = turn.record(asked.robot)
    if record.is_held_for(HoldKind.QUARANTINED):
        return record
    sentence = (
        f"Robot {asked.robot} was put into quarantine by {asked.by}: {asked.reason.strip()} It gets no orders and is "
        "heard only now and then, until it is resumed."
    )
    hold_by_person(turn, asked.robot, HoldKind.QUARANTINED, by=asked.by, sentence=sentence)
    reason = Reason(HoldKind.QUARANTINED.code, sentence)
    give_up_assignments(turn, asked.robot, reason)
    free_the_hatch(turn, asked.robot, reason)
    give_up_order(turn, asked.robot, reason)
    has_order = record.phase in (OrderPhase.WANTED, OrderPhase.ACKNOWLEDGED)
    outcome = "It is in quarantine; its order was cancelled." if has_order else "It is in quarantine; it had no order."
    return note(turn, asked, RobotAct.HELD, outcome=outcome)
