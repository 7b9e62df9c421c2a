"""Acceptance cases on arrival, opening, receipt, mismatch and seal, each under its number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.application.first_reading import COUNT_AGAIN
from orchestrator.application.receivers import call_receivers
from orchestrator.application.receiving import SEAL_AGAIN
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.errors import (
    BreakGlassOffError,
    NotEligibleError,
    PeopleMissingError,
    SamePersonError,
)
from orchestrator.domain.custody.model import AccountKind
from orchestrator.domain.custody.people import believed
from orchestrator.domain.custody.policy import CustodyPolicy
from orchestrator.domain.delivery.counts import FirstCount
from orchestrator.domain.delivery.custody_record import LineEnd
from orchestrator.domain.delivery.errors import SealMismatchError, WrongStateError
from orchestrator.domain.delivery.model import Delivery, DeliveryState, LineCount
from orchestrator.domain.people.model import Role
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import PlaceId
from tests.support.custody import HATCH, TEN, WARD_A, House, counted, line_of, morphine
from tests.support.deliveries import a_line

S = DeliveryState
PAUSED = Reason("robot_paused", "Robot robot-1 was paused by porter-1; it goes on when it is resumed.")


@pytest.fixture
def house() -> House:
    return House()


def test_a_receipt_by_two_moves_each_unit_into_the_wards_cupboard_and_leaves_nothing_pending(house: House) -> None:
    received = house.receive(house.arrived())
    assert received.state is S.RECEIVED
    assert received.custody.receivers == ("nurse-a1", "nurse-a2")
    assert received.custody.accountable is None
    assert house.units(AccountKind.CUPBOARD, WARD_A) == TEN
    assert house.units(AccountKind.TRANSIT, received.totes[0].id) == 0
    with house.store.reading() as uow:
        assert uow.ledger.open_pendings() == []
    assert house.entries(received) == ["accepted", "sealed", "received"]


@pytest.mark.parametrize("second", ["porter-1", "manager-1", "engineer-1", "pharmacist-1", "nobody-registered"])
def test_case_44_people_of_another_role_do_not_receive(house: House, second: str) -> None:
    house.people["nobody-registered"] = replace(house.people["nurse-a1"], id="student-1", registration=None)  # type: ignore[arg-type]
    arrived = house.arrived()
    with pytest.raises(NotEligibleError):
        house.receive(arrived, "nurse-a1", second)
    assert house.now(arrived).state is S.ARRIVED


def test_case_45_a_nurse_of_another_ward_does_not_receive(house: House) -> None:
    arrived = house.arrived()
    with pytest.raises(NotEligibleError):
        house.receive(arrived, "nurse-b1", "nurse-b2")
    with pytest.raises(NotEligibleError):
        house.receive(arrived, "nurse-a1", "nurse-b1")


def test_case_46_without_a_witness_nothing_controlled_is_received(house: House) -> None:
    arrived = house.arrived()
    with pytest.raises(PeopleMissingError):
        house.receive(arrived, "nurse-a1")
    with pytest.raises(SamePersonError):
        house.receive(arrived, "nurse-a1", "nurse-a1")
    assert house.units(AccountKind.TRANSIT, arrived.totes[0].id) == TEN


def test_case_2_agency_staff_receive_only_where_the_place_allows_it() -> None:
    for is_allowed in (False, True):
        house = House(policy=CustodyPolicy(may_agency_handle_controlled=is_allowed))
        house.hire("agency-1", Role.NURSE, places=(WARD_A,), is_agency=True)
        arrived = house.arrived()
        if is_allowed:
            assert house.receive(arrived, "nurse-a1", "agency-1").state is S.RECEIVED
        else:
            with pytest.raises(NotEligibleError):
                house.receive(arrived, "nurse-a1", "agency-1")


def test_case_69_the_accountable_officer_signs_no_receipt_whatever_else_they_are(house: House) -> None:
    house.hire("officer-2", Role.ACCOUNTABLE_OFFICER, Role.NURSE, places=(WARD_A,))
    arrived = house.arrived()
    for people in (("nurse-a1", "officer-2"), ("officer-2", "nurse-a1"), ("nurse-a1", "officer-1")):
        with pytest.raises(NotEligibleError):
            house.receive(arrived, *people)


def test_whom_development_believes_receives_nothing_controlled(house: House) -> None:
    from orchestrator.application.confirm_receipt import Reading, confirm_receipt

    arrived = house.arrived()
    with pytest.raises(PeopleMissingError):
        house.do(
            confirm_receipt,
            delivery=arrived.id,
            reading=Reading("S-1", counted(arrived)),
            present=believed("nurse-a1"),
            premises=house.premises,
            ids=house.ids,
        )


# -- seal --------------------------------------------------------------------------------------------------------------


def test_case_47_a_seal_read_wrongly_is_entered_once_more_and_may_then_be_received(house: House) -> None:
    arrived = house.arrived()
    again = house.receive(arrived, seal="S-7")
    assert (again.state, again.waiting) == (S.ARRIVED, (SEAL_AGAIN,))
    assert house.receive(arrived, seal="S-1").state is S.RECEIVED
    assert house.incidents() == []


def test_case_47_a_seal_that_differs_twice_leaves_the_bag_unopened_and_it_is_set_apart_at_the_pharmacy(
    house: House,
) -> None:
    arrived = house.arrived()
    house.receive(arrived, seal="S-7")
    back = house.receive(arrived, seal="S-7")
    assert back.state is S.RETURNING
    assert house.incidents() == ["seal_differs"]
    assert house.units(AccountKind.TRANSIT, arrived.totes[0].id) == TEN

    taken = house.receive(house.brought_back(back), "pharmacist-1", "technician-1", seal="S-7")
    assert taken.state is S.RETURNED
    assert house.units(AccountKind.QUARANTINE, HATCH) == TEN
    assert house.units(AccountKind.TRANSIT, arrived.totes[0].id) == 0


def test_the_right_seal_is_never_told(house: House) -> None:
    arrived = house.arrived()
    house.receive(arrived, seal="S-7")
    assert all("S-1" not in reason.sentence for reason in house.now(arrived).waiting)


def test_case_48_a_broken_seal_is_counted_before_a_witness_and_is_an_incident_even_if_the_count_is_right(
    house: House,
) -> None:
    received = house.receive(house.arrived(), seal="S-7", is_seal_broken=True)
    assert received.state is S.RECEIVED
    assert house.incidents() == ["seal_broken"]
    assert house.units(AccountKind.CUPBOARD, WARD_A) == TEN


# -- count -------------------------------------------------------------------------------------------------------------


def test_case_49_a_count_that_is_over_is_counted_again_and_then_set_apart_with_one_unit_over(house: House) -> None:
    arrived = house.arrived()
    first = house.receive(arrived, off_by=1)
    assert (first.state, first.waiting) == (S.ARRIVED, (COUNT_AGAIN,))
    assert house.units(AccountKind.TRANSIT, arrived.totes[0].id) == TEN

    received = house.receive(arrived, off_by=1)
    assert received.state is S.RECEIVED
    assert received.custody.settled[0].end is LineEnd.RECEIVED_DIFFERENT
    assert house.units(AccountKind.QUARANTINE, WARD_A) == TEN + 1
    assert house.units(AccountKind.OVER, WARD_A) == -1
    assert house.units(AccountKind.CUPBOARD, WARD_A) == 0
    assert house.incidents() == ["over"]


def test_a_count_that_is_short_leaves_the_missing_units_under_investigation(house: House) -> None:
    arrived = house.arrived()
    house.receive(arrived, off_by=-2)
    received = house.receive(arrived, off_by=-2)
    assert received.state is S.RECEIVED
    assert house.units(AccountKind.QUARANTINE, WARD_A) == TEN - 2
    assert house.units(AccountKind.SHORT, WARD_A) == 2
    assert house.incidents() == ["short"]
    with house.store.reading() as uow:
        incident = uow.incidents.newest(1)[0]
    assert incident.caused_by == ("nurse-a1", "nurse-a2")
    assert incident.schedule == "0002"
    assert str(TEN) not in incident.sentence


def test_case_50_a_count_that_was_mistyped_is_corrected_by_the_recount_and_both_are_kept(house: House) -> None:
    arrived = house.arrived()
    house.receive(arrived, off_by=1)
    received = house.receive(arrived)
    assert received.custody.first_counts == (FirstCount(line_of(arrived), TEN + 1, PlaceId(WARD_A)),)
    assert received.receipt is not None
    assert received.receipt.counts == counted(arrived)
    assert house.incidents() == []
    assert house.units(AccountKind.CUPBOARD, WARD_A) == TEN
    assert house.entries(received) == ["accepted", "sealed", "counted_first", "received"]


def test_case_50_after_signing_nobody_counts_again(house: House) -> None:
    received = house.receive(house.arrived())
    with pytest.raises(WrongStateError):
        house.receive(received, off_by=-1)
    assert house.units(AccountKind.CUPBOARD, WARD_A) == TEN


def test_case_51_another_medicine_in_the_bag_is_not_taken_in_but_set_apart(house: House) -> None:
    arrived = house.arrived()
    received = house.receive(arrived, wrong=(line_of(arrived),))
    assert received.custody.settled[0].end is LineEnd.QUARANTINED
    assert house.units(AccountKind.QUARANTINE, WARD_A) == TEN
    assert house.units(AccountKind.CUPBOARD, WARD_A) == 0
    assert house.incidents() == ["wrong_contents"]


def test_only_the_line_that_differs_is_set_apart(house: House) -> None:
    arrived = house.arrived(morphine(10), morphine(20))
    counts = (LineCount(line_of(arrived, 0), 9), LineCount(line_of(arrived, 1), 20))
    house.receive(arrived, counts=counts)
    received = house.receive(arrived, counts=counts)
    assert [settled.end for settled in received.custody.settled] == [LineEnd.RECEIVED_DIFFERENT, LineEnd.RECEIVED]
    assert house.units(AccountKind.CUPBOARD, WARD_A) == 20
    assert house.units(AccountKind.QUARANTINE, WARD_A) == 9


def test_a_line_that_is_refused_goes_back_under_a_new_seal_and_the_others_are_received(house: House) -> None:
    arrived = house.arrived(morphine(10), morphine(20))
    refused = house.receive(arrived, refused=(line_of(arrived, 1),), new_seal="S-9")
    assert refused.state is S.RETURNING
    assert house.units(AccountKind.CUPBOARD, WARD_A) == 10
    opened, own = refused.totes
    assert (opened.id, opened.lines, opened.seal_read) == (arrived.load, (line_of(arrived, 0),), "S-1")
    assert (own.lines, own.seal_number) == ((line_of(arrived, 1),), "S-9")
    assert house.units(AccountKind.TRANSIT, opened.id) == 0
    assert house.units(AccountKind.TRANSIT, own.id) == 20
    assert house.entries(refused)[-2:] == ["received", "resealed"]

    back = house.brought_back(refused)
    counts = (LineCount(line_of(arrived, 1), 20),)
    returned = house.receive(back, "pharmacist-1", "technician-1", seal="S-9", counts=counts)
    assert returned.state is S.RETURNED
    assert house.units(AccountKind.RETURNED, HATCH) == 20
    assert [settled.end for settled in returned.custody.settled] == [LineEnd.RECEIVED, LineEnd.RETURNED]


# -- who comes first ---------------------------------------------------------------------------------------------------


def test_two_nurses_at_one_drawer_end_one_way(house: House) -> None:
    arrived = house.arrived()
    house.receive(arrived, "nurse-a1", "nurse-a2")
    with pytest.raises(WrongStateError):
        house.receive(arrived, "nurse-a3", "charge-a")
    assert house.units(AccountKind.CUPBOARD, WARD_A) == TEN


def test_a_late_acceptance_after_a_return_changes_nothing(house: House) -> None:
    from orchestrator.application.refuse_delivery import refuse_delivery

    arrived = house.arrived()
    house.do(
        refuse_delivery,
        delivery=arrived.id,
        reason="not ours",
        present=house.present("nurse-a1"),
        premises=house.premises,
    )
    with pytest.raises(WrongStateError):
        house.receive(arrived)
    with pytest.raises(WrongStateError):
        house.accept(arrived)


# -- emergencies -------------------------------------------------------------------------------------------------------


def test_case_63_one_person_alone_opens_only_where_the_policy_allows_it_and_it_is_always_an_incident() -> None:
    house = House()
    arrived = house.arrived()
    with pytest.raises(BreakGlassOffError):
        house.receive(arrived, "nurse-a1", emergency="cardiac arrest")

    house = House(policy=CustodyPolicy(may_break_glass=True))
    arrived = house.arrived()
    with pytest.raises(NotEligibleError):
        house.receive(arrived, "porter-1", emergency="cardiac arrest")
    received = house.receive(arrived, "nurse-a1", emergency="cardiac arrest")
    assert received.custody.opened_by_emergency == "cardiac arrest"
    assert house.incidents() == ["break_glass"]
    assert "incident_opened" in house.events()


# -- nobody answers ----------------------------------------------------------------------------------------------------


def called(house: House) -> Delivery:
    with house.store.transaction() as uow:
        turn = Turn(uow, at=house.at, at_s=0.0, ids=house.ids, records={})
        call_receivers(turn, house.policy)
        return next(iter(turn.deliveries.values()))


def test_case_43_the_ward_then_the_nurse_in_charge_then_the_site_manager_are_called_and_then_it_goes_back(
    house: House,
) -> None:
    house.arrived()
    told = []
    for _ in range(3):
        house.wait(seconds=house.policy.nobody_answers_s)
        told.append(called(house).waiting[0].code)
    assert told == ["receiver_missing", "nurse_in_charge_called", "site_manager_called"]
    with house.store.reading() as uow:
        called_people = [event.data for event in uow.events.after(0, 1000) if event.kind == "receiver_called"]
    assert [data["audience"] for data in called_people] == [["ward"], ["nurse_in_charge"], ["site_manager"]]

    house.wait(seconds=house.policy.return_after_s)
    assert called(house).state is S.RETURNING
    assert house.units(AccountKind.TRANSIT, house.now(called(house)).totes[0].id) == TEN


def test_a_stage_is_told_once(house: House) -> None:
    house.arrived()
    house.wait(seconds=house.policy.nobody_answers_s)
    for _ in range(3):
        called(house)
    assert house.events().count("receiver_called") == 1


def test_nobody_is_called_while_people_count_again(house: House) -> None:
    arrived = house.arrived()
    house.receive(arrived, off_by=1)
    house.wait(hours=2)
    assert called(house).waiting == (COUNT_AGAIN,)


def waiting_for(house: House, delivery: Delivery, *reasons: Reason) -> None:
    """What is said of it when somebody has paused its robot, or resumed it again."""
    with house.store.transaction() as uow:
        uow.deliveries.save(replace(uow.deliveries.get(delivery.id), waiting=reasons))


def test_people_are_called_and_it_goes_back_though_its_robot_is_paused_at_the_ward(house: House) -> None:
    waiting_for(house, house.arrived(), PAUSED)
    for code in ("receiver_missing", "nurse_in_charge_called"):
        house.wait(seconds=house.policy.nobody_answers_s)
        for _ in range(3):
            assert [reason.code for reason in called(house).waiting] == [code, "robot_paused"]
    assert house.events().count("receiver_called") == 2
    house.wait(seconds=house.policy.return_after_s)
    assert called(house).state is S.RETURNING


@pytest.mark.parametrize("said", [(), (PAUSED,)])
def test_what_people_count_again_stays_there_whatever_befalls_its_robot(house: House, said: tuple[Reason, ...]) -> None:
    arrived = house.arrived()
    house.receive(arrived, off_by=1)
    waiting_for(house, arrived, *said)
    house.wait(hours=2)
    assert (called(house).state, called(house).waiting) == (S.ARRIVED, said)


def test_ordinary_medicines_are_received_by_one_and_their_seal_is_refused_without_being_told(house: House) -> None:
    from orchestrator.domain.custody.supply import SupplyRequest

    ready = house.queue(a_line(), supply=SupplyRequest())
    arrived = house.drive(house.load(house.fetched(ready), "technician-1"))
    with pytest.raises(SealMismatchError) as refused:
        house.receive(arrived, "nurse-a1", seal="S-7")
    assert "S-1" not in str(refused.value)
    assert house.receive(arrived, "nurse-a1").state is S.RECEIVED
    assert house.entries(arrived) == []
