"""Doors and lifts on a robot's way: asked for in time, and open before the base goes through.

Doors and lift nodes are decision points (design §7): granted by traffic, but released to the robot only once the
device itself says that it is open and held for this robot.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import Building
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.geometry import distance_to_segment
from orchestrator.domain.site.model import Door, DoorId, Lane, LaneId, LiftId, WaypointId

DOOR_MARGIN_M = 0.1


class Gates:
    """The sessions that the orchestrator holds at doors and lifts, per robot.

    Asking again for what is held changes nothing, so after a restart the sessions come back by themselves, from
    the lanes that robots hold.
    """

    def __init__(self, fleet: FleetOnSite, building: Building) -> None:
        self._fleet = fleet
        self._building = building
        self._doors: dict[RobotId, set[DoorId]] = {robot: set() for robot in fleet.robots}
        self._lifts: dict[RobotId, set[LiftId]] = {robot: set() for robot in fleet.robots}

    def passable(
        self, robot: RobotId, lanes: Sequence[LaneId], *, stands_at: WaypointId | None
    ) -> tuple[int, tuple[Reason, ...]]:
        """Return how many of the lanes ahead may be released now, and what the next one waits for.

        Parameters
        ----------
        robot : RobotId
            Whose lanes they are.
        lanes : sequence of LaneId
            Granted lanes beyond the base, in driving order.
        stands_at : WaypointId or None
            Where the robot stands at the end of its base; None while it is still driving there.
        """
        for count, lane_id in enumerate(lanes):
            lane = self._fleet.graph.lanes[lane_id]
            is_there = stands_at == lane.start
            reason = self._closed_door(robot, lane) or self._absent_lift(robot, lane, is_there=is_there)
            if reason is not None:
                return count, (reason,)
        return len(lanes), ()

    def keep_only(self, robot: RobotId, lanes: Sequence[LaneId], *, place: WaypointId | None) -> None:
        """Hold the doors and lifts of ``lanes`` and around ``place``, and let go of all others.

        A door stays held until the robot's footprint is clear of it.
        """
        doors = {door for lane in lanes if (door := self._fleet.graph.lanes[lane].door)}
        lifts = {lift for lane in lanes for lift in self._lifts_of(self._fleet.graph.lanes[lane])}
        if place is not None:
            doors |= {door for door in self._doors[robot] if self._reaches(place, self._fleet.site.doors[door])}
            lift = self._fleet.graph.waypoints[place].lift
            lifts |= {lift} if lift else set()
        for door in sorted(self._doors[robot] - doors):
            self._building.release_door(door, robot)
            self._doors[robot].discard(door)
        for lift in sorted(self._lifts[robot] - lifts):
            self._building.release_lift(lift, robot)
            self._lifts[robot].discard(lift)
        for door in sorted(doors):
            if self._fleet.site.doors[door].is_motorised:
                self._ask_door(door, robot)

    def _closed_door(self, robot: RobotId, lane: Lane) -> Reason | None:
        if lane.door is None or not self._fleet.site.doors[lane.door].is_motorised:
            return None
        self._ask_door(lane.door, robot)
        if self._building.is_door_open(lane.door, robot):
            return None
        return Reason("door_closed", f"Waits for door {lane.door} to open.")

    def _absent_lift(self, robot: RobotId, lane: Lane, *, is_there: bool) -> Reason | None:
        start, end = (self._fleet.graph.waypoints[w] for w in (lane.start, lane.end))
        lift = end.lift or start.lift
        if lift is None:
            return None
        is_ride = start.lift is not None and end.lift is not None
        if is_ride and not is_there:
            return Reason("lift_boarding", f"Waits to stand in lift {lift} before it travels.")
        level = end.level if end.lift is not None else start.level
        self._building.request_lift(lift, level, robot)
        self._lifts[robot].add(lift)
        if self._building.is_lift_open_at(lift, level, robot):
            return None
        return Reason("lift_not_here", f"Waits for lift {lift} to open on level {level}.")

    def _ask_door(self, door: DoorId, robot: RobotId) -> None:
        self._building.request_door(door, robot)
        self._doors[robot].add(door)

    def _lifts_of(self, lane: Lane) -> set[LiftId]:
        ends = (self._fleet.graph.waypoints[lane.start].lift, self._fleet.graph.waypoints[lane.end].lift)
        return {lift for lift in ends if lift is not None}

    def _reaches(self, place: WaypointId, door: Door) -> bool:
        waypoint = self._fleet.graph.waypoints[place]
        if waypoint.level != door.level:
            return False
        distance_m = distance_to_segment((waypoint.x_m, waypoint.y_m), door.start, door.end)
        return distance_m <= self._fleet.radius_m + DOOR_MARGIN_M
