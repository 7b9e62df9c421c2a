"""A lane graph in the form that Open-RMF's fleet adapters read (``nav_graphs/<index>.yaml``).

Indices follow the order of the site, per level. Rides between levels are left out: the reader joins lift waypoints
itself. Numbers are written in full, so an imported building gives back the graphs that upstream tools generate.
"""

from __future__ import annotations

from typing import cast

import yaml

from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.site.model import GraphId, Lane, LaneGraph, Level, Site, Waypoint


class UnknownGraphError(InvalidInputError):
    """The site has no lane graph of that name or index."""

    code = "unknown_graph"


def graph_named(site: Site, name: str) -> LaneGraph:
    """Return the lane graph with the id ``name`` or, if there is none, at that index in file order.

    Raises
    ------
    UnknownGraphError
        There is no such graph.
    """
    found = site.graphs.get(GraphId(name))
    if found is None and name.isdecimal() and int(name) < len(site.graphs):
        found = list(site.graphs.values())[int(name)]
    if found is None:
        known = ", ".join(f"{index} ({id})" if str(index) != id else id for index, id in enumerate(site.graphs))
        raise UnknownGraphError(
            f"Site {site.id} has no lane graph {name!r}; expected one of {known}. Name one of these.",
            detail={"graph": name, "known": list(site.graphs)},
        )
    return found


def export_nav_graph(site: Site, graph: LaneGraph) -> str:
    """Return a lane graph of a site as the text of a nav graph file."""
    entry = {
        "building_name": site.name,
        "doors": {
            door.name or door.id: {
                "endpoints": [list(door.start), list(door.end)],
                "map": _level_name(site.levels[door.level]),
            }
            for door in site.doors.values()
        },
        "levels": {_level_name(level): _level_entry(site, graph, level) for level in site.levels.values()},
        "lifts": {
            lift.name or lift.id: {
                "dims": [lift.width_m, lift.depth_m],
                "position": [lift.x_m, lift.y_m, lift.yaw_rad],
            }
            for lift in site.lifts.values()
        },
    }
    return cast("str", yaml.safe_dump(entry, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120))


def _level_name(level: Level) -> str:
    return level.name or level.id


def _level_entry(site: Site, graph: LaneGraph, level: Level) -> dict[str, object]:
    waypoints = [waypoint for waypoint in graph.waypoints.values() if waypoint.level == level.id]
    index = {waypoint.id: number for number, waypoint in enumerate(waypoints)}
    return {
        "lanes": [
            [index[lane.start], index[lane.end], _lane_properties(site, graph, lane)]
            for lane in graph.lanes.values()
            if lane.start in index and lane.end in index
        ],
        "vertices": [[waypoint.x_m, waypoint.y_m, _vertex_properties(site, waypoint)] for waypoint in waypoints],
    }


def _vertex_properties(site: Site, waypoint: Waypoint) -> dict[str, object]:
    properties: dict[str, object] = {"name": waypoint.name, **waypoint.properties}
    if waypoint.lift is not None:
        lift = site.lifts[waypoint.lift]
        properties["lift"] = lift.name or lift.id
    return properties


def _lane_properties(site: Site, graph: LaneGraph, lane: Lane) -> dict[str, object]:
    properties: dict[str, object] = dict(lane.properties)
    if lane.door is not None:
        door = site.doors[lane.door]
        properties["door_name"] = door.name or door.id
    if lane.orientation is not None:
        properties["orientation_constraint"] = lane.orientation.value
    if lane.speed_limit_m_s is not None:
        properties["speed_limit"] = lane.speed_limit_m_s
    for key, waypoint in (("dock_name", lane.end), ("undock_name", lane.start)):
        if dock := graph.waypoints[waypoint].properties.get("dock_name"):
            properties[key] = dock
    if lane.reverse is None:
        properties["is_bidirectional"] = False
    return properties
