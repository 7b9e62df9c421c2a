"""How a changed robot record is kept and told: saved, and one numbered event when people see a difference."""

from __future__ import annotations

from datetime import datetime

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.fleet.errors import UnknownRobotError
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord

ROBOT_CHANGED = "robot_changed"


def known_robot(uow: UnitOfWork, fleet: FleetOnSite, robot: RobotId) -> RobotRecord:
    """Return the record of a robot of the fleet.

    Raises
    ------
    UnknownRobotError
        The fleet has no such robot.
    """
    if robot not in fleet.robots:
        raise UnknownRobotError(
            "No robot of the fleet has this id; expected one of those that GET /api/v1/robots lists.",
            detail={"robot": robot},
        )
    return uow.robots.get(robot)


def keep_robot(uow: UnitOfWork, record: RobotRecord, *, before: RobotRecord, at: datetime) -> None:
    """Save a robot's record; tells the event stream when something people see has changed."""
    uow.robots.save(record)
    seen = seen_by_people(record)
    if seen != seen_by_people(before):
        uow.events.append(at=at, kind=ROBOT_CHANGED, subject=record.robot, data=seen)


def seen_by_people(record: RobotRecord) -> dict[str, object]:
    """Return what the event stream says of a robot; no delivery's content is in it."""
    return {
        "is_lost": record.lost_since is not None,
        "trip": record.trip,
        "target": record.target,
        "waiting": [reason.code for reason in record.waiting],
        "holds": [hold.kind.value for hold in record.holds],
    }
