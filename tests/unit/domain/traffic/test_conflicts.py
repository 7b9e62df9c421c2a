from __future__ import annotations

from dataclasses import replace
from math import cos, pi, radians, sin

import pytest

from orchestrator.domain.fleet.model import Footprint, Pose
from orchestrator.domain.site.model import (
    Door,
    DoorId,
    GraphId,
    Lane,
    LaneId,
    Level,
    LevelId,
    Lift,
    LiftId,
    Orientation,
    Waypoint,
    WaypointId,
)
from orchestrator.domain.traffic.conflicts import ConflictRelation, conflict_relation
from orchestrator.domain.traffic.errors import UnknownPlaceError
from tests.support.traffic_world import CART, LEVEL, TOY, a_cart, a_graph, a_model, a_relation, a_site, a_twin

RADIUS_M = 0.375
"""With the margin between two robots, 0.8 m from centre to centre is just far enough."""

BED: Footprint = ((0.9, 0.3), (0.9, -0.3), (-0.3, -0.3), (-0.3, 0.3))
"""A long robot that turns about its rear axle."""


def compiled(
    places: dict[str, tuple[float, float]], ways: list[str], *, radius_m: float = RADIUS_M
) -> ConflictRelation:
    return conflict_relation(a_site(a_graph(places, ways)), [a_model(radius_m=radius_m)])


def in_conflict(relation: ConflictRelation) -> set[frozenset[str]]:
    pairs = (frozenset({one, other}) for one in relation.ids for other in relation.conflicting(one))
    return {pair for pair in pairs if len(pair) == 2}


def pair(one: str, other: str) -> frozenset[str]:
    return frozenset({f"{one}@toy", f"{other}@toy"})


def test_a_resource_conflicts_with_itself_and_both_directions_are_one_lane() -> None:
    relation = compiled({"a": (0, 0), "b": (5, 0)}, ["a-b"])

    assert relation.of_lane(TOY, LaneId("a>b")) == relation.of_lane(TOY, LaneId("b>a")) == {"lane:a>b@toy"}
    assert relation.conflicting("lane:a>b@toy") == {"lane:a>b@toy"}


def test_waypoints_nearer_than_two_radii_and_the_margin_conflict() -> None:
    near = compiled({"a": (0, 0), "b": (0.79, 0)}, [])
    far = compiled({"a": (0, 0), "b": (0.81, 0)}, [])

    assert in_conflict(near) == {pair("waypoint:a", "waypoint:b")}
    assert in_conflict(far) == set()


def test_how_far_both_robots_may_stray_counts_as_well() -> None:
    site = a_site(a_graph({"a": (0, 0), "b": (0.9, 0)}, []))

    assert in_conflict(conflict_relation(site, [a_model(radius_m=RADIUS_M, deviation_m=0.04)])) == set()
    assert in_conflict(conflict_relation(site, [a_model(radius_m=RADIUS_M, deviation_m=0.06)])) != set()


def test_on_a_lane_a_robot_may_stray_as_far_as_at_a_place() -> None:
    site = a_site(a_graph({"a": (0, 0), "b": (5, 0), "bay": (2.5, 0.9)}, ["a-b"]))

    assert in_conflict(conflict_relation(site, [a_model(radius_m=RADIUS_M, deviation_m=0.04)])) == set()
    assert in_conflict(conflict_relation(site, [a_model(radius_m=RADIUS_M, deviation_m=0.06)])) == {
        pair("lane:a>b", "waypoint:bay")
    }


def test_a_lane_conflicts_with_a_waypoint_it_passes_but_not_with_its_own_ends() -> None:
    relation = compiled({"a": (0, 0), "b": (5, 0), "bay": (2.5, 0.7)}, ["a-b"])

    assert in_conflict(relation) == {pair("lane:a>b", "waypoint:bay")}


def test_crossing_lanes_conflict() -> None:
    relation = compiled({"a": (0, 0), "b": (6, 6), "c": (0, 6), "d": (6, 0)}, ["a-b", "c-d"])

    assert in_conflict(relation) == {pair("lane:a>b", "lane:c>d")}


