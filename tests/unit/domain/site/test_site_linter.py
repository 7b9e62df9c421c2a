from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.domain.site.linter import check_site
from orchestrator.domain.site.model import (
    Door,
    DoorId,
    GraphId,
    Lane,
    LaneGraph,
    LaneId,
    Level,
    LevelId,
    Lift,
    LiftId,
    Site,
    Station,
    StationId,
    StationKind,
    Wall,
    Waypoint,
    WaypointId,
)
from tests.support.sites import GROUND, MAIN, a_graph, a_robot_model, a_site, a_ward, a_waypoint, lanes_between

PORTER = a_robot_model()


def with_graph(change: Callable[[LaneGraph], LaneGraph]) -> Site:
    site = a_ward()
    return replace(site, graphs={MAIN: change(site.graphs[MAIN])})


def with_lane(lane: str, **changes: Any) -> Site:
    def changed(graph: LaneGraph) -> LaneGraph:
        return replace(graph, lanes={**graph.lanes, LaneId(lane): replace(graph.lanes[LaneId(lane)], **changes)})

    return with_graph(changed)


def with_waypoint(waypoint: Waypoint) -> Site:
    return with_graph(lambda graph: replace(graph, waypoints={**graph.waypoints, waypoint.id: waypoint}))


def with_station(station: Station) -> Site:
    site = a_ward()
    return replace(site, stations={**site.stations, station.id: station})


def a_station(**changes: Any) -> Station:
    ward = Station(StationId("extra"), StationKind.BEDSIDE, GROUND, {MAIN: WaypointId("ward")})
    return replace(ward, **changes)


def codes(site: Site) -> set[str]:
    return {finding.code for finding in check_site(site, [PORTER])}


def test_a_sound_site_has_no_findings() -> None:
    assert check_site(a_ward(), [PORTER]) == []


WRONG_SITES: dict[str, tuple[Site, str]] = {
    "lane to nowhere": (with_lane("west~east", end=WaypointId("ghost")), "unknown_waypoint"),
    "lane through no door": (with_lane("west~east", door=DoorId("ghost")), "unknown_door"),
    "lane to itself": (with_lane("west~east", end=WaypointId("west")), "lane_to_itself"),
    "narrow lane": (with_lane("west~east", width_m=0.6), "narrow_lane"),
    "waypoint on no level": (with_waypoint(a_waypoint("x", 9, 9, level="roof")), "unknown_level"),
    "waypoint in no lift": (with_waypoint(a_waypoint("x", 9, 9, lift=LiftId("ghost"))), "unknown_lift"),
    "two at one place": (with_waypoint(a_waypoint("x", 5.001, 0)), "same_place"),
    "no way to a waypoint": (with_waypoint(a_waypoint("x", 9, 9)), "unreachable_waypoint"),
    "nobody stops at a station": (with_waypoint(a_waypoint("ward", 15, 0, may_stop=False)), "station_without_standing"),
    "station on no graph": (with_station(a_station(waypoints={})), "station_on_no_graph"),
    "station on an unknown graph": (
        with_station(a_station(waypoints={GraphId("ghost"): WaypointId("ward")})),
        "unknown_graph",
    ),
    "station at no waypoint": (with_station(a_station(waypoints={MAIN: WaypointId("ghost")})), "unknown_waypoint"),
    "station on another level": (with_station(a_station(level=LevelId("first"))), "station_on_other_level"),
    "station on no level": (with_station(a_station(level=LevelId("roof"))), "unknown_level"),
    "door on no level": (
        replace(a_ward(), doors={DoorId("d"): Door(DoorId("d"), LevelId("roof"), (0, 0), (1, 0))}),
        "unknown_level",
    ),
    "lift to no level": (
        replace(a_ward(), lifts={LiftId("l"): Lift(LiftId("l"), 0, 0, 0, 2, 2, (LevelId("roof"),))}),
        "unknown_level",
    ),
    "lane through a wall": (replace(a_ward(), walls=(Wall(GROUND, (7, -1), (7, 1)),)), "lane_through_wall"),
    "a door beside every lane": (
        replace(a_ward(), doors={DoorId("d"): Door(DoorId("d"), GROUND, (7, 5), (8, 5))}),
        "doors_without_lane",
    ),
    "a door that the lane through it does not name": (
        replace(a_ward(), doors={DoorId("d"): Door(DoorId("d"), GROUND, (7, -1), (7, 1))}),
        "door_not_named_by_lane",
    ),
    "lift named from the top down": (
        replace(a_ward(), lifts={LiftId("l"): Lift(LiftId("l"), 0, 0, 0, 2, 2, (LevelId("first"), GROUND))}),
        "lift_levels_not_lowest_first",
    ),
    "lift between floors at one height": (
        replace(
            a_ward(),
            levels={id: Level(id) for id in (GROUND, LevelId("first"))},
            lifts={LiftId("l"): Lift(LiftId("l"), 0, 0, 0, 2, 2, (GROUND, LevelId("first")))},
        ),
        "lift_floors_at_one_height",
    ),
    "no resting place": (
        replace(a_ward(), stations={id: each for id, each in a_ward().stations.items() if id in ("hatch", "ward")}),
        "no_resting_place",
    ),
}


