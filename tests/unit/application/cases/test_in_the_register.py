"""Acceptance cases on scanning by hand, failures half way, waste, breakage and stock checks, each under its number."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from orchestrator.application.confirm_receipt import Reading, confirm_receipt
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.prepare_delivery import Picked
from orchestrator.application.register_acts import (
    enter_destruction,
    enter_stock_check,
    enter_supply,
    entered_later,
)
from orchestrator.application.register_entering import Entering
from orchestrator.application.register_errors import CountsDisagreeError, SettlementError, WitnessError
from orchestrator.application.register_waste import enter_breakage, enter_part_dose
from orchestrator.application.registers import register_of
from orchestrator.application.settling import enter_discrepancy_resolution
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import NotAllowedError
from orchestrator.domain.custody.balances import is_conserved
from orchestrator.domain.custody.errors import (
    BatchUnknownError,
    PatientMissingError,
    PeopleMissingError,
    SamePersonError,
    StockInQuestionError,
)
from orchestrator.domain.custody.model import Account, AccountKind, Entry, EntryKind, Signing, Stock
from orchestrator.domain.custody.part_dose import PartDose, PartDoseError
from orchestrator.domain.custody.policy import CustodyPolicy, LooserThanAllowedError
from orchestrator.domain.custody.scan_compliance import Period, PeriodInvalidError, scan_report
from orchestrator.domain.custody.tolerance import Tolerance, ToleranceError
from orchestrator.domain.delivery.custody_record import Act as DoneBy
from orchestrator.domain.delivery.custody_record import Dispensed
from orchestrator.domain.delivery.errors import WrongStateError
from orchestrator.domain.delivery.model import DeliveryState, LineId
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.medicine.schedule import Schedule
from orchestrator.domain.people.model import Role
from orchestrator.domain.site.model import PlaceId
from simulation.memory_store import MemoryStore
from tests.support.custody import BATCH, HATCH, TEN, WARD_A, WARD_B, House, counted, line_of, morphine, requisition
from tests.support.deliveries import NOON
from tests.support.ledgers import REGISTER, opening
from tests.support.medicines import MORPHINE, MORPHINE_GTIN, a_medicine

IN_MG = a_medicine("99900000000101", drug_class="morphine", form="ampoule", unit="mg", schedule=Schedule.TWO)
AMPOULE_CODE, SYRUP_CODE = "99900000000102", "99900000000103"
IN_AMPOULES = a_medicine(
    AMPOULE_CODE, drug_class="morphine", form="ampoule", strength="10 mg in 1 ml", unit="ampoule", schedule=Schedule.TWO
)
IN_ML = a_medicine(
    SYRUP_CODE, drug_class="morphine", form="oral solution", strength="20 mg in 1 ml", unit="ml", schedule=Schedule.TWO
)
TABLETS, MILLIGRAMS = Stock(str(MORPHINE.code), BATCH), Stock(str(IN_MG.code), "A-1")
AMPOULES, BOTTLE = Stock(AMPOULE_CODE, "A-2"), Stock(SYRUP_CODE, "A-3")


@pytest.fixture
def house() -> House:
    """A ward that keeps its register here: 20 tablets, 20 mg, 20 ampoules and 200 ml in its cupboard."""
    house = House(MemoryStore(REGISTER))
    with house.store.transaction() as uow:
        uow.medicines.save([IN_MG, IN_AMPOULES, IN_ML])
        for stock, counted_first in ((TABLETS, 20), (MILLIGRAMS, 20), (AMPOULES, 20), (BOTTLE, 200)):
            uow.ledger.append(opening(stock, counted=counted_first, place=PlaceId(WARD_A)), house.at)
    return house


def entering(house: House, *by: str, act: Act, stock: Stock = TABLETS, reason: str = "", **facts: str) -> Entering:
    people = tuple(house.people[name] for name in by)
    return Entering(
        PlaceId(WARD_A), False, people, act, stock, house.at, reason=reason, facts=facts, policy=house.policy
    )


def held(house: House, stock: Stock) -> dict[AccountKind, int]:
    """Return what the ward's accounts hold of a stock, but for what it was opened with."""
    with house.store.reading() as uow:
        balances = uow.ledger.balances(of=WARD_A)
    return {
        balance.account.kind: balance.quantity
        for balance in balances
        if balance.stock == stock and balance.account.kind is not AccountKind.OPENING and balance.quantity
    }


