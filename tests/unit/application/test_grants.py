from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.application.drawer_watch import (
    note_opened,
    note_refused,
    settle_openings,
)
from orchestrator.application.grants import (
    checks_grants,
    require_opened,
)
from orchestrator.application.openings import void_grants_of
from orchestrator.application.staff import revoke_staff
from orchestrator.domain.custody.errors import (
    BreakGlassOffError,
    NotEligibleError,
    PeopleMissingError,
    SamePersonError,
)
from orchestrator.domain.custody.grant import Purpose, grant_of_text
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.issued_grant import (
    DrawerNotOpenedError,
    GrantOutcome,
    NoGrantsError,
    NonceUsedError,
    RobotNotReadyToOpenError,
)
from orchestrator.domain.custody.people import Present
from orchestrator.domain.custody.policy import CustodyPolicy
from orchestrator.domain.delivery.errors import WrongStateError
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.fleet.model import (
    DrawerContent,
    DrawerReport,
    DrawerState,
    RobotId,
)
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.model import Person, PersonId, Role
from orchestrator.domain.site.model import PlaceId, StationId, WaypointId
from tests.support.deliveries import NOON
from tests.support.drawer_house import (
    ALDER,
    HATCH,
    LATER,
    NONCE,
    NURSE,
    NURSE_FROM_BIRCH,
    PHARMACIST,
    PHARMACY,
    SECOND_NURSE,
    TECHNICIAN,
    WARD,
    House,
    S,
)
from tests.support.drawers import KEY
from tests.support.staff import Staff


def test_the_robot_is_sent_a_signed_grant_for_the_nonce_it_shows() -> None:
    house = House()
    issued = house.grant()
    with house.store.reading() as uow:
        (message,) = uow.outbox.wanted()
        delivery = uow.deliveries.get(house.delivery)
    action = message.action
    assert action is not None
    assert action.grant is not None
    assert action.signature is not None
    assert (action.id, message.robot) == (issued.action, house.robot)
    KEY.public_key().verify(base64.b64decode(action.signature), action.grant.encode())
    grant = grant_of_text(action.grant)
    robot = house.fleet.robots[house.robot]
    assert (grant.manufacturer, grant.serial_number) == (robot.manufacturer, robot.serial_number)
    assert (grant.drawer, grant.delivery, grant.load) == (house.drawer, house.delivery, delivery.load)
    assert (grant.purpose, grant.node) == (Purpose.HAND_OVER, house.fleet.waypoint_of(house.robot, WARD))
    assert (grant.nonce, grant.lifetime_s) == (NONCE, 60)


def test_no_event_holds_the_nonce_a_signature_or_what_lies_in_the_drawer() -> None:
    house = House()
    issued = house.grant(Present("nurse-1", (NURSE,)))
    with house.store.reading() as uow:
        told = json.dumps([[event.subject, dict(event.data)] for event in uow.events.after(0, 100)])
        medicines = [line.medicine for line in uow.deliveries.get(house.delivery).lines]
    assert issued.nonce not in told
    assert not any(medicine in told for medicine in medicines)
    assert "nurse-1" in told


@pytest.mark.parametrize(
    ("state", "purpose", "station"),
    [
        (S.LOADING, Purpose.LOAD, HATCH),
        (S.ARRIVED, Purpose.HAND_OVER, WARD),
        (S.RETURNING, Purpose.TAKE_BACK, HATCH),
    ],
)
def test_what_a_drawer_is_opened_for_follows_from_the_delivery(
    state: DeliveryState, purpose: Purpose, station: StationId
) -> None:
    house = House(state)
    house.stand_at(station)
    assert house.grant().purpose is purpose


def test_one_nonce_is_granted_once() -> None:
    house = House()
    house.grant()
    with pytest.raises(NonceUsedError):
        house.grant()


@pytest.mark.parametrize(
    "changes",
    [
        {"is_driving": True},
        {"last_waypoint": WaypointId("hall_ne")},
        {"nonce": None},
        {"received_at": NOON - timedelta(seconds=90)},
        {"drawers": ()},
        {"drawers": (DrawerReport("other", DrawerState.OPEN, DrawerContent.EMPTY),)},
    ],
)
def test_nothing_is_granted_to_a_robot_that_is_not_ready(changes: dict[str, object]) -> None:
    house = House()
    house.stand_at(WARD, **changes)
    with pytest.raises(RobotNotReadyToOpenError):
        house.grant()


