"""How robots get out of people's way: who stays, who stops, who drives where, and who cannot and why.

A released way never changes, so a robot drives it to its end unless it leads where the alarm lets nobody go; then its
order is given up and it goes on from where it stands. Which refuge it takes is the nearest that the rules allow and
that traffic grants: others may hold the way there.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.domain.emergency.reach import Reach
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.geometry import distance_between
from orchestrator.domain.site.model import DoorId, Lane, LaneGraph, LaneId, LevelId, LiftId, WaypointId

UNABLE = "cannot_clear"


@dataclass(frozen=True, slots=True)
class Stand:
    """One robot as it is when the alarm is looked at.

    Parameters
    ----------
    robot : RobotId
        Who.
    at : WaypointId
        The waypoint it passed last, or stands on.
    ahead : tuple of LaneId
        Released lanes that it has not driven to their end, from ``at``; not what is granted beyond.
    doorway : DoorId or None
        The door that its footprint is in.
    open_lift : (LiftId, LevelId) or None
        The lift in whose cabin it stands and the level at which that stands open; None when it is in none, or shut in.
    is_with_people : bool
        People load it or take out: a drawer may be open, so it does not drive off.
    hindrance : Reason or None
        Why it cannot be told to drive at all: silent, stopped, held, not heard yet.
    """

    robot: RobotId
    at: WaypointId
    ahead: tuple[LaneId, ...] = ()
    doorway: DoorId | None = None
    open_lift: tuple[LiftId, LevelId] | None = None
    is_with_people: bool = False
    hindrance: Reason | None = None


@dataclass(frozen=True, slots=True)
class Unaffected:
    """The alarm leaves the robot at work."""


@dataclass(frozen=True, slots=True)
class Stays:
    """It stands clear, or drives to where it will, and is held there."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class GivesUp:
    """Its released way leads where nobody may go now: it has to stop, then leave by another way."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Leaves:
    """It may not stay where it is, or where its released way ends: it goes on to a refuge."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Unable:
    """It ought to leave and cannot; people are told why."""

    reason: Reason


Verdict = Unaffected | Stays | GivesUp | Leaves | Unable


def judge(stand: Stand, reach: Reach, graph: LaneGraph) -> Verdict:
    """Return what a robot has to do because of the alarms that reach it."""
    forbidden = first_forbidden(stand, reach, graph)
    end = graph.lanes[stand.ahead[-1]].end if stand.ahead else stand.at
    here = reach.reason_at(end) or reach.reason_at(stand.at)
    if forbidden is not None:
        reason = reach.lanes.get(stand.ahead[forbidden]) or here
        assert reason is not None, "a lane is forbidden by an alarm"
        return GivesUp(reason) if stand.hindrance is None else Unable(unable(stand.robot, reason, stand.hindrance))
    if here is None or not _must_leave(end, reach, graph):
        return Unaffected() if here is None or end not in reach.held else Stays(reach.held[end])
    if stand.hindrance is not None:
        return Unable(unable(stand.robot, here, stand.hindrance))
    if stand.is_with_people:
        sentence = f"people are at it: shut its drawers and let {stand.robot} go, or keep to its side"
        return Unable(unable(stand.robot, here, Reason("people_at_robot", sentence)))
    return Leaves(here)


def first_forbidden(stand: Stand, reach: Reach, graph: LaneGraph) -> int | None:
    """Return the index of the first lane ahead that the robot may not drive to its end; None when it may all."""
    for index, lane in enumerate(stand.ahead):
        if not may_drive(graph.lanes[lane], stand, reach, graph):
            return index
    return None


def may_drive(lane: Lane, stand: Stand, reach: Reach, graph: LaneGraph) -> bool:
    """Whether a robot may take a lane to get out of the way.

    Not into what is closed to all, not through a door that stays shut unless it stands in its doorway, and not in a
    lift except out of a cabin that stands open.
    """
    if any(region.is_entered_by(lane) for region in reach.regions):
        return False
    if lane.door is not None and lane.door in reach.doors and lane.door != stand.doorway:
        return False
    start, end = graph.waypoints[lane.start], graph.waypoints[lane.end]
    lift = end.lift or start.lift
    if lift is None or lift not in reach.lifts:
        return True
    level = end.level if end.lift is not None else start.level
    return start.lift is not None and stand.open_lift == (lift, level)


def refuges(
    stand: Stand, starts: Sequence[tuple[WaypointId, float]], reach: Reach, graph: LaneGraph
) -> Iterator[tuple[WaypointId, tuple[LaneId, ...]]]:
    """Yield where a robot may go to stand clear, nearest first: the start it leaves from, and the lanes from there.

    Parameters
    ----------
    stand : Stand
        The robot.
    starts : sequence of (WaypointId, float)
        Where its way may begin, and how many metres it is from there.
    reach : Reach
        What the alarms close.
    graph : LaneGraph
        Its lanes.
    """
    ways: list[tuple[float, int, WaypointId, tuple[LaneId, ...]]] = []
    order = itertools.count()
    for start, metres in starts:
        heapq.heappush(ways, (metres, next(order), start, ()))
    outgoing: dict[WaypointId, list[Lane]] = {}
    for lane in sorted(graph.lanes.values(), key=lambda lane: lane.id):
        outgoing.setdefault(lane.start, []).append(lane)
    seen: set[tuple[WaypointId, WaypointId]] = set()
    while ways:
        metres, _, start, lanes = heapq.heappop(ways)
        here = graph.lanes[lanes[-1]].end if lanes else start
        if (start, here) in seen:
            continue
        seen.add((start, here))
        if not _must_leave(here, reach, graph):
            yield start, lanes
        for lane in outgoing.get(here, ()):
            if may_drive(lane, stand, reach, graph):
                heapq.heappush(ways, (metres + _length_m(lane, graph), next(order), start, (*lanes, lane.id)))


def unable(robot: RobotId, alarm: Reason, why: Reason) -> Reason:
    """Return why a robot does not get out of the way, for people who have to move it."""
    return Reason(UNABLE, f"{alarm.sentence} {robot} stands in the way and cannot leave: {why.sentence}")


def _must_leave(place: WaypointId, reach: Reach, graph: LaneGraph) -> bool:
    """Whether no robot may stay at a place: people need it, or nobody may ever stop there."""
    waypoint = graph.waypoints[place]
    return place in reach.cleared or not waypoint.may_stop or waypoint.lift is not None


def _length_m(lane: Lane, graph: LaneGraph) -> float:
    start, end = graph.waypoints[lane.start], graph.waypoints[lane.end]
    return distance_between((start.x_m, start.y_m), (end.x_m, end.y_m))
