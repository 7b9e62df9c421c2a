"""Invented sites with a trap each: it is found, the right place is blamed, and the remedy proposed repairs it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from orchestrator.domain.site.findings import Finding, Remedy, RemedyKind, Severity
from orchestrator.domain.site.model import LaneId, Site, StationId, StationKind, WaypointId
from orchestrator.domain.site.survey.blame import blame_finding, parked_blame, resting_places_of, ways_of
from orchestrator.domain.site.survey.changes import with_bay, with_spur, with_station_at
from orchestrator.domain.site.survey.remedies import Remedies
from orchestrator.domain.site.survey.verdict import NOT_CHECKED, Survey, Verdict, survey_site
from tests.support import invented_sites as invented
from tests.support.sites import MAIN, a_graph, a_robot_model, a_site, a_ward, a_waypoint, lanes_between

PORTER = a_robot_model()


def survey(site: Site) -> Survey:
    return survey_site(site, [PORTER])


def found(site: Site, code: str) -> list[Finding]:
    return [finding for finding in survey(site).findings if finding.code == code]


def kinds(finding: Finding) -> list[RemedyKind]:
    return [remedy.kind for remedy in finding.remedies]


REFUSED: dict[str, tuple[Callable[[], Site], str, str | None]] = {
    "charger in the only corridor": (invented.charger_in_the_only_corridor, "resting_place_cuts_off", "mid"),
    "parking on a one-way ring": (invented.parking_on_a_one_way_ring, "resting_place_cuts_off", "park"),
    "charger beside a lane": (invented.charger_beside_a_lane, "resting_place_cuts_off", "near"),
    "resting place in the lift lobby": (invented.lobby_as_resting_place, "resting_place_cuts_off", "lobby"),
    "two robots at one place": (invented.two_robots_at_one_place, "stations_share_waypoint", "home"),
    "graph split in two": (invented.graph_split_in_two, "unreachable_station", None),
}


@pytest.mark.parametrize(("made", "code", "station"), REFUSED.values(), ids=REFUSED.keys())
def test_a_trap_is_found_and_the_place_at_fault_is_named(
    made: Callable[[], Site], code: str, station: str | None
) -> None:
    site = made()
    result = survey(site)
    assert result.verdict is Verdict.REFUSED
    blamed = [finding.station for finding in result.findings if finding.code == code]
    assert blamed
    assert station is None or blamed == [station]


def test_nobody_is_blamed_who_stands_where_there_is_another_way() -> None:
    """The first robot met on the way from the hatch is the one at the spur's end; freeing it would repair nothing."""
    (finding,) = found(invented.charger_in_the_only_corridor(), "resting_place_cuts_off")
    assert finding.station == "mid"
    assert finding.waypoint == "mid"
    assert set(finding.stations) == {"home", "ward"}


def applied(site: Site, finding: Finding, remedy: Remedy) -> Site:
    """Do what a remedy says, by its kind, point and waypoints only."""
    assert finding.station is not None
    base = site.stations[finding.station].waypoints[MAIN]
    if remedy.kind is RemedyKind.DROP_RESTING_PLACE:
        dropped = replace(site.stations[finding.station], kind=StationKind.OTHER)
        return replace(site, stations={**site.stations, dropped.id: dropped})
    if remedy.kind is RemedyKind.MOVE_TO_SPUR:
        assert remedy.waypoints == (base,)
        changed, end = with_spur(site, MAIN, base, remedy.points[0])
        return with_station_at(changed, finding.station, MAIN, end)
    if remedy.kind is RemedyKind.PASSING_PLACE:
        before, past, after = remedy.waypoints
        return with_bay(site, MAIN, (before, after), remedy.points[0], beside=past)[0]
    assert remedy.kind is RemedyKind.MOVE_TO_WAYPOINT
    return with_station_at(site, finding.station, MAIN, remedy.waypoints[0])


@pytest.mark.parametrize(
    "made",
    [
        invented.charger_in_the_only_corridor,
        invented.parking_on_a_one_way_ring,
        invented.charger_beside_a_lane,
        invented.lobby_as_resting_place,
    ],
)
def test_every_remedy_proposed_repairs_the_site(made: Callable[[], Site]) -> None:
    site = made()
    (finding,) = found(site, "resting_place_cuts_off")
    assert finding.remedies
    for remedy in finding.remedies:
        repaired = survey(applied(site, finding, remedy))
        assert repaired.verdict is not Verdict.REFUSED, remedy.sentence
        assert f"{remedy.sentence}" in finding.remedy


