"""A ward in virtual time: the orchestrator that runs on the ward, with virtual robots, devices and people around it.

One seed gives one history, byte for byte: there is one thread, one random source per concern, and no wall clock.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator.application.control import Control
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import Building, Clock, Event, RobotTransport, Store, UnitOfWork
from orchestrator.application.queue_delivery import queue_delivery
from orchestrator.domain.custody.people import believed
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.delivery.request import DeliveryRequest
from orchestrator.domain.fleet.model import RobotId
from ros_nodes.onboard.path_geometry import Pose as BoardPose
from simulation.broker import VirtualBroker
from simulation.building import DeviceTimes, Machines, SimulatedBuilding
from simulation.grant_signer import SeededSigner
from simulation.memory_store import MemoryStore
from simulation.people import People
from simulation.virtual_devices import VirtualDevices
from simulation.virtual_robot import RobotWire, VirtualRobot
from simulation.virtual_time import Scheduler, VirtualClock

BuildingMaker = Callable[[RobotTransport, Clock], Building]
"""Makes the building of each orchestrator, when its devices are asked over the broker."""

EVENT_PAGE = 500
ASK_AGAIN_S = 5.0
LOOK_AGAIN_S = 30.0
"""How long people go without looking round when they are told of nothing new, seconds."""


class CountedIds:
    """Ids in the order of asking; implements `orchestrator.application.ports.Ids`."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def new(self, kind: str) -> str:
        """Return the next id of a kind."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return f"{kind}-{self._counts[kind]:05d}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A delivery that somebody queues ``at_s`` seconds after the start."""

    at_s: float
    request: DeliveryRequest


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a simulated ward.

    ``is_finished`` is False when the limit came before the last delivery ended. ``log`` is the event log, one JSON
    object a line. ``driven_m`` is metres by robot id.
    """

    is_finished: bool
    elapsed_s: float
    deliveries: tuple[Delivery, ...]
    log: bytes
    driven_m: dict[str, float]


class SimulatedWard:
    """Everything around one control, on one virtual clock.

    Parameters
    ----------
    fleet : FleetOnSite
        Site, robots, models, policy; every robot starts at its home.
    asked : sequence of Asked
        The demand.
    seed : int
        Of every chance in it.
    device_times : DeviceTimes, optional
        How slow doors and lifts are.
    building_over_broker : callable, optional
        Makes a building that asks the devices over the broker, by the device protocol; asked directly when left out.
    has_locks : bool
        Whether robots open their drawers on grants alone.
    """

    def __init__(
        self,
        fleet: FleetOnSite,
        *,
        asked: Sequence[Asked],
        seed: int,
        device_times: DeviceTimes | None = None,
        building_over_broker: BuildingMaker | None = None,
        has_locks: bool = True,
    ) -> None:
        self.clock = VirtualClock()
        self.scheduler = Scheduler(self.clock)
        self.ids = CountedIds()
        self.store: Store = MemoryStore()
        self._asked = asked
        self.machines = Machines(fleet.site, times=device_times)
        self._fleet = fleet
        self._broker = self._new_broker(random.Random(f"{seed}:network"))
        self._building_over_broker = building_over_broker
        self.devices = (
            VirtualDevices(self.machines, scheduler=self.scheduler, broker=self._broker)
            if building_over_broker is not None
            else None
        )
        self.control = self._new_control()
        self.signer = SeededSigner(str(seed))
        self._people = self._new_people(random.Random(f"{seed}:people"))
        self.robots = {
            robot.id: VirtualRobot(
                robot=robot,
                model=fleet.models[robot.id],
                pose=self._home_pose(robot.id),
                scheduler=self.scheduler,
                broker=self._wire_of(robot.id),
                grant_key=self.signer.public if has_locks else None,
                chance=random.Random(f"{seed}:nonces:{robot.id}"),
            )
            for robot in fleet.robots.values()
        }
        self._log: list[Event] = []
        self._is_up = True
        self._open = 0
        self._ended: set[str] = set()
        self._tick_at_s = float("inf")
        self._looked_s = 0.0

    def run(self, *, limit_s: float) -> Outcome:
        """Run until every delivery that is asked for has ended, or until ``limit_s`` virtual seconds have gone by."""
        self.control.start()
        for topic in self.control.subscriptions():
            self._broker.subscribe(topic, self._to_control)
        for robot in self.robots.values():
            robot.switch_on()
        for asked in self._asked:
            self.ask(asked)
        self._plan_tick()
        is_finished = self.scheduler.run(until=lambda: self._open == 0, limit_s=limit_s)
        self._look()
        return self._outcome(is_finished=is_finished)

    def ask(self, asked: Asked) -> None:
        """Let somebody queue one more delivery, at its moment or now if that is past."""
        self._open += 1
        self.scheduler.at(asked.at_s, lambda: self._queue(asked))

    def listen(self, topic: str, listener: Callable[[str, bytes], None]) -> None:
        """Hand every message on a topic to a listener as well."""
        self._broker.subscribe(topic, listener)

    def kill_orchestrator(self, *, away_s: float) -> None:
        """End the orchestrator as a kill -9 would; another one starts from the books ``away_s`` seconds later."""
        self._is_up = False
        self.scheduler.after(away_s, self._start_again)

    def _new_people(self, chance: random.Random) -> People:
        return People(self._control_now, scheduler=self.scheduler, chance=chance, ids=self.ids, signer=self.signer)

    def _control_now(self) -> Control | None:
        return self.control if self._is_up else None

    def _new_broker(self, chance: random.Random) -> VirtualBroker:
        return VirtualBroker(self.scheduler, chance=chance)

    def _wire_of(self, robot: RobotId) -> RobotWire:
        """Return how a robot is joined to the broker."""
        del robot
        return self._broker

    def _start_again(self) -> None:
        self.control = self._new_control()
        self.control.start()
        self._is_up = True
        self._plan_tick()

    def _new_control(self) -> Control:
        self._building = self._new_building()
        control = Control(
            fleet=self._fleet,
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            transport=self._broker,
            building=self._building,
        )
        control.observers.append(self._look)
        return control

    def _new_building(self) -> Building:
        if self._building_over_broker is not None:
            return self._building_over_broker(self._broker, self.clock)
        return SimulatedBuilding(self.machines, clock=self.clock)

    def befall(self, at_s: float, act: Callable[[Machines, float], None]) -> None:
        """Let something happen to doors or lifts at a moment; ``act`` gets the machines and the moment."""

        def happen() -> None:
            act(self.machines, self.clock.monotonic_s())
            self.look_at_devices()

        self.scheduler.at(at_s, happen)

    def look_at_devices(self) -> None:
        """Let doors and lifts say how they stand, after something has befallen them."""
        if self.devices is not None:
            self.devices.look()
        elif isinstance(self._building, SimulatedBuilding):
            self._building.note_change()
            self._plan_tick()

    def _home_pose(self, robot: RobotId) -> BoardPose:
        pose = self._fleet.pose_of(robot, self._fleet.home_waypoint_of(robot))
        return BoardPose(pose.level, pose.x_m, pose.y_m, pose.theta_rad)

    def _to_control(self, topic: str, payload: bytes) -> None:
        if self._is_up:
            self.control.receive(topic, payload)
            self._plan_tick()

    def _queue(self, asked: Asked) -> None:
        if not self._is_up:
            self.scheduler.after(ASK_AGAIN_S, lambda: self._queue(asked))
            return

        def queue(uow: UnitOfWork) -> Delivery:
            return queue_delivery(
                uow,
                request=asked.request,
                at=self.clock.now(),
                ids=self.ids,
                present=believed("pharmacy"),
                premises=self._fleet.premises,
                is_served=lambda station: self._fleet.serves(station.id),
            )

        self.control.run(queue)
        self._plan_tick()

    def _plan_tick(self) -> None:
        due_s = self.control.next_due_s()
        if due_s < self._tick_at_s:
            self._tick_at_s = due_s
            self.scheduler.at(due_s, lambda: self._tick(due_s))

    def _tick(self, due_s: float) -> None:
        if due_s != self._tick_at_s:
            return
        self._tick_at_s = float("inf")
        if self._is_up:
            self.control.tick()
            self._plan_tick()

    def _look(self) -> None:
        """Read what is new in the event log, and let people act on it."""
        last = self._log[-1].number if self._log else 0
        with self.store.reading() as uow:
            news = uow.events.after(last, EVENT_PAGE)
            if not news and self.clock.monotonic_s() - self._looked_s < LOOK_AGAIN_S:
                return
            self._looked_s = self.clock.monotonic_s()
            self._log.extend(news)
            self._people.look_round(uow)
        ended = {event.subject for event in news if _is_ending(event)} - self._ended
        self._ended |= ended
        self._open -= len(ended)

    def outcome_so_far(self) -> Outcome:
        """Return what came of it until now, for whoever stopped it in the middle."""
        return self._outcome(is_finished=False)

    def _outcome(self, *, is_finished: bool) -> Outcome:
        with self.store.reading() as uow:
            page = uow.deliveries.page(after=None, limit=1_000_000, states=None)
        return Outcome(
            is_finished=is_finished,
            elapsed_s=self.clock.monotonic_s(),
            deliveries=tuple(page),
            log=b"\n".join(_line(event) for event in self._log),
            driven_m={robot: round(board.distance_m, 3) for robot, board in sorted(self.robots.items())},
        )


def _is_ending(event: Event) -> bool:
    return event.kind == "delivery_changed" and DeliveryState(str(event.data["state"])).is_ended


def _line(event: Event) -> bytes:
    kept = {
        "number": event.number,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "subject": event.subject,
        "data": dict(event.data),
    }
    return json.dumps(kept, sort_keys=True).encode()
