"""Letting robots out of lifts that are no longer theirs: on fire duty, taken by people, or out of service.

A robot that has boarded was granted the ride and the exit beyond it in one. Where the cabin then stands open at another
level than the ride leads to, mostly still where it boarded, it gives both back for the way out there. Nobody stays in
a cabin to wait for the lift: it may be needed, or move.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import islice

from orchestrator.application.driving import lanes_ahead, take_lanes
from orchestrator.application.fleet import FleetOnSite, FleetPolicy
from orchestrator.application.ports import Building
from orchestrator.application.shared_lifts import is_taken
from orchestrator.application.steering import Steering
from orchestrator.application.steps import FREE_FOR_A_NEW_ORDER, remaining_base, standing_place
from orchestrator.application.trips import is_standing_for_people
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.site.device import DoorPosition
from orchestrator.domain.site.model import Lane, LaneGraph, LaneId, LevelId, LiftId, WaypointId
from orchestrator.domain.traffic.answers import Refused
from orchestrator.domain.traffic.stopping import may_stop

WAYS_TRIED = 12
"""How many ways out of a cabin traffic is asked for in one turn."""


def let_out(
    turn: Turn, fleet: FleetOnSite, steering: Steering, building: Building, *, reported: Collection[RobotId]
) -> None:
    """Grant the way out to every robot that stands in a cabin which was taken from it and stands open.

    Parameters
    ----------
    turn : Turn
        The transaction.
    fleet : FleetOnSite
        Site, robots, models.
    steering : Steering
        Whose monitor grants it.
    building : Building
        Says which lifts were taken, and where they stand open.
    reported : collection of RobotId
        Robots that have reported since the orchestrator started; no other is granted anything.
    """
    taken = _taken_and_open(fleet.policy, building)
    if not taken:
        return
    for robot in steering.monitor.robots:
        record, graph = turn.record(robot), fleet.graph_of(robot)
        place = standing_place(fleet, record)
        lift = graph.waypoints[place].lift if place is not None else None
        if place is None or lift is None or lift not in taken or robot not in reported or not _may_be_led(record):
            continue
        level = taken[lift]
        if record.granted and _level_of(graph.lanes[record.granted[0]], graph) == level:
            continue  # the way it was granted leads out there
        _lead_out(turn, fleet, steering, robot, place=place, level=level)


def _taken_and_open(policy: FleetPolicy, building: Building) -> dict[LiftId, LevelId]:
    """Return the lifts that robots leave to others now and that stand open, with the level."""
    return {
        lift: picture.level
        for lift, picture in building.lifts().items()
        if is_taken(policy, picture) and picture.doors is DoorPosition.OPEN and picture.level is not None
    }


def _may_be_led(record: RobotRecord) -> bool:
    """Whether a robot has nothing released to it that it has still to drive, and may be sent somewhere."""
    is_answered = record.phase in (*FREE_FOR_A_NEW_ORDER, OrderPhase.ACKNOWLEDGED)
    return is_answered and not remaining_base(record) and record.lost_since is None and not record.is_kept_from_driving


def _lead_out(
    turn: Turn, fleet: FleetOnSite, steering: Steering, robot: RobotId, *, place: WaypointId, level: LevelId
) -> None:
    monitor, graph = steering.monitor, fleet.graph_of(robot)
    keeping = steering.relation.of_waypoint(fleet.models[robot].id, place)
    blockers: tuple[RobotId, ...] = ()
    for lanes in islice(_ways_out(graph, place, level), WAYS_TRIED):
        answer = monitor.redirect(robot, lanes, to=place, keeping=keeping)
        if not isinstance(answer, Refused):
            record = turn.record(robot)
            turn.put(replace(record, granted=(), route=lanes, tip=place, held=record.held & keeping))
            take_lanes(turn, fleet, steering.relation, robot, lanes)
            return
        blockers = blockers or answer.blockers
    for blocker in blockers:
        _send_aside(turn, fleet, steering, blocker)


def _ways_out(graph: LaneGraph, place: WaypointId, level: LevelId) -> Iterator[tuple[LaneId, ...]]:
    """Yield the ways out of a cabin that stands open at a level to places to stop, those of fewest lanes first.

    They may begin with the ride there: the cabin has made it already.
    """
    ahead: deque[tuple[WaypointId, tuple[LaneId, ...]]] = deque([(place, ())])
    seen = {place}
    outgoing = sorted(graph.lanes.values(), key=lambda lane: lane.id)
    while ahead:
        here, lanes = ahead.popleft()
        if lanes and may_stop(graph, here):
            yield lanes
        for lane in outgoing:
            is_within_reach = graph.waypoints[lane.end].level == level
            if lane.start == here and lane.end not in seen and is_within_reach:
                seen.add(lane.end)
                ahead.append((lane.end, (*lanes, lane.id)))


def _send_aside(turn: Turn, fleet: FleetOnSite, steering: Steering, robot: RobotId) -> None:
    """Send one that stands idle before the cabin the first stretch of its way home, so that the other gets out."""
    record, monitor = turn.record(robot), steering.monitor
    report = record.report
    is_free = record.phase in FREE_FOR_A_NEW_ORDER or (report is not None and not report.is_driving)
    if lanes_ahead(record) or not is_free or not _may_be_led(record) or is_standing_for_people(turn, robot):
        return
    lanes = monitor.stretch(robot, monitor.way_home(robot) or ())
    if lanes and not isinstance(monitor.grant(robot, lanes), Refused):
        turn.put(replace(record, route=lanes))
        take_lanes(turn, fleet, steering.relation, robot, lanes)


def _level_of(lane: Lane, graph: LaneGraph) -> LevelId:
    """Return the level at which the cabin has to stand for a lane in it or out of it."""
    end = graph.waypoints[lane.end]
    return end.level if end.lift is not None else graph.waypoints[lane.start].level
