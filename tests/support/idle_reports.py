"""What a robot says that stands idle and well."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orchestrator.domain.fleet.model import OperatingMode, RobotId, RobotReport


def an_idle_report(robot: RobotId, at: datetime, **changes: object) -> RobotReport:
    """Return it, but for some changes."""
    report = RobotReport(
        robot=robot,
        received_at=at,
        order_id=None,
        order_update_id=0,
        last_waypoint=None,
        last_sequence=0,
        sequences_ahead=(),
        is_driving=False,
        is_paused=False,
        pose=None,
        battery=0.9,
        is_charging=False,
        mode=OperatingMode.AUTOMATIC,
        is_emergency_stopped=False,
        has_field_violation=False,
    )
    return replace(report, **changes)  # pyright: ignore[reportArgumentType]
