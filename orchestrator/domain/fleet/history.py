"""What people did with a robot, and what kept it: one entry each, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.fleet.model import RobotId


class RobotAct(StrEnum):
    """What was done; ``HELD`` is what the robot's own report or a rule did."""

    PAUSE = "pause"
    RESUME = "resume"
    SEND = "send"
    WITHDRAW = "withdraw"
    ABORT = "abort"
    FENCE_OFF = "fence_off"
    OUT_OF_SERVICE = "out_of_service"
    IN_SERVICE = "in_service"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class RobotEntry:
    """One entry of a robot's history, numbered over all robots in the order of commits.

    ``by`` is the principal, or the robot's id for ``HELD``. ``reason`` is in their words, ``outcome`` in ours: what
    came of it at once.
    """

    number: int
    robot: RobotId
    at: datetime
    act: RobotAct
    by: str
    reason: str
    outcome: str
