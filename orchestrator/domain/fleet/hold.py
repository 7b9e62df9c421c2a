"""Holds: why a robot is kept from driving or from work until a person lets it go on.

A hold is on our books, not the robot's: releasing an emergency stop on the robot does not lift the hold that it left
behind (promise 14). What a robot is waiting for of its own accord (a door, another robot) is no hold but a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.reason import Reason


class HoldKind(StrEnum):
    """What keeps the robot, most of all for those who look at it."""

    PAUSED = "paused"
    FENCED_OFF = "fenced_off"
    OUT_OF_SERVICE = "out_of_service"
    STOPPED = "stopped"
    MOVED = "moved"
    UNLOCALISED = "unlocalised"
    FAILED_ACTION = "failed_action"
    UNRESPONSIVE = "unresponsive"
    BATTERY_EMPTY = "battery_empty"
    QUARANTINED = "quarantined"
    REMOVED = "removed"
    MISDESCRIBED = "misdescribed"

    @property
    def code(self) -> str:
        """The code of the reason that deliveries and people are given."""
        return f"robot_{self.value}"

    @property
    def keeps_from_driving(self) -> bool:
        """Whether nothing new is granted to the robot, and its place stays occupied; else only no work is given."""
        return self is not HoldKind.OUT_OF_SERVICE


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason to keep a robot, at most one of each kind at a time.

    ``by`` is the principal who laid it, or the robot itself when its own report or silence did. ``reason`` is a
    sentence for people: what happened and what to do before it goes on.
    """

    kind: HoldKind
    reason: str
    by: str
    at: datetime

    @property
    def as_reason(self) -> Reason:
        """What whoever waits for the robot is told."""
        return Reason(self.kind.code, self.reason)