def signers(entry: Entry) -> list[tuple[str, Signing]]:
    return [(signature.person, signature.part) for signature in entry.draft.signatures]


class ServiceEndedError(Exception):
    """The service ends before what it has written is kept."""


# -- half way ----------------------------------------------------------------------------------------------------------


def test_case_42_a_receipt_that_is_lost_before_it_is_kept_leaves_its_posting_pending_and_is_posted_once_after_it() -> (
    None
):
    house = House()
    arrived = house.arrived()

    def receive_and_end(uow: UnitOfWork, *, at: datetime) -> None:
        confirm_receipt(
            uow,
            at=at,
            delivery=arrived.id,
            reading=Reading("S-1", counted(arrived)),
            present=house.present("nurse-a1", "nurse-a2"),
            premises=house.premises,
            ids=house.ids,
        )
        assert uow.ledger.open_pendings() == []
        raise ServiceEndedError

    with pytest.raises(ServiceEndedError):
        house.do(receive_and_end)
    with house.store.reading() as uow:
        assert [pending.line for pending in uow.ledger.open_pendings()] == [line_of(arrived)]
    assert house.now(arrived).state is DeliveryState.ARRIVED
    assert house.receive(arrived).state is DeliveryState.RECEIVED
    with pytest.raises(WrongStateError):
        house.receive(arrived)
    assert house.units(AccountKind.CUPBOARD, WARD_A) == TEN
    assert house.entries(arrived) == ["accepted", "sealed", "received"]


# -- what nobody can scan ----------------------------------------------------------------------------------------------


def test_case_53_what_no_scanner_reads_is_entered_with_batch_expiry_and_reason_and_seen_by_another() -> None:
    house = House()
    house.approve()
    queued = house.queue()
    line = line_of(queued)
    expiry = date(2027, 5, 31)
    for unexplained in (
        Picked(line, TEN, batch=BATCH, expiry=expiry),
        Picked(line, TEN, batch=BATCH, unread_because="torn label"),
        Picked(line, TEN, expiry=expiry, unread_because="torn label"),
        Picked(line, TEN, gtin=MORPHINE_GTIN, batch=BATCH, expiry=expiry, is_typed=True),
    ):
        with pytest.raises(BatchUnknownError):
            house.dispense(queued, unexplained)
    by_hand = house.dispense(queued, Picked(line, TEN, batch=BATCH, expiry=expiry, unread_because="torn label"))
    assert by_hand.custody.dispensed[0].unread_because == "torn label"
    assert "check_missing" in [reason.code for reason in by_hand.waiting]
    with pytest.raises(SamePersonError):
        house.check(queued, by="technician-1")
    assert house.check(queued).custody.checked is not None


def test_case_53_how_often_packs_were_scanned_and_why_not_is_reported_by_place() -> None:
    house = House()
    house.approve()
    for number, why in enumerate((None, "Torn label.", " torn  label", "scanner is broken", None)):
        queued = house.queue(morphine(), morphine(), supply=requisition(number=f"REQ-{number}"))
        first, second = (line.id for line in queued.lines)
        scanned = Picked(first, TEN, gtin=MORPHINE_GTIN, batch=BATCH, expiry=date(2028, 5, 31))
        typed = replace(scanned, line=second, unread_because=why, gtin=None if why else MORPHINE_GTIN)
        house.dispense(queued, scanned, typed)
        house.wait(days=1)
    days = Period(NOON.date(), NOON.date() + timedelta(days=3))
    with house.store.reading() as uow:
        everything = uow.deliveries.page(after=None, limit=100, states=None)
        report = scan_report(days, everything, place_of=house.premises.place, is_simulation=True)
    (place,) = report.places
    assert (place.place, place.scanned, place.by_hand, place.share_scanned) == (HATCH, 5, 3, 0.625)
    assert list(place.reasons.items()) == [("torn label", 2), ("scanner is broken", 1)]
    assert replace(report.whole, place=place.place) == place
    for days_on in (-1, 366):
        with pytest.raises(PeriodInvalidError):
            Period(NOON.date(), NOON.date() + timedelta(days=days_on))


