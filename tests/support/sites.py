"""Small sites for tests, drawn in a few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.adapters.config.revision import with_revision
from orchestrator.domain.fleet.model import ModelId, RobotModel
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

GROUND = LevelId("ground")
FIRST = LevelId("first")
MAIN = GraphId("main")


def a_robot_model(*, id: str = "porter", graph: str = "main", radius_m: float = 0.35) -> RobotModel:
    """Return a robot model of this size on this lane graph."""
    return RobotModel(
        id=ModelId(id),
        graph=GraphId(graph),
        radius_m=radius_m,
        speed_max_m_s=1.0,
        acceleration_m_s2=0.5,
        turn_speed_max_rad_s=1.0,
        turn_acceleration_rad_s2=1.0,
        drawers=("A",),
    )


def a_waypoint(
    id: str, x_m: float, y_m: float, *, level: str = "ground", lift: LiftId | None = None, may_stop: bool = True
) -> Waypoint:
    """Return a waypoint of a few words."""
    return Waypoint(WaypointId(id), LevelId(level), x_m, y_m, lift=lift, may_stop=may_stop)


def lanes_between(*ways: str, width_m: float | None = None) -> list[Lane]:
    """Return lanes of ways written ``a-b`` (both directions) or ``a>b`` (one)."""
    lanes: list[Lane] = []
    for way in ways:
        start, end = (WaypointId(each) for each in way.replace(">", "-").split("-"))
        there, back = LaneId(f"{start}~{end}"), LaneId(f"{end}~{start}")
        is_two_way = ">" not in way
        lanes.append(Lane(there, start, end, reverse=back if is_two_way else None, width_m=width_m))
        if is_two_way:
            lanes.append(Lane(back, end, start, reverse=there, width_m=width_m))
    return lanes


def a_graph(waypoints: Iterable[Waypoint], lanes: Iterable[Lane], *, id: str = "main") -> LaneGraph:
    """Return a lane graph of these waypoints and lanes."""
    return LaneGraph(
        GraphId(id), {waypoint.id: waypoint for waypoint in waypoints}, {lane.id: lane for lane in lanes}, name=""
    )


def a_site(
    graph: LaneGraph,
    stations: Mapping[str, StationKind],
    *,
    doors: Iterable[Door] = (),
    lifts: Iterable[Lift] = (),
    walls: Iterable[Wall] = (),
) -> Site:
    """Return a site of one graph with a station of a kind at each waypoint named in ``stations``."""
    site = Site(
        id="test",
        name="Test",
        revision="",
        levels={GROUND: Level(GROUND), FIRST: Level(FIRST, 4.0)},
        graphs={graph.id: graph},
        doors={DoorId(door.id): door for door in doors},
        lifts={LiftId(lift.id): lift for lift in lifts},
        stations={StationId(id): _station_at(graph, id, kind) for id, kind in stations.items()},
        walls=tuple(walls),
    )
    return with_revision(site)


def _station_at(graph: LaneGraph, id: str, kind: StationKind) -> Station:
    waypoint = graph.waypoints[WaypointId(id)]
    return Station(StationId(id), kind, waypoint.level, {graph.id: waypoint.id})


def a_ward() -> Site:
    """Return a sound site: a hatch and a ward on a corridor, a charger and a parking place on spurs of their own."""
    waypoints = [
        a_waypoint("hatch", 0, 0),
        a_waypoint("west", 5, 0),
        a_waypoint("east", 10, 0),
        a_waypoint("ward", 15, 0),
        a_waypoint("charger", 5, 4),
        a_waypoint("parking", 10, 4),
    ]
    lanes = lanes_between("hatch-west", "west-east", "east-ward", "west-charger", "east-parking", width_m=2.0)
    return a_site(
        a_graph(waypoints, lanes),
        {
            "hatch": StationKind.PHARMACY_HATCH,
            "ward": StationKind.WARD_HANDOVER,
            "charger": StationKind.CHARGER,
            "parking": StationKind.PARKING,
        },
    )
