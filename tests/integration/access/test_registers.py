"""Registers, papers, reports and recalls over HTTP: for whom, and what they say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.custody import movements
from orchestrator.domain.custody.model import Stock
from orchestrator.domain.delivery.custody_record import Act, Dispensed
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.site.model import PlaceId
from tests.support.deliveries import NOON, CountingIds
from tests.support.drawn_pages import said_on
from tests.support.house_of_staff import PHARMACY, WARD_A, WARD_B, House
from tests.support.ledgers import occasion
from tests.support.medicines import MORPHINE
from tests.support.recalled import coded

STOCK = Stock(MORPHINE.code, "B-1")
RECALL = {
    "medicine": MORPHINE.code,
    "batches": ["B-1"],
    "recall_class": "patient_safety_alert",
    "reference": "NatPSA/2026/001",
    "reason": "Wrong strength in packs.",
}


def write(house: House, place: str, *, at_hand: int = 90) -> None:
    with house.store.transaction() as uow:
        uow.medicines.save([MORPHINE])
        at = occasion(PlaceId(place), facts={"supplier": "Example Wholesale, 1 Example Road"})
        uow.ledger.append(movements.supplier_receipt(STOCK, at_hand, at), NOON)


@pytest.mark.parametrize("path", ["", "/register.csv", "/register.pdf"])
def test_a_register_is_for_its_own_place_pharmacists_and_the_officer(house: House, path: str) -> None:
    write(house, WARD_A)
    for person, status in {
        "nurse-a1": 200,
        "in-charge-a": 200,
        "pharmacist-1": 200,
        "accountable-officer-1": 200,
        "nurse-b1": 403,
        "porter-1": 403,
        "engineer-1": 403,
        "site-manager-1": 403,
    }.items():
        answer = house.get(f"/registers/{WARD_A}{path}", token=house.token(person))
        assert answer.status_code == status, person
    assert house.client.get(f"/api/v1/registers/{WARD_A}{path}").status_code == 401


def test_a_register_says_the_same_on_every_way_and_that_it_is_simulated_73(house: House) -> None:
    write(house, PHARMACY)
    token = house.token("pharmacist-1")
    shown = house.get(f"/registers/{PHARMACY}?medicine=morphine", token=token).json()
    (page,) = shown["pages"]
    (line,) = page["lines"]
    assert (shown["is_simulation"], page["drug_class"], page["balance"]) == (True, "morphine", 90)
    assert (line["obtained"], line["obtained_from"]) == (90, "Example Wholesale, 1 Example Road")
    assert [sign["part"] for sign in line["signatures"]] == ["actor", "witness"]
    table = house.get(f"/registers/{PHARMACY}/register.csv", token=token)
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.splitlines()[1].startswith("SIMULATION,")
    printed = house.get(f"/registers/{PHARMACY}/register.pdf", token=token)
    assert "SIMULATION" in said_on(printed.content)[0]
    assert "no-store" in printed.headers["cache-control"]
    # What the pharmacy's rules ask for is not what a ward's ask for.
    assert "Authority" in said_on(printed.content)[0]


def test_a_register_that_is_not_there_is_not_found(house: House) -> None:
    token = house.token("pharmacist-1")
    for path in (f"/registers/{WARD_A}", "/registers/attic", f"/registers/{PHARMACY}?medicine=oxycodone"):
        answer = house.get(path, token=token)
        assert (answer.status_code, answer.json()["code"]) == (404, "register_unknown")


def test_note_and_label_of_a_delivery_are_for_its_ends(house: House) -> None:
    delivery = house.delivery(DeliveryState.VERIFIED)
    tote = delivery.totes[0].id
    for person, status in {"pharmacist-1": 200, "nurse-a1": 200, "nurse-b1": 403, "engineer-1": 403}.items():
        for paper in ("note", f"totes/{tote}/label"):
            answer = house.get(f"/deliveries/{delivery.id}/{paper}.pdf", token=house.token(person))
            assert answer.status_code == status, (person, paper)
    label = house.get(f"/deliveries/{delivery.id}/totes/{tote}/label.pdf", token=house.token("pharmacist-1"))
    assert "SIMULATION" in said_on(label.content)[0]
    for path in (f"delivery-404/totes/{tote}", f"{delivery.id}/totes/tote-404"):
        assert house.get(f"/deliveries/{path}/label.pdf", token=house.token("pharmacist-1")).status_code == 404


def test_where_a_batch_is_is_answered_to_pharmacists_34(house: House) -> None:
    write(house, PHARMACY)
    with house.store.transaction() as uow:
        riding = coded(uow, 1, ids=house.ids, code=MORPHINE.code, state=DeliveryState.IN_TRANSIT)
    said = house.get(f"/whereabouts?batch=B-1&medicine={MORPHINE.code}", token=house.token("pharmacist-1")).json()
    assert [(held["account"], held["of"], held["units"]) for held in said["held"]] == [("cupboard", PHARMACY, 90)]
    assert [(one["delivery"], one["robot"], one["drawer"]) for one in said["under_way"]] == [
        (riding.id, "robot-1", "top")
    ]
    assert house.get("/whereabouts?batch=B-1", token=house.token("nurse-a1")).status_code == 403


def test_the_occurrence_report_is_for_pharmacists_and_the_officer_70(house: House) -> None:
    officer = house.token("accountable-officer-1")
    said = house.get("/reports/cd-occurrence?quarter=2026-Q1", token=officer).json()
    assert said["is_nil"]
    assert [section["schedule"] for section in said["sections"]] == [2, 3, 4, 5]
    printed = house.get("/reports/cd-occurrence.pdf?quarter=2026-Q1", token=officer)
    assert "Nil return" in said_on(printed.content)[0]
    refused = house.get("/reports/cd-occurrence?quarter=2026-Q9", token=officer)
    assert (refused.status_code, refused.json()["code"]) == (422, "quarter_invalid")
    assert house.get("/reports/cd-occurrence?quarter=2026-Q1", token=house.token("nurse-a1")).status_code == 403


def test_the_downtime_pack_is_printed_for_those_who_need_it(house: House) -> None:
    house.delivery(DeliveryState.VERIFIED)
    for person, status in {"in-charge-a": 200, "technician-1": 200, "site-manager-1": 200, "nurse-a1": 403}.items():
        assert house.get("/downtime-pack.pdf", token=house.token(person)).status_code == status, person


# -- recalls


def test_a_recall_turns_back_what_rides_and_every_place_answers_34(house: House) -> None:
    with house.store.transaction() as uow:
        uow.medicines.save([MORPHINE])
        riding = coded(uow, 1, ids=house.ids, code=MORPHINE.code, state=DeliveryState.IN_TRANSIT)
        waiting = coded(uow, 2, ids=house.ids, code=MORPHINE.code)
        brought = coded(uow, 3, ids=house.ids, code=MORPHINE.code, state=DeliveryState.RECEIVED)
    pharmacist = house.token("pharmacist-1")
    first = house.post("/recalls", RECALL, token=pharmacist, key="recall-key")
    answer = house.post("/recalls", RECALL, token=pharmacist, key="recall-key")
    assert first.status_code == 201, first.text
    assert answer.status_code == 201, answer.text
    recall = answer.json()
    assert answer.headers["location"] == f"/api/v1/recalls/{recall['id']}"
    assert set(recall["outstanding"]) >= {PHARMACY, WARD_A, WARD_B}
    with house.store.reading() as uow:
        assert len(uow.recalls.newest(10)) == 1
        assert uow.deliveries.get(riding.id).state is DeliveryState.RETURNING
        assert uow.deliveries.get(waiting.id).state is DeliveryState.CANCELLED
    affected = house.get(f"/recalls/{recall['id']}/affected", token=pharmacist).json()
    assert [one["delivery"] for one in affected["brought"]] == [brought.id]
    assert [one["delivery"] for one in affected["under_way"]] == [riding.id]

    body = {"place": WARD_A, "set_apart": 12}
    path = f"/recalls/{recall['id']}/acknowledgements"
    assert house.post(path, body, token=house.token("nurse-b1")).status_code == 403
    said = house.post(path, body, token=house.token("nurse-a1"))
    assert said.status_code == 200, said.text
    assert [(one["place"], one["by"], one["set_apart"]) for one in said.json()["acknowledgements"]] == [
        (WARD_A, "nurse-a1", 12)
    ]
    assert WARD_A not in said.json()["outstanding"]
    again = house.post(path, body, token=house.token("nurse-a2"))
    assert (again.status_code, again.json()["code"]) == (409, "recall_not_for_place")

    ended = house.post(f"/recalls/{recall['id']}/end", {}, token=house.token("pharmacist-1"))
    assert ended.json()["ended_by"] == "pharmacist-1"
    listed = house.get("/recalls", token=house.token("nurse-a1")).json()["recalls"]
    assert [one["id"] for one in listed] == [recall["id"]]


def test_only_pharmacists_recall_and_only_what_can_be_meant(house: House) -> None:
    assert house.post("/recalls", RECALL, token=house.token("nurse-a1")).status_code == 403
    assert house.post("/recalls", RECALL, token=house.token("accountable-officer-1")).status_code == 403
    refused = house.post("/recalls", {**RECALL, "medicine": "B-1"}, token=house.token("pharmacist-1"))
    assert (refused.status_code, refused.json()["code"]) == (422, "medicine_invalid")


def test_a_pharmacist_alone_classifies_a_medicine_9(house: House) -> None:
    with house.store.transaction() as uow:
        uow.medicines.save([replace(MORPHINE, schedule=None)])
    path, body = f"/medicines/{MORPHINE.code}/classification", {"category": "0002", "reason": "By the dm+d."}
    for person in ("technician-1", "nurse-a1", "accountable-officer-1", "administrator-1"):
        assert house.post(path, body, token=house.token(person)).status_code == 403, person
    assert house.post(path, body, token=house.token("pharmacist-1")).status_code == 200


@pytest.mark.parametrize("form", ["", ".csv", ".pdf"])
def test_the_report_on_scanning_is_for_pharmacists_and_the_officer_53(house: House, form: str) -> None:
    path = f"/reports/scan-compliance{form}?from=2026-11-01&to=2026-11-30"
    for person, status in {"pharmacist-1": 200, "accountable-officer-1": 200, "nurse-a1": 403, "porter-1": 403}.items():
        assert house.get(path, token=house.token(person)).status_code == status, person
    token = house.token("pharmacist-1")
    for days in ("from=2026-11-02&to=2026-11-01", "from=2024-11-02&to=2026-11-01"):
        refused = house.get(f"/reports/scan-compliance{form}?{days}", token=token)
        assert (refused.status_code, refused.json()["code"]) == (422, "period_invalid")
    assert house.get(f"/reports/scan-compliance{form}?from=yesterday&to=2026-11-01", token=token).status_code == 422
    assert house.get(f"/reports/scan-compliance{form}?from=2026-11-01", token=token).status_code == 422


def test_the_report_on_scanning_says_how_packs_were_picked_by_place_53(house: House) -> None:
    with house.store.transaction() as uow:
        delivery = coded(uow, 1, ids=CountingIds(), code=MORPHINE.code)
        picked = Dispensed(delivery.lines[0].id, 1, "B-1", None, unread_because="=broken scanner")
        custody = replace(delivery.custody, dispensed=(picked,), dispensed_by=Act("technician-1", NOON))
        uow.deliveries.save(replace(delivery, custody=custody))
    token, days = house.token("pharmacist-1"), f"from={NOON.date()}&to={NOON.date()}"
    shown = house.get(f"/reports/scan-compliance?{days}", token=token).json()
    (place,) = shown["places"]
    assert (place["scanned"], place["by_hand"], place["share_scanned"]) == (0, 1, 0.0)
    assert place["reasons"] == {"=broken scanner": 1}
    assert (shown["from"], shown["is_simulation"]) == (str(NOON.date()), True)
    rows = house.get(f"/reports/scan-compliance.csv?{days}", token=token).text.splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["SIMULATION", "SIMULATION"]
    assert rows[2].endswith("by hand,'=broken scanner,1")
    page = said_on(house.get(f"/reports/scan-compliance.pdf?{days}", token=token).content)[0]
    assert "SIMULATION" in page
    assert "all places" in page
