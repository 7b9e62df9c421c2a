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
from orchestrator.application.driving import lanes_ahead, planned_end, take_lanes, with_known_holdings
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.holding import lay_hold
from orchestrator.application.map_switch import kept_the_old_map
from orchestrator.application.obstacles import Obstacles
from orchestrator.application.retracting import give_back_unused, take_back
from orchestrator.application.steps import entered_at, has_strayed, is_off_its_way, remaining_base
from orchestrator.application.trips import is_standing_for_people, leave_station
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import ModelId, RobotId, RobotReport
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import LaneId, WaypointId
from orchestrator.domain.traffic.conflicts import conflict_relation
from orchestrator.domain.traffic.coordination import NO_ROUTE, Advance, Divert, Resume, Traveller, Wait, decide
from orchestrator.domain.traffic.monitor import Monitor
from orchestrator.domain.traffic.routing import Router, opposing

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


@dataclass(frozen=True, slots=True)
class _Way:
    """The quickest way between two waypoints that is not shut: its length, and how long a robot alone takes."""

    length_m: float
    time_s: float


class Steering:
    """Grants, routes and diversions of one fleet.

    Parameters
    ----------
    fleet : FleetOnSite
        Site, robots, models, policy.
    """

    def __init__(self, fleet: FleetOnSite) -> None:
        self._fleet = fleet
        self.relation = conflict_relation(fleet.site, fleet.models.values())
        self.monitor = Monitor(self.relation)
        self._obstacles = Obstacles(fleet, self.relation)
        routers = {m.id: Router(fleet.site, self.relation.graph(m.id), m) for m in fleet.models.values()}
        self._routers = {robot: routers[model.id] for robot, model in fleet.models.items()}
        self._ways: dict[tuple[ModelId, WaypointId, WaypointId], _Way | None] = {}
        self._closed = self._shut = ClosedLanes()
        self._wishes = {robot: _Wish() for robot in fleet.robots}
        self._kept: Collection[RobotId] = ()

    def restore(self, records: Mapping[RobotId, RobotRecord]) -> None:
        """Enter every robot that the books know a place of; what it holds it goes on holding.

        Diversions are forgotten: the routes of a turn that failed are not those they went with.
        """
        self.monitor = Monitor(self.relation)
        self.monitor.close(self._shut.reasons)
        self._obstacles.forget()
        for wish in self._wishes.values():
            wish.is_diverted = False
        for robot, record in sorted(records.items()):
            if record.tip is not None:
                self._occupy(robot, tip=record.tip, held=record.held)

    def readable(self, record: RobotRecord) -> RobotRecord:
        """Return a record from the books as it reads on this site; see `with_known_holdings`."""
        return with_known_holdings(self._fleet, self.relation, record)

    def _occupy(self, robot: RobotId, *, tip: WaypointId, held: frozenset[str]) -> None:
        model, endpoint = self._fleet.models[robot].id, self._fleet.home_waypoint_of(robot)
        self.monitor.occupy(robot, model=model, tip=tip, held=held, endpoint=endpoint)

    def distance_m(self, robot: RobotId, start: WaypointId, goal: WaypointId) -> float | None:
        """Return a robot's driving distance between two waypoints of its graph in metres, None when no way is open."""
        way = self._way(robot, start, goal)
        return None if way is None else way.length_m

    def drive_s(self, robot: RobotId, start: WaypointId, goal: WaypointId) -> float | None:
        """Return how long a robot alone drives between two waypoints in seconds, None when no way is open."""
        way = self._way(robot, start, goal)
        return None if way is None else way.time_s

    def remaining_s(self, record: RobotRecord, goal: WaypointId) -> float | None:
        """Return how long a robot alone on its way drives from where it is, over what it was granted, in seconds."""
        if record.tip is None:
            return None
        rest_s = self.drive_s(record.robot, record.tip, goal)
        return None if rest_s is None else self._routers[record.robot].time_s(lanes_ahead(record)) + rest_s

    def _way(self, robot: RobotId, start: WaypointId, goal: WaypointId) -> _Way | None:
        key = (self._fleet.models[robot].id, start, goal)
        if key not in self._ways:
            router = self._routers[robot]
            lanes = router.route(start, goal, closed=self._shut.lanes)
            self._ways[key] = None if lanes is None else _Way(router.length_m(lanes), router.time_s(lanes))
        return self._ways[key]

    def place(self, turn: Turn, robot: RobotId) -> None:
        """Enter a robot at the waypoint it stands on when it first reports, and keep off where somebody has moved it.

        A robot between waypoints is entered once it has been put on one; till then it keeps what it holds. One that
        was moved waits for a person, as an obstacle (see `Obstacles`) where the books had it and where it says it is.
        """
        record = turn.record(robot)
        if record.is_held_for(HoldKind.REMOVED):
            return
        if record.is_held_for(HoldKind.QUARANTINED) and record.tip is not None:
            return  # what it says of its place is in doubt: it keeps what it holds, and can bar nothing more
        if is_off_its_way(self._fleet, record) or has_strayed(self._fleet, record):
            self._note_moved(turn, robot)
        if turn.record(robot).is_held_for(HoldKind.MOVED):
            return
        if record.tip is None:
            self._enter(turn, robot)
        elif any(reason.code == OFF_GRAPH for reason in record.waiting):
            turn.put(replace(record, waiting=()))

    def _note_moved(self, turn: Turn, robot: RobotId) -> None:
        sentence = (
            f"Robot {robot} was moved, or has left its way; drive it onto a waypoint or back onto its way, then resume "
            "it here."
        )
        sentence = kept_the_old_map(self._fleet, turn.record(robot)) or sentence
        if not turn.record(robot).is_held_for(HoldKind.MOVED):
            leave_station(turn, robot, Reason(HoldKind.MOVED.code, sentence))
        lay_hold(turn, robot, HoldKind.MOVED, sentence)

    def _enter(self, turn: Turn, robot: RobotId) -> None:
        record = turn.record(robot)
        pose = record.report.pose if record.report else None
        if pose is None:
            if record.report is not None:
                sentence = (
                    f"Robot {robot} does not say where it is in a way that counts (agvPosition, positionInitialized, a "
                    "mapId that its link names); set its position. `wardporter robot watch` shows what it says."
                )
                turn.put(replace(record, waiting=(Reason(OFF_GRAPH, sentence),)))
            return
        nearest = self._fleet.nearest_waypoint(robot, pose)
        if nearest is None:
            sentence = (
                f"Robot {robot} says that it is on map {pose.level!r}, where it has no waypoint; say under `maps` in "
                "its link in the fleet file which level that is."
            )
            turn.put(replace(record, waiting=(Reason(OFF_GRAPH, sentence),)))
            return
        if nearest[1] > self._fleet.policy.place_tolerance_m:
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
        held = self.relation.of_waypoint(self._fleet.models[robot].id, record.tip)
        self._occupy(robot, tip=record.tip, held=held)
        turn.put(replace(record, held=held))

    def close(self, turn: Turn, closed: ClosedLanes, *, shut: ClosedLanes) -> None:
        """Take note of the lanes that nobody may be sent over now; in force until the next call.

        Parameters
        ----------
        turn : Turn
            The transaction.
        closed : ClosedLanes
            Lanes on which nothing new is granted to robots at work.
        shut : ClosedLanes
            Those among them that nobody drives over at all, not even to clear a way in an emergency.
        """
        self._closed = closed
        if shut == self._shut:
            return
        if shut.lanes != self._shut.lanes:
            self._ways.clear()
        self._shut = shut
        self.monitor.close(shut.reasons)
        self._obstacles.note_closed(turn, self.monitor)

    def has_shifted(self, record: RobotRecord, report: RobotReport) -> bool:
        """Whether a robot that stands in the way has shifted, by its report."""
        return self._obstacles.has_shifted(record, report)

    def steer(self, turn: Turn, *, reported: Mapping[RobotId, RobotReport], kept: Collection[RobotId] = ()) -> None:
        """Plan routes to new targets, and let traffic decide who may go on.

        Parameters
        ----------
        turn : Turn
            The transaction.
        reported : mapping of RobotId to RobotReport
            What robots have said last since the orchestrator started; nothing is granted to any other.
        kept : collection of RobotId
            Robots that stay where they are whatever they want; they take no part.
        """
        self._kept = kept
        placed = self.monitor.robots
        self._obstacles.note(turn, self.monitor, reported)
        for robot in placed:
            self._take_back_hindered(turn, robot)
            give_back_unused(turn, self._fleet, self.monitor, robot)
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

    def _take_back_hindered(self, turn: Turn, robot: RobotId) -> None:
        """Take back what a robot was granted and not sent over, if it is closed now or another stands in the way."""
        if not self._shut.reasons and not self.monitor.has_obstacles:
            return
        lanes = lanes_ahead(turn.record(robot))
        hindered = next((i for i, lane in enumerate(lanes) if self.monitor.hindrance(robot, lane)), None)
        if hindered is not None:
            take_back(turn, self._fleet, self.monitor, robot, before=hindered)

    def _destination(self, record: RobotRecord) -> WaypointId | None:
        return None if record.target is None else self._fleet.waypoint_of(record.robot, record.target)

    def _plan_route(self, turn: Turn, robot: RobotId) -> None:
        record = turn.record(robot)
        wish = self._wishes[robot]
        wanted = self._destination(record)
        if wish.target != wanted:
            self._wishes[robot] = wish = _Wish(target=wanted, since_s=turn.at_s)
            if record.granted and not record.route:
                # It was withdrawn: what was never sent to it leads where it no longer goes.
                take_back(turn, self._fleet, self.monitor, robot, before=len(remaining_base(record)))
                record = turn.record(robot)
        if wanted is None or wish.is_diverted or record.tip is None:
            return
        is_closed = any(lane in self._closed for lane in record.route)
        is_barred = is_closed or self.monitor.is_barred(robot, record.route)
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

    def _open_part(self, robot: RobotId, route: tuple[LaneId, ...]) -> tuple[LaneId, ...]:
        """Return the beginning of a route that can be granted: whole stretches up to the first closed lane."""
        count = 0
        while count < len(route):
            stretch = self.monitor.stretch(robot, route[count:])
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
        route = self._open_part(robot, record.route) if self._closed.lanes else record.route
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
                take_lanes(turn, self._fleet, self.relation, robot, lanes)
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
