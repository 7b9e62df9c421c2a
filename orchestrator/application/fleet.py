"""What does not change while the orchestrator runs: the site, the fleet on it, and the policies in force."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from orchestrator.domain.custody.policy import SHIPPED, CustodyPolicy
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.dispatch.policy import DispatchPolicy
from orchestrator.domain.emergency.alarm import AlarmKind
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.model import Commissioning, Pose, Robot, RobotId, RobotModel
from orchestrator.domain.policies import SharingLifts
from orchestrator.domain.site.model import (
    GraphId,
    LaneGraph,
    Site,
    Station,
    StationId,
    StationKind,
    Waypoint,
    WaypointId,
)
from orchestrator.domain.traffic.conflicts import conflict_relation
from orchestrator.vda5050.dialect import STANDARD, Dialect


class FleetSettingError(InvalidInputError):
    """The fleet, its models and the site do not fit together."""

    code = "fleet_setting"


class NotClearedError(FleetSettingError):
    """A hardware robot has no standing clearance for the lanes it would be ordered over (promise 8)."""

    code = "not_cleared"


def _nobody() -> Mapping[AlarmKind, tuple[str, ...]]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class FleetPolicy:
    """What a trust may tune. Seconds are seconds of the robots' own time, distances metres.

    ``patience_s``: how long a robot waits for another before it gets precedence. ``lookahead_m``: how far ahead of
    a robot the lanes are granted; at least the stopping distance and one round trip of messages.
    ``place_tolerance_m``: how near a waypoint a robot counts as standing on it. ``retry_after_s``: how long a
    robot that refused an order is left alone. ``may_end_alarms``: who may let robots go on after an alarm of a kind.
    ``silent_panel_holds``: whether a fire panel that has gone silent is taken as an alarm.
    ``device_patience_s``: how long a door or lift may be unusable before
    people are told and its lanes are closed. ``share_lift``: what a robot does whose lift people have stepped into.
    ``clock_skew_max_s``: how far a robot's clock may be off before people are told.
    ``pace``: how many times faster than our clock simulated robots live.
    ``custody``, ``dispatch``: what the place has decided about custody, and about late arrivals.
    """

    patience_s: float = 15.0
    lookahead_m: float = 8.0
    place_tolerance_m: float = 0.6
    retry_after_s: float = 10.0
    may_end_alarms: Mapping[AlarmKind, tuple[str, ...]] = field(default_factory=_nobody)
    silent_panel_holds: bool = False
    device_patience_s: float = 60.0
    share_lift: SharingLifts = SharingLifts.WAIT
    clock_skew_max_s: float = 60.0
    pace: float = 1.0
    custody: CustodyPolicy = SHIPPED
    dispatch: DispatchPolicy = field(default_factory=DispatchPolicy)


@dataclass(frozen=True, slots=True)
class FleetOnSite:
    """The robots on one site, each on the lane graph of its model.

    ``models`` gives each robot's own model. What lies on a lane graph is asked for a robot: two robots may drive on
    two graphs, whose waypoints and lanes have different ids.
    """

    site: Site
    robots: Mapping[RobotId, Robot]
    models: Mapping[RobotId, RobotModel]
    policy: FleetPolicy = field(default_factory=FleetPolicy)
    dialects: Mapping[RobotId, Dialect] = field(default_factory=dict[RobotId, Dialect])

    @property
    def premises(self) -> Premises:
        """The places of the site, and the custody policy in force there."""
        return Premises(self.site.stations, self.policy.custody)

    def dialect_of(self, robot: RobotId) -> Dialect:
        """Return how the robot speaks; as the standard has it when nothing was said."""
        return self.dialects.get(robot, STANDARD)

    @property
    def graphs(self) -> tuple[GraphId, ...]:
        """The lane graphs that robots of the fleet drive on, sorted."""
        return tuple(sorted({model.graph for model in self.models.values()}))

    def graph_of(self, robot: RobotId) -> LaneGraph:
        """Return the lane graph that the robot drives on."""
        return self.site.graphs[self.models[robot].graph]

    def waypoint_of(self, robot: RobotId, station: StationId) -> WaypointId:
        """Return the station's waypoint on the robot's graph.

        Raises
        ------
        FleetSettingError
            The station is not on the robot's graph.
        """
        graph = self.models[robot].graph
        place = self.site.stations[station].waypoints.get(graph)
        if place is None:
            raise FleetSettingError(
                f"Station {station} has no waypoint on lane graph {graph} of robot {robot}; name one that has."
            )
        return place

    def reaches(self, robot: RobotId, station: StationId) -> bool:
        """Whether the station is on the robot's graph."""
        found = self.site.stations.get(station)
        return found is not None and self.models[robot].graph in found.waypoints

    def serves(self, station: StationId) -> bool:
        """Whether any robot of the fleet can be sent to the station."""
        return any(self.reaches(robot, station) for robot in self.robots)

    def home_of(self, robot: RobotId) -> Station:
        """Return the robot's own resting place."""
        return self.site.stations[self.robots[robot].home]

    def home_waypoint_of(self, robot: RobotId) -> WaypointId:
        """Return the waypoint of the robot's own resting place."""
        return self.waypoint_of(robot, self.robots[robot].home)

    def pose_of(self, robot: RobotId, waypoint: WaypointId) -> Pose:
        """Return where a waypoint of the robot's graph is."""
        place = self.graph_of(robot).waypoints[waypoint]
        return Pose(level=place.level, x_m=place.x_m, y_m=place.y_m)

    def nearest_waypoint(self, robot: RobotId, pose: Pose) -> tuple[Waypoint, float] | None:
        """Return the waypoint of the robot's graph nearest to the pose and the distance in metres.

        None when the graph has no waypoint on the level of the pose.
        """
        candidates = [w for w in self.graph_of(robot).waypoints.values() if w.level == pose.level]
        if not candidates:
            return None
        nearest = min(candidates, key=lambda w: (math.hypot(w.x_m - pose.x_m, w.y_m - pose.y_m), w.id))
        return nearest, math.hypot(nearest.x_m - pose.x_m, nearest.y_m - pose.y_m)

    def charges_at_home(self, robot: RobotId) -> bool:
        """Whether the robot's resting place is a charger."""
        return self.home_of(robot).kind is StationKind.CHARGER


