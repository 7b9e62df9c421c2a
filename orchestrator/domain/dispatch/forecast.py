"""Forecast: when every open delivery arrives, as expected and at the latest in 95 of 100 cases.

What it takes in: the quickest open way from where each robot is, over the stops before, with the robot model's speeds
and turns and what doors and lifts cost; what people need at those stops; other robots that stand at a station before
it; the queue of deliveries that are more urgent, filled into drawers as dispatch does; charging; and how much longer
than planned past drives of this site took.

What it does not: who else is in the corridor now, how many people are on duty, what is not queued yet, and how long a
robot that needs a person goes on needing one: then nothing is expected, and only for the question whether it is too
late it counts as helped within `HELP_LATE_S`.

The 95 of 100 of a sum is taken as the sum of its parts' own: too late rather than too early, as long as the parts do
not all go wrong together. A robot counts as at the beginning of the lane that it drives on.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from orchestrator.domain.delivery.model import Delivery, DeliveryId, Priority, StopKind, TripId
from orchestrator.domain.dispatch.comparators import by_urgency
from orchestrator.domain.dispatch.filters import Candidate, may_ride_on, robot_checks_no_grants
from orchestrator.domain.dispatch.policy import DispatchPolicy
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.model import StationId

HELP_S, HELP_LATE_S = 300.0, 1800.0
"""How long until a person has helped a robot that needs one, as a rule and at the latest; assumed."""

ENOUGH = 20
"""How many past drives it takes until they count instead of the prior."""

PLANNED_LEAST_S = 20.0
"""Drives that are planned to be shorter than this, in seconds, say nothing about how much longer others take."""


@dataclass(frozen=True, slots=True)
class Drive:
    """A past drive from where a trip was loaded to where it was handed over.

    ``planned_s`` is what a robot alone on its way needs, ``actual_s`` what it took; seconds of one clock.
    """

    trip: TripId
    robot: RobotId
    from_station: StationId
    to_station: StationId
    planned_s: float
    actual_s: float
    arrived_at: datetime

    @property
    def ratio(self) -> float:
        """How many times longer than planned it took."""
        return self.actual_s / self.planned_s


@dataclass(frozen=True, slots=True)
class Slowness:
    """How many times longer than planned a drive takes, as a rule and at most in 95 of 100 cases."""

    as_a_rule: float
    at_worst: float


PRIOR = Slowness(1.4, 3.5)
"""Assumed until a site has driven enough: what three robots in one narrow corridor came to, rounded."""


def slowness_of(ratios: Sequence[float]) -> Slowness:
    """Return what past drives say: their median and their 95th percentile (nearest rank); the prior while too few."""
    if len(ratios) < ENOUGH:
        return PRIOR
    ordered = sorted(ratios)
    return Slowness(median(ordered), ordered[math.ceil(0.95 * len(ordered)) - 1])


@dataclass(frozen=True, slots=True)
class StopAhead:
    """A stop of a trip that is not done yet.

    ``drive_s`` is the planned drive to it from where the robot is, or from the stop before, in seconds: 0 when it is
    there, None when no way is open. ``stood_s`` is how long it has stood there, None while it does not.
    """

    station: StationId
    kind: StopKind
    deliveries: tuple[DeliveryId, ...]
    drive_s: float | None
    stood_s: float | None = None


@dataclass(frozen=True, slots=True)
class RobotAhead:
    """A robot and its stops; whether it goes on only once a person helps, and how long it has to charge, in seconds."""

    candidate: Candidate
    stops: tuple[StopAhead, ...] = ()
    needs_person: bool = False
    charge_s: float = 0.0

    @property
    def ends_at(self) -> StationId | None:
        """Where it is once its stops are done; None for where it is now."""
        return self.stops[-1].station if self.stops else None


@dataclass(frozen=True, slots=True)
class Outlook:
    """Seconds from now, as expected and in 95 of 100 cases; not known where a person has to do something first."""

    expected_s: float = 0.0
    latest_s: float = 0.0
    is_known: bool = True

    def after(self, expected_s: float, latest_s: float, *, is_known: bool = True) -> Outlook:
        """Return what comes so much later."""
        return Outlook(self.expected_s + expected_s, self.latest_s + latest_s, self.is_known and is_known)

    def not_before(self, other: Outlook) -> Outlook:
        """Return the later of the two, in each respect."""
        return Outlook(
            max(self.expected_s, other.expected_s),
            max(self.latest_s, other.latest_s),
            self.is_known and other.is_known,
        )


DriveTime = Callable[[RobotId, StationId | None, StationId], float | None]
"""The planned drive of a robot from a station, or from where it is, to another one in seconds; None without a way."""


def forecast(
    waiting: Sequence[Delivery],
    robots: Sequence[RobotAhead],
    *,
    drive_s: DriveTime,
    slowness: Slowness,
    policy: DispatchPolicy,
) -> Mapping[DeliveryId, Outlook]:
    """Return when each delivery arrives at the place it goes to, in seconds from now.

    Parameters
    ----------
    waiting : sequence of Delivery
        Those that no robot was given yet, in any order.
    robots : sequence of RobotAhead
        All robots, in the order in which their trips began.
    drive_s : callable
        Planned drives.
    slowness : Slowness
        How much longer than planned drives take.
    policy : DispatchPolicy
        What people need at stops.

    Returns
    -------
    mapping of DeliveryId to Outlook
        A delivery that no robot of the fleet could ever bring is not in it.
    """
    plan = _Plan(slowness, policy)
    free = {ahead.candidate.robot: plan.follow(ahead) for ahead in robots}
    at = {ahead.candidate.robot: ahead.ends_at for ahead in robots}
    queue = sorted(waiting, key=by_urgency)
    while queue:
        first = queue[0]
        chosen = _soonest(first, robots, free, at, drive_s, plan)
        if chosen is None:
            queue = queue[1:]
            continue
        ahead, here = chosen
        riders = [one for one in queue if _rides_along(one, first, ahead.candidate)][: len(_drawers(ahead))]
        between_s = drive_s(ahead.candidate.robot, first.from_station, first.to_station)
        names = tuple(one.id for one in riders)
        loaded = plan.stand(first.from_station, here)
        handed = plan.drive(loaded, between_s)
        free[ahead.candidate.robot] = plan.hand_over(first.to_station, handed, names)
        at[ahead.candidate.robot] = first.to_station
        queue = [one for one in queue if one.id not in names]
    return plan.arrivals


class _Plan:
    """Who stands where until when, and what arrives when."""

    def __init__(self, slowness: Slowness, policy: DispatchPolicy) -> None:
        self._slowness = slowness
        self._stop_s, self._stop_late_s = 60.0 * policy.stop_minutes, 60.0 * policy.stop_late_minutes
        self._stays: defaultdict[StationId, list[tuple[Outlook, Outlook]]] = defaultdict(list)
        self.arrivals: dict[DeliveryId, Outlook] = {}

    def follow(self, ahead: RobotAhead) -> Outlook:
        """Follow a robot over its stops; return when it is free."""
        now = Outlook()
        if ahead.needs_person:
            now = now.after(HELP_S, HELP_LATE_S, is_known=False)
        for stop in ahead.stops:
            now = self.drive(now, stop.drive_s)
            if stop.kind is StopKind.HAND_OVER:
                now = self.hand_over(stop.station, now, stop.deliveries, stood_s=stop.stood_s)
            else:
                now = self.stand(stop.station, now, stood_s=stop.stood_s)
        return now.after(ahead.charge_s, ahead.charge_s)

    def drive(self, start: Outlook, planned_s: float | None) -> Outlook:
        """Return when a robot has driven; without an open way a person has to open one first."""
        if planned_s is None:
            return start.after(HELP_S, HELP_LATE_S, is_known=False)
        return start.after(planned_s * self._slowness.as_a_rule, planned_s * self._slowness.at_worst)

    def hand_over(
        self, station: StationId, there: Outlook, deliveries: Collection[DeliveryId], *, stood_s: float | None = None
    ) -> Outlook:
        """Note what arrives with a robot; return when that has been received."""
        begun = self._begin(station, there, stood_s=stood_s)
        self.arrivals |= dict.fromkeys(deliveries, begun)
        return self._stay(station, begun, stood_s=stood_s)

    def unloaded(self, station: StationId, free: Outlook) -> Outlook:
        """Return when a free robot is sent to a station: not before others have been loaded there and left.

        A STAT is sent for at once: its robot waits near by.
        """
        for _, left in self._stays[station]:
            free = free.not_before(left)
        return free

    def stand(self, station: StationId, there: Outlook, *, stood_s: float | None = None) -> Outlook:
        """Return when people at a station are done with a robot that comes there."""
        return self._stay(station, self._begin(station, there, stood_s=stood_s), stood_s=stood_s)

    def _begin(self, station: StationId, there: Outlook, *, stood_s: float | None) -> Outlook:
        """Return when a robot has the station to itself, after those that come before it."""
        if stood_s is not None:
            return there
        for begun, left in sorted(self._stays[station], key=lambda stay: stay[0].expected_s):
            if begun.expected_s <= there.expected_s:
                there = there.not_before(left)
        return there

    def _stay(self, station: StationId, begun: Outlook, *, stood_s: float | None) -> Outlook:
        past_s = stood_s or 0.0
        left = begun.after(max(0.0, self._stop_s - past_s), max(0.0, self._stop_late_s - past_s))
        self._stays[station].append((begun, left))
        return left


def _soonest(
    delivery: Delivery,
    robots: Sequence[RobotAhead],
    free: Mapping[RobotId, Outlook],
    at: Mapping[RobotId, StationId | None],
    drive_s: DriveTime,
    plan: _Plan,
) -> tuple[RobotAhead, Outlook] | None:
    """Return the robot that stands first where a delivery begins, and when; one that needs nobody before others."""
    found: list[tuple[bool, float, RobotId, RobotAhead, Outlook]] = []
    for ahead in robots:
        robot = ahead.candidate.robot
        if not _may_bring(delivery, ahead.candidate):
            continue
        way_s = drive_s(robot, at[robot], delivery.from_station)
        if way_s is not None and drive_s(robot, delivery.from_station, delivery.to_station) is not None:
            leaves = (
                free[robot] if delivery.priority is Priority.STAT else plan.unloaded(delivery.from_station, free[robot])
            )
            there = plan.drive(leaves, way_s)
            found.append((not there.is_known, there.expected_s, robot, ahead, there))
    best = min(found, key=lambda each: each[:3], default=None)
    return None if best is None else best[3:]


def _may_bring(delivery: Delivery, candidate: Candidate) -> bool:
    is_approved = may_ride_on(delivery, candidate.model.id) and robot_checks_no_grants(candidate, delivery) is None
    return is_approved and not candidate.is_out_of_service


def _rides_along(delivery: Delivery, first: Delivery, candidate: Candidate) -> bool:
    is_same_way = (delivery.from_station, delivery.to_station) == (first.from_station, first.to_station)
    is_alike = (delivery.priority is Priority.STAT) == (first.priority is Priority.STAT)
    return is_same_way and is_alike and _may_bring(delivery, candidate)


def _drawers(ahead: RobotAhead) -> tuple[str, ...]:
    """Return the drawers it has once its present stops are done."""
    return ahead.candidate.model.drawers or ("",)
