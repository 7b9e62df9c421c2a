"""The site: one hospital's levels, lane graphs, doors, lifts, stations and walls.

Frame: one right-handed map frame for the whole site, z up, metres and radians. All levels share it, so a lift
shaft has the same x and y on every level. Everything here is immutable; a changed site is a new revision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NewType

from orchestrator.domain.site.geometry import Point, edges_of, is_crossing, is_in_polygon

LevelId = NewType("LevelId", str)
GraphId = NewType("GraphId", str)
WaypointId = NewType("WaypointId", str)
LaneId = NewType("LaneId", str)
DoorId = NewType("DoorId", str)
LiftId = NewType("LiftId", str)
StationId = NewType("StationId", str)
ZoneId = NewType("ZoneId", str)
PanelId = NewType("PanelId", str)
PlaceId = NewType("PlaceId", str)

PropertyValue = str | int | float | bool


def _no_properties() -> Mapping[str, PropertyValue]:
    return MappingProxyType({})


def _no_zones() -> Mapping[ZoneId, Zone]:
    return MappingProxyType({})


def _no_panels() -> Mapping[PanelId, Panel]:
    return MappingProxyType({})


class StationKind(StrEnum):
    """What a station is for."""

    PHARMACY_HATCH = "pharmacy_hatch"
    WARD_HANDOVER = "ward_handover"
    BEDSIDE = "bedside"
    CHARGER = "charger"
    PARKING = "parking"
    OTHER = "other"

    @property
    def is_resting_place(self) -> bool:
        """Whether an idle robot may own this place and stand there for as long as it likes."""
        return self in (StationKind.CHARGER, StationKind.PARKING)


class Orientation(StrEnum):
    """How a robot must face on a lane."""

    FORWARD = "forward"
    BACKWARD = "backward"


@dataclass(frozen=True, slots=True)
class Level:
    """One floor. ``elevation_m`` is the height of its walking surface in the site frame.

    ``name`` is what the building calls it, if that differs from the id. ``building`` tells the buildings of a site
    apart: an alarm in one leaves the others alone.
    """

    id: LevelId
    elevation_m: float = 0.0
    name: str = ""
    building: str = ""


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A place on a lane graph, in metres in the site frame.

    ``lift`` names the lift whose cabin stands here when it is on this level. ``properties`` keeps what the site
    file says beyond what we interpret, so that an import can be exported again unchanged.
    """

    id: WaypointId
    level: LevelId
    x_m: float
    y_m: float
    name: str = ""
    lift: LiftId | None = None
    may_stop: bool = True
    properties: Mapping[str, PropertyValue] = field(default_factory=_no_properties)


@dataclass(frozen=True, slots=True)
class Lane:
    """A directed way between two waypoints of one graph.

    A two-way lane is two lanes, each naming the other in ``reverse``; a lane without ``reverse`` is one-way.
    ``width_m`` is the free width that the robot's footprint has to fit in, or None when nobody knows it;
    ``is_width_estimated`` says that it was computed from drawn walls and measured by nobody. A lane between two
    levels lies in a lift.
    """

    id: LaneId
    start: WaypointId
    end: WaypointId
    reverse: LaneId | None = None
    width_m: float | None = None
    speed_limit_m_s: float | None = None
    door: DoorId | None = None
    orientation: Orientation | None = None
    properties: Mapping[str, PropertyValue] = field(default_factory=_no_properties)
    is_width_estimated: bool = False


@dataclass(frozen=True, slots=True)
class LaneGraph:
    """Waypoints and lanes that one kind of robot drives on, in file order."""

    id: GraphId
    waypoints: Mapping[WaypointId, Waypoint]
    lanes: Mapping[LaneId, Lane]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Door:
    """A door across lanes; ``start`` and ``end`` are the two jambs (x, y) in metres.

    ``name`` is what the building calls it, if that differs from the id.
    """

    id: DoorId
    level: LevelId
    start: tuple[float, float]
    end: tuple[float, float]
    kind: str = "hinged"
    is_motorised: bool = True
    name: str = ""


@dataclass(frozen=True, slots=True)
class Lift:
    """A lift: cabin centre and yaw in the site frame, cabin size in metres, levels it serves in file order.

    ``name`` is what the building calls it, if that differs from the id.
    """

    id: LiftId
    x_m: float
    y_m: float
    yaw_rad: float
    width_m: float
    depth_m: float
    levels: tuple[LevelId, ...]
    is_motorised: bool = True
    name: str = ""


