from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.adapters.config.rmf.building import MapNotImportableError, building_of_source
from orchestrator.adapters.config.rmf.importer import ImportReport, site_of_building
from orchestrator.adapters.config.rmf.nav_graph import UnknownGraphError, export_nav_graph, graph_named
from orchestrator.adapters.config.rmf.widths import width_from_walls_m
from orchestrator.adapters.config.source import ConfigFileError, parse_source
from orchestrator.domain.site.linter import check_site
from orchestrator.domain.site.model import (
    Door,
    DoorId,
    LaneGraph,
    LevelId,
    LiftId,
    Orientation,
    Site,
    StationId,
    StationKind,
    Wall,
)

GROUND = LevelId("L1")


def a_lane(start: int, end: int, **properties: Any) -> list[Any]:
    known: dict[str, Any] = {"bidirectional": [4, True], "graph_idx": [2, 0]}
    return [start, end, known | properties]


def a_building() -> dict[str, Any]:
    """A hatch, a ward, a charger and a parking spot on a cross of lanes; ten drawing units a metre."""
    corners = [(0, 0, "pharmacy"), (100, 0, ""), (200, 0, "nurse_1"), (100, 50, "charger"), (100, -50, "spot")]
    level: dict[str, Any] = {
        "elevation": 0,
        "vertices": [[x, y, 0, name, {}] for x, y, name in corners],
        "lanes": [a_lane(0, 1), a_lane(1, 2), a_lane(1, 3), a_lane(1, 4)],
        "measurements": [[0, 2, {"distance": [3, 20.0]}]],
        "fiducials": [[0, 0, 1], [200, 0, 2]],
        "doors": [],
        "walls": [],
    }
    level["vertices"][3][4] = {"is_charger": [4, True]}
    level["vertices"][4][4] = {"is_parking_spot": [4, True]}
    return {"name": "test", "levels": {"L1": level}, "lifts": {}}


def imported(building: dict[str, Any]) -> tuple[Site, ImportReport]:
    return site_of_building(building_of_source(parse_source(json.dumps(building, indent=1), Path("t.building.yaml"))))


def graph_of(building: dict[str, Any]) -> LaneGraph:
    (graph,) = imported(building)[0].graphs.values()
    return graph


def second_level(building: dict[str, Any]) -> dict[str, Any]:
    level = copy.deepcopy(building["levels"]["L1"])
    level["elevation"] = 4
    for vertex in level["vertices"]:
        vertex[3] = f"up_{vertex[3]}" if vertex[3] else ""
    building["levels"]["L2"] = level
    return level


def exported(building: dict[str, Any]) -> dict[str, Any]:
    site, _ = imported(building)
    return yaml.safe_load(export_nav_graph(site, graph_named(site, "0")))


def test_pixels_become_metres_with_y_upwards() -> None:
    graph = graph_of(a_building())
    places = {waypoint.name: (waypoint.x_m, waypoint.y_m) for waypoint in graph.waypoints.values()}
    assert places["nurse_1"] == (20.0, 0.0)
    assert places["charger"] == (10.0, -5.0)


def test_kinds_are_guessed_from_properties_and_names() -> None:
    site, report = imported(a_building())
    assert {id: station.kind for id, station in site.stations.items()} == {
        "pharmacy": StationKind.PHARMACY_HATCH,
        "nurse_1": StationKind.WARD_HANDOVER,
        "charger": StationKind.CHARGER,
        "spot": StationKind.PARKING,
    }
    assert report.guesses["pharmacy"] == "the name says 'pharmacy'"


def without_measurements(building: dict[str, Any]) -> None:
    building["levels"]["L1"]["measurements"] = []


def with_a_measurement_of_nothing(building: dict[str, Any]) -> None:
    building["levels"]["L1"]["measurements"][0][2]["distance"] = [3, 0.0]


def with_one_shared_fiducial(building: dict[str, Any]) -> None:
    second_level(building)["fiducials"].pop()


def with_two_fiducials_on_one_point(building: dict[str, Any]) -> None:
    second_level(building)["fiducials"][1][:2] = [0, 0]


def in_degrees(building: dict[str, Any]) -> None:
    building["coordinate_system"] = "wgs84"


