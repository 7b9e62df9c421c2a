"""Doors and lifts on the way: no lane through one is released before the device itself is open."""

from __future__ import annotations

import math
import statistics

import pytest

from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.device import DoorPosition
from orchestrator.domain.site.model import DoorId, Lane, LaneGraph, LaneId, WaypointId, ZoneId
from simulation.building import DeviceTimes
from simulation.ward import SimulatedWard
from tests.support.wards import a_demand, a_fleet, building_over_broker, demo_hospital

SOON_S = 0.15
"""In this time the device has said that it is open, and the update with the way through has left."""


class ReleaseWatch:
    """Looks at every lane in the moment in which it is released to a robot."""

    def __init__(self, ward: SimulatedWard) -> None:
        self._ward = ward
        self._known: dict[RobotId, tuple[str, int]] = {}
        self.doors_passed = 0
        self.lifts_passed = 0
        self.ends: set[WaypointId] = set()
        ward.control.observers.append(self._look)

    def _look(self) -> None:
        for picture in self._ward.control.picture().robots:
            order = picture.record.order
            if order is None:
                continue
            known_order, known = self._known.get(picture.id, ("", 0))
            first = known if known_order == order.id else 0
            self._known[picture.id] = (order.id, order.released)
            for step in order.steps[first : order.released]:
                if step.lane is not None:
                    self._check(picture.id, step.lane)
                    self.ends.add(order.decision_point.waypoint)

    def _check(self, robot: RobotId, lane_id: LaneId) -> None:
        graph = self._ward.control.fleet.graph_of(robot)
        lane = graph.lanes[lane_id]
        picture = self._ward.control.picture()
        if lane.door is not None:
            assert picture.doors[lane.door].position is DoorPosition.OPEN, (
                f"{lane_id} was released through a closed door"
            )
            self.doors_passed += 1
        self._check_lift(lane, graph)

    def _check_lift(self, lane: Lane, graph: LaneGraph) -> None:
        start, end = (graph.waypoints[w] for w in (lane.start, lane.end))
        lift = end.lift or start.lift
        if lift is None:
            return
        cabin = self._ward.control.picture().lifts[lift]
        assert cabin.level == end.level, f"{lane.id} was released while the cabin is elsewhere"
        assert cabin.doors is DoorPosition.OPEN, f"{lane.id} was released before the lift had opened"
        self.lifts_passed += 1


def a_ward(*, device_times: DeviceTimes | None = None, is_over_broker: bool = False) -> SimulatedWard:
    site = demo_hospital()
    return SimulatedWard(
        a_fleet(site),
        asked=a_demand(site, count=8, seed=4),
        seed=4,
        device_times=device_times,
        building_over_broker=building_over_broker(site) if is_over_broker else None,
    )


@pytest.mark.parametrize("is_over_broker", [False, True])
def test_no_lane_is_released_through_a_door_or_a_lift_that_is_not_open(is_over_broker: bool) -> None:
    ward = a_ward(is_over_broker=is_over_broker)
    watch = ReleaseWatch(ward)

    outcome = ward.run(limit_s=7200.0)

    assert outcome.is_finished
    assert b"device_not_open" not in outcome.log
    assert watch.doors_passed > 0
    assert watch.lifts_passed > 0


class OpenedDoors:
    """How long after each opening of a door the first lane through it was released, seconds."""

    def __init__(self, ward: SimulatedWard) -> None:
        self._ward = ward
        self._released: dict[RobotId, tuple[str, int]] = {}
        self.waited_s: dict[tuple[DoorId, float], float] = {}
        ward.control.observers.append(self._look)

    def _look(self) -> None:
        for picture in self._ward.control.picture().robots:
            order = picture.record.order
            if order is None or self._released.get(picture.id) == (order.id, order.released):
                continue
            known_order, known = self._released.get(picture.id, ("", 0))
            self._released[picture.id] = (order.id, order.released)
            lanes = self._ward.control.fleet.graph_of(picture.id).lanes
            new = order.base[known if known_order == order.id else 0 :]
            for door in {door for step in new if step.lane and (door := lanes[step.lane].door) is not None}:
                opened_s = self._ward.machines.doors[door].settles_s()
                self.waited_s.setdefault((door, opened_s), self._ward.clock.monotonic_s() - opened_s)


@pytest.mark.parametrize("is_over_broker", [False, True])
def test_a_robot_before_a_door_goes_on_as_soon_as_it_has_opened(is_over_broker: bool) -> None:
    ward = a_ward(is_over_broker=is_over_broker)
    doors = OpenedDoors(ward)

    assert ward.run(limit_s=7200.0).is_finished
    assert len(doors.waited_s) > 10
    assert statistics.median(doors.waited_s.values()) <= SOON_S


def test_robots_stop_before_doors_that_never_open_and_say_so() -> None:
    ward = a_ward(device_times=DeviceTimes(door_s=math.inf))
    watch = ReleaseWatch(ward)

    outcome = ward.run(limit_s=1200.0)

    assert not outcome.is_finished
    assert watch.doors_passed == 0
    waiting = {reason.code for p in ward.control.picture().robots for reason in p.record.waiting}
    assert "door_closed" in waiting


@pytest.mark.parametrize("door_s", [3.0, math.inf])
def test_nothing_is_released_to_end_on_an_escape_route_whether_its_door_opens_or_not(door_s: float) -> None:
    ward = a_ward(device_times=DeviceTimes(door_s=door_s))
    watch = ReleaseWatch(ward)
    fleet = ward.control.fleet
    corridor = fleet.site.zones[ZoneId("corridor_escape")].waypoints_of(fleet.graph_of(RobotId("robot-1")))

    ward.run(limit_s=1200.0)

    assert "corridor_w" in watch.ends, "robots came as far as the corridor"
    assert not watch.ends & corridor


def test_robots_stay_in_the_lobby_while_the_lift_never_opens_and_say_so() -> None:
    ward = a_ward(device_times=DeviceTimes(lift_door_s=math.inf))
    watch = ReleaseWatch(ward)

    ward.run(limit_s=1200.0)

    assert watch.lifts_passed == 0
    waiting = {reason.code for p in ward.control.picture().robots for reason in p.record.waiting}
    assert "lift_not_here" in waiting
