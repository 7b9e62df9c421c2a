from __future__ import annotations

from dataclasses import replace
from math import cos, radians, sin

import pytest

from orchestrator.domain.site.model import (
    Door,
    DoorId,
    Lane,
    LaneId,
    Level,
    LevelId,
    LiftId,
    Waypoint,
    WaypointId,
)
from orchestrator.domain.traffic.errors import UnknownPlaceError
from orchestrator.domain.traffic.resources import ResourceMap, compile_resources
from tests.support.traffic_world import LEVEL, a_graph, a_site


def compiled(places: dict[str, tuple[float, float]], ways: list[str], *, radius_m: float = 0.4) -> ResourceMap:
    graph = a_graph(places, ways)
    return compile_resources(a_site(graph), graph, radius_m=radius_m, margin_m=0.0)


def in_conflict(resources: ResourceMap) -> set[frozenset[str]]:
    pairs = (frozenset({one, other}) for one in resources.ids for other in resources.conflicting(one))
    return {pair for pair in pairs if len(pair) == 2}


def test_a_resource_conflicts_with_itself_and_both_directions_are_one_lane() -> None:
    resources = compiled({"a": (0, 0), "b": (5, 0)}, ["a-b"])

    assert resources.of_lane(LaneId("a>b")) == resources.of_lane(LaneId("b>a")) == {"lane:a>b"}
    assert resources.conflicting("lane:a>b") == {"lane:a>b"}


def test_waypoints_nearer_than_two_radii_conflict() -> None:
    near = compiled({"a": (0, 0), "b": (0.79, 0)}, [])
    far = compiled({"a": (0, 0), "b": (0.81, 0)}, [])

    assert in_conflict(near) == {frozenset({"waypoint:a", "waypoint:b"})}
    assert in_conflict(far) == set()


def test_a_lane_conflicts_with_a_waypoint_it_passes_but_not_with_its_own_ends() -> None:
    resources = compiled({"a": (0, 0), "b": (5, 0), "bay": (2.5, 0.7)}, ["a-b"])

    assert in_conflict(resources) == {frozenset({"lane:a>b", "waypoint:bay"})}


def test_crossing_lanes_conflict() -> None:
    resources = compiled({"a": (0, 0), "b": (6, 6), "c": (0, 6), "d": (6, 0)}, ["a-b", "c-d"])

    assert in_conflict(resources) == {frozenset({"lane:a>b", "lane:c>d"})}


@pytest.mark.parametrize(("angle_deg", "is_conflict"), [(30, True), (55, True), (65, False), (90, False), (180, False)])
def test_lanes_that_share_a_waypoint_conflict_only_when_they_run_close_beyond_it(
    angle_deg: float, is_conflict: bool
) -> None:
    end = (5 * cos(radians(angle_deg)), 5 * sin(radians(angle_deg)))
    resources = compiled({"a": (0, 0), "b": (5, 0), "c": end}, ["a-b", "a-c"])

    assert in_conflict(resources) == ({frozenset({"lane:a>b", "lane:a>c"})} if is_conflict else set())


def test_levels_do_not_conflict_with_each_other() -> None:
    graph = a_graph({"a": (0, 0), "b": (0.1, 0)}, [])
    upstairs = replace(graph.waypoints[WaypointId("b")], level=LevelId("upper"))
    graph = replace(graph, waypoints={**graph.waypoints, upstairs.id: upstairs})

    assert in_conflict(compile_resources(a_site(graph), graph, radius_m=0.4)) == set()


def test_a_cabin_holds_its_lift_on_every_level_and_so_do_the_lanes_in_and_out() -> None:
    lift, upper = LiftId("bed-lift"), LevelId("upper")
    low = Waypoint(WaypointId("low"), LEVEL, 3, 0, lift=lift)
    high = Waypoint(WaypointId("high"), upper, 3, 0, lift=lift)
    hall = Waypoint(WaypointId("hall"), LEVEL, 0, 0)
    lanes = (Lane(LaneId("in"), hall.id, low.id), Lane(LaneId("ride"), low.id, high.id))
    graph = replace(a_graph({}, []), waypoints={w.id: w for w in (low, high, hall)}, lanes={x.id: x for x in lanes})
    site = replace(a_site(graph), levels={LEVEL: Level(LEVEL), upper: Level(upper, 4.0)})
    resources = compile_resources(site, graph, radius_m=0.4)

    assert resources.of_waypoint(low.id) == {"waypoint:low", "lift:bed-lift"}
    assert resources.of_waypoint(high.id) == {"waypoint:high", "lift:bed-lift"}
    assert resources.of_lane(LaneId("in")) == {"lane:in", "lift:bed-lift"}
    assert resources.of_lane(LaneId("ride")) == {"lane:ride", "lift:bed-lift"}


def test_a_lane_holds_the_door_it_leads_through() -> None:
    graph = a_graph({"a": (0, 0), "b": (5, 0)}, ["a>b"])
    door = Door(DoorId("fire-door"), LEVEL, (2, -1), (2, 1))
    lane = replace(graph.lanes[LaneId("a>b")], door=door.id)
    graph = replace(graph, lanes={lane.id: lane})
    resources = compile_resources(replace(a_site(graph), doors={door.id: door}), graph, radius_m=0.4)

    assert resources.of_lane(lane.id) == {"lane:a>b", "door:fire-door"}


def test_a_robot_on_its_way_holds_where_it_is_and_all_it_was_granted() -> None:
    graph = a_graph({"a": (0, 0), "b": (5, 0), "c": (9, 0)}, ["a-b", "b-c"])
    resources = compile_resources(a_site(graph), graph, radius_m=0.4)

    held = resources.of_route(WaypointId("a"), [LaneId("a>b"), LaneId("b>c")], graph)

    assert held == {"waypoint:a", "lane:a>b", "waypoint:b", "lane:b>c", "waypoint:c"}


def test_what_the_graph_does_not_have_is_refused_by_name() -> None:
    resources = compiled({"a": (0, 0)}, [])

    with pytest.raises(UnknownPlaceError, match="no waypoint moon"):
        resources.of_waypoint(WaypointId("moon"))
    with pytest.raises(UnknownPlaceError, match="no lane moon"):
        resources.of_lane(LaneId("moon"))
    with pytest.raises(UnknownPlaceError, match="waypoint:moon"):
        resources.mask({"waypoint:moon"})


def test_masks_and_names_say_the_same() -> None:
    resources = compiled({"a": (0, 0), "b": (0.5, 0), "c": (9, 0)}, ["b-c"])

    assert resources.names(resources.mask({"waypoint:a", "lane:b>c"})) == {"waypoint:a", "lane:b>c"}
    assert resources.names(resources.conflicts(resources.mask({"waypoint:b"}))) == {"waypoint:a", "waypoint:b"}
