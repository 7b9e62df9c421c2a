"""A desk to test HTTP on: a real store behind the control's door, without robots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from orchestrator.adapters.barcodes.gs1 import GsBarcodes
from orchestrator.adapters.identity.development import DevelopmentIdentity
from orchestrator.adapters.papers import PrintedPapers
from orchestrator.application.fleet import FleetOnSite, FleetPolicy, assemble_fleet
from orchestrator.application.identity import StaffIdentity
from orchestrator.application.ports import Store, UnitOfWork
from orchestrator.application.scanning import Scanner
from orchestrator.application.views import FleetPicture, RobotPicture
from orchestrator.domain.fleet.model import ModelId, OperatingMode, Pose, Robot, RobotId, RobotModel, RobotReport
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.site.device import DoorPicture, DoorPosition, LiftPicture
from orchestrator.domain.site.model import (
    Door,
    DoorId,
    GraphId,
    Lane,
    LaneGraph,
    LaneId,
    Level,
    LevelId,
    Lift,
    LiftId,
    Site,
    StationId,
    Wall,
    Waypoint,
    WaypointId,
)
from orchestrator.http.desk import Desk, News, PartReadiness
from simulation.grant_signer import SeededSigner
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON, STATIONS, CountingIds, is_served
from tests.support.staff import cheap_secrets

T = TypeVar("T")

GRAPH = GraphId("0")
LEVEL = LevelId("L1")
HATCH = WaypointId("w-pharmacy-hatch-1")
WARD = WaypointId("w-ward-a-handover")


class SteadyClock:
    """Moves only when told."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return (self.at - NOON).total_seconds()

    def move(self, *, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def a_report() -> RobotReport:
    return RobotReport(
        robot=RobotId("robot-1"),
        received_at=NOON,
        order_id=None,
        order_update_id=0,
        last_waypoint=HATCH,
        last_sequence=0,
        sequences_ahead=(),
        is_driving=False,
        is_paused=False,
        pose=Pose(LEVEL, 1.0, 2.0, 0.5),
        battery=0.8,
        is_charging=False,
        mode=OperatingMode.AUTOMATIC,
        is_emergency_stopped=False,
        has_field_violation=False,
    )


def a_picture() -> FleetPicture:
    report = a_report()
    robot = RobotPicture(
        RobotId("robot-1"), ModelId("cart"), RobotRecord(RobotId("robot-1")), report=report, battery=report.battery
    )
    silent = RobotPicture(RobotId("robot-2"), ModelId("cart"), RobotRecord(RobotId("robot-2")), is_lost=True)
    return FleetPicture(
        robots=(robot, silent),
        doors={DoorId("door-1"): DoorPicture(DoorPosition.CLOSED)},
        lifts={LiftId("lift-1"): LiftPicture(LEVEL, DoorPosition.OPEN)},
    )


def a_site() -> Site:
    homes = (Waypoint(WaypointId(f"w-charger-{number}"), LEVEL, 3.0 * number, 3.0) for number in (1, 2))
    hatch_and_ward = (Waypoint(HATCH, LEVEL, 0.0, 0.0), Waypoint(WARD, LEVEL, 9.0, 0.0))
    places = {place.id: place for place in (*hatch_and_ward, *homes)}
    lane = Lane(LaneId("lane-1"), HATCH, WARD, width_m=1.5, door=DoorId("door-1"))
    return Site(
        id="small",
        name="Small house",
        revision="r1",
        levels={LEVEL: Level(LEVEL)},
        graphs={GRAPH: LaneGraph(GRAPH, places, {lane.id: lane})},
        doors={DoorId("door-1"): Door(DoorId("door-1"), LEVEL, (4.0, -1.0), (4.0, 1.0))},
        lifts={LiftId("lift-1"): Lift(LiftId("lift-1"), 5.0, 5.0, 0.0, 2.0, 2.0, (LEVEL,))},
        stations=STATIONS,
        walls=(Wall(LEVEL, (0.0, -1.0), (9.0, -1.0)),),
    )


def a_robot_model() -> RobotModel:
    return RobotModel(
        id=ModelId("cart"),
        graph=GRAPH,
        radius_m=0.3,
        speed_max_m_s=1.0,
        acceleration_m_s2=0.5,
        turn_speed_max_rad_s=1.0,
        turn_acceleration_rad_s2=1.0,
        drawers=("top", "middle"),
    )


def a_robot(number: int) -> Robot:
    return Robot(
        id=RobotId(f"robot-{number}"),
        model=ModelId("cart"),
        manufacturer="maker",
        serial_number=f"{number:04d}",
        interface_name="uagv",
        protocol_version="2.1.0",
        home=StationId(f"charger-{number}"),
    )


def a_small_fleet() -> FleetOnSite:
    """Two carts on the small site; both drive to every station but the attic."""
    robots = {robot.id: robot for robot in (a_robot(1), a_robot(2))}
    models = {robot: a_robot_model() for robot in robots}
    return assemble_fleet(site=a_site(), robots=robots, models=models, policy=FleetPolicy())


@dataclass(slots=True)
class StoreDoor:
    """The control's door without a control: commands and queries go straight to the store."""

    store: Store
    news: News = field(default_factory=News)
    picture: FleetPicture = field(default_factory=a_picture)
    parts: Sequence[PartReadiness] = (PartReadiness("store", is_ready=True), PartReadiness("broker", is_ready=True))

    async def run(self, command: Callable[[UnitOfWork], T]) -> T:
        with self.store.transaction() as uow:
            answer = command(uow)
        self.news.tell()
        return answer

    async def read(self, query: Callable[[UnitOfWork], T]) -> T:
        with self.store.reading() as uow:
            return query(uow)

    def live(self) -> FleetPicture:
        return self.picture

    def readiness(self) -> Sequence[PartReadiness]:
        return self.parts

    def move_robot(self, *, x_m: float) -> None:
        robot, *others = self.picture.robots
        assert robot.report is not None
        moved = replace(robot, report=replace(robot.report, pose=Pose(LEVEL, x_m, 2.0, 0.5)))
        self.picture = replace(self.picture, robots=(moved, *others))
        self.news.tell()


def a_desk(
    door: StoreDoor | None = None,
    *,
    clock: SteadyClock | None = None,
    ids: CountingIds | None = None,
    streams_max: int = 64,
    is_development: bool = True,
    own_devices: frozenset[str] = frozenset(),
) -> Desk:
    secrets = cheap_secrets()
    return Desk(
        control=door or StoreDoor(MemoryStore()),
        fleet=a_small_fleet(),
        site=a_site(),
        graphs=[GRAPH],
        is_served=is_served,
        identity=DevelopmentIdentity(secrets) if is_development else StaffIdentity(secrets),
        clock=clock or SteadyClock(),
        ids=ids or CountingIds(),
        scanner=Scanner(GsBarcodes(), is_simulation=True),
        papers=PrintedPapers(),
        secrets=secrets,
        own_devices=own_devices,
        signer=SeededSigner("desk"),
        streams_max=streams_max,
    )
