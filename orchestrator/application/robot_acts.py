"""What the acts of people on robots share: a working set over their transaction, and how an act is noted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.robot_changes import known_robot
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.reason import require_said

ROBOT_ACT = "robot_act"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for an act on which robot, when, and why in their words."""

    robot: RobotId
    by: str
    reason: str
    at: datetime


def begin(uow: UnitOfWork, fleet: FleetOnSite, asked: Asked, *, ids: Ids, act: str) -> Turn:
    """Return a working set for an act on a robot of the fleet.

    Raises
    ------
    UnknownRobotError, InvalidInputError
        The fleet has no such robot, or the reason says nothing.
    """
    known_robot(uow, fleet, asked.robot)
    require_said(asked.reason, act=act)
    records = {robot: uow.robots.get(robot) for robot in fleet.robots}
    # No deadline is set in an act, so its moment on the monotonic clock does not matter.
    return Turn(uow, at=asked.at, at_s=0.0, ids=ids, records=records)


def note(turn: Turn, asked: Asked, act: RobotAct, *, outcome: str) -> RobotRecord:
    """Enter an act into the robot's history and the event stream, and return the robot's record after it."""
    turn.uow.history.add(asked.robot, at=asked.at, act=act, by=asked.by, reason=asked.reason.strip(), outcome=outcome)
    turn.tell(ROBOT_ACT, asked.robot, {"act": act.value, "by": asked.by, "outcome": outcome})
    return turn.record(asked.robot)
