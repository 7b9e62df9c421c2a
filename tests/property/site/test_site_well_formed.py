"""The linter's quick answers about who stands in whose way, against a search that tries everything."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.site.findings import Finding, RemedyKind
from orchestrator.domain.site.linter import check_site
from orchestrator.domain.site.model import Lane, LaneGraph, LaneId, Site, StationId, StationKind, WaypointId
from orchestrator.domain.site.survey.blame import parked_blame, resting_places_of, standing_blame, ways_of
from orchestrator.domain.site.survey.capacity import capacity_of
from orchestrator.domain.site.survey.flows import Severance
from orchestrator.domain.site.survey.verdict import survey_site
from orchestrator.domain.traffic.conflicts import conflict_relation
from orchestrator.domain.traffic.monitor import Monitor
from tests.support.sites import MAIN, a_graph, a_robot_model, a_site, a_waypoint, lanes_between
from tests.support.traffic_world import enter

PORTER = a_robot_model(radius_m=0.35)
REACH_M = PORTER.radius_m + PORTER.deviation_m
KINDS = (StationKind.CHARGER, StationKind.PARKING, StationKind.WARD_HANDOVER, StationKind.PHARMACY_HATCH)


@st.composite
def sites(draw: st.DrawFn) -> Site:
    """Return a site on part of a grid whose rows are near enough that robots in one block the next, sometimes."""
    step_m = draw(st.sampled_from([0.6, 1.0, 2.0]))
    cells = [(0, 0)]
    for _ in range(draw(st.integers(3, 8))):
        x, y = draw(st.sampled_from(cells))
        dx, dy = draw(st.sampled_from([(1, 0), (0, 1), (-1, 0), (0, -1)]))
        cells += [(x + dx, y + dy)] if (x + dx, y + dy) not in cells else []
    names = {cell: f"p{number}" for number, cell in enumerate(cells)}
    waypoints = [a_waypoint(names[cell], 2.0 * cell[0], step_m * cell[1]) for cell in cells]
    near = [(a, b) for a, b in combinations(cells, 2) if abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1]
    ways = [f"{names[a]}{draw(st.sampled_from('-------->'))}{names[b]}" for a, b in near]
    at = draw(st.lists(st.sampled_from(cells), min_size=min(4, len(cells)), max_size=7, unique=True))
    stations = {names[cell]: draw(st.sampled_from(KINDS)) for cell in at}
    return a_site(a_graph(waypoints, lanes_between(*ways)), stations)


def a_way_exists(graph: LaneGraph, start: str, goal: str, standing: Collection[str]) -> bool:
    """Whether some way without a repetition avoids everything nearer to a standing robot than two robots are wide."""
    apart_m = 2.0 * REACH_M + 0.05

    def is_free(*points: tuple[float, float]) -> bool:
        for place in standing:
            robot = (graph.waypoints[WaypointId(place)].x_m, graph.waypoints[WaypointId(place)].y_m)
            if min(math.dist(robot, point) for point in points) < apart_m:
                return False
        return True

    # Lanes join neighbours of the grid, so what is nearest to a robot on a waypoint is an end of the lane.
    def places_along(lane: Lane) -> list[tuple[float, float]]:
        a, b = graph.waypoints[lane.start], graph.waypoints[lane.end]
        return [(a.x_m + k / 8 * (b.x_m - a.x_m), a.y_m + k / 8 * (b.y_m - a.y_m)) for k in range(9)]

    def goes_on(here: WaypointId, seen: frozenset[WaypointId]) -> bool:
        if here == goal:
            return True
        return any(
            goes_on(lane.end, seen | {lane.end})
            for lane in graph.lanes.values()
            if lane.start == here and lane.end not in seen and is_free(*places_along(lane))
        )

    first = graph.waypoints[WaypointId(start)]
    return is_free((first.x_m, first.y_m)) and goes_on(first.id, frozenset({first.id}))


def broken_by_trying(site: Site, occupied: list[StationId], pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    graph = site.graphs[MAIN]
    return {
        (start, goal)
        for start, goal in pairs
        if a_way_exists(graph, start, goal, set())
        and not a_way_exists(graph, start, goal, set(occupied) - {start, goal})
    }


@settings(max_examples=80, deadline=None)
@given(sites())
def test_parked_robots_keep_apart_what_a_search_of_all_ways_finds_kept_apart(site: Site) -> None:
    ways, resting = ways_of(site, {MAIN: REACH_M})[MAIN], resting_places_of(site)
    pairs = {(str(a), str(b)) for a in site.stations for b in site.stations if a != b and {a, b} & {*resting}}
    found = {(pair.start, pair.goal) for blame in parked_blame(ways, resting) for pair in blame.pairs}
    assert found == broken_by_trying(site, resting, pairs)


@settings(max_examples=80, deadline=None)
@given(sites())
def test_standing_robots_keep_apart_what_a_search_of_all_ways_finds_kept_apart(site: Site) -> None:
    ways, resting = ways_of(site, {MAIN: REACH_M})[MAIN], resting_places_of(site)
    found = {
        (pair.start, pair.goal)
        for blame in (*parked_blame(ways, resting), *standing_blame(ways, resting))
        for pair in blame.pairs
    }
    pairs = {(str(a), str(b)) for a in site.stations for b in site.stations if a != b}
    assert found == (broken_by_trying(site, list(site.stations), pairs) if len(resting) > 1 else found)


@settings(max_examples=80, deadline=None)
@given(sites())
def test_freeing_those_to_blame_joins_the_pair_and_freeing_fewer_does_not(site: Site) -> None:
    ways, resting = ways_of(site, {MAIN: REACH_M})[MAIN], resting_places_of(site)
    graph = site.graphs[MAIN]
    for blame in (*parked_blame(ways, resting), *standing_blame(ways, resting)):
        occupied = set(resting) if blame.is_parked else set(site.stations)
        for pair in blame.pairs:
            standing = occupied - {pair.start, pair.goal}
            assert a_way_exists(graph, pair.start, pair.goal, {*standing} - {*pair.blamed})
            for kept in pair.blamed:
                assert not a_way_exists(graph, pair.start, pair.goal, {*standing} - {*pair.blamed} | {kept})


@settings(max_examples=80, deadline=None)
@given(sites())
def test_on_a_site_without_errors_the_monitor_cuts_off_no_robot_wherever_one_of_them_stands(site: Site) -> None:
    if any(finding.is_error for finding in check_site(site, [PORTER])):
        return
    resting = resting_places_of(site)
    monitor = Monitor(conflict_relation(site, [PORTER]))
    for place in resting:
        enter(monitor, place, place, model=PORTER.id)
    assert monitor.cut_off() == ()
    for place in resting:
        for station in set(site.stations) - set(resting):
            enter(monitor, place, station, endpoint=place, model=PORTER.id)
            assert monitor.cut_off() == ()
        enter(monitor, place, place, model=PORTER.id)


@settings(max_examples=80, deadline=None)
@given(sites())
def test_no_more_resting_places_than_counted_can_be_parked_on_together(site: Site) -> None:
    ways, resting = ways_of(site, {MAIN: REACH_M}), resting_places_of(site)
    capacity = capacity_of(tuple(ways.values()), resting)
    assert capacity.is_largest
    larger = [
        each for size in range(len(capacity.resting) + 1, len(resting) + 1) for each in combinations(resting, size)
    ]
    for chosen, is_well_formed in [(capacity.resting, True), *((each, False) for each in larger)]:
        pairs = {(str(a), str(b)) for a in site.stations for b in site.stations if a != b and {a, b} & {*chosen}}
        assert (broken_by_trying(site, list(chosen), pairs) == set()) is is_well_formed


@settings(max_examples=40, deadline=None)
@given(sites())
def test_a_remedy_that_is_proposed_leaves_nothing_broken_that_was_whole(site: Site) -> None:
    """Moving a station to another waypoint and dropping a resting place are done here anew, and searched anew."""
    if any(finding.is_error and finding.code != "resting_place_cuts_off" for finding in check_site(site, [PORTER])):
        return
    for finding in survey_site(site, [PORTER]).findings:
        if finding.station is None:
            continue
        for remedy in finding.remedies:
            station = site.stations[finding.station]
            if remedy.kind is RemedyKind.DROP_RESTING_PLACE:
                changed = replace(station, kind=StationKind.OTHER)
            elif remedy.kind is RemedyKind.MOVE_TO_WAYPOINT:
                changed = replace(station, waypoints={MAIN: remedy.waypoints[0]})
            else:
                continue
            _check_repaired(site, replace(site, stations={**site.stations, station.id: changed}), finding)


def _check_repaired(site: Site, repaired: Site, finding: Finding) -> None:
    broken = []
    for each in (site, repaired):
        resting = resting_places_of(each)
        place = {station.id: station.waypoints[MAIN] for station in each.stations.values()}
        at = {waypoint: station for station, waypoint in place.items()}
        occupied = resting if finding.code == "resting_place_cuts_off" else list(each.stations)
        moved = [place[station] for station in occupied]
        homes = {place[station] for station in resting}
        pairs = {(str(a), str(b)) for a in place.values() for b in place.values() if a != b}
        if finding.code == "resting_place_cuts_off":
            pairs = {pair for pair in pairs if {*pair} & homes}
        found = broken_by_trying(each, [StationId(each) for each in moved], pairs)
        broken.append({(at[WaypointId(a)], at[WaypointId(b)]) for a, b in found})
    assert broken[1] <= broken[0]
    assert broken[1] < broken[0] or finding.figures["pairs_shared"]


@settings(max_examples=80, deadline=None)
@given(sites(), st.data())
def test_stations_lost_by_shutting_lanes_are_those_that_a_search_of_what_is_left_no_longer_joins(
    site: Site, data: st.DataObject
) -> None:
    graph = site.graphs[MAIN]
    shut = set(data.draw(st.lists(st.sampled_from(sorted(graph.lanes)), max_size=3), label="shut"))

    def largest_group(lanes: set[LaneId]) -> int:
        left = replace(graph, lanes={lane: graph.lanes[lane] for lane in lanes})
        places = [str(station.waypoints[MAIN]) for station in site.stations.values()]
        joined = {
            a: {b for b in places if a_way_exists(left, a, b, ()) and a_way_exists(left, b, a, ())} for a in places
        }
        return max(len(group) for group in joined.values())

    lost = Severance(site, graph).lost(shut)
    assert (len(lost) > 0) == (largest_group(set(graph.lanes) - shut) < largest_group(set(graph.lanes)))
    assert len(lost) >= largest_group(set(graph.lanes)) - largest_group(set(graph.lanes) - shut)
