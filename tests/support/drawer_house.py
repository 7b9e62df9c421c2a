"""A house with one delivery at a robot that checks grants, and people who may or may not open its drawer."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from orchestrator.application.drawer_watch import (
    note_drawers,
    what_keeps_standing,
)
from orchestrator.application.fleet import FleetOnSite, FleetPolicy, assemble_fleet
from orchestrator.application.grants import (
    OpeningAsked,
    grant_drawer,
)
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.incident import Incident
from orchestrator.domain.custody.issued_grant import (
    IssuedGrant,
)
from orchestrator.domain.custody.model import Entry
from orchestrator.domain.custody.people import Present
from orchestrator.domain.custody.policy import CustodyPolicy
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.fleet.model import (
    DrawerContent,
    DrawerReport,
    DrawerState,
    RobotId,
    RobotReport,
)
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.model import Person, PersonId, Role
from orchestrator.domain.site.model import PlaceId, StationId, WaypointId
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON, CountingIds, bring_to, queue
from tests.support.drawers import KEY
from tests.support.idle_reports import an_idle_report
from tests.support.wards import a_cast, demo_hospital

S = DeliveryState
NONCE = "ab" * 16
LATER = NOON + timedelta(seconds=5)


class Signer:
    def sign(self, text: str) -> str:
        return base64.b64encode(KEY.sign(text.encode())).decode()


HATCH, WARD = StationId("pharmacy_hatch_1"), StationId("ward_alder_handover")
PHARMACY, ALDER, BIRCH = PlaceId("pharmacy"), PlaceId("ward_alder"), PlaceId("ward_birch")


def somebody(name: str, role: Role, place: PlaceId, **more: object) -> Person:
    person = Person(PersonId(name), frozenset({role}), frozenset({place}), registration=f"R-{name}")
    return replace(person, **more)  # pyright: ignore[reportArgumentType]  # names are checked by the call


PHARMACIST = somebody("pharmacist-1", Role.PHARMACIST, PHARMACY)
TECHNICIAN = somebody("technician-1", Role.PHARMACY_TECHNICIAN, PHARMACY)
NURSE = somebody("nurse-1", Role.NURSE, ALDER)
SECOND_NURSE = somebody("nurse-2", Role.NURSE, ALDER)
NURSE_FROM_BIRCH = somebody("nurse-3", Role.NURSE, BIRCH)
BELIEVED = Present("nurse-9", is_believed=True)


class House:
    """One robot of the demo hospital, the delivery in its drawer, and what it reports."""

    def __init__(
        self,
        state: DeliveryState = S.ARRIVED,
        *,
        handling_class: HandlingClass = HandlingClass.ORDINARY,
        policy: CustodyPolicy | None = None,
    ) -> None:
        site = demo_hospital()
        cast = a_cast(site, robots=1)
        self.robot = cast.robots[0].id
        self.drawer = cast.model.drawers[0]
        self.fleet: FleetOnSite = assemble_fleet(
            site=site,
            robots={robot.id: robot for robot in cast.robots},
            models={robot.id: cast.model for robot in cast.robots},
            policy=FleetPolicy() if policy is None else FleetPolicy(custody=policy),
        )
        self.ledger = LedgerTerms.unbound()
        self.store, self.ids = MemoryStore(self.ledger), CountingIds()
        with self.store.transaction() as uow:
            queued = queue(uow, ids=self.ids)
        on_the_way = (S.LOADING, S.IN_TRANSIT)
        arrived = bring_to(self.store, queued.id, state if state in on_the_way else S.ARRIVED)
        lines = tuple(replace(line, handling_class=handling_class) for line in arrived.lines)
        changed = replace(
            arrived, from_station=HATCH, to_station=WARD, robot=self.robot, drawer=self.drawer, lines=lines
        )
        if state not in (*on_the_way, S.ARRIVED):
            changed = moved(changed, state, at=NOON, cause="test")
        with self.store.transaction() as uow:
            uow.deliveries.save(changed)
        self.delivery = changed.id
        self.stand_at(HATCH if state is S.LOADING else WARD)

    def stand_at(self, station: StationId, **changes: object) -> None:
        """Let the robot stand at a station with its drawers locked, and say so; but for some changes."""
        place = self.fleet.waypoint_of(self.robot, station)
        here = replace(a_report(self.robot, place, self.drawer), pose=self.fleet.pose_of(self.robot, place))
        report = replace(here, **changes)  # pyright: ignore[reportArgumentType]
        self.put(RobotRecord(self.robot, tip=place, report=report, checks_grants=True))

    def put(self, record: RobotRecord) -> None:
        with self.store.transaction() as uow:
            uow.robots.save(record)

    @property
    def record(self) -> RobotRecord:
        with self.store.reading() as uow:
            return uow.robots.get(self.robot)

    def grant(
        self,
        present: Present = BELIEVED,
        *,
        purpose: Purpose | None = None,
        is_break_glass: bool = False,
        reason: str = "",
    ) -> IssuedGrant:
        asked = OpeningAsked(self.delivery, present, purpose, is_break_glass, reason=reason, device="phone-1")
        with self.store.transaction() as uow:
            return grant_drawer(uow, self.fleet, asked, signer=Signer(), ids=self.ids, at=LATER)

    def turn(self, act: Callable[[Turn], object], *, at: datetime = LATER) -> object:
        """Do something in a turn of the control."""
        with self.store.transaction() as uow:
            records = {self.robot: uow.robots.get(self.robot)}
            return act(Turn(uow, at=at, at_s=0.0, ids=self.ids, records=records))

    def told(self) -> list[str]:
        with self.store.reading() as uow:
            return [event.kind for event in uow.events.after(0, 100) if event.kind.startswith(("drawer", "alarm"))]

    def alarms(self, code: str) -> list[Mapping[str, Any]]:
        """Return what was told by the alarms of a code, oldest first."""
        with self.store.reading() as uow:
            told = [event.data for event in uow.events.after(0, 1000) if event.kind == "alarm"]
        return [data for data in told if data["code"] == code]

    def entries(self) -> list[Entry]:
        """Return what stands in the ledger of the delivery."""
        with self.store.reading() as uow:
            return list(uow.ledger.entries(limit=100, delivery=self.delivery))

    def incidents(self) -> Sequence[Incident]:
        with self.store.reading() as uow:
            return uow.incidents.newest(10)

    def kept(self, grant: IssuedGrant) -> IssuedGrant:
        with self.store.reading() as uow:
            return uow.grants.get(grant.id)

    def report_drawer(
        self,
        state: DrawerState,
        content: DrawerContent = DrawerContent.UNKNOWN,
        *,
        is_tampered: bool = False,
        at: datetime = LATER + timedelta(seconds=1),
    ) -> None:
        """Let the robot report its drawer so."""
        before = self.record.report
        assert before is not None
        report = replace(before, received_at=at, drawers=(DrawerReport(self.drawer, state, content, is_tampered),))
        self.put(replace(self.record, report=report))
        self.turn(lambda turn: note_drawers(turn, self.fleet, self.robot, before, report))

    def deliver(self) -> None:
        """Let the delivery be received."""
        with self.store.transaction() as uow:
            uow.deliveries.save(moved(uow.deliveries.get(self.delivery), S.RECEIVED, at=LATER, cause="nurse-1"))

    def why_it_stands(self) -> str | None:
        reason = self.turn(lambda turn: what_keeps_standing(turn, self.robot))
        return None if reason is None else reason.code  # pyright: ignore[reportAttributeAccessIssue]


def a_report(robot: RobotId, place: WaypointId, drawer: str) -> RobotReport:
    drawers = (DrawerReport(drawer, DrawerState.LOCKED, DrawerContent.EMPTY),)
    return an_idle_report(robot, NOON, last_waypoint=place, drawers=drawers, nonce=NONCE)