def test_case_53_what_is_ordinary_counts_as_entered_by_hand_without_a_reason() -> None:
    line, on_days = LineId("line-1"), Period(NOON.date(), NOON.date())
    picks = (
        Dispensed(line, 1, "B-1", None),
        Dispensed(line, 1, "B-1", None, gtin=MORPHINE_GTIN, unread_because="no batch in the code"),
        Dispensed(line, 1, "B-1", None, gtin=MORPHINE_GTIN),
    )
    house = House()
    house.approve()
    queued = house.queue()
    custody = replace(queued.custody, dispensed=picks, dispensed_by=DoneBy("technician-1", NOON))
    report = scan_report(
        on_days, [replace(queued, custody=custody), queued], place_of=house.premises.place, is_simulation=False
    )
    assert report.whole.reasons == {"no batch in the code": 1, "no reason given": 1}
    assert report.whole.scanned == 1
    nothing = scan_report(on_days, [], place_of=house.premises.place, is_simulation=False)
    assert (nothing.places, nothing.whole.share_scanned) == ((), 1.0)


# -- what is not given -------------------------------------------------------------------------------------------------


AMPOULE = PartDose(Decimal(5), Decimal(5), "mg", whole=Decimal(10))
TWO_OF_THE_WARD = ("nurse-a1", "nurse-a2")


def test_case_58_of_an_ampoule_that_is_given_in_part_given_and_wasted_are_the_whole_and_two_of_the_ward_sign(
    house: House,
) -> None:
    given = entering(house, *TWO_OF_THE_WARD, act=Act.SUPPLY_PATIENT, stock=AMPOULES, patient="local-7")
    with house.store.transaction() as uow:
        entry = enter_part_dose(uow, given, quantity=1, part=AMPOULE)
        page = register_of(
            uow, PlaceId(WARD_A), at=house.at, is_simulation=True, is_pharmacy=False, medicine=AMPOULE_CODE
        )
    assert signers(entry) == [("nurse-a1", Signing.ACTOR), ("nurse-a2", Signing.WITNESS)]
    assert {fact: entry.draft.facts[fact] for fact in ("given", "wasted", "whole")} == {
        "given": "5 mg",
        "wasted": "5 mg",
        "whole": "10 mg",
    }
    assert held(house, AMPOULES) == {AccountKind.CUPBOARD: 19, AccountKind.PATIENT: 1}
    line = page.pages[0].lines[-1]
    assert (line.supplied, line.wasted, line.balance) == (1, "5 mg", 19)
    assert "given 5 mg, wasted 5 mg" in line.note


@pytest.mark.parametrize(
    ("part", "quantity", "account"),
    [
        (PartDose(Decimal(15), Decimal(5), "mg", whole=Decimal(10)), 2, AccountKind.PATIENT),
        (PartDose(Decimal("2.5"), Decimal("7.5"), "mg", whole=Decimal(10)), 1, AccountKind.PATIENT),
        (PartDose(Decimal(0), Decimal(20), "mg", whole=Decimal(10)), 2, AccountKind.DESTROYED),
    ],
)
def test_case_58_what_was_drawn_up_goes_to_the_patient_or_where_nothing_was_given_to_waste(
    house: House, part: PartDose, quantity: int, account: AccountKind
) -> None:
    given = entering(house, *TWO_OF_THE_WARD, act=Act.SUPPLY_PATIENT, stock=AMPOULES, patient="local-7")
    with house.store.transaction() as uow:
        enter_part_dose(uow, given, quantity=quantity, part=part)
    assert held(house, AMPOULES) == {AccountKind.CUPBOARD: 20 - quantity, account: quantity}


def test_case_58_where_the_measured_unit_is_counted_the_units_themselves_part(house: House) -> None:
    given = entering(house, *TWO_OF_THE_WARD, act=Act.SUPPLY_PATIENT, stock=MILLIGRAMS, patient="local-7")
    with house.store.transaction() as uow:
        enter_part_dose(uow, given, quantity=10, part=PartDose(Decimal(5), Decimal(5), "mg"))
    assert held(house, MILLIGRAMS) == {AccountKind.CUPBOARD: 10, AccountKind.PATIENT: 5, AccountKind.DESTROYED: 5}


