"""The building behind a broker: one dialogue a door or lift, joined to the control's own connection.

Implements `orchestrator.application.ports.Building`. The control's thread owns it; messages come by `receive` in the
order in which the control takes them in, and leave by the transport that its orders leave by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

import structlog

from orchestrator.application.ports import Clock, RobotTransport
from orchestrator.devices.address import Channel, DeviceAddress, DeviceKind, parse_device_topic
from orchestrator.devices.dialogue import DeviceDialogue, Timing
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.device import DoorPicture, LiftPicture
from orchestrator.domain.site.model import DoorId, LevelId, LiftId, Site

OWNER = "wardporter"

LOGGED_AGAIN_S = 60.0
"""How long it is before the log says once more that a device is not understood, in seconds."""

log = structlog.get_logger(__name__)


class MqttBuilding:
    """The motorised doors and the lifts of one site.

    Parameters
    ----------
    site : Site
        Whose doors and lifts they are; its id is in every topic.
    transport : RobotTransport
        The way to the broker.
    clock : Clock
        Time.
    owner : str, optional
        What this orchestrator calls itself in sessions; the same after a restart.
    timing : Timing, optional
        How often requests are renewed, and how long a device may be silent.
    begin_epoch : callable, optional
        Gets the moment of `start` in milliseconds and returns the epoch that begins, larger than any before; without
        it that is the moment itself, and the clock must not stand behind its last start.

    Notes
    -----
    ``refused`` counts the messages on topics of ours that changed nothing; the log says now and then why: the device
    is offline meanwhile for all that robots and people see.
    """

    def __init__(
        self,
        site: Site,
        *,
        transport: RobotTransport,
        clock: Clock,
        owner: str = OWNER,
        timing: Timing | None = None,
        begin_epoch: Callable[[int], int] = int,
    ) -> None:
        self._site = site
        self._transport = transport
        self._clock = clock
        self._owner = owner
        self._timing = timing or Timing()
        self._begin_epoch = begin_epoch
        self._doors: dict[DoorId, DeviceDialogue] = {}
        self._lifts: dict[LiftId, DeviceDialogue] = {}
        self.refused = 0
        self._logged_s: dict[DeviceAddress, float] = {}

    def start(self) -> None:
        """Begin a new epoch, in which nothing is held yet and no device has been heard."""
        epoch = self._begin_epoch(int(self._clock.now().timestamp() * 1000))
        doors = [door.id for door in self._site.doors.values() if door.is_motorised]
        self._doors = {door: self._dialogue(DeviceKind.DOOR, door, epoch) for door in doors}
        self._lifts = {lift: self._dialogue(DeviceKind.LIFT, lift, epoch) for lift in self._site.lifts}

    def _dialogue(self, kind: DeviceKind, device: str, epoch: int) -> DeviceDialogue:
        address = DeviceAddress(self._site.id, kind, device)
        return DeviceDialogue(address, owner=self._owner, epoch=epoch, timing=self._timing)

    # -- messages -------------------------------------------------------------------------------------------------

    def subscriptions(self) -> Sequence[str]:
        """Return the topics on which the devices say how they stand."""
        return [dialogue.address.topic(Channel.STATE) for dialogue in self._dialogues]

    def receive(self, topic: str, payload: bytes, *, is_retained: bool) -> bool:
        """Take in a message; return whether a device of ours has changed by it."""
        parsed = parse_device_topic(topic)
        if parsed is None or parsed[1] is not Channel.STATE:
            return False
        dialogue = self._dialogue_at(parsed[0])
        if dialogue is None:
            return False
        at_s = self._clock.monotonic_s()
        before = _gist(dialogue, at_s)
        why = dialogue.receive(payload, at_s=at_s, is_retained=is_retained)
        if why is not None:
            self.refused += 1
            self._log(dialogue.address, why, at_s=at_s)
            return False
        return _gist(dialogue, at_s) != before

    def _log(self, address: DeviceAddress, why: str, *, at_s: float) -> None:
        if at_s - self._logged_s.get(address, float("-inf")) >= LOGGED_AGAIN_S:
            self._logged_s[address] = at_s
            log.warning("device_message_dropped", device=f"{address.kind}:{address.id}", why=why, dropped=self.refused)

    def advance(self) -> bool:
        """Send what is due; return whether a device has gone silent."""
        at_s, now = self._clock.monotonic_s(), self._clock.now()
        is_news = False
        for dialogue in self._dialogues:
            is_news = dialogue.note_silence(at_s=at_s) or is_news
            for message in dialogue.due(at_s=at_s, now=now):
                self._transport.publish(message.topic, message.payload, qos=message.qos, retain=False)
        return is_news

    def next_due_s(self) -> float | None:
        """Return when something is to be sent, or a device would be silent."""
        return min((due for dialogue in self._dialogues if (due := dialogue.next_due_s()) is not None), default=None)

    @property
    def _dialogues(self) -> tuple[DeviceDialogue, ...]:
        return tuple(chain(self._doors.values(), self._lifts.values()))

    def _dialogue_at(self, address: DeviceAddress) -> DeviceDialogue | None:
        if address.site != self._site.id:
            return None
        if address.kind is DeviceKind.DOOR:
            return self._doors.get(DoorId(address.id))
        return self._lifts.get(LiftId(address.id)) if address.kind is DeviceKind.LIFT else None

    # -- doors and lifts ------------------------------------------------------------------------------------------

    def hold_door(self, door: DoorId, robot: RobotId, *, purpose: str) -> None:
        """Ask that the door opens and stays open for the robot."""
        self._doors[door].hold(robot, purpose=purpose, at_s=self._clock.monotonic_s())

    def release_door(self, door: DoorId, robot: RobotId) -> None:
        """Say that the robot no longer needs the door."""
        self._doors[door].release(robot, at_s=self._clock.monotonic_s())

    def is_door_open_for(self, door: DoorId, robot: RobotId) -> bool:
        """Whether the door says that it is open in our session for the robot."""
        return self._doors[door].is_door_open_for(robot, at_s=self._clock.monotonic_s())

    def hold_lift(self, lift: LiftId, level: LevelId, robot: RobotId, *, purpose: str) -> None:
        """Ask that the cabin comes to the level and waits there for the robot alone."""
        self._lifts[lift].hold(robot, purpose=purpose, level=level, at_s=self._clock.monotonic_s())

    def release_lift(self, lift: LiftId, robot: RobotId) -> None:
        """Say that the robot no longer needs the lift."""
        self._lifts[lift].release(robot, at_s=self._clock.monotonic_s())

    def is_lift_open_for(self, lift: LiftId, level: LevelId, robot: RobotId) -> bool:
        """Whether the lift says that it stands open at the level in our session for the robot."""
        return self._lifts[lift].is_lift_open_for(robot, level, at_s=self._clock.monotonic_s())

    def left_behind(self) -> Sequence[tuple[DoorId | LiftId, RobotId]]:
        """Return what devices still hold for robots since an earlier start."""
        devices = chain(self._doors.items(), self._lifts.items())
        return [(device, RobotId(robot)) for device, dialogue in devices for robot in dialogue.left_behind()]

    def doors(self) -> Mapping[DoorId, DoorPicture]:
        """Return how every motorised door stands, by its own word."""
        at_s = self._clock.monotonic_s()
        return {door: dialogue.door(at_s=at_s) for door, dialogue in self._doors.items()}

    def lifts(self) -> Mapping[LiftId, LiftPicture]:
        """Return where every lift is, by its own word."""
        at_s = self._clock.monotonic_s()
        return {lift: dialogue.lift(at_s=at_s) for lift, dialogue in self._lifts.items()}


def _gist(dialogue: DeviceDialogue, at_s: float) -> tuple[object, ...]:
    """Return what matters of how a device stands: not that it heard a session once more."""
    if dialogue.address.kind is DeviceKind.DOOR:
        door = dialogue.door(at_s=at_s)
        return door.position, door.is_obstructed, tuple(session.id for session in door.sessions)
    lift = dialogue.lift(at_s=at_s)
    session = None if lift.session is None else lift.session.id
    return lift.level, lift.doors, lift.mode, lift.is_occupied, session