def test_nothing_is_granted_at_another_station() -> None:
    house = House()
    house.stand_at(HATCH)
    with pytest.raises(RobotNotReadyToOpenError):
        house.grant()


def test_nothing_is_granted_to_a_robot_that_is_lost_24() -> None:
    house = House()
    house.put(replace(house.record, lost_since=NOON))
    with pytest.raises(RobotNotReadyToOpenError):
        house.grant()


def test_nothing_is_granted_to_a_robot_whose_factsheet_declares_no_grants() -> None:
    house = House()
    house.put(replace(house.record, checks_grants=False))
    with house.store.reading() as uow:
        assert not checks_grants(uow, house.robot)
    with pytest.raises(NoGrantsError):
        house.grant()


def test_nothing_is_granted_in_another_state() -> None:
    with pytest.raises(WrongStateError):
        House().grant(purpose=Purpose.LOAD)


CONTROLLED = HandlingClass.CONTROLLED


@pytest.mark.parametrize(
    ("state", "people", "error"),
    [
        (S.ARRIVED, (), PeopleMissingError),
        (S.ARRIVED, (NURSE,), PeopleMissingError),
        (S.ARRIVED, (NURSE, NURSE), SamePersonError),
        (S.ARRIVED, (NURSE, NURSE_FROM_BIRCH), NotEligibleError),
        (S.ARRIVED, (NURSE, PHARMACIST), NotEligibleError),
        (S.ARRIVED, (NURSE, replace(SECOND_NURSE, revoked_at=NOON)), NotEligibleError),
        (S.ARRIVED, (NURSE, replace(SECOND_NURSE, expires_at=NOON)), NotEligibleError),
        (S.LOADING, (PHARMACIST,), PeopleMissingError),
        (S.LOADING, (NURSE, SECOND_NURSE), NotEligibleError),
    ],
)
def test_the_wrong_people_get_no_controlled_drawer_opened(
    state: DeliveryState, people: tuple[Person, ...], error: type[Exception]
) -> None:
    house = House(state, handling_class=CONTROLLED)
    with pytest.raises(error):
        house.grant(Present("somebody", people, is_believed=True))
    with house.store.reading() as uow:
        assert uow.outbox.wanted() == []


@pytest.mark.parametrize(
    ("state", "people"), [(S.ARRIVED, (NURSE, SECOND_NURSE)), (S.LOADING, (PHARMACIST, TECHNICIAN))]
)
def test_two_of_the_right_people_get_it_opened(state: DeliveryState, people: tuple[Person, ...]) -> None:
    house = House(state, handling_class=CONTROLLED)
    assert house.grant(Present("nurse-1", people)).people == tuple(person.id for person in people)


def test_two_people_retrieve_wherever_the_robot_stands_and_whatever_it_is_65() -> None:
    house = House(S.INCIDENT)
    house.stand_at(HATCH)
    with pytest.raises(PeopleMissingError):
        house.grant(purpose=Purpose.RETRIEVE)
    issued = house.grant(Present("nurse-1", (NURSE, PHARMACIST)), purpose=Purpose.RETRIEVE)
    with house.store.reading() as uow:
        (message,) = uow.outbox.wanted()
    assert message.action is not None
    assert message.action.grant is not None
    assert grant_of_text(message.action.grant).node == ""
    assert issued.purpose is Purpose.RETRIEVE


def test_no_drawer_is_opened_in_the_cabin_of_a_lift_not_even_by_two_who_retrieve_31() -> None:
    house = House(S.INCIDENT)
    present, record, cabin = Present("nurse-1", (NURSE, PHARMACIST)), house.record, WaypointId("lift_ground")
    assert record.report is not None
    report = replace(record.report, last_waypoint=cabin, pose=house.fleet.pose_of(house.robot, cabin))
    house.put(replace(record, tip=cabin, report=report))

    with pytest.raises(RobotNotReadyToOpenError, match="lift"):
        house.grant(present, purpose=Purpose.RETRIEVE)
    with house.store.reading() as uow:
        assert list(uow.outbox.wanted()) == []

    house.put(record)
    assert house.grant(present, purpose=Purpose.RETRIEVE).purpose is Purpose.RETRIEVE


