"""The form of a site file (``*.site.yaml``): what people write, before it becomes a `Site`.

Lengths in metres, angles in radians, speeds in m/s; one right-handed frame for the whole site, z up.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from orchestrator.adapters.config.checked import FileModel, default_of
from orchestrator.domain.site.model import FireScope, Orientation, Panel, PanelKind, Site, StationKind, ZoneKind


def _text_of_number(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[
    str, BeforeValidator(_text_of_number), Field(min_length=1, max_length=120, pattern=r"^[^\s/#+~][^\s/#+~]*$")
]
"""A word without blanks, and without ``/ # + ~``, which mean something in topics, addresses and lane ids."""

LaneIdText = Annotated[str, Field(min_length=1, max_length=260, pattern=r"^[^\s/+]+$")]
FARTHEST_M = 100_000.0
"""No coordinate of a site is further from its origin: a site is a hospital, in a frame of its own."""

Metres = Annotated[float, Field(ge=-FARTHEST_M, le=FARTHEST_M)]
Length = Annotated[float, Field(ge=0.0, le=100_000.0)]
Size = Annotated[float, Field(gt=0.0, le=1_000.0)]
Speed = Annotated[float, Field(gt=0.0, le=20.0)]
Position = Annotated[list[Metres], Field(min_length=2, max_length=2)]
Segment = Annotated[list[Metres], Field(min_length=4, max_length=4)]
Name = Annotated[str, BeforeValidator(_text_of_number), Field(max_length=200)]


class LevelEntry(FileModel):
    """One floor; ``elevation_m`` is the height of its walking surface. Floors of one building name the same one."""

    elevation_m: Metres = 0.0
    name: Name = ""
    building: Name = ""


class WaypointEntry(FileModel):
    """A place on a lane graph. ``lift`` names the lift whose cabin stands here when it is on this level."""

    level: Id
    x: Metres
    y: Metres
    name: Name = ""
    lift: Id | None = None
    may_stop: bool = True
    properties: dict[str, str | int | float | bool] = Field(default_factory=dict)


class LaneEntry(FileModel):
    """A way between two waypoints, two-way unless ``bidirectional`` is false.

    ``width_m`` may be left out where the graph has a ``lane_width_m``. A door that the lane crosses is found by itself;
    name it where that is not enough, or write ``door: null`` where there is none after all. ``orientation`` is how the
    robot faces from ``from`` to ``to``; on the way back it faces the other way.
    """

    from_: Id = Field(alias="from")
    to: Id
    id: LaneIdText | None = None
    bidirectional: bool = True
    width_m: Length | None = None
    width_estimated: bool = False
    speed_limit_m_s: Speed | None = None
    door: Id | None = None
    orientation: Annotated[Orientation, Field(strict=False)] | None = None
    properties: dict[str, str | int | float | bool] = Field(default_factory=dict)


class GraphEntry(FileModel):
    """Waypoints and lanes of one kind of robot."""

    name: Name = ""
    lane_width_m: Size | None = None
    waypoints: dict[Id, WaypointEntry]
    lanes: list[LaneEntry]


class DoorEntry(FileModel):
    """A door between its two jambs."""

    level: Id
    start: Position
    end: Position
    kind: Name = "hinged"
    motorised: bool = True
    name: Name = ""


class LiftEntry(FileModel):
    """A lift: cabin centre, turn and size, and the levels it serves from the lowest up."""

    x: Metres
    y: Metres
    yaw_rad: Annotated[float, Field(ge=-100.0, le=100.0)] = 0.0
    width_m: Size
    depth_m: Size
    levels: Annotated[list[Id], Field(min_length=1)]
    motorised: bool = True
    name: Name = ""


class StationEntry(FileModel):
    """A named place where something happens, and its waypoint on each lane graph that reaches it."""

    kind: Annotated[StationKind, Field(strict=False)]
    level: Id
    waypoints: dict[Id, Id] = Field(default_factory=dict)
    name: Name = ""
    place: Id | None = None


class ZoneEntry(FileModel):
    """A part of a level that alarms speak of: the corners of its outline in order, or its waypoints, or both.

    ``approach`` names, for a crash area, the waypoints outside it by which the crash team comes.
    """

    kind: Annotated[ZoneKind, Field(strict=False)]
    level: Id
    outline: Annotated[list[Position], Field(max_length=500)] = Field(default_factory=list[Position])
    waypoints: list[Id] = Field(default_factory=list[Id])
    approach: list[Id] = Field(default_factory=list[Id])
    name: Name = ""


class PanelEntry(FileModel):
    """A fire panel or a crash call system, the zones that it speaks of, and when its silence is told to people."""

    kind: Annotated[PanelKind, Field(strict=False)]
    zones: Annotated[list[Id], Field(min_length=1)]
    silent_after_s: Annotated[float, Field(ge=1.0, le=86_400.0)] = default_of(Panel, "silent_after_s")
    name: Name = ""


class SiteFile(FileModel):
    """One hospital. ``fire_scope``: whether a fire alarm is for its whole building or for the compartments named."""

    site: Id
    name: Name = ""
    levels: Annotated[dict[Id, LevelEntry], Field(min_length=1)]
    graphs: Annotated[dict[Id, GraphEntry], Field(min_length=1)]
    doors: dict[Id, DoorEntry] = Field(default_factory=dict)
    lifts: dict[Id, LiftEntry] = Field(default_factory=dict)
    stations: dict[Id, StationEntry] = Field(default_factory=dict)
    walls: dict[Id, list[Segment]] = Field(default_factory=dict)
    zones: dict[Id, ZoneEntry] = Field(default_factory=dict)
    panels: dict[Id, PanelEntry] = Field(default_factory=dict)
    fire_scope: Annotated[FireScope, Field(strict=False)] = default_of(Site, "fire_scope")
