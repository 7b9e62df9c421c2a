"""A robot in virtual time: what decides on board is the same code that runs on a real robot's computer."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from orchestrator.domain.fleet.model import Robot, RobotModel
from orchestrator.vda5050.address import RobotAddress, TopicKind
from orchestrator.vda5050.messages import Node, OperatingMode
from ros_nodes.onboard.drawer_lock import DrawerLock
from ros_nodes.onboard.equipment import battery_of_model
from ros_nodes.onboard.grant_key import verifier
from ros_nodes.onboard.in_process import in_process_robot
from ros_nodes.onboard.memory import RobotMemory
from ros_nodes.onboard.path_following import PathFollower
from ros_nodes.onboard.path_geometry import Pose as BoardPose
from ros_nodes.onboard.robot import OnboardRobot
from ros_nodes.onboard.simulated_drawers import SimulatedDrawers
from simulation.broker import Listener
from simulation.virtual_time import Scheduler, VirtualClock


class RobotWire(Protocol):
    """The way to the orchestrator: the virtual broker, or a wire to it that is not what it should be."""

    def subscribe(self, topic: str, listener: Listener) -> None:
        """Hand every later message on the topic to the listener."""
        ...

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        """Take a message."""
        ...


class VirtualRobot:
    """One robot of the fleet on the virtual broker.

    Parameters
    ----------
    robot, model : Robot, RobotModel
        Who it is, and what it can do.
    pose : BoardPose
        Where it stands at the start.
    scheduler, broker
        The virtual time and the way to the orchestrator.
    grant_key : str, optional
        The public half of the key that drawer grants are signed with; without it its drawers have no locks.
    chance : random.Random, optional
        Where its nonces come from.
    """

    def __init__(
        self,
        *,
        robot: Robot,
        model: RobotModel,
        pose: BoardPose,
        scheduler: Scheduler,
        broker: RobotWire,
        grant_key: str | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._relocation_s = 0.0
        self.drawers = SimulatedDrawers(model.drawers)
        self._verify = None if grant_key is None else verifier(grant_key)
        self._chance = chance or random.Random(robot.id)
        self.address = RobotAddress(
            interface_name=robot.interface_name,
            manufacturer=robot.manufacturer,
            serial_number=robot.serial_number,
            version=robot.protocol_version,
        )
        self._model = model
        self._scheduler = scheduler
        self._broker = broker
        self._woken = 0
        self._is_on = False
        self._driven_before_m = 0.0
        self._is_localised = True
        self._pushed_m = (0.0, 0.0)
        self._is_stuck = False
        self._board = self._boot(RobotMemory(pose=pose))
        for kind in ("order", "instantActions"):
            broker.subscribe(self.address.topic(kind), lambda _topic, payload, kind=kind: self._receive(kind, payload))

    def switch_on(self) -> None:
        """Connect and begin to report; after a power cut from where it stands, with its loads and without an order."""
        self._is_on = True
        self._board.connect(self._scheduler.clock.monotonic_s())
        self._settle()

    def cut_power(self) -> None:
        """Go silent in the middle of whatever it does; the broker publishes its last will."""
        self._board.advance(self._scheduler.clock.monotonic_s())
        self._is_on = False
        self._driven_before_m += self._board.driver.distance_m
        will = self._board.last_will()
        self._broker.publish(self.address.topic(will.kind), will.payload, qos=will.qos, retain=will.retain)
        self._board = self._boot(self._board.memory)

    def die(self) -> None:
        """Let its computer hang: the wheels brake, no last will is published, and the broker keeps it as ONLINE."""
        self._board.advance(self._scheduler.clock.monotonic_s())
        self._is_on = False
        self._driven_before_m += self._board.driver.distance_m
        self._board = self._boot(self._board.memory)

    @property
    def is_on(self) -> bool:
        """Whether it runs."""
        return self._is_on

    def announce(self) -> None:
        """Say again who is there, as after the link came back."""
        if self._is_on:
            self._report_now()

    def report(self) -> None:
        """Say how it stands now, as on every error."""
        if self._is_on:
            self._board.report(self._scheduler.clock.monotonic_s())
            self._settle()

    def set_stuck(self, *, is_stuck: bool) -> None:
        """Let its wheels be blocked, or be free again; it notices nothing of it."""
        self._is_stuck = is_stuck
        self._board.advance(self._scheduler.clock.monotonic_s())
        if is_stuck:
            self._board.driver.pause()
        else:
            self._board.release_wheels()
        self._settle()

    def break_action(self, action_type: str, why: str | None) -> None:
        """Let actions of a type fail, or work again when ``why`` is None."""
        self._board.break_action(action_type, why)

    def take_out(self, load: str, drawer: str | None) -> None:
        """Let somebody take a load out of the drawer that it was put into, with the mechanical key; it sees that."""
        if drawer is not None:
            self.drawers.take_out_by_key(drawer)
        self._board.take_out(load, self._scheduler.clock.monotonic_s())
        self._settle()

    def force_drawer(self, drawer: str) -> None:
        """Let somebody break a drawer open."""
        self.drawers.force(drawer)
        self._live()

    def repair_drawers(self) -> None:
        """Let an engineer see to its drawers: they are closed, latched and believed again."""
        self.drawers.repair()
        self._live()
        self._board.see_to_drawers(self._scheduler.clock.monotonic_s())
        self._settle()

    def _live(self) -> None:
        self._board.advance(self._scheduler.clock.monotonic_s())
        self._settle()

    def lose_charge(self, ratio: float) -> None:
        """Take some of what its battery holds, 0 to 1."""
        self._battery.charge = max(0.0, self._battery.charge - ratio)
        if self._is_on:
            self._board.advance(self._scheduler.clock.monotonic_s())
            self._settle()

    def carry_to(self, pose: BoardPose) -> None:
        """Let somebody carry it to another place while it is switched off."""
        assert not self._is_on, "nobody carries a robot that runs"
        self._board = self._boot(replace(self._board.memory, pose=pose))

    def press_emergency_stop(self) -> None:
        """Press its emergency stop: it brakes and stays until somebody releases it."""
        self._board.press_emergency_stop(self._scheduler.clock.monotonic_s())
        self._settle()

    def release_emergency_stop(self) -> None:
        """Release its emergency stop, on the spot."""
        self._board.release_emergency_stop(self._scheduler.clock.monotonic_s())
        self._settle()

    def set_operating_mode(self, mode: OperatingMode) -> None:
        """Let a person take it over, or give it back."""
        self._board.set_operating_mode(mode, self._scheduler.clock.monotonic_s())
        self._settle()

    def raise_fault(self, error_type: str, description: str, *, is_fatal: bool) -> None:
        """Let it report a fault until it is repaired."""
        self._board.raise_fault(error_type, description, is_fatal=is_fatal, now_s=self._scheduler.clock.monotonic_s())
        self._settle()

    def clear_fault(self, error_type: str) -> None:
        """Let somebody repair it."""
        self._board.clear_fault(error_type, self._scheduler.clock.monotonic_s())
        self._settle()

    def put_in_battery(self, *, charge: float) -> None:
        """Let somebody swap its battery for one that is charged this far, 0 to 1; it starts anew."""
        self.cut_power()
        self._board = self._boot(replace(self._board.memory, battery=charge))
        self.switch_on()

    def take_to_find_itself(self, seconds: float) -> None:
        """Let it take so long to find itself where it is told that it stands; it knows no position meanwhile."""
        driver = self._board.driver
        assert isinstance(driver, PathFollower), "the wheels of a virtual robot are in its own process"
        self._relocation_s = driver.relocation_s = seconds

    def set_localised(self, *, is_localised: bool) -> None:
        """Let it lose its position, or be shown where it is."""
        self._is_localised = is_localised
        self._report_now()

    def push_aside(self, *, dx_m: float, dy_m: float) -> None:
        """Let somebody push it, by metres in the site frame from where it would be; it notices where it is."""
        self._pushed_m = (dx_m, dy_m)
        self._report_now()

    def _report_now(self) -> None:
        self._board.connect(self._scheduler.clock.monotonic_s())
        self._settle()

    def _as_it_is(self, kind: str, payload: bytes) -> bytes:
        """Return a message with what people did to the robot in it."""
        if kind != TopicKind.STATE or (self._is_localised and self._pushed_m == (0.0, 0.0)):
            return payload
        state = json.loads(payload)
        position = state["agvPosition"]
        position["positionInitialized"] = position["positionInitialized"] and self._is_localised
        position["x"], position["y"] = position["x"] + self._pushed_m[0], position["y"] + self._pushed_m[1]
        return json.dumps(state).encode()

    def _boot(self, memory: RobotMemory) -> OnboardRobot:
        clock: VirtualClock = self._scheduler.clock
        now_s = clock.monotonic_s()
        self._battery = battery_of_model(self._model, charge=memory.battery, time_s=now_s, distance_m=0.0)
        return in_process_robot(
            address=self.address,
            model=self._model,
            memory=memory,
            utc=clock.moment,
            time_s=now_s,
            battery=self._battery,
            lock=self._new_lock(),
            relocation_s=self._relocation_s,
        )

    def _new_lock(self) -> DrawerLock | None:
        if self._verify is None:
            return None
        return DrawerLock(
            drawers=self._model.drawers,
            hardware=self.drawers,
            manufacturer=self.address.manufacturer,
            serial_number=self.address.serial_number,
            verify=self._verify,
            chance=self._chance.randbytes,
        )

    @property
    def base_ahead(self) -> Sequence[Node]:
        """The released nodes that it has still to traverse."""
        return self._board.base_ahead

    @property
    def is_displaced(self) -> bool:
        """Whether somebody has pushed it and not yet put it back."""
        return self._pushed_m != (0.0, 0.0)

    def look(self) -> BoardPose:
        """Return where it is at this moment, wherever it believes to be."""
        if self._is_on:
            self._board.driver.advance_to(self._scheduler.clock.monotonic_s())
        return self.pose

    @property
    def pose(self) -> BoardPose:
        """Where it stands, wherever it believes to be."""
        believed = self._board.driver.pose
        if not self.is_displaced:
            return believed
        return replace(believed, x_m=believed.x_m + self._pushed_m[0], y_m=believed.y_m + self._pushed_m[1])

    @property
    def distance_m(self) -> float:
        """How far the robot has driven."""
        return self._driven_before_m + self._board.driver.distance_m

    def _receive(self, kind: str, payload: bytes) -> None:
        if not self._is_on:
            return
        now_s = self._scheduler.clock.monotonic_s()
        self._board.advance(now_s)
        self._board.receive(kind, payload, now_s)
        self._settle()

    def _wake(self, woken: int) -> None:
        if self._is_on and woken == self._woken:
            self._board.advance(self._scheduler.clock.monotonic_s())
            self._settle()

    def _settle(self) -> None:
        if self._is_stuck:
            self._board.driver.pause()
        for message in self._board.take_messages():
            self._broker.publish(
                self.address.topic(message.kind),
                self._as_it_is(message.kind, message.payload),
                qos=message.qos,
                retain=message.retain,
            )
        self._woken += 1
        woken = self._woken
        self._scheduler.at(self._board.next_event_s, lambda: self._wake(woken))