@pytest.mark.parametrize(
    ("part", "stock"),
    [
        (PartDose(Decimal(5), Decimal(4), "mg", whole=Decimal(10)), AMPOULES),
        (PartDose(Decimal(5), Decimal(6), "mg", whole=Decimal(10)), AMPOULES),
        (PartDose(Decimal(10), Decimal(0), "mg", whole=Decimal(10)), AMPOULES),
        (PartDose(Decimal(-1), Decimal(11), "mg", whole=Decimal(10)), AMPOULES),
        (PartDose(Decimal(4), Decimal(4), "mg", whole=Decimal(8)), AMPOULES),
        (PartDose(Decimal(5), Decimal(5), "ml", whole=Decimal(10)), AMPOULES),
        (PartDose(Decimal(5), Decimal(-5), "mg", whole=Decimal(0)), AMPOULES),
        (PartDose(Decimal("0.5"), Decimal("0.5"), "mg"), AMPOULES),
        (PartDose(Decimal("0.5"), Decimal("0.5"), "mg"), MILLIGRAMS),
    ],
)
def test_case_58_parts_that_are_not_the_whole_are_refused_and_nothing_is_entered(
    house: House, part: PartDose, stock: Stock
) -> None:
    given = entering(house, *TWO_OF_THE_WARD, act=Act.SUPPLY_PATIENT, stock=stock, patient="local-7")
    with pytest.raises(PartDoseError) as refused, house.store.transaction() as uow:
        enter_part_dose(uow, given, quantity=1, part=part)
    assert refused.value.detail["field"] == "part_dose"
    assert held(house, stock) == {AccountKind.CUPBOARD: 20}


@pytest.mark.parametrize(
    ("people", "refusal"),
    [
        (("nurse-a1",), PeopleMissingError),
        (("nurse-a1", "nurse-b1"), NotAllowedError),
        (("nurse-a1", "pharmacist-1"), NotAllowedError),
        (("nurse-a1", "porter-1"), NotAllowedError),
        (("pharmacist-1", "nurse-a1"), WitnessError),
        (("nurse-b1", "nurse-a1"), WitnessError),
    ],
)
def test_case_58_waste_is_signed_by_a_practitioner_of_the_ward_and_another_of_the_ward(
    house: House, people: tuple[str, ...], refusal: type[Exception]
) -> None:
    given = entering(house, *people, act=Act.SUPPLY_PATIENT, stock=AMPOULES, patient="local-7")
    with pytest.raises(refusal), house.store.transaction() as uow:
        enter_part_dose(uow, given, quantity=1, part=AMPOULE)
    assert held(house, AMPOULES) == {AccountKind.CUPBOARD: 20}


def test_case_58_waste_takes_two_also_of_what_one_person_may_give(house: House) -> None:
    lenient = a_medicine(
        AMPOULE_CODE, form="ampoule", strength="10 mg", unit="ampoule", schedule=Schedule.THREE_NO_SAFE_CUSTODY
    )
    alone = entering(house, "nurse-a1", act=Act.SUPPLY_PATIENT, stock=AMPOULES, patient="local-7")
    with house.store.transaction() as uow:
        uow.medicines.save([lenient])
        enter_supply(uow, alone, quantity=1)
    with pytest.raises(PeopleMissingError), house.store.transaction() as uow:
        enter_part_dose(uow, alone, quantity=1, part=AMPOULE)


def test_case_58_stock_that_is_no_longer_needed_is_still_destroyed_before_somebody_of_a_pharmacy(house: House) -> None:
    said = entering(house, *TWO_OF_THE_WARD, act=Act.DESTROY, reason="expired")
    with pytest.raises(WitnessError), house.store.transaction() as uow:
        enter_destruction(uow, said, quantity=1)
    said = entering(house, "nurse-a1", "pharmacist-1", act=Act.DESTROY, reason="expired")
    with house.store.transaction() as uow:
        enter_destruction(uow, said, quantity=1)
    assert held(house, TABLETS) == {AccountKind.CUPBOARD: 19, AccountKind.DESTROYED: 1}


@pytest.mark.parametrize("said", [" ", "Home Office\x1b[2J"])
def test_what_the_headings_ask_for_has_to_say_something(house: House, said: str) -> None:
    given = entering(house, *TWO_OF_THE_WARD, act=Act.SUPPLY_PATIENT, patient="local-7", authority=said)
    with pytest.raises(InvalidInputError, match="authority"), house.store.transaction() as uow:
        enter_supply(uow, given, quantity=1)


