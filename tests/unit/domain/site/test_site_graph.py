from __future__ import annotations

from orchestrator.domain.site.graph import adjacency_of, one_of_each_pair
from orchestrator.domain.site.model import LaneGraph, LaneId, WaypointId
from tests.support.sites import a_graph, a_waypoint, lanes_between

A, B, C, D = WaypointId("a"), WaypointId("b"), WaypointId("c"), WaypointId("d")


def a_ring_with_a_spur() -> LaneGraph:
    waypoints = [a_waypoint(id, x, y) for id, x, y in (("a", 0, 0), ("b", 1, 0), ("c", 1, 1), ("d", 2, 1))]
    return a_graph(waypoints, lanes_between("a>b", "b>c", "c>a", "c-d"))


def test_lanes_leave_a_waypoint_in_a_fixed_order() -> None:
    adjacency = adjacency_of(a_ring_with_a_spur())
    assert [lane.end for lane in adjacency.outgoing[C]] == ["a", "d"]
    assert [lane.start for lane in adjacency.incoming[C]] == ["b", "d"]
    assert adjacency.neighbours(C) == ("a", "b", "d")


def test_reach_stops_at_waypoints_to_avoid_and_at_closed_lanes() -> None:
    adjacency = adjacency_of(a_ring_with_a_spur())
    assert adjacency.reachable_from(A) == {"a", "b", "c", "d"}
    assert adjacency.reachable_from(A, avoiding={C}) == {A, B}
    assert adjacency.reachable_from(A, closed={LaneId("a~b")}) == {"a"}


def test_a_robot_on_a_waypoint_to_avoid_may_leave_it() -> None:
    assert adjacency_of(a_ring_with_a_spur()).reachable_from(C, avoiding={C, D}) == {"c", "a", "b"}


def test_reaching_is_the_mirror_of_reachable() -> None:
    adjacency = adjacency_of(a_ring_with_a_spur())
    for start in adjacency.outgoing:
        for goal in adjacency.outgoing:
            assert (goal in adjacency.reachable_from(start)) is (start in adjacency.reaching(goal))


def test_one_way_lanes_split_a_graph_into_components() -> None:
    waypoints = [a_waypoint(id, x, 0) for x, id in enumerate("abcd")]
    adjacency = adjacency_of(a_graph(waypoints, lanes_between("a-b", "b>c", "c-d")))
    assert adjacency.strong_components() == ({"a", "b"}, {"c", "d"})


def test_lanes_that_name_unknown_waypoints_are_passed_over() -> None:
    adjacency = adjacency_of(a_graph([a_waypoint("a", 0, 0)], lanes_between("a-ghost")))
    assert adjacency.reachable_from(A) == {"a"}


def test_a_two_way_pair_is_given_once_and_one_way_lanes_always() -> None:
    assert [lane.id for lane in one_of_each_pair(a_ring_with_a_spur())] == ["a~b", "b~c", "c~a", "c~d"]
