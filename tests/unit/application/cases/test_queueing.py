"""Acceptance cases on queueing, dispensing and loading, each under its number."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from orchestrator.application.prepare_delivery import Picked, check_delivery
from orchestrator.domain.custody.errors import (
    AboveUsualError,
    BasisMissingError,
    BatchLooksAlikeError,
    BatchUnknownError,
    ExpiredStockError,
    NeverByRobotError,
    NotEligibleError,
    NotReadyError,
    PackContradictedError,
    PatientMissingError,
    PeopleMissingError,
    QuantityWordsError,
    RecalledStockError,
    SamePersonError,
    StockInQuestionError,
    StricterSinceError,
    WrongMedicineError,
)
from orchestrator.domain.custody.model import Account, AccountKind, Stock
from orchestrator.domain.custody.movements import Occasion, resolve_discrepancy, signed_by, stock_check
from orchestrator.domain.custody.supply import SupplyRequest
from orchestrator.domain.delivery.custody_record import Basis, BasisKind, Carrier, SupplyKind
from orchestrator.domain.delivery.errors import ControlledDrugsOffError, LoadedCountDiffersError, SealInUseError
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.delivery.request import LineRequest
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.london import london_day
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.medicine.model import Medicine, NeverByRobot, Storage, StorageKind
from orchestrator.domain.medicine.schedule import Schedule
from orchestrator.domain.people.model import Role
from orchestrator.domain.site.model import PlaceId
from tests.support.custody import BATCH, HATCH, TEN, WARD_A, WARD_B, House, counted, line_of, morphine, requisition
from tests.support.deliveries import a_line, a_request
from tests.support.medicines import MORPHINE, MORPHINE_GTIN, a_medicine

S = DeliveryState
IN_DATE = date(2027, 5, 31)
NEXT_DAY = date(2027, 6, 1)
TRAMADOL = a_medicine(
    "99900000000002", name="Tramadol", form="capsule", strength="50 mg", unit="capsule", drug_class="tramadol"
)


def keep(house: House, medicine: Medicine) -> None:
    """Let the catalogue say this of a medicine from now on."""
    with house.store.transaction() as uow:
        uow.medicines.save([medicine])


@pytest.fixture
def house() -> House:
    return House()


def test_case_1_a_requisition_of_somebody_not_on_the_wards_list_is_refused_and_nothing_is_kept(house: House) -> None:
    house.approve()
    for signatory in ("nurse-b1", "porter-1", "officer-1"):
        with pytest.raises(NotEligibleError):
            house.queue(supply=requisition(by=signatory))
    with house.store.reading() as uow:
        assert uow.deliveries.open() == []


def test_case_2_agency_staff_are_not_eligible_for_what_is_controlled(house: House) -> None:
    house.hire("agency-1", Role.NURSE, places=(WARD_A,), is_agency=True)
    house.approve()
    with pytest.raises(NotEligibleError):
        house.queue(supply=requisition(by="agency-1"))
    queued = house.queue()
    with pytest.raises(NotEligibleError):
        house.accept(queued, named=("nurse-a1", "agency-1"))


def test_case_4_a_delivery_that_nobody_verified_is_not_dispatched(house: House) -> None:
    house.approve()
    queued = house.queue(by="technician-1")
    house.dispense(queued, by="technician-2")
    house.check(queued)
    waiting = house.accept(queued)
    assert waiting.state is S.QUEUED
    assert [reason.code for reason in waiting.waiting] == ["verification_missing"]

    with pytest.raises(NotEligibleError):
        house.verify(queued, by="technician-1")
    assert house.verify(queued, by="pharmacist-1").state is S.VERIFIED


def test_case_5_a_quantity_in_words_that_is_not_the_one_in_figures_is_refused(house: House) -> None:
    house.approve()
    with pytest.raises(QuantityWordsError):
        house.queue(morphine(10, quantity_in_words="one hundred"))
    assert house.queue(morphine(28, quantity_in_words="Twenty-eight")).state is S.QUEUED


def test_case_6_more_than_usual_needs_a_pharmacist_who_says_why(house: House) -> None:
    house.approve()
    above = house.policy.controlled_quantity_max + 1
    said = replace(requisition(), above_usual_because="Two patients on high doses")
    with pytest.raises(AboveUsualError):
        house.queue(morphine(above))
    with pytest.raises(AboveUsualError):
        house.queue(morphine(above), by="technician-1", supply=said)
    assert house.queue(morphine(above), supply=said).state is S.QUEUED


def test_case_7_without_an_approval_robots_carry_nothing_controlled_and_a_messenger_is_offered(house: House) -> None:
    with pytest.raises(ControlledDrugsOffError) as refused:
        house.queue()
    assert refused.value.detail["offered"] == "messenger"

    house.approve(to_place=WARD_B)
    with pytest.raises(ControlledDrugsOffError):
        house.queue()

    by_hand = house.queue(supply=replace(requisition(), carrier=Carrier.MESSENGER))
    house.dispense(by_hand)
    house.check(by_hand)
    ready = house.accept(by_hand)
    carried = house.load(ready)
    assert (carried.state, carried.robot) == (S.HANDED_TO_RUNNER, None)
    assert house.receive(carried).state is S.RECEIVED


def test_case_7_an_approval_that_was_revoked_meanwhile_no_longer_counts_at_loading(house: House) -> None:
    from orchestrator.application.carriage_approvals import revoke_approval

    standing = house.at_hatch()
    with house.store.reading() as uow:
        approval = uow.approvals.all()[0]
    house.do(revoke_approval, approval=approval.id, present=house.present("officer-1"))
    with pytest.raises(ControlledDrugsOffError):
        house.load(standing)
    assert house.now(standing).state is S.LOADING


def test_case_8_a_medicine_that_the_place_treats_as_controlled_is_handled_so_whatever_its_schedule(
    house: House,
) -> None:
    tramadol = a_medicine(schedule=Schedule.THREE_NO_SAFE_CUSTODY, handle_as=HandlingClass.CONTROLLED)
    with house.store.transaction() as uow:
        uow.medicines.save([tramadol])
    house.approve()
    line = replace(a_line("Tramadol"), code=str(tramadol.code))
    queued = house.queue(line)
    assert queued.handling_class is HandlingClass.CONTROLLED
    assert "acceptance_missing" in [reason.code for reason in queued.waiting]


def test_case_8_what_became_controlled_since_it_was_queued_is_neither_dispensed_nor_loaded(house: House) -> None:
    keep(house, TRAMADOL)
    house.approve()
    asked = LineRequest("Tramadol", 30, "capsule", code=TRAMADOL.code)
    standing, queued = (house.fetched(house.queue(asked)), house.queue(asked))
    assert standing.handling_class is HandlingClass.ORDINARY
    keep(house, replace(TRAMADOL, handle_as=HandlingClass.CONTROLLED))
    with pytest.raises(StricterSinceError):
        house.load(standing)
    with pytest.raises(StricterSinceError):
        house.dispense(queued, Picked(line_of(queued), 30, batch=BATCH))
    assert house.queue(asked).handling_class is HandlingClass.CONTROLLED
    assert house.entries(standing) == []


def test_case_8_what_became_cold_or_never_rides_since_it_was_queued_is_not_loaded(house: House) -> None:
    keep(house, TRAMADOL)
    asked = LineRequest("Tramadol", 30, "capsule", code=TRAMADOL.code)
    standing = house.fetched(house.queue(asked))
    keep(house, replace(TRAMADOL, storage=Storage(StorageKind.FRIDGE, 60)))
    with pytest.raises(StricterSinceError):
        house.load(standing)
    keep(house, replace(TRAMADOL, never_by_robot=NeverByRobot.CYTOTOXIC))
    with pytest.raises(NeverByRobotError):
        house.load(standing)
    assert house.load(standing, is_by_hand=True).state is S.HANDED_TO_RUNNER


def test_case_8_what_became_less_strict_since_it_was_queued_is_handled_as_it_was_queued(house: House) -> None:
    standing = house.at_hatch()
    keep(house, replace(MORPHINE, schedule=Schedule.NONE))
    assert house.load(standing).handling_class is HandlingClass.CONTROLLED


def test_case_9_a_code_that_nobody_knows_is_handled_as_controlled(house: House) -> None:
    line = replace(a_line("Something"), code="99900000009999")
    with pytest.raises(ControlledDrugsOffError):
        house.queue(line)
    house.approve()
    assert house.queue(line).handling_class is HandlingClass.CONTROLLED


def test_case_12_who_picked_it_does_not_check_it(house: House) -> None:
    house.approve()
    queued = house.queue()
    with pytest.raises(NotReadyError):
        house.check(queued)
    house.dispense(queued, by="technician-1")
    with pytest.raises(SamePersonError):
        house.check(queued, by="technician-1")
    assert house.check(queued, by="technician-2").custody.checked is not None


def test_a_check_counts_no_more_when_it_is_picked_anew(house: House) -> None:
    house.approve()
    queued = house.queue()
    house.dispense(queued)
    house.check(queued)
    assert house.dispense(queued, by="technician-2").custody.checked is None


@pytest.mark.parametrize("said", [" ", "\x00", "REQ-1\x1b[2J"])
def test_case_5_a_basis_or_a_reason_that_says_nothing_is_none(house: House, said: str) -> None:
    house.approve()
    for supply in (requisition(number=said), replace(requisition(), above_usual_because=said)):
        with pytest.raises(InvalidInputError, match="supply") as refused:
            house.queue(supply=supply)
        assert refused.value.code == "invalid_input"
    queued = house.queue()
    by_hand = Picked(line_of(queued), TEN, batch=BATCH, expiry=IN_DATE, unread_because=said)
    with pytest.raises(InvalidInputError, match="unread_because"):
        house.dispense(queued, by_hand)


def test_case_13_expired_stock_or_stock_that_expires_before_it_is_due_is_not_dispensed(house: House) -> None:
    house.approve()
    queued = house.queue()
    for expiry in (date(2025, 12, 31), date(2026, 1, 30)):
        with pytest.raises(ExpiredStockError):
            house.dispense(queued, Picked(line_of(queued), TEN, gtin=MORPHINE_GTIN, batch=BATCH, expiry=expiry))
    assert house.now(queued).custody.dispensed == ()


def test_case_13_a_pack_with_an_hour_of_expiry_is_not_dispensed_after_it(house: House) -> None:
    house.approve()
    queued = house.queue()
    pack = Picked(
        line_of(queued), TEN, gtin=MORPHINE_GTIN, batch=BATCH, expiry=london_day(house.at), expires_at=house.at
    )
    with pytest.raises(ExpiredStockError):
        house.dispense(queued, pack)
    house.dispense(queued, replace(pack, expires_at=house.at + timedelta(hours=1)))


def test_case_13_of_a_delivery_that_is_late_stock_has_to_be_in_date_now(house: House) -> None:
    house.approve()
    queued = house.queue(request=a_request(HATCH, WARD_A, morphine(), due_by=house.at + timedelta(hours=1)))
    due = house.at.date()
    house.wait(days=2)
    with pytest.raises(ExpiredStockError):
        house.dispense(queued, Picked(line_of(queued), TEN, gtin=MORPHINE_GTIN, batch=BATCH, expiry=due))


def test_case_13_what_expired_since_it_was_picked_is_not_loaded_until_it_is_picked_anew(house: House) -> None:
    standing = house.at_hatch()
    pack = Picked(line_of(standing), TEN, gtin=MORPHINE_GTIN, batch=BATCH, expiry=house.at.date())
    house.dispense(standing, pack)
    house.check(standing)
    house.wait(days=1)
    with pytest.raises(ExpiredStockError):
        house.load(standing)
    house.dispense(standing, replace(pack, expiry=house.at.date()))
    house.check(standing)
    assert house.load(standing).state is S.SEALED


def test_case_13_a_pack_whose_hour_passed_since_it_was_picked_is_not_loaded(house: House) -> None:
    standing = house.at_hatch()
    until = house.at + timedelta(hours=1)
    pack = Picked(line_of(standing), TEN, gtin=MORPHINE_GTIN, batch=BATCH, expiry=london_day(until), expires_at=until)
    house.dispense(standing, pack)
    house.check(standing)
    house.wait(hours=1)
    with pytest.raises(ExpiredStockError):
        house.load(standing)
    house.dispense(standing, replace(pack, expires_at=house.at + timedelta(hours=1)))
    house.check(standing)
    assert house.load(standing).state is S.SEALED


def test_case_13_a_line_that_says_that_it_has_expired_is_not_queued_and_not_loaded_once_it_has(house: House) -> None:
    today, tomorrow = house.at.date(), house.at.date() + timedelta(days=1)
    line = LineRequest("Paracetamol 500 mg tablets", TEN, "tablet", batch=BATCH, expiry=today)
    late = a_request(HATCH, WARD_A, line, due_by=house.at + timedelta(days=1))
    for request in (late, a_request(HATCH, WARD_A, replace(line, expiry=today - timedelta(days=1)))):
        with pytest.raises(ExpiredStockError) as refused:
            house.queue(request=request)
        assert refused.value.detail["field"] == "lines[0].expiry"
    standing = house.fetched(house.queue(replace(line, expiry=tomorrow)))
    house.wait(days=2)
    with pytest.raises(ExpiredStockError):
        house.load(standing)


def test_case_14_a_batch_under_recall_is_neither_dispensed_nor_loaded(house: House) -> None:
    standing = house.at_hatch()
    house.recall(turns_back=False)
    with pytest.raises(RecalledStockError):
        house.load(standing)
    queued = house.queue(supply=requisition(number="REQ-2"))
    with pytest.raises(RecalledStockError):
        house.dispense(queued)


def test_case_14_a_recall_cancels_what_is_not_loaded_yet(house: House) -> None:
    standing = house.at_hatch()
    house.recall()
    assert house.now(standing).state is S.CANCELLED


def test_case_15_a_batch_that_no_scanner_read_is_entered_by_hand_with_the_reason(house: House) -> None:
    house.approve()
    queued = house.queue()
    with pytest.raises(BatchUnknownError):
        house.dispense(queued, Picked(line_of(queued), TEN, gtin=MORPHINE_GTIN))
    by_hand = Picked(line_of(queued), TEN, batch=BATCH, expiry=IN_DATE, unread_because="separator missing")
    dispensed = house.dispense(queued, by_hand)
    assert dispensed.custody.dispensed[0].unread_because == "separator missing"


def test_case_16_another_strength_of_the_same_medicine_is_not_dispensed(house: House) -> None:
    other = a_medicine(name="Morphine sulfate", strength="30 mg", schedule=Schedule.TWO, gtins=("05012345000008",))
    with house.store.transaction() as uow:
        uow.medicines.save([other])
    house.approve()
    queued = house.queue()
    with pytest.raises(WrongMedicineError):
        house.dispense(queued, Picked(line_of(queued), TEN, gtin="05012345000008", batch=BATCH, expiry=IN_DATE))
    with pytest.raises(WrongMedicineError):
        house.dispense(queued, Picked(line_of(queued), TEN, gtin="05012345678917", batch=BATCH, expiry=IN_DATE))


def test_case_16_a_line_with_a_code_says_the_medicine_form_and_strength_of_the_code(house: House) -> None:
    house.approve()
    asked = replace(morphine(), medicine="Morphine 30 mg", unit="Tablets")
    (line,) = house.now(house.queue(request=a_request(HATCH, WARD_A, asked))).lines
    assert (line.medicine, line.unit) == ("Morphine sulfate 10 mg modified-release tablet", "tablet")


def test_case_16_a_line_that_counts_in_packs_is_refused_with_the_unit_that_counts(house: House) -> None:
    house.approve()
    with pytest.raises(InvalidInputError) as refused:
        house.queue(request=a_request(HATCH, WARD_A, replace(morphine(1), unit="pack of 60")))
    assert (refused.value.detail["field"], refused.value.detail["expected"]) == ("lines[0].unit", "tablet")


def test_case_16_a_pack_of_another_batch_or_expiry_than_was_asked_for_is_not_dispensed(house: House) -> None:
    house.approve()
    queued = house.queue(morphine(batch=BATCH, expiry=IN_DATE))
    pack = Picked(line_of(queued), TEN, gtin=MORPHINE_GTIN, batch=BATCH, expiry=IN_DATE)
    for other, field in ((replace(pack, batch="B-2"), "lines.batch"), (replace(pack, expiry=NEXT_DAY), "lines.expiry")):
        with pytest.raises(PackContradictedError) as refused:
            house.dispense(queued, other)
        assert refused.value.detail["field"] == field
    assert house.dispense(queued, pack).custody.dispensed[0].batch == BATCH


def test_case_16_a_pack_that_is_stricter_than_a_line_without_a_code_is_not_dispensed(house: House) -> None:
    queued = house.queue(LineRequest("Paracetamol 500 mg tablets", TEN, "tablet"))
    with pytest.raises(WrongMedicineError) as refused:
        house.dispense(queued, Picked(line_of(queued), TEN, gtin=MORPHINE_GTIN, batch=BATCH, expiry=IN_DATE))
    assert refused.value.detail["code"] == MORPHINE.code
    cold = a_medicine(storage=Storage(StorageKind.FRIDGE, 60), gtins=("05012345000008",))
    never = a_medicine("99900000000003", never_by_robot=NeverByRobot.CYTOTOXIC, gtins=("05012345000015",))
    for medicine in (cold, never):
        keep(house, medicine)
        with pytest.raises(WrongMedicineError):
            house.dispense(queued, Picked(line_of(queued), TEN, gtin=medicine.gtins[0], batch=BATCH))


def test_case_14_a_recalled_pack_is_not_dispensed_for_a_line_without_a_code(house: House) -> None:
    paracetamol = a_medicine(gtins=("05012345000008",))
    keep(house, paracetamol)
    house.recall_of(paracetamol.code, "B-2")
    queued = house.queue(LineRequest("Paracetamol 500 mg tablets", TEN, "tablet"))
    pack = Picked(line_of(queued), TEN, gtin=paracetamol.gtins[0], batch="B-2")
    with pytest.raises(RecalledStockError):
        house.dispense(queued, pack)
    house.dispense(queued, replace(pack, batch="B-3"))


def test_case_17_a_seal_number_is_used_once(house: House) -> None:
    received = house.receive(house.arrived())
    assert received.state is S.RECEIVED
    standing = house.fetched(_ready_again(house))
    with pytest.raises(SealInUseError):
        house.load(standing, seal="S-1")
    assert house.load(standing, seal="S-2").state is S.SEALED


def test_a_batch_typed_in_other_letters_than_a_known_one_is_refused_and_a_scanned_one_is_exact(house: House) -> None:
    house.sealed()
    queued = house.queue(supply=requisition(number="REQ-2"))
    typed = Picked(line_of(queued), TEN, batch=BATCH.lower(), expiry=IN_DATE, unread_because="torn label")
    with pytest.raises(BatchLooksAlikeError, match=f"only looks like {BATCH}"):
        house.dispense(queued, typed)
    typed_code = replace(typed, gtin=MORPHINE_GTIN, is_typed=True)
    with pytest.raises(BatchLooksAlikeError):
        house.dispense(queued, typed_code)
    for right in (replace(typed, batch=BATCH), replace(typed, gtin=MORPHINE_GTIN, unread_because=None)):
        assert house.dispense(queued, right).custody.dispensed[0].batch == right.batch


def test_a_check_that_counts_otherwise_says_that_the_check_was_refused(house: House) -> None:
    house.approve()
    queued = house.queue()
    house.dispense(queued)
    said = {"delivery": queued.id, "present": house.present("pharmacist-2"), "premises": house.premises}
    with pytest.raises(LoadedCountDiffersError, match=r"^The check was refused"):
        house.do(check_delivery, counts=counted(queued, off_by=1), **said)


def test_case_20_what_is_not_ready_is_not_loaded(house: House) -> None:
    house.approve()
    queued = house.queue()
    standing = replace(queued, state=S.LOADING, drawer="top")
    with house.store.transaction() as uow:
        uow.deliveries.save(standing)
    with pytest.raises(NotReadyError) as refused:
        house.load(standing)
    assert refused.value.detail["missing"] == ["dispensing_missing", "check_missing", "acceptance_missing"]


def test_a_controlled_delivery_is_loaded_by_two_different_people_of_the_pharmacy_one_a_pharmacist(
    house: House,
) -> None:
    standing = house.at_hatch()
    with pytest.raises(PeopleMissingError):
        house.load(standing, "pharmacist-1")
    with pytest.raises(SamePersonError):
        house.load(standing, "pharmacist-1", "pharmacist-1")
    for second in ("nurse-a1", "porter-1", "officer-1"):
        with pytest.raises(NotEligibleError):
            house.load(standing, "pharmacist-1", second)
    with pytest.raises(NotEligibleError):
        house.load(standing, "technician-1", "technician-2")
    sealed = house.load(standing, "technician-1", "pharmacist-2")
    assert sealed.custody.accountable == "pharmacist-2"


def test_sealing_moves_each_unit_into_transit_and_leaves_its_receipt_pending(house: House) -> None:
    sealed = house.sealed()
    assert house.units(AccountKind.TRANSIT, sealed.totes[0].id) == TEN
    assert house.units(AccountKind.CUPBOARD, HATCH) == -TEN
    with house.store.reading() as uow:
        assert [pending.line for pending in uow.ledger.open_pendings()] == [line_of(sealed)]
    assert house.entries(sealed) == ["accepted", "sealed"]


def test_case_68_nothing_is_supplied_of_what_was_counted_short_until_that_is_settled(house: House) -> None:
    house.approve()
    stock = Stock(str(MORPHINE.code), BATCH)
    occasion = Occasion(
        at=house.at,
        place=PlaceId(HATCH),
        signatures=signed_by([house.people["pharmacist-1"], house.people["technician-1"]]),
        reason="daily check",
    )
    with house.store.transaction() as uow:
        uow.ledger.append(stock_check(stock, counted=9, expected=10, occasion=occasion), house.at)
    with pytest.raises(StockInQuestionError):
        house.queue()
    cupboard = Account.of_place(AccountKind.CUPBOARD, PlaceId(HATCH))
    with house.store.transaction() as uow:
        uow.ledger.append(resolve_discrepancy(stock, 1, occasion, into=cupboard), house.at)
    assert house.queue().state is S.QUEUED


def test_a_basis_is_needed_from_the_class_that_the_place_names_and_has_to_fit(house: House) -> None:
    house.approve()
    with pytest.raises(BasisMissingError):
        house.queue(supply=SupplyRequest())
    with pytest.raises(BasisMissingError):
        house.queue(supply=SupplyRequest(basis=Basis(BasisKind.DISCHARGE_ORDER, "D-1")))
    with pytest.raises(BasisMissingError):
        house.queue(supply=SupplyRequest(basis=Basis(BasisKind.WARD_REQUISITION, "REQ-9")))
    ordinary = house.queue(a_line(), supply=SupplyRequest())
    assert ordinary.state is S.VERIFIED


def test_what_is_for_one_patient_names_one_and_ward_stock_names_none(house: House) -> None:
    prescription = Basis(BasisKind.PRESCRIPTION, "RX-1")
    with pytest.raises(PatientMissingError):
        house.queue(a_line(), supply=SupplyRequest(SupplyKind.PATIENT, prescription))
    with pytest.raises(PatientMissingError):
        house.queue(a_line(), supply=SupplyRequest(SupplyKind.WARD_STOCK, patient="nhs:9990548609"))
    for_one = house.queue(a_line(), supply=SupplyRequest(SupplyKind.PATIENT, prescription, patient="nhs:9990548609"))
    assert for_one.custody.patient == "nhs:9990548609"


def test_what_never_rides_goes_by_messenger_or_not_at_all(house: House) -> None:
    intrathecal = a_medicine(never_by_robot=NeverByRobot.INTRATHECAL)
    with house.store.transaction() as uow:
        uow.medicines.save([intrathecal])
    line = replace(a_line("Vincristine"), code=str(intrathecal.code))
    with pytest.raises(NeverByRobotError):
        house.queue(line, supply=SupplyRequest())
    assert house.queue(line, supply=SupplyRequest(carrier=Carrier.MESSENGER)).custody.carrier is Carrier.MESSENGER


def test_the_ward_names_two_different_eligible_people_before_anything_controlled_is_loaded(house: House) -> None:
    house.approve()
    queued = house.queue()
    with pytest.raises(SamePersonError):
        house.accept(queued, named=("nurse-a1",))
    with pytest.raises(SamePersonError):
        house.accept(queued, named=("nurse-a1", "nurse-a1"))
    for other in ("nurse-b1", "porter-1", "pharmacist-1", "officer-1"):
        with pytest.raises(NotEligibleError):
            house.accept(queued, named=("nurse-a1", other))
    with pytest.raises(NotEligibleError):
        house.accept(queued, by="nurse-b1")
    assert house.accept(queued).custody.acceptance is not None


def _ready_again(house: House) -> Delivery:
    queued = house.queue(supply=requisition(number="REQ-2"))
    house.dispense(queued)
    house.check(queued)
    return house.accept(queued)


def test_a_request_for_another_ward_needs_that_wards_own_signature(house: House) -> None:
    house.approve(to_place=WARD_B)
    request = a_request(HATCH, WARD_B, morphine())
    with pytest.raises(NotEligibleError):
        house.queue(request=request, supply=requisition(by="nurse-a1"))
    assert house.queue(request=request, supply=requisition(by="nurse-b1")).state is S.QUEUED