@pytest.mark.parametrize(("site", "code"), WRONG_SITES.values(), ids=WRONG_SITES.keys())
def test_what_is_wrong_is_named_by_its_code(site: Site, code: str) -> None:
    found = [finding for finding in check_site(site, [PORTER]) if finding.code == code]
    assert found
    assert all(finding.sentence.endswith(".") and finding.remedy.endswith(".") for finding in found)


def test_a_door_that_its_lane_names_and_a_lift_written_lowest_first_are_fine() -> None:
    site = with_lane("west~east", door=DoorId("d"))
    site = replace(
        site,
        doors={DoorId("d"): Door(DoorId("d"), GROUND, (7, -1), (7, 1))},
        lifts={LiftId("l"): Lift(LiftId("l"), 0, 0, 0, 2, 2, (GROUND, LevelId("first")))},
    )
    assert check_site(site, [PORTER]) == []


def test_a_station_behind_a_one_way_lane_is_unreachable() -> None:
    waypoints = [a_waypoint("hatch", 0, 0), a_waypoint("charger", 5, 0), a_waypoint("ward", 10, 0)]
    site = a_site(
        a_graph(waypoints, lanes_between("hatch-charger", "charger>ward")),
        {"hatch": StationKind.PHARMACY_HATCH, "charger": StationKind.CHARGER, "ward": StationKind.WARD_HANDOVER},
    )
    assert [(finding.code, finding.station) for finding in check_site(site)] == [("unreachable_station", "ward")]


def test_a_resting_place_on_the_way_cuts_others_off() -> None:
    stations = {"hatch": StationKind.PHARMACY_HATCH, "ward": StationKind.WARD_HANDOVER, "charger": StationKind.CHARGER}
    graph = a_ward().graphs[MAIN]
    (finding,) = check_site(a_site(graph, {**stations, "east": StationKind.PARKING}), [PORTER])
    assert finding.code == "resting_place_cuts_off"
    assert finding.is_error
    assert "east" in finding.sentence


def test_a_resting_place_too_near_a_lane_cuts_others_off_by_its_size_only() -> None:
    site = with_waypoint(a_waypoint("charger", 7.5, 0.5))
    assert "resting_place_cuts_off" in codes(site)
    assert check_site(site) == []


def test_an_estimated_width_below_the_footprint_is_a_warning() -> None:
    (finding,) = check_site(with_lane("west~east", width_m=0.6, is_width_estimated=True), [PORTER])
    assert finding.code == "narrow_lane"
    assert not finding.is_error


def test_one_id_in_two_graphs_is_refused() -> None:
    site = a_ward()
    other = replace(site.graphs[MAIN], id=GraphId("other"))
    assert "duplicate_id" in codes(replace(site, graphs={MAIN: site.graphs[MAIN], other.id: other}))


def test_two_waypoints_at_one_place_are_a_warning_and_a_lane_between_them_an_error() -> None:
    site = with_waypoint(a_waypoint("x", 5.001, 0))
    assert {finding.code for finding in check_site(site, [PORTER]) if finding.is_error} == set()
    graph = site.graphs[MAIN]
    joined = replace(graph, lanes={**graph.lanes, **{lane.id: lane for lane in lanes_between("west-x")}})
    errors = [finding for finding in check_site(replace(site, graphs={MAIN: joined}), [PORTER]) if finding.is_error]
    assert [(finding.code, finding.lane) for finding in errors] == [("lane_without_length", "west~x")]


def test_two_wards_of_one_name_are_refused_and_two_parking_places_are_not() -> None:
    site = with_station(a_station(name="ward"))
    assert [finding.code for finding in check_site(site, [PORTER])] == ["station_name_twice"]
    site = with_station(a_station(kind=StationKind.OTHER, name="ward"))
    assert check_site(site, [PORTER]) == []


def test_a_graph_without_a_resting_place_is_refused_only_where_a_robot_model_is_to_drive_on_it() -> None:
    stations = {id: each for id, each in a_ward().stations.items() if not each.kind.is_resting_place}
    site = replace(a_ward(), stations=stations)
    assert [(finding.code, finding.is_error) for finding in check_site(site)] == [("no_resting_place", False)]
    assert [(finding.code, finding.is_error) for finding in check_site(site, [PORTER])] == [("no_resting_place", True)]


def test_a_waypoint_in_the_doorway_of_its_cabin_is_in_its_lift() -> None:
    lift = Lift(LiftId("lift"), 15.0, 0.0, 0.0, 2.0, 2.0, (GROUND,))
    for x_m, is_refused in ((13.95, False), (13.9499, False), (13.94, True)):
        site = with_waypoint(a_waypoint("ward", x_m, 0, lift=lift.id))
        assert ("waypoint_outside_lift" in codes(replace(site, lifts={lift.id: lift}))) is is_refused


