"""Opening a drawer over HTTP: who may, what is answered, and what reaches the robot."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace

import pytest

from orchestrator.domain.custody.grant import grant_of_text
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.fleet.model import DrawerContent, DrawerReport, DrawerState, RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.model import Role
from ros_nodes.onboard.grant_key import verifier
from simulation.grant_signer import SeededSigner
from tests.support.desk import WARD, a_report
from tests.support.house_of_staff import WARD_A, House, a_house

ACT = "open_drawer"


@pytest.fixture
def house() -> Iterator[House]:
    with a_house() as opened:
        for number in (1, 2):
            opened.staff.add(f"nurse-r{number}", Role.NURSE, places=(WARD_A,), registration=f"1{number}A3456B")
        yield opened


def stand_at_ward(house: House, *, checks_grants: bool = True, nonce: str = "ab" * 16) -> None:
    """Let robot-1 stand at ward A with its drawers locked."""
    drawers = tuple(DrawerReport(name, DrawerState.LOCKED, DrawerContent.OCCUPIED) for name in ("top", "middle"))
    report = replace(a_report(), last_waypoint=WARD, drawers=drawers, nonce=nonce, received_at=house.clock.now())
    with house.store.transaction() as uow:
        uow.robots.save(RobotRecord(RobotId("robot-1"), tip=WARD, report=report, checks_grants=checks_grants))


def arrived(house: House, *, handling_class: HandlingClass = HandlingClass.ORDINARY) -> Delivery:
    delivery = house.delivery(DeliveryState.ARRIVED)
    with house.store.transaction() as uow:
        known = uow.deliveries.get(delivery.id)
        lines = tuple(replace(line, handling_class=handling_class) for line in known.lines)
        uow.deliveries.save(replace(known, lines=lines))
        return uow.deliveries.get(delivery.id)


def test_two_nurses_have_a_controlled_drawer_opened_and_the_robot_gets_a_signed_grant(house: House) -> None:
    delivery = arrived(house, handling_class=HandlingClass.CONTROLLED)
    stand_at_ward(house)
    token = house.token("nurse-r1")
    step_ups = tuple(house.stepped_up(nurse, ACT, delivery.id) for nurse in ("nurse-r1", "nurse-r2"))
    answer = house.post(f"/deliveries/{delivery.id}/open-drawer", {}, token=token, step_ups=step_ups)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["outcome"], told["purpose"], told["people"]) == ("issued", "hand_over", ["nurse-r1", "nurse-r2"])
    assert "ab" * 16 not in answer.text
    with house.store.reading() as uow:
        (message,) = uow.outbox.wanted()
    assert message.action is not None
    assert message.action.grant is not None
    assert message.action.signature is not None
    signature = base64.b64decode(message.action.signature)
    assert verifier(SeededSigner("desk").public)(message.action.grant.encode(), signature)
    assert grant_of_text(message.action.grant).delivery == delivery.id
    listed = house.get(f"/deliveries/{delivery.id}/openings", token=token).json()["openings"]
    assert listed == [told]


def test_one_nurse_a_nurse_of_another_ward_or_nobody_proved_is_refused(house: House) -> None:
    delivery = arrived(house, handling_class=HandlingClass.CONTROLLED)
    stand_at_ward(house)
    path = f"/deliveries/{delivery.id}/open-drawer"
    token = house.token("nurse-r1")
    none = house.post(path, {}, token=token)
    one = house.post(path, {}, token=token, step_ups=(house.stepped_up("nurse-r1", ACT, delivery.id),))
    twice = tuple(house.stepped_up("nurse-r1", ACT, delivery.id) for _ in range(2))
    same = house.post(path, {}, token=token, step_ups=twice)
    assert house.step_up("nurse-b1", ACT, delivery.id).status_code == 403
    other = house.post(path, {}, token=house.token("nurse-b1"))
    for answer in (none, one, same, other):
        assert answer.status_code in (401, 403, 409), answer.text
    with house.store.reading() as uow:
        assert uow.outbox.wanted() == []
        assert uow.grants.standing() == []


def test_a_retry_is_answered_as_the_first_time_and_one_grant_is_issued(house: House) -> None:
    delivery = arrived(house)
    stand_at_ward(house)
    token = house.token("nurse-r1")
    step_ups = (house.stepped_up("nurse-r1", ACT, delivery.id),)
    path = f"/deliveries/{delivery.id}/open-drawer"
    answers = [house.post(path, {}, token=token, step_ups=step_ups, key="again").json() for _ in range(2)]
    assert answers[0] == answers[1]
    with house.store.reading() as uow:
        assert len(uow.outbox.wanted()) == len(uow.grants.standing()) == 1


def test_a_step_up_for_another_act_opens_nothing(house: House) -> None:
    delivery = arrived(house)
    stand_at_ward(house)
    step_ups = (house.stepped_up("nurse-r1", "receive_delivery", delivery.id),)
    path = f"/deliveries/{delivery.id}/open-drawer"
    answer = house.post(path, {}, token=house.token("nurse-r1"), step_ups=step_ups)
    assert answer.status_code in (401, 403)
    with house.store.reading() as uow:
        assert uow.outbox.wanted() == []


def test_a_robot_that_checks_no_grants_is_named(house: House) -> None:
    delivery = arrived(house)
    stand_at_ward(house, checks_grants=False)
    step_ups = (house.stepped_up("nurse-r1", ACT, delivery.id),)
    path = f"/deliveries/{delivery.id}/open-drawer"
    answer = house.post(path, {}, token=house.token("nurse-r1"), step_ups=step_ups)
    assert (answer.status_code, answer.json()["code"]) == (409, "robot_checks_no_grants")


def test_what_is_controlled_is_not_received_before_its_drawer_was_opened(house: House) -> None:
    delivery = arrived(house, handling_class=HandlingClass.CONTROLLED)
    stand_at_ward(house)
    step_ups = tuple(house.stepped_up(nurse, "receive_delivery", delivery.id) for nurse in ("nurse-r1", "nurse-r2"))
    answer = house.receive(delivery, token=house.token("nurse-r1"), step_ups=step_ups)
    assert (answer.status_code, answer.json()["code"]) == (409, "drawer_not_opened"), answer.text
