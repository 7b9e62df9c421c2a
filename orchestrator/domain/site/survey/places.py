"""Where on the floor a finding is: for drawings and for the machine-readable report."""

from __future__ import annotations

from orchestrator.domain.site.findings import Finding
from orchestrator.domain.site.geometry import Point
from orchestrator.domain.site.model import LevelId, Site, Waypoint
from orchestrator.domain.site.survey.standing import standing_points

Place = tuple[LevelId, Point]
"""A level and a point on it, in metres in the site frame."""


def places_of_finding(site: Site, finding: Finding) -> list[Place]:
    """Return where a finding is: the most telling place of each level it is about, none for one about a whole graph.

    A track is marked in its middle, a lift on every level it serves.
    """
    found: list[Place] = []
    track = middle_of_track(site, finding)
    if finding.station is not None and finding.station in site.stations:
        points = list(standing_points(site, site.stations[finding.station]))
        found += [(level, point) for graph, level, point in points if finding.graph in (None, graph)]
    elif finding.door is not None and finding.door in site.doors:
        door = site.doors[finding.door]
        found.append((door.level, ((door.start[0] + door.end[0]) / 2.0, (door.start[1] + door.end[1]) / 2.0)))
    elif finding.lift is not None and finding.lift in site.lifts:
        lift = site.lifts[finding.lift]
        found += [(level, (lift.x_m, lift.y_m)) for level in lift.levels]
    elif track is not None:
        found.append(track)
    elif (waypoint := waypoint_of(site, finding)) is not None:
        found.append((waypoint.level, (waypoint.x_m, waypoint.y_m)))
    return found


def middle_of_track(site: Site, finding: Finding) -> Place | None:
    """Return the middle of the lane in the middle of those a finding is about, or of its one lane."""
    graph = site.graphs.get(finding.graph) if finding.graph is not None else None
    is_track = "length_m" in finding.figures
    lanes = finding.lanes if is_track or finding.lane is None else (finding.lane,)
    if graph is None or not lanes or lanes[len(lanes) // 2] not in graph.lanes:
        return None
    lane = graph.lanes[lanes[len(lanes) // 2]]
    start, end = graph.waypoints.get(lane.start), graph.waypoints.get(lane.end)
    if start is None or end is None:
        return None
    return start.level, ((start.x_m + end.x_m) / 2.0, (start.y_m + end.y_m) / 2.0)


def waypoint_of(site: Site, finding: Finding) -> Waypoint | None:
    """Return the waypoint a finding names, if it is there."""
    graph = site.graphs.get(finding.graph) if finding.graph is not None else None
    return graph.waypoints.get(finding.waypoint) if graph is not None and finding.waypoint is not None else None
