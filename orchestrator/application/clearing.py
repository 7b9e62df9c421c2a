"""Alarms in the course of a turn: what they close, who gets out of people's way, and what everybody waits for.

Asked at every turn and of the books alone, so it makes no difference whether an alarm was raised a moment ago or before
the orchestrator started. Clearing moves are granted by the traffic monitor like all others; nothing else is granted
where an alarm reaches.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.application.closures import ClosedLanes
from orchestrator.application.driving import lanes_ahead, take_lanes
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.holding import ALARM, give_up_order
from orchestrator.application.ports import Building
from orchestrator.application.steering import Steering
from orchestrator.application.steps import (
    FREE_FOR_A_NEW_ORDER,
    OFF_GRAPH,
    remaining_base,
    standing_place,
    start_actions,
    steps_of_lanes,
)
from orchestrator.application.trips import is_standing_for_people
from orchestrator.application.turn import Turn
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.emergency.alarm import CODES, Alarm
from orchestrator.domain.emergency.clearing import (
    UNABLE,
    GivesUp,
    Leaves,
    Stand,
    Stays,
    Unable,
    Unaffected,
    first_forbidden,
    judge,
    refuges,
    unable,
)
from orchestrator.domain.emergency.reach import Reach, joined, reach_of
from orchestrator.domain.fleet.model import OrderId, Pose, RobotId
from orchestrator.domain.fleet.order import DriveOrder, OrderStep
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.device import DoorPosition
from orchestrator.domain.site.geometry import distance_to_segment
from orchestrator.domain.site.model import DoorId, LaneId, LevelId, LiftId, WaypointId
from orchestrator.domain.traffic.answers import Granted, Refused
from orchestrator.domain.traffic.coordination import NO_ROUTE

NOBODY = Reach()
HELD = "held_by_other"
MAKES_ROOM = "makes_room"
OURS = CODES | {UNABLE, MAKES_ROOM}
"""The codes of the reasons that come from here."""

AT_M = 0.3
"""A robot nearer than this to a waypoint, in metres, stands on it."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """A way that was refused to a robot that has to leave, and what it needs, as a bit set of resources."""

    answer: Refused
    needs: int


class Clearing:
    """What standing alarms make of one fleet.

    Parameters
    ----------
    fleet : FleetOnSite
        Site, robots, models.
    steering : Steering
        Whose monitor grants the clearing moves.
    building : Building
        Says whether the cabin that a robot stands in is open.
    """

    def __init__(self, fleet: FleetOnSite, steering: Steering, building: Building) -> None:
        self._fleet = fleet
        self._steering = steering
        self._building = building
        self._alarms: tuple[Alarm, ...] = ()
        self._reach = NOBODY
        self._stopped: set[RobotId] = set()
        self._refused: dict[RobotId, _Wish] = {}
        self._reported: Collection[RobotId] = ()

    def closed(self, turn: Turn) -> ClosedLanes:
        """Return the lanes that the alarms close which stand now; a source for `closed_lanes`."""
        alarms = tuple(turn.uow.alarms.standing())
        if alarms != self._alarms:
            graphs = [self._fleet.site.graphs[graph] for graph in self._fleet.graphs]
            self._reach = joined(reach_of(self._fleet.site, graph, alarms) for graph in graphs) if alarms else NOBODY
            self._alarms = alarms
        return ClosedLanes(self._reach.lanes)

    def unserved(self, turn: Turn) -> Mapping[DeliveryId, Reason]:
        """Return the waiting deliveries that nobody may fetch or bring now, with the reason."""
        waiting = [d for d in turn.deliveries.values() if d.state is DeliveryState.VERIFIED]
        found = {delivery.id: self._closed_station(delivery) for delivery in waiting}
        return {id: reason for id, reason in found.items() if reason is not None}

    def kept_in_place(self, turn: Turn) -> frozenset[RobotId]:
        """Return the robots that stand where an alarm reaches and are given no work."""
        tips = {robot: turn.record(robot).tip for robot in self._fleet.robots}
        return frozenset(robot for robot, tip in tips.items() if tip is not None and self._reach.reason_at(tip))

    def clear_ways(self, turn: Turn, *, reported: Collection[RobotId]) -> frozenset[RobotId]:
        """Let every robot that stands or drives where an alarm reaches do what it has to; to be asked after steering.

        Parameters
        ----------
        turn : Turn
            The transaction.
        reported : collection of RobotId
            Robots that have reported since the orchestrator started; no other can be told to drive.

        Returns
        -------
        frozenset of RobotId
            Robots that nothing more is sent to: what they have to drive leads where nobody may go now.
        """
        self._stopped, self._refused, self._reported = set(), {}, reported
        for robot in self._steering.monitor.robots:
            if self._alarms:
                self._clear_way_of(turn, robot)
            elif any(reason.code in OURS for reason in turn.record(robot).waiting):
                self._let_wait(turn, robot, None)
        for robot, refused in self._refused.items():
            self._make_room(turn, robot, refused)
        self._tell_deliveries(turn)
        return frozenset(self._stopped)

    # -- one robot ------------------------------------------------------------------------------------------------

    def _clear_way_of(self, turn: Turn, robot: RobotId) -> None:
        stand = self._stand(turn, robot)
        if any(lane in self._reach.lanes for lane in turn.record(robot).granted):
            self._give_back(turn, robot)
        if first_forbidden(stand, self._reach, self._fleet.graph_of(robot)) is not None:
            self._stopped.add(robot)
        match judge(stand, self._reach, self._fleet.graph_of(robot)):
            case Unaffected():
                self._forget_what_is_over(turn, robot)
            case Stays(reason=reason):
                self._let_wait(turn, robot, reason)
            case GivesUp(reason=reason):
                self._stop_and_turn(turn, stand, reason)
            case Leaves(reason=reason):
                self._leave(turn, stand, reason)
            case Unable(reason=reason):
                self._let_wait(turn, robot, reason)

    def _stand(self, turn: Turn, robot: RobotId) -> Stand:
        record = turn.record(robot)
        assert record.tip is not None, "the monitor knows where it is"
        ahead = remaining_base(record)
        place = standing_place(self._fleet, record)
        start = self._fleet.graph_of(robot).lanes[ahead[0]].start if ahead else record.tip
        return Stand(
            robot=robot,
            at=place or start,
            ahead=ahead,
            doorway=self._doorway(robot, record),
            open_lift=self._open_lift(robot, place),
            is_with_people=is_standing_for_people(turn, robot),
            hindrance=_hindrance(record, has_reported=robot in self._reported),
        )

    def _doorway(self, robot: RobotId, record: RobotRecord) -> DoorId | None:
        pose = record.report.pose if record.report else None
        if pose is None:
            return None
        for door in self._fleet.site.doors.values():
            distance_m = distance_to_segment((pose.x_m, pose.y_m), door.start, door.end)
            if door.level == pose.level and distance_m <= self._fleet.models[robot].radius_m:
                return door.id
        return None

    def _open_lift(self, robot: RobotId, place: WaypointId | None) -> tuple[LiftId, LevelId] | None:
        lift = self._fleet.graph_of(robot).waypoints[place].lift if place is not None else None
        picture = self._building.lifts().get(lift) if lift is not None else None
        if lift is None or picture is None or picture.level is None or picture.doors is not DoorPosition.OPEN:
            return None
        return lift, picture.level

    def _stop_and_turn(self, turn: Turn, stand: Stand, reason: Reason) -> None:
        """Take the order from a robot that drives where it must not, and once it stands send it another way."""
        record = turn.record(stand.robot)
        if record.phase in (OrderPhase.WANTED, OrderPhase.ACKNOWLEDGED):
            give_up_order(turn, stand.robot, reason)
        elif record.phase in FREE_FOR_A_NEW_ORDER and _stands_idle(record):
            self._turn_back(turn, stand, reason)
        else:
            self._let_wait(turn, stand.robot, reason)

    def _leave(self, turn: Turn, stand: Stand, reason: Reason) -> None:
        """Grant a robot the way to the nearest refuge that is free, from where its released way ends."""
        robot, monitor = stand.robot, self._steering.monitor
        if lanes_ahead(turn.record(robot)) != stand.ahead:
            self._give_back(turn, robot)
        is_in_cabin = stand.open_lift is not None and not stand.ahead
        refused: list[_Wish] = []
        for _, lanes in refuges(stand, [(monitor.tip(robot), 0.0)], self._reach, self._fleet.graph_of(robot)):
            answer = self._ask_out_of_cabin(stand, lanes) if is_in_cabin else monitor.grant(robot, lanes)
            if not isinstance(answer, Refused):
                held = turn.record(robot).held
                held &= self._of_route(robot, stand.at, ()) if is_in_cabin else held
                turn.put(replace(turn.record(robot), route=lanes, held=held))
                take_lanes(turn, self._fleet, self._steering.relation, robot, lanes)
                self._let_wait(turn, robot, reason)
                return
            refused.append(_Wish(answer, monitor.ways_of(stand.robot).needs(lanes)))
        self._note_unable(turn, stand, reason, refused)

    def _ask_out_of_cabin(self, stand: Stand, lanes: Sequence[LaneId]) -> Granted | Refused:
        """Ask traffic for the way out of a cabin, also where no way home is left to the robot while lifts are shut."""
        keeping = self._of_route(stand.robot, stand.at, ())
        return self._steering.monitor.redirect(stand.robot, lanes, to=stand.at, keeping=keeping)

    def _note_unable(self, turn: Turn, stand: Stand, reason: Reason, refused: list[_Wish]) -> None:
        held_by_others = [wish for wish in refused if wish.answer.reason.code == HELD]
        if held_by_others:
            self._refused[stand.robot] = held_by_others[0]
        self._let_wait(turn, stand.robot, unable(stand.robot, reason, self._why_not(stand, refused)))

    def _make_room(self, turn: Turn, robot: RobotId, wish: _Wish) -> None:
        """Send those who stand clear, but in the way of a robot that has to leave, on to another refuge."""
        for blocker in wish.answer.blockers:
            stand = self._stand(turn, blocker)
            is_free = stand.hindrance is None and not stand.is_with_people and not lanes_ahead(turn.record(blocker))
            if is_free and isinstance(judge(stand, self._reach, self._fleet.graph_of(blocker)), Stays | Unaffected):
                self._go_on(turn, stand, wish, away_from=robot)

    def _go_on(self, turn: Turn, stand: Stand, wish: _Wish, *, away_from: RobotId) -> None:
        monitor, graph, relation = self._steering.monitor, self._fleet.graph_of(stand.robot), self._steering.relation
        taken = relation.conflicts(wish.needs)
        for _, lanes in refuges(stand, [(stand.at, 0.0)], self._reach, graph):
            end = graph.lanes[lanes[-1]].end if lanes else stand.at
            if monitor.ways_of(stand.robot).waypoints[end] & taken:
                continue
            if not isinstance(monitor.grant(stand.robot, lanes), Refused):
                turn.put(replace(turn.record(stand.robot), route=lanes))
                take_lanes(turn, self._fleet, relation, stand.robot, lanes)
                sentence = f"It makes room for {away_from}, which has to get out of people's way."
                turn.put(replace(turn.record(stand.robot), waiting=(Reason(MAKES_ROOM, sentence),)))
                return

    def _turn_back(self, turn: Turn, stand: Stand, reason: Reason) -> None:
        """Send a robot that stands on its way, its order gone, to a refuge: back, or on as far as it may."""
        record = turn.record(stand.robot)
        monitor, graph = self._steering.monitor, self._fleet.graph_of(stand.robot)
        before = record.held
        refused: list[_Wish] = []
        for start, lanes in refuges(stand, self._ways_on(stand, record), self._reach, graph):
            held = self._of_route(stand.robot, stand.at, stand.ahead[:1])
            self._occupy(record, tip=start, held=held)
            answer = monitor.grant(stand.robot, lanes) if lanes else None
            if not isinstance(answer, Refused):
                self._send(turn, stand, start, lanes)
                self._let_wait(turn, stand.robot, reason)
                return
            refused.append(_Wish(answer, monitor.ways_of(stand.robot).needs(lanes)))
        assert record.tip is not None
        self._occupy(record, tip=record.tip, held=before)
        self._note_unable(turn, stand, reason, refused)

    def _ways_on(self, stand: Stand, record: RobotRecord) -> list[tuple[WaypointId, float]]:
        """Return where a robot that stands on its first lane ahead may go on from, and how far it is there."""
        starts = [(stand.at, self._metres_to(record, stand.at))]
        if first_forbidden(stand, self._reach, self._fleet.graph_of(stand.robot)) != 0:
            end = self._fleet.graph_of(stand.robot).lanes[stand.ahead[0]].end
            starts.append((end, self._metres_to(record, end)))
        return starts

    def _send(self, turn: Turn, stand: Stand, start: WaypointId, lanes: tuple[LaneId, ...]) -> None:
        """Write the order of a robot that turns back, or goes on, from its own pose."""
        record = turn.record(stand.robot)
        assert record.report is not None
        assert record.report.pose is not None
        end = self._fleet.graph_of(stand.robot).lanes[lanes[-1]].end if lanes else start
        held = self._of_route(stand.robot, stand.at, stand.ahead[:1])
        held |= self._of_route(stand.robot, start, lanes)
        order_id = OrderId(turn.ids.new("order"))
        here = OrderStep(WaypointId(f"{OFF_GRAPH}{order_id}"), record.report.pose)
        onward = steps_of_lanes(self._fleet, stand.robot, lanes if start == stand.at else (stand.ahead[0], *lanes))
        first = OrderStep(start, self._fleet.pose_of(stand.robot, start))
        if start != stand.at:
            steps = (here, *onward)
        elif self._metres_to(record, start) <= AT_M:
            steps = (first, *onward)
        else:
            steps = (here, first, *onward)
        steps = (replace(steps[0], actions=start_actions(turn, self._fleet, stand.robot)), *steps[1:])
        order = DriveOrder(id=order_id, robot=stand.robot, steps=steps, released=len(steps))
        turn.put(
            replace(record, order=order, phase=OrderPhase.WANTED, passed=0, granted=(), route=(), tip=end, held=held)
        )
        turn.want_order(order)

    def _give_back(self, turn: Turn, robot: RobotId) -> None:
        """Take back what was granted to a robot and not released to it."""
        record = turn.record(robot)
        if not record.granted:
            return
        ahead = remaining_base(record)
        tip = self._fleet.graph_of(robot).lanes[record.granted[0]].start
        place = standing_place(self._fleet, record)
        # Where nobody knows the place it keeps all but what lies beyond its base.
        kept = self._of_route(robot, place, ahead) if place else record.held
        beyond = self._of_route(robot, tip, record.granted)
        held = (record.held & kept) | (record.held - beyond) | self._of_route(robot, tip, ())
        self._occupy(record, tip=tip, held=held)
        turn.put(replace(record, granted=(), route=(), tip=tip, held=held))

    def _occupy(self, record: RobotRecord, *, tip: WaypointId, held: frozenset[str]) -> None:
        endpoint = self._fleet.home_waypoint_of(record.robot)
        monitor = self._steering.monitor
        is_frozen = monitor.is_frozen(record.robot)
        model = self._fleet.models[record.robot].id
        monitor.occupy(record.robot, model=model, tip=tip, held=held, endpoint=endpoint)
        if is_frozen:
            monitor.freeze(record.robot)

    def _of_route(self, robot: RobotId, waypoint: WaypointId, lanes: Sequence[LaneId]) -> frozenset[str]:
        return self._steering.relation.of_route(self._fleet.models[robot].id, waypoint, lanes)

    # -- what is told ---------------------------------------------------------------------------------------------

    def _let_wait(self, turn: Turn, robot: RobotId, reason: Reason | None) -> None:
        """Say of a robot that an alarm is what it waits for, or no longer; what holds it besides stays told."""
        record = turn.record(robot)
        others = tuple(r for r in record.waiting if r.code not in OURS and (reason is None or r.code != NO_ROUTE))
        waiting = others if reason is None else (reason, *others)
        if waiting == record.waiting:
            return
        turn.put(replace(record, waiting=waiting))
        if reason is not None and reason.code == UNABLE and reason not in record.waiting:
            turn.tell(ALARM, robot, {"code": UNABLE, "sentence": reason.sentence})

    def _forget_what_is_over(self, turn: Turn, robot: RobotId) -> None:
        """Take back what an alarm made a robot wait for that reaches it no longer; what closes its way stays told."""
        record = turn.record(robot)
        said = {alarm.reason_for(self._fleet.site) for alarm in self._alarms} if record.target else set[Reason]()
        waiting = tuple(r for r in record.waiting if r.code not in OURS or r in said)
        if waiting != record.waiting:
            turn.put(replace(record, waiting=waiting))

    def _closed_station(self, delivery: Delivery) -> Reason | None:
        for station in (delivery.from_station, delivery.to_station):
            for waypoint in self._fleet.site.stations[station].waypoints.values():
                reason = self._reach.reason_at(waypoint)
                if reason is not None:
                    return reason
        return None

    def _tell_deliveries(self, turn: Turn) -> None:
        for delivery in list(turn.deliveries.values()):
            reason = self._reason_of(turn, delivery)
            others = tuple(r for r in delivery.waiting if r.code not in OURS)
            turn.let_wait(delivery, others if reason is None else (reason, *others))

    def _reason_of(self, turn: Turn, delivery: Delivery) -> Reason | None:
        """Return the alarm that a delivery waits for; none while people are at it, or where none reaches."""
        if not self._alarms or delivery.state in (DeliveryState.LOADING, DeliveryState.ARRIVED):
            return None
        if delivery.state is DeliveryState.VERIFIED:
            return self._closed_station(delivery)
        waiting = turn.record(delivery.robot).waiting if delivery.robot else ()
        return next((reason for reason in waiting if reason.code in OURS), None)

    def _why_not(self, stand: Stand, refused: Collection[_Wish]) -> Reason:
        lift = self._fleet.graph_of(stand.robot).waypoints[stand.at].lift
        if lift is not None and stand.open_lift is None and not stand.ahead:
            return Reason("shut_in_lift", f"it is in lift {lift}, which is not open. Look into the lift.")
        others = sorted({robot for wish in refused for robot in wish.answer.blockers})
        if others:
            return Reason("way_taken", f"other robots are in its way ({', '.join(others)}). Push it aside.")
        return Reason("no_way_out", "no way out is open to it. Push it aside.")

    def _metres_to(self, record: RobotRecord, waypoint: WaypointId) -> float:
        pose: Pose | None = record.report.pose if record.report else None
        place = self._fleet.pose_of(record.robot, waypoint)
        if pose is None or pose.level != place.level:
            return 0.0
        return math.hypot(pose.x_m - place.x_m, pose.y_m - place.y_m)


def _stands_idle(record: RobotRecord) -> bool:
    report = record.report
    return report is not None and report.pose is not None and report.is_idle and not report.is_driving


def _hindrance(record: RobotRecord, *, has_reported: bool) -> Reason | None:
    if not has_reported:
        return Reason("robot_not_reported", "it has not been heard since the start. Go and look.")
    if record.lost_since is not None:
        return Reason("robot_lost", "it is silent. Go and push it aside.")
    if record.is_kept_from_driving:
        return Reason("robot_held", f"it is held. {record.holds[0].reason}")
    if record.report is None or not record.report.may_be_ordered:
        return Reason("robot_stopped", "it is stopped or in a person's hands. Push it aside.")
    return None