def test_a_station_in_a_cabin_is_refused_whatever_the_waypoint_says_of_stopping() -> None:
    lift = Lift(LiftId("lift"), 15.0, 0.0, 0.0, 2.0, 2.0, (GROUND,))
    site = with_waypoint(a_waypoint("ward", 15, 0, lift=lift.id, may_stop=True))
    (finding,) = check_site(replace(site, lifts={lift.id: lift}), [PORTER])
    assert (finding.code, finding.is_error, finding.waypoint) == ("station_without_standing", True, "ward")
    assert "cabin of lift lift" in finding.sentence


def test_a_cabin_smaller_than_the_robot_is_refused_once() -> None:
    for depth_m, is_refused in ((2 * PORTER.radius_m, False), (2 * PORTER.radius_m - 0.01, True)):
        lift = Lift(LiftId("lift"), 10.0, 0.0, 0.0, 2.0, depth_m, (GROUND,))
        site = with_waypoint(a_waypoint("east", 10, 0, lift=lift.id))
        found = [finding for finding in check_site(replace(site, lifts={lift.id: lift}), [PORTER]) if finding.is_error]
        assert [(finding.code, finding.lift, finding.waypoint) for finding in found] == (
            [("small_cabin", lift.id, "east")] if is_refused else []
        )


def test_one_name_twice_in_a_graph_is_a_warning() -> None:
    def named(graph: LaneGraph) -> LaneGraph:
        return replace(graph, waypoints={id: replace(each, name="same") for id, each in graph.waypoints.items()})

    found = [finding for finding in check_site(with_graph(named), [PORTER]) if finding.code == "duplicate_name"]
    assert found
    assert not any(finding.is_error for finding in found)


def test_a_lane_between_levels_must_lie_in_a_lift() -> None:
    def with_stairs(graph: LaneGraph) -> LaneGraph:
        up = a_waypoint("up", 15, 3, level="first")
        stairs = {lane.id: lane for lane in lanes_between("ward-up")}
        return replace(graph, waypoints={**graph.waypoints, up.id: up}, lanes={**graph.lanes, **stairs})

    assert codes(with_graph(with_stairs)) == {"lane_between_levels"}


def test_a_waypoint_beside_the_cabin_of_its_lift_is_refused() -> None:
    lift = Lift(LiftId("lift"), 20.0, 0.0, 0.0, 2.0, 2.0, (GROUND,))
    site = with_waypoint(a_waypoint("ward", 15, 0, lift=lift.id))
    assert "waypoint_outside_lift" in codes(replace(site, lifts={lift.id: lift}))


def test_a_lane_through_a_door_without_motor_is_a_warning() -> None:
    door = Door(DoorId("door"), GROUND, (7.0, -1.0), (7.0, 1.0), is_motorised=False)
    site = replace(with_lane("west~east", door=door.id), doors={door.id: door})
    (finding,) = check_site(site, [PORTER])
    assert (finding.code, finding.is_error) == ("door_without_motor", False)


def test_a_door_that_another_lane_names_is_not_opened_for_the_lane_through_it() -> None:
    door = Door(DoorId("door"), GROUND, (7.0, -1.0), (7.0, 1.0))
    site = replace(with_lane("hatch~west", door=door.id), doors={door.id: door})
    (finding,) = check_site(site, [PORTER])
    assert (finding.code, finding.door, finding.lane) == ("door_not_named_by_lane", door.id, "west~east")


@pytest.mark.parametrize(("half_m", "found"), [(0.3, {"narrow_door"}), (0.4, set())])
def test_a_door_that_the_robot_does_not_fit_through_is_refused(half_m: float, found: set[str]) -> None:
    door = Door(DoorId("door"), GROUND, (7.0, -half_m), (7.0, half_m))
    site = replace(with_lane("west~east", door=door.id), doors={door.id: door})
    assert codes(site) == found


def test_errors_come_before_warnings() -> None:
    site = replace(with_lane("west~east", width_m=0.1), walls=(Wall(GROUND, (12, -1), (12, 1)),))
    severities = [finding.is_error for finding in check_site(site, [PORTER])]
    assert severities == sorted(severities, reverse=True)
    assert len(set(severities)) == 2


def test_lanes_of_a_pair_are_named_once() -> None:
    lane = Lane(LaneId("west~east"), WaypointId("west"), WaypointId("east"), LaneId("east~west"), width_m=0.5)
    back = Lane(LaneId("east~west"), WaypointId("east"), WaypointId("west"), LaneId("west~east"), width_m=0.5)
    site = with_graph(lambda graph: replace(graph, lanes={**graph.lanes, lane.id: lane, back.id: back}))
    assert [finding.lane for finding in check_site(site, [PORTER])] == ["west~east"]
