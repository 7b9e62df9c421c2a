"""Alarms for tests: raised and ended in a virtual ward, and what robots may not do while one stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from orchestrator.application.alarms import clear_alarm, end_alarm, raise_alarm
from orchestrator.application.steps import remaining_base, standing_place
from orchestrator.domain.emergency.alarm import Alarm, AlarmId, AlarmKind
from orchestrator.domain.emergency.clearing import UNABLE
from orchestrator.domain.emergency.reach import Reach, reach_of
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.site.model import LaneGraph, WaypointId, ZoneId, ZoneKind
from simulation.ward import SimulatedWard

OFFICER = "site-manager"
AUTHORISED = {AlarmKind.FIRE: (OFFICER,), AlarmKind.CRASH_CALL: (OFFICER,)}


@dataclass(slots=True)
class AlarmBell:
    """Raises, clears and ends alarms in a virtual ward, and looks at every release meanwhile."""

    ward: SimulatedWard
    offences: list[str] = field(default_factory=list[str])
    released_in_alarm: int = 0
    _known: dict[RobotId, tuple[str, int]] = field(default_factory=dict[RobotId, tuple[str, int]])
    _reached: tuple[tuple[Alarm, ...], Reach] = ((), Reach())

    def __post_init__(self) -> None:
        self.watch()

    def watch(self) -> None:
        """Look at what the control of the moment releases; a new one has to be watched anew."""
        self.ward.control.observers.append(self._look)

    def sound(self, *zones: str, kind: AlarmKind = AlarmKind.FIRE) -> AlarmId:
        """Raise an alarm now, and let the fleet follow at once."""
        alarm = self.ward.control.run(
            lambda uow: raise_alarm(
                uow,
                site=self.ward.control.fleet.site,
                kind=kind,
                zones=[ZoneId(zone) for zone in zones],
                reason="A test of what robots do.",
                at=self.ward.clock.now(),
                by="porter",
                ids=self.ward.ids,
            )
        )
        return alarm.id

    def clear(self, alarm: AlarmId) -> Alarm:
        """Say that it is over."""
        at = self.ward.clock.now()
        site = self.ward.control.fleet.site
        return self.ward.control.run(lambda uow: clear_alarm(uow, site=site, alarm=alarm, at=at, by="porter"))

    def end(self, alarm: AlarmId, *, by: str = OFFICER) -> Alarm:
        """Let robots go on."""
        at, site = self.ward.clock.now(), self.ward.control.fleet.site
        return self.ward.control.run(
            lambda uow: end_alarm(
                uow, site=site, alarm=alarm, reason="All was checked.", at=at, by=by, authorised=AUTHORISED
            )
        )

    def reach(self) -> Reach:
        """How far what stands now reaches."""
        fleet = self.ward.control.fleet
        alarms = tuple(self.ward.control.read(lambda uow: uow.alarms.standing()))
        if alarms != self._reached[0]:
            self._reached = alarms, reach_of(fleet.site, graph_of(self.ward), alarms)
        return self._reached[1]

    def records(self) -> dict[RobotId, RobotRecord]:
        return {picture.id: picture.record for picture in self.ward.control.picture().robots}

    def in_the_way(self) -> dict[RobotId, WaypointId]:
        """Robots that stand, or have nothing left to drive, where people need the place; with where."""
        fleet, reach = self.ward.control.fleet, self.reach()
        found: dict[RobotId, WaypointId] = {}
        for robot, record in self.records().items():
            place = standing_place(fleet, record)
            if place is None or remaining_base(record):
                place = record.tip
            assert place is not None
            waypoint = graph_of(self.ward).waypoints[place]
            is_nowhere_to_stay = not waypoint.may_stop or waypoint.lift is not None
            if place in reach.cleared or (place in reach.held and is_nowhere_to_stay):
                found[robot] = place
        return found

    def unable(self) -> dict[RobotId, str]:
        """Robots that are named as unable to leave, with what people are told."""
        return {
            robot: reason.sentence
            for robot, record in self.records().items()
            for reason in record.waiting
            if reason.code == UNABLE
        }

    def _look(self) -> None:
        reach = self.reach()
        for robot, record in self.records().items():
            order = record.order
            if order is None:
                continue
            known_order, known = self._known.get(robot, ("", 0))
            first = known if known_order == order.id else 0
            self._known[robot] = (order.id, order.released)
            if reach.lanes or reach.cleared:
                for step in order.steps[first : order.released]:
                    self._check(robot, step.lane, reach)

    def _check(self, robot: RobotId, lane_id: object, reach: Reach) -> None:
        lane = next((lane for id, lane in graph_of(self.ward).lanes.items() if id == lane_id), None)
        if lane is None:
            return
        self.released_in_alarm += 1
        if any(region.is_entered_by(lane) for region in reach.regions):
            self.offences.append(f"{robot} was sent into what is closed, over {lane.id}")
        waypoints = graph_of(self.ward).waypoints
        if waypoints[lane.end].lift in reach.lifts and waypoints[lane.start].lift is None:
            self.offences.append(f"{robot} was sent into a lift, over {lane.id}")


def graph_of(ward: SimulatedWard) -> LaneGraph:
    """The one lane graph of the ward's robots."""
    fleet = ward.control.fleet
    return fleet.site.graphs[fleet.graphs[0]]


def when(ward: SimulatedWard, is_so: Callable[[], bool], act: Callable[[], None], *, every_s: float = 0.25) -> None:
    """Do something once, as soon as a condition holds."""

    def look() -> None:
        if is_so():
            act()
        else:
            ward.scheduler.after(every_s, look)

    ward.scheduler.after(every_s, look)


def robots_on(ward: SimulatedWard, waypoints: Sequence[str]) -> list[RobotId]:
    """Robots that drive and have passed one of these waypoints last."""
    found: list[RobotId] = []
    for picture in ward.control.picture().robots:
        order, report = picture.record.order, picture.report
        if order and report and report.is_driving and order.steps[picture.record.passed].waypoint in waypoints:
            found.append(picture.id)
    return found


def escape_waypoints(ward: SimulatedWard) -> frozenset[WaypointId]:
    fleet = ward.control.fleet
    zones = [zone for zone in fleet.site.zones.values() if zone.kind is ZoneKind.ESCAPE_ROUTE]
    return frozenset[WaypointId]().union(*(zone.waypoints_of(graph_of(ward)) for zone in zones))