@pytest.mark.parametrize(("angle_deg", "is_conflict"), [(30, True), (55, True), (65, False), (90, False), (180, False)])
def test_lanes_that_share_a_waypoint_conflict_only_when_they_run_close_beyond_it(
    angle_deg: float, is_conflict: bool
) -> None:
    end = (5 * cos(radians(angle_deg)), 5 * sin(radians(angle_deg)))
    relation = compiled({"a": (0, 0), "b": (5, 0), "c": end}, ["a-b", "a-c"])

    assert in_conflict(relation) == ({pair("lane:a>b", "lane:a>c")} if is_conflict else set())


def test_levels_do_not_conflict_with_each_other() -> None:
    graph = a_graph({"a": (0, 0), "b": (0.1, 0)}, [])
    upstairs = replace(graph.waypoints[WaypointId("b")], level=LevelId("upper"))
    graph = replace(graph, waypoints={**graph.waypoints, upstairs.id: upstairs})

    assert in_conflict(a_relation(graph)) == set()


# Two models -----------------------------------------------------------------------------------------------------------


def test_coincident_waypoints_of_two_graphs_are_two_resources_that_conflict() -> None:
    graph = a_graph({"a": (0, 0), "b": (5, 0)}, ["a-b"])
    relation = a_relation(graph, a_twin(graph))

    assert in_conflict(relation) == {
        frozenset({"waypoint:a@toy", "waypoint:t-a@cart"}),
        frozenset({"waypoint:b@toy", "waypoint:t-b@cart"}),
        frozenset({"lane:a>b@toy", "lane:t-a>b@cart"}),
    }


def test_lanes_of_two_graphs_that_meet_at_one_place_are_compared_beyond_it_as_on_one_graph() -> None:
    toys = a_graph({"a": (0, 0), "b": (5, 0)}, ["a-b"])
    carts = a_twin(a_graph({"a": (0, 0), "c": (0, 5)}, ["a-c"]))

    assert in_conflict(a_relation(toys, carts)) == {frozenset({"waypoint:a@toy", "waypoint:t-a@cart"})}


def test_a_lane_of_one_graph_conflicts_with_a_place_beside_it_on_another() -> None:
    toys = a_graph({"a": (0, 0), "b": (5, 0)}, ["a-b"])
    near, far = (a_twin(a_graph({"bay": (2.5, y)}, [])) for y in (0.74, 0.76))

    assert in_conflict(a_relation(toys, near)) == {frozenset({"lane:a>b@toy", "waypoint:t-bay@cart"})}
    assert in_conflict(a_relation(toys, far)) == set()


def test_two_models_on_one_graph_hold_resources_of_their_own_which_conflict_at_every_place() -> None:
    graph = a_graph({"a": (0, 0), "b": (5, 0)}, ["a-b"])
    relation = conflict_relation(a_site(graph), [a_model(), a_model(id="slim", radius_m=0.2)])

    assert relation.of_waypoint(TOY, WaypointId("a")) == {"waypoint:a@toy"}
    assert relation.conflicting("waypoint:a@toy") == {"waypoint:a@toy", "waypoint:a@slim"}
    assert relation.conflicting("lane:a>b@slim") == {"lane:a>b@slim", "lane:a>b@toy"}


def test_a_door_and_a_lift_are_the_same_for_all_models() -> None:
    graph = a_graph({"a": (0, 0), "b": (5, 0)}, ["a>b"])
    door = Door(DoorId("fire-door"), LEVEL, (2, -1), (2, 1))
    lane = replace(graph.lanes[LaneId("a>b")], door=door.id)
    graph = replace(graph, lanes={lane.id: lane})
    site = replace(a_site(graph, a_twin(graph)), doors={door.id: door})
    relation = conflict_relation(site, [a_model(), a_cart()])

    assert relation.of_lane(TOY, lane.id) & relation.of_lane(CART, LaneId("t-a>b")) == {"door:fire-door"}
    assert relation.users("door:fire-door") == ((CART, "t-a>b"), (TOY, "a>b"))


# Footprints -----------------------------------------------------------------------------------------------------------


def test_a_long_robot_sweeps_a_narrow_strip_along_a_lane_and_a_wide_disc_at_a_waypoint() -> None:
    places = {"a": (0.0, 0.0), "b": (8.0, 0.0), "bay": (4.0, 1.4), "nook": (-0.5, 1.0)}
    graph = a_graph(places, ["a-b"])
    bed = a_model(footprint=BED)
    relation = conflict_relation(a_site(graph), [bed])

    assert bed.radius_m == pytest.approx(0.9487, abs=1e-4)
    assert in_conflict(relation) == {pair("waypoint:a", "waypoint:nook"), pair("lane:a>b", "waypoint:nook")}


