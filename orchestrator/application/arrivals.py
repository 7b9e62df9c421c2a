"""Arrivals: when each open delivery is expected, kept with it, and who is told when that changes or will be too late.

The forecast itself is `orchestrator.domain.dispatch.forecast`. It is made anew every `EVERY_S`, and at once when a
delivery has come further or lanes were closed; never for every message of a robot. What is kept is what reads show.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.application.dispatching import candidate_of
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.lateness import call_if_late, tell_change
from orchestrator.application.readiness import is_told_of
from orchestrator.application.steering import Steering
from orchestrator.application.trips import waits_for_robot
from orchestrator.application.turn import Turn
from orchestrator.domain.delivery.arrival import Arrival
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, Stop, StopKind, Trip, TripId
from orchestrator.domain.dispatch.filters import MAY_GO_ON, Candidate, reasons_against
from orchestrator.domain.dispatch.forecast import (
    PLANNED_LEAST_S,
    PRIOR,
    Drive,
    Outlook,
    RobotAhead,
    Slowness,
    StopAhead,
    forecast,
    slowness_of,
)
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.site.model import LaneId, StationId
from orchestrator.domain.traffic.coordination import NO_ROUTE

EVERY_S = 15.0
"""How often a forecast is made while nothing else asks for one, in seconds."""

KEPT_S, KEPT_SHARE = 15.0, 0.1
"""A forecast that differs by less than these seconds, or this share of the time left, is not kept: reads show whole
minutes."""

UNKNOWN_S = 30.0
"""For how long nobody may be able to say when something arrives, in seconds, until people are troubled with it."""

DRIVES = 200
"""How many past drives count, the newest."""

_Seen = tuple[tuple[DeliveryId, DeliveryState, RobotId | None, StationId], ...]


class Arrivals:
    """The forecasts of one fleet.

    Parameters
    ----------
    fleet : FleetOnSite
        Site, robots, models, policy.
    steering : Steering
        Knows the ways, and how long they take.
    """

    def __init__(self, fleet: FleetOnSite, steering: Steering) -> None:
        self._fleet = fleet
        self._steering = steering
        self._drives: dict[TripId, Drive] | None = None
        self._slowness: Slowness = PRIOR
        self._next_s = -math.inf
        self._seen: _Seen = ()
        self._closed: frozenset[LaneId] = frozenset()
        self._unknown_since_s: dict[DeliveryId, float] = {}

    def forget(self) -> None:
        """Read past drives from the books again, and forecast anew next time."""
        self._drives = None
        self._next_s = -math.inf

    def look(self, turn: Turn, *, reported: Collection[RobotId], closed: frozenset[LaneId]) -> None:
        """Note drives that have ended, and forecast anew if it is time.

        Parameters
        ----------
        turn : Turn
            The transaction.
        reported : collection of RobotId
            Robots that have reported since the orchestrator started.
        closed : frozenset of LaneId
            Lanes that nobody may be sent over.
        """
        self._note_drives(turn)
        seen = tuple((d.id, d.state, d.robot, d.to_station) for d in turn.deliveries.values())
        if turn.at_s < self._next_s and seen == self._seen and closed == self._closed:
            return
        self._next_s, self._seen, self._closed = turn.at_s + EVERY_S / self._fleet.policy.pace, seen, closed
        is_wanted = any(delivery.state.is_to_arrive for delivery in turn.deliveries.values())
        outlooks: Mapping[DeliveryId, Outlook] = self._outlooks(turn, reported) if is_wanted else {}
        for delivery in list(turn.deliveries.values()):
            self._heed(turn, delivery, outlooks.get(delivery.id))
        for gone in self._unknown_since_s.keys() - turn.deliveries.keys():
            del self._unknown_since_s[gone]

    # -- one delivery -------------------------------------------------------------------------------------------------

    def _heed(self, turn: Turn, delivery: Delivery, outlook: Outlook | None) -> None:
        """Keep what is expected of a delivery, and tell or call people if that is due."""
        arrival = self._arrival(turn, delivery, outlook)
        if arrival != delivery.arrival:
            delivery = replace(delivery, arrival=arrival)
            turn.note(delivery)
        if not delivery.state.is_to_arrive or not _is_for_robot(delivery):
            self._unknown_since_s.pop(delivery.id, None)
            return
        is_unsure = self._is_unsure(delivery, outlook, at_s=turn.at_s)
        if not is_unsure and (outlook is None or not outlook.is_known):
            return  # it may be over in a moment
        delivery = tell_change(turn, delivery, policy=self._fleet.policy.dispatch)
        latest_at = None if outlook is None else turn.at + timedelta(seconds=outlook.latest_s)
        delivery = call_if_late(turn, self._fleet, delivery, latest_at=latest_at)
        if any(reason not in delivery.waiting for reason in delivery.reasons_of_lateness):
            turn.let_wait(delivery, delivery.waiting)

    def _is_unsure(self, delivery: Delivery, outlook: Outlook | None, *, at_s: float) -> bool:
        """Whether nobody has been able to say for a while when it arrives."""
        if outlook is not None and outlook.is_known:
            self._unknown_since_s.pop(delivery.id, None)
            return False
        return at_s - self._unknown_since_s.setdefault(delivery.id, at_s) >= UNKNOWN_S / self._fleet.policy.pace

    def _arrival(self, turn: Turn, delivery: Delivery, outlook: Outlook | None) -> Arrival:
        before = delivery.arrival
        if delivery.state is DeliveryState.ARRIVED:
            came_at = delivery.history[-1].at
            return replace(before, expected_at=came_at, expected_latest_at=came_at)
        if not delivery.state.is_to_arrive or outlook is None or not outlook.is_known:
            return replace(before, expected_at=None, expected_latest_at=None)
        expected_at = turn.at + timedelta(seconds=round(outlook.expected_s))
        latest_at = turn.at + timedelta(seconds=round(outlook.latest_s))
        if _is_near(before.expected_at, expected_at, turn.at) and _is_near(
            before.expected_latest_at, latest_at, turn.at
        ):
            return before
        return replace(before, expected_at=expected_at, expected_latest_at=latest_at)

    # -- what is known now --------------------------------------------------------------------------------------------

    def _outlooks(self, turn: Turn, reported: Collection[RobotId]) -> Mapping[DeliveryId, Outlook]:
        begun = {
            robot: turn.trips[trip].started_at for robot in self._fleet.robots if (trip := self._trip(turn, robot))
        }
        robots = sorted(self._fleet.robots, key=lambda robot: (begun.get(robot, turn.at), robot))
        return forecast(
            [delivery for delivery in turn.deliveries.values() if waits_for_robot(delivery)],
            [self._ahead(turn, robot, has_reported=robot in reported) for robot in robots],
            drive_s=lambda robot, start, end: self._drive_s(turn.record(robot), start, end),
            slowness=self._slowness,
            policy=self._fleet.policy.dispatch,
        )

    def _trip(self, turn: Turn, robot: RobotId) -> TripId | None:
        trip = turn.record(robot).trip
        return trip if trip in turn.trips else None

    def _ahead(self, turn: Turn, robot: RobotId, *, has_reported: bool) -> RobotAhead:
        record = turn.record(robot)
        trip = self._trip(turn, robot)
        candidate = candidate_of(turn, self._fleet, robot, has_reported=has_reported)
        has_no_way = is_told_of(record) or any(reason.code == NO_ROUTE for reason in record.waiting)
        return RobotAhead(
            candidate,
            stops=() if trip is None else self._stops(turn, record, turn.trips[trip]),
            needs_person=has_no_way or record.sent_to is not None or bool(reasons_against(candidate, MAY_GO_ON)),
            charge_s=self._charge_s(candidate),
        )

    def _stops(self, turn: Turn, record: RobotRecord, trip: Trip) -> tuple[StopAhead, ...]:
        stops: list[StopAhead] = []
        for index, stop in enumerate(trip.stops):
            is_there = index == 0 and trip.has_arrived
            before = trip.stops[index - 1].station if index else None
            stops.append(
                StopAhead(
                    station=stop.station,
                    kind=stop.kind,
                    deliveries=stop.deliveries,
                    drive_s=0.0 if is_there else self._drive_s(record, before, stop.station),
                    stood_s=_stood_s(turn, stop) if is_there else None,
                )
            )
        return tuple(stops)

    def _drive_s(self, record: RobotRecord, start: StationId | None, end: StationId) -> float | None:
        """Return a planned drive from a station, or from where the robot is, in seconds of our clock."""
        robot = record.robot
        if not self._fleet.reaches(robot, end):
            return None
        goal = self._fleet.waypoint_of(robot, end)
        if start is None:
            drive_s = self._steering.remaining_s(record, goal)
        else:
            drive_s = self._steering.drive_s(robot, self._fleet.waypoint_of(robot, start), goal)
        return None if drive_s is None else drive_s / self._fleet.policy.pace

    def _charge_s(self, candidate: Candidate) -> float:
        report, model = candidate.report, candidate.model
        if report is None or not candidate.must_charge or model.charge_per_s <= 0.0:
            return 0.0
        return max(0.0, model.battery_ready - report.battery) / model.charge_per_s / self._fleet.policy.pace

    # -- past drives --------------------------------------------------------------------------------------------------

    def _note_drives(self, turn: Turn) -> None:
        """Keep how long the drive of every trip that has come to its ward took."""
        if self._drives is None:
            self._drives = {drive.trip: drive for drive in turn.uow.drives.newest(DRIVES)}
            self._slowness = slowness_of([drive.ratio for drive in self._drives.values()])
        for trip in turn.trips.values():
            if not trip.has_arrived or trip.id in self._drives or trip.stops[0].kind is not StopKind.HAND_OVER:
                continue
            drive = self._drive_of(turn, trip)
            if drive is None:
                continue
            turn.uow.drives.add(drive)
            self._drives[trip.id] = drive
            newest = sorted(self._drives.values(), key=lambda one: (one.arrived_at, one.trip))[-DRIVES:]
            self._slowness = slowness_of([one.ratio for one in newest])

    def _drive_of(self, turn: Turn, trip: Trip) -> Drive | None:
        """Return the drive of a trip that stands at its ward; None where it tells nothing about other drives."""
        brought = [turn.delivery(one) for one in trip.stops[0].deliveries]
        times = [span for delivery in brought if (span := _drive_times(delivery)) is not None]
        if not times:
            return None
        first, (left_at, came_at) = brought[0], times[0]
        planned_s = self._drive_s(turn.record(trip.robot), first.from_station, trip.stops[0].station)
        if planned_s is None or planned_s * self._fleet.policy.pace < PLANNED_LEAST_S:
            return None
        actual_s = (came_at - left_at).total_seconds()
        return Drive(trip.id, trip.robot, first.from_station, trip.stops[0].station, planned_s, actual_s, came_at)


def _is_for_robot(delivery: Delivery) -> bool:
    """Whether a robot is to bring a delivery that is to arrive, not a messenger."""
    return delivery.state is not DeliveryState.VERIFIED or waits_for_robot(delivery)


def _drive_times(delivery: Delivery) -> tuple[datetime, datetime] | None:
    """Return when a delivery left the place where it was loaded and came to the ward, if it went straight there."""
    moments = {change.after: change.at for change in delivery.history}
    left_at, came_at = moments.get(DeliveryState.IN_TRANSIT), moments.get(DeliveryState.ARRIVED)
    if left_at is None or came_at is None or DeliveryState.RETURNING in moments:
        return None
    return left_at, came_at


def _stood_s(turn: Turn, stop: Stop) -> float:
    """Return for how long people have been at work at a stop where a robot stands, in seconds."""
    at_work = (DeliveryState.LOADING, DeliveryState.ARRIVED)
    began = [turn.delivery(one).history[-1].at for one in stop.deliveries if turn.delivery(one).state in at_work]
    return max(0.0, (turn.at - max(began)).total_seconds()) if began else 0.0


def _is_near(before: datetime | None, now: datetime, at: datetime) -> bool:
    if before is None:
        return False
    least_s = max(KEPT_S, KEPT_SHARE * (now - at).total_seconds())
    return abs((now - before).total_seconds()) < least_s