def test_a_move_that_would_cut_off_others_instead_is_not_proposed() -> None:
    """The nearest free waypoint lies on the only way to a bedside, so the charger may not move there."""
    places = {"hatch": (0.0, 0.0), "mid": (5.0, 0.0), "ward": (10.0, 0.0), "home": (-3.0, 0.0)}
    side = {"side": (5.0, 4.0), "free": (5.0, 7.0), "join": (1.5, 0.0), "bed": (5.0, 10.0)}
    site = invented.drawn(
        places | side,
        "home-hatch hatch-join join-mid mid-ward join-side side-free free-bed",
        hatch=invented.HATCH,
        mid=invented.CHARGER,
        ward=invented.WARD,
        home=invented.CHARGER,
        bed=invented.BED,
    )
    (finding,) = found(site, "resting_place_cuts_off")
    assert finding.station == "mid"
    assert RemedyKind.MOVE_TO_WAYPOINT not in kinds(finding)
    for remedy in finding.remedies:
        assert survey(applied(site, finding, remedy)).verdict is not Verdict.REFUSED


def test_a_spur_keeps_clear_of_drawn_walls_and_says_how_wide_it_must_be() -> None:
    site = invented.charger_in_the_only_corridor()
    (finding,) = found(site, "resting_place_cuts_off")
    spur = next(remedy for remedy in finding.remedies if remedy.kind is RemedyKind.MOVE_TO_SPUR)
    ((_, y_m),) = spur.points
    assert -2.0 + PORTER.radius_m <= y_m <= 2.0 - PORTER.radius_m
    assert "0.80 m wide at least" in spur.sentence


def test_where_walls_leave_no_room_no_spur_is_proposed() -> None:
    site = invented.charger_in_the_only_corridor()
    near = tuple(replace(wall, start=(0.0, y), end=(18.0, y)) for wall, y in zip(site.walls, (-0.6, 0.6), strict=True))
    (finding,) = found(replace(site, walls=near), "resting_place_cuts_off")
    assert kinds(finding) == [RemedyKind.DROP_RESTING_PLACE]


def test_a_passing_place_is_proposed_for_a_station_people_need_where_it_is() -> None:
    """Spurs have no room for their ends among other lanes here; a way round the standing robot has."""
    places = {"hatch": (0.0, 0.0), "nurse": (6.0, 0.0), "ward": (12.0, 0.0), "home": (0.0, 3.0), "spare": (12.0, 3.0)}
    site = invented.drawn(
        places,
        "hatch-nurse nurse-ward hatch-home ward-spare",
        hatch=invented.HATCH,
        nurse=invented.WARD,
        ward=invented.WARD,
        home=invented.CHARGER,
        spare=invented.PARKING,
    )
    (finding,) = [each for each in found(site, "standing_robot_cuts_off") if each.station == "nurse"]
    assert finding.severity is Severity.WARNING
    assert kinds(finding) == [RemedyKind.MOVE_TO_SPUR, RemedyKind.PASSING_PLACE]
    assert "m wide, " in finding.remedies[1].sentence
    assert survey(site).verdict is Verdict.FIT_WITH_CONDITIONS


def test_the_only_door_to_two_wards_is_a_condition_and_names_both() -> None:
    result = survey(invented.two_wards_behind_one_door())
    (finding,) = [each for each in result.findings if each.code == "single_point_of_failure"]
    assert (finding.door, finding.severity, set(finding.stations)) == ("fire_door", Severity.WARNING, {"east", "west"})
    assert result.verdict is Verdict.FIT_WITH_CONDITIONS


def test_the_only_lift_is_a_single_point_of_failure() -> None:
    site = invented.lobby_as_resting_place()
    (finding,) = found(site, "single_point_of_failure")
    assert (finding.lift, finding.stations) == ("lift", ("ward",))


def test_a_station_in_a_doorway_is_a_condition() -> None:
    (finding,) = found(invented.station_in_a_doorway(), "station_in_doorway")
    assert (finding.station, finding.door) == ("east", "east_door")


