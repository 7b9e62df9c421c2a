"""What the monitor answers to who asks for a hop, and the sentences it answers with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import LaneId, WaypointId


@dataclass(frozen=True, slots=True)
class Granted:
    """The lanes may be driven; ``resources`` are what they need, held by the robot if it was a grant."""

    resources: frozenset[str]


@dataclass(frozen=True, slots=True)
class Refused:
    """Not now. ``blockers`` are the robots it waits for, by id; empty when waiting will not help."""

    blockers: tuple[RobotId, ...]
    reason: Reason


@dataclass(frozen=True, slots=True)
class Barred:
    """What is closed to a robot for as long as others stay who and where they are."""

    waypoints: frozenset[WaypointId]
    lanes: frozenset[LaneId]


def in_the_way(robots: Sequence[RobotId]) -> Reason:
    """Return the reason that robots off their lanes cover the way."""
    return Reason("robot_in_the_way", f"{listed(robots)} left its lane and stands in the way; move it aside.")


def unsafe(robot: RobotId, stranded: Sequence[RobotId]) -> Refused:
    """Return the refusal of what would leave the robots ``stranded`` no way home."""
    others = tuple(r for r in stranded if r != robot)
    whom = listed(others) if others else "it"
    sentence = f"Going on now would leave {whom} no way home; it waits for room."
    return Refused(others, Reason("no_way_home", sentence))


def listed(robots: Sequence[RobotId]) -> str:
    """Return the ids of robots as a sentence names them."""
    return " and ".join(robots)
