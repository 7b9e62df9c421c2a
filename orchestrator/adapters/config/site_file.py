"""From a site file to a `Site`, and the linter's findings back to lines of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from orchestrator.adapters.config.checked import checked
from orchestrator.adapters.config.revision import with_revision
from orchestrator.adapters.config.site_form import GraphEntry, LaneEntry, SiteFile
from orchestrator.adapters.config.site_zones import panels_of, zones_of
from orchestrator.adapters.config.source import Complaint, ConfigFileError, Place, Source, read_source
from orchestrator.domain.fleet.model import RobotModel
from orchestrator.domain.site.doors import door_crossed
from orchestrator.domain.site.linter import Finding, check_site
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
    Orientation,
    PlaceId,
    Site,
    Station,
    StationId,
    Wall,
    Waypoint,
    WaypointId,
)
from orchestrator.domain.site.zones import kept_clear


@dataclass(frozen=True, slots=True)
class SiteSource:
    """A site as its file says it, perhaps faulty, and the places in the file of all it holds."""

    site: Site
    source: Source
    lane_places: Mapping[LaneId, Place]

    def line_of(self, finding: Finding) -> int:
        """Return the line (from 1) of the thing that a finding is about."""
        return self.source.line_of(self._place_of(finding))

    def _place_of(self, finding: Finding) -> Place:
        if finding.station is not None:
            return ("stations", finding.station)
        if finding.lane is not None and finding.lane in self.lane_places:
            return self.lane_places[finding.lane]
        if finding.graph is not None and finding.waypoint is not None:
            return ("graphs", finding.graph, "waypoints", finding.waypoint)
        if finding.door is not None:
            return ("doors", finding.door)
        if finding.lift is not None:
            return ("lifts", finding.lift)
        if finding.zone is not None:
            return ("zones", finding.zone)
        if finding.panel is not None:
            return ("panels", finding.panel)
        return ("graphs", finding.graph) if finding.graph is not None else ()


def load_site(path: Path, models: Iterable[RobotModel] = ()) -> Site:
    """Return the site that a file describes, checked.

    Parameters
    ----------
    path : Path
        A ``*.site.yaml`` file.
    models : iterable of RobotModel
        Models that are to drive there; see `check_site`.

    Raises
    ------
    ConfigFileError
        The file is malformed or the site has a finding that is an error; each complaint names line and waypoint.
    """
    read = read_site(path)
    complaints = [
        Complaint(read.line_of(finding), finding.sentence, finding.remedy)
        for finding in check_site(read.site, models)
        if finding.is_error
    ]
    if complaints:
        raise ConfigFileError(path, sorted(complaints, key=lambda complaint: complaint.line))
    return read.site


def read_site(path: Path) -> SiteSource:
    """Return the site that a file describes without asking whether it is sound; malformed files are refused."""
    return site_of_source(read_source(path))


def site_of_source(source: Source) -> SiteSource:
    """Return the site that a file's content describes; see `read_site`."""
    entry = checked(source, SiteFile)
    complaints = list(_lane_complaints(entry, source))
    if complaints:
        raise ConfigFileError(source.path, complaints)
    lane_places: dict[LaneId, Place] = {}
    doors = _doors(entry)
    zones = zones_of(entry)
    site = Site(
        id=entry.site,
        name=entry.name or entry.site,
        revision="",
        levels={
            LevelId(id): Level(LevelId(id), level.elevation_m, level.name, level.building)
            for id, level in entry.levels.items()
        },
        graphs={
            GraphId(id): kept_clear(_graph(GraphId(id), graph, doors, lane_places), zones.values())
            for id, graph in entry.graphs.items()
        },
        doors=doors,
        lifts=_lifts(entry),
        stations=_stations(entry),
        walls=tuple(
            Wall(LevelId(level), (wall[0], wall[1]), (wall[2], wall[3]))
            for level, walls in entry.walls.items()
            for wall in walls
        ),
        zones=zones,
        panels=panels_of(entry),
        fire_scope=entry.fire_scope,
    )
    return SiteSource(with_revision(site), source, lane_places)


def _lane_complaints(entry: SiteFile, source: Source) -> Iterator[Complaint]:
    for level in entry.walls:
        if level not in entry.levels:
            line = source.line_of(("walls", level))
            yield Complaint(line, f"Walls are drawn on level {level!r}, which is not there.", "Correct its name.")
    for graph_id, graph in entry.graphs.items():
        first: dict[str, int] = {}
        for index, lane in enumerate(graph.lanes):
            line = source.line_of(("graphs", graph_id, "lanes", index))
            for id in _lane_ids(lane):
                if id in first:
                    yield Complaint(
                        line,
                        f"Lane {id} between waypoints {lane.from_} and {lane.to} stands here again; it is already on "
                        f"line {first[id]}.",
                        "Keep one, or give this one an id of its own.",
                    )
                    break
            first |= dict.fromkeys((id for id in _lane_ids(lane) if id not in first), line)


