"""What people enter into a place's register that no robot carried. Who signs comes from step-ups, never from a body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from orchestrator.application import register_acts, register_waste, settling
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.register_entering import Entering
from orchestrator.application.step_up import StepUps as PresentedStepUps
from orchestrator.application.step_up import at_place, require_present
from orchestrator.domain.access.acts import Act
from orchestrator.domain.custody.model import Account, AccountKind, Entry, Stock
from orchestrator.domain.site.model import PlaceId
from orchestrator.http.acting import DeskOfApp, IdempotencyKey, Principal, StepUps, act_once, may, require_json
from orchestrator.http.desk import Desk
from orchestrator.http.ledger_models import (
    BackBreakage,
    BackDestruction,
    BackEntryAsked,
    BackSupplierReceipt,
    BackSupply,
    BreakageAsked,
    CorrectionAsked,
    DestructionAsked,
    EntryView,
    OpeningBalanceAsked,
    ResolutionAsked,
    RestockingAsked,
    StockAsked,
    StockCheckAsked,
    SupplierReceiptAsked,
    SupplyAsked,
    entry_view,
)
from orchestrator.http.presence import named_to, reference_said
from orchestrator.http.problems import documented
from orchestrator.http.request_models import Strict

router = APIRouter(prefix="/api/v1/registers/{place}", tags=["registers"])

PlaceInPath = Annotated[str, Path(description="Id of the ward, pharmacy or other place.")]
PROBLEMS = documented(400, 401, 403, 404, 409, 413, 415, 421, 422, 503)
LEDGER_ENTRIES = "/api/v1/ledger/entries"

OF_ENTRY = Stock("", "")
"""Stands for the stock of a correction: the entry that it corrects says which."""

ENTERED_BY: Mapping[str, Act] = {
    "supplier_receipt": Act.TAKE_FROM_SUPPLIER,
    "supply": Act.SUPPLY_PATIENT,
    "destruction": Act.DESTROY,
    "breakage": Act.RECORD_BREAKAGE,
    "restocking": Act.RESTOCK,
}
"""What each kind of back-entry enters."""

Enter = Callable[[UnitOfWork, Entering], Entry]


class Counter:
    """What every entry of a request is made from; a FastAPI dependency."""

    def __init__(
        self,
        place: PlaceInPath,
        request: Request,
        desk: DeskOfApp,
        by: Principal,
        key: IdempotencyKey,
        step_ups: StepUps,
    ) -> None:
        self.place = PlaceId(place)
        self.request = request
        self.desk: Desk = desk
        self.by = by
        self.key = key
        self.step_ups: PresentedStepUps = step_ups

    async def enter(self, asked: Strict, act: Act, enter: Enter, *, stock: Stock, **more: str | None) -> Response:
        """Enter something once, signed by the people present, and answer with the entry."""
        reason = more.pop("reason", None) or ""
        facts = {fact: text for fact, text in more.items() if text}
        premises = self.desk.fleet.premises

        def do(uow: UnitOfWork, at: datetime) -> EntryView:
            people = require_present(uow, self.step_ups, act=act, delivery=at_place(self.place), at=at)
            entering = Entering(
                place=self.place,
                is_pharmacy=premises.is_pharmacy(self.place),
                people=people,
                act=act,
                stock=stock,
                at=at,
                reason=reason,
                facts=facts,
                policy=premises.policy,
            )
            return entry_view(enter(uow, entering))

        return await act_once(
            self.request,
            self.desk,
            asked=asked,
            key=self.key,
            by=self.by,
            status=201,
            act=do,
            place=LEDGER_ENTRIES,
        )


AtCounter = Annotated[Counter, Depends(Counter)]


def _stock(asked: StockAsked, counter: Counter) -> Stock:
    own_of = asked.own_of
    if own_of is not None:
        own_of = reference_said(counter.desk.scanner, own_of, at=counter.desk.clock.now())
    return Stock(asked.medicine, asked.batch, own_of)


def _patient(said: str | None, counter: Counter) -> str | None:
    return None if said is None else named_to(counter.desk.scanner, said, at=counter.desk.clock.now())


def _supply_facts(asked: SupplyAsked, counter: Counter) -> Mapping[str, str | None]:
    return {
        "patient": _patient(asked.patient, counter),
        "authority": asked.authority,
        "supplied_to": asked.supplied_to,
        "collected_by": asked.collected_by,
        "identity_requested": _yes_or_no(asked.identity_requested),
        "identity_given": _yes_or_no(asked.identity_given),
    }


def _supply(uow: UnitOfWork, entering: Entering, asked: SupplyAsked) -> Entry:
    if asked.part_dose is None:
        return register_acts.enter_supply(uow, entering, quantity=asked.quantity)
    part = asked.part_dose.to_part_dose()
    return register_waste.enter_part_dose(uow, entering, quantity=asked.quantity, part=part)


def _yes_or_no(said: bool | None) -> str | None:
    return None if said is None else "yes" if said else "no"


def _declared(act: Act) -> dict[str, Any]:
    return {
        "status_code": 201,
        "response_model": EntryView,
        "dependencies": [may(act), Depends(require_json)],
        "responses": PROBLEMS,
    }


@router.post("/opening-balances", **_declared(Act.OPEN_BALANCE))
async def post_opening_balance(asked: OpeningBalanceAsked, counter: AtCounter) -> Response:
    """Open the register of a medicine and batch with what two people counted."""

    def enter(uow: UnitOfWork, entering: Entering) -> Entry:
        return register_acts.enter_opening_balance(uow, entering, counted=asked.counted)

    return await counter.enter(asked, Act.OPEN_BALANCE, enter, stock=_stock(asked, counter))


@router.post("/supplier-receipts", **_declared(Act.TAKE_FROM_SUPPLIER))
async def post_supplier_receipt(asked: SupplierReceiptAsked, counter: AtCounter) -> Response:
    """Record what a supplier delivered to a pharmacy, or, with ``own_of``, what a patient brought of their own."""

    def enter(uow: UnitOfWork, entering: Entering) -> Entry:
        return register_acts.enter_supplier_receipt(uow, entering, quantity=asked.quantity)

    return await counter.enter(
        asked,
        Act.TAKE_FROM_SUPPLIER,
        enter,
        stock=_stock(asked, counter),
        supplier=asked.supplier,
        requisition=asked.reference,
    )


@router.post("/stock-checks", **_declared(Act.CHECK_STOCK))
async def post_stock_check(asked: StockCheckAsked, counter: AtCounter) -> Response:
    """Record a count by two people, each for themselves; what was expected is told only afterwards."""

    def enter(uow: UnitOfWork, entering: Entering) -> Entry:
        counts = asked.counts[0], asked.counts[1]
        return register_acts.enter_stock_check(uow, entering, counts=counts, ids=counter.desk.ids)

    return await counter.enter(asked, Act.CHECK_STOCK, enter, stock=_stock(asked, counter), reason=asked.reason)


@router.post("/supplies", **_declared(Act.SUPPLY_PATIENT))
async def post_supply(asked: SupplyAsked, counter: AtCounter) -> Response:
    """Record what was given out of the cupboard to a patient, or to somebody for one, and what of it was wasted."""

    def enter(uow: UnitOfWork, entering: Entering) -> Entry:
        return _supply(uow, entering, asked)

    return await counter.enter(
        asked, Act.SUPPLY_PATIENT, enter, stock=_stock(asked, counter), **_supply_facts(asked, counter)
    )


@router.post("/restockings", **_declared(Act.RESTOCK))
async def post_restocking(asked: RestockingAsked, counter: AtCounter) -> Response:
    """Put units that came back, or were set apart, into the cupboard."""

    def enter(uow: UnitOfWork, entering: Entering) -> Entry:
        return register_acts.enter_restocking(uow, entering, quantity=asked.quantity, out_of=AccountKind(asked.out_of))

    return await counter.enter(asked, Act.RESTOCK, enter, stock=_stock(asked, counter), reason=asked.reason)


@router.post("/destructions", **_declared(Act.DESTROY))
async def post_destruction(asked: DestructionAsked, counter: AtCounter) -> Response:
    """Record what was destroyed before a witness."""

    def enter(uow: UnitOfWork, entering: Entering) -> Entry:
        return register_acts.enter_destruction(uow, entering, quantity=asked.quantity, out_of=AccountKind(asked.out_of))

    return await counter.enter(
        asked, Act.DESTROY, enter, stock=_stock(asked, counter), reason=asked.reason, authority=asked.authority
    )


@router.post("/breakages", **_declared(Act.RECORD_BREAKAGE))
async def post_breakage(asked: BreakageAsked, counter: AtCounter) -> Response:
    """Record what broke or was dropped, before a witness of the place; it is an incident too."""

    def enter(uow: UnitOfWork, entering: Entering) -> Entry:
        return register_waste.enter_breakage(
            uow, entering, quantity=asked.quantity, out_of=AccountKind(asked.out_of), ids=counter.desk.ids
        )

    return await counter.enter(asked, Act.RECORD_BREAKAGE, enter, stock=_stock(asked, counter), reason=asked.reason)


@router.post("/discrepancy-resolutions", **_declared(Act.RESOLVE_DISCREPANCY))
async def post_resolution(asked: ResolutionAsked, counter: AtCounter) -> Response:
    """Record what a discrepancy turned out to be, and where the units are or came from."""

    def enter(uow: UnitOfWork, entering: Entering) -> Entry:
        into = Account(asked.into, asked.of or counter.place)
        return settling.enter_discrepancy_resolution(uow, entering, difference=asked.difference, into=into)

    return await counter.enter(
        asked,
        Act.RESOLVE_DISCREPANCY,
        enter,
        stock=_stock(asked, counter),
        reason=asked.reason,
        patient=_patient(asked.patient, counter),
        authority=asked.authority,
    )


@router.post("/corrections", **_declared(Act.CORRECT_ENTRY))
async def post_correction(asked: CorrectionAsked, counter: AtCounter) -> Response:
    """Record beside a wrong entry what is right. The wrong one stays as it is."""

    def enter(uow: UnitOfWork, entering: Entering) -> Entry:
        return register_acts.enter_correction(
            uow, entering, entry=asked.entry, right=asked.quantity, ids=counter.desk.ids
        )

    words = asked.model_dump(exclude={"entry", "quantity", "patient"}, exclude_none=True)
    patient = _patient(asked.patient, counter)
    return await counter.enter(asked, Act.CORRECT_ENTRY, enter, stock=OF_ENTRY, patient=patient, **words)


@router.post("/back-entries", **_declared(Act.ENTER_AFTER_DOWNTIME))
async def post_back_entry(asked: BackEntryAsked, counter: AtCounter) -> Response:
    """Record what was kept on paper during a downtime, with when it happened; flagged when it comes too late."""
    said = asked.entry

    def enter(uow: UnitOfWork, entering: Entering) -> Entry:
        later = register_acts.entered_later(
            entering, occurred_at=asked.occurred_at, paper=asked.paper, enters=ENTERED_BY[said.kind]
        )
        if isinstance(said, BackSupplierReceipt):
            return register_acts.enter_supplier_receipt(uow, later, quantity=said.quantity)
        if isinstance(said, BackSupply):
            return _supply(uow, later, said)
        if isinstance(said, BackDestruction):
            return register_acts.enter_destruction(uow, later, quantity=said.quantity, out_of=AccountKind(said.out_of))
        if isinstance(said, BackBreakage):
            out_of, ids = AccountKind(said.out_of), counter.desk.ids
            return register_waste.enter_breakage(uow, later, quantity=said.quantity, out_of=out_of, ids=ids)
        return register_acts.enter_restocking(uow, later, quantity=said.quantity, out_of=AccountKind(said.out_of))

    facts: dict[str, str | None] = {}
    if isinstance(said, BackSupply):
        facts = dict(_supply_facts(said, counter))
    elif isinstance(said, BackSupplierReceipt):
        facts = {"supplier": said.supplier, "requisition": said.reference}
    else:
        facts = {"reason": said.reason}
        if isinstance(said, BackDestruction):
            facts["authority"] = said.authority
    return await counter.enter(asked, Act.ENTER_AFTER_DOWNTIME, enter, stock=_stock(said, counter), **facts)
