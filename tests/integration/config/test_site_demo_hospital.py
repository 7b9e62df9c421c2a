from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest

from orchestrator.adapters.config.built_in import DEFAULT_POLICY, DEMO_FLEET, DEMO_SITE, ROBOT_MODELS, built_in
from orchestrator.adapters.config.fleet_file import load_fleet
from orchestrator.adapters.config.policy_file import load_policies
from orchestrator.adapters.config.robot_model_file import load_robot_models
from orchestrator.adapters.config.schemas import schema_texts
from orchestrator.adapters.config.site_file import load_site
from orchestrator.domain.errors import NotFoundError
from orchestrator.domain.policies import VerificationMoment
from orchestrator.domain.site.geometry import is_crossing
from orchestrator.domain.site.graph import adjacency_of, one_of_each_pair
from orchestrator.domain.site.linter import check_site
from orchestrator.domain.site.model import GraphId, LaneGraph, Site, StationKind

ROBOTS_PASS_M = 1.4
"""Two robots of 0.35 m radius need this to pass each other."""


@cache
def demo_site() -> Site:
    return load_site(built_in(DEMO_SITE))


def demo_graph() -> LaneGraph:
    return demo_site().graphs[GraphId("main")]


def stations_of(kind: StationKind) -> list[str]:
    return [station.id for station in demo_site().stations.values() if station.kind is kind]


def narrow_lanes() -> list[str]:
    return [lane.id for lane in one_of_each_pair(demo_graph()) if lane.width_m and lane.width_m < ROBOTS_PASS_M]


def test_the_demo_hospital_is_sound_for_its_robots() -> None:
    (note,) = check_site(demo_site(), load_robot_models(built_in(ROBOT_MODELS)).values())
    assert note.sentence.startswith("No lane leads through doors pharmacy_staff_door, main_entrance, ")


def test_the_demo_hospital_has_what_a_hospital_needs() -> None:
    assert len(demo_site().levels) == 2
    assert len(demo_site().lifts) == 1
    assert len(stations_of(StationKind.PHARMACY_HATCH)) == 2
    assert len(stations_of(StationKind.WARD_HANDOVER)) == 4
    assert len(stations_of(StationKind.BEDSIDE)) >= 8
    assert len(stations_of(StationKind.CHARGER)) >= 3


@pytest.mark.parametrize("level", ["ground", "first"])
def test_each_floor_has_two_wards_with_beds(level: str) -> None:
    on_level = [station for station in demo_site().stations.values() if station.level == level]
    assert sum(station.kind is StationKind.WARD_HANDOVER for station in on_level) == 2
    assert sum(station.kind is StationKind.BEDSIDE for station in on_level) >= 4


def test_the_narrow_corridor_is_one_straight_stretch() -> None:
    graph = demo_graph()
    lanes = [graph.lanes[id] for id in graph.lanes if id in narrow_lanes()]
    ends = [graph.waypoints[id] for lane in lanes for id in (lane.start, lane.end)]
    assert {waypoint.y_m for waypoint in ends} == {20.0}
    assert all(lane.end == following.start for lane, following in pairwise(lanes))


def test_every_delivery_crosses_the_narrow_corridor() -> None:
    graph, site = demo_graph(), demo_site()
    closed = [id for id in graph.lanes if id in narrow_lanes() or graph.lanes[id].reverse in narrow_lanes()]
    adjacency = adjacency_of(graph)
    for hatch in (station for station in site.stations.values() if station.kind is StationKind.PHARMACY_HATCH):
        reached = adjacency.reachable_from(hatch.waypoints[graph.id], closed=closed)
        for station in site.stations.values():
            if station.kind in (StationKind.WARD_HANDOVER, StationKind.BEDSIDE):
                assert station.waypoints[graph.id] not in reached


def test_a_door_named_on_a_lane_is_the_one_it_crosses() -> None:
    graph, site = demo_graph(), demo_site()
    crossed = {lane.door for lane in graph.lanes.values() if lane.door is not None}
    assert crossed == {"corridor_door", "alder_door", "birch_door", "cedar_door", "damson_door"}
    for lane in graph.lanes.values():
        start, end = graph.waypoints[lane.start], graph.waypoints[lane.end]
        for door in site.doors.values():
            if door.level == start.level == end.level:
                is_crossed = is_crossing((start.x_m, start.y_m), (end.x_m, end.y_m), door.start, door.end)
                assert is_crossed is (lane.door == door.id)


def test_the_demo_fleet_lives_in_the_demo_hospital() -> None:
    models = load_robot_models(built_in(ROBOT_MODELS))
    fleet = load_fleet(built_in(DEMO_FLEET), site=demo_site(), models=models)
    assert len(fleet.robots) == 3
    assert len({robot.home for robot in fleet.robots.values()}) == 3


def test_the_default_policy_verifies_at_queueing() -> None:
    policies = load_policies(built_in(DEFAULT_POLICY))
    assert policies.verification is VerificationMoment.QUEUEING
    assert policies.wait_before_priority_s == 15.0


def test_the_committed_schemas_are_those_of_the_code() -> None:
    folder = built_in("schemas")
    committed = {path.name: path.read_text() for path in folder.glob("*.schema.json")}
    assert committed == schema_texts(), "run: python -m orchestrator.adapters.config.schemas"


def test_a_changed_site_has_another_revision(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("site") / "moved.site.yaml"
    file.write_text(
        built_in(DEMO_SITE)
        .read_text()
        .replace("corridor_1: {level: ground, x: 22.6", "corridor_1: {level: ground, x: 22.7")
    )
    moved = load_site(file)
    assert moved.revision != demo_site().revision
    assert replace(moved, revision="") != replace(demo_site(), revision="")


def test_a_built_in_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(NotFoundError, match="no_such"):
        built_in("sites/no_such.site.yaml")
