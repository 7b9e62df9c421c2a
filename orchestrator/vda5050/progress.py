"""How far a robot is on an order, from what it reports."""

from __future__ import annotations

from orchestrator.domain.fleet.model import RobotReport
from orchestrator.domain.fleet.order import DriveOrder, sequence_of_step
from orchestrator.domain.site.model import WaypointId

Mark = tuple[WaypointId | None, int]
"""The last node a robot reports: its id and sequence id."""


def mark_of_report(report: RobotReport) -> Mark:
    """Return the last node that ``report`` names."""
    return report.last_waypoint, report.last_sequence


def names_the_order_before(report: RobotReport) -> bool:
    """Whether the last node cannot be of the order reported, because nodes up to it still lie ahead."""
    return bool(report.sequences_ahead) and report.sequences_ahead[0] <= report.last_sequence


def passed_steps(order: DriveOrder, report: RobotReport, *, after: int, old: Mark | None = None) -> range:
    """Return the indices of the released steps that the robot has traversed beyond index ``after``.

    A node is passed when ``last_sequence`` has reached it, ``last_waypoint`` agrees, and it is no longer ahead.
    Leaving the list alone proves nothing: a cancelled or manual robot empties it, and some never list their horizon.
    The node id has to agree because until the first node of a new order the robot still reports the last one of the
    order before. Of a robot whose sequence id stays 0 the node id and the list together are taken instead.

    Parameters
    ----------
    order : DriveOrder
        What the robot has acknowledged.
    report : RobotReport
        What it says; for another order nothing is passed.
    after : int
        Index of the last step known as passed, -1 for none.
    old : Mark, optional
        A last node known to be of the order before. The same place may have the same sequence id in this order too;
        while the robot still names it, it shows no progress.
    """
    if report.order_id != order.id:
        return range(0)
    reached = _reached_index(order, report, old)
    if report.sequences_ahead:
        reached = min(reached, (report.sequences_ahead[0] - 1) // 2)
    return range(after + 1, reached + 1)


def is_carried_out(order: DriveOrder, report: RobotReport, *, passed: int) -> bool:
    """Whether the whole order is released, passed up to its end, and every action over."""
    return order.is_fully_released and passed == len(order.steps) - 1 and report.is_idle


def _reached_index(order: DriveOrder, report: RobotReport, old: Mark | None) -> int:
    index = report.last_sequence // 2
    is_of_order = 0 <= index < order.released and report.last_sequence == sequence_of_step(index)
    is_new = mark_of_report(report) != old
    if is_of_order and is_new and order.steps[index].waypoint == report.last_waypoint:
        return index
    if report.last_sequence == 0 and is_new and (named := _index_by_name(order, report)) > 0:
        return named
    # Robots that stand on the first node may leave it unlisted and keep the sequence id of the order before.
    return 0 if report.last_waypoint == order.steps[0].waypoint else -1


def _index_by_name(order: DriveOrder, report: RobotReport) -> int:
    """Return the step that a robot has reached that never counts its last node's sequence id; 0 when it is not clear.

    It names the node, and the nodes that it lists as ahead begin right behind that one.
    """
    ahead = report.sequences_ahead
    index = (ahead[0] - 1) // 2 if ahead else order.released - 1
    is_named = 0 <= index < order.released and order.steps[index].waypoint == report.last_waypoint
    return index if is_named else 0