def test_two_lanes_side_by_side_are_proposed_where_there_is_room_for_them_and_not_where_there_is_none() -> None:
    site = invented.wide_corridor_drawn_as_one_lane()
    (finding,) = found(site, "single_track_corridor")
    assert kinds(finding) == [RemedyKind.PARALLEL_LANES]
    graph = site.graphs[MAIN]
    narrow = {lane.id: replace(lane, width_m=1.4) for lane in graph.lanes.values()}
    (finding,) = found(replace(site, graphs={MAIN: replace(graph, lanes=narrow)}), "single_track_corridor")
    assert kinds(finding) == [RemedyKind.PASSING_PLACE]
    assert "10.0 m" in finding.remedies[0].sentence


def test_a_ring_may_be_made_one_way_where_everybody_stays_joined() -> None:
    places = {"w": (0.0, 0.0), "n": (6.0, 6.0), "e": (12.0, 0.0), "s": (6.0, -6.0)}
    spurs = {"hatch": (-3.0, 0.0), "ward": (15.0, 0.0), "home": (6.0, 9.0), "spare": (6.0, -9.0)}
    site = invented.drawn(
        places | spurs,
        "w-n n-e e-s s-w hatch-w ward-e home-n spare-s",
        width_m=1.2,
        hatch=invented.HATCH,
        ward=invented.WARD,
        home=invented.CHARGER,
        spare=invented.PARKING,
    )
    tracks = found(site, "busy_single_track")
    assert tracks
    assert all(kinds(finding) == [RemedyKind.ONE_WAY] for finding in tracks)


def test_a_ring_is_called_one_and_does_not_lead_from_a_place_to_itself() -> None:
    places = {"a": (0.0, 0.0), "b": (8.0, 0.0), "c": (8.0, 8.0), "d": (0.0, 8.0), "home": (-4.0, 0.0)}
    stations = {"hatch": invented.HATCH, "ward": invented.WARD, "home": invented.CHARGER}
    ring = a_graph(
        [a_waypoint({"c": "hatch", "d": "ward"}.get(id, id), *at) for id, at in places.items()],
        lanes_between("a-b", "b-hatch", "hatch-ward", "ward-a", "a-home", width_m=1.2),
    )
    sentences = [f.sentence for f in survey(a_site(ring, stations)).findings if "single track" in f.sentence]
    assert any(each.startswith("The ring from a round and back to it on graph main") for each in sentences), sentences
    assert not any("from a to a" in each for each in sentences)
    assert survey(a_site(ring, stations)).facts[MAIN].bottleneck == "the ring at a"


def test_a_sound_site_is_fit_without_conditions() -> None:
    result = survey(a_ward())
    assert result.of_severity(Severity.ERROR) == ()
    assert [finding.code for finding in result.of_severity(Severity.WARNING)] == [
        "single_track_corridor",
        "lanes_without_speed_limit",
        "fewer_chargers_than_robots",
    ]
    short = a_graph(
        [a_waypoint(id, x, y) for id, x, y in (("hatch", 0, 0), ("mid", 2, 0), ("ward", 4, 0), ("home", 2, 2))],
        [
            replace(lane, speed_limit_m_s=0.5)
            for lane in lanes_between("hatch-mid", "mid-ward", "mid-home", width_m=2.0)
        ],
    )
    result = survey(a_site(short, {"hatch": invented.HATCH, "ward": invented.WARD, "home": invented.CHARGER}))
    assert result.verdict is Verdict.FIT
    assert [finding.code for finding in result.findings] == ["robots"]


def test_robots_that_would_live_where_they_cannot_charge_are_a_condition() -> None:
    (finding,) = found(a_ward(), "fewer_chargers_than_robots")
    assert finding.figures == {"resting_places": 2, "chargers": 1}
    assert finding.stations == ("parking",)
    only = replace(a_ward(), stations={id: each for id, each in a_ward().stations.items() if id != "parking"})
    assert found(only, "fewer_chargers_than_robots") == []