def _lane_ids(lane: LaneEntry) -> tuple[str, ...]:
    there = lane.id or f"{lane.from_}~{lane.to}"
    if not lane.bidirectional or lane.from_ == lane.to:
        return (there,)
    return there, (f"{lane.id}~back" if lane.id else f"{lane.to}~{lane.from_}")


def _graph(id: GraphId, entry: GraphEntry, doors: Mapping[DoorId, Door], lane_places: dict[LaneId, Place]) -> LaneGraph:
    waypoints = {
        WaypointId(key): Waypoint(
            id=WaypointId(key),
            level=LevelId(waypoint.level),
            x_m=waypoint.x,
            y_m=waypoint.y,
            name=waypoint.name,
            lift=LiftId(waypoint.lift) if waypoint.lift is not None else None,
            may_stop=waypoint.may_stop,
            properties=MappingProxyType(dict(waypoint.properties)),
        )
        for key, waypoint in entry.waypoints.items()
    }
    lanes: dict[LaneId, Lane] = {}
    for index, lane in enumerate(entry.lanes):
        for directed in _directed(lane, waypoints, doors, entry.lane_width_m):
            lanes[directed.id] = directed
            lane_places[directed.id] = ("graphs", id, "lanes", index)
    return LaneGraph(id=id, waypoints=waypoints, lanes=lanes, name=entry.name)


def _directed(
    entry: LaneEntry,
    waypoints: Mapping[WaypointId, Waypoint],
    doors: Mapping[DoorId, Door],
    width_m: float | None,
) -> Iterator[Lane]:
    ids = [LaneId(id) for id in _lane_ids(entry)]
    start, end = WaypointId(entry.from_), WaypointId(entry.to)
    door = DoorId(entry.door) if entry.door is not None else None
    if "door" not in entry.model_fields_set and start in waypoints and end in waypoints:
        door = door_crossed(waypoints[start], waypoints[end], doors.values())
    there = Lane(
        id=ids[0],
        start=start,
        end=end,
        reverse=ids[1] if len(ids) == 2 else None,
        width_m=entry.width_m if "width_m" in entry.model_fields_set else width_m,
        speed_limit_m_s=entry.speed_limit_m_s,
        door=door,
        orientation=entry.orientation,
        properties=MappingProxyType(dict(entry.properties)),
        is_width_estimated=entry.width_estimated,
    )
    yield there
    if there.reverse is not None:
        orientation = opposite(there.orientation)
        yield replace(there, id=there.reverse, start=end, end=start, reverse=there.id, orientation=orientation)


def opposite(orientation: Orientation | None) -> Orientation | None:
    """Return how a robot faces on the way back over a lane where it faces ``orientation``."""
    if orientation is None:
        return None
    return Orientation.BACKWARD if orientation is Orientation.FORWARD else Orientation.FORWARD


def _doors(entry: SiteFile) -> dict[DoorId, Door]:
    return {
        DoorId(id): Door(
            id=DoorId(id),
            level=LevelId(door.level),
            start=(door.start[0], door.start[1]),
            end=(door.end[0], door.end[1]),
            kind=door.kind,
            is_motorised=door.motorised,
            name=door.name,
        )
        for id, door in entry.doors.items()
    }


def _lifts(entry: SiteFile) -> dict[LiftId, Lift]:
    return {
        LiftId(id): Lift(
            id=LiftId(id),
            x_m=lift.x,
            y_m=lift.y,
            yaw_rad=lift.yaw_rad,
            width_m=lift.width_m,
            depth_m=lift.depth_m,
            levels=tuple(LevelId(level) for level in lift.levels),
            is_motorised=lift.motorised,
            name=lift.name,
        )
        for id, lift in entry.lifts.items()
    }


def _stations(entry: SiteFile) -> dict[StationId, Station]:
    return {
        StationId(id): Station(
            id=StationId(id),
            kind=station.kind,
            level=LevelId(station.level),
            waypoints={GraphId(graph): WaypointId(waypoint) for graph, waypoint in station.waypoints.items()},
            name=station.name,
            within=None if station.place is None else PlaceId(station.place),
        )
        for id, station in entry.stations.items()
    }
