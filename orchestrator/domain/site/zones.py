"""Escape routes in the lane graph: places where nobody may stop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from orchestrator.domain.site.model import LaneGraph, Zone, ZoneKind


def kept_clear(graph: LaneGraph, zones: Iterable[Zone]) -> LaneGraph:
    """Return the lane graph with no stopping place in an escape route.

    Traffic and linter then need not know of zones: like a lift's cabin, an escape route is granted only together with
    the stopping place beyond (design §8).
    """
    routes = [zone for zone in zones if zone.kind is ZoneKind.ESCAPE_ROUTE]
    inside = {id for id, waypoint in graph.waypoints.items() if any(zone.has(waypoint) for zone in routes)}
    if not inside:
        return graph
    waypoints = {
        id: replace(waypoint, may_stop=False) if id in inside else waypoint for id, waypoint in graph.waypoints.items()
    }
    return replace(graph, waypoints=waypoints)
