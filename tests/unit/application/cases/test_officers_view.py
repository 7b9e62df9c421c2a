"""What the accountable officer relies on afterwards: reports by schedule, recalls of what came in part, the pack."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.application.downtime import downtime_pack
from orchestrator.application.hand_to_runner import TakenOut, hand_to_runner
from orchestrator.application.prepare_delivery import Picked
from orchestrator.application.recalls import affected, end_recall
from orchestrator.application.report_incident import IncidentCode, report_incident
from orchestrator.application.reports import quarterly_report
from orchestrator.application.whereabouts import where_is
from orchestrator.domain.custody.occurrence import OccurrenceReport, Quarter
from orchestrator.domain.delivery.custody_record import Carrier
from orchestrator.domain.delivery.model import Delivery, DeliveryState, LineCount
from orchestrator.domain.delivery.request import LineRequest
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.medicine.model import Medicine
from orchestrator.domain.medicine.schedule import Schedule
from tests.support.custody import BATCH, HATCH, WARD_A, House, counted, line_of, morphine, requisition
from tests.support.deliveries import NOON, a_request
from tests.support.desk import a_site
from tests.support.medicines import a_medicine

PARACETAMOL = a_medicine("99900000000001")
MIDAZOLAM = a_medicine("99900000000002", drug_class="midazolam", schedule=Schedule.THREE_NO_SAFE_CUSTODY)
DIAZEPAM = a_medicine("99900000000003", drug_class="diazepam", schedule=Schedule.FOUR_PART_ONE)
BY_HAND = replace(requisition(), carrier=Carrier.MESSENGER)
IN_IT = Quarter(2026, 1)


@pytest.fixture
def house() -> House:
    house = House()
    with house.store.transaction() as uow:
        uow.medicines.save([PARACETAMOL, MIDAZOLAM, DIAZEPAM])
    return house


def of(medicine: Medicine, quantity: int = 5) -> LineRequest:
    return LineRequest(medicine=medicine.name, quantity=quantity, unit="tablet", code=str(medicine.code))


def carried(house: House, *lines: LineRequest) -> Delivery:
    """A messenger carries these to the ward, sealed; each batch is called after its line's number."""
    queued = house.queue(supply=BY_HAND, request=a_request(HATCH, WARD_A, *lines))
    expiry = (NOON + timedelta(days=400)).date()
    picked = [
        Picked(line.id, line.quantity, batch=f"{BATCH}-{number}", expiry=expiry, unread_because="no code")
        for number, line in enumerate(queued.lines)
    ]
    house.dispense(queued, *picked)
    if queued.handling_class is HandlingClass.CONTROLLED:
        house.check(queued)
        house.accept(queued)
    return house.load(queued)


def report_lost(house: House, sent: Delivery) -> None:
    house.do(
        report_incident,
        delivery=sent.id,
        code=IncidentCode.LOST,
        sentence="Fell off the trolley.",
        is_emptied=False,
        present=house.present("pharmacist-1"),
        premises=house.premises,
        ids=house.ids,
    )


def report(house: House) -> OccurrenceReport:
    with house.store.reading() as uow:
        return quarterly_report(uow, IN_IT, at=house.at, is_simulation=True)


def told(house: House) -> dict[int | None, list[str]]:
    return {part.schedule: [one.kind.value for one in part.incidents] for part in report(house).sections}


def test_case_70_an_incident_is_told_under_the_schedule_of_its_line_whatever_rides_beside_it(house: House) -> None:
    sent = carried(house, of(PARACETAMOL), morphine(), of(MIDAZOLAM))
    counts = tuple(LineCount(one.line, one.quantity - (one.line == line_of(sent, 2))) for one in counted(sent))
    assert house.receive(sent, counts=counts).state is DeliveryState.HANDED_TO_RUNNER
    assert house.receive(sent, counts=counts).state is DeliveryState.RECEIVED
    assert told(house) == {2: [], 3: ["short"], 4: [], 5: []}


def test_case_70_what_is_about_a_whole_delivery_is_told_under_its_strictest_schedule(house: House) -> None:
    sent = carried(house, of(PARACETAMOL), of(MIDAZOLAM), morphine())
    report_lost(house, sent)
    assert told(house) == {2: ["lost"], 3: [], 4: [], 5: []}


