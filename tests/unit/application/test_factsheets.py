"""What becomes of a factsheet that disagrees: it is kept, told once, and keeps a robot of the ward from work."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.application.factsheets import note_factsheet
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import Commissioning, RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.vda5050.messages import Factsheet
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON, CountingIds
from tests.support.factsheets import a_factsheet
from tests.support.wards import a_fleet, demo_hospital

ROBOT = RobotId("robot-1")
SIMULATED = a_fleet(demo_hospital())
LONG = a_factsheet(physical={"length": 1.4})
SLOW = a_factsheet(physical={"speedMax": 0.3})


def on_the_ward() -> FleetOnSite:
    robots = {id: replace(robot, commissioning=Commissioning.HARDWARE) for id, robot in SIMULATED.robots.items()}
    return replace(SIMULATED, robots=robots)


class House:
    def __init__(self, fleet: FleetOnSite) -> None:
        self.fleet = fleet
        self.store = MemoryStore()
        self.record = RobotRecord(ROBOT)

    def note(self, factsheet: Factsheet) -> None:
        with self.store.transaction() as uow:
            turn = Turn(uow, at=NOON, at_s=0.0, ids=CountingIds(), records={ROBOT: self.record})
            note_factsheet(turn, self.fleet, ROBOT, factsheet)
            self.record = turn.record(ROBOT)

    def told(self) -> list[str]:
        with self.store.reading() as uow:
            return [event.kind for event in uow.events.after(0, 100)]


def test_a_simulated_robot_drives_on_and_the_disagreement_is_kept_and_told() -> None:
    house = House(SIMULATED)
    house.note(LONG)
    assert [finding.code for finding in house.record.findings] == ["factsheet_size"]
    assert "Raise radius_m" in house.record.findings[0].sentence
    assert house.record.holds == ()
    assert house.told() == ["factsheet_checked"]


def test_a_robot_of_the_ward_that_is_larger_than_we_think_is_held_until_a_person_accepts_it_once() -> None:
    house = House(on_the_ward())
    house.note(LONG)
    assert house.record.is_held_for(HoldKind.MISDESCRIBED)
    assert house.record.is_kept_from_driving
    house.record = house.record.released_from(HoldKind.MISDESCRIBED)
    house.note(LONG)
    assert house.record.holds == ()


def test_what_is_not_serious_holds_no_robot() -> None:
    house = House(on_the_ward())
    house.note(SLOW)
    assert [finding.code for finding in house.record.findings] == ["factsheet_speed"]
    assert house.record.holds == ()


def test_the_same_factsheet_is_told_once_and_one_that_agrees_takes_the_findings_back() -> None:
    house = House(SIMULATED)
    house.note(LONG)
    house.note(LONG)
    assert house.told() == ["factsheet_checked"]
    house.note(a_factsheet(physical={"speedMax": 2.0}))
    assert house.record.findings == ()
    assert house.told() == ["factsheet_checked"] * 2
