"""The simulated building in the orchestrator's own process: its devices are asked directly, without a broker between.

Implements `orchestrator.application.ports.Building` on whatever clock it is given, virtual or real. It behaves as the
same devices do over the device protocol; `tests/contract/test_building.py` holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from orchestrator.application.ports import Clock
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.device import DoorPicture, DoorPosition, LiftMode, LiftPicture, Session
from orchestrator.domain.site.model import DoorId, LevelId, LiftId, Site
from simulation.devices import DeviceTimes, DoorDevice, LiftDevice
from simulation.session_book import Asked, Held

__all__ = ["DeviceTimes", "Machines", "SimulatedBuilding"]

OWNER = "wardporter"


class Machines:
    """The doors and lifts of one site as machines, and which of them do not answer.

    Parameters
    ----------
    site : Site
        Whose doors and lifts they are.
    times : DeviceTimes, optional
        How slow they are.
    """

    def __init__(self, site: Site, *, times: DeviceTimes | None = None) -> None:
        times = times or DeviceTimes()
        heights: Mapping[LevelId, float] = {level.id: level.elevation_m for level in site.levels.values()}
        self.site = site
        self.doors = {door: DoorDevice(times) for door in site.doors}
        self.lifts = {
            lift.id: LiftDevice({level: heights[level] for level in lift.levels}, times) for lift in site.lifts.values()
        }
        self.offline: set[DoorId | LiftId] = set()


class SimulatedBuilding:
    """The doors and lifts of one site.

    Parameters
    ----------
    machines : Machines
        The devices; they outlive a building that is put in front of them anew.
    clock : Clock
        The orchestrator's time.
    pace : float, optional
        How many of the devices' seconds one of the clock's is.
    """

    def __init__(self, machines: Machines, *, clock: Clock, pace: float = 1.0) -> None:
        self._machines = machines
        self._clock = clock
        self._pace = pace
        self._has_news = False
        self._epoch = 0
        self._made = 0
        self._mine: dict[tuple[str, RobotId], str] = {}
        self._motorised = [door for door in machines.doors if machines.site.doors[door].is_motorised]
        devices: dict[DoorId | LiftId, DoorDevice | LiftDevice] = {**machines.doors, **machines.lifts}
        self._by_name = sorted(devices.items(), key=lambda named: named[0])
        self._moving: dict[DoorId | LiftId, DoorDevice | LiftDevice] = {}
        self._held_before: list[tuple[DoorId | LiftId, DoorDevice | LiftDevice]] = []

    # -- what a building over a broker would need -----------------------------------------------------------------

    def start(self) -> None:
        """Begin a new epoch, in which nothing is held yet."""
        self._epoch = int(self._clock.now().timestamp() * 1000)
        self._mine.clear()
        self._held_before = [(name, device) for name, device in self._by_name if not device.book.is_empty]

    def subscriptions(self) -> Sequence[str]:
        """There is no broker between."""
        return ()

    def receive(self, topic: str, payload: bytes, *, is_retained: bool) -> bool:
        """No message is ours."""
        del topic, payload, is_retained
        return False

    def note_change(self) -> None:
        """Take notice of what has befallen a device; over a broker it would say so itself."""
        self._has_news = True
        for name, device in self._by_name:
            self._watch(name, device)

    def advance(self) -> bool:
        """Return whether a door or cabin has come to rest; nothing has to be renewed, asking and holding are one."""
        now_s = self._now_s
        is_news, self._has_news = self._has_news, False
        settled = [name for name, device in self._moving.items() if device.settles_s() <= now_s]
        for name in settled:
            device = self._moving.pop(name)
            device.advance(now_s)
            self._watch(name, device)
        return is_news or bool(settled)

    def next_due_s(self) -> float | None:
        """Return when the next door or cabin comes to rest."""
        if self._has_news:
            return self._now_s / self._pace
        due_s = min((device.settles_s() for device in self._moving.values()), default=math.inf)
        return None if due_s == math.inf else due_s / self._pace

    def _watch(self, name: DoorId | LiftId, device: DoorDevice | LiftDevice) -> None:
        """Remember a device that is on its way, to tell when it comes to rest."""
        if self._now_s < device.settles_s() < math.inf:
            self._moving[name] = device

    # -- doors ----------------------------------------------------------------------------------------------------

    def hold_door(self, door: DoorId, robot: RobotId, *, purpose: str) -> None:
        """Begin to open the door and hold it for the robot, unless it is held already."""
        if door not in self._machines.offline:
            self._machines.doors[door].ask(self._asked(door, robot, purpose), at_s=self._now_s)
            self._watch(door, self._machines.doors[door])

    def release_door(self, door: DoorId, robot: RobotId) -> None:
        """Let the door close once nobody holds it."""
        self._mine.pop((door, robot), None)
        device = self._machines.doors[door]
        for held in _sessions_of(device.book.held, robot):
            device.release(held.asked.session, owner=OWNER, epoch=self._epoch, at_s=self._now_s)
        self._watch(door, device)

    def is_door_open_for(self, door: DoorId, robot: RobotId) -> bool:
        """Whether the door is fully open and held for the robot."""
        return self._door(door).is_open_for(self._mine.get((door, robot), ""))

    def doors(self) -> Mapping[DoorId, DoorPicture]:
        """Return how every door stands."""
        return {door: self._door(door) for door in self._motorised}

    def _door(self, door: DoorId) -> DoorPicture:
        device = self._machines.doors[door]
        if door in self._machines.offline:
            return DoorPicture(DoorPosition.OFFLINE)
        sessions = () if device.book.is_empty else tuple(self._told(held) for held in device.book.held)
        return DoorPicture(device.position(self._now_s), is_obstructed=device.is_obstructed, sessions=sessions)

    # -- lifts ----------------------------------------------------------------------------------------------------

    def hold_lift(self, lift: LiftId, level: LevelId, robot: RobotId, *, purpose: str) -> None:
        """Send the cabin to the level for the robot, now if nobody has it, else in turn."""
        if lift not in self._machines.offline:
            self._machines.lifts[lift].ask(self._asked(lift, robot, purpose, level), at_s=self._now_s)
            self._watch(lift, self._machines.lifts[lift])

    def release_lift(self, lift: LiftId, robot: RobotId) -> None:
        """Give the cabin to whoever waits next."""
        self._mine.pop((lift, robot), None)
        device = self._machines.lifts[lift]
        for held in _sessions_of(device.book.held, robot):
            device.release(held.asked.session, owner=OWNER, epoch=self._epoch, at_s=self._now_s)
        self._watch(lift, device)

    def is_lift_open_for(self, lift: LiftId, level: LevelId, robot: RobotId) -> bool:
        """Whether the cabin stands open at the level for the robot alone."""
        return self._lift(lift).is_open_for(self._mine.get((lift, robot), ""), level)

    def left_behind(self) -> Sequence[tuple[DoorId | LiftId, RobotId]]:
        """Return what is held for robots since before this epoch began."""
        return [
            (name, RobotId(held.asked.holder))
            for name, device in self._held_before
            for held in device.book.held
            if held.asked.owner == OWNER and held.asked.epoch < self._epoch
        ]

    def lifts(self) -> Mapping[LiftId, LiftPicture]:
        """Return where every cabin is; a cabin that travels or moves its doors is not open."""
        return {lift: self._lift(lift) for lift in self._machines.lifts}

    def _lift(self, lift: LiftId) -> LiftPicture:
        device = self._machines.lifts[lift]
        level, doors = device.look(self._now_s)
        if lift in self._machines.offline:
            return LiftPicture(level, DoorPosition.OFFLINE, mode=LiftMode.NORMAL)
        session = self._told(device.served) if device.served is not None else None
        return LiftPicture(
            level,
            doors,
            mode=device.mode,
            load_kg=device.load_kg,
            session=session,
            is_occupied=device.is_occupied,
        )

    # -- sessions -------------------------------------------------------------------------------------------------

    @property
    def _now_s(self) -> float:
        return self._clock.monotonic_s() * self._pace

    def _asked(self, device: str, robot: RobotId, purpose: str, level: LevelId | None = None) -> Asked:
        if (device, robot) not in self._mine:
            self._made += 1
            self._mine[device, robot] = f"{OWNER}.{self._epoch}.{self._made}"
        return Asked(self._mine[device, robot], robot, OWNER, self._epoch, purpose, level)

    def _told(self, held: Held) -> Session:
        return session_as_told(held, now=self._clock.now(), now_s=self._now_s)


def session_as_told(held: Held, *, now: datetime, now_s: float) -> Session:
    """Return a session as the device tells it, its moments on the time of day."""
    asked = held.asked
    return Session(
        id=asked.session,
        holder=asked.holder,
        owner=asked.owner,
        epoch=asked.epoch,
        purpose=asked.purpose,
        since=now - timedelta(seconds=now_s - held.since_s),
        heard_at=now - timedelta(seconds=now_s - held.heard_s),
    )


def _sessions_of(sessions: Sequence[Held], robot: RobotId) -> list[Held]:
    return [held for held in sessions if held.asked.holder == robot]