@pytest.mark.parametrize(("orientation", "is_conflict"), [(None, True), (Orientation.BACKWARD, False)])
def test_a_robot_that_drives_backwards_sweeps_what_its_rear_needs(
    orientation: Orientation | None, is_conflict: bool
) -> None:
    graph = a_graph({"a": (0, 0), "b": (5, 0), "bay": (6.6, 0)}, ["a>b"])
    lane = replace(graph.lanes[LaneId("a>b")], orientation=orientation)
    graph = replace(graph, lanes={lane.id: lane})
    relation = conflict_relation(a_site(graph), [a_model(footprint=BED), a_model(id="dot", radius_m=0.69)])

    conflicts = "waypoint:bay@dot" in relation.conflicting("lane:a>b@toy")

    assert conflicts is is_conflict


# What is asked --------------------------------------------------------------------------------------------------------


def test_a_pair_says_whose_robots_touch_where_and_by_how_much() -> None:
    toys = a_graph({"a": (0, 0), "b": (5, 0)}, ["a-b"])
    (overlap,) = a_relation(toys, a_twin(a_graph({"bay": (2.5, 0.5)}, []))).pairs()

    assert {overlap.first, overlap.second} == {"lane:a>b@toy", "waypoint:t-bay@cart"}
    assert set(overlap.models) == {TOY, CART}
    assert overlap.level == LEVEL
    assert overlap.gap_m == pytest.approx(-0.2)
    assert overlap.at == pytest.approx((2.5, 0.25))
    (outline,) = overlap.outline()
    assert all(1.9 < x < 3.1 and 0.0 < y < 0.4 for x, y in outline)


def test_a_robot_anywhere_keeps_from_others_all_that_it_would_touch_on_every_graph() -> None:
    graph = a_graph({"a": (0, 0), "b": (5, 0), "c": (10, 0)}, ["a-b", "b-c"])
    relation = a_relation(graph, a_twin(graph))

    beside = relation.occupied_by(TOY, Pose(LEVEL, 2.5, 0.6))
    between = relation.occupied_by(TOY, Pose(LEVEL, 4.5, 0.0))

    assert beside == {"lane:a>b@toy", "lane:t-a>b@cart"}
    assert between >= {"waypoint:b@toy", "waypoint:t-b@cart", "lane:b>c@toy"}
    assert not any("waypoint:a" in resource or "waypoint:c" in resource for resource in between)
    assert relation.occupied_by(TOY, Pose(LevelId("roof"), 2.5, 0.6)) == frozenset()


def test_a_robot_off_its_lane_occupies_by_its_heading_where_it_has_a_footprint() -> None:
    graph = a_graph({"a": (0, 0), "b": (5, 0)}, ["a-b"])
    relation = conflict_relation(a_site(graph), [a_model(footprint=BED)])

    assert relation.occupied_by(TOY, Pose(LEVEL, 2.5, 1.0, pi / 2)) == frozenset()
    assert relation.occupied_by(TOY, Pose(LEVEL, 2.5, 1.0, -pi / 2)) == {"lane:a>b@toy"}


def test_a_robot_in_a_doorway_or_reaching_into_a_cabin_occupies_door_and_lift() -> None:
    door, lift = Door(DoorId("ward"), LEVEL, (2, -1), (2, 1)), Lift(LiftId("bed"), 6.0, 0.0, 0.0, 1.6, 1.6, (LEVEL,))
    graph = a_graph({"a": (0, 0), "b": (4, 0), "cabin": (6, 0)}, ["a-b", "b-cabin"])
    through = replace(graph.lanes[LaneId("a>b")], door=door.id)
    cabin = replace(graph.waypoints[WaypointId("cabin")], lift=lift.id)
    graph = replace(graph, lanes={**graph.lanes, through.id: through}, waypoints={**graph.waypoints, cabin.id: cabin})
    site = replace(a_site(graph), doors={door.id: door}, lifts={lift.id: lift})
    relation = conflict_relation(site, [a_model()])

    assert "door:ward" in relation.occupied_by(TOY, Pose(LEVEL, 2.2, 0.9))
    assert "lift:bed" in relation.occupied_by(TOY, Pose(LEVEL, 5.0, 0.7))
    assert not {"door:ward", "lift:bed"} & relation.occupied_by(TOY, Pose(LEVEL, 3.5, 0.0))