def in_nobody_knows_what(building: dict[str, Any]) -> None:
    building["coordinate_system"] = "furlongs"


def without_lanes(building: dict[str, Any]) -> None:
    building["levels"]["L1"]["lanes"] = []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without_measurements, "has no measurement"),
        (with_a_measurement_of_nothing, "says 0.0 m"),
        (with_one_shared_fiducial, "shares 1 fiducials"),
        (with_two_fiducials_on_one_point, "lie on one point"),
        (in_degrees, "degrees of longitude"),
        (in_nobody_knows_what, "furlongs"),
        (without_lanes, "no lane"),
    ],
)
def test_a_map_that_cannot_be_in_metres_is_refused_with_a_sentence(spoil: Any, said: str) -> None:
    building = a_building()
    spoil(building)
    with pytest.raises(MapNotImportableError, match=said) as refused:
        imported(building)
    assert refused.value.complaints[0].remedy
    assert "expected" in refused.value.message


def without_a_place(level: dict[str, Any]) -> None:
    level["fiducials"], level["lanes"] = [], []


def test_a_level_whose_drawing_has_no_place_stays_a_level_and_its_drawing_is_left_out_and_said() -> None:
    building = a_building()
    level = second_level(building)
    without_a_place(level)
    level["walls"] = [[0, 1, {}]]
    site, report = imported(building)
    assert list(site.levels) == ["L1", "L2"]
    assert site.levels[LevelId("L2")].elevation_m == 4.0
    assert site.walls == ()
    assert "what is drawn on level L2" in report.left_out


def test_a_place_far_from_the_origin_is_refused_with_what_to_do() -> None:
    building: dict[str, Any] = a_building() | {"coordinate_system": "cartesian_meters"}
    for vertex in building["levels"]["L1"]["vertices"]:
        vertex[1] += 5_500_000.0
    with pytest.raises(MapNotImportableError, match="within 100 km of the origin") as refused:
        imported(building)
    assert "Subtract the offset" in refused.value.complaints[0].remedy


@pytest.mark.parametrize("index", [-1, 9])
def test_lanes_of_graphs_that_are_not_for_robots_are_passed_over(index: int) -> None:
    building = a_building()
    building["levels"]["L1"]["lanes"].append(a_lane(0, 3, graph_idx=[2, index]))
    assert list(imported(building)[0].graphs) == ["0"]


def test_cartesian_metres_are_taken_as_they_are() -> None:
    building = a_building() | {"coordinate_system": "cartesian_meters"}
    without_measurements(building)
    places = {waypoint.name: (waypoint.x_m, waypoint.y_m) for waypoint in graph_of(building).waypoints.values()}
    assert places["charger"] == (100.0, 50.0)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("lanes", [[0, 99, {}]], "Vertex 99"),
        ("lanes", [[0, True, {}]], "Vertex True"),
        ("lanes", {"a": 1}, "lanes"),
        ("vertices", [["x", 0, 0, ""]], "'x'"),
        ("vertices", [[0, 0, 0, "", {"a": [9, [1]]}]], "Property a"),
        ("vertices", [7], "not a list"),
        ("elevation", "high", "elevation"),
        ("fiducials", [[0]], "missing"),
    ],
)
def test_a_malformed_building_is_refused_with_its_line(key: str, value: Any, said: str) -> None:
    building = a_building()
    building["levels"]["L1"][key] = value
    with pytest.raises(ConfigFileError, match=said) as refused:
        imported(building)
    assert refused.value.complaints[0].line > 1


def test_the_last_door_crossed_counts_and_gives_the_width() -> None:
    building = a_building()
    level = building["levels"]["L1"]
    level["vertices"] += [[x, y, 0, ""] for x, y in ((50, -10), (50, 10), (60, -5), (60, 5))]
    level["doors"] = [[5, 6, {"name": [1, "first"]}], [7, 8, {"name": [1, "second"], "plugin": [1, "none"]}]]
    site, _ = imported(building)
    (graph,) = site.graphs.values()
    crossing = [lane for lane in graph.lanes.values() if lane.door is not None]
    assert [(lane.door, lane.width_m) for lane in crossing] == [("second", 1.0)] * 2
    assert not site.doors[DoorId("second")].is_motorised


