"""How far a robot is on an order, from what it reports."""

from __future__ import annotations

from orchestrator.domain.fleet.model import RobotReport
from orchestrator.domain.fleet.order import DriveOrder, sequence_of_step


def passed_steps(order: DriveOrder, report: RobotReport, *, after: int) -> range:
    """Return the indices of the released steps that the robot has traversed beyond index ``after``.

    A node is passed when ``last_sequence`` has reached it, ``last_waypoint`` agrees, and it is no longer ahead.
    Leaving the list alone proves nothing: a cancelled or manual robot empties it, and some never list their horizon.
    The node id has to agree because until the first node of a new order the robot still reports the last one of the
    order before.

    Parameters
    ----------
    order : DriveOrder
        What the robot has acknowledged.
    report : RobotReport
        What it says; for another order nothing is passed.
    after : int
        Index of the last step known as passed, -1 for none.
    """
    if report.order_id != order.id:
        return range(0)
    reached = _reached_index(order, report)
    if report.sequences_ahead:
        reached = min(reached, (report.sequences_ahead[0] - 1) // 2)
    return range(after + 1, reached + 1)


def is_carried_out(order: DriveOrder, report: RobotReport, *, passed: int) -> bool:
    """Whether the whole order is released, passed up to its end, and every action over."""
    return order.is_fully_released and passed == len(order.steps) - 1 and report.is_idle


def _reached_index(order: DriveOrder, report: RobotReport) -> int:
    index = report.last_sequence // 2
    is_of_order = 0 <= index < order.released and report.last_sequence == sequence_of_step(index)
    if is_of_order and order.steps[index].waypoint == report.last_waypoint:
        return index
    # Robots that stand on the first node may leave it unlisted and keep the sequence id of the order before.
    return 0 if report.last_waypoint == order.steps[0].waypoint else -1
