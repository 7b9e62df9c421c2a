from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.adapters.config.revision import with_revision
from orchestrator.adapters.config.site_file import opposite, site_of_source
from orchestrator.adapters.config.site_writing import site_file_text
from orchestrator.adapters.config.source import parse_source
from orchestrator.domain.site.model import (
    Door,
    DoorId,
    FireScope,
    GraphId,
    Lane,
    LaneGraph,
    LaneId,
    Level,
    LevelId,
    Lift,
    LiftId,
    Orientation,
    Panel,
    PanelId,
    PanelKind,
    Site,
    Station,
    StationId,
    StationKind,
    Wall,
    Waypoint,
    WaypointId,
    Zone,
    ZoneId,
    ZoneKind,
)
from orchestrator.domain.site.zones import kept_clear

ids = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="/#+~"), min_size=1, max_size=12
)
names = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), max_size=20)
metres = st.floats(-1000, 1000, allow_nan=False)
points = st.tuples(metres, metres)
properties = st.dictionaries(names, names | st.integers() | st.booleans() | metres, max_size=3).map(MappingProxyType)


@st.composite
def lane_graphs(draw: st.DrawFn, levels: list[LevelId], doors: list[DoorId], lifts: list[LiftId]) -> LaneGraph:
    waypoints = {
        WaypointId(id): Waypoint(
            WaypointId(id),
            draw(st.sampled_from(levels)),
            *draw(points),
            name=draw(names),
            lift=draw(st.none() | st.sampled_from(lifts)) if lifts else None,
            may_stop=draw(st.booleans()),
            properties=draw(properties),
        )
        for id in draw(st.lists(ids, min_size=1, max_size=5, unique=True))
    }
    lanes: dict[LaneId, Lane] = {}
    ways = st.tuples(st.sampled_from(sorted(waypoints)), st.sampled_from(sorted(waypoints)))
    for start, end in draw(st.lists(ways, max_size=6, unique_by=lambda way: frozenset(way))):
        if start == end:
            continue
        is_two_way = draw(st.booleans())
        there, back = LaneId(f"{start}~{end}"), LaneId(f"{end}~{start}")
        width_m = draw(st.none() | st.floats(0, 10))
        speed = draw(st.none() | st.floats(0.01, 5))
        door = draw(st.none() | st.sampled_from(doors)) if doors else None
        orientation = draw(st.none() | st.sampled_from(Orientation))
        kept, is_estimated = draw(properties), draw(st.booleans())
        lanes[there] = Lane(
            there, start, end, back if is_two_way else None, width_m, speed, door, orientation, kept, is_estimated
        )
        if is_two_way:
            turned = opposite(orientation)
            lanes[back] = Lane(back, end, start, there, width_m, speed, door, turned, kept, is_estimated)
    return LaneGraph(GraphId(draw(ids)), waypoints, lanes, draw(names))


@st.composite
def zones_on(draw: st.DrawFn, levels: list[LevelId], waypoints: list[WaypointId]) -> dict[ZoneId, Zone]:
    some = st.frozensets(st.sampled_from(waypoints), max_size=2)
    return {
        ZoneId(id): Zone(
            ZoneId(id),
            draw(st.sampled_from(ZoneKind)),
            draw(st.sampled_from(levels)),
            tuple(draw(st.lists(points, max_size=4))),
            draw(some),
            draw(some),
            draw(names),
        )
        for id in draw(st.lists(ids, max_size=3, unique=True))
    }


@st.composite
def sites(draw: st.DrawFn) -> Site:
    levels = [LevelId(id) for id in draw(st.lists(ids, min_size=1, max_size=3, unique=True))]
    doors = {
        DoorId(id): Door(
            DoorId(id),
            draw(st.sampled_from(levels)),
            draw(points),
            draw(points),
            draw(names),
            draw(st.booleans()),
            draw(names),
        )
        for id in draw(st.lists(ids, max_size=3, unique=True))
    }
    lifts = {
        LiftId(id): Lift(
            LiftId(id),
            *draw(points),
            draw(st.floats(-4, 4)),
            draw(st.floats(0.5, 5)),
            draw(st.floats(0.5, 5)),
            tuple(levels),
            draw(st.booleans()),
            draw(names),
        )
        for id in draw(st.lists(ids, max_size=2, unique=True))
    }
    graph = draw(lane_graphs(levels, list(doors), list(lifts)))
    stations = {
        StationId(id): Station(
            StationId(id),
            draw(st.sampled_from(StationKind)),
            draw(st.sampled_from(levels)),
            {graph.id: draw(st.sampled_from(sorted(graph.waypoints)))},
            draw(names),
        )
        for id in draw(st.lists(ids, max_size=3, unique=True))
    }
    drawn = draw(st.lists(st.tuples(points, points), max_size=3))
    zones = draw(zones_on(levels, sorted(graph.waypoints)))
    graph = kept_clear(graph, zones.values())
    panels = {
        PanelId(id): Panel(
            PanelId(id),
            draw(st.sampled_from(PanelKind)),
            tuple(ZoneId(zone) for zone in draw(st.lists(ids, min_size=1, max_size=3))),
            draw(st.floats(1, 100)),
            draw(names),
        )
        for id in draw(st.lists(ids, max_size=2, unique=True))
    }
    return with_revision(
        Site(
            id=draw(ids),
            name=draw(names) or "a site",
            revision="",
            levels={id: Level(id, draw(metres), draw(names), draw(names)) for id in levels},
            graphs={graph.id: graph},
            doors=doors,
            lifts=lifts,
            stations=stations,
            walls=tuple(Wall(levels[0], start, end) for start, end in drawn),
            zones=zones,
            panels=panels,
            fire_scope=draw(st.sampled_from(FireScope)),
        )
    )


@settings(max_examples=50, deadline=None)
@given(sites())
def test_a_site_written_and_read_again_is_the_same_site(site: Site) -> None:
    again = site_of_source(parse_source(site_file_text(site), Path("round_trip.site.yaml"))).site
    assert again == site
    assert list(next(iter(again.graphs.values())).waypoints) == list(next(iter(site.graphs.values())).waypoints)


@settings(max_examples=50, deadline=None)
@given(sites(), sites())
def test_sites_that_differ_have_different_revisions(one: Site, other: Site) -> None:
    is_same = site_file_text(one) == site_file_text(other)
    assert (one.revision == other.revision) is is_same
