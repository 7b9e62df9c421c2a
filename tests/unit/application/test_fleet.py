"""Which fleets may be joined with a site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from orchestrator.application.fleet import FleetOnSite, FleetPolicy, FleetSettingError, NotClearedError, assemble_fleet
from orchestrator.domain.fleet.model import Commissioning, Robot, RobotId
from orchestrator.domain.site.model import GraphId, StationId
from tests.support.wards import a_cast, demo_hospital

SITE = demo_hospital()
CAST = a_cast(SITE, robots=2)
ROBOTS = {robot.id: robot for robot in CAST.robots}
FIRST, SECOND = sorted(ROBOTS)


def assembled(robots: Mapping[RobotId, Robot], *, graph: GraphId = CAST.graph) -> FleetOnSite:
    model = replace(CAST.model, graph=graph)
    return assemble_fleet(site=SITE, robots=robots, models=dict.fromkeys(robots, model), policy=FleetPolicy())


def test_robots_with_homes_of_their_own_on_one_graph_are_a_fleet() -> None:
    fleet = assembled(ROBOTS)

    assert fleet.home_waypoint_of(FIRST) != fleet.home_waypoint_of(SECOND)


def test_a_hardware_robot_is_refused_while_nothing_can_clear_a_lane_for_it() -> None:
    robots = {**ROBOTS, FIRST: replace(ROBOTS[FIRST], commissioning=Commissioning.HARDWARE)}

    with pytest.raises(NotClearedError, match=f"{FIRST} was refused.*hardware"):
        assembled(robots)


def test_a_fleet_without_robots_is_refused() -> None:
    with pytest.raises(FleetSettingError, match="no robot"):
        assembled({})


def test_two_robots_with_one_home_are_refused_by_name() -> None:
    robots = {**ROBOTS, SECOND: replace(ROBOTS[SECOND], home=ROBOTS[FIRST].home)}

    with pytest.raises(FleetSettingError, match=f"{FIRST} and {SECOND} share the home"):
        assembled(robots)


def test_a_home_that_is_not_on_the_graph_is_refused() -> None:
    robots = {**ROBOTS, SECOND: replace(ROBOTS[SECOND], home=StationId("nowhere"))}

    with pytest.raises(FleetSettingError, match="not on its lane graph"):
        assembled(robots)


def test_a_graph_that_the_site_does_not_have_is_refused_and_those_it_has_are_named() -> None:
    with pytest.raises(FleetSettingError, match="it has main"):
        assembled(ROBOTS, graph=GraphId("elsewhere"))