def test_one_person_breaks_glass_only_where_the_place_allows_it() -> None:
    alone = Present("nurse-1", (NURSE,))
    with pytest.raises(BreakGlassOffError):
        House(handling_class=CONTROLLED).grant(alone, is_break_glass=True)
    house = House(handling_class=CONTROLLED, policy=CustodyPolicy(may_break_glass=True))
    assert house.grant(alone, is_break_glass=True, reason="cardiac arrest").people == ("nurse-1",)


def test_revoking_somebody_voids_what_they_were_granted_and_no_robot_answered() -> None:
    house = House(handling_class=CONTROLLED)
    issued = house.grant(Present("nurse-1", (NURSE, SECOND_NURSE)))
    with house.store.transaction() as uow:
        assert void_grants_of(uow, PersonId("nurse-3"), at=LATER) == ()
        (voided,) = void_grants_of(uow, SECOND_NURSE.id, at=LATER)
        assert uow.outbox.wanted() == []
        assert uow.grants.standing() == []
    assert (voided.id, voided.outcome, voided.reason) == (issued.id, GrantOutcome.VOID, "revoked")
    assert house.told() == ["drawer_granted", "drawer_grant_void"]


def test_whoever_is_revoked_in_the_staff_list_loses_what_no_robot_has_answered() -> None:
    house = House(handling_class=CONTROLLED)
    Staff(house.store).add("nurse-2", Role.NURSE, places=(ALDER,))
    issued = house.grant(Present("nurse-1", (NURSE, SECOND_NURSE)))
    with house.store.transaction() as uow:
        revoke_staff(uow, PersonId("nurse-2"), reason="left", at=LATER, by="administrator-1")
    assert house.kept(issued).outcome is GrantOutcome.VOID


def test_the_books_follow_a_drawer_that_is_opened_and_closed() -> None:
    house = House()
    issued = house.grant()
    house.turn(lambda turn: note_opened(turn, house.robot, issued.action))
    house.report_drawer(DrawerState.OPEN)
    house.report_drawer(DrawerState.LOCKED)
    kept = house.kept(issued)
    assert (kept.outcome, kept.answered_at, kept.closed_at) == (GrantOutcome.OPENED, LATER, LATER)
    assert house.told() == ["drawer_granted", "drawer_opened", "drawer_closed"]


def test_a_refusal_is_kept_with_the_robots_reason() -> None:
    house = House()
    issued = house.grant()
    house.turn(lambda turn: note_refused(turn, house.robot, issued.action, "moving: the robot has not stood still"))
    kept = house.kept(issued)
    assert (kept.outcome, kept.reason, kept.settled_at) == (GrantOutcome.REFUSED, "moving", LATER)
    assert house.why_it_stands() is None


def test_a_drawer_that_opens_unasked_is_told_once() -> None:
    house = House()
    house.report_drawer(DrawerState.OPEN)
    house.report_drawer(DrawerState.OPEN)
    assert house.told() == ["drawer_opened_unasked", "alarm"]


@pytest.mark.parametrize("handling_class", [HandlingClass.ORDINARY, CONTROLLED])
def test_what_lies_in_a_drawer_that_opens_unasked_is_an_incident_once_26(handling_class: HandlingClass) -> None:
    house = House(handling_class=handling_class)
    house.report_drawer(DrawerState.OPEN)
    house.report_drawer(DrawerState.OPEN, DrawerContent.OCCUPIED)
    (incident,) = house.incidents()
    assert (incident.kind, incident.delivery) == (IncidentKind.DRAWER_FORCED, house.delivery)
    assert incident.is_controlled is (handling_class is CONTROLLED)
    assert incident.place == PHARMACY


