from __future__ import annotations

from dataclasses import replace
from math import pi

import pytest

from orchestrator.domain.site.model import DoorId, LaneGraph, LaneId, Level, LevelId, LiftId, Waypoint, WaypointId
from orchestrator.domain.traffic.errors import UnknownPlaceError
from orchestrator.domain.traffic.routing import Delays, Router, opposing
from tests.support.traffic_world import LEVEL, a_graph, a_model, a_site

SQUARE = {"a": (0, 0), "b": (4, 0), "c": (4, 4), "d": (0, 4)}
A, B, C, D = (WaypointId(name) for name in "abcd")


def a_router(graph: LaneGraph, delays: Delays | None = None) -> Router:
    return Router(a_site(graph), graph, a_model(), delays=delays)


def with_lane(graph: LaneGraph, lane: str, **changes: object) -> LaneGraph:
    changed = replace(graph.lanes[LaneId(lane)], **changes)  # pyright: ignore[reportArgumentType]
    return replace(graph, lanes={**graph.lanes, changed.id: changed})


def test_the_quickest_way_is_taken_not_the_one_with_fewest_lanes() -> None:
    graph = a_graph({**SQUARE, "far": (40, 0)}, ["a-b", "b-c", "a-far", "far-c"])

    assert a_router(graph).route(A, C) == ("a>b", "b>c")


def test_of_equal_ways_the_one_whose_lanes_sort_first_is_taken() -> None:
    graph = a_graph(SQUARE, ["d-c", "a-d", "b-c", "a-b"])

    assert a_router(graph).route(A, C) == ("a>b", "b>c")


def test_a_slow_lane_is_driven_round() -> None:
    graph = with_lane(a_graph(SQUARE, ["a-b", "b-c", "a-d", "d-c"]), "a>b", speed_limit_m_s=0.2)

    assert a_router(graph).route(A, C) == ("a>d", "d>c")


def test_a_door_costs_time() -> None:
    graph = with_lane(a_graph(SQUARE, ["a-b", "b-c", "a-d", "d-c"]), "b>c", door=DoorId("ward"))

    assert a_router(graph).route(A, C) == ("a>d", "d>c")
    assert a_router(graph, Delays(door_s=0.0)).route(A, C) == ("a>b", "b>c")


def test_turns_cost_time() -> None:
    graph = a_graph({"a": (0, 0), "b": (4, 0), "c": (4, 4), "s": (2.5, 2.5)}, ["a-b", "b-c", "a-s", "s-c"])
    router = a_router(graph)

    assert router.time_s((LaneId("a>b"), LaneId("b>c"))) == pytest.approx(8.0 + pi / 2)


def test_a_lift_costs_its_call_and_the_height_it_travels() -> None:
    upper, lift = LevelId("upper"), LiftId("lift")
    graph = a_graph({"a": (0, 0), "low": (4, 0), "high": (4, 0)}, ["a-low", "low-high"])
    low = replace(graph.waypoints[WaypointId("low")], lift=lift)
    high: Waypoint = replace(graph.waypoints[WaypointId("high")], lift=lift, level=upper)
    graph = replace(graph, waypoints={**graph.waypoints, low.id: low, high.id: high})
    site = replace(a_site(graph), levels={LEVEL: Level(LEVEL), upper: Level(upper, 6.0)})
    router = Router(site, graph, a_model(), delays=Delays(lift_s=10.0, lift_speed_m_s=0.5))

    lanes = router.route(A, high.id)

    assert lanes is not None
    assert lanes == ("a>low", "low>high")
    assert router.time_s(lanes) == pytest.approx(4.0 + 10.0 + 12.0)
    assert router.length_m(lanes) == pytest.approx(4.0)


def test_closed_lanes_and_avoided_waypoints_are_driven_round() -> None:
    router = a_router(a_graph(SQUARE, ["a-b", "b-c", "a-d", "d-c"]))

    assert router.route(A, C, avoid={B}) == ("a>d", "d>c")
    assert router.route(A, C, closed={LaneId("a>b")}) == ("a>d", "d>c")
    assert router.route(A, C, avoid={B, D}) is None
    assert router.route(A, C, avoid={C}) is None
    assert router.route(B, C, avoid={B}) == ("b>c",)


def test_one_way_lanes_are_not_driven_against() -> None:
    assert a_router(a_graph(SQUARE, ["a>b"])).route(B, A) is None


def test_where_the_robot_stands_is_no_way_at_all() -> None:
    assert a_router(a_graph(SQUARE, ["a-b"])).route(A, A) == ()


def test_oncoming_routes_make_a_lane_dearer() -> None:
    graph = a_graph(SQUARE, ["a-b", "b-c", "a-d", "d-c"])
    extra = opposing([(LaneId("c>b"), LaneId("b>a"))], graph, each_s=5.0)

    assert extra == {"b>c": 5.0, "a>b": 5.0}
    assert a_router(graph).route(A, C, extra_s=extra) == ("a>d", "d>c")


def test_an_unknown_place_is_refused_by_name() -> None:
    with pytest.raises(UnknownPlaceError, match="no waypoint moon"):
        a_router(a_graph(SQUARE, ["a-b"])).route(A, WaypointId("moon"))
