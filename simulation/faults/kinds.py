"""Every kind of fault there is: how it begins at a robot or around it, and how it ends."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.device import LiftMode
from orchestrator.vda5050.messages import ActionType, OperatingMode
from simulation.building import Machines
from simulation.faults.messages import (
    ClaimsPaused,
    ClockOff,
    CutOff,
    Deaf,
    EchoesOldIds,
    JumpsInPosition,
    RefusesOrders,
    SpeaksOutOfSchema,
)
from simulation.faults.network import CALM, FaultyBroker, Weather
from simulation.faults.wire import MessageFault, Wire
from simulation.virtual_robot import VirtualRobot
from simulation.virtual_time import Scheduler

Undo = Callable[[], None]


class FaultKind(StrEnum):
    """What goes wrong."""

    NEVER_ANNOUNCED = "never_announced"
    """The broker restarts, and the robot never says ONLINE again."""
    DEAD_BUT_ONLINE = "dead_but_online"
    ECHOES_OLD_IDS = "echoes_old_ids"
    REFUSES_ORDERS = "refuses_orders"
    OUT_OF_SCHEMA = "out_of_schema"
    REBOOTS = "reboots"
    POWER_CUT = "power_cut"
    NEVER_MOVES = "never_moves"
    STUCK_IN_DOOR = "stuck_in_door"
    CLAIMS_PAUSED = "claims_paused"
    FAILED_PICK = "failed_pick"
    POSITION_JUMP = "position_jump"
    BATTERY_DRAIN = "battery_drain"
    EMERGENCY_STOP = "emergency_stop"
    MANUAL_MODE = "manual_mode"
    PUSHED_ASIDE = "pushed_aside"
    LOCALISATION_LOST = "localisation_lost"
    DOCKING_FAILED = "docking_failed"
    SILENT = "silent"
    DEAF = "deaf"
    CLOCK_JUMP = "clock_jump"
    BROKER_RESTART = "broker_restart"
    BAD_NETWORK = "bad_network"
    REPLAY = "replay"
    ORCHESTRATOR_KILLED = "orchestrator_killed"
    REPLAY_AFTER_KILL = "replay_after_kill"
    """The orchestrator is killed, and the next one is sent again what robots said before."""
    DOOR_OBSTRUCTED = "door_obstructed"
    DOOR_OFFLINE = "door_offline"
    LIFT_AWAY = "lift_away"
    """A lift is out of order, taken by people or recalled for a fire; where there is none, a door is offline."""
    LIFT_OCCUPIED = "lift_occupied"
    """People step into the cabin of a lift, with a robot in it or not; where there is none, a door is offline."""


OF_DEVICES = frozenset(
    {FaultKind.DOOR_OBSTRUCTED, FaultKind.DOOR_OFFLINE, FaultKind.LIFT_AWAY, FaultKind.LIFT_OCCUPIED}
)
"""Kinds that befall doors and lifts."""

OF_EVERYBODY = OF_DEVICES | {
    FaultKind.BROKER_RESTART,
    FaultKind.BAD_NETWORK,
    FaultKind.ORCHESTRATOR_KILLED,
    FaultKind.REPLAY_AFTER_KILL,
}
"""Kinds that hit the whole house; all others hit one robot."""


class Stage(Protocol):
    """Where faults happen."""

    scheduler: Scheduler
    robots: dict[RobotId, VirtualRobot]
    wires: dict[RobotId, Wire]
    machines: Machines

    @property
    def broker(self) -> FaultyBroker:
        """The broker."""
        ...

    def kill_orchestrator(self, *, away_s: float) -> None:
        """End the orchestrator; another one starts later."""
        ...

    def replay(self, robot: RobotId, *, chance: random.Random) -> None:
        """Let somebody send the robot's old messages again, and others' in its name."""
        ...

    def replay_from_before(self, *, chance: random.Random) -> None:
        """Let somebody send again what a robot said before the orchestrator was killed last."""
        ...

    def is_at_a_door(self, robot: RobotId) -> bool:
        """Whether the robot is driving through a door now."""
        ...


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """One fault: what, at whom, from when for how long (seconds); ``seed`` decides all else about it."""

    kind: FaultKind
    robot: RobotId
    at_s: float
    for_s: float
    seed: str

    @property
    def ends_s(self) -> float:
        """When it is over."""
        return self.at_s + self.for_s


def begin(fault: PlannedFault, stage: Stage) -> Undo:
    """Let a fault begin; returns how it ends, whoever has to see to that."""
    return _BEGINNINGS[fault.kind](fault, stage, random.Random(fault.seed))


def _nothing() -> None:
    return None


# -- at the robot's body ----------------------------------------------------------------------------------------------


def _dead_but_online(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    del chance
    robot = stage.robots[fault.robot]
    robot.die()
    return robot.switch_on


def _power_cut(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    del chance
    robot = stage.robots[fault.robot]
    robot.cut_power()
    return robot.switch_on


def _reboots(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    robot = stage.robots[fault.robot]
    robot.die()
    stage.scheduler.after(chance.uniform(0.5, 4.0), robot.switch_on)
    return _nothing


def _never_moves(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    del chance
    robot = stage.robots[fault.robot]
    robot.set_stuck(is_stuck=True)
    return lambda: robot.set_stuck(is_stuck=False)


def _stuck_in_door(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    del chance
    robot = stage.robots[fault.robot]
    is_over: list[bool] = []

    def watch() -> None:
        if is_over:
            return
        if stage.is_at_a_door(fault.robot):
            robot.set_stuck(is_stuck=True)
        else:
            stage.scheduler.after(0.5, watch)

    def end() -> None:
        is_over.append(True)
        robot.set_stuck(is_stuck=False)

    watch()
    return end


def _failed(action: ActionType, why: str) -> Callable[[PlannedFault, Stage, random.Random], Undo]:
    def start(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
        del chance
        robot = stage.robots[fault.robot]
        robot.break_action(action, why)
        return lambda: robot.break_action(action, None)

    return start


def _battery_drain(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    robot = stage.robots[fault.robot]
    is_over: list[bool] = []
    step_s = 5.0
    lost = chance.uniform(0.7, 1.5) * step_s / fault.for_s

    def drain() -> None:
        if not is_over and robot.is_on:
            robot.lose_charge(lost)
        if not is_over:
            stage.scheduler.after(step_s, drain)

    def end() -> None:
        is_over.append(True)
        if robot.is_on:
            robot.put_in_battery(charge=0.9)

    drain()
    return end


def _emergency_stop(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    del chance
    robot = stage.robots[fault.robot]
    robot.press_emergency_stop()
    return robot.release_emergency_stop


def _manual_mode(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    robot = stage.robots[fault.robot]
    robot.set_operating_mode(chance.choice((OperatingMode.MANUAL, OperatingMode.SERVICE, OperatingMode.TEACHIN)))
    return lambda: robot.set_operating_mode(OperatingMode.AUTOMATIC)


def _pushed_aside(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    robot = stage.robots[fault.robot]
    robot.push_aside(dx_m=chance.uniform(-1.5, 1.5), dy_m=chance.choice((-1, 1)) * chance.uniform(1.6, 2.5))
    return lambda: robot.push_aside(dx_m=0.0, dy_m=0.0)


def _localisation_lost(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    del chance
    robot = stage.robots[fault.robot]
    robot.set_localised(is_localised=False)
    return lambda: robot.set_localised(is_localised=True)


# -- on its wire ------------------------------------------------------------------------------------------------------


def _on_wire(make: Callable[[random.Random], MessageFault]) -> Callable[[PlannedFault, Stage, random.Random], Undo]:
    return lambda fault, stage, chance: _put_on_wire(fault, stage, make(chance))


def _put_on_wire(fault: PlannedFault, stage: Stage, put_on: MessageFault) -> Undo:
    wire, robot = stage.wires[fault.robot], stage.robots[fault.robot]
    wire.faults.append(put_on)

    def end() -> None:
        wire.faults.remove(put_on)
        robot.announce()

    return end


def _refuses_orders(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    return _put_on_wire(fault, stage, RefusesOrders(chance, stage.robots[fault.robot].report))


def _jump(chance: random.Random) -> MessageFault:
    return JumpsInPosition(chance.choice((-1, 1)) * chance.uniform(4.0, 15.0), chance.uniform(-8.0, 8.0))


def _wrong_clock(chance: random.Random) -> MessageFault:
    return ClockOff(timedelta(seconds=chance.choice((-1, 1)) * chance.choice((5.0, 300.0, 3600.0, 86400.0))))


def _never_announced(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    stage.broker.stop()

    def back() -> None:
        stage.broker.start()
        for robot, body in sorted(stage.robots.items()):
            if robot != fault.robot:
                body.announce()

    stage.scheduler.after(chance.uniform(1.0, 5.0), back)
    return _nothing


# -- around everybody -------------------------------------------------------------------------------------------------


def _broker_restart(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    del fault
    stage.broker.stop()

    def back() -> None:
        stage.broker.start()
        for _, body in sorted(stage.robots.items()):
            body.announce()

    stage.scheduler.after(chance.uniform(1.0, 30.0), back)
    return _nothing


def _bad_network(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    del fault
    stage.broker.weather = Weather(
        loss=chance.uniform(0.0, 0.3), doubling=chance.uniform(0.0, 0.5), holding_back=chance.uniform(0.0, 0.3)
    )

    def clear_up() -> None:
        stage.broker.weather = CALM

    return clear_up


def _orchestrator_killed(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    del fault
    stage.kill_orchestrator(away_s=chance.uniform(1.0, 20.0))
    return _nothing


def _door_obstructed(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    del fault
    if not stage.machines.doors:
        return _nothing
    door = stage.machines.doors[chance.choice(sorted(stage.machines.doors))]
    door.obstruct(stage.scheduler.clock.monotonic_s())
    return lambda: door.clear(stage.scheduler.clock.monotonic_s())


def _door_offline(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    del fault
    if not stage.machines.doors:
        return _nothing
    door = chance.choice(sorted(stage.machines.doors))
    stage.machines.offline.add(door)
    return lambda: stage.machines.offline.discard(door)


def _lift_away(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    if not stage.machines.lifts:
        return _door_offline(fault, stage, chance)
    lift = stage.machines.lifts[chance.choice(sorted(stage.machines.lifts))]
    away = [mode for mode in LiftMode if mode is not LiftMode.NORMAL]
    lift.set_mode(chance.choice(away), stage.scheduler.clock.monotonic_s())
    return lambda: lift.set_mode(LiftMode.NORMAL, stage.scheduler.clock.monotonic_s())


def _lift_occupied(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    if not stage.machines.lifts:
        return _door_offline(fault, stage, chance)
    lift = stage.machines.lifts[chance.choice(sorted(stage.machines.lifts))]
    lift.step_in()
    return lift.step_out


def _replay_after_kill(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    del fault
    away_s = chance.uniform(4.0, 20.0)
    is_over: list[bool] = []

    def again() -> None:
        if not is_over:
            stage.replay_from_before(chance=chance)
            stage.scheduler.after(chance.uniform(0.5, 5.0), again)

    stage.kill_orchestrator(away_s=away_s)
    stage.scheduler.after(away_s + chance.uniform(0.0, 1.0), again)
    return lambda: is_over.append(True)


def _replay(fault: PlannedFault, stage: Stage, chance: random.Random) -> Undo:
    is_over: list[bool] = []

    def again() -> None:
        if not is_over:
            stage.replay(fault.robot, chance=chance)
            stage.scheduler.after(chance.uniform(1.0, 10.0), again)

    again()
    return lambda: is_over.append(True)


_BEGINNINGS: Mapping[FaultKind, Callable[[PlannedFault, Stage, random.Random], Undo]] = {
    FaultKind.NEVER_ANNOUNCED: _never_announced,
    FaultKind.DEAD_BUT_ONLINE: _dead_but_online,
    FaultKind.ECHOES_OLD_IDS: _on_wire(lambda _: EchoesOldIds()),
    FaultKind.REFUSES_ORDERS: _refuses_orders,
    FaultKind.OUT_OF_SCHEMA: _on_wire(SpeaksOutOfSchema),
    FaultKind.REBOOTS: _reboots,
    FaultKind.POWER_CUT: _power_cut,
    FaultKind.NEVER_MOVES: _never_moves,
    FaultKind.STUCK_IN_DOOR: _stuck_in_door,
    FaultKind.CLAIMS_PAUSED: _on_wire(lambda _: ClaimsPaused()),
    FaultKind.FAILED_PICK: _failed(ActionType.PICK, "the drawer is jammed"),
    FaultKind.POSITION_JUMP: _on_wire(_jump),
    FaultKind.BATTERY_DRAIN: _battery_drain,
    FaultKind.EMERGENCY_STOP: _emergency_stop,
    FaultKind.MANUAL_MODE: _manual_mode,
    FaultKind.PUSHED_ASIDE: _pushed_aside,
    FaultKind.LOCALISATION_LOST: _localisation_lost,
    FaultKind.DOCKING_FAILED: _failed(ActionType.START_CHARGING, "no contact with the charger"),
    FaultKind.SILENT: _on_wire(lambda _: CutOff()),
    FaultKind.DEAF: _on_wire(lambda _: Deaf()),
    FaultKind.CLOCK_JUMP: _on_wire(_wrong_clock),
    FaultKind.BROKER_RESTART: _broker_restart,
    FaultKind.BAD_NETWORK: _bad_network,
    FaultKind.REPLAY: _replay,
    FaultKind.ORCHESTRATOR_KILLED: _orchestrator_killed,
    FaultKind.REPLAY_AFTER_KILL: _replay_after_kill,
    FaultKind.DOOR_OBSTRUCTED: _door_obstructed,
    FaultKind.DOOR_OFFLINE: _door_offline,
    FaultKind.LIFT_AWAY: _lift_away,
    FaultKind.LIFT_OCCUPIED: _lift_occupied,
}
