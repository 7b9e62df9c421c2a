"""Zones: what lies in them, where nobody may stop because of them, and what the linter says of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.site.linter import check_site
from orchestrator.domain.site.model import (
    LaneId,
    LevelId,
    Panel,
    PanelId,
    PanelKind,
    Site,
    WaypointId,
    Zone,
    ZoneId,
    ZoneKind,
)
from orchestrator.domain.site.zones import kept_clear
from tests.support.sites import GROUND, MAIN, a_ward
from tests.support.wards import demo_hospital


def a_zone(kind: ZoneKind = ZoneKind.ESCAPE_ROUTE, **changes: object) -> Zone:
    """A square around waypoint ``west`` of `a_ward`."""
    square = ((4.0, -1.0), (6.0, -1.0), (6.0, 1.0), (4.0, 1.0))
    return replace(Zone(ZoneId("zone"), kind, GROUND, outline=square), **changes)


def with_zone(zone: Zone, *panels: Panel) -> Site:
    site = a_ward()
    graphs = {id: kept_clear(graph, [zone]) for id, graph in site.graphs.items()}
    return replace(site, graphs=graphs, zones={zone.id: zone}, panels={panel.id: panel for panel in panels})


def codes(site: Site) -> list[str]:
    return [finding.code for finding in check_site(site)]


@pytest.mark.parametrize(
    ("point", "is_inside"),
    [((1.0, 1.0), True), ((3.0, 1.0), False), ((1.0, 3.0), True), ((0.0, 2.0), True), ((-0.1, 2.0), False)],
)
def test_a_zone_with_a_corner_cut_out_covers_what_is_inside_its_outline_and_on_its_edge(
    point: tuple[float, float], is_inside: bool
) -> None:
    zone = a_zone(outline=((0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (4.0, 2.0), (4.0, 4.0), (0.0, 4.0)))

    assert zone.covers(GROUND, point) is is_inside
    assert not zone.covers(LevelId("first"), point)


def test_a_waypoint_belongs_to_a_zone_by_its_place_or_by_name() -> None:
    graph = a_ward().graphs[MAIN]

    assert a_zone().waypoints_of(graph) == {"west"}
    assert a_zone(waypoints=frozenset({WaypointId("parking")})).waypoints_of(graph) == {"west", "parking"}


def test_a_lane_touches_a_zone_that_it_only_crosses() -> None:
    graph = a_ward().graphs[MAIN]
    across = a_zone(outline=((7.0, -1.0), (8.0, -1.0), (8.0, 1.0), (7.0, 1.0)))

    touched = {lane.id for lane in graph.lanes.values() if across.is_touched_by(lane, graph)}

    assert touched == {LaneId("west~east"), LaneId("east~west")}


def test_nobody_may_stop_on_an_escape_route_and_everywhere_else_as_before() -> None:
    graph = kept_clear(a_ward().graphs[MAIN], [a_zone(), a_zone(ZoneKind.CRASH_AREA, id=ZoneId("other"))])

    assert [id for id, waypoint in graph.waypoints.items() if not waypoint.may_stop] == ["west"]


def test_the_narrow_corridor_of_the_demo_hospital_is_an_escape_route_when_read_from_its_file() -> None:
    site = demo_hospital()
    graph = next(iter(site.graphs.values()))

    assert {"corridor_1", "corridor_2", "corridor_e"} <= {w.id for w in graph.waypoints.values() if not w.may_stop}


def test_a_station_on_an_escape_route_is_refused_by_name() -> None:
    site = with_zone(a_zone(waypoints=frozenset({WaypointId("charger")}), name="Way out"))

    finding = next(f for f in check_site(site) if f.code == "station_on_escape_route")

    assert finding.is_error
    assert (finding.station, finding.zone, finding.waypoint) == ("charger", "zone", "charger")
    assert "Way out" in finding.sentence


@pytest.mark.parametrize(
    ("zone", "code"),
    [
        (a_zone(level=LevelId("attic")), "unknown_level"),
        (a_zone(waypoints=frozenset({WaypointId("nowhere")})), "unknown_waypoint"),
        (a_zone(ZoneKind.CRASH_AREA, approach=frozenset({WaypointId("nowhere")})), "unknown_waypoint"),
        (a_zone(outline=((0.0, 0.0), (1.0, 1.0))), "zone_without_area"),
        (a_zone(outline=()), "zone_without_area"),
        (a_zone(outline=((90.0, 90.0), (91.0, 90.0), (91.0, 91.0))), "zone_without_waypoint"),
        (a_zone(approach=frozenset({WaypointId("east")})), "approach_of_no_crash_area"),
    ],
)
def test_the_linter_names_what_is_wrong_with_a_zone(zone: Zone, code: str) -> None:
    assert code in codes(with_zone(zone))


@pytest.mark.parametrize(
    ("kind", "zone", "code"),
    [(PanelKind.FIRE, "nowhere", "unknown_zone"), (PanelKind.CRASH_CALL, "zone", "zone_of_other_kind")],
)
def test_the_linter_names_a_panel_that_speaks_of_a_zone_it_cannot(kind: PanelKind, zone: str, code: str) -> None:
    panel = Panel(PanelId("panel"), kind, (ZoneId(zone),))

    assert code in codes(with_zone(a_zone(ZoneKind.FIRE_COMPARTMENT), panel))


def test_a_sound_zone_with_its_panel_is_no_finding() -> None:
    panel = Panel(PanelId("panel"), PanelKind.FIRE, (ZoneId("zone"),))

    assert codes(with_zone(a_zone(ZoneKind.FIRE_COMPARTMENT), panel)) == []
