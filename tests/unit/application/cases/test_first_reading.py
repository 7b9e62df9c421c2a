"""What people said at the first reading stands, whatever they say when they look once more."""

from __future__ import annotations

import pytest

from orchestrator.application.first_reading import COUNT_AGAIN
from orchestrator.application.receiving import SEAL_AGAIN
from orchestrator.domain.custody.errors import BreakGlassOffError
from orchestrator.domain.custody.model import AccountKind
from orchestrator.domain.custody.policy import CustodyPolicy
from orchestrator.domain.delivery.custody_record import LineEnd
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.delivery.packing import Packed
from orchestrator.domain.delivery.seals import SealRead
from tests.support.custody import HATCH, TEN, WARD_A, House, line_of, morphine

S = DeliveryState
PHARMACY_TWO = ("pharmacist-1", "technician-1")


@pytest.fixture
def house() -> House:
    return House()


def broken_down(house: House, delivery: Delivery) -> Delivery:
    """Let the robot of a delivery that stands at the ward turn back with it, and stand at the pharmacy."""
    with house.store.transaction() as uow:
        uow.deliveries.save(moved(uow.deliveries.get(delivery.id), S.RETURNING, at=house.at, cause="engineer-1"))
    return house.brought_back(house.now(delivery))


def test_case_48_a_seal_found_broken_is_an_incident_though_the_count_differed_and_the_seal_is_read_rightly_later(
    house: House,
) -> None:
    arrived = house.arrived()
    first = house.receive(arrived, seal="S-7", is_seal_broken=True, off_by=-1)
    assert (first.state, first.waiting) == (S.ARRIVED, (COUNT_AGAIN,))
    assert house.incidents() == ["seal_broken"]
    received = house.receive(arrived)
    assert received.custody.broken_seals == (arrived.totes[0].id,)
    assert house.incidents() == ["seal_broken"]


def test_case_48_a_tote_once_found_broken_is_counted_whatever_number_is_read_later(house: House) -> None:
    arrived = house.arrived()
    house.receive(arrived, seal="S-7", is_seal_broken=True, off_by=-1)
    received = house.receive(arrived, seal="S-7")
    assert (received.state, received.waiting) == (S.RECEIVED, ())


def test_case_48_a_broken_seal_is_on_record_though_another_seal_is_to_be_read_again(house: House) -> None:
    standing = house.at_hatch(morphine(10), morphine(20))
    first, second = standing.lines
    totes = (Packed("S-1", (first.id,)), Packed("S-2", (second.id,)))
    arrived = house.drive(house.load(standing, totes=totes))
    one, other = arrived.totes
    again = house.receive(arrived, totes=(SealRead(one.id, "S-1", is_broken=True), SealRead(other.id, "S-7")))
    assert (again.waiting, house.incidents()) == ((SEAL_AGAIN,), ["seal_broken"])
    received = house.receive(arrived, totes=(SealRead(one.id, "S-1"), SealRead(other.id, "S-2")))
    assert received.state is S.RECEIVED
    assert house.incidents() == ["seal_broken"]


def test_case_63_one_who_opened_alone_is_on_record_though_two_count_again() -> None:
    house = House(policy=CustodyPolicy(may_break_glass=True))
    arrived = house.arrived()
    house.receive(arrived, "nurse-a1", emergency="cardiac arrest", off_by=-1)
    assert house.incidents() == ["break_glass"]
    received = house.receive(arrived)
    assert received.custody.opened_by_emergency == "cardiac arrest"
    assert house.incidents() == ["break_glass"]


def test_case_51_what_was_said_to_be_something_else_is_set_apart_though_it_is_counted_again(house: House) -> None:
    arrived = house.arrived()
    assert house.receive(arrived, wrong=(line_of(arrived),), off_by=-1).waiting == (COUNT_AGAIN,)
    received = house.receive(arrived)
    assert received.custody.settled[0].end is LineEnd.QUARANTINED
    assert house.units(AccountKind.QUARANTINE, WARD_A) == TEN
    assert house.incidents() == ["wrong_contents"]


def test_what_was_counted_on_the_ward_is_counted_twice_at_the_pharmacy_all_the_same(house: House) -> None:
    arrived = house.arrived()
    house.receive(arrived, off_by=-1)
    back = broken_down(house, arrived)
    first = house.receive(back, *PHARMACY_TWO, off_by=-3)
    assert (first.state, first.waiting) == (S.RETURNING, (COUNT_AGAIN,))
    returned = house.receive(back, *PHARMACY_TWO, off_by=-1)
    assert returned.state is S.RETURNED
    assert house.units(AccountKind.SHORT, HATCH) == 1
    assert [(first.quantity, first.place) for first in returned.custody.first_counts] == [
        (TEN - 1, WARD_A),
        (TEN - 3, HATCH),
    ]


def test_case_63_a_pharmacy_takes_nothing_back_by_one_person_in_an_emergency() -> None:
    house = House(policy=CustodyPolicy(may_break_glass=True))
    back = broken_down(house, house.arrived())
    with pytest.raises(BreakGlassOffError, match="no patient waits"):
        house.receive(back, "technician-1", emergency="busy")
    assert (house.now(back), house.incidents()) == (back, [])
