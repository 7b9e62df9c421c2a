"""A simulated ward in which planned faults happen, watched by observers that do not trust the code under test."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace

from orchestrator.application.fleet import FleetOnSite
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.geometry import distance_to_segment
from simulation.broker import Listener, VirtualBroker
from simulation.faults.kinds import OF_DEVICES, FaultKind, PlannedFault, begin
from simulation.faults.network import FaultyBroker
from simulation.faults.people import RetryingPeople
from simulation.faults.promises import PromiseBrokenError
from simulation.faults.wire import Wire
from simulation.people import People
from simulation.virtual_robot import RobotWire
from simulation.ward import Asked, SimulatedWard

CAPTURED = 200
"""How many messages of each robot somebody who listens keeps, to send them again."""

SEEN_TO = frozenset(
    {
        FaultKind.NEVER_MOVES,
        FaultKind.STUCK_IN_DOOR,
        FaultKind.POSITION_JUMP,
        FaultKind.EMERGENCY_STOP,
        FaultKind.MANUAL_MODE,
        FaultKind.PUSHED_ASIDE,
        FaultKind.LOCALISATION_LOST,
        FaultKind.BATTERY_DRAIN,
    }
)
"""What whoever stands before the robot sees, and has put right before they resume it."""


class FaultyWard(SimulatedWard):
    """A ward with faults.

    Parameters
    ----------
    fleet, asked, seed
        As for `SimulatedWard`.
    plan : sequence of PlannedFault
        What goes wrong.
    """

    def __init__(self, fleet: FleetOnSite, *, asked: Sequence[Asked], seed: int, plan: Sequence[PlannedFault]) -> None:
        self.wires: dict[RobotId, Wire] = {}
        self.happened: Counter[FaultKind] = Counter()
        self.replayed = 0
        self.replayed_from_before = 0
        self.ears: list[Listener] = []
        """Who listens at the orchestrator's end: hears what arrives there."""
        self.faults_now: list[PlannedFault] = []
        self._had_wrong_clock: set[RobotId] = set()
        self._from_before: dict[RobotId, list[tuple[str, bytes]]] = {}
        self._captured = {robot: deque[tuple[str, bytes]](maxlen=CAPTURED) for robot in fleet.robots}
        super().__init__(fleet, asked=asked, seed=seed)
        self._robot_at = {body.address.prefix: robot for robot, body in self.robots.items()}
        for fault in plan:
            self.scheduler.at(fault.at_s, lambda fault=fault: self._begin(fault))

    @property
    def fleet(self) -> FleetOnSite:
        """Site, robots, models, policy."""
        return self._fleet

    @property
    def broker(self) -> FaultyBroker:
        """The broker."""
        assert isinstance(self._broker, FaultyBroker)
        return self._broker

    @property
    def is_up(self) -> bool:
        """Whether an orchestrator runs."""
        return self._is_up

    @property
    def retries(self) -> int:
        """How often somebody asked twice."""
        assert isinstance(self._people, RetryingPeople)
        return self._people.retries

    def has_fault(self, robot: RobotId, kinds: frozenset[FaultKind] = frozenset(FaultKind)) -> bool:
        """Whether a fault of these kinds is on the robot now."""
        return any(fault.robot == robot and fault.kind in kinds for fault in self.faults_now)

    # -- what faults need -----------------------------------------------------------------------------------------

    def is_at_a_door(self, robot: RobotId) -> bool:
        """Whether the robot is driving through a door now."""
        pose = self.robots[robot].look()
        here, radius_m = (pose.x_m, pose.y_m), self._fleet.models[robot].radius_m
        doors = [door for door in self._fleet.site.doors.values() if door.level == pose.level]
        return any(distance_to_segment(here, door.start, door.end) < radius_m for door in doors)

    def replay(self, robot: RobotId, *, chance: random.Random) -> None:
        """Send an old state of the robot again, or another's in its name, or part of one; nothing may change."""
        captured = self._captured[robot]
        if not self._is_up or len(captured) < 2:
            return
        topic, _ = captured[-1]
        other = chance.choice(sorted(self._captured))
        forged = {
            "old": captured[chance.randrange(len(captured) - 1)][1],
            "last": captured[-1][1],
            "torn": captured[-1][1][: chance.randrange(len(captured[-1][1]))],
            "foreign": self._captured[other][-1][1] if other != robot and self._captured[other] else b"{}",
        }
        what = chance.choice(sorted(forged))
        self._send_again(topic, forged[what], f"a message of {robot} that was {what}")
        self.replayed += 1

    def replay_from_before(self, *, chance: random.Random) -> None:
        """Send again what a robot whose clock was always right said before the orchestrator was killed last."""
        with self.store.reading() as uow:
            known = [robot for robot in sorted(self._from_before) if uow.robots.get(robot).report is not None]
        choices = [robot for robot in known if robot not in self._had_wrong_clock and self._from_before[robot]]
        if not self._is_up or not choices:
            return
        robot = chance.choice(choices)
        topic, payload = chance.choice(self._from_before[robot])
        self._send_again(topic, payload, f"a message of {robot} from before the orchestrator was killed")
        self.replayed_from_before += 1

    def _send_again(self, topic: str, payload: bytes, what: str) -> None:
        self.control.tick()
        before = self._fingerprint()
        self.control.receive(topic, payload)
        if self._fingerprint() != before:
            raise PromiseBrokenError(10, f"{what} changed something")
        self._plan_tick()

    def _fingerprint(self) -> object:
        with self.store.reading() as uow:
            return (
                uow.events.last_number(),
                tuple(uow.deliveries.open()),
                tuple(uow.robots.get(robot) for robot in sorted(self._fleet.robots)),
                tuple(message.id for message in uow.outbox.wanted()),
                tuple(picture.report for picture in self.control.picture().robots),
            )

    # -- how it differs from a ward without faults ----------------------------------------------------------------

    def _new_broker(self, chance: random.Random) -> VirtualBroker:
        return FaultyBroker(self.scheduler, chance=chance)

    def _wire_of(self, robot: RobotId) -> RobotWire:
        self.wires[robot] = Wire(self._broker)
        return self.wires[robot]

    def _new_people(self, chance: random.Random) -> People:
        return RetryingPeople(
            self._control_now,
            scheduler=self.scheduler,
            chance=chance,
            ids=self.ids,
            signer=self.signer,
            can_see_to=lambda robot: not self.has_fault(robot, SEEN_TO),
            take_out=lambda robot, load, drawer: self.robots[robot].take_out(load, drawer),
        )

    def kill_orchestrator(self, *, away_s: float) -> None:
        """End the orchestrator as a kill -9 would, unless there is none."""
        if not self._is_up:
            return
        super().kill_orchestrator(away_s=away_s)
        for robot, captured in self._captured.items():
            self._from_before[robot] = [*captured]
            captured.clear()

    def _to_control(self, topic: str, payload: bytes) -> None:
        if self._is_up:
            for ear in self.ears:
                ear(topic, payload)
        if self._is_up and topic.endswith("/state"):
            self._captured[self._robot_at[topic.rsplit("/", 1)[0]]].append((topic, payload))
        super()._to_control(topic, payload)

    def _at_somebody_busy(self, fault: PlannedFault) -> PlannedFault:
        """Return the fault at its robot, or when that has nothing to do, at one that has."""
        if fault.robot not in self.robots or not self._is_up:
            return fault
        busy = [
            picture.id
            for picture in self.control.picture().robots
            if picture.record.trip is not None and not self.has_fault(picture.id)
        ]
        return fault if fault.robot in busy or not busy else replace(fault, robot=busy[0])

    def _begin(self, planned: PlannedFault) -> None:
        fault = self._at_somebody_busy(planned)
        self.faults_now.append(fault)
        self.happened[fault.kind] += 1
        if fault.kind is FaultKind.CLOCK_JUMP:
            self._had_wrong_clock.add(fault.robot)
        undo = begin(fault, self)
        if fault.kind in OF_DEVICES:
            self.look_at_devices()

        def end() -> None:
            self.faults_now.remove(fault)
            undo()
            if fault.kind in OF_DEVICES:
                self.look_at_devices()

        self.scheduler.after(fault.for_s, end)
