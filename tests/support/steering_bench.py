"""Steering without links: its books, and robots that stand still where a test puts them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from orchestrator.application.closures import ClosedLanes
from orchestrator.application.steering import Steering
from orchestrator.application.steps import steps_of_lanes
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.model import OrderId, Pose, RobotId, RobotReport
from orchestrator.domain.fleet.order import DriveOrder, OrderStep
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.site.model import StationId, WaypointId
from simulation.memory_store import MemoryStore
from simulation.ward import CountedIds
from tests.support.idle_reports import an_idle_report
from tests.support.wards import a_fleet, demo_hospital

AT = datetime(2026, 1, 5, tzinfo=UTC)
FLEET = a_fleet(demo_hospital())


def a_report(robot: RobotId, pose: Pose) -> RobotReport:
    """Return what a robot says that stands idle and well."""
    return an_idle_report(robot, AT, pose=pose, loads=())


class Bench:
    """Steering with its books, and robots at home unless placed elsewhere; time stands still."""

    def __init__(self, **tips: str) -> None:
        self.steering = Steering(FLEET)
        self.store = MemoryStore()
        self.records = {
            robot: self._record(robot, WaypointId(tips.get(robot.replace("-", "_"), FLEET.home_waypoint_of(robot))))
            for robot in FLEET.robots
        }
        self.steering.restore(self.records)

    def _record(self, robot: RobotId, tip: WaypointId) -> RobotRecord:
        held = self.steering.relation.of_waypoint(FLEET.models[robot].id, tip)
        return RobotRecord(robot, tip=tip, held=held, report=a_report(robot, FLEET.pose_of(robot, tip)))

    def change(self, robot: RobotId, **changes: object) -> None:
        """Change what the books say of a robot."""
        self.records[robot] = replace(self.records[robot], **changes)  # pyright: ignore[reportArgumentType]

    def in_a_turn(self, act: Callable[[Turn], None]) -> None:
        """Do something within one transaction."""
        with self.store.transaction() as uow:
            turn = Turn(uow, at=AT, at_s=0.0, ids=CountedIds(), records=self.records)
            act(turn)
        self.records.update(turn.changed)

    def steer(self, closed: ClosedLanes | None = None) -> None:
        """Let traffic decide once."""

        def act(turn: Turn) -> None:
            shut = closed or ClosedLanes()
            self.steering.close(turn, shut, shut=shut)
            self.steering.steer(turn, reported={r: k.report for r, k in self.records.items() if k.report is not None})

        self.in_a_turn(act)

    def send(self, robot: RobotId, station: StationId) -> RobotRecord:
        """Let a robot want to be at a station."""
        self.change(robot, target=station)
        self.steer()
        return self.records[robot]

    def release(self, robot: RobotId, lanes: int) -> None:
        """Put the first lanes that the robot was granted into the base of an order that it is driving."""
        record = self.records[robot]
        here = WaypointId(FLEET.graph_of(robot).lanes[record.granted[0]].start)
        steps = (OrderStep(here, FLEET.pose_of(robot, here)), *steps_of_lanes(FLEET, robot, record.granted[:lanes]))
        order = DriveOrder(OrderId("order-1"), robot, steps, released=lanes + 1)
        self.change(robot, order=order, phase=OrderPhase.ACKNOWLEDGED, granted=record.granted[lanes:])

    def alarms(self) -> list[str]:
        """Return the sentences that people were told."""
        with self.store.reading() as uow:
            events = uow.events.after(0, 500)
        return [str(event.data["sentence"]) for event in events if event.kind == "alarm"]
