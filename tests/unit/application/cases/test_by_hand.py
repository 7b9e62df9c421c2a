"""Controlled medicines that people carry: counted and sealed before they leave, and signed for by whoever has them."""

from __future__ import annotations

import pytest

from orchestrator.application.hand_to_runner import NOT_LOOKED_AT, TakenOut, hand_to_runner
from orchestrator.application.trips import progress_trips
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.errors import NotEligibleError, NotReadyError, PeopleMissingError
from orchestrator.domain.custody.model import AccountKind
from orchestrator.domain.delivery.custody_record import Carrier
from orchestrator.domain.delivery.errors import WrongStateError
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord
from tests.support.custody import TEN, WARD_A, House

S = DeliveryState
ROBOT = RobotId("robot-1")


@pytest.fixture
def house() -> House:
    return House()


def carry(
    house: House, delivery: Delivery, *by: str, looked: TakenOut = NOT_LOOKED_AT, is_emptied: bool = True
) -> Delivery:
    return house.do(
        hand_to_runner,
        delivery=delivery.id,
        reason="wanted now",
        is_emptied=is_emptied,
        present=house.present(*by),
        premises=house.premises,
        ids=house.ids,
        taken_out=looked,
    )


# -- before it is sealed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("people", [("nurse-a1",), ("nurse-a1", "nurse-a2"), ("pharmacist-1", "technician-1")])
def test_what_is_on_the_ledger_is_handed_to_nobody_before_it_is_sealed(house: House, people: tuple[str, ...]) -> None:
    ready = house.ready()
    at_hatch = house.fetched(house.ready())
    for unsealed in (ready, at_hatch):
        with pytest.raises(NotReadyError, match="is_by_hand"):
            carry(house, unsealed, *people)
        assert house.now(unsealed) == unsealed


@pytest.mark.parametrize("stands_at_hatch", [False, True])
def test_what_a_robot_was_to_fetch_is_counted_and_sealed_by_hand_and_a_messenger_goes(
    house: House, stands_at_hatch: bool
) -> None:
    ready = house.ready()
    if stands_at_hatch:
        ready = house.fetched(ready)
    with pytest.raises(PeopleMissingError):
        house.load(ready, "pharmacist-1", is_by_hand=True)
    with pytest.raises(NotEligibleError):
        house.load(ready, "nurse-a1", "nurse-a2", is_by_hand=True)
    carried = house.load(ready, is_by_hand=True)
    assert (carried.state, carried.robot, carried.drawer, carried.trip) == (S.HANDED_TO_RUNNER, None, None, None)
    assert (carried.custody.carrier, carried.custody.accountable) == (Carrier.MESSENGER, "pharmacist-1")
    assert house.units(AccountKind.TRANSIT, carried.totes[0].id) == TEN
    assert house.receive(carried).state is S.RECEIVED
    assert house.units(AccountKind.CUPBOARD, WARD_A) == TEN


def test_the_robot_that_stands_for_it_is_let_go(house: House) -> None:
    standing = house.at_hatch()
    assert standing.trip is not None
    house.load(standing, is_by_hand=True)
    with house.store.transaction() as uow:
        progress_trips(Turn(uow, at=house.at, at_s=0.0, ids=house.ids, records={ROBOT: RobotRecord(ROBOT)}))
    with house.store.reading() as uow:
        assert uow.trips.get(standing.trip).ended_at is not None


def test_by_hand_goes_nothing_that_is_not_ready_or_sealed_already(house: House) -> None:
    house.approve()
    queued = house.queue()
    with pytest.raises(WrongStateError):
        house.load(queued, is_by_hand=True)
    sealed = house.sealed()
    with pytest.raises(WrongStateError):
        house.load(sealed, seal="S-2", is_by_hand=True)


@pytest.mark.parametrize("state", [S.HANDED_TO_RUNNER, S.INCIDENT])
def test_what_nobody_sealed_is_cancelled_also_where_people_have_it(house: House, state: DeliveryState) -> None:
    ready = house.ready()
    with house.store.transaction() as uow:
        uow.deliveries.save(moved(ready, state, at=house.at, cause="test"))
    if state is S.INCIDENT:
        with pytest.raises(NotReadyError, match="Cancel it"):
            carry(house, ready, "pharmacist-1", "technician-1")
    assert house.cancel(ready, reason="stuck").state is S.CANCELLED


def test_what_is_sealed_is_not_cancelled_while_people_have_it(house: House) -> None:
    carried = carry(house, house.sealed(), "pharmacist-2", "nurse-a1")
    with pytest.raises(WrongStateError):
        house.cancel(carried, reason="stuck")
