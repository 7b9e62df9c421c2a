"""The fleet: the robots that one orchestrator commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.fleet.model import Robot, RobotId


@dataclass(frozen=True, slots=True)
class Fleet:
    """Robots under one orchestrator, in file order."""

    id: str
    name: str
    robots: Mapping[RobotId, Robot]