def test_case_70_a_schedule_that_is_handled_as_ordinary_has_no_nil_return_when_it_was_short(house: House) -> None:
    sent = carried(house, of(DIAZEPAM), of(PARACETAMOL))
    received = house.receive(sent, "nurse-a1", off_by=-1)
    assert received.state is DeliveryState.RECEIVED
    assert told(house) == {2: [], 3: [], 4: ["short"], 5: []}
    assert not report(house).is_nil
    (incident,) = report(house).sections[2].incidents
    assert incident.is_controlled
    assert "set apart" not in incident.sentence
    # What is no controlled drug is no occurrence.
    ordinary = house.load(house.queue(supply=BY_HAND, request=a_request(HATCH, WARD_A, of(PARACETAMOL))), seal="S-2")
    house.receive(ordinary, "nurse-a1", seal="S-2", off_by=-1)
    assert told(house) == {2: [], 3: [], 4: ["short"], 5: []}


def in_part(house: House) -> Delivery:
    """One line is received, the other goes back under a new seal."""
    sent = carried_by_robot(house)
    house.receive(sent, "nurse-a1", refused=(line_of(sent, 1),), new_seal="S-9")
    return house.now(sent)


def carried_by_robot(house: House) -> Delivery:
    lines = (replace(of(PARACETAMOL), batch="P-1"), replace(of(DIAZEPAM), batch="D-1"))
    queued = house.queue(supply=requisition(), request=a_request(HATCH, WARD_A, *lines))
    return house.drive(house.load(house.fetched(queued)))


def test_case_34_what_a_ward_took_in_is_found_though_the_rest_of_the_delivery_came_back(house: House) -> None:
    returning = in_part(house)
    assert returning.state is DeliveryState.RETURNING

    def brought(batch: str, code: str) -> list[str]:
        with house.store.reading() as uow:
            return [one.id for one in where_is(uow, batch, medicine=code).brought]

    assert brought("P-1", PARACETAMOL.code) == [returning.id]
    assert brought("D-1", DIAZEPAM.code) == []
    house.brought_back(returning)
    rest = tuple(one for one in counted(returning) if one.line == line_of(returning, 1))
    back = house.receive(returning, "pharmacist-1", seal="S-9", counts=rest)
    assert back.state is DeliveryState.RETURNED
    assert brought("P-1", PARACETAMOL.code) == [returning.id]
    assert brought("D-1", DIAZEPAM.code) == []


def test_case_34_a_recall_lists_what_a_ward_took_in_of_a_delivery_that_came_back_also_once_it_has_ended(
    house: House,
) -> None:
    returning = in_part(house)
    recall = house.recall_of(PARACETAMOL.code, "P-1")
    with house.store.reading() as uow:
        assert [one.id for one in affected(uow, recall).brought] == [returning.id]
    ended = house.do(end_recall, recall=recall.id, by="pharmacist-1")
    assert not ended.is_standing
    with house.store.reading() as uow:
        assert [one.id for one in affected(uow, ended).brought] == [returning.id]


def where(house: House) -> list[tuple[str, str]]:
    with house.store.reading() as uow:
        pack = downtime_pack(uow, a_site(), (), at=house.at, is_simulation=True)
    return [(row.where, row.accountable) for row in pack.rows]


def test_the_downtime_pack_says_of_what_is_lost_that_nobody_knows_where_it_is(house: House) -> None:
    sent = carried(house, morphine())
    assert where(house) == [(f"carried by a person to {WARD_A}", "pharmacist-1")]
    report_lost(house, sent)
    assert where(house) == [("not known: an incident; ask pharmacist-1", "pharmacist-1")]


def test_the_downtime_pack_says_of_what_a_runner_brings_back_where_it_goes(house: House) -> None:
    arrived = house.arrived()
    house.cancel(arrived, reason="No longer wanted.")
    house.do(
        hand_to_runner,
        delivery=arrived.id,
        reason="Its robot stands.",
        is_emptied=True,
        taken_out=TakenOut("S-1"),
        present=house.present("pharmacist-1", "technician-1"),
        premises=house.premises,
        ids=house.ids,
    )
    assert where(house) == [(f"carried by a person back to {HATCH}", "pharmacist-1")]
