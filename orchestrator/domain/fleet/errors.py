"""What is refused about robots, each with its own code."""

from __future__ import annotations

from orchestrator.domain.errors import ConflictError, NotFoundError


class UnknownRobotError(NotFoundError):
    """The fleet has no robot of this id."""

    code = "robot_unknown"


class RobotStillStoppedError(ConflictError):
    """What stopped the robot is still so."""

    code = "robot_still_stopped"


class RobotOffGraphError(ConflictError):
    """The robot stands on no waypoint that it could go on from."""

    code = "robot_off_graph"


class RobotSilentError(ConflictError):
    """The robot has to be heard for this, and is silent."""

    code = "robot_silent"


class ClockNotRefusedError(ConflictError):
    """The robot's clock keeps it from nothing, so there is nothing to let count."""

    code = "clock_not_refused"


class RobotOnTripError(ConflictError):
    """The robot carries or fetches something."""

    code = "robot_on_trip"


class RobotHeldError(ConflictError):
    """The robot may not drive until a person resumes it."""

    code = "robot_held"


class StationReservedError(ConflictError):
    """The station is another robot's own resting place."""

    code = "station_reserved"