def test_what_lies_in_a_drawer_that_was_tampered_with_is_an_incident_once_25() -> None:
    house = House(handling_class=CONTROLLED)
    house.report_drawer(DrawerState.LOCKED, DrawerContent.OCCUPIED, is_tampered=True)
    house.report_drawer(DrawerState.LOCKED, DrawerContent.UNKNOWN, is_tampered=True)
    for is_tampered in (False, True, False, True):
        house.report_drawer(DrawerState.LOCKED, is_tampered=is_tampered)
    assert [incident.kind for incident in house.incidents()] == [IncidentKind.DRAWER_FORCED]
    with pytest.raises(RobotNotReadyToOpenError):
        house.grant(Present("nurse-1", (NURSE, SECOND_NURSE)))


def test_a_drawer_that_was_opened_for_people_or_holds_nothing_is_no_incident() -> None:
    house = House()
    issued = house.grant()
    house.turn(lambda turn: note_opened(turn, house.robot, issued.action))
    house.report_drawer(DrawerState.OPEN)
    assert house.incidents() == []
    empty = House()
    empty.deliver()
    empty.report_drawer(DrawerState.OPEN)
    assert (empty.incidents(), empty.told()) == ([], ["drawer_opened_unasked", "alarm"])


def test_a_robot_is_not_sent_on_before_its_drawer_is_locked_and_known_to_be_empty_18() -> None:
    house = House()
    assert house.why_it_stands() is None
    issued = house.grant()
    assert house.why_it_stands() == "drawer_not_locked"
    house.turn(lambda turn: note_opened(turn, house.robot, issued.action))
    house.report_drawer(DrawerState.OPEN, DrawerContent.OCCUPIED)
    house.deliver()
    assert house.why_it_stands() == "drawer_not_locked"
    house.report_drawer(DrawerState.LOCKED, DrawerContent.OCCUPIED)
    assert house.why_it_stands() == "drawer_not_empty"
    house.report_drawer(DrawerState.LOCKED, DrawerContent.UNKNOWN)
    assert house.why_it_stands() == "drawer_not_empty"
    house.report_drawer(DrawerState.LOCKED, DrawerContent.EMPTY)
    assert house.why_it_stands() is None
    house.turn(lambda turn: settle_openings(turn, house.robot))
    assert house.kept(issued).settled_at == LATER


def test_a_drawer_with_something_left_in_it_is_opened_again_after_the_receipt() -> None:
    house = House()
    issued = house.grant()
    house.turn(lambda turn: note_opened(turn, house.robot, issued.action))
    house.deliver()
    house.stand_at(WARD, nonce="cd" * 16)
    assert house.grant().purpose is Purpose.HAND_OVER


def opening(house: House, *, purpose: Purpose = Purpose.HAND_OVER, place: PlaceId = ALDER, **changes: Any) -> str:
    """Return the id of the opening that an act at a place may rest on; some of the delivery is otherwise."""
    with house.store.reading() as uow:
        delivery = replace(uow.deliveries.get(house.delivery), **changes)
        return require_opened(uow, delivery, purpose, place=place, act="The receipt").id


def test_what_needs_an_opening_is_refused_without_one() -> None:
    house = House()
    with pytest.raises(DrawerNotOpenedError):
        opening(house)
    issued = house.grant()
    with pytest.raises(DrawerNotOpenedError):
        opening(house)
    house.turn(lambda turn: note_opened(turn, house.robot, issued.action))
    assert opening(house) == issued.id
    with pytest.raises(DrawerNotOpenedError):
        opening(house, purpose=Purpose.LOAD)


def test_an_opening_elsewhere_of_another_robot_or_before_it_came_here_is_none_of_here_and_now() -> None:
    house = House()
    issued = house.grant()
    house.turn(lambda turn: note_opened(turn, house.robot, issued.action))
    with house.store.reading() as uow:
        history = uow.deliveries.get(house.delivery).history
    came_again = replace(history[-1], at=issued.issued_at + timedelta(minutes=5))
    with pytest.raises(DrawerNotOpenedError):
        opening(house, place=PlaceId("ward_birch"))
    with pytest.raises(DrawerNotOpenedError):
        opening(house, robot=RobotId("robot-9"))
    with pytest.raises(DrawerNotOpenedError):
        opening(house, history=(*history, came_again))
