"""People in the cabin of a robot's lift: who is told what, and whose the lift is then.

A robot never rides with people. While they are in the cabin none is let in, and one inside is taken nowhere: its lift
is asked to stand open where it is. One outside gives the lift back, so that people ride first. Whether a robot inside
waits or drives out again is the place's decision, see `orchestrator.domain.policies.SharingLifts`.

Two tell us: the cabin's own sensor, and a robot inside whose protective field something has entered.
"""

from __future__ import annotations

from orchestrator.application.fleet import FleetPolicy
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.policies import SharingLifts
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.device import LiftMode, LiftPicture
from orchestrator.domain.site.model import LiftId

LIFT_OCCUPIED = "lift_occupied"
LIFT_CROWDED = "lift_crowded"


def occupied_reason(lift: LiftId) -> Reason:
    """Return why no robot is let into a lift or taken anywhere by it while its sensor sees people."""
    return Reason(
        LIFT_OCCUPIED, f"People are in lift {lift}; the robot does not ride with them and goes on when they are out."
    )


def crowded_reason(lift: LiftId, robot: RobotId) -> Reason:
    """Return why a robot inside is taken nowhere while something is within its protective field."""
    return Reason(
        LIFT_CROWDED,
        f"Somebody or something is close to robot {robot} in lift {lift}; it rides when there is room around it.",
    )


def is_taken(policy: FleetPolicy, picture: LiftPicture) -> bool:
    """Whether a robot inside has to leave the cabin to others: it is not for robots now, or the place says so."""
    is_left_to_people = picture.is_occupied is True and policy.share_lift is SharingLifts.NEVER
    return picture.mode is not LiftMode.NORMAL or is_left_to_people