def test_a_door_name_on_two_levels_stays_two_doors_of_that_name() -> None:
    building = a_building()
    level = building["levels"]["L1"]
    level["vertices"] += [[50, -10, 0, ""], [50, 10, 0, ""]]
    level["doors"] = [[5, 6, {"name": [1, "door"]}]]
    second_level(building)
    site, _ = imported(building)
    assert [(door.id, door.level, door.name) for door in site.doors.values()] == [
        ("door", "L1", ""),
        ("door_L2", "L2", "door"),
    ]


def test_one_way_lanes_and_orientations_and_limits_survive_the_round() -> None:
    building = a_building()
    building["levels"]["L1"]["lanes"][0] = a_lane(
        0, 1, bidirectional=[4, False], speed_limit=[3, 0.5], mutex=[1, "gate"]
    )
    building["levels"]["L1"]["lanes"][1] = a_lane(1, 2, orientation=[1, "forward"])
    lanes = exported(building)["levels"]["L1"]["lanes"]
    assert lanes[0] == [0, 1, {"speed_limit": 0.5, "mutex": "gate", "is_bidirectional": False}]
    assert lanes[1] == [1, 2, {"orientation_constraint": "forward"}]
    assert lanes[2] == [2, 1, {"orientation_constraint": "backward"}]
    lane = next(lane for lane in graph_of(building).lanes.values() if lane.orientation is Orientation.BACKWARD)
    assert lane.reverse is not None


def test_a_dock_is_named_on_the_way_in_and_out() -> None:
    building = a_building()
    building["levels"]["L1"]["vertices"][3][4] = {"dock_name": [1, "dock"]}
    lanes = exported(building)["levels"]["L1"]["lanes"]
    assert [1, 3, {"dock_name": "dock"}] in lanes
    assert [3, 1, {"undock_name": "dock"}] in lanes


def test_a_missing_bidirectional_means_one_way() -> None:
    building = a_building()
    del building["levels"]["L1"]["lanes"][0][2]["bidirectional"]
    assert sum(lane.reverse is None for lane in graph_of(building).lanes.values()) == 1


def test_lanes_drawn_twice_keep_different_ids() -> None:
    building = a_building()
    building["levels"]["L1"]["lanes"] += [a_lane(0, 1), a_lane(1, 0)]
    graph = graph_of(building)
    assert len(graph.lanes) == 12
    assert all(lane.reverse in graph.lanes for lane in graph.lanes.values())


def a_lift(**changes: Any) -> dict[str, Any]:
    known = {"x": 200, "y": 0, "yaw": 0.5, "width": 2, "depth": 2, "lowest_floor": "L1", "highest_floor": "L2"}
    return known | {"reference_floor_name": "L1", "level_doors": {"L1": ["d"], "L2": ["d"]}, "plugins": True} | changes


def test_a_lift_joins_the_waypoints_in_its_shaft_across_levels() -> None:
    building = a_building()
    second_level(building)
    building["lifts"] = {"lift": a_lift()}
    site, _ = imported(building)
    (graph,) = site.graphs.values()
    rides = [
        lane for lane in graph.lanes.values() if graph.waypoints[lane.start].level != graph.waypoints[lane.end].level
    ]
    assert len(rides) == 2
    assert {graph.waypoints[lane.start].lift for lane in rides} == {"lift"}
    assert not any(graph.waypoints[lane.start].may_stop for lane in rides)
    assert "nurse_1" not in site.stations
    assert all(len(level["lanes"]) == 8 for level in exported(building)["levels"].values())


@pytest.mark.parametrize("level_doors", [{}, {"L1": [], "L2": []}, {"cellar": ["d"]}])
def test_a_lift_without_doors_on_any_level_is_left_out_and_said(level_doors: dict[str, list[str]]) -> None:
    building = a_building()
    second_level(building)
    building["lifts"] = {"lift": a_lift(level_doors=level_doors)}
    site, report = imported(building)
    assert site.lifts == {}
    assert all(waypoint.lift is None for graph in site.graphs.values() for waypoint in graph.waypoints.values())
    assert "no door on any level" in report.left_out["lift lift"]


