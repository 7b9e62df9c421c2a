"""Which fleets may be joined with a site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from orchestrator.application.fleet import FleetOnSite, FleetPolicy, FleetSettingError, NotClearedError, assemble_fleet
from orchestrator.domain.fleet.model import Commissioning, ModelId, Robot, RobotId
from orchestrator.domain.site.model import GraphId, StationId
from tests.support.traffic_world import TWIN_GRAPH, a_twin
from tests.support.traffic_world import twin as twin_of
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


def test_a_hardware_robot_is_refused_while_nothing_can_clear_a_lane_for_it_20() -> None:
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


def a_second_graph(*, beside_m: float) -> tuple[FleetOnSite, StationId]:
    """Return the fleet on a site with a twin of its graph, and a resting place that the twin alone has."""
    fleet = assembled(ROBOTS)
    twin = a_twin(fleet.graph_of(FIRST), shift_m=beside_m)
    nook = replace(
        fleet.home_of(FIRST), id=StationId("nook"), waypoints={twin.id: twin_of(fleet.home_waypoint_of(FIRST))}
    )
    site = replace(SITE, graphs={**SITE.graphs, twin.id: twin}, stations={**SITE.stations, nook.id: nook})
    return replace(fleet, site=site), nook.id


def of_two_models(fleet: FleetOnSite, home: StationId) -> FleetOnSite:
    """Assemble the first robot, and the second as one of another model that lives at ``home`` on the twin graph."""
    cart = replace(CAST.model, id=ModelId("cart"), graph=TWIN_GRAPH)
    robots = {FIRST: ROBOTS[FIRST], SECOND: replace(ROBOTS[SECOND], model=cart.id, home=home)}
    models = {FIRST: CAST.model, SECOND: cart}
    return assemble_fleet(site=fleet.site, robots=robots, models=models, policy=FleetPolicy())


def test_two_models_on_two_lane_graphs_are_one_fleet_and_each_robot_has_the_places_of_its_own_graph() -> None:
    fleet = of_two_models(*a_second_graph(beside_m=3.0))

    assert fleet.graphs == (CAST.graph, TWIN_GRAPH)
    assert fleet.graph_of(SECOND).id == TWIN_GRAPH
    assert fleet.home_waypoint_of(SECOND) in fleet.graph_of(SECOND).waypoints
    assert fleet.serves(StationId("nook"))
    assert fleet.reaches(SECOND, StationId("nook"))
    assert not fleet.reaches(FIRST, StationId("nook"))
    with pytest.raises(FleetSettingError, match=f"nook has no waypoint on lane graph {CAST.graph} of robot {FIRST}"):
        fleet.waypoint_of(FIRST, StationId("nook"))


def test_homes_on_two_lane_graphs_that_overlap_are_refused_with_both_robots_and_both_homes() -> None:
    home = ROBOTS[FIRST].home

    with pytest.raises(FleetSettingError, match=f"homes of robots {FIRST} and {SECOND}, {home} and nook, overlap"):
        of_two_models(*a_second_graph(beside_m=0.5))


def test_a_graph_that_the_site_does_not_have_is_refused_and_those_it_has_are_named() -> None:
    with pytest.raises(FleetSettingError, match="it has main"):
        assembled(ROBOTS, graph=GraphId("elsewhere"))
