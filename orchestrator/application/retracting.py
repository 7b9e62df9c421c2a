"""Taking back lanes that a robot was granted and does not enter, so that it can plan another way, or others pass.

What is in the base of a live order is never taken back: the robot drives it whatever is decided here, and so it may
while a cancelOrder is not FINISHED. Of an order that is followed no more (`OrderPhase.LOST`) all may be, but for the
lane that the robot stands on, once it says where it stands.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.application.driving import lanes_ahead
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.readiness import is_told_of
from orchestrator.application.steps import is_at, remaining_base, standing_place, stands_on_its_way
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.order import DriveOrder
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.site.model import LaneId, WaypointId
from orchestrator.domain.traffic.monitor import Monitor


def take_back(turn: Turn, fleet: FleetOnSite, monitor: Monitor, robot: RobotId, *, before: int) -> bool:
    """Take back as many of the lanes ahead of a robot as can be, and at least those from ``before`` on.

    Parameters
    ----------
    turn : Turn
        The transaction.
    fleet : FleetOnSite
        Site, robots, models.
    monitor : Monitor
        Who holds what.
    robot : RobotId
        Whose lanes; it plans anew from where they end then.
    before : int
        Index, among the lanes ahead of it, of the first that it must not keep.

    Returns
    -------
    bool
        Whether it was done. It is not when it must drive that lane, could not stop before it, or when somebody would
        be left without a way home.
    """
    record = turn.record(robot)
    lanes = lanes_ahead(record)
    for count in range(_lanes_to_keep(fleet, record), min(before, len(lanes) - 1) + 1):
        kept = lanes[:count]
        start = _start(fleet, record, lanes)
        to = fleet.graph_of(robot).lanes[kept[-1]].end if kept else start
        keeping = monitor.relation.of_route(fleet.models[robot].id, start, kept)
        if monitor.retract(robot, to=to, keeping=keeping):
            turn.put(_keeping(record, count, tip=to, held=monitor.held(robot)))
            return True
    return False


def give_back_unused(turn: Turn, fleet: FleetOnSite, monitor: Monitor, robot: RobotId) -> None:
    """Take back from a robot that is held, silent or takes no order what it was granted and cannot enter.

    That is what was never sent to it; and, once its order is gone and it says that it stands, all but its place. It
    plans again from there when it goes on.
    """
    record = turn.record(robot)
    lanes = lanes_ahead(record)
    is_going_nowhere = record.is_kept_from_driving or record.lost_since is not None or is_told_of(record)
    if is_going_nowhere and len(lanes) > _lanes_to_keep(fleet, record):
        take_back(turn, fleet, monitor, robot, before=len(lanes) - 1)


def _lanes_to_keep(fleet: FleetOnSite, record: RobotRecord) -> int:
    """Return how many lanes ahead it drives in any case, or may be anywhere on."""
    base = remaining_base(record)
    if record.phase is not OrderPhase.LOST or not _is_known_to_stand(fleet, record):
        return len(base)
    place, pose = standing_place(fleet, record), record.report.pose if record.report else None
    is_there = place is not None and pose is not None and is_at(fleet, record.robot, place, pose)
    return 0 if is_there else min(1, len(base))


def _is_known_to_stand(fleet: FleetOnSite, record: RobotRecord) -> bool:
    """Whether a robot says of itself, credibly, that it stands on its way and has nothing to drive."""
    report = record.report
    if report is None or record.lost_since is not None or record.is_held_for(HoldKind.QUARANTINED):
        return False
    return report.is_idle and not report.is_driving and stands_on_its_way(fleet, record)


def _start(fleet: FleetOnSite, record: RobotRecord, lanes: tuple[LaneId, ...]) -> WaypointId:
    return standing_place(fleet, record) or fleet.graph_of(record.robot).lanes[lanes[0]].start


def _keeping(record: RobotRecord, count: int, *, tip: WaypointId, held: frozenset[str]) -> RobotRecord:
    """Return the record with the first ``count`` lanes ahead and no route."""
    base = len(remaining_base(record))
    order = record.order
    if order is not None and count < base:
        order = _cut(order, record.passed + 1 + count)
    return replace(record, order=order, granted=record.granted[: max(0, count - base)], route=(), tip=tip, held=held)


def _cut(order: DriveOrder, steps: int) -> DriveOrder:
    """Return an order that nobody follows any more as if it had ended after so many steps."""
    return replace(order, steps=order.steps[:steps], released=steps, sent_from=min(order.sent_from, steps - 1))
