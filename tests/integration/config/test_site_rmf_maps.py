from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.adapters.config.rmf.importer import import_building, report_lines
from orchestrator.adapters.config.rmf.nav_graph import export_nav_graph, graph_named
from orchestrator.adapters.config.site_file import load_site
from orchestrator.adapters.config.site_writing import site_file_text
from orchestrator.domain.site.linter import Severity, check_site
from orchestrator.domain.site.model import GraphId, Site, StationKind
from orchestrator.domain.site.resting import RestingPlaces
from tests.support.shared_data import shared_data

GRAPHS = [("office", "0"), ("clinic", "0"), ("clinic", "1")]
A_MILLIMETRE = 0.001


def building_file(name: str) -> Path:
    return shared_data() / "maps" / name / f"{name}.building.yaml"


@cache
def imported(name: str) -> Site:
    return import_building(building_file(name))[0]


def reference_graph(name: str, graph: str) -> dict[str, Any]:
    text = (shared_data() / "maps" / name / "nav_graphs" / f"{graph}.yaml").read_text()
    return yaml.safe_load(text)


def lanes_of(level: dict[str, Any]) -> list[list[Any]]:
    return sorted(level["lanes"], key=lambda lane: lane[:2])


@pytest.mark.parametrize(("name", "graph"), GRAPHS)
def test_every_vertex_and_directed_lane_of_the_generated_graph_is_met(name: str, graph: str) -> None:
    reference = reference_graph(name, graph)
    site = imported(name)
    found = site.graphs[GraphId(graph)]
    for level, expected in reference["levels"].items():
        waypoints = [waypoint for waypoint in found.waypoints.values() if waypoint.level == level]
        assert len(waypoints) == len(expected["vertices"])
        for waypoint, (x, y, properties) in zip(waypoints, expected["vertices"], strict=True):
            assert math.hypot(waypoint.x_m - x, waypoint.y_m - y) < A_MILLIMETRE
            assert waypoint.name == properties["name"]
        ids = [waypoint.id for waypoint in waypoints]
        lanes = [(lane.start, lane.end) for lane in found.lanes.values() if lane.start in ids and lane.end in ids]
        assert sorted(lanes) == sorted((ids[start], ids[end]) for start, end, _ in expected["lanes"])


@pytest.mark.parametrize(("name", "graph"), GRAPHS)
def test_import_then_export_gives_the_reference_graph_back(name: str, graph: str, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.site.yaml"
    file.write_text(site_file_text(imported(name)))
    site = load_site(file)
    exported = yaml.safe_load(export_nav_graph(site, graph_named(site, graph)))
    reference = reference_graph(name, graph)
    assert exported.keys() == reference.keys()
    assert exported["building_name"] == reference["building_name"]
    assert list(exported["levels"]) == list(reference["levels"])
    for level, expected in reference["levels"].items():
        assert lanes_of(exported["levels"][level]) == lanes_of(expected)
        for (x, y, properties), (x_expected, y_expected, properties_expected) in zip(
            exported["levels"][level]["vertices"], expected["vertices"], strict=True
        ):
            assert math.hypot(x - x_expected, y - y_expected) < A_MILLIMETRE
            assert properties == properties_expected
    assert exported["doors"].keys() == reference["doors"].keys()
    for door, expected in reference["doors"].items():
        assert exported["doors"][door]["map"] == expected["map"]
        for end, end_expected in zip(exported["doors"][door]["endpoints"], expected["endpoints"], strict=True):
            assert math.dist(end, end_expected) < A_MILLIMETRE
    assert exported["lifts"].keys() == reference["lifts"].keys()
    for lift, expected in reference["lifts"].items():
        assert exported["lifts"][lift]["dims"] == expected["dims"]
        assert exported["lifts"][lift]["position"] == pytest.approx(expected["position"], abs=A_MILLIMETRE)


@pytest.mark.parametrize(("name", "graph"), GRAPHS)
def test_lanes_of_an_export_stand_in_the_order_of_the_reference(name: str, graph: str) -> None:
    site = imported(name)
    exported = yaml.safe_load(export_nav_graph(site, graph_named(site, graph)))
    for level, expected in reference_graph(name, graph)["levels"].items():
        assert exported["levels"][level]["lanes"] == expected["lanes"]


@pytest.mark.parametrize("name", ["office", "clinic"])
def test_the_file_of_an_imported_site_reads_back_as_the_same_site(name: str, tmp_path: Path) -> None:
    site = imported(name)
    file = tmp_path / f"{name}.site.yaml"
    file.write_text(site_file_text(site))
    assert load_site(file) == site


@pytest.mark.parametrize("name", ["office", "clinic"])
def test_an_imported_map_has_no_findings_but_that_many_doors_are_not_for_robots(name: str) -> None:
    assert [(finding.code, finding.severity) for finding in check_site(imported(name))] == [
        ("doors_without_lane", Severity.NOTE)
    ]


@pytest.mark.parametrize(("name", "graph"), GRAPHS)
def test_three_robots_can_live_on_an_imported_map(name: str, graph: str) -> None:
    site = imported(name)
    resting = [station.id for station in site.stations.values() if station.kind.is_resting_place]
    assert sum(GraphId(graph) in site.stations[id].waypoints for id in resting) >= 4
    assert RestingPlaces(site, radius_m=0.375).first_cut_off(resting) is None


@pytest.mark.parametrize("name", ["office", "clinic"])
def test_an_imported_map_has_somewhere_to_load_and_somewhere_to_deliver(name: str) -> None:
    kinds = [station.kind for station in imported(name).stations.values() if GraphId("0") in station.waypoints]
    assert StationKind.PHARMACY_HATCH in kinds
    assert StationKind.WARD_HANDOVER in kinds


def test_lifts_of_the_clinic_join_its_levels_on_both_graphs() -> None:
    for graph in imported("clinic").graphs.values():
        rides = [
            lane
            for lane in graph.lanes.values()
            if graph.waypoints[lane.start].level != graph.waypoints[lane.end].level
        ]
        assert {graph.waypoints[lane.start].lift for lane in rides} == {"lift_1", "lift_25"}
        assert len(rides) == 4


def test_one_name_at_two_places_becomes_two_stations() -> None:
    stations = imported("clinic").stations
    first, second = (stations[id] for id in stations if id.startswith("L1_sub_waiting_area_4"))
    assert list(first.waypoints) == ["0"]
    assert list(second.waypoints) == ["1"]


def test_the_report_names_the_parking_spots_left_out() -> None:
    site, report = import_building(building_file("clinic"))
    text = "\n".join(report_lines(site, report))
    assert "resting place L1_left_nurse_center, because it is marked as a parking spot, but the name says" in text
