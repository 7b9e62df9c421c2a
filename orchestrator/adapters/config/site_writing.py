"""From a `Site` to a site file: the least that reads back as the same site, laid out for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import cast

from orchestrator.adapters.config.site_file import opposite
from orchestrator.adapters.config.site_zones import panel_entries, zone_entries
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.site.doors import door_crossed
from orchestrator.domain.site.model import (
    Door,
    DoorId,
    FireScope,
    Lane,
    LaneGraph,
    LaneId,
    Level,
    Lift,
    Site,
    Station,
    Waypoint,
)

Entry = dict[str, object]


class SiteNotWritableError(InvalidInputError):
    """A site holds something that the site file has no form for."""

    code = "site_not_writable"


def site_file_text(site: Site) -> str:
    """Return the site as the text of a ``*.site.yaml`` file; reading it gives an equal site.

    Raises
    ------
    SiteNotWritableError
        The lanes of a two-way pair differ in more than direction.
    """
    return "".join(_lines_of(site_file_entry(site)))


def site_file_entry(site: Site) -> Entry:
    """Return the site as the plain values of its file, in file order."""
    return {
        "site": site.id,
        "name": site.name,
        "levels": {id: _level_entry(level) for id, level in site.levels.items()},
        "graphs": {id: _graph_entry(graph, site.doors) for id, graph in site.graphs.items()},
        "doors": {id: _door_entry(door) for id, door in site.doors.items()},
        "lifts": {id: _lift_entry(lift) for id, lift in site.lifts.items()},
        "stations": {id: _station_entry(station) for id, station in site.stations.items()},
        "walls": _wall_entries(site),
        "zones": zone_entries(site),
        "panels": panel_entries(site),
        "fire_scope": site.fire_scope.value,
    }


def _level_entry(level: Level) -> Entry:
    entry: Entry = {"elevation_m": level.elevation_m}
    entry |= {"name": level.name} if level.name else {}
    return entry | {"building": level.building} if level.building else entry


def _graph_entry(graph: LaneGraph, doors: Mapping[DoorId, Door]) -> Entry:
    lanes: list[Entry] = []
    written: set[LaneId] = set()
    for lane in graph.lanes.values():
        if lane.id in written:
            continue
        written.add(lane.id)
        if lane.reverse is not None:
            _check_pair(lane, graph.lanes[lane.reverse])
            written.add(lane.reverse)
        lanes.append(_lane_entry(lane, graph, doors))
    waypoints = {id: _waypoint_entry(waypoint) for id, waypoint in graph.waypoints.items()}
    return {"name": graph.name, "waypoints": waypoints, "lanes": lanes}


def _check_pair(lane: Lane, back: Lane) -> None:
    said = (lane.start, lane.end, lane.width_m, lane.speed_limit_m_s, lane.door, lane.is_width_estimated)
    said_back = (back.end, back.start, back.width_m, back.speed_limit_m_s, back.door, back.is_width_estimated)
    back_id = f"{lane.end}~{lane.start}" if lane.id == f"{lane.start}~{lane.end}" else f"{lane.id}~back"
    is_pair = said == said_back and lane.properties == back.properties and back.id == back_id
    if not is_pair or back.orientation is not opposite(lane.orientation):
        raise SiteNotWritableError(
            f"Lanes {lane.id} and {back.id} cannot be written as one two-way lane: they were expected to differ in "
            f"direction only, and the way back to be called {back_id}. Make them two one-way lanes.",
            detail={"lanes": [lane.id, back.id]},
        )


def _waypoint_entry(waypoint: Waypoint) -> Entry:
    entry: Entry = {"level": waypoint.level, "x": waypoint.x_m, "y": waypoint.y_m}
    if waypoint.name:
        entry["name"] = waypoint.name
    if waypoint.lift is not None:
        entry["lift"] = waypoint.lift
    if not waypoint.may_stop:
        entry["may_stop"] = False
    if waypoint.properties:
        entry["properties"] = dict(waypoint.properties)
    return entry


def _lane_entry(lane: Lane, graph: LaneGraph, doors: Mapping[DoorId, Door]) -> Entry:
    entry: Entry = {"from": lane.start, "to": lane.end}
    if lane.id != f"{lane.start}~{lane.end}":
        entry["id"] = lane.id
    if lane.reverse is None:
        entry["bidirectional"] = False
    if lane.width_m is not None:
        entry["width_m"] = lane.width_m
    if lane.is_width_estimated:
        entry["width_estimated"] = True
    if lane.speed_limit_m_s is not None:
        entry["speed_limit_m_s"] = lane.speed_limit_m_s
    start, end = graph.waypoints.get(lane.start), graph.waypoints.get(lane.end)
    found = door_crossed(start, end, doors.values()) if start and end else None
    if lane.door is not None or found is not None:
        entry["door"] = lane.door
    if lane.orientation is not None:
        entry["orientation"] = lane.orientation.value
    if lane.properties:
        entry["properties"] = dict(lane.properties)
    return entry


def _door_entry(door: Door) -> Entry:
    entry: Entry = {"level": door.level, "start": list(door.start), "end": list(door.end), "kind": door.kind}
    if not door.is_motorised:
        entry["motorised"] = False
    if door.name:
        entry["name"] = door.name
    return entry


def _lift_entry(lift: Lift) -> Entry:
    entry: Entry = {"x": lift.x_m, "y": lift.y_m, "yaw_rad": lift.yaw_rad}
    entry |= {"width_m": lift.width_m, "depth_m": lift.depth_m, "levels": list(lift.levels)}
    if not lift.is_motorised:
        entry["motorised"] = False
    if lift.name:
        entry["name"] = lift.name
    return entry


def _station_entry(station: Station) -> Entry:
    entry: Entry = {"kind": station.kind.value, "level": station.level, "waypoints": dict(station.waypoints)}
    if station.name:
        entry["name"] = station.name
    if station.within is not None:
        entry["place"] = station.within
    return entry


def _wall_entries(site: Site) -> Entry:
    walls: dict[str, list[list[float]]] = {}
    for wall in site.walls:
        walls.setdefault(wall.level, []).append([*wall.start, *wall.end])
    return dict(walls)


def _lines_of(entry: Entry) -> Iterator[str]:
    """Yield YAML lines: sections in blocks, each waypoint, lane, door and wall on one line of its own."""
    for key in ("site", "name"):
        yield f"{key}: {_flow(entry[key])}\n"
    if entry["fire_scope"] != FireScope.BUILDING.value:
        yield f"fire_scope: {_flow(entry['fire_scope'])}\n"
    for key in ("levels", "graphs", "doors", "lifts", "stations", "walls", "zones", "panels"):
        section = cast("Entry", entry[key])
        if not section:
            continue
        yield f"\n{key}:\n"
        for id, value in section.items():
            if key == "graphs":
                yield from _graph_lines(id, cast("Entry", value))
            elif key == "walls":
                yield f"  {_flow(id)}:\n"
                yield from (f"    - {_flow(wall)}\n" for wall in cast("list[object]", value))
            else:
                yield f"  {_flow(id)}: {_flow(value)}\n"


def _graph_lines(id: str, graph: Entry) -> Iterator[str]:
    yield f"  {_flow(id)}:\n"
    yield f"    name: {_flow(graph['name'])}\n"
    waypoints = cast("Entry", graph["waypoints"])
    yield "    waypoints:\n" if waypoints else "    waypoints: {}\n"
    yield from (f"      {_flow(key)}: {_flow(waypoint)}\n" for key, waypoint in waypoints.items())
    lanes = cast("list[object]", graph["lanes"])
    yield "    lanes:\n" if lanes else "    lanes: []\n"
    yield from (f"      - {_flow(lane)}\n" for lane in lanes)


def _flow(value: object) -> str:
    """Return a value in YAML flow style: words bare where that is safe, other text quoted as in JSON."""
    if isinstance(value, dict):
        inner = ", ".join(f"{_flow(key)}: {_flow(each)}" for key, each in cast("Entry", value).items())
        return "{" + inner + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(each) for each in cast("list[object]", value)) + "]"
    if isinstance(value, str):
        return value if _is_bare(value) else _quoted(value)
    return json.dumps(value)


def _is_bare(text: str) -> bool:
    return (
        text.isascii()
        and text[:1].isalpha()
        and all(character.isalnum() or character in "_-." for character in text)
        and text.lower() not in ("true", "false", "yes", "no", "on", "off", "null")
    )


def _quoted(text: str) -> str:
    """Return text in double quotes; what does not print is escaped, by rules that JSON and YAML do not share."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(character if character.isprintable() else f"\\U{ord(character):08x}" for character in quoted)
