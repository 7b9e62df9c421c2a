from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.site.model import LaneId, Site, StationId, StationKind, Waypoint, WaypointId
from orchestrator.domain.site.survey.closures import UnknownLaneError, consequences_of_closing
from tests.support.sites import MAIN, a_graph, a_robot_model, a_site, a_ward, a_waypoint, lanes_between

PORTER = a_robot_model()


def both_ways(*ways: str) -> list[LaneId]:
    ends = [way.split("-") for way in ways]
    return [LaneId(f"{a}~{b}") for a, b in ends] + [LaneId(f"{b}~{a}") for a, b in ends]


def a_ring() -> Site:
    """Return a hatch and a ward on opposite corners of a ring, a charger at each of the others on a spur."""
    places = {"hatch": (0, 0), "n": (0, 6), "ward": (8, 6), "s": (8, 0), "home": (0, 9), "other": (8, -3)}
    waypoints: list[Waypoint] = [a_waypoint(id, x, y) for id, (x, y) in places.items()]
    ways = lanes_between("hatch-n", "n-ward", "ward-s", "s-hatch", "n-home", "s-other", width_m=2.0)
    kinds = {"hatch": StationKind.PHARMACY_HATCH, "ward": StationKind.WARD_HANDOVER}
    return a_site(a_graph(waypoints, ways), {**kinds, "home": StationKind.CHARGER, "other": StationKind.CHARGER})


def test_closing_the_only_corridor_names_every_station_beyond_it_and_from_where_it_is_missed() -> None:
    found = consequences_of_closing(a_ward(), [PORTER], both_ways("west-east"))
    cut_off = {(finding.code, finding.station): finding.stations for finding in found}
    assert cut_off == {
        ("closure_cuts_off_station", "hatch"): ("parking",),
        ("closure_cuts_off_station", "ward"): ("charger",),
        ("closure_cuts_off_resting_place", "charger"): ("parking",),
        ("closure_cuts_off_resting_place", "parking"): ("charger",),
    }
    assert all(finding.is_error for finding in found)
    assert all("2 lanes closed" in finding.sentence for finding in found)
    (ward,) = [finding for finding in found if finding.station == "ward"]
    assert "no longer get from charger to station ward" in ward.sentence


def test_closing_one_direction_of_the_only_corridor_cuts_off_as_much() -> None:
    one, both = (
        consequences_of_closing(a_ward(), [PORTER], lanes) for lanes in ([LaneId("west~east")], both_ways("west-east"))
    )
    assert {finding.station for finding in one} == {finding.station for finding in both}


def test_closing_one_side_of_a_ring_does_no_harm_and_closing_the_other_side_too_does() -> None:
    first, second = both_ways("n-ward"), both_ways("s-hatch")
    assert consequences_of_closing(a_ring(), [PORTER], first) == []
    stations = {
        finding.station for finding in consequences_of_closing(a_ring(), [PORTER], second, closed_already=first)
    }
    assert stations == {"hatch", "ward", "home", "other"}


@pytest.mark.parametrize("lanes", [["n~home"], ["home~n"], ["n~home", "home~n"]])
def test_closing_the_spur_of_one_resting_place_names_that_alone(lanes: list[str]) -> None:
    (found,) = consequences_of_closing(a_ring(), [PORTER], [LaneId(lane) for lane in lanes])
    assert (found.code, found.station) == ("closure_cuts_off_resting_place", "home")


def test_closing_the_spur_of_the_only_resting_place_names_every_station() -> None:
    ring = a_ring()
    alone = replace(ring, stations={id: station for id, station in ring.stations.items() if id != "other"})
    found = consequences_of_closing(alone, [PORTER], both_ways("n-home"))
    assert {finding.station for finding in found} == {"hatch", "ward"}


def test_what_is_cut_off_already_is_no_consequence_of_a_further_closure() -> None:
    both = [*both_ways("n-ward"), *both_ways("s-hatch")]
    assert consequences_of_closing(a_ring(), [PORTER], [LaneId("n~ward")], closed_already=both) == []


def test_a_closure_that_leaves_only_the_way_past_a_parked_robot_names_that_robots_place() -> None:
    ring = a_ring()
    on_the_ring = replace(ring.stations[StationId("other")], waypoints={MAIN: WaypointId("s")})
    site = replace(ring, stations={**ring.stations, on_the_ring.id: on_the_ring})
    assert consequences_of_closing(site, [PORTER], []) == []
    (finding,) = [
        each
        for each in consequences_of_closing(site, [PORTER], both_ways("n-ward"))
        if each.code == "resting_place_cuts_off"
    ]
    assert finding.station == "other"
    assert finding.waypoint == "s"


def test_a_lane_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(UnknownLaneError, match=r"ghost.*expected one such as"):
        consequences_of_closing(a_ward(), [PORTER], [LaneId("ghost")])
