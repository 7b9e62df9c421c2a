"""What people say of patients and quantities stays in the books: it is in no log, event stream or access log."""

from __future__ import annotations

import json
import logging

import pytest
from structlog.testing import capture_logs

from orchestrator.domain.delivery.request import LineRequest
from tests.support.deliveries import a_request, bring_to, counts_of, queue
from tests.support.house_of_staff import PHARMACY, WARD_A, House, a_house

NHS_NUMBER, WRONG_NUMBER, LOCAL = "9990548609", "9990548608", "LOCAL-7331"
QUANTITY, COUNTED = 73331, 73327
SECRETS = (NHS_NUMBER, "999 054 8609", WRONG_NUMBER, LOCAL, str(QUANTITY), str(COUNTED))


def ask(house: House, patient: dict[str, str], *, quantity: int = QUANTITY, station: str = WARD_A) -> int:
    """Queue a delivery for a patient, and return the status of the answer."""
    body = {
        "from_station": PHARMACY,
        "to_station": station,
        "lines": [{"medicine": "Testamol 5 mg tablets", "quantity": quantity, "unit": "tablet"}],
        "supply": {"kind": "patient", "basis": {"kind": "prescription", "reference": "RX-1"}, "patient": patient},
    }
    return house.post("/deliveries", body, token=house.token("pharmacist-1")).status_code


def receive_short(house: House) -> int:
    """Receive a delivery with fewer than were sent, and return the status of the answer."""
    line = LineRequest(medicine="Testamol 5 mg tablets", quantity=QUANTITY, unit="tablet")
    with house.store.transaction() as uow:
        made = queue(uow, a_request(PHARMACY, WARD_A, line), ids=house.ids)
    arrived = bring_to(house.store, made.id, house.delivery().state, seal_number=f"S-{made.id}")
    counts = [{"line": count.line, "quantity": COUNTED} for count in counts_of(arrived)]
    step_up = house.stepped_up("nurse-a1", "receive_delivery", made.id)
    body = {"seal_number": f"S-{made.id}", "counts": counts}
    path = f"/deliveries/{made.id}/receipt"
    return house.post(path, body, token=house.token("nurse-a1"), step_ups=(step_up,)).status_code


def test_patients_and_quantities_are_in_no_log_and_no_event(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with a_house() as house, capture_logs() as logged:
        statuses = (
            ask(house, {"nhs_number": NHS_NUMBER}),
            ask(house, {"local_number": LOCAL}),
            ask(house, {"nhs_number": WRONG_NUMBER}),
            ask(house, {"nhs_number": NHS_NUMBER}, station="nowhere"),
            ask(house, {"nhs_number": NHS_NUMBER, "local_number": LOCAL}),
            receive_short(house),
        )
        with house.store.reading() as uow:
            events = [json.dumps([one.kind, one.subject, dict(one.data)]) for one in uow.events.after(0, 10_000)]
            kept = {one.custody.patient for one in uow.deliveries.open()}
        decisions = [repr(decision) for decision in house.decisions()]
    assert (statuses[:4], statuses[5]) == ((201, 201, 422, 422), 200), statuses
    assert {one.partition(":")[2] for one in kept if one is not None} >= {NHS_NUMBER, LOCAL}
    assert events
    assert decisions
    printed = capsys.readouterr()
    said = [*events, *decisions, *map(str, logged), caplog.text, printed.out, printed.err]
    for secret in SECRETS:
        assert [text for text in said if secret in text] == []


@pytest.mark.parametrize("number", [" ", "LOCAL-7 ", " LOCAL-7"])
def test_a_local_number_with_space_around_it_is_nobody_s(number: str) -> None:
    with a_house() as house:
        assert ask(house, {"local_number": number}) == 422
