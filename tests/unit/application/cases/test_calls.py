"""Who is called to a robot with something controlled in it: stuck, silent, tampered with, forced, in a fire."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from orchestrator.domain.custody.contacts import Function
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.policy import CustodyPolicy
from orchestrator.domain.emergency.alarm import Alarm, AlarmId, AlarmKind
from orchestrator.domain.fleet.hold import Hold, HoldKind
from orchestrator.domain.fleet.model import DrawerContent, DrawerState
from orchestrator.domain.medicine.schedule import Schedule
from tests.support.deliveries import NOON
from tests.support.drawer_cases import called, controlled
from tests.support.drawer_house import (
    WARD,
    House,
    S,
)
from tests.support.medicines import MORPHINE


def test_case_23_to_a_robot_that_is_stuck_with_something_controlled_pharmacy_ward_and_security_are_called_once() -> (
    None
):
    house = controlled(state=S.IN_TRANSIT, policy=CustodyPolicy(contacts={Function.SECURITY: "Security desk, ext. 1"}))
    called(house)
    stuck = Hold(HoldKind.UNRESPONSIVE, "It does not move on.", house.robot, NOON)
    house.put(house.record.held_for(stuck))
    called(house)
    called(house)
    (alarm,) = house.alarms("controlled_stands")
    assert alarm["audience"] == ["pharmacy", "ward", "security"]
    assert alarm["contacts"] == {"security": "Security desk, ext. 1"}
    assert "security (Security desk, ext. 1)" in alarm["sentence"]
    assert alarm["where"]["station"] == WARD
    assert f"at station {WARD}" in alarm["sentence"]
    house.put(house.record.released_from(HoldKind.UNRESPONSIVE))
    called(house)
    house.put(house.record.held_for(stuck))
    called(house)
    assert len(house.alarms("controlled_stands")) == 2


def test_case_23_nobody_is_called_for_what_is_ordinary_or_for_what_a_person_holds() -> None:
    ordinary = House(S.IN_TRANSIT)
    ordinary.put(ordinary.record.held_for(Hold(HoldKind.UNRESPONSIVE, "It stands.", ordinary.robot, NOON)))
    called(ordinary)
    held = controlled(state=S.IN_TRANSIT)
    held.put(held.record.held_for(Hold(HoldKind.PAUSED, "Let a bed pass.", "porter-1", NOON)))
    called(held)
    assert (ordinary.alarms("controlled_stands"), held.alarms("controlled_stands")) == ([], [])


def test_case_24_after_the_limit_nobody_knows_where_a_silent_robot_is_and_security_is_called_once() -> None:
    house = controlled(state=S.IN_TRANSIT)
    house.put(replace(house.record, lost_since=NOON))
    called(house, NOON + timedelta(seconds=299))
    assert house.alarms("place_unknown") == []
    called(house, NOON + timedelta(seconds=300))
    called(house, NOON + timedelta(seconds=900))
    (alarm,) = house.alarms("place_unknown")
    assert alarm["audience"] == ["security", "pharmacy", "ward"]
    assert (alarm["contacts"], alarm["where"]["station"]) == ({}, WARD)
    assert "last heard of at station" in alarm["sentence"]
    house.put(replace(house.record, lost_since=None))
    called(house, NOON + timedelta(seconds=901))
    assert house.record.called_for == frozenset()


def test_case_24_for_an_empty_robot_security_and_the_site_manager_are_called() -> None:
    house = House()
    house.deliver()
    house.put(replace(house.record, lost_since=NOON))
    called(house, NOON + timedelta(hours=1))
    assert house.alarms("place_unknown")[0]["audience"] == ["security", "site_manager"]


def test_case_25_for_a_drawer_that_was_tampered_with_security_and_the_accountable_officer_are_called_once() -> None:
    house = controlled(state=S.IN_TRANSIT)
    for is_tampered in (True, False, True):
        house.report_drawer(DrawerState.LOCKED, DrawerContent.OCCUPIED, is_tampered=is_tampered)
    (alarm,) = house.alarms("drawer_tampered")
    assert alarm["audience"] == ["security", "pharmacy", "accountable_officer"]
    assert alarm["where"]["station"] == WARD
    (incident,) = house.incidents()
    assert (incident.kind, incident.details) == (IncidentKind.DRAWER_FORCED, "")


def test_case_26_a_forced_drawer_prompts_for_the_police_with_drug_and_quantity_that_only_few_read() -> None:
    house = controlled(state=S.IN_TRANSIT)
    with house.store.transaction() as uow:
        uow.medicines.save([MORPHINE])
        delivery = uow.deliveries.get(house.delivery)
        line = replace(
            delivery.lines[0], code=MORPHINE.code, quantity=7193, unit="ampoule", schedule=Schedule.TWO.value
        )
        uow.deliveries.save(replace(delivery, lines=(line, *delivery.lines[1:])))
    house.report_drawer(DrawerState.OPEN, DrawerContent.OCCUPIED)
    house.report_drawer(DrawerState.UNKNOWN, DrawerContent.OCCUPIED)
    house.report_drawer(DrawerState.OPEN, DrawerContent.OCCUPIED)
    (incident,) = house.incidents()
    assert "Tell the police and the controlled drugs liaison officer" in incident.sentence
    assert f"({MORPHINE.drug_class}), schedule 2, 7193 ampoule" in incident.details
    (alarm,) = house.alarms("drawer_opened_unasked")
    assert alarm["audience"] == ["security", "pharmacy", "accountable_officer"]
    with house.store.reading() as uow:
        told = json.dumps([dict(event.data) for event in uow.events.after(0, 1000)])
    assert "7193" not in told


def test_case_26_for_what_is_ordinary_nobody_is_sent_to_the_police() -> None:
    house = House()
    house.report_drawer(DrawerState.OPEN)
    (incident,) = house.incidents()
    assert ("police" in incident.sentence, incident.details) == (False, "")
    assert house.alarms("drawer_opened_unasked")[0]["audience"] == ["security", "pharmacy"]


def in_a_fire(house: House) -> None:
    with house.store.transaction() as uow:
        kind, source = AlarmKind.FIRE, "panel:fire-1"
        uow.alarms.add(Alarm(AlarmId("alarm-1"), kind, (), source, raised_at=NOON, raised_by=source, reason="smoke"))


def test_case_65_in_a_fire_security_is_told_once_where_a_robot_with_something_controlled_stands() -> None:
    house = controlled(state=S.IN_TRANSIT)
    in_a_fire(house)
    standing = house.record.report
    assert standing is not None
    house.put(replace(house.record, report=replace(standing, is_driving=True)))
    called(house, NOON + timedelta(seconds=59))
    assert house.alarms("controlled_in_fire") == []
    house.put(replace(house.record, report=standing))
    for seconds in (59, 61, 3600):
        called(house, NOON + timedelta(seconds=seconds))
    (alarm,) = house.alarms("controlled_in_fire")
    assert alarm["audience"] == ["security", "pharmacy"]
    assert f"stands at station {WARD}" in alarm["sentence"]
    assert "drawers stay locked" in alarm["sentence"]


def test_case_65_a_robot_that_drives_still_is_told_of_after_a_minute_and_an_ordinary_load_never() -> None:
    house, ordinary = controlled(state=S.IN_TRANSIT), House(S.IN_TRANSIT)
    for one in (house, ordinary):
        in_a_fire(one)
        assert one.record.report is not None
        one.put(replace(one.record, report=replace(one.record.report, is_driving=True)))
        called(one, NOON + timedelta(seconds=60))
    assert "is driving" in house.alarms("controlled_in_fire")[0]["sentence"]
    assert ordinary.alarms("controlled_in_fire") == []
