"""Why a robot waits at a door or a lift, by what the device says of itself, and what people can do about it."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.application.shared_lifts import occupied_reason
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.device import DoorPicture, LiftMode, LiftPicture
from orchestrator.domain.site.model import DoorId, LevelId, LiftId

_OUT_OF_USE: Mapping[LiftMode, tuple[str, str]] = {
    LiftMode.OUT_OF_SERVICE: ("lift_out_of_service", "Lift {lift} is out of service; call its engineer."),
    LiftMode.FIRE: ("lift_fire", "Lift {lift} is in fire mode; no robot rides until it is back in service."),
    LiftMode.STUCK: ("lift_stuck", "Lift {lift} is stuck; call its engineer, and look who or what is inside."),
    LiftMode.PEOPLE: ("lift_people", "Lift {lift} is used by people; the robot takes it when they are out."),
}


def door_reason(door: DoorId, picture: DoorPicture) -> Reason:
    """Return why nobody drives through a door that is not open for it."""
    if not picture.position.is_told:
        return Reason("door_offline", f"Door {door} does not answer; see to its controller, or close the lane.")
    if picture.is_obstructed:
        return Reason("door_obstructed", f"Something is in the way of door {door}; clear it.")
    return Reason("door_closed", f"Waits for door {door} to open.")


def lift_reason(lift: LiftId, level: LevelId, robot: RobotId, picture: LiftPicture) -> Reason:
    """Return why a robot does not drive into a lift, ride it, or leave it."""
    if not picture.doors.is_told:
        return Reason("lift_offline", f"Lift {lift} does not answer; see to its controller, or close its lanes.")
    if picture.mode in _OUT_OF_USE:
        code, sentence = _OUT_OF_USE[picture.mode]
        return Reason(code, sentence.format(lift=lift))
    if picture.is_occupied:
        return occupied_reason(lift)
    if picture.session is not None and picture.session.holder != robot:
        return Reason("lift_busy", f"Waits for lift {lift}, which {picture.session.holder} has.")
    return Reason("lift_not_here", f"Waits for lift {lift} to open on level {level}.")
