"""Registers of record over HTTP: opened, added to, checked, corrected, by people who have proved themselves."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response

from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.domain.custody.checkpoint import Checkpoint
from orchestrator.domain.custody.merkle import is_consistent, is_included
from orchestrator.domain.custody.model import Account, AccountKind
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.medicine.model import Medicine, MedicineCode
from orchestrator.domain.medicine.schedule import Schedule
from orchestrator.domain.people.model import Role
from tests.support.desk import NOON
from tests.support.drawn_pages import said_on
from tests.support.house_of_staff import OWN_DEVICE, PHARMACY, WARD_A, House, a_house
from tests.support.ledgers import MORPHINE, ORIGIN, RECORD, REGISTER, sealing
from tests.support.staff import PIN, badge_of

STOCK = {"medicine": MORPHINE.medicine, "batch": MORPHINE.batch}
ACTS = {
    "opening-balances": "open_balance",
    "supplier-receipts": "take_from_supplier",
    "stock-checks": "check_stock",
    "supplies": "supply_patient",
    "restockings": "restock",
    "destructions": "destroy",
    "breakages": "record_breakage",
    "corrections": "correct_entry",
    "discrepancy-resolutions": "resolve_discrepancy",
    "back-entries": "enter_after_downtime",
}
PHARMACISTS = ("pharmacist-1", "pharmacist-2")
NURSES = ("nurse-a1", "nurse-a2")


@dataclass
class Desk:
    """A house with a register of record, and how people enter into it."""

    house: House
    tokens: dict[str, str] = field(default_factory=dict[str, str])

    def enter(
        self, place: str, what: str, people: tuple[str, ...], *, key: str | None = None, **asked: object
    ) -> Response:
        first = people[0] if people else "pharmacist-1"
        token = self.tokens.get(first) or self.house.token(first)
        self.tokens[first] = token
        answers = [self.step_up(place, person, ACTS[what]) for person in people]
        if refused := [answer for answer in answers if answer.status_code != 201]:
            return refused[0]
        proofs = tuple(str(answer.json()["token"]) for answer in answers)
        return self.house.post(f"/registers/{place}/{what}", asked, token=token, step_ups=proofs, key=key)

    def step_up(self, place: str, person: str, act: str) -> Response:
        body = {"badge": badge_of(person), "pin": PIN, "device": OWN_DEVICE, "act": act, "place": place}
        return self.house.client.post("/api/v1/step-ups", json=body)

    def get(self, path: str, person: str = "pharmacist-1") -> Response:
        self.tokens[person] = self.tokens.get(person) or self.house.token(person)
        return self.house.get(path, token=self.tokens[person])

    def held(self, kind: AccountKind, place: str) -> int:
        with self.house.store.reading() as uow:
            return uow.ledger.balance(Account(kind, place), MORPHINE)


def a_register(house: House, terms: LedgerTerms) -> Desk:
    house.store._uow.ledger.terms = terms
    house.staff.add("pharmacist-2", Role.PHARMACIST, places=(PHARMACY,))
    morphine = Medicine(
        code=MedicineCode(MORPHINE.medicine),
        name="Morphine 10 mg MR tablets",
        form="tablet",
        strength="10 mg",
        unit="tablet",
        drug_class="Morphine",
        schedule=Schedule.TWO,
        pack_size=60,
    )
    with house.store.transaction() as uow:
        uow.medicines.save([morphine])
    return Desk(house)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with a_house() as house:
        yield a_register(house, REGISTER)


@pytest.fixture
def record() -> Iterator[Desk]:
    with a_house() as house:
        yield a_register(house, RECORD)


@contextmanager
def a_week_before(desk: Desk) -> Iterator[None]:
    """Let something happen a week before, so that a back-entry of the week is of an open register."""
    desk.house.clock.move(seconds=-7 * 86_400)
    try:
        yield
    finally:
        desk.house.clock.move(seconds=7 * 86_400)
        desk.tokens.clear()


def opened(desk: Desk, counted: int = 100) -> None:
    with a_week_before(desk):
        answer = desk.enter(PHARMACY, "opening-balances", PHARMACISTS, **STOCK, counted=counted)
    assert answer.status_code == 201, answer.text


def test_a_register_is_opened_by_two_people_and_lives_from_then_on(desk: Desk) -> None:
    early = desk.enter(PHARMACY, "supplier-receipts", PHARMACISTS, **STOCK, quantity=60, supplier="A, Street 1")
    assert (early.status_code, early.json()["code"]) == (409, "ledger_not_opened")
    alone = desk.enter(PHARMACY, "opening-balances", PHARMACISTS[:1], **STOCK, counted=100)
    assert (alone.status_code, alone.json()["code"]) == (403, "people_missing")
    opened(desk)
    taken = desk.enter(PHARMACY, "supplier-receipts", PHARMACISTS, **STOCK, quantity=60, supplier="A, Street 1")
    assert taken.status_code == 201, taken.text
    view = taken.json()
    assert view["facts"]["supplier"] == "A, Street 1"
    assert view["facts"]["name"] == "Morphine 10 mg MR tablets"
    assert [(sign["person"], sign["part"]) for sign in view["signatures"]] == [
        ("pharmacist-1", "actor"),
        ("pharmacist-2", "witness"),
    ]
    given = desk.enter(
        PHARMACY,
        "supplies",
        PHARMACISTS,
        **STOCK,
        quantity=10,
        patient="patient-7",
        authority="prescriber-3",
        collected_by="nurse-a1",
        identity_requested=True,
        identity_given=True,
    )
    assert given.status_code == 201, given.text
    assert given.json()["facts"]["identity_given"] == "yes"
    assert desk.held(AccountKind.CUPBOARD, PHARMACY) == 150
    second = desk.enter(PHARMACY, "opening-balances", PHARMACISTS, **STOCK, counted=1)
    assert (second.status_code, second.json()["code"]) == (409, "ledger_already_opened")


def test_a_retry_enters_nothing_twice(desk: Desk) -> None:
    opened(desk)
    receipt = {**STOCK, "quantity": 60, "supplier": "A"}
    first = desk.enter(PHARMACY, "supplier-receipts", PHARMACISTS, key="k", **receipt)
    again = desk.enter(PHARMACY, "supplier-receipts", PHARMACISTS, key="k", **receipt)
    assert first.json() == again.json()
    assert desk.held(AccountKind.CUPBOARD, PHARMACY) == 160


def test_a_stock_check_is_blind_and_a_difference_is_an_incident(desk: Desk) -> None:
    opened(desk)
    apart = desk.enter(PHARMACY, "stock-checks", PHARMACISTS, **STOCK, counts=[100, 99])
    assert (apart.status_code, apart.json()["code"]) == (409, "counts_disagree")
    assert "100" not in apart.text, "the balance is not told before the count"
    fits = desk.enter(PHARMACY, "stock-checks", PHARMACISTS, **STOCK, counts=[100, 100])
    assert fits.json()["postings"] == []
    short = desk.enter(PHARMACY, "stock-checks", PHARMACISTS, **STOCK, counts=[98, 98])
    assert short.status_code == 201, short.text
    assert desk.held(AccountKind.SHORT, PHARMACY) == 2
    (told,) = desk.house.events("incident_opened")
    assert (told[1]["kind"], told[1]["is_controlled"]) == ("short", True)
    settled = desk.enter(
        PHARMACY,
        "discrepancy-resolutions",
        PHARMACISTS,
        **STOCK,
        difference=2,
        into="cupboard",
        reason="Found in the returns box.",
    )
    assert settled.status_code == 201, settled.text
    assert desk.held(AccountKind.SHORT, PHARMACY) == 0


def test_a_pharmacys_stock_is_destroyed_before_an_authorised_witness(desk: Desk) -> None:
    opened(desk)
    wet = {**STOCK, "quantity": 5, "reason": "Wet."}
    own = desk.enter(PHARMACY, "destructions", PHARMACISTS, **wet, authority="AW-12")
    assert (own.status_code, own.json()["code"]) == (409, "witness_not_independent")
    unnamed = desk.enter(PHARMACY, "destructions", ("pharmacist-1", "in-charge-a"), **wet)
    assert unnamed.json()["code"] == "witness_not_independent"
    done = desk.enter(PHARMACY, "destructions", ("pharmacist-1", "in-charge-a"), **wet, authority="AW-12")
    assert done.status_code == 201, done.text
    assert desk.held(AccountKind.DESTROYED, PHARMACY) == 5


def test_a_wards_stock_is_destroyed_by_one_of_its_nurses_and_a_pharmacist(desk: Desk) -> None:
    desk.house.staff.add("in-charge-a2", Role.NURSE_IN_CHARGE, places=(WARD_A,))
    assert (
        desk.enter(WARD_A, "opening-balances", ("in-charge-a", "in-charge-a2"), **STOCK, counted=9).status_code == 201
    )
    wet = {**STOCK, "quantity": 5, "reason": "Wet."}
    nurses = desk.enter(WARD_A, "destructions", NURSES, **wet)
    assert nurses.json()["code"] == "witness_not_independent"
    guest = desk.enter(WARD_A, "destructions", ("pharmacist-1", "nurse-a1"), **wet)
    assert guest.json()["code"] == "witness_not_independent", "who is of elsewhere witnesses and does not act"
    done = desk.enter(WARD_A, "destructions", ("nurse-a1", "pharmacist-1"), **wet)
    assert done.status_code == 201, done.text


AMPOULES = {"medicine": "99900000000102", "batch": "A-2"}


def opened_on_ward(desk: Desk) -> None:
    ampoule = Medicine(
        code=MedicineCode(AMPOULES["medicine"]),
        name="Morphine 10 mg in 1 ml ampoules",
        form="solution for injection ampoule",
        strength="10 mg in 1 ml",
        unit="ampoule",
        drug_class="Morphine",
        schedule=Schedule.TWO,
    )
    desk.house.staff.add("in-charge-a2", Role.NURSE_IN_CHARGE, places=(WARD_A,))
    with desk.house.store.transaction() as uow:
        uow.medicines.save([ampoule])
    with a_week_before(desk):
        answer = desk.enter(WARD_A, "opening-balances", ("in-charge-a", "in-charge-a2"), **AMPOULES, counted=9)
    assert answer.status_code == 201, answer.text


def test_two_nurses_of_the_ward_sign_what_was_given_and_wasted_58(desk: Desk) -> None:
    opened_on_ward(desk)
    given = {**AMPOULES, "quantity": 1, "patient": "local-7", "authority": "prescriber-3"}
    part = {"given": "5", "wasted": "5", "unit": "mg", "whole": "10"}
    for wrong in ({**part, "wasted": "4"}, {**part, "given": "6"}, {**part, "whole": "9"}):
        refused = desk.enter(WARD_A, "supplies", NURSES, **given, part_dose=wrong)
        assert (refused.status_code, refused.json()["code"]) == (422, "part_dose"), refused.text
    for wrong in ({**part, "wasted": 5}, {**part, "wasted": "5e1"}, {**part, "wasted": "-5"}):
        assert desk.enter(WARD_A, "supplies", NURSES, **given, part_dose=wrong).status_code == 422
    alone = desk.enter(WARD_A, "supplies", NURSES[:1], **given, part_dose=part)
    assert (alone.status_code, alone.json()["code"]) == (403, "people_missing")
    done = desk.enter(WARD_A, "supplies", NURSES, **given, part_dose=part)
    assert done.status_code == 201, done.text
    (page,) = desk.get(f"/registers/{WARD_A}").json()["pages"]
    line = page["lines"][-1]
    assert (line["supplied"], line["wasted"], line["balance"]) == (1, "5 mg", 8)
    late = {"kind": "supply", **given, "part_dose": part}
    at = (NOON - timedelta(days=2)).isoformat()
    back = desk.enter(WARD_A, "back-entries", NURSES, occurred_at=at, paper="Form 12", entry=late)
    assert (back.status_code, back.json()["is_late"], back.json()["facts"]["wasted"]) == (201, True, "5 mg")


def test_what_broke_on_the_ward_is_entered_by_two_of_it_and_is_an_incident_59(desk: Desk) -> None:
    opened_on_ward(desk)
    dropped = {**AMPOULES, "quantity": 1, "reason": "Dropped on the floor."}
    guest = desk.enter(WARD_A, "breakages", ("nurse-a1", "pharmacist-1"), **dropped)
    assert (guest.status_code, guest.json()["code"]) == (403, "not_allowed")
    done = desk.enter(WARD_A, "breakages", NURSES, key="k", **dropped)
    assert done.status_code == 201, done.text
    again = desk.enter(WARD_A, "breakages", NURSES, key="k", **dropped)
    assert again.json() == done.json()
    told = [data["kind"] for _, data in desk.house.events("incident_opened")]
    assert told == ["breakage"]
    back = {"kind": "breakage", **dropped}
    at = (NOON - timedelta(hours=3)).isoformat()
    later = desk.enter(WARD_A, "back-entries", NURSES, occurred_at=at, paper="Form 12", entry=back)
    assert (later.status_code, later.json()["kind"]) == (201, "broken")


def test_a_correction_stands_beside_the_wrong_entry_which_stays(desk: Desk) -> None:
    opened(desk)
    wrong = desk.enter(PHARMACY, "supplier-receipts", PHARMACISTS, **STOCK, quantity=60, supplier="A").json()
    unsaid = desk.enter(PHARMACY, "corrections", PHARMACISTS, entry=wrong["index"], reason="Misread.")
    assert unsaid.status_code == 422
    right = desk.enter(PHARMACY, "corrections", PHARMACISTS, entry=wrong["index"], quantity=6, reason="Misread.")
    assert right.status_code == 201, right.text
    assert right.json()["corrects"] == wrong["index"]
    assert desk.held(AccountKind.CUPBOARD, PHARMACY) == 106
    word = desk.enter(PHARMACY, "corrections", PHARMACISTS, entry=wrong["index"], supplier="B", reason="Misread.")
    assert word.json()["facts"]["supplier"] == "B"
    unknown = desk.enter(PHARMACY, "corrections", PHARMACISTS, entry=99, quantity=6, reason="Misread.")
    assert unknown.status_code == 404
    entries = desk.get("/ledger/entries").json()["entries"]
    assert entries[wrong["index"]]["hash"] == wrong["hash"]


def test_a_second_correction_says_what_is_right_whatever_the_first_one_said(desk: Desk) -> None:
    opened(desk)
    wrong = desk.enter(PHARMACY, "supplier-receipts", PHARMACISTS, **STOCK, quantity=60, supplier="A").json()["index"]

    def correct(entry: int, quantity: int) -> Response:
        return desk.enter(PHARMACY, "corrections", PHARMACISTS, entry=entry, quantity=quantity, reason="Misread.")

    first = correct(wrong, 61).json()["index"]
    for quantity in (58, 0, 70):
        assert correct(wrong, quantity).status_code == 201
        assert desk.held(AccountKind.CUPBOARD, PHARMACY) == 100 + quantity
    same = correct(wrong, 70)
    assert (same.status_code, same.json()["code"]) == (422, "ledger_entry_malformed")
    # The first correction should have moved 3 instead of 1: that moves two more, and the entry stands corrected by it.
    assert correct(first, 3).status_code == 201
    assert desk.held(AccountKind.CUPBOARD, PHARMACY) == 172
    assert correct(wrong, 60).status_code == 201
    assert desk.held(AccountKind.CUPBOARD, PHARMACY) == 160


def test_an_opening_balance_makes_up_for_nothing_of_what_is_on_the_register_already(desk: Desk) -> None:
    opened(desk)
    second = {**STOCK, "batch": "B-2"}
    taken = desk.enter(PHARMACY, "supplier-receipts", PHARMACISTS, **second, quantity=60, supplier="A")
    assert taken.status_code == 201, taken.text
    for counted in (50, 60, 70):
        again = desk.enter(PHARMACY, "opening-balances", PHARMACISTS, **second, counted=counted)
        assert (again.status_code, again.json()["code"]) == (409, "ledger_already_opened")
        assert "stock check" in again.json()["detail"]
    # All of it is gone, and it is known all the same.
    given = desk.enter(PHARMACY, "supplies", PHARMACISTS, **second, quantity=60, patient="patient-7", authority="p-3")
    assert given.status_code == 201, given.text
    assert desk.enter(PHARMACY, "opening-balances", PHARMACISTS, **second, counted=2).status_code == 409
    forgotten = desk.enter(PHARMACY, "opening-balances", PHARMACISTS, **{**STOCK, "batch": "B-3"}, counted=4)
    assert forgotten.status_code == 201, forgotten.text


def test_a_count_that_was_mistyped_is_corrected_by_what_was_counted(desk: Desk) -> None:
    opened(desk)

    def corrected(entry: int, counted: int) -> Response:
        return desk.enter(PHARMACY, "corrections", PHARMACISTS, entry=entry, quantity=counted, reason="Mistyped.")

    def held() -> tuple[int, int, int]:
        kinds = (AccountKind.CUPBOARD, AccountKind.SHORT, AccountKind.OVER)
        return desk.held(kinds[0], PHARMACY), desk.held(kinds[1], PHARMACY), desk.held(kinds[2], PHARMACY)

    check = desk.enter(PHARMACY, "stock-checks", PHARMACISTS, **STOCK, counts=[97, 97]).json()["index"]
    assert held() == (97, 3, 0)
    first = corrected(check, 100)
    assert first.status_code == 201, first.text
    assert held() == (100, 0, 0)
    assert (first.json()["facts"]["counted"], first.json()["facts"]["expected"]) == ("100", "100")
    same = corrected(check, 100)
    assert (same.status_code, same.json()["code"]) == (422, "ledger_entry_malformed")
    # What corrects a count says nothing of its own: whoever means it names the count.
    of_first = corrected(first.json()["index"], 99)
    assert (of_first.status_code, of_first.json()["code"]) == (409, "ledger_correction")
    assert of_first.json()["context"]["counted_in"] == check
    assert corrected(check, 102).status_code == 201
    assert held() == (102, 0, -2)
    (line, *_) = [one for one in desk.get(f"/registers/{PHARMACY}").json()["pages"][0]["lines"] if one["corrects"]]
    assert (line["obtained"], line["supplied"], line["counted_off"]) == (0, 0, 3)
    assert "counted 100, expected 100: agrees" in line["note"]
    assert corrected(0, 101).status_code == 201
    assert held() == (103, 0, -2)


def test_a_count_that_agreed_by_mistake_is_corrected_and_is_an_incident(desk: Desk) -> None:
    opened(desk)
    check = desk.enter(PHARMACY, "stock-checks", PHARMACISTS, **STOCK, counts=[100, 100]).json()["index"]
    asked = {"entry": check, "quantity": 99, "reason": "Mistyped."}
    corrected = desk.enter(PHARMACY, "corrections", PHARMACISTS, **asked)
    assert corrected.status_code == 201, corrected.text
    assert (desk.held(AccountKind.CUPBOARD, PHARMACY), desk.held(AccountKind.SHORT, PHARMACY)) == (99, 1)
    assert [data["kind"] for _, data in desk.house.events("incident_opened")] == ["short"]
    with desk.house.store.reading() as uow:
        (incident,) = uow.incidents.newest(10)
    assert (incident.schedule, incident.caused_by) == (Schedule.TWO.value, PHARMACISTS)


@pytest.mark.parametrize("index", [2**53 + 1, 2**63, 2**70])
def test_an_index_beyond_every_ledger_is_refused(desk: Desk, index: int) -> None:
    opened(desk)
    correction = desk.enter(PHARMACY, "corrections", PHARMACISTS, entry=index, quantity=6, reason="Misread.")
    assert (correction.status_code, correction.json()["code"]) == (422, "request_invalid")
    for path in (f"entries?after={index}", f"proof/inclusion?entry={index}", f"proof/consistency?old={index}"):
        answer = desk.get(f"/ledger/{path}")
        assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid"), path


@pytest.mark.parametrize("batch", [" B-1", "B-1 ", "B  1", "B\u202e-1", "\uff22-1", "B-1\n", "B\x00", ""])
def test_a_batch_that_only_looks_like_another_is_refused(desk: Desk, batch: str) -> None:
    answer = desk.enter(PHARMACY, "opening-balances", PHARMACISTS, **{**STOCK, "batch": batch}, counted=1)
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


def test_a_batch_that_differs_from_a_known_one_by_case_alone_is_refused(desk: Desk) -> None:
    opened(desk)
    lower = {**STOCK, "batch": STOCK["batch"].lower()}
    assert lower != STOCK
    receipt: dict[str, Any] = {"quantity": 60, "supplier": "A"}
    wanted: tuple[tuple[str, dict[str, Any]], ...] = (
        ("supplier-receipts", receipt),
        ("opening-balances", {"counted": 1}),
    )
    for what, asked in wanted:
        refused = desk.enter(PHARMACY, what, PHARMACISTS, **lower, **asked)
        assert (refused.status_code, refused.json()["code"]) == (409, "batch_looks_alike"), what
        assert f"only looks like {STOCK['batch']}" in refused.json()["detail"]
    other = desk.enter(PHARMACY, "supplier-receipts", PHARMACISTS, **{**STOCK, "batch": "other-7"}, **receipt)
    assert other.status_code == 201, other.text


def test_no_more_is_settled_than_was_found_short_or_over(desk: Desk) -> None:
    opened(desk)

    def settle(difference: int, into: str) -> Response:
        said = {**STOCK, "difference": difference, "into": into, "reason": "Found."}
        return desk.enter(PHARMACY, "discrepancy-resolutions", PHARMACISTS, **said)

    assert settle(1, "cupboard").json()["code"] == "ledger_overdrawn"
    assert settle(-1, "cupboard").json()["code"] == "ledger_overdrawn"
    assert desk.enter(PHARMACY, "stock-checks", PHARMACISTS, **STOCK, counts=[97, 97]).status_code == 201
    for difference, into in ((4, "cupboard"), (-1, "cupboard"), (1, "over")):
        refused = settle(difference, into)
        assert (refused.status_code, refused.json()["code"]) == (409, "ledger_overdrawn"), refused.text
    assert settle(1, "short").json()["code"] == "ledger_entry_malformed"
    assert settle(3, "cupboard").status_code == 201
    assert desk.held(AccountKind.CUPBOARD, PHARMACY) == 100
    assert desk.held(AccountKind.SHORT, PHARMACY) == 0


def test_what_was_short_goes_to_no_account_from_which_nobody_would_get_it_back(desk: Desk) -> None:
    opened(desk)
    assert desk.enter(PHARMACY, "stock-checks", PHARMACISTS, **STOCK, counts=[99, 99]).status_code == 201

    def settle(into: str, **more: str) -> Response:
        said = {**STOCK, "difference": 1, "into": into, "reason": "Asked on the ward.", **more}
        return desk.enter(PHARMACY, "discrepancy-resolutions", PHARMACISTS, **said)

    for into, more in (("supplier", {}), ("opening", {}), ("cupboard", {"of": WARD_A})):
        refused = settle(into, **more)
        assert (refused.status_code, refused.json()["code"]) == (409, "settlement_impossible"), into
    unnamed = settle("patient")
    assert (unnamed.status_code, unnamed.json()["code"]) == (422, "patient_missing")
    supply = {**STOCK, "quantity": 1, "patient": "p", "authority": "a"}
    paused = desk.enter(PHARMACY, "supplies", PHARMACISTS, **supply)
    assert (paused.status_code, paused.json()["code"]) == (409, "stock_in_question")
    given = settle("patient", patient="local-7", authority="prescriber-3")
    assert given.status_code == 201, given.text
    assert desk.enter(PHARMACY, "supplies", PHARMACISTS, **supply).status_code == 201


def test_what_was_kept_on_paper_is_entered_with_its_moment_and_flagged_when_it_is_late(desk: Desk) -> None:
    opened(desk)
    receipt = {"kind": "supplier_receipt", **STOCK, "quantity": 6, "supplier": "A"}
    for days, is_late in ((0.1, False), (1.0, False), (2.0, True)):
        at = (NOON - timedelta(days=days)).isoformat().replace("+00:00", "Z")
        kept = desk.enter(PHARMACY, "back-entries", PHARMACISTS, occurred_at=at, paper="Form 12", entry=receipt)
        assert kept.status_code == 201, kept.text
        assert kept.json()["is_late"] is is_late
        assert kept.json()["facts"]["paper"] == "Form 12"
    future = (NOON + timedelta(days=1)).isoformat()
    refused = desk.enter(PHARMACY, "back-entries", PHARMACISTS, occurred_at=future, paper="Form 12", entry=receipt)
    assert (refused.status_code, refused.json()["code"]) == (422, "occurred_at_invalid")
    assert desk.held(AccountKind.CUPBOARD, PHARMACY) == 118


def test_what_happened_before_the_register_was_opened_is_in_its_opening_count(desk: Desk) -> None:
    opened(desk)
    at = (NOON - timedelta(days=7, minutes=1)).isoformat()
    supply = {"kind": "supply", **STOCK, "quantity": 5, "patient": "local-7", "authority": "prescriber-3"}
    for entry in (supply, {**supply, "batch": "B-9", "kind": "supply"}):
        early = desk.enter(PHARMACY, "back-entries", PHARMACISTS, occurred_at=at, paper="Form 12", entry=entry)
        assert (early.status_code, early.json()["code"]) == (422, "occurred_at_invalid"), early.text
        assert "was opened" in early.json()["detail"]
    assert desk.held(AccountKind.CUPBOARD, PHARMACY) == 100
    at = (NOON - timedelta(days=6)).isoformat()
    kept = desk.enter(PHARMACY, "back-entries", PHARMACISTS, occurred_at=at, paper="Form 12", entry=supply)
    assert kept.status_code == 201, kept.text


@pytest.mark.parametrize("said", ["999 000 0018", "9990000018", "nhs:9990000018"])
def test_a_patients_own_are_named_in_a_register_as_in_a_delivery(desk: Desk, said: str) -> None:
    own = {**STOCK, "own_of": said}
    answer = desk.enter(PHARMACY, "opening-balances", PHARMACISTS, **own, counted=12)
    assert answer.status_code == 201, answer.text
    assert {posting["own_of"] for posting in answer.json()["postings"]} == {"nhs:9990000018"}
    wrong = desk.enter(PHARMACY, "opening-balances", PHARMACISTS, **{**own, "own_of": "999 000 0019"}, counted=12)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "bad_nhs_number")
    ours = desk.enter(PHARMACY, "opening-balances", PHARMACISTS, **{**own, "own_of": "MK-77"}, counted=3)
    assert {posting["own_of"] for posting in ours.json()["postings"]} == {"local:MK-77"}
    owners = [page["own_of"] for page in desk.get(f"/registers/{PHARMACY}").json()["pages"]]
    assert owners == ["local:MK-77", "nhs:9990000018"]


def test_a_patients_own_are_given_to_that_patient_alone(desk: Desk) -> None:
    own = {**STOCK, "own_of": "999 000 0018"}
    assert desk.enter(PHARMACY, "opening-balances", PHARMACISTS, **own, counted=12).status_code == 201
    given = {**own, "quantity": 1, "authority": "prescriber-3"}
    for other in ("999 000 0026", "MK-77", "Mr Smith"):
        refused = desk.enter(PHARMACY, "supplies", PHARMACISTS, **given, patient=other)
        assert (refused.status_code, refused.json()["code"]) == (409, "patient_contradicted"), refused.text
    at = (NOON - timedelta(hours=3)).isoformat()
    paper = {"occurred_at": at, "paper": "Form 12", "entry": {"kind": "supply", **given, "patient": "MK-77"}}
    assert desk.enter(PHARMACY, "back-entries", PHARMACISTS, **paper).json()["code"] == "patient_contradicted"
    done = desk.enter(PHARMACY, "supplies", PHARMACISTS, **given, patient="9990000018")
    assert (done.status_code, done.json()["facts"]["patient"]) == (201, "nhs:9990000018"), done.text
    corrected = {"entry": done.json()["index"], "reason": "Misread.", "patient": "MK-77"}
    assert desk.enter(PHARMACY, "corrections", PHARMACISTS, **corrected).json()["code"] == "patient_contradicted"
    ours = {**STOCK, "own_of": "MK-77"}
    assert desk.enter(PHARMACY, "opening-balances", PHARMACISTS, **ours, counted=3).status_code == 201
    local = desk.enter(PHARMACY, "supplies", PHARMACISTS, **{**given, **ours}, patient="MK-77")
    assert (local.status_code, local.json()["facts"]["patient"]) == (201, "local:MK-77"), local.text


def test_whom_stock_was_given_to_is_no_nhs_number_that_is_wrong_10(desk: Desk) -> None:
    opened(desk)
    given = {**STOCK, "quantity": 1, "authority": "prescriber-3"}
    for wrong in ("999 000 0019", "nhs:9990000019"):
        refused = desk.enter(PHARMACY, "supplies", PHARMACISTS, **given, patient=wrong)
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_nhs_number"), refused.text
    done = desk.enter(PHARMACY, "supplies", PHARMACISTS, **given, patient="999 000 0018")
    assert done.json()["facts"]["patient"] == "nhs:9990000018"


def test_what_a_patient_brings_is_taken_in_by_two_nurses_and_the_hospitals_stock_is_not(desk: Desk) -> None:
    brought = {**STOCK, "quantity": 12, "supplier": "The patient, from home", "own_of": "999 000 0018"}
    for _ in range(2):
        taken = desk.enter(WARD_A, "supplier-receipts", NURSES, **brought)
        assert taken.status_code == 201, taken.text
    alone = desk.enter(WARD_A, "supplier-receipts", NURSES[:1], **brought)
    assert (alone.status_code, alone.json()["code"]) == (403, "people_missing")
    (page,) = desk.get(f"/registers/{WARD_A}").json()["pages"]
    assert (page["own_of"], page["balance"]) == ("nhs:9990000018", 24)
    ours = desk.enter(WARD_A, "supplier-receipts", NURSES, **STOCK, quantity=12, supplier="A")
    assert (ours.status_code, ours.json()["code"]) == (403, "not_allowed")


def test_a_part_of_a_register_brings_its_balance_forward_and_leaves_no_movement_out(desk: Desk) -> None:
    opened(desk)
    receipt = {"kind": "supplier_receipt", **STOCK, "quantity": 6, "supplier": "A"}
    late = (NOON - timedelta(days=2)).isoformat()
    kept = desk.enter(PHARMACY, "back-entries", PHARMACISTS, occurred_at=late, paper="Form 12", entry=receipt)
    assert kept.status_code == 201, kept.text
    (page,) = desk.get(f"/registers/{PHARMACY}?since={NOON.date()}").json()["pages"]
    assert (page["brought_forward"], page["balance"]) == (100, 106)
    assert [line["is_late"] for line in page["lines"]] == [True]
    later = NOON.date() + timedelta(days=1)
    (page,) = desk.get(f"/registers/{PHARMACY}?since={later}").json()["pages"]
    assert (page["brought_forward"], page["balance"], page["lines"]) == (106, 106, [])
    printed = desk.get(f"/registers/{PHARMACY}/register.pdf?since={later}")
    assert printed.status_code == 200, printed.text
    assert "brought forward: 106" in said_on(printed.content)[0]
    (row,) = csv.DictReader(desk.get(f"/registers/{PHARMACY}/register.csv?since={later}").text.splitlines())
    assert (row["kind"], row["balance"], row["simulation"]) == ("brought_forward", "106", "SIMULATION")
    (page,) = desk.get(f"/registers/{PHARMACY}").json()["pages"]
    assert (page["brought_forward"], len(page["lines"])) == (None, 2)


def test_a_correction_in_words_says_in_its_columns_what_is_right(desk: Desk) -> None:
    opened(desk)
    receipt = desk.enter(PHARMACY, "supplier-receipts", PHARMACISTS, **STOCK, quantity=6, supplier="A").json()["index"]
    given = {**STOCK, "quantity": 1, "patient": "local-7", "authority": "p-3", "supplied_to": "Their aunt"}
    supply = desk.enter(PHARMACY, "supplies", PHARMACISTS, **given).json()["index"]
    for entry, words in ((receipt, {"supplier": "B, Street 2"}), (supply, {"patient": "local-8"})):
        answer = desk.enter(PHARMACY, "corrections", PHARMACISTS, entry=entry, reason="Misread.", **words)
        assert answer.status_code == 201, answer.text
    lines = desk.get(f"/registers/{PHARMACY}").json()["pages"][0]["lines"]
    assert [(line["obtained_from"], line["supplied_to"]) for line in lines[1:]] == [
        ("A", ""),
        ("", "Their aunt, for local-7"),
        ("B, Street 2", ""),
        ("", "local-8"),
    ]


def test_a_destruction_kept_on_paper_is_entered_by_who_destroyed_and_the_witness_from_elsewhere(desk: Desk) -> None:
    opened(desk)
    opened_on_ward(desk)
    at = (NOON - timedelta(hours=3)).isoformat()
    paper = {"occurred_at": at, "paper": "Form 12"}
    gone = {"kind": "destruction", "quantity": 1, "reason": "Expired."}
    on_ward = {**gone, **AMPOULES}
    unseen = desk.enter(WARD_A, "back-entries", NURSES, **paper, entry=on_ward)
    assert (unseen.status_code, unseen.json()["code"]) == (409, "witness_not_independent"), unseen.text
    done = desk.enter(WARD_A, "back-entries", ("nurse-a1", "pharmacist-1"), **paper, entry=on_ward)
    assert (done.status_code, done.json()["kind"]) == (201, "destroyed"), done.text
    at_pharmacy = {**gone, **STOCK, "authority": "AW-1"}
    witnessed = desk.enter(PHARMACY, "back-entries", ("pharmacist-1", "in-charge-a"), **paper, entry=at_pharmacy)
    assert (witnessed.status_code, witnessed.json()["facts"]["paper"]) == (201, "Form 12"), witnessed.text
    signed = [(one["person"], one["part"]) for one in witnessed.json()["signatures"]]
    assert signed == [("pharmacist-1", "actor"), ("in-charge-a", "witness")]
    assert desk.held(AccountKind.DESTROYED, PHARMACY) == 1


@pytest.mark.parametrize(
    ("people", "entry"),
    [
        (("nurse-a1", "pharmacist-1"), {"kind": "supply", "patient": "local-7", "authority": "prescriber-3"}),
        (("in-charge-b", "nurse-a1"), {"kind": "breakage", "reason": "Fell."}),
        (("nurse-a1", "site-manager-1"), {"kind": "restocking"}),
        (NURSES, {"kind": "supplier_receipt", "supplier": "A"}),
    ],
)
def test_who_may_not_do_it_does_not_enter_it_from_paper_either(
    desk: Desk, people: tuple[str, ...], entry: dict[str, str]
) -> None:
    opened_on_ward(desk)
    at = (NOON - timedelta(hours=3)).isoformat()
    said = {**AMPOULES, "quantity": 1, **entry}
    size = len(desk.get("/ledger/entries").json()["entries"])
    refused = desk.enter(WARD_A, "back-entries", people, occurred_at=at, paper="Form 12", entry=said)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed"), refused.text
    assert len(desk.get("/ledger/entries").json()["entries"]) == size


def test_people_of_other_places_and_other_acts_enter_nothing(desk: Desk) -> None:
    opened(desk)
    elsewhere = desk.enter(PHARMACY, "supplies", NURSES, **STOCK, quantity=1, patient="p", authority="a")
    assert elsewhere.status_code == 403
    stranger = desk.enter(WARD_A, "stock-checks", ("nurse-a1", "nurse-b1"), **STOCK, counts=[0, 0])
    assert (stranger.status_code, stranger.json()["code"]) == (403, "not_allowed")
    token = desk.house.token("pharmacist-1")
    body = {**STOCK, "quantity": 1, "supplier": "A"}
    proof = desk.step_up(PHARMACY, "pharmacist-1", "supply_patient").json()["token"]
    other_act = desk.house.post(f"/registers/{PHARMACY}/supplier-receipts", body, token=token, step_ups=(proof,))
    assert other_act.json()["code"] == "step_up_refused"
    unproved = desk.house.post(f"/registers/{PHARMACY}/supplier-receipts", body, token=token)
    assert unproved.json()["code"] == "step_up_missing"
    assert desk.held(AccountKind.CUPBOARD, PHARMACY) == 100


def test_a_transit_record_takes_only_what_robots_brought(record: Desk) -> None:
    wanted: tuple[tuple[str, dict[str, Any]], ...] = (
        ("opening-balances", {"counted": 1}),
        ("supplier-receipts", {"quantity": 1, "supplier": "A"}),
        ("supplies", {"quantity": 1, "patient": "p", "authority": "a"}),
        ("stock-checks", {"counts": [1, 1]}),
        ("destructions", {"quantity": 1, "reason": "Wet.", "authority": "AW-1"}),
        ("breakages", {"quantity": 1, "reason": "Fell."}),
    )
    for what, asked in wanted:
        people = ("pharmacist-1", "in-charge-a") if what == "destructions" else PHARMACISTS
        refused = record.enter(PHARMACY, what, people, **STOCK, **asked)
        assert (refused.status_code, refused.json()["code"]) == (409, "ledger_is_transit_record"), what
    with record.house.store.transaction() as uow:
        uow.ledger.append(sealing(), NOON)
    assert record.get("/ledger/head").json()["mode"] == LedgerMode.TRANSIT_RECORD.value


def test_an_unknown_medicine_is_not_entered(desk: Desk) -> None:
    refused = desk.enter(PHARMACY, "opening-balances", PHARMACISTS, medicine="123456", batch="B", counted=1)
    assert refused.status_code == 404


def test_whoever_keeps_a_head_can_prove_what_is_in_the_ledger(desk: Desk) -> None:
    opened(desk)
    for number in range(6):
        desk.enter(PHARMACY, "supplier-receipts", PHARMACISTS, **STOCK, quantity=number + 1, supplier="A")
    head = desk.get("/ledger/head").json()
    assert (head["size"], head["origin"], head["is_simulation"]) == (7, ORIGIN.line, True)
    page = desk.get("/ledger/entries?limit=3&after=1").json()
    assert ([entry["index"] for entry in page["entries"]], page["next"]) == ([2, 3, 4], 4)
    root = bytes.fromhex(head["root"])
    for entry in desk.get("/ledger/entries").json()["entries"]:
        index = entry["index"]
        proof = desk.get(f"/ledger/proof/inclusion?entry={index}").json()
        hashes = [bytes.fromhex(hash_) for hash_ in proof["proof"]]
        assert is_included(bytes.fromhex(entry["hash"]), index=index, size=7, proof=hashes, root=root)
    between = desk.get("/ledger/proof/consistency?old=3").json()
    assert is_consistent(
        old=3,
        new=7,
        proof=[bytes.fromhex(hash_) for hash_ in between["proof"]],
        old_root=bytes.fromhex(between["old_root"]),
        new_root=root,
    )
    for path in ("inclusion?entry=7", "inclusion?entry=0&size=8", "consistency?old=8", "consistency?old=3&new=2"):
        assert desk.get(f"/ledger/proof/{path}").json()["code"] == "ledger_size"
    assert Checkpoint(ORIGIN, 7, root).body.startswith(ORIGIN.line)


def test_the_ledger_is_read_by_those_who_may_alone(desk: Desk) -> None:
    opened(desk)
    assert desk.get("/ledger/entries", "accountable-officer-1").status_code == 200
    for person in ("nurse-a1", "porter-1", "technician-1"):
        assert desk.get("/ledger/entries", person).status_code == 403, person
