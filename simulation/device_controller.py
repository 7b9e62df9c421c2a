"""A controller of simulated doors and lifts that speaks the device protocol, sans-I/O: bytes and time in, bytes out.

Two drivers: `simulation.ward` in virtual time, and `simulation.building_controller`, a process on a real broker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.application.ports import Clock
from orchestrator.devices.address import QOS, Channel, DeviceAddress, DeviceKind, parse_device_topic
from orchestrator.devices.messages import (
    DeviceMessageError,
    DoorCommand,
    DoorRequest,
    DoorState,
    LiftCommand,
    LiftRequest,
    LiftState,
    SessionPart,
    decode,
    encode,
)
from orchestrator.domain.site.model import DoorId, LiftId
from simulation.building import Machines
from simulation.devices import DoorDevice, LiftDevice
from simulation.session_book import Asked, Held

HEARTBEAT_S = 2.0
"""A device says how it stands at least this often, in seconds."""

LAPSE_S = 30.0
"""A session that nobody renewed for this long, in seconds, is dropped, unless there is a load in the cabin."""

Publish = Callable[[str, bytes, int], None]
State = DoorState | LiftState


@dataclass(slots=True)
class _Said:
    """What a device said last, apart from its number and moment, and when."""

    gist: object = None
    at_s: float = float("-inf")


class DeviceController:
    """The doors and lifts of one site behind a broker.

    Parameters
    ----------
    machines : Machines
        The devices.
    clock : Clock
        Their time.
    boot : str
        Names this run; another one for every run.
    publish : callable
        Gets topic, payload and quality of service of each message.
    """

    def __init__(self, machines: Machines, *, clock: Clock, boot: str, publish: Publish) -> None:
        self._machines = machines
        self._clock = clock
        self._boot = boot
        self._publish = publish
        self._number = 0
        self._said: dict[str, _Said] = {device: _Said() for device in (*machines.doors, *machines.lifts)}
        self._heard: dict[tuple[str, str, int], int] = {}
        self.refused = 0

    def subscriptions(self) -> list[str]:
        """Return the topics on which devices are asked."""
        return [self._address(device).topic(Channel.REQUEST) for device in self._said]

    def receive(self, topic: str, payload: bytes, *, is_retained: bool = False) -> None:
        """Take in a request; what is malformed, kept by the broker, repeated or for nobody here changes nothing."""
        parsed = parse_device_topic(topic)
        if parsed is None or parsed[1] is not Channel.REQUEST or parsed[0] != self._known(parsed[0]):
            return
        address = parsed[0]
        if address.id in self._machines.offline:
            return
        try:
            request = decode(DoorRequest if address.kind is DeviceKind.DOOR else LiftRequest, payload)
        except DeviceMessageError:
            self.refused += 1
            return
        if is_retained or not self._is_newer(address, request):
            self.refused += 1
            return
        self._carry_out(address, request)
        self.advance()

    def advance(self) -> None:
        """Let time pass, and say of every device what changed, or that it is still there."""
        now_s = self._clock.monotonic_s()
        for device, said in self._said.items():
            machine = self._machine(device)
            machine.advance(now_s, lapse_s=LAPSE_S)
            gist = self._gist(device)
            if device not in self._machines.offline and (gist != said.gist or now_s >= said.at_s + HEARTBEAT_S):
                said.gist, said.at_s = gist, now_s
                self._say(device)

    def next_due_s(self) -> float:
        """Return when `advance` has something to say, in monotonic seconds."""
        now_s = self._clock.monotonic_s()
        heartbeats = (said.at_s + HEARTBEAT_S for d, said in self._said.items() if d not in self._machines.offline)
        changes = (at_s for d in self._said if (at_s := self._machine(d).settles_s()) > now_s)
        return max(now_s, min((*heartbeats, *changes), default=now_s + HEARTBEAT_S))

    # -- requests -------------------------------------------------------------------------------------------------

    def _known(self, address: DeviceAddress) -> DeviceAddress | None:
        return self._address(address.id) if address.id in self._said else None

    def _is_newer(self, address: DeviceAddress, request: DoorRequest | LiftRequest) -> bool:
        key = (address.id, request.owner, request.epoch)
        if request.number <= self._heard.get(key, -1):
            return False
        self._heard[key] = request.number
        return True

    def _carry_out(self, address: DeviceAddress, request: DoorRequest | LiftRequest) -> None:
        now_s = self._clock.monotonic_s()
        machine = self._machine(address.id)
        if request.command in (DoorCommand.RELEASE, LiftCommand.RELEASE):
            machine.release(request.session, owner=request.owner, epoch=request.epoch, at_s=now_s)
            return
        level = request.level if isinstance(request, LiftRequest) else None
        asked = Asked(request.session, request.holder, request.owner, request.epoch, request.purpose, level)
        machine.ask(asked, at_s=now_s)

    # -- states ---------------------------------------------------------------------------------------------------

    def _machine(self, device: str) -> DoorDevice | LiftDevice:
        return self._machines.doors.get(DoorId(device)) or self._machines.lifts[LiftId(device)]

    def _address(self, device: str) -> DeviceAddress:
        kind = DeviceKind.DOOR if device in self._machines.doors else DeviceKind.LIFT
        return DeviceAddress(self._machines.site.id, kind, device)

    def _say(self, device: str) -> None:
        self._number += 1
        address = self._address(device)
        topic = address.topic(Channel.STATE)
        self._publish(topic, encode(self._state(device)), QOS[address.kind, Channel.STATE])

    def _state(self, device: str) -> State:
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        if device in self._machines.doors:
            door = self._machines.doors[DoorId(device)]
            sessions = tuple(_part(held, now=now, now_s=now_s) for held in door.book.held)
            return DoorState(
                boot=self._boot,
                number=self._number,
                sent_at=now,
                position=door.position(now_s),
                obstructed=door.is_obstructed,
                sessions=sessions,
            )
        lift = self._machines.lifts[LiftId(device)]
        return LiftState(
            boot=self._boot,
            number=self._number,
            sent_at=now,
            level=lift.level(now_s),
            doors=lift.doors(now_s),
            mode=lift.mode,
            load_kg=lift.load_kg,
            occupied=lift.is_occupied,
            session=None if lift.served is None else _part(lift.served, now=now, now_s=now_s),
            waiting=tuple(held.asked.holder for held in lift.waiting),
        )

    def _gist(self, device: str) -> object:
        now_s = self._clock.monotonic_s()
        if device in self._machines.doors:
            door = self._machines.doors[DoorId(device)]
            return door.position(now_s), door.is_obstructed, tuple(held.asked for held in door.book.held)
        lift = self._machines.lifts[LiftId(device)]
        served = None if lift.served is None else lift.served.asked
        return lift.level(now_s), lift.doors(now_s), lift.mode, lift.load_kg, lift.is_occupied, served


def _part(held: Held, *, now: datetime, now_s: float) -> SessionPart:
    asked = held.asked
    return SessionPart(
        session=asked.session,
        holder=asked.holder,
        owner=asked.owner,
        epoch=asked.epoch,
        purpose=asked.purpose,
        since=now - timedelta(seconds=now_s - held.since_s),
        heard_at=now - timedelta(seconds=now_s - held.heard_s),
    )