def test_case_59_what_broke_goes_to_an_account_of_its_own_by_two_of_the_ward_and_is_an_incident(house: House) -> None:
    def breaking(*by: str, reason: str = "fell and broke") -> Entering:
        return entering(house, *by, act=Act.RECORD_BREAKAGE, reason=reason)

    for by, refusal in ((("nurse-a1",), PeopleMissingError), (("nurse-a1", "technician-1"), NotAllowedError)):
        with pytest.raises(refusal), house.store.transaction() as uow:
            enter_breakage(uow, breaking(*by), quantity=1, ids=house.ids)
    with pytest.raises(InvalidInputError), house.store.transaction() as uow:
        enter_breakage(uow, breaking(*TWO_OF_THE_WARD, reason=" "), quantity=1, ids=house.ids)
    assert (held(house, TABLETS), house.incidents()) == ({AccountKind.CUPBOARD: 20}, [])
    with house.store.transaction() as uow:
        entry = enter_breakage(uow, breaking(*TWO_OF_THE_WARD), quantity=1, ids=house.ids)
        page = register_of(uow, PlaceId(WARD_A), at=house.at, is_simulation=True, is_pharmacy=False)
        incident = uow.incidents.newest(1)[0]
        assert is_conserved({(b.account, b.stock): b.quantity for b in uow.ledger.balances()})
    assert (entry.draft.reason, len(signers(entry))) == ("fell and broke", 2)
    assert held(house, TABLETS) == {AccountKind.CUPBOARD: 19, AccountKind.BROKEN: 1}
    assert (incident.kind.value, incident.is_controlled, incident.caused_by) == ("breakage", True, TWO_OF_THE_WARD)
    line = next(line for page in page.pages for line in page.lines if line.kind is EntryKind.BROKEN)
    assert (line.supplied_to, line.supplied, line.balance) == ("broken", 1, 19)


# -- what is counted ---------------------------------------------------------------------------------------------------


def poured(house: House, found: int) -> Entry:
    checking = entering(house, *TWO_OF_THE_WARD, act=Act.CHECK_STOCK, stock=BOTTLE)
    with house.store.transaction() as uow:
        return enter_stock_check(uow, checking, counts=(found, found), ids=house.ids)


def tolerating(house: House, units: int, percent: int, *, here: Tolerance | None = None) -> None:
    at = {} if here is None else {PlaceId(WARD_A): {"ml": here}}
    house.policy = CustodyPolicy(tolerances={"ml": Tolerance(units, percent)}, tolerances_at=at)


@pytest.mark.parametrize(("found", "tolerated"), [(205, -5), (195, 5), (201, -1)])
def test_case_60_what_a_liquid_differs_by_within_the_tolerance_is_entered_as_that_by_two_and_nobody_looks_into_it(
    house: House, found: int, tolerated: int
) -> None:
    tolerating(house, 5, 3)
    entry = poured(house, found)
    assert len(signers(entry)) == 2
    assert held(house, BOTTLE) == {AccountKind.CUPBOARD: found, AccountKind.TOLERATED: tolerated}
    assert house.incidents() == []
    with house.store.reading() as uow:
        page = register_of(
            uow, PlaceId(WARD_A), at=house.at, is_simulation=True, is_pharmacy=False, medicine=SYRUP_CODE
        )
        assert is_conserved({(b.account, b.stock): b.quantity for b in uow.ledger.balances()})
    line = page.pages[0].lines[-1]
    assert line.balance == found
    assert f"counted {found}, expected 200: within the tolerance of 5 ml, 3 per cent" in line.note


@pytest.mark.parametrize(
    ("units", "percent", "here", "found"),
    [
        (0, 5, None, 199),
        (5, 5, None, 206),
        (5, 5, None, 194),
        (100, 2, None, 195),
        (5, 5, Tolerance(2, 5), 203),
        (5, 5, Tolerance(5, 0), 199),
    ],
)
def test_case_60_beyond_either_bound_or_where_the_ward_tolerates_less_it_is_a_discrepancy(
    house: House, units: int, percent: int, here: Tolerance | None, found: int
) -> None:
    tolerating(house, units, percent, here=here)
    poured(house, found)
    assert AccountKind.TOLERATED not in held(house, BOTTLE)
    assert len(house.incidents()) == 1


def test_case_60_small_losses_do_not_add_up_unseen(house: House) -> None:
    tolerating(house, 5, 3)
    for found in (197, 195):
        poured(house, found)
    assert (held(house, BOTTLE)[AccountKind.TOLERATED], house.incidents()) == (5, [])
    poured(house, 194)
    assert held(house, BOTTLE) == {AccountKind.CUPBOARD: 194, AccountKind.TOLERATED: 5, AccountKind.SHORT: 1}
    assert house.incidents() == ["short"]


