"""Invented sites that hold one trap each, for the linter's long look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from orchestrator.domain.site.model import (
    Door,
    DoorId,
    Lift,
    LiftId,
    Site,
    StationId,
    StationKind,
    Wall,
    Waypoint,
    WaypointId,
)
from tests.support.sites import FIRST, GROUND, MAIN, a_graph, a_site, a_waypoint, lanes_between

HATCH, WARD = StationKind.PHARMACY_HATCH, StationKind.WARD_HANDOVER
BED, CHARGER, PARKING, OTHER = (
    StationKind.BEDSIDE,
    StationKind.CHARGER,
    StationKind.PARKING,
    StationKind.OTHER,
)


def drawn(places: Mapping[str, tuple[float, float]], ways: str, *, width_m: float = 2.0, **kinds: StationKind) -> Site:
    """Return a site of waypoints by name, ways written ``a-b c>d``, and the kinds of the stations."""
    waypoints: list[Waypoint] = [a_waypoint(id, x, y) for id, (x, y) in places.items()]
    return a_site(a_graph(waypoints, lanes_between(*ways.split(), width_m=width_m)), kinds)


def charger_in_the_only_corridor() -> Site:
    """A corridor from hatch to ward with a charger in its middle, and a second charger on a spur."""
    places = {"hatch": (0.0, 0.0), "west": (6.0, 0.0), "mid": (12.0, 0.0), "ward": (18.0, 0.0), "home": (6.0, 3.0)}
    site = drawn(places, "hatch-west west-mid mid-ward west-home", hatch=HATCH, ward=WARD, mid=CHARGER, home=CHARGER)
    return replace(site, walls=(Wall(GROUND, (0.0, -2.0), (18.0, -2.0)), Wall(GROUND, (8.0, 2.0), (18.0, 2.0))))


def parking_on_a_one_way_ring() -> Site:
    """A one-way ring with hatch, ward and two chargers on spurs, and a parking place on the ring itself."""
    places = {
        "a": (0.0, 0.0),
        "b": (8.0, 0.0),
        "c": (8.0, 8.0),
        "d": (0.0, 8.0),
        "hatch": (-3.0, 0.0),
        "ward": (11.0, 8.0),
        "home": (11.0, 0.0),
        "other": (-3.0, 8.0),
        "park": (4.0, 8.0),
    }
    ways = "a>b b>c c>park park>d d>a a-hatch c-ward b-home d-other"
    return drawn(places, ways, hatch=HATCH, ward=WARD, home=CHARGER, other=CHARGER, park=PARKING)


def two_wards_behind_one_door() -> Site:
    """Two wards beyond a door without which nobody gets there."""
    places = {
        "hatch": (0.0, 0.0),
        "hall": (4.0, 0.0),
        "home": (4.0, 4.0),
        "spare": (4.0, -4.0),
        "lobby": (12.0, 0.0),
        "east": (12.0, 4.0),
        "west": (12.0, -4.0),
    }
    ways = "hatch-hall hall-home hall-spare hall-lobby lobby-east lobby-west"
    site = drawn(places, ways, hatch=HATCH, home=CHARGER, spare=PARKING, east=WARD, west=WARD)
    door = Door(DoorId("fire_door"), GROUND, (8.0, -1.0), (8.0, 1.0))
    graph = site.graphs[MAIN]
    lanes = {
        lane.id: replace(lane, door=door.id) if {lane.start, lane.end} == {"hall", "lobby"} else lane
        for lane in graph.lanes.values()
    }
    return replace(site, doors={door.id: door}, graphs={MAIN: replace(graph, lanes=lanes)})


def graph_split_in_two() -> Site:
    """Two parts with a station each and no way from one to the other."""
    places = {"hatch": (0.0, 0.0), "home": (4.0, 0.0), "ward": (20.0, 0.0), "far": (24.0, 0.0)}
    return drawn(places, "hatch-home ward-far", hatch=HATCH, home=CHARGER, ward=WARD, far=CHARGER)


def charger_beside_a_lane() -> Site:
    """A charger 0.5 m beside a corridor that it belongs to by a lane of its own."""
    places = {"hatch": (0.0, 0.0), "mid": (6.0, 0.0), "ward": (12.0, 0.0), "near": (9.0, 0.5), "home": (6.0, 4.0)}
    return drawn(places, "hatch-mid mid-ward mid-near mid-home", hatch=HATCH, ward=WARD, near=CHARGER, home=CHARGER)


def lobby_as_resting_place() -> Site:
    """Two floors and one lift, with a resting place in the lobby before it."""
    lift = Lift(LiftId("lift"), 10.0, 0.0, 0.0, 2.0, 2.0, (GROUND, FIRST))
    waypoints = [
        a_waypoint("hatch", 0.0, 0.0),
        a_waypoint("hall", 4.0, 0.0),
        a_waypoint("home", 4.0, 4.0),
        a_waypoint("lobby", 7.0, 0.0),
        a_waypoint("cabin", 10.0, 0.0, lift=lift.id, may_stop=False),
        a_waypoint("cabin_up", 10.0, 0.0, level="first", lift=lift.id, may_stop=False),
        a_waypoint("lobby_up", 7.0, 0.0, level="first"),
        a_waypoint("ward", 3.0, 0.0, level="first"),
    ]
    ways = (
        "hatch-hall",
        "hall-home",
        "hall-lobby",
        "lobby-cabin",
        "cabin-cabin_up",
        "cabin_up-lobby_up",
        "lobby_up-ward",
    )
    kinds = {"hatch": HATCH, "home": CHARGER, "lobby": PARKING, "ward": WARD}
    return a_site(a_graph(waypoints, lanes_between(*ways, width_m=2.0)), kinds, lifts=[lift])


def two_robots_at_one_place() -> Site:
    """Two chargers at one waypoint."""
    places = {"hatch": (0.0, 0.0), "mid": (4.0, 0.0), "ward": (8.0, 0.0), "home": (4.0, 4.0)}
    site = drawn(places, "hatch-mid mid-ward mid-home", hatch=HATCH, ward=WARD, home=CHARGER)
    twin = replace(site.stations[StationId("home")], id=StationId("twin"))
    return replace(site, stations={**site.stations, twin.id: twin})


def station_in_a_doorway() -> Site:
    """A ward handover point in the line of a door."""
    site = two_wards_behind_one_door()
    door = Door(DoorId("east_door"), GROUND, (11.0, 3.9), (13.0, 3.9))
    return replace(site, doors={**site.doors, door.id: door})


def wide_corridor_drawn_as_one_lane() -> Site:
    """A hospital street 3 m wide, 20 m long, with room for two lanes and one drawn."""
    places = {
        "hatch": (0.0, 2.0),
        "home": (0.0, -2.0),
        "w": (0.0, 0.0),
        "m": (10.0, 0.0),
        "e": (20.0, 0.0),
        "ward": (20.0, 2.0),
        "park": (20.0, -2.0),
    }
    ways = "hatch-w home-w w-m m-e e-ward e-park"
    return drawn(places, ways, width_m=3.0, hatch=HATCH, home=CHARGER, ward=WARD, park=PARKING)


def large_grid(columns: int = 50, rows: int = 40) -> Site:
    """A grid of thousands of waypoints with two dozen stations on spurs."""
    places = {f"g{x}_{y}": (3.0 * x, 3.0 * y) for x in range(columns) for y in range(rows)}
    ways = [f"g{x}_{y}-g{x + 1}_{y}" for x in range(columns - 1) for y in range(rows)]
    ways += [f"g{x}_{y}-g{x}_{y + 1}" for x in range(columns) for y in range(rows - 1)]
    kinds: dict[str, StationKind] = {}
    for number in range(24):
        x, y = (7 * number) % columns, (11 * number) % rows
        name = f"s{number}"
        places[name] = (3.0 * x + 1.5, 3.0 * y + 1.5)
        ways.append(f"g{x}_{y}-{name}")
        kinds[name] = (HATCH, WARD, CHARGER, PARKING)[number % 4]
    waypoints: list[Waypoint] = [a_waypoint(id, x, y) for id, (x, y) in places.items()]
    return a_site(a_graph(waypoints, lanes_between(*ways, width_m=2.0)), kinds)


def waypoint_of(site: Site, station: str) -> WaypointId:
    """Return the waypoint of a station of a site with one graph."""
    return site.stations[StationId(station)].waypoints[MAIN]
