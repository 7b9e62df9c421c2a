"""Custody of deliveries: verify, dispense, check, accept, refuse, turn back, keep cold, and who answers for it."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.application.accountability import pass_accountability, take_over_accountability
from orchestrator.application.fridge import confirm_in_fridge, report_excursion
from orchestrator.application.paper_receipt import enter_paper_receipt
from orchestrator.application.picked_packs import require_as_scanned
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.prepare_delivery import (
    Picked,
    accept_delivery,
    check_delivery,
    dispense_delivery,
    verify_delivery,
)
from orchestrator.application.refuse_delivery import patient_moved, refuse_delivery
from orchestrator.application.rerouting import follow_patient
from orchestrator.domain.access.acts import Act
from orchestrator.domain.custody.people import Present
from orchestrator.domain.delivery.model import Delivery, LineId
from orchestrator.domain.london import london_moment
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.scanning.model import ScanKind
from orchestrator.domain.site.model import StationId
from orchestrator.http.acting import may
from orchestrator.http.custody_models import (
    AcceptanceAsked,
    DispensingAsked,
    Nothing,
    PaperReceiptAsked,
    PatientMovedAsked,
    PickedAsked,
)
from orchestrator.http.desk import Desk
from orchestrator.http.one_delivery import ACTING, IS_JSON, AmongPeople, One
from orchestrator.http.problems import documented
from orchestrator.http.request_models import CountsAsked, ReasonAsked
from orchestrator.http.response_models import DeliveryView

router = APIRouter(prefix="/api/v1/deliveries/{delivery}", tags=["custody"])

REFUSALS = documented(404, *ACTING)


@router.post(
    "/verify", response_model=DeliveryView, dependencies=[may(Act.VERIFY_DELIVERY), *IS_JSON], responses=REFUSALS
)
async def post_verify(asked: Nothing, on: AmongPeople) -> Response:
    """Record that a pharmacist verified the delivery."""

    def do(uow: UnitOfWork, at: datetime, present: Present) -> Delivery:
        return verify_delivery(uow, delivery=on.id, at=at, present=present, premises=on.premises)

    return await on.do_together(asked, Act.VERIFY_DELIVERY, do)


@router.post(
    "/dispense", response_model=DeliveryView, dependencies=[may(Act.DISPENSE_DELIVERY), *IS_JSON], responses=REFUSALS
)
async def post_dispense(asked: DispensingAsked, on: AmongPeople) -> Response:
    """Record what was picked for each line: as scanned, or by hand with the reason why no scanner read it."""

    def do(uow: UnitOfWork, at: datetime, present: Present) -> Delivery:
        picked = [_picked(on.desk, one, at=at) for one in asked.lines]
        return dispense_delivery(uow, delivery=on.id, picked=picked, at=at, present=present, premises=on.premises)

    return await on.do_together(asked, Act.DISPENSE_DELIVERY, do)


@router.post(
    "/check", response_model=DeliveryView, dependencies=[may(Act.CHECK_DELIVERY), *IS_JSON], responses=REFUSALS
)
async def post_check(asked: CountsAsked, on: AmongPeople) -> Response:
    """Record an independent check: a second count by somebody who did not pick it."""

    def do(uow: UnitOfWork, at: datetime, present: Present) -> Delivery:
        counts = asked.to_counts()
        return check_delivery(uow, delivery=on.id, counts=counts, at=at, present=present, premises=on.premises)

    return await on.do_together(asked, Act.CHECK_DELIVERY, do)


@router.post(
    "/accept", response_model=DeliveryView, dependencies=[may(Act.ACCEPT_DELIVERY), *IS_JSON], responses=REFUSALS
)
async def post_accept(asked: AcceptanceAsked, on: AmongPeople) -> Response:
    """Record that the ward takes the delivery, and whom it names to receive it."""

    def do(uow: UnitOfWork, at: datetime, present: Present) -> Delivery:
        named = [PersonId(person) for person in asked.named]
        return accept_delivery(uow, delivery=on.id, named=named, at=at, present=present, premises=on.premises)

    return await on.do_together(asked, Act.ACCEPT_DELIVERY, do)


@router.post(
    "/paper-receipt",
    response_model=DeliveryView,
    dependencies=[may(Act.ENTER_PAPER_RECEIPT), *IS_JSON],
    responses=REFUSALS,
)
async def post_paper_receipt(asked: PaperReceiptAsked, on: AmongPeople) -> Response:
    """Enter what a ward received and signed for on paper while the network was down. It was not counted blind."""

    def do(uow: UnitOfWork, at: datetime, present: Present) -> Delivery:
        return enter_paper_receipt(
            uow,
            delivery=on.id,
            reading=asked.to_reading(),
            paper=asked.to_form(),
            at=at,
            present=present,
            premises=on.premises,
            ids=on.desk.ids,
        )

    return await on.do_together(asked, Act.ENTER_PAPER_RECEIPT, do)


@router.post(
    "/refuse", response_model=DeliveryView, dependencies=[may(Act.REFUSE_DELIVERY), *IS_JSON], responses=REFUSALS
)
async def post_refuse(asked: ReasonAsked, on: AmongPeople) -> Response:
    """Record that the ward does not take the delivery; it goes back unopened."""

    def do(uow: UnitOfWork, at: datetime, present: Present) -> Delivery:
        return refuse_delivery(uow, delivery=on.id, reason=asked.reason, at=at, present=present, premises=on.premises)

    return await on.do_together(asked, Act.REFUSE_DELIVERY, do)


@router.post(
    "/patient-moved",
    response_model=DeliveryView,
    dependencies=[may(Act.REROUTE_DELIVERY), *IS_JSON],
    responses=REFUSALS,
)
async def post_patient_moved(asked: PatientMovedAsked, on: One) -> Response:
    """Record that the patient is no longer there; the delivery turns back, never to the old bed.

    With ``to_station`` it goes there once that ward has accepted it, an approval covers the way where one is needed,
    and a robot can drive there; ``waiting`` says what speaks against it.
    """

    def do(uow: UnitOfWork, at: datetime, present: Present) -> Delivery:
        if asked.to_station is None:
            return patient_moved(uow, delivery=on.id, at=at, present=present, premises=on.premises)
        station = StationId(asked.to_station)
        return follow_patient(uow, on.desk.fleet, delivery=on.id, to_station=station, at=at, present=present)

    return await on.do(asked, do)


@router.post(
    "/in-fridge", response_model=DeliveryView, dependencies=[may(Act.CONFIRM_IN_FRIDGE), *IS_JSON], responses=REFUSALS
)
async def post_in_fridge(asked: Nothing, on: One) -> Response:
    """Confirm that what was received cold is in a fridge again."""

    def do(uow: UnitOfWork, at: datetime, present: Present) -> Delivery:
        return confirm_in_fridge(uow, delivery=on.id, at=at, present=present, premises=on.premises)

    return await on.do(asked, do)


@router.post(
    "/excursion", response_model=DeliveryView, dependencies=[may(Act.REPORT_EXCURSION), *IS_JSON], responses=REFUSALS
)
async def post_excursion(asked: ReasonAsked, on: One) -> Response:
    """Report that the delivery left its temperature, or that its logger has gone silent."""

    def do(uow: UnitOfWork, at: datetime, present: Present) -> Delivery:
        return report_excursion(
            uow,
            delivery=on.id,
            sentence=asked.reason,
            at=at,
            by=present.by,
            premises=on.premises,
            ids=on.desk.ids,
        )

    return await on.do(asked, do)


@router.post(
    "/accountability",
    response_model=DeliveryView,
    dependencies=[may(Act.PASS_ACCOUNTABILITY), *IS_JSON],
    responses=REFUSALS,
)
async def post_accountability(asked: Nothing, on: AmongPeople) -> Response:
    """Pass on who answers for the delivery, both signing; or take over what nobody answers for."""

    def do(uow: UnitOfWork, at: datetime, present: Present) -> Delivery:
        is_answered_for = uow.deliveries.get(on.id).custody.accountable is not None
        use_case = pass_accountability if is_answered_for else take_over_accountability
        return use_case(uow, delivery=on.id, at=at, present=present, premises=on.premises)

    return await on.do_together(asked, Act.PASS_ACCOUNTABILITY, do)


def _picked(desk: Desk, asked: PickedAsked, *, at: datetime) -> Picked:
    """Return what was picked; a code that must not be trusted, or contradicts what was typed, is refused."""
    if asked.code is None:
        return asked.by_hand()
    scanned = desk.scanner.scan(asked.code, at=at, wanted=ScanKind.PACK)
    require_as_scanned(scanned, line=asked.line, batch=asked.batch, expiry=asked.expiry)
    return Picked(
        line=LineId(asked.line),
        quantity=asked.quantity,
        gtin=scanned.gtin,
        batch=scanned.batch or asked.batch,
        expiry=scanned.expiry or asked.expiry,
        unread_because=asked.unread_because,
        is_typed=scanned.batch is None or scanned.expiry is None,
        expires_at=None if scanned.expires_at is None else london_moment(scanned.expires_at),
    )
