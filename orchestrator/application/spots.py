"""Where a robot stands, for people who have to go there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.application.fleet import FleetOnSite
from orchestrator.domain.fleet.model import Pose, RobotId, RobotReport
from orchestrator.domain.site.model import StationId, WaypointId


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in words, such as ``at station pharmacy_hatch_1 on level L1``, and as data for maps.

    The data has ``level``, ``x_m`` and ``y_m`` (metres in the frame of the level) where the robot knows its position,
    ``waypoint`` and ``station`` where there is one near.
    """

    words: str
    data: Mapping[str, object]


def spot_of(fleet: FleetOnSite, robot: RobotId, report: RobotReport | None) -> Spot:
    """Return where a robot is by its last report: at a station, near a waypoint, or where nobody knows."""
    if report is None or report.pose is None:
        last = None if report is None else report.last_waypoint
        if last is None or last not in fleet.graph_of(robot).waypoints:
            return Spot("where nobody knows", {})
        words = _named(fleet, robot, last, fleet.pose_of(robot, last).level)
        return Spot(f"at {words} or beyond, which it passed last", {"waypoint": last})
    pose = report.pose
    data: dict[str, object] = {"level": pose.level, "x_m": round(pose.x_m, 2), "y_m": round(pose.y_m, 2)}
    nearest = fleet.nearest_waypoint(robot, pose)
    if nearest is None:
        return Spot(f"on level {pose.level} at {_metres(pose)}", data)
    waypoint, distance_m = nearest
    data["waypoint"] = waypoint.id
    station = _station_at(fleet, robot, waypoint.id)
    if station is not None:
        data["station"] = station
    named = _named(fleet, robot, waypoint.id, pose.level)
    if distance_m <= fleet.policy.place_tolerance_m:
        return Spot(f"at {named}", data)
    return Spot(f"{distance_m:.0f} m from {named}, at {_metres(pose)}", data)


def _named(fleet: FleetOnSite, robot: RobotId, waypoint: WaypointId, level: str) -> str:
    station = _station_at(fleet, robot, waypoint)
    place = f"waypoint {waypoint}" if station is None else f"station {station}"
    return f"{place} on level {level}"


def _station_at(fleet: FleetOnSite, robot: RobotId, waypoint: WaypointId) -> StationId | None:
    graph = fleet.models[robot].graph
    found = (s.id for s in fleet.site.stations.values() if s.waypoints.get(graph) == waypoint)
    return min(found, default=None)


def _metres(pose: Pose) -> str:
    return f"x {pose.x_m:.1f} m, y {pose.y_m:.1f} m"
