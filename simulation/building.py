"""Simulated doors and lifts: devices that take their time and serve one robot after the other.

Implements `orchestrator.application.ports.Building` on whatever clock it is given, virtual or real. Nothing runs
here: where a door leaf or a cabin is follows from when it was asked and what time it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.application.ports import Clock
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.device import DoorPosition, LiftPicture
from orchestrator.domain.site.model import DoorId, LevelId, LiftId, Site


@dataclass(frozen=True, slots=True)
class DeviceTimes:
    """How slow the devices are: door leaf travel and lift door travel in seconds, cabin speed in m/s."""

    door_s: float = 3.0
    lift_door_s: float = 3.0
    lift_speed_m_s: float = 1.0


@dataclass(slots=True)
class _Door:
    """A door leaf: ``moved_at_s`` is when it last began to open (held) or to close (not held)."""

    holders: set[RobotId] = field(default_factory=set[RobotId])
    moved_at_s: float = float("-inf")


@dataclass(slots=True)
class _Cabin:
    """A lift cabin: who has it, who waits for it in turn, where it is bound, and when it is open there."""

    level: LevelId
    open_at_s: float = float("-inf")
    holder: RobotId | None = None
    waiting: list[tuple[RobotId, LevelId]] = field(default_factory=list[tuple[RobotId, LevelId]])


class SimulatedBuilding:
    """The doors and lifts of one site.

    Parameters
    ----------
    site : Site
        Whose doors and lifts they are.
    clock : Clock
        Seconds on its monotonic time are the devices' seconds.
    times : DeviceTimes
        How slow they are.
    """

    def __init__(self, site: Site, *, clock: Clock, times: DeviceTimes | None = None) -> None:
        self._clock = clock
        self._times = times or DeviceTimes()
        self._elevations: Mapping[LevelId, float] = {level.id: level.elevation_m for level in site.levels.values()}
        self._doors = {door: _Door() for door in site.doors}
        self._cabins = {lift.id: _Cabin(level=lift.levels[0]) for lift in site.lifts.values()}

    # -- doors ----------------------------------------------------------------------------------------------------

    def request_door(self, door: DoorId, robot: RobotId) -> None:
        """Begin to open the door and hold it for the robot, unless it is held already."""
        device = self._doors[door]
        if not device.holders:
            device.moved_at_s = self._clock.monotonic_s()
        device.holders.add(robot)

    def release_door(self, door: DoorId, robot: RobotId) -> None:
        """Let the door close once nobody holds it."""
        device = self._doors[door]
        was_held = bool(device.holders)
        device.holders.discard(robot)
        if was_held and not device.holders:
            device.moved_at_s = self._clock.monotonic_s()

    def is_door_open(self, door: DoorId, robot: RobotId) -> bool:
        """Whether the door is fully open and held for the robot."""
        device = self._doors[door]
        return robot in device.holders and self._position(device) is DoorPosition.OPEN

    def door_positions(self) -> Mapping[DoorId, DoorPosition]:
        """Return how every door stands."""
        return {door: self._position(device) for door, device in self._doors.items()}

    def _position(self, device: _Door) -> DoorPosition:
        if self._clock.monotonic_s() - device.moved_at_s < self._times.door_s:
            return DoorPosition.MOVING
        return DoorPosition.OPEN if device.holders else DoorPosition.CLOSED

    # -- lifts ----------------------------------------------------------------------------------------------------

    def request_lift(self, lift: LiftId, level: LevelId, robot: RobotId) -> None:
        """Send the cabin to the level for the robot, now if nobody has it, else in turn."""
        cabin = self._cabins[lift]
        if cabin.holder is None:
            cabin.holder = robot
            self._send(cabin, level)
        elif cabin.holder == robot:
            if cabin.level != level:
                self._send(cabin, level)
        elif all(waiting != robot for waiting, _ in cabin.waiting):
            cabin.waiting.append((robot, level))

    def release_lift(self, lift: LiftId, robot: RobotId) -> None:
        """Give the cabin to whoever waits next."""
        cabin = self._cabins[lift]
        cabin.waiting = [entry for entry in cabin.waiting if entry[0] != robot]
        if cabin.holder != robot:
            return
        cabin.holder = None
        if cabin.waiting:
            following, level = cabin.waiting.pop(0)
            cabin.holder = following
            self._send(cabin, level)

    def is_lift_open_at(self, lift: LiftId, level: LevelId, robot: RobotId) -> bool:
        """Whether the cabin stands open at the level for the robot alone."""
        cabin = self._cabins[lift]
        return cabin.holder == robot and cabin.level == level and self._clock.monotonic_s() >= cabin.open_at_s

    def lift_pictures(self) -> Mapping[LiftId, LiftPicture]:
        """Return where every cabin is; a cabin that travels or moves its doors is not open."""
        now_s = self._clock.monotonic_s()
        return {
            lift: LiftPicture(level=cabin.level, doors=self._lift_doors(cabin, now_s))
            for lift, cabin in self._cabins.items()
        }

    def _lift_doors(self, cabin: _Cabin, now_s: float) -> DoorPosition:
        if now_s < cabin.open_at_s:
            return DoorPosition.MOVING
        return DoorPosition.CLOSED if cabin.holder is None else DoorPosition.OPEN

    def _send(self, cabin: _Cabin, level: LevelId) -> None:
        height_m = abs(self._elevations[level] - self._elevations[cabin.level])
        doors_s = self._times.lift_door_s if height_m == 0 else 2 * self._times.lift_door_s
        cabin.level = level
        cabin.open_at_s = self._clock.monotonic_s() + doors_s + height_m / self._times.lift_speed_m_s
