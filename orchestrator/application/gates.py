"""Doors and lifts on a robot's way: asked for in time, and open before the base goes through.

Doors and lift nodes are decision points (design §7): granted by traffic, but released to the robot only once the
device itself says that it is open and held for this robot. A lift is held from before the base goes into its cabin
until the robot's tail is out of it and clear. People in a cabin come first (`orchestrator.application.shared_lifts`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.application.device_words import door_reason, lift_reason
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import Building
from orchestrator.application.shared_lifts import crowded_reason, is_taken, occupied_reason
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.device import DoorPosition
from orchestrator.domain.site.geometry import distance_to_rectangle, distance_to_segment
from orchestrator.domain.site.model import (
    Door,
    DoorId,
    Lane,
    LaneGraph,
    LaneId,
    LevelId,
    Lift,
    LiftId,
    Waypoint,
    WaypointId,
)

MARGIN_M = 0.1
"""A robot whose circle ends this far from a door or a cabin, in metres, is clear of it."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What a robot still needs of the building: the lanes granted to it, and the waypoint it passed last.

    ``place`` is None while nobody knows where it is; then it keeps all that it holds. The first ``released`` of its
    lanes are its base, which nobody takes back. ``is_crowded``: something is within its protective field.
    """

    lanes: tuple[LaneId, ...]
    place: WaypointId | None
    released: int = 0
    is_crowded: bool = False


class Gates:
    """The sessions that the orchestrator holds at doors and lifts, per robot.

    Asking again for what is held changes nothing. After a restart what robots need is asked again, by the lanes that
    they hold and by what devices still hold for them, before anything is released.
    """

    def __init__(self, fleet: FleetOnSite, building: Building) -> None:
        self._fleet = fleet
        self._building = building
        self._doors: dict[RobotId, set[DoorId]] = {robot: set() for robot in fleet.robots}
        self._lifts: dict[RobotId, set[LiftId]] = {robot: set() for robot in fleet.robots}

    # -- may it go on ---------------------------------------------------------------------------------------------

    def passable(
        self, robot: RobotId, lanes: Sequence[LaneId], *, stands_at: WaypointId | None, is_crowded: bool = False
    ) -> tuple[int, tuple[Reason, ...]]:
        """Return how many of the lanes ahead may be released now, and what the next one waits for.

        Nothing is released to end on an escape route: a robot that waits for a door there stands in people's way.

        Parameters
        ----------
        robot : RobotId
            Whose lanes they are.
        lanes : sequence of LaneId
            Granted lanes beyond the base, in driving order.
        stands_at : WaypointId or None
            Where the robot stands at the end of its base; None while it is still driving there.
        is_crowded : bool, optional
            Whether something is within its protective field; then no lift takes it anywhere.
        """
        graph = self._fleet.graph_of(robot)
        for count, lane_id in enumerate(lanes):
            lane = graph.lanes[lane_id]
            is_there = stands_at == lane.start
            reason = self._closed_door(robot, lane) or self._absent_lift(
                robot, lane, is_there=is_there, is_crowded=is_crowded
            )
            if reason is not None:
                return _up_to_a_stopping_place(lanes[:count], graph), (reason,)
        return len(lanes), ()

    def _closed_door(self, robot: RobotId, lane: Lane) -> Reason | None:
        if lane.door is None or not self._fleet.site.doors[lane.door].is_motorised:
            return None
        self._hold_door(lane.door, robot)
        if self._building.is_door_open_for(lane.door, robot):
            return None
        return door_reason(lane.door, self._building.doors()[lane.door])

    def _absent_lift(self, robot: RobotId, lane: Lane, *, is_there: bool, is_crowded: bool) -> Reason | None:
        graph = self._fleet.graph_of(robot)
        lift = lift_of(lane, graph)
        if lift is None:
            return None
        if _is_ride(lane, graph) and not is_there:
            return Reason("lift_boarding", f"Waits to stand in lift {lift} before it travels.")
        level = level_of(lane, graph)
        shared = self._shared(robot, lift, lane, is_crowded=is_crowded)
        if shared is not None:
            return shared
        self._hold_lift(lift, level, robot)
        if self._building.is_lift_open_for(lift, level, robot) or self._may_get_out(lift, lane, graph):
            return None
        return lift_reason(lift, level, robot, self._building.lifts()[lift])

    def _shared(self, robot: RobotId, lift: LiftId, lane: Lane, *, is_crowded: bool) -> Reason | None:
        """Return why the robot neither gets into the cabin nor is taken anywhere by it; the way out is always open."""
        graph, picture = self._fleet.graph_of(robot), self._building.lifts()[lift]
        is_inside = graph.waypoints[lane.start].lift is not None
        if is_inside and (not _is_ride(lane, graph) or picture.level == level_of(lane, graph)):
            return None
        if picture.is_occupied:
            return occupied_reason(lift)
        if is_inside and not picture.doors.is_told:
            return lift_reason(lift, level_of(lane, graph), robot, picture)
        return crowded_reason(lift, robot) if is_inside and is_crowded else None

    def _may_get_out(self, lift: LiftId, lane: Lane, graph: LaneGraph) -> bool:
        """Whether a robot inside may leave a cabin that is no longer its own: it stands open where the lane goes.

        Nobody stays in a lift that firefighters, people or a fault have taken from it.
        """
        if graph.waypoints[lane.start].lift is None:
            return False
        picture = self._building.lifts()[lift]
        return (
            is_taken(self._fleet.policy, picture)
            and picture.doors is DoorPosition.OPEN
            and picture.level == level_of(lane, graph)
        )

    # -- what is held ---------------------------------------------------------------------------------------------

    def hold_what_is_needed(self, needs: Mapping[RobotId, Whereabouts]) -> None:
        """Hold the doors and lifts on the lanes of every robot and around it, and only then let go of all others."""
        doors, lifts = self._held()
        wanted = {robot: self._needed(robot, where, doors[robot], lifts[robot]) for robot, where in needs.items()}
        for robot, (needed, _) in wanted.items():
            for door in sorted(needed):
                self._hold_door(door, robot)
        for robot, (_, needed) in wanted.items():
            for lift in sorted(needed - self._lifts[robot]):
                if self._is_known_to(lift, robot, needs[robot]):
                    self._hold_lift(lift, self._level_needed(lift, robot, needs[robot]), robot)
            self._stay_for_people(robot, needs[robot])
        for robot, (needed_doors, needed_lifts) in wanted.items():
            for door in sorted(doors[robot] - needed_doors):
                self._building.release_door(door, robot)
                self._doors[robot].discard(door)
            for lift in sorted(lifts[robot] - needed_lifts):
                self._building.release_lift(lift, robot)
                self._lifts[robot].discard(lift)

    def _is_known_to(self, lift: LiftId, robot: RobotId, where: Whereabouts) -> bool:
        """Whether a lift may be asked for a robot: with the robot inside, perhaps with people, not before it was heard.

        Until then the lift keeps to what it was asked last, and to the load in its cabin.
        """
        is_inside = where.place is not None and self._fleet.graph_of(robot).waypoints[where.place].lift == lift
        return not is_inside or self._building.lifts()[lift].doors.is_told

    def _stay_for_people(self, robot: RobotId, where: Whereabouts) -> None:
        """Have the lift that a robot is in stand open where it is while people are in it, until they are out."""
        lift = None if where.place is None else self._fleet.graph_of(robot).waypoints[where.place].lift
        picture = None if lift is None else self._building.lifts()[lift]
        if lift is None or picture is None or picture.level is None:
            return  # between levels it goes on: it is not stopped there with people in it
        if (picture.is_occupied or where.is_crowded) and lift in self._lifts[robot]:
            self._hold_lift(lift, picture.level, robot)

    def _is_left_to_people(self, lift: LiftId, graph: LaneGraph, where: Whereabouts) -> bool:
        """Whether a robot gives a lift back while people are in it: it is outside, and its base does not lead in."""
        if where.place is None or not self._building.lifts()[lift].is_occupied:
            return False
        base = (graph.lanes[lane] for lane in where.lanes[: where.released])
        return graph.waypoints[where.place].lift != lift and all(lift_of(lane, graph) != lift for lane in base)

    def _held(self) -> tuple[dict[RobotId, set[DoorId]], dict[RobotId, set[LiftId]]]:
        """Return what is held for each robot: by us, or left behind by an orchestrator before us."""
        doors = {robot: set(held) for robot, held in self._doors.items()}
        lifts = {robot: set(held) for robot, held in self._lifts.items()}
        for device, robot in self._building.left_behind():
            if robot in doors and device in self._fleet.site.doors:
                doors[robot].add(DoorId(device))
            if robot in lifts and device in self._fleet.site.lifts:
                lifts[robot].add(LiftId(device))
        return doors, lifts

    def _needed(
        self, robot: RobotId, where: Whereabouts, held_doors: set[DoorId], held_lifts: set[LiftId]
    ) -> tuple[set[DoorId], set[LiftId]]:
        """Return the doors and lifts that a robot needs: those on its lanes, and those its tail may still be in."""
        graph, site = self._fleet.graph_of(robot), self._fleet.site
        lanes = [graph.lanes[lane] for lane in where.lanes]
        doors = {lane.door for lane in lanes if lane.door and site.doors[lane.door].is_motorised}
        lifts = {lift for lane in lanes if (lift := lift_of(lane, graph)) is not None}
        if where.place is None:
            return doors | held_doors, lifts | held_lifts
        place, around_m = graph.waypoints[where.place], self._fleet.models[robot].radius_m + MARGIN_M
        doors |= {door for door in held_doors if _is_at_door(place, site.doors[door], within_m=around_m)}
        lifts |= {lift for lift in held_lifts if _is_at_lift(place, site.lifts[lift], within_m=around_m)}
        lifts = {lift for lift in lifts if not self._is_left_to_people(lift, graph, where)}
        return doors, lifts | ({place.lift} if place.lift else set())

    def _level_needed(self, lift: LiftId, robot: RobotId, where: Whereabouts) -> LevelId:
        """Return where a lift has to be that is asked for again: where the robot boards, stands, or gets out."""
        graph, picture = self._fleet.graph_of(robot), self._building.lifts()[lift]
        if picture.is_occupied and picture.level is not None:
            return picture.level
        for lane_id in where.lanes:
            lane = graph.lanes[lane_id]
            if lift_of(lane, graph) == lift:
                return level_of(lane, graph)
        if where.place is not None:
            return graph.waypoints[where.place].level
        return self._fleet.site.lifts[lift].levels[0]

    def _hold_door(self, door: DoorId, robot: RobotId) -> None:
        self._building.hold_door(door, robot, purpose="passage")
        self._doors[robot].add(door)

    def _hold_lift(self, lift: LiftId, level: LevelId, robot: RobotId) -> None:
        self._building.hold_lift(lift, level, robot, purpose=f"at {level}")
        self._lifts[robot].add(lift)


def _up_to_a_stopping_place(lanes: Sequence[LaneId], graph: LaneGraph) -> int:
    """Return how many of the lanes lead to a place where the robot may wait for a door; in a cabin it has to."""
    for count in range(len(lanes), 0, -1):
        end = graph.waypoints[graph.lanes[lanes[count - 1]].end]
        if end.may_stop or end.lift is not None:
            return count
    return 0


def lift_of(lane: Lane, graph: LaneGraph) -> LiftId | None:
    """Return the lift that a lane leads into, rides in or leads out of; None for all others."""
    return graph.waypoints[lane.end].lift or graph.waypoints[lane.start].lift


def _is_ride(lane: Lane, graph: LaneGraph) -> bool:
    return graph.waypoints[lane.start].lift is not None and graph.waypoints[lane.end].lift is not None


def level_of(lane: Lane, graph: LaneGraph) -> LevelId:
    """Return the level at which the cabin has to stand for a lane into it, in it, or out of it."""
    start, end = graph.waypoints[lane.start], graph.waypoints[lane.end]
    return end.level if end.lift is not None else start.level


def _is_at_door(place: Waypoint, door: Door, *, within_m: float) -> bool:
    if place.level != door.level:
        return False
    return distance_to_segment((place.x_m, place.y_m), door.start, door.end) <= within_m


def _is_at_lift(place: Waypoint, lift: Lift, *, within_m: float) -> bool:
    if place.level not in lift.levels:
        return False
    distance_m = distance_to_rectangle(
        (place.x_m, place.y_m),
        (lift.x_m, lift.y_m),
        yaw_rad=lift.yaw_rad,
        width_m=lift.width_m,
        depth_m=lift.depth_m,
    )
    return distance_m <= within_m