def test_no_speed_limit_anywhere_is_a_condition_and_some_lanes_without_are_a_note() -> None:
    site = a_ward()
    assert found(site, "lanes_without_speed_limit")[0].severity is Severity.WARNING
    graph = site.graphs[MAIN]
    slow = {id: replace(lane, speed_limit_m_s=0.5) if id == "west~east" else lane for id, lane in graph.lanes.items()}
    site = replace(site, graphs={MAIN: replace(graph, lanes=slow)})
    assert found(site, "lanes_without_speed_limit")[0].severity is Severity.NOTE


def test_the_number_of_robots_is_that_of_resting_places_that_cut_nobody_off_together() -> None:
    result = survey(invented.charger_in_the_only_corridor())
    assert result.places in (("home",), ("mid",))
    assert result.is_largest
    (finding,) = [each for each in result.findings if each.code == "robots"]
    assert finding.figures["robots"] == 1


def test_single_tracks_have_their_length_width_share_and_where_to_wait() -> None:
    (corridor,) = [
        c for c in survey(invented.wide_corridor_drawn_as_one_lane()).facts[MAIN].corridors if c.length_m > 5
    ]
    assert set(corridor.waypoints) == {"w", "m", "e"}
    assert corridor.length_m == pytest.approx(20.0)
    assert corridor.width_m == 3.0
    assert set(corridor.passing_at) == {"w", "e"}
    assert corridor.share == pytest.approx(8 / 12)
    assert set(corridor.lost) in ({"hatch", "home"}, {"ward", "park"})


def test_a_site_with_broken_references_is_refused_for_these_and_not_measured() -> None:
    site = a_ward()
    graph = site.graphs[MAIN]
    lane = replace(graph.lanes[LaneId("west~east")], end=WaypointId("ghost"))
    result = survey(replace(site, graphs={MAIN: replace(graph, lanes={**graph.lanes, lane.id: lane})}))
    assert result.verdict is Verdict.REFUSED
    assert result.facts == {}
    assert "unknown_waypoint" in {finding.code for finding in result.findings}


def test_closing_a_lane_refuses_what_it_cuts_off_and_counts_the_rest_without_it() -> None:
    site = invented.two_wards_behind_one_door()
    result = survey_site(site, [PORTER], closed=[LaneId("hall~lobby"), LaneId("lobby~hall")])
    cut_off = {finding.station for finding in result.findings if finding.code == "closure_cuts_off_station"}
    assert cut_off == {"east", "west"}
    assert result.verdict is Verdict.REFUSED
    assert result.closed == ("hall~lobby", "lobby~hall")


def test_where_trying_everything_is_too_much_the_finding_says_so_and_keeps_its_place() -> None:
    site = invented.charger_in_the_only_corridor()
    radii = {MAIN: PORTER.radius_m + PORTER.deviation_m}
    resting = resting_places_of(site)
    (blame,) = parked_blame(ways_of(site, radii)[MAIN], resting)
    whole = Remedies(site, radii).tried(blame_finding(site, blame), blame)
    cut_short = Remedies(site, radii, effort=0).tried(blame_finding(site, blame), blame)
    assert whole.remedies
    assert cut_short.remedies == ()
    assert cut_short.waypoint == "mid"
    assert cut_short.remedy.endswith(
        "The site is too large to try every change on: repair others first, then check again."
    )


def test_thousands_of_waypoints_are_looked_at_in_seconds() -> None:
    site = invented.large_grid()
    before_s = time.process_time()
    result = survey(site)
    assert time.process_time() - before_s < 30.0
    assert result.verdict is not Verdict.REFUSED
    assert len(result.places) == 12


def test_everything_says_what_to_do_and_the_same_site_is_always_told_the_same() -> None:
    sites = [made() for made, _, _ in REFUSED.values()] + [invented.two_wards_behind_one_door()]
    for site in sites:
        first, second = survey(site), survey(site)
        assert first == second
        assert all(each.sentence.endswith(".") and each.remedy.endswith(".") for each in first.findings)
        severities = [list(Severity).index(each.severity) for each in first.findings]
        assert severities == sorted(severities)
    assert {"floor", "people", "dynamics"} <= set(NOT_CHECKED)


def test_a_graph_that_nobody_drives_on_is_not_measured() -> None:
    result = survey_site(a_ward(), [a_robot_model(graph="elsewhere")])
    assert result.facts == {}
    assert result.places == ()
    assert StationId("charger") in result.site.stations
