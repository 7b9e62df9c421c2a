"""What is left in a drawer: nothing is loaded there, and what came before is looked into (case 18)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from orchestrator.application.drawer_watch import (
    note_refused,
)
from orchestrator.application.residue import require_empty
from orchestrator.domain.custody.errors import PeopleMissingError
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.issued_grant import DrawerNotEmptyError, GrantId, IssuedGrant
from orchestrator.domain.custody.people import Present
from orchestrator.domain.delivery.errors import WrongStateError
from orchestrator.domain.delivery.model import DeliveryId
from orchestrator.domain.fleet.model import ActionId, DrawerContent, DrawerReport, DrawerState
from orchestrator.domain.medicine.handling import HandlingClass
from tests.support.deliveries import NOON, queue
from tests.support.drawer_cases import ALONE, BOTH, CONTROLLED, called, controlled, opened
from tests.support.drawer_house import (
    ALDER,
    HATCH,
    LATER,
    NURSE,
    PHARMACIST,
    PHARMACY,
    TECHNICIAN,
    House,
    S,
)


def test_case_18_what_is_left_in_a_drawer_is_an_incident_of_the_delivery_it_came_with_once() -> None:
    house = controlled()
    opened(house)
    house.report_drawer(DrawerState.OPEN, DrawerContent.OCCUPIED)
    house.deliver()
    called(house)
    assert house.incidents() == []
    house.report_drawer(DrawerState.LOCKED, DrawerContent.OCCUPIED)
    called(house)
    called(house)
    (incident,) = house.incidents()
    assert (incident.kind, incident.delivery) == (IncidentKind.DRAWER_NOT_EMPTY, house.delivery)
    assert (incident.caused_by, incident.is_controlled) == (("nurse-1", "nurse-2"), True)
    (alarm,) = house.alarms("drawer_not_empty")
    assert alarm["audience"] == ["pharmacy", "accountable_officer"]
    assert house.why_it_stands() == "drawer_not_empty"
    with house.store.reading() as uow:
        assert uow.deliveries.get(house.delivery).state is S.RECEIVED
    house.report_drawer(DrawerState.LOCKED, DrawerContent.EMPTY)
    called(house)
    assert (house.why_it_stands(), house.record.called_for) == (None, frozenset())


def test_case_18_what_people_say_they_took_out_is_looked_for_in_the_robots_next_report() -> None:
    house = controlled()
    opened(house)
    house.report_drawer(DrawerState.LOCKED, DrawerContent.OCCUPIED, at=NOON)
    house.deliver()
    called(house)
    assert house.incidents() == []
    house.report_drawer(DrawerState.LOCKED, DrawerContent.OCCUPIED)
    called(house)
    assert [incident.kind for incident in house.incidents()] == [IncidentKind.DRAWER_NOT_EMPTY]


def test_case_18_two_people_retrieve_what_was_left_though_the_delivery_is_closed() -> None:
    house = controlled()
    opened(house)
    house.report_drawer(DrawerState.OPEN, DrawerContent.OCCUPIED)
    house.deliver()
    house.stand_at(HATCH, nonce="cd" * 16)
    two = Present("nurse-1", (NURSE, PHARMACIST))
    with pytest.raises(WrongStateError):
        house.grant(two, purpose=Purpose.RETRIEVE)
    house.stand_at(HATCH, nonce="cd" * 16, drawers=(occupied(house),))
    with pytest.raises(PeopleMissingError):
        house.grant(ALONE, purpose=Purpose.RETRIEVE)
    assert house.grant(two, purpose=Purpose.RETRIEVE).delivery == house.delivery


def test_case_18_what_was_left_is_not_retrieved_with_another_delivery() -> None:
    house = controlled()
    opened(house)
    house.deliver()
    left_from_before(house, at=LATER)
    house.stand_at(HATCH, nonce="cd" * 16, drawers=(occupied(house),))
    with pytest.raises(WrongStateError):
        house.grant(BOTH, purpose=Purpose.RETRIEVE)


def occupied(house: House) -> DrawerReport:
    return DrawerReport(house.drawer, DrawerState.LOCKED, DrawerContent.OCCUPIED)


def left_from_before(house: House, *, at: datetime = NOON) -> DeliveryId:
    """Let another delivery have been in the drawer, whose grant matters no more."""
    with house.store.transaction() as uow:
        earlier = queue(uow, ids=house.ids)
        grant = IssuedGrant(
            id=GrantId("grant-before"),
            delivery=earlier.id,
            robot=house.robot,
            drawer=house.drawer,
            purpose=Purpose.HAND_OVER,
            nonce="00" * 16,
            action=ActionId("action-before"),
            by="nurse-1",
            people=(NURSE.id,),
            issued_at=at + timedelta(seconds=1),
            place=ALDER,
        )
        uow.grants.add(replace(grant.opened(at), closed_at=at, settled_at=at))
    return earlier.id


def test_case_18_into_a_drawer_with_something_in_it_nothing_is_loaded_and_the_earlier_delivery_is_looked_into() -> None:
    house = controlled(state=S.LOADING)
    earlier = left_from_before(house)
    house.stand_at(HATCH, drawers=(occupied(house),))
    loaders = Present("pharmacist-1", (PHARMACIST, TECHNICIAN))
    with pytest.raises(DrawerNotEmptyError):
        house.grant(loaders)
    called(house)
    (incident,) = house.incidents()
    assert (incident.kind, incident.delivery, incident.caused_by) == (
        IncidentKind.DRAWER_NOT_EMPTY,
        earlier,
        (NURSE.id,),
    )
    assert house.why_it_stands() == "drawer_not_empty"
    house.stand_at(HATCH)
    assert house.grant(loaders).purpose is Purpose.LOAD


def test_case_18_where_nobody_knows_what_it_came_with_it_counts_as_controlled() -> None:
    house = House(S.LOADING)
    house.stand_at(HATCH, drawers=(occupied(house),))
    called(house)
    called(house)
    (incident,) = house.incidents()
    assert (incident.kind, incident.delivery, incident.place) == (IncidentKind.DRAWER_NOT_EMPTY, None, PHARMACY)
    assert incident.is_controlled


@pytest.mark.parametrize("handling_class", [HandlingClass.ORDINARY, CONTROLLED])
def test_case_18_the_loading_itself_is_refused_too(handling_class: HandlingClass) -> None:
    house = House(S.LOADING, handling_class=handling_class)
    house.stand_at(HATCH, drawers=(occupied(house),))
    with house.store.reading() as uow, pytest.raises(DrawerNotEmptyError):
        require_empty(uow, uow.deliveries.get(house.delivery), act="The loading")


def test_what_is_being_loaded_is_not_left_from_before() -> None:
    house = controlled(state=S.LOADING)
    opened(house, Present("pharmacist-1", (PHARMACIST, TECHNICIAN)))
    house.report_drawer(DrawerState.OPEN, DrawerContent.OCCUPIED)
    house.report_drawer(DrawerState.LOCKED, DrawerContent.OCCUPIED)
    called(house)
    assert (house.incidents(), house.why_it_stands()) == ([], None)
    with house.store.reading() as uow:
        require_empty(uow, uow.deliveries.get(house.delivery), act="The loading")


def test_what_was_put_in_on_an_opening_whose_answer_was_lost_is_not_left_from_before() -> None:
    house = controlled(state=S.LOADING)
    issued = house.grant(Present("pharmacist-1", (PHARMACIST, TECHNICIAN)))
    house.turn(lambda turn: note_refused(turn, house.robot, issued.action, "nonce: used"))
    house.report_drawer(DrawerState.LOCKED, DrawerContent.OCCUPIED)
    called(house)
    assert house.incidents() == []
    with house.store.reading() as uow:
        require_empty(uow, uow.deliveries.get(house.delivery), act="The loading")
