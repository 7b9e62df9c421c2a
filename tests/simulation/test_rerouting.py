"""Acceptance case 36 in a ward: the patient moves while the robot drives, and the robot goes on to the new ward."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orchestrator.application.prepare_delivery import accept_delivery
from orchestrator.application.rerouting import follow_patient
from orchestrator.domain.custody.people import Present, believed
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.people.model import Person, Role
from orchestrator.domain.site.model import StationId
from simulation.ward import Asked, SimulatedWard
from tests.support.staff import Staff
from tests.support.wards import a_demand, a_fleet, demo_hospital

HATCH, OLD, NEW = StationId("pharmacy_hatch_1"), StationId("ward_alder_handover"), StationId("ward_birch_handover")
S = DeliveryState


def asked(count: int) -> list[Asked]:
    site = demo_hospital()
    (pattern,) = a_demand(site, count=1, seed=1)
    request = replace(pattern.request, from_station=HATCH, to_station=OLD)
    return [Asked(1.0 + number, request) for number in range(count)]


def a_ward(count: int = 1) -> tuple[SimulatedWard, Person]:
    site = demo_hospital()
    ward = SimulatedWard(a_fleet(site, robots=2), asked=asked(count), seed=7)
    place = site.stations[NEW].place
    nurse = Staff(ward.store).add("nurse-of-birch", Role.NURSE, places=(place,), registration="12A3456B")
    return ward, nurse


def first_in(ward: SimulatedWard, state: DeliveryState) -> Delivery | None:
    with ward.store.reading() as uow:
        found = [delivery for delivery in uow.deliveries.open() if delivery.state is state]
    return found[0] if found else None


def move_patient_of(ward: SimulatedWard, nurse: Person, *, accepts_after_s: float | None) -> list[DeliveryId]:
    """Let the patient move once the first delivery drives, and the new ward accept it a while later, or never."""
    moved: list[DeliveryId] = []

    def accept(delivery: DeliveryId) -> None:
        present = Present(nurse.id, (nurse,))
        ward.control.run(
            lambda uow: accept_delivery(
                uow,
                delivery=delivery,
                named=[nurse.id],
                at=ward.clock.now(),
                present=present,
                premises=ward.control.fleet.premises,
            )
        )

    def follow(delivery: DeliveryId) -> None:
        ward.control.run(
            lambda uow: follow_patient(
                uow,
                ward.control.fleet,
                delivery=delivery,
                to_station=NEW,
                at=ward.clock.now(),
                present=believed("pharmacist"),
            )
        )
        if accepts_after_s is not None:
            ward.scheduler.after(accepts_after_s, lambda: accept(delivery))

    def look() -> None:
        drives = first_in(ward, S.IN_TRANSIT)
        if drives is not None and not moved:
            moved.append(drives.id)
            ward.scheduler.after(5.0, lambda: follow(drives.id))

    ward.control.observers.append(look)
    return moved


def arrivals(ward: SimulatedWard) -> list[tuple[str, str]]:
    return [
        (str(event.data["station"]), str(event.data["kind"])) for event in ward._log if event.kind == "robot_arrived"
    ]


def at(delivery: Delivery, state: DeliveryState) -> datetime:
    return next(change.at for change in reversed(delivery.history) if change.after is state)


def test_case_36_a_robot_turns_back_and_goes_on_to_the_new_ward_when_that_accepts() -> None:
    ward, nurse = a_ward()
    move_patient_of(ward, nurse, accepts_after_s=20.0)
    outcome = ward.run(limit_s=2000.0)
    assert outcome.is_finished
    (delivery,) = outcome.deliveries
    assert (delivery.state, delivery.to_station) == (S.RECEIVED, NEW)
    assert arrivals(ward) == [(HATCH, "load"), (NEW, "hand_over")], "never at the old ward, nor back at the hatch"
    assert at(delivery, S.ARRIVED) > at(delivery, S.IN_TRANSIT)


def test_case_36_a_robot_that_nobody_accepts_from_brings_it_back() -> None:
    ward, nurse = a_ward()
    move_patient_of(ward, nurse, accepts_after_s=None)
    outcome = ward.run(limit_s=2000.0)
    assert outcome.is_finished
    assert [(d.state, d.to_station) for d in outcome.deliveries] == [(S.RETURNED, OLD)]
    assert arrivals(ward) == [(HATCH, "load"), (HATCH, "take_back")]


def test_case_36_what_rides_along_is_received_at_the_old_ward_on_the_way() -> None:
    ward, nurse = a_ward(2)
    moved = move_patient_of(ward, nurse, accepts_after_s=20.0)
    outcome = ward.run(limit_s=3000.0)
    assert outcome.is_finished
    ends = {delivery.id: (delivery.state, delivery.to_station) for delivery in outcome.deliveries}
    assert ends.pop(moved[0]) == (S.RECEIVED, NEW)
    assert list(ends.values()) == [(S.RECEIVED, OLD)]
    assert len({delivery.trip for delivery in outcome.deliveries}) == 1
