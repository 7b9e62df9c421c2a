"""Every order that leaves a virtual ward leads along lanes of the site, whatever happens to robots on the way."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.geometry import distance_to_segment
from orchestrator.domain.site.model import WaypointId
from simulation.ward import SimulatedWard
from tests.support.wards import a_demand, a_fleet, demo_hospital

ROBOT = RobotId("robot-1")
"""Any of them: they all drive on one graph."""


class LaneWatch:
    """Hears every order message, and notes the stretches in it that are on no lane."""

    def __init__(self, ward: SimulatedWard) -> None:
        self._fleet = a_fleet(demo_hospital())
        self._lanes = self._fleet.graph_of(ROBOT).lanes.values()
        self.count = 0
        self.off_lane: list[tuple[str, str]] = []
        for robot in ward.robots.values():
            ward.listen(robot.address.topic("order"), self._hear)

    def _hear(self, _topic: str, payload: bytes) -> None:
        self.count += 1
        for one, other in itertools.pairwise(json.loads(payload)["nodes"]):
            if not self._is_on_a_lane(one, other["nodeId"]):
                self.off_lane.append((one["nodeId"], other["nodeId"]))

    def _is_on_a_lane(self, node: dict[str, Any], end: str) -> bool:
        """Whether a lane leads from one node to the other, or the robot stands on a lane that leads there."""
        if any((lane.start, lane.end) == (node["nodeId"], end) for lane in self._lanes):
            return True
        if not node["nodeId"].startswith("pose:"):
            return False
        pose = (node["nodePosition"]["x"], node["nodePosition"]["y"])
        ways = [(lane.start, lane.end) for lane in self._lanes if lane.end == end]
        return any(distance_to_segment(pose, self._point(a), self._point(b)) < 1.0 for a, b in ways)

    def _point(self, waypoint: WaypointId) -> tuple[float, float]:
        pose = self._fleet.pose_of(ROBOT, waypoint)
        return pose.x_m, pose.y_m


def test_no_order_leaves_the_lanes_on_a_quiet_day() -> None:
    site = demo_hospital()
    ward = SimulatedWard(a_fleet(site), asked=a_demand(site, count=8, seed=2), seed=2)
    watch = LaneWatch(ward)
    poses: list[str] = []
    for robot in ward.robots.values():
        ward.listen(robot.address.topic("order"), lambda _t, p: poses.append(json.loads(p)["nodes"][0]["nodeId"]))

    ward.run(limit_s=7200.0)

    assert watch.count > 20
    assert watch.off_lane == []
    assert not [node for node in poses if node.startswith("pose:")], "nobody ever stood off the lanes"


@pytest.mark.parametrize("at_s", [15.0, 40.0, 90.0])
def test_no_order_leaves_the_lanes_when_robots_lose_their_power(at_s: float) -> None:
    site = demo_hospital()
    ward = SimulatedWard(a_fleet(site), asked=a_demand(site, count=8, seed=2), seed=2)
    watch = LaneWatch(ward)
    for i, robot in enumerate(ward.robots.values()):
        ward.scheduler.at(at_s + 7.0 * i, robot.cut_power)
        ward.scheduler.at(at_s + 7.0 * i + 4.0, robot.switch_on)

    assert ward.run(limit_s=7200.0).is_finished
    assert watch.off_lane == []
