"""Where a robot may be left standing."""

from __future__ import annotations

from orchestrator.domain.site.model import LaneGraph, WaypointId
from orchestrator.domain.traffic.errors import UnknownPlaceError


def may_stop(graph: LaneGraph, waypoint: WaypointId) -> bool:
    """Whether a robot may be left standing at a waypoint; a lift cabin is no stopping place."""
    if waypoint not in graph.waypoints:
        raise UnknownPlaceError(f"The lane graph has no waypoint {waypoint}.", detail={"waypoint": waypoint})
    place = graph.waypoints[waypoint]
    return place.may_stop and place.lift is None