@dataclass(frozen=True, slots=True)
class Station:
    """A named point where something happens, and the waypoint of each lane graph that reaches it.

    ``within`` names the ward, pharmacy or other place that the station belongs to; a station without one is a place of
    its own.
    """

    id: StationId
    kind: StationKind
    level: LevelId
    waypoints: Mapping[GraphId, WaypointId]
    name: str = ""
    within: PlaceId | None = None

    @property
    def place(self) -> PlaceId:
        """The ward, pharmacy or other place whose people and register it has."""
        return PlaceId(self.id) if self.within is None else self.within


@dataclass(frozen=True, slots=True)
class Wall:
    """A wall segment on one level; ends (x, y) in metres."""

    level: LevelId
    start: tuple[float, float]
    end: tuple[float, float]


class ZoneKind(StrEnum):
    """What a zone is for."""

    FIRE_COMPARTMENT = "fire_compartment"
    ESCAPE_ROUTE = "escape_route"
    CRASH_AREA = "crash_area"


class PanelKind(StrEnum):
    """What a panel reports."""

    FIRE = "fire"
    CRASH_CALL = "crash_call"


class FireScope(StrEnum):
    """How far a fire alarm reaches: the whole building, or the compartments that the panel names."""

    BUILDING = "building"
    COMPARTMENT = "compartment"


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of one level.

    Parameters
    ----------
    id : ZoneId
        Its name in messages.
    kind : ZoneKind
        What it is for.
    level : LevelId
        Where it is.
    outline : tuple of (float, float)
        Corners of a simple polygon in metres, in order; empty when the zone is given by its waypoints alone.
    waypoints : frozenset of WaypointId
        Waypoints that belong to it wherever they lie, of any lane graph.
    approach : frozenset of WaypointId
        For a crash area: the waypoints outside it by which the crash team comes, to be kept free as well.
    name : str
        What people call it, if that differs from the id.
    """

    id: ZoneId
    kind: ZoneKind
    level: LevelId
    outline: tuple[Point, ...] = ()
    waypoints: frozenset[WaypointId] = frozenset()
    approach: frozenset[WaypointId] = frozenset()
    name: str = ""

    @property
    def called(self) -> str:
        """What people call it."""
        return self.name or self.id

    def covers(self, level: LevelId, point: Point) -> bool:
        """Whether a point of a level lies inside the outline; on its edge counts as inside."""
        return level == self.level and is_in_polygon(point, self.outline)

    def has(self, waypoint: Waypoint) -> bool:
        """Whether a waypoint belongs to the zone."""
        return waypoint.id in self.waypoints or self.covers(waypoint.level, (waypoint.x_m, waypoint.y_m))

    def waypoints_of(self, graph: LaneGraph) -> frozenset[WaypointId]:
        """Return the waypoints of a lane graph that belong to the zone."""
        return frozenset(waypoint.id for waypoint in graph.waypoints.values() if self.has(waypoint))

    def is_touched_by(self, lane: Lane, graph: LaneGraph) -> bool:
        """Whether a robot on the lane is in the zone at some point: an end is in it, or it crosses the outline."""
        start, end = graph.waypoints[lane.start], graph.waypoints[lane.end]
        if self.has(start) or self.has(end):
            return True
        if not start.level == end.level == self.level:
            return False
        a, b = (start.x_m, start.y_m), (end.x_m, end.y_m)
        return any(is_crossing(a, b, *edge) for edge in edges_of(self.outline))


PANEL_SILENT_AFTER_S = 60.0
"""When people are told of a silent panel for which the site file says nothing else, in seconds."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A fire panel or a crash call system that reports to us.

    ``zones`` are those it may speak of: fire compartments, or crash areas. When it has said nothing for longer than
    ``silent_after_s`` seconds, people are told.
    """

    id: PanelId
    kind: PanelKind
    zones: tuple[ZoneId, ...]
    silent_after_s: float = PANEL_SILENT_AFTER_S
    name: str = ""

    @property
    def called(self) -> str:
        """What people call it."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class Site:
    """One hospital as robots see it. ``revision`` changes whenever anything in it does.

    ``fire_scope`` says how far a fire alarm reaches here.
    """

    id: str
    name: str
    revision: str
    levels: Mapping[LevelId, Level]
    graphs: Mapping[GraphId, LaneGraph]
    doors: Mapping[DoorId, Door]
    lifts: Mapping[LiftId, Lift]
    stations: Mapping[StationId, Station]
    walls: tuple[Wall, ...] = ()
    zones: Mapping[ZoneId, Zone] = field(default_factory=_no_zones)
    panels: Mapping[PanelId, Panel] = field(default_factory=_no_panels)
    fire_scope: FireScope = FireScope.BUILDING