def test_case_60_as_shipped_nothing_is_tolerated_and_tablets_never_are(house: House) -> None:
    poured(house, 199)
    assert held(house, BOTTLE) == {AccountKind.CUPBOARD: 199, AccountKind.SHORT: 1}
    for unit, tolerance in (("tablet", Tolerance(1)), ("ampoule", Tolerance(1)), ("ml", Tolerance(5, 6))):
        with pytest.raises(ToleranceError):
            CustodyPolicy(tolerances={unit: tolerance})
    for looser in (Tolerance(6, 3), Tolerance(5, 4)):
        with pytest.raises(LooserThanAllowedError):
            tolerating(house, 5, 3, here=looser)
    with pytest.raises(LooserThanAllowedError):
        CustodyPolicy(tolerances_at={PlaceId(WARD_A): {"ml": Tolerance(1)}})


def test_case_68_a_daily_check_that_disagrees_with_the_register_is_an_incident_that_names_who_counted(
    house: House,
) -> None:
    checking = entering(house, "nurse-a1", "nurse-a2", act=Act.CHECK_STOCK)
    with house.store.transaction() as uow:
        with pytest.raises(CountsDisagreeError):
            enter_stock_check(uow, checking, counts=(20, 19), ids=house.ids)
        enter_stock_check(uow, checking, counts=(20, 20), ids=house.ids)
    assert house.incidents() == []
    with house.store.transaction() as uow:
        enter_stock_check(uow, checking, counts=(19, 19), ids=house.ids)
        incident = uow.incidents.newest(1)[0]
    assert house.incidents() == ["short"]
    assert (incident.caused_by, incident.is_controlled) == (("nurse-a1", "nurse-a2"), True)
    assert held(house, TABLETS) == {AccountKind.CUPBOARD: 19, AccountKind.SHORT: 1}


def counted_short(house: House, *, missing: int = 1) -> None:
    checking = entering(house, "nurse-a1", "nurse-a2", act=Act.CHECK_STOCK)
    with house.store.transaction() as uow:
        enter_stock_check(uow, checking, counts=(20 - missing, 20 - missing), ids=house.ids)


def settle(house: House, into: AccountKind, *, of: str = WARD_A, difference: int = 1, **facts: str) -> Entry:
    people = ("charge-a", "charge-a2")
    saying = replace(entering(house, *people, act=Act.RESOLVE_DISCREPANCY, reason="looked into"), facts=facts)
    with house.store.transaction() as uow:
        return enter_discrepancy_resolution(uow, saying, difference=difference, into=Account(into, of))


def test_case_68_nothing_is_given_of_a_batch_that_was_counted_short_until_that_is_settled(house: House) -> None:
    house.hire("charge-a2", Role.NURSE_IN_CHARGE, places=(WARD_A,))
    counted_short(house)
    giving = entering(house, *TWO_OF_THE_WARD, act=Act.SUPPLY_PATIENT, patient="local-7")
    with pytest.raises(StockInQuestionError), house.store.transaction() as uow:
        enter_supply(uow, giving, quantity=1)
    in_part = PartDose(Decimal(5), Decimal(5), "mg", whole=Decimal(10))
    with pytest.raises(StockInQuestionError), house.store.transaction() as uow:
        enter_part_dose(uow, giving, quantity=1, part=in_part)
    ampoule = entering(house, *TWO_OF_THE_WARD, act=Act.SUPPLY_PATIENT, stock=AMPOULES, patient="local-7")
    with house.store.transaction() as uow:
        enter_supply(uow, ampoule, quantity=1)
    house.wait(hours=6)
    on_paper = replace(giving, act=Act.ENTER_AFTER_DOWNTIME, at=house.at)
    past = entered_later(
        on_paper, occurred_at=house.at - timedelta(hours=3), paper="Form 12", enters=Act.SUPPLY_PATIENT
    )
    with house.store.transaction() as uow:
        enter_supply(uow, past, quantity=1)
    settle(house, AccountKind.CUPBOARD)
    with house.store.transaction() as uow:
        enter_supply(uow, giving, quantity=1)
    assert held(house, TABLETS) == {AccountKind.CUPBOARD: 18, AccountKind.PATIENT: 2}


