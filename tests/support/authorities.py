"""Private authorities for tests: on a clock that only the test moves, with the robots a test names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.adapters.pki.authority import Authority
from orchestrator.adapters.pki.identity import Identity, IdentityKind
from orchestrator.domain.fleet.model import ModelId, Robot, RobotId
from orchestrator.domain.site.model import StationId

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


class HandMovedTime:
    """A time of day that stands until it is moved."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


def an_authority(folder: Path, now: HandMovedTime | None = None) -> Authority:
    return Authority.create(folder, name="test", now=now or HandMovedTime())


def robot_identity(robot: str) -> Identity:
    return Identity(IdentityKind.ROBOT, robot)


def fleet_robots(ids: Sequence[str] = ("r1", "r2")) -> list[Robot]:
    return [
        Robot(
            id=RobotId(each),
            model=ModelId("porter"),
            manufacturer="ward",
            serial_number=each.upper(),
            interface_name="uagv",
            protocol_version="2.1.0",
            home=StationId(f"park-{each}"),
        )
        for each in ids
    ]
