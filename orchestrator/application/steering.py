"""Steering: routes to targets, and which robot may take which lanes next.

Holds what is remembered of traffic outside the books: the grant monitor, rebuilt from them at every start, and the
waiting times and diversions of the moment, which begin anew. The decisions are `orchestrator.domain.traffic`; here
they meet the records.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from orchestrator.application.closures import ClosedLanes
from orchestrator.application.driving import lanes_ahead, planned_end, take_lanes
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.holding import lay_hold
from orchestrator.application.steps import entered_at, has_strayed, is_off_its_way, standing_place
from orchestrator.application.trips import is_standing_for_people, leave_station
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import Pose, RobotId
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.geometry import distance_to_segment
from orchestrator.domain.site.model import GraphId, LaneId, WaypointId
from orchestrator.domain.traffic.coordination import Advance, Divert, Resume, Traveller, Wait, decide
from orchestrator.domain.traffic.monitor import Monitor
from orchestrator.domain.traffic.resources import compile_resources
from orchestrator.domain.traffic.routing import Router, opposing

NO_ROUTE = "no_route"

ROUNDS = 4
"""How often in one turn traffic may be asked again because somebody took another route."""

OFF_GRAPH = "robot_off_graph"

ONCOMING_S = 5.0
"""Seconds by which a lane counts as slower for each robot that is to come the other way."""

MOMENT_S = 0.001
"""What lies between the last moment of patience and the first without."""


@dataclass(slots=True)
class _Wish:
    """What one robot wants of traffic: its target, since when, since when it stands refused, whether it makes way."""

    target: WaypointId | None = None
    since_s: float = 0.0
    waiting_since_s: float | None = None
    is_diverted: bool = False


class Steering:
    """Grants, routes and diversions of one fleet.

    Parameters
    ----------
    fleet : FleetOnSite
        Site, graph, robots, models, policy.
    """

    def __init__(self, fleet: FleetOnSite) -> None:
        self._fleet = fleet
        self._graph = fleet.graph_of(next(iter(fleet.robots)))
        radius_m = max(model.radius_m for model in fleet.models.values())
        self.resources = compile_resources(fleet.site, self._graph, radius_m=radius_m)
        self.monitor = Monitor(self.resources, self._graph)
        self._routers = {
            robot: Router(fleet.site, fleet.graph_of(robot), fleet.models[robot]) for robot in fleet.robots
        }
        self._distances: dict[tuple[GraphId, WaypointId, WaypointId], float | None] = {}
        self._closed = ClosedLanes()
        self._wishes = {robot: _Wish() for robot in fleet.robots}
        self._kept: Collection[RobotId] = ()

    def restore(self, records: Mapping[RobotId, RobotRecord]) -> None:
        """Enter every robot that the books know a place of; what it holds it goes on holding.

        Diversions are forgotten: the routes of a turn that failed are not those they went with.
        """
        self.monitor = Monitor(self.resources, self._graph)
        for wish in self._wishes.values():
            wish.is_diverted = False
        for robot, record in sorted(records.items()):
            if record.tip is not None:
                endpoint = self._fleet.home_waypoint_of(robot)
                self.monitor.occupy(robot, tip=record.tip, held=record.held, endpoint=endpoint)

    def distance_m(self, robot: RobotId, start: WaypointId, goal: WaypointId) -> float | None:
        """Return a robot's driving distance between two waypoints of its graph in metres, None when there is no way."""
        key = (self._fleet.models[robot].graph, start, goal)
        if key not in self._distances:
            lanes = self._routers[robot].route(start, goal)
            self._distances[key] = None if lanes is None else self._routers[robot].length_m(lanes)
        return self._distances[key]

    def place(self, turn: Turn, robot: RobotId) -> None:
        """Enter a robot at the waypoint it stands on when it first reports, and keep off where somebody has moved it.

        A robot between waypoints is entered once it has been put on one; till then it keeps what it holds. One that
        was moved waits for a person, as an obstacle both where the books had it and where it says it is.
        """
        record = turn.record(robot)
        if record.is_held_for(HoldKind.REMOVED):
            return
        if is_off_its_way(self._fleet, record) or has_strayed(self._fleet, record):
            self._note_moved(turn, robot)
        if turn.record(robot).is_held_for(HoldKind.MOVED):
            self._stand_in_the_way(turn, robot)
        elif record.tip is None:
            self._enter(turn, robot)
        elif any(reason.code == OFF_GRAPH for reason in record.waiting):
            turn.put(replace(record, waiting=()))

    def _note_moved(self, turn: Turn, robot: RobotId) -> None:
        sentence = (
            f"Robot {robot} was moved, or has left its way; drive it onto a waypoint or back onto its way, then resume "
            "it here."
        )
        if not turn.record(robot).is_held_for(HoldKind.MOVED):
            leave_station(turn, robot, Reason(HoldKind.MOVED.code, sentence))
        lay_hold(turn, robot, HoldKind.MOVED, sentence)

    def _stand_in_the_way(self, turn: Turn, robot: RobotId) -> None:
        record = turn.record(robot)
        assert record.tip is not None, "only a robot that stood somewhere was moved"
        place = standing_place(self._fleet, record) or record.tip
        held = self.resources.of_route(place, lanes_ahead(record), self._graph)
        if record.report is not None and record.report.pose is not None:
            held |= self._reached_from(record.report.pose)
        if held != record.held:
            self.monitor.occupy(robot, tip=record.tip, held=held, endpoint=self._fleet.home_waypoint_of(robot))
            turn.put(replace(record, held=held))

    def _reached_from(self, pose: Pose) -> frozenset[str]:
        """Return what nobody may use while a robot stands at a pose, whichever of the fleet it is."""
        apart_m = 2.0 * max(model.radius_m for model in self._fleet.models.values())
        here, graph = (pose.x_m, pose.y_m), self._graph
        places = {w.id: (w.x_m, w.y_m) for w in graph.waypoints.values() if w.level == pose.level}
        found = [
            self.resources.of_waypoint(waypoint)
            for waypoint, at in places.items()
            if distance_to_segment(here, at, at) < apart_m
        ]
        found += [
            self.resources.of_lane(lane.id)
            for lane in graph.lanes.values()
            if lane.start in places
            and lane.end in places
            and distance_to_segment(here, places[lane.start], places[lane.end]) < apart_m
        ]
        return frozenset[str]().union(*found)

    def _enter(self, turn: Turn, robot: RobotId) -> None:
        record = turn.record(robot)
        pose = record.report.pose if record.report else None
        if pose is None:
            return
        nearest = self._fleet.nearest_waypoint(robot, pose)
        if nearest is None or nearest[1] > self._fleet.policy.place_tolerance_m:
            sentence = f"Robot {robot} stands on no waypoint; drive it onto one, best onto its home."
            turn.put(replace(record, waiting=(Reason(OFF_GRAPH, sentence),)))
            return
        turn.put(entered_at(record, nearest[0].id))
        self._occupy_tip(turn, robot)

    def take_up(self, turn: Turn) -> None:
        """Bring the monitor in line with where people have entered robots, or taken them out of the lanes."""
        for robot in sorted(self._fleet.robots):
            record = turn.record(robot)
            if record.tip is None and robot in self.monitor.robots:
                self.monitor.remove(robot)
            elif record.tip is not None and not record.held:
                self._occupy_tip(turn, robot)

    def _occupy_tip(self, turn: Turn, robot: RobotId) -> None:
        record = turn.record(robot)
        assert record.tip is not None
        held = self.resources.of_waypoint(record.tip)
        self.monitor.occupy(robot, tip=record.tip, held=held, endpoint=self._fleet.home_waypoint_of(robot))
        turn.put(replace(record, held=held))

    def steer(
        self,
        turn: Turn,
        *,
        reported: Collection[RobotId],
        closed: ClosedLanes,
        kept: Collection[RobotId] = (),
    ) -> None:
        """Plan routes to new targets, and let traffic decide who may go on.

        Parameters
        ----------
        turn : Turn
            The transaction.
        reported : collection of RobotId
            Robots that have reported since the orchestrator started; nothing is granted to any other.
        closed : ClosedLanes
            Lanes that nobody may be sent over now.
        kept : collection of RobotId
            Robots that stay where they are whatever they want; they take no part.
        """
        self._closed, self._kept = closed, kept
        placed = self.monitor.robots
        for robot in placed:
            self._freeze_or_thaw(turn, robot)
        for robot in placed:
            self._plan_route(turn, robot)
        for _ in range(ROUNDS):
            travellers = [self._traveller(turn, robot, has_reported=robot in reported) for robot in placed]
            decisions = decide(self.monitor, travellers, at_s=turn.at_s, patience_s=self._fleet.policy.patience_s)
            for decision in decisions:
                self._carry_out(turn, decision)
            if not any(isinstance(decision, Divert | Resume) for decision in decisions):
                return

    def patience_ends_s(self, at_s: float) -> float:
        """Return when the next robot that stands refused loses its patience, infinity if none does after ``at_s``."""
        patience_s = self._fleet.policy.patience_s
        since = (wish.waiting_since_s for wish in self._wishes.values() if wish.waiting_since_s is not None)
        return min((end_s for each in since if (end_s := each + patience_s + MOMENT_S) > at_s), default=math.inf)

    # -- before the decision --------------------------------------------------------------------------------------

    def _freeze_or_thaw(self, turn: Turn, robot: RobotId) -> None:
        record = turn.record(robot)
        report = record.report
        is_kept = record.lost_since is not None or record.is_kept_from_driving
        is_stuck = is_kept or (report is not None and not report.may_be_ordered)
        if is_stuck == self.monitor.is_frozen(robot):
            return
        cut_off = self.monitor.freeze(robot) if is_stuck else self.monitor.thaw(robot)
        if cut_off:
            sentence = f"Robot {robot} cannot move and cuts off {', '.join(cut_off)}; move it aside or fence it off."
            turn.tell("alarm", robot, {"code": "robots_cut_off", "sentence": sentence})

    def _destination(self, record: RobotRecord) -> WaypointId | None:
        return None if record.target is None else self._fleet.waypoint_of(record.robot, record.target)

    def _plan_route(self, turn: Turn, robot: RobotId) -> None:
        record = turn.record(robot)
        wish = self._wishes[robot]
        wanted = self._destination(record)
        if wish.target != wanted:
            self._wishes[robot] = wish = _Wish(target=wanted, since_s=turn.at_s)
        if wanted is None or wish.is_diverted or record.tip is None:
            return
        barred = self.monitor.barred(robot)
        lanes = self._fleet.graph_of(robot).lanes
        is_barred = any(
            lane in barred.lanes or lane in self._closed or lanes[lane].end in barred.waypoints for lane in record.route
        )
        if planned_end(self._fleet, record) == wanted and not is_barred:
            return
        self._set_route(turn, robot, self._route(turn, robot, wanted))

    def _route(self, turn: Turn, robot: RobotId, goal: WaypointId) -> tuple[LaneId, ...]:
        tip = turn.record(robot).tip
        assert tip is not None, "a robot on the monitor has a tip"
        barred = self.monitor.barred(robot)
        others = [
            (*lanes_ahead(turn.record(other)), *turn.record(other).route)
            for other in self.monitor.robots
            if other != robot and self._fleet.models[other].graph == self._fleet.models[robot].graph
        ]
        extra_s = opposing(others, self._fleet.graph_of(robot), each_s=ONCOMING_S)
        closed = barred.lanes | self._closed.lanes
        lanes = self._routers[robot].route(tip, goal, avoid=barred.waypoints, closed=closed, extra_s=extra_s)
        return lanes or ()

    def _open_part(self, route: tuple[LaneId, ...]) -> tuple[LaneId, ...]:
        """Return the beginning of a route that can be granted: whole stretches up to the first closed lane."""
        count = 0
        while count < len(route):
            stretch = self.monitor.stretch(route[count:])
            if any(lane in self._closed for lane in stretch):
                break
            count += len(stretch)
        return route[:count]

    def _why_no_way(self, robot: RobotId, reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
        """Return what a robot without a route waits for: what has closed its way, if it has one when all is open."""
        goal, tip = self._wishes[robot].target, self.monitor.tip(robot)
        if goal is None or not self._closed.lanes or not any(reason.code == NO_ROUTE for reason in reasons):
            return reasons
        way = self._routers[robot].route(tip, goal) or ()
        return next(((self._closed.reasons[lane],) for lane in way if lane in self._closed), reasons)

    def _set_route(self, turn: Turn, robot: RobotId, lanes: tuple[LaneId, ...]) -> None:
        turn.put(replace(turn.record(robot), route=lanes))

    def _traveller(self, turn: Turn, robot: RobotId, *, has_reported: bool) -> Traveller:
        record = turn.record(robot)
        wish = self._wishes[robot]
        ahead_m = self._routers[robot].length_m(lanes_ahead(record))
        is_in_hand = record.phase is not OrderPhase.CANCELLING and not is_off_its_way(self._fleet, record)
        may_go = has_reported and is_in_hand
        route = self._open_part(record.route) if self._closed.lanes else record.route
        return Traveller(
            robot=robot,
            route=route,
            target=wish.target or self.monitor.tip(robot),
            lookahead_m=self._fleet.policy.lookahead_m - ahead_m if may_go else 0.0,
            wanted_since_s=wish.since_s,
            waiting_since_s=wish.waiting_since_s,
            is_standing_for_people=is_standing_for_people(turn, robot),
            is_frozen=self.monitor.is_frozen(robot) or robot in self._kept or (bool(record.route) and not route),
            is_diverted=wish.is_diverted,
        )

    # -- after the decision ---------------------------------------------------------------------------------------

    def _carry_out(self, turn: Turn, decision: Advance | Divert | Resume | Wait) -> None:
        wish = self._wishes[decision.robot]
        match decision:
            case Advance(robot=robot, lanes=lanes):
                wish.waiting_since_s = None
                take_lanes(turn, self._fleet, self.resources, robot, lanes)
            case Divert(robot=robot, lanes=lanes, reason=reason):
                wish.is_diverted = True
                turn.put(replace(turn.record(robot), route=lanes, waiting=(reason,)))
            case Resume(robot=robot, lanes=lanes):
                wish.is_diverted = False
                wish.waiting_since_s = None
                goal = wish.target or self.monitor.tip(robot)
                self._set_route(turn, robot, self._route(turn, robot, goal) if lanes is None else lanes)
            case Wait(robot=robot, reasons=reasons):
                self._wait(turn, robot, self._why_no_way(robot, reasons))

    def _wait(self, turn: Turn, robot: RobotId, reasons: tuple[Reason, ...]) -> None:
        """Note the refusal of a robot that has nothing left to drive; one that still drives may be granted in time."""
        record = turn.record(robot)
        if lanes_ahead(record):
            return
        wish = self._wishes[robot]
        if wish.waiting_since_s is None:
            wish.waiting_since_s = turn.at_s
        if record.waiting != reasons:
            turn.put(replace(record, waiting=reasons))
