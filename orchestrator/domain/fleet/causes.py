"""What in a robot's own report asks for a person, and so for a hold.

A person who walks by (a violated protective field) is none of it: the robot goes on by itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import RobotReport

BATTERY, SAFETY, MODE = "batteryState", "safetyState", "operatingMode"
"""Parts of a robot's message that it may leave unsaid, by the names that its maker knows them by."""

EMPTY = 0.01
"""A battery at or below this ratio no longer moves a robot anywhere."""


def causes_of_hold(report: RobotReport, *, has_place: bool) -> Mapping[HoldKind, str]:
    """Return the holds that a report asks for, each with what happened and what to do.

    Parameters
    ----------
    report : RobotReport
        What the robot said last.
    has_place : bool
        Whether the books know where it stands. One that has not been placed yet has no position to lose.
    """
    robot = report.robot
    found: dict[HoldKind, str] = {}
    if (stopped := _what_stopped(report)) is not None:
        found[HoldKind.STOPPED] = f"Robot {robot} {stopped}, then resume it here."
    if report.pose is None and has_place:
        found[HoldKind.UNLOCALISED] = (
            f"Robot {robot} no longer knows where it is; its place stays occupied. Go to it, set its position, "
            "then resume it here."
        )
    if report.battery <= EMPTY and not report.is_charging and BATTERY in report.unsaid:
        found[HoldKind.BATTERY_EMPTY] = (
            f"Robot {robot} does not report its battery ({BATTERY}), so it counts as empty. Have it report it, or say "
            "`battery: none` in its link in the fleet file; then resume it here."
        )
    elif report.battery <= EMPTY and not report.is_charging:
        found[HoldKind.BATTERY_EMPTY] = (
            f"The battery of robot {robot} is empty, it says; bring it to a charger by hand, then resume it here."
        )
    return found


def _what_stopped(report: RobotReport) -> str | None:
    if report.is_emergency_stopped and SAFETY in report.unsaid:
        return f"does not report its emergency stop ({SAFETY}), so it counts as stopped; have it report that"
    if report.is_emergency_stopped:
        return "has its emergency stop pressed; see why, release it"
    fatal = next((fault for fault in report.faults if fault.is_fatal), None)
    if fatal is not None:
        return f"is stopped by a fault ({fatal.description or fatal.kind}); have it seen to"
    if not report.mode.takes_orders and MODE in report.unsaid:
        return f"does not report who drives it ({MODE}), so it counts as driven by hand; have it report that"
    if not report.mode.takes_orders:
        return f"is in a person's hands ({report.mode.value.replace('_', ' ')}); set it to automatic"
    return None