@pytest.mark.parametrize(
    ("into", "of"),
    [
        (AccountKind.OPENING, WARD_A),
        (AccountKind.SUPPLIER, WARD_A),
        (AccountKind.TOLERATED, WARD_A),
        (AccountKind.TRANSIT, "tote-1"),
        (AccountKind.CUPBOARD, WARD_B),
        (AccountKind.DESTROYED, WARD_B),
        (AccountKind.PATIENT, WARD_B),
        (AccountKind.CUPBOARD, HATCH),
        (AccountKind.OVER, HATCH),
    ],
)
def test_what_was_short_is_settled_at_the_place_that_found_it(house: House, into: AccountKind, of: str) -> None:
    house.hire("charge-a2", Role.NURSE_IN_CHARGE, places=(WARD_A,))
    counted_short(house)
    with pytest.raises(SettlementError, match=f"at {WARD_A} itself"):
        settle(house, into, of=of, patient="local-7", authority="prescriber-3")
    assert held(house, TABLETS) == {AccountKind.CUPBOARD: 19, AccountKind.SHORT: 1}


@pytest.mark.parametrize(
    "into", [AccountKind.CUPBOARD, AccountKind.QUARANTINE, AccountKind.DESTROYED, AccountKind.BROKEN]
)
def test_what_was_short_is_found_in_an_account_of_its_place(house: House, into: AccountKind) -> None:
    house.hire("charge-a2", Role.NURSE_IN_CHARGE, places=(WARD_A,))
    counted_short(house)
    settle(house, into)
    assert held(house, TABLETS).get(AccountKind.SHORT) is None
    assert held(house, TABLETS)[into] == (20 if into is AccountKind.CUPBOARD else 1)


def test_what_was_short_and_a_patient_had_names_the_patient_and_the_authority(house: House) -> None:
    house.hire("charge-a2", Role.NURSE_IN_CHARGE, places=(WARD_A,))
    counted_short(house)
    with pytest.raises(PatientMissingError, match="no patient"):
        settle(house, AccountKind.PATIENT, authority="prescriber-3")
    with pytest.raises(PatientMissingError, match="no authority"):
        settle(house, AccountKind.PATIENT, patient="local-7")
    entry = settle(house, AccountKind.PATIENT, patient="local-7", authority="prescriber-3")
    assert entry.draft.facts["settled_as"] == "found administered"
    assert held(house, TABLETS) == {AccountKind.CUPBOARD: 19, AccountKind.PATIENT: 1}


@pytest.mark.parametrize("into", [AccountKind.DESTROYED, AccountKind.BROKEN, AccountKind.PATIENT])
def test_what_was_over_never_comes_from_what_is_gone(house: House, into: AccountKind) -> None:
    house.hire("charge-a2", Role.NURSE_IN_CHARGE, places=(WARD_A,))
    counted_short(house, missing=-1)
    with pytest.raises(SettlementError):
        settle(house, into, difference=-1, patient="local-7", authority="prescriber-3")
    settle(house, AccountKind.CUPBOARD, difference=-1)
    assert held(house, TABLETS) == {AccountKind.CUPBOARD: 20}


@pytest.mark.parametrize("is_record", [True, False])
def test_what_was_packed_short_is_settled_with_where_it_was_packed_as_far_as_the_ledger_sees_that(
    is_record: bool,
) -> None:
    house = House(MemoryStore() if is_record else MemoryStore(REGISTER))
    house.hire("charge-a2", Role.NURSE_IN_CHARGE, places=(WARD_A,))
    if not is_record:
        with house.store.transaction() as uow:
            for place, units in ((HATCH, 20), (WARD_A, 0)):
                uow.ledger.append(opening(TABLETS, counted=units, place=PlaceId(place)), house.at)
    arrived = house.arrived()
    for _ in range(2):
        house.receive(arrived, off_by=-1)
    assert held(house, TABLETS)[AccountKind.SHORT] == 1
    if is_record:
        settle(house, AccountKind.CUPBOARD, of=HATCH)
    else:
        with pytest.raises(SettlementError):
            settle(house, AccountKind.CUPBOARD, of=HATCH)
        checking = replace(
            entering(house, "pharmacist-1", "technician-1", act=Act.CHECK_STOCK), place=PlaceId(HATCH), is_pharmacy=True
        )
        with house.store.transaction() as uow:
            enter_stock_check(uow, checking, counts=(11, 11), ids=house.ids)
        settle(house, AccountKind.OVER, of=HATCH)
    assert AccountKind.SHORT not in held(house, TABLETS)
    assert house.units(AccountKind.OVER, HATCH) == 0