def assemble_fleet(
    *,
    site: Site,
    robots: Mapping[RobotId, Robot],
    models: Mapping[RobotId, RobotModel],
    policy: FleetPolicy,
    dialects: Mapping[RobotId, Dialect] | None = None,
) -> FleetOnSite:
    """Check that site, robots and models fit, and join them.

    Raises
    ------
    FleetSettingError
        The fleet is empty, a lane graph or a home is missing, or two homes are one or overlap.
    NotClearedError
        A robot is commissioned as hardware: nothing can clear a lane for it yet.
    """
    if not robots:
        raise FleetSettingError("The fleet has no robot; name at least one in the fleet file.")
    hardware = sorted(r.id for r in robots.values() if r.commissioning is Commissioning.HARDWARE)
    if hardware:
        raise NotClearedError(
            f"Robot {', '.join(hardware)} was refused: it is commissioned as hardware, and no lane is cleared for "
            f"hardware before its clearance in Gazebo. Commission it as simulated, or leave it out of the fleet file."
        )
    for graph in sorted({models[robot].graph for robot in robots} - site.graphs.keys()):
        raise FleetSettingError(
            f"The fleet drives on lane graph {graph}, which the site does not have; it has "
            f"{', '.join(sorted(site.graphs))}."
        )
    for robot, dialect in sorted((dialects or {}).items()):
        unknown = sorted(dialect.nodes.keys() - site.graphs[models[robot].graph].waypoints.keys())
        if unknown:
            raise FleetSettingError(
                f"The link of robot {robot} gives nodes for {', '.join(unknown[:5])}, which are no waypoints of its "
                f"lane graph {models[robot].graph}. Name waypoints as the site file does."
            )
    fleet = FleetOnSite(
        site=site, robots=dict(robots), models=dict(models), policy=policy, dialects=dict(dialects or {})
    )
    _require_homes_apart(fleet)
    return fleet


def _require_homes_apart(fleet: FleetOnSite) -> None:
    """Refuse homes that are not on their robot's graph, and two that robots cannot stand at side by side."""
    relation = conflict_relation(fleet.site, fleet.models.values())
    taken: dict[RobotId, tuple[WaypointId, int]] = {}
    for robot in fleet.robots.values():
        if not fleet.reaches(robot.id, robot.home):
            raise FleetSettingError(f"Robot {robot.id} has its home at {robot.home}, which is not on its lane graph.")
        place = fleet.home_waypoint_of(robot.id)
        if place not in fleet.graph_of(robot.id).waypoints:
            raise FleetSettingError(
                f"Robot {robot.id} has its home at {robot.home}, whose waypoint {place} its lane graph does not have; "
                "correct the station in the site file."
            )
        mask = relation.mask(relation.of_waypoint(fleet.models[robot.id].id, place))
        for other, (theirs, conflicts) in taken.items():
            if theirs == place:
                raise FleetSettingError(
                    f"Robots {other} and {robot.id} share the home {robot.home}; each needs its own resting place."
                )
            if mask & conflicts:
                raise FleetSettingError(
                    f"The homes of robots {other} and {robot.id}, {fleet.robots[other].home} and {robot.home}, overlap "
                    "for robots of their size; name resting places farther apart."
                )
        taken[robot.id] = (place, relation.conflicts(mask))