def test_a_cabin_holds_its_lift_on_every_level_and_so_do_the_lanes_in_and_out() -> None:
    lift, upper = LiftId("bed-lift"), LevelId("upper")
    low = Waypoint(WaypointId("low"), LEVEL, 3, 0, lift=lift)
    high = Waypoint(WaypointId("high"), upper, 3, 0, lift=lift)
    hall = Waypoint(WaypointId("hall"), LEVEL, 0, 0)
    lanes = (Lane(LaneId("in"), hall.id, low.id), Lane(LaneId("ride"), low.id, high.id))
    graph = replace(a_graph({}, []), waypoints={w.id: w for w in (low, high, hall)}, lanes={x.id: x for x in lanes})
    site = replace(a_site(graph), levels={LEVEL: Level(LEVEL), upper: Level(upper, 4.0)})
    relation = conflict_relation(site, [a_model()])

    assert relation.of_waypoint(TOY, low.id) == {"waypoint:low@toy", "lift:bed-lift"}
    assert relation.of_waypoint(TOY, high.id) == {"waypoint:high@toy", "lift:bed-lift"}
    assert relation.of_lane(TOY, LaneId("in")) == {"lane:in@toy", "lift:bed-lift"}
    assert relation.of_lane(TOY, LaneId("ride")) == {"lane:ride@toy", "lift:bed-lift"}


def test_a_robot_on_its_way_holds_where_it_is_and_all_it_was_granted() -> None:
    relation = compiled({"a": (0, 0), "b": (5, 0), "c": (9, 0)}, ["a-b", "b-c"])

    held = relation.of_route(TOY, WaypointId("a"), [LaneId("a>b"), LaneId("b>c")])

    expected = {"waypoint:a", "lane:a>b", "waypoint:b", "lane:b>c", "waypoint:c"}
    assert held == {f"{resource}@toy" for resource in expected}


def test_what_the_site_does_not_have_is_refused_by_name() -> None:
    relation = compiled({"a": (0, 0)}, [])

    with pytest.raises(UnknownPlaceError, match="no waypoint moon"):
        relation.of_waypoint(TOY, WaypointId("moon"))
    with pytest.raises(UnknownPlaceError, match="no lane moon"):
        relation.of_lane(TOY, LaneId("moon"))
    with pytest.raises(UnknownPlaceError, match="waypoint:moon"):
        relation.mask({"waypoint:moon"})
    with pytest.raises(UnknownPlaceError, match="model cart; expected one of toy"):
        relation.of_waypoint(CART, WaypointId("a"))
    with pytest.raises(UnknownPlaceError, match=r"lane graph elsewhere.*it has lanes"):
        conflict_relation(a_site(a_graph({}, [])), [a_model(graph=GraphId("elsewhere"))])


def test_books_of_another_naming_are_known_as_such() -> None:
    relation = compiled({"a": (0, 0)}, [])

    assert relation.knows({"waypoint:a@toy"})
    assert not relation.knows({"waypoint:a@toy", "waypoint:a"})


def test_masks_and_names_say_the_same() -> None:
    relation = compiled({"a": (0, 0), "b": (0.5, 0), "c": (9, 0)}, ["b-c"])

    assert relation.names(relation.mask({"waypoint:a@toy", "lane:b>c@toy"})) == {"waypoint:a@toy", "lane:b>c@toy"}
    assert relation.names(relation.conflicts(relation.mask({"waypoint:b@toy"}))) == {"waypoint:a@toy", "waypoint:b@toy"}


def test_a_relation_is_computed_once_for_one_site_and_set_of_models() -> None:
    graph = a_graph({"a": (0, 0), "b": (5, 0)}, ["a-b"])
    relation = conflict_relation(a_site(graph), [a_model()])

    assert conflict_relation(a_site(graph), [a_model(), a_model()]) is relation
    assert conflict_relation(a_site(graph), [a_model(radius_m=0.31)]) is not relation
    other = a_graph({"a": (0, 0), "b": (0.2, 0)}, ["a-b"])
    assert "waypoint:b@toy" in conflict_relation(a_site(other), [a_model()]).conflicting("waypoint:a@toy")
