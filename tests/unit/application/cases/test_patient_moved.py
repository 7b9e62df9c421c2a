"""Acceptance case 36: the patient moves to another ward while the medicines ride."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.application.carriage_approvals import revoke_approval
from orchestrator.application.hand_to_runner import TakenOut, hand_to_runner
from orchestrator.application.refuse_delivery import patient_moved
from orchestrator.application.rerouting import follow_patient, reroute_what_was_accepted
from orchestrator.application.trips import arrive, progress_trips
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.errors import NotEligibleError
from orchestrator.domain.custody.model import AccountKind, PendingId
from orchestrator.domain.delivery.errors import UnknownStationError, WrongStateError
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import Delivery, DeliveryState, StopKind
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.site.model import StationId, WaypointId
from tests.support.custody import HATCH, TEN, WARD_A, WARD_B, House
from tests.support.desk import a_report, a_small_fleet

S = DeliveryState
FLEET = a_small_fleet()
ROBOT = RobotId("robot-1")
RECORD = RobotRecord(ROBOT, tip=WaypointId("w-ward-a-handover"), report=a_report())


@pytest.fixture
def house() -> House:
    found = House()
    for ward in (WARD_A, WARD_B):
        found.approve(to_place=ward, model="cart")
    return found


def riding(house: House) -> Delivery:
    """What was sealed, and has left the hatch for the first ward."""
    sealed = house.sealed()
    with house.store.transaction() as uow:
        gone = moved(uow.deliveries.get(sealed.id), S.IN_TRANSIT, at=house.at, cause="robot-1")
        uow.deliveries.save(gone)
    turn(house)
    return gone


def follow(house: House, delivery: Delivery, to: str = WARD_B, *, by: str = "pharmacist-1") -> Delivery:
    said: dict[str, Any] = {"fleet": FLEET, "to_station": StationId(to), "present": house.present(by)}
    return house.do(follow_patient, delivery=delivery.id, **said)


def turn(house: House, *, way_m: float | None = 12.0, record: RobotRecord = RECORD) -> None:
    """Let the control draw the consequences once."""
    with house.store.transaction() as uow:
        trips = [trip for trip in uow.trips.open() if trip.robot == ROBOT]
        record = replace(record, trip=trips[0].id if trips else None)
        now = Turn(uow, at=house.at, at_s=0.0, ids=house.ids, records={ROBOT: record})
        reroute_what_was_accepted(now, FLEET, reported={ROBOT}, distance=lambda _robot, _start, _goal: way_m)
        progress_trips(now)


def stops(house: House, delivery: Delivery) -> list[tuple[str, StopKind]]:
    assert delivery.trip is not None
    with house.store.reading() as uow:
        return [(stop.station, stop.kind) for stop in uow.trips.get(delivery.trip).stops]


def accept_at_b(house: House, delivery: Delivery) -> Delivery:
    return house.accept(delivery, by="nurse-b1", named=("nurse-b1", "nurse-b2"))


def bound_for(house: House, delivery: Delivery) -> str:
    with house.store.reading() as uow:
        return uow.ledger.pending(PendingId(delivery.lines[0].id)).to_place


def codes(delivery: Delivery) -> list[str]:
    return [reason.code for reason in delivery.waiting]


def test_case_36_it_follows_the_patient_once_the_new_ward_accepts_and_is_received_into_that_wards_register(
    house: House,
) -> None:
    gone = riding(house)
    turned = follow(house, gone)
    assert (turned.state, codes(turned), turned.custody.acceptance) == (S.RETURNING, ["reroute_not_accepted"], None)
    turn(house)
    assert stops(house, gone) == [(HATCH, StopKind.TAKE_BACK)], "it stops at the old ward no more"
    with pytest.raises(WrongStateError):
        house.receive(turned)

    with pytest.raises(NotEligibleError):
        house.accept(turned)
    accept_at_b(house, turned)
    assert bound_for(house, gone) == WARD_A, "nothing has changed its place yet"
    turn(house)
    sent = house.now(gone)
    assert (sent.state, sent.to_station, sent.waiting) == (S.IN_TRANSIT, WARD_B, ())
    assert sent.custody.acceptance is not None
    assert sent.custody.acceptance.named == ("nurse-b1", "nurse-b2")
    assert stops(house, gone) == [(WARD_B, StopKind.HAND_OVER)]
    assert bound_for(house, gone) == WARD_B
    assert house.entries(gone) == ["accepted", "sealed", "patient_moved", "accepted", "rerouted"]

    with house.store.transaction() as uow:
        uow.deliveries.save(moved(uow.deliveries.get(gone.id), S.ARRIVED, at=house.at, cause="robot-1"))
    with pytest.raises(NotEligibleError):
        house.receive(sent, "nurse-a1", "nurse-a2")
    assert house.receive(sent, "nurse-b1", "nurse-b2").state is S.RECEIVED
    assert (house.units(AccountKind.CUPBOARD, WARD_B), house.units(AccountKind.CUPBOARD, WARD_A)) == (TEN, 0)


def test_case_36_without_an_approval_for_the_new_ward_it_comes_back() -> None:
    house = House()
    turned = follow(house, riding(house))
    assert (turned.state, turned.custody.reroute) == (S.RETURNING, None)
    assert codes(turned) == ["reroute_ended", "robot_not_approved"]
    with pytest.raises(WrongStateError):
        accept_at_b(house, turned)
    assert bound_for(house, turned) == WARD_A
    assert house.receive(house.brought_back(turned), "pharmacist-1", "technician-1").state is S.RETURNED


def test_case_36_an_approval_that_was_revoked_meanwhile_no_longer_counts(house: House) -> None:
    turned = follow(house, riding(house))
    accept_at_b(house, turned)
    with house.store.reading() as uow:
        approval = next(one for one in uow.approvals.all() if one.to_place == WARD_B)
    house.do(revoke_approval, approval=approval.id, present=house.present("officer-1"))
    turn(house)
    back = house.now(turned)
    assert (back.state, back.to_station, back.custody.reroute) == (S.RETURNING, WARD_A, None)
    assert codes(back) == ["reroute_ended", "robot_not_approved"]


def test_case_36_not_accepted_in_time_it_comes_back_for_good(house: House) -> None:
    turned = follow(house, riding(house))
    house.wait(minutes=14)
    turn(house)
    assert house.now(turned).custody.reroute is not None
    house.wait(minutes=1)
    turn(house)
    back = house.now(turned)
    assert (back.custody.reroute, codes(back)) == (None, ["reroute_ended", "not_accepted"])
    with pytest.raises(WrongStateError):
        accept_at_b(house, back)


@pytest.mark.parametrize("why", ["no way", "held", "silent"])
def test_case_36_a_robot_that_cannot_go_there_comes_back_and_goes_once_it_can(house: House, why: str) -> None:
    turned = follow(house, riding(house))
    accept_at_b(house, turned)
    silent = replace(RECORD, lost_since=house.at) if why == "silent" else RECORD
    stopped = replace(silent, report=replace(a_report(), is_emergency_stopped=why == "held"))
    turn(house, way_m=None if why == "no way" else 12.0, record=stopped)
    waiting = house.now(turned)
    code = {"no way": "station_unreachable", "held": "emergency_stop", "silent": "robot_lost"}[why]
    assert (waiting.state, codes(waiting)) == (S.RETURNING, [code])
    turn(house)
    assert house.now(turned).state is S.IN_TRANSIT


def test_case_36_what_is_recalled_meanwhile_goes_to_no_ward(house: House) -> None:
    turned = follow(house, riding(house))
    accept_at_b(house, turned)
    house.recall(turns_back=False)
    turn(house)
    assert codes(house.now(turned)) == ["reroute_ended", "recalled"]


def test_case_36_a_recall_ends_it_at_once(house: House) -> None:
    turned = follow(house, riding(house))
    house.recall()
    assert house.now(turned).custody.reroute is None


def test_case_36_a_runner_who_takes_it_over_brings_it_back_and_the_old_ward_does_not_get_it(house: House) -> None:
    turned = follow(house, riding(house))
    carried = house.do(
        hand_to_runner,
        delivery=turned.id,
        reason="the robot stands",
        is_emptied=True,
        present=house.present("pharmacist-2", "nurse-a1"),
        premises=house.premises,
        ids=house.ids,
        taken_out=TakenOut("S-1"),
    )
    assert carried.custody.reroute is None
    with pytest.raises(NotEligibleError):
        house.receive(carried, "nurse-a1", "nurse-a2")
    assert house.receive(carried, "pharmacist-1", "technician-1").state is S.RETURNED
    assert house.units(AccountKind.RETURNED, HATCH) == TEN


def test_case_36_a_second_move_is_said_by_a_person_and_asks_the_ward_anew(house: House) -> None:
    turned = follow(house, riding(house))
    accept_at_b(house, turned)
    again = follow(house, turned, WARD_A, by="charge-a")
    assert again.custody.acceptance is None, "what the second ward said does not count for the first"
    turn(house)
    assert house.now(turned).state is S.RETURNING
    house.accept(again)
    turn(house)
    assert (house.now(turned).state, house.now(turned).to_station) == (S.IN_TRANSIT, WARD_A)
    assert "rerouted" not in house.entries(turned), "it goes where its receipt is pending"


def test_case_36_a_move_without_a_place_ends_it(house: House) -> None:
    turned = follow(house, riding(house))
    present = house.present("pharmacist-1")
    back = house.do(patient_moved, delivery=turned.id, present=present, premises=house.premises)
    assert (back.state, back.custody.reroute) == (S.RETURNING, None)
    with pytest.raises(WrongStateError):
        house.do(patient_moved, delivery=turned.id, present=present, premises=house.premises)


def test_case_36_what_is_cancelled_while_it_follows_its_patient_goes_to_no_ward(house: House) -> None:
    turned = follow(house, riding(house))
    accept_at_b(house, turned)
    back = house.cancel(turned, reason="order stopped")
    assert (back.state, back.custody.reroute) == (S.RETURNING, None)
    turn(house)
    assert house.now(turned).state is S.RETURNING


def test_case_36_what_has_not_left_yet_is_picked_up_again_and_what_is_not_sealed_is_queued_anew(house: House) -> None:
    sealed = house.sealed()
    turned = follow(house, sealed)
    accept_at_b(house, turned)
    turn(house)
    assert house.now(sealed).state is S.SEALED
    assert stops(house, sealed)[-1] == (WARD_B, StopKind.HAND_OVER)
    assert follow(house, house.queue()).state is S.CANCELLED


def test_case_36_only_a_place_where_it_could_be_brought_counts(house: House) -> None:
    gone = riding(house)
    with pytest.raises(UnknownStationError):
        follow(house, gone, "ward-z")
    for station in (WARD_A, HATCH, "charger-1"):
        with pytest.raises(InvalidInputError):
            follow(house, gone, station)
    assert house.now(gone) == gone


def test_case_36_others_aboard_are_received_at_the_old_ward_first(house: House) -> None:
    gone = riding(house)
    assert gone.trip is not None
    with house.store.transaction() as uow:
        other = replace(
            gone,
            id=type(gone.id)("delivery-other"),
            totes=(replace(gone.totes[0], id=type(gone.totes[0].id)("tote-other"), lines=()),),
            lines=(),
        )
        uow.deliveries.add(other)
        trip = uow.trips.get(gone.trip)
        uow.trips.save(replace(trip, stops=tuple(replace(s, deliveries=(gone.id, other.id)) for s in trip.stops)))
    turned = follow(house, gone)
    turn(house)
    assert stops(house, gone) == [(WARD_A, StopKind.HAND_OVER), (HATCH, StopKind.TAKE_BACK)]
    accept_at_b(house, turned)
    turn(house)
    assert stops(house, gone) == [(WARD_A, StopKind.HAND_OVER), (WARD_B, StopKind.HAND_OVER)]
    with house.store.transaction() as uow:
        here = replace(RECORD, trip=gone.trip, target=StationId(WARD_A))
        arrive(Turn(uow, at=house.at, at_s=0.0, ids=house.ids, records={ROBOT: here}), ROBOT)
        assert uow.deliveries.get(gone.id).state is S.IN_TRANSIT
        assert uow.deliveries.get(other.id).state is S.ARRIVED