def test_a_lift_drawn_on_a_level_without_a_place_is_left_out_and_said() -> None:
    building = a_building()
    without_a_place(second_level(building))
    building["lifts"] = {"lift": a_lift(reference_floor_name="L2")}
    site, report = imported(building)
    assert site.lifts == {}
    assert "L2" in report.left_out["lift lift"]


def test_a_lift_serves_a_level_whose_drawing_has_no_place() -> None:
    building = a_building()
    without_a_place(second_level(building))
    building["lifts"] = {"lift": a_lift()}
    assert imported(building)[0].lifts[LiftId("lift")].levels == ("L1", "L2")


def test_no_ride_leads_where_a_lift_has_no_door_and_a_waypoint_in_its_shaft_there_is_refused() -> None:
    building = a_building()
    second_level(building)
    building["lifts"] = {"lift": a_lift(level_doors={"L1": ["d"]})}
    site, _ = imported(building)
    (graph,) = site.graphs.values()
    assert site.lifts[LiftId("lift")].levels == ("L1",)
    assert all(graph.waypoints[lane.start].level == graph.waypoints[lane.end].level for lane in graph.lanes.values())
    refused = [finding.waypoint for finding in check_site(site) if finding.code == "waypoint_outside_lift"]
    assert [graph.waypoints[waypoint].level for waypoint in refused if waypoint] == ["L2"]


def test_a_parking_spot_on_the_way_is_no_resting_place() -> None:
    building = a_building()
    building["levels"]["L1"]["vertices"][1][3:] = ["middle", {"is_parking_spot": [4, True]}]
    site, report = imported(building)
    assert site.stations[StationId("middle")].kind is StationKind.OTHER
    assert "resting place middle" in report.left_out


def test_a_station_nobody_can_leave_is_left_out_and_said() -> None:
    building = a_building()
    building["levels"]["L1"]["lanes"][1] = a_lane(1, 2, bidirectional=[4, False])
    site, report = imported(building)
    assert "nurse_1" not in site.stations
    assert "station nurse_1 on graph 0" in report.left_out


def test_two_wards_of_one_name_on_two_levels_go_by_their_ids() -> None:
    building = a_building()
    second_level(building)["vertices"][2][3] = "nurse_1"
    building["lifts"] = {"lift": a_lift(x=100, y=50)}
    site, _ = imported(building)
    assert {id: each.name for id, each in site.stations.items() if id.startswith("nurse_1")} == {
        "nurse_1": "",
        "nurse_1_L2": "",
    }
    assert "station_name_twice" not in {finding.code for finding in check_site(site)}


def test_a_graph_without_marked_places_gets_named_dead_ends() -> None:
    building = a_building()
    building["levels"]["L1"]["vertices"][3][3:] = ["corner", {}]
    site, report = imported(building)
    assert [id for id, station in site.stations.items() if station.kind.is_resting_place] == ["corner", "spot"]
    assert "dead end" in report.guesses["corner"]


def test_an_unknown_graph_is_refused_with_those_there_are() -> None:
    site, _ = imported(a_building())
    with pytest.raises(UnknownGraphError, match="expected one of 0"):
        graph_named(site, "7")


WALLS = (Wall(GROUND, (0.0, 1.0), (10.0, 1.0)), Wall(GROUND, (0.0, -2.0), (10.0, -2.0)))


def test_width_is_twice_the_distance_to_the_nearest_wall() -> None:
    assert width_from_walls_m((1.0, 0.0), (9.0, 0.0), WALLS, None) == 2.0
    assert width_from_walls_m((1.0, 50.0), (9.0, 50.0), WALLS, None) == 5.0
    assert width_from_walls_m((1.0, 0.0), (1.0, 5.0), WALLS, None) == 0.0


def test_walls_at_the_jambs_of_a_door_do_not_narrow_its_lane() -> None:
    door = Door(DoorId("door"), GROUND, (5.0, 0.6), (5.0, -0.6))
    jambs = (Wall(GROUND, (5.0, 0.6), (5.0, 1.0)), Wall(GROUND, (5.0, -0.6), (5.0, -2.0)))
    assert width_from_walls_m((1.0, 0.0), (9.0, 0.0), WALLS + jambs, door) == 1.2
