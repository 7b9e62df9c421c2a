"""Custody of deliveries: verify, dispense, check, accept, refuse, turn back, keep cold, and who answers for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from orchestrator.application.accountability import pass_accountability, take_over_accountability
from orchestrator.application.fridge import confirm_in_fridge, report_excursion
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.prepare_delivery import (
    Picked,
    accept_delivery,
    check_delivery,
    dispense_delivery,
    verify_delivery,
)
from orchestrator.application.refuse_delivery import patient_moved, refuse_delivery
from orchestrator.domain.access.acts import Act
from orchestrator.domain.custody.people import Present
from orchestrator.domain.delivery.model import Delivery, DeliveryId, LineId
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.scanning.model import ScanKind
from orchestrator.http.acting import (
    DeskOfApp,
    IdempotencyKey,
    StepUps,
    Who,
    act_once,
    may,
)
from orchestrator.http.custody_models import AcceptanceAsked, DispensingAsked, Nothing, PickedAsked
from orchestrator.http.deliveries import ACTING, IS_JSON, DeliveryInPath, shown
from orchestrator.http.desk import Desk
from orchestrator.http.presence import present_of, signed_in
from orchestrator.http.problems import documented
from orchestrator.http.request_models import CountsAsked, ReasonAsked
from orchestrator.http.response_models import DeliveryView

router = APIRouter(prefix="/api/v1/deliveries/{delivery}", tags=["custody"])

REFUSALS = documented(404, *ACTING)
Doing = Callable[[UnitOfWork, datetime, Present], Delivery]


@router.post(
    "/verify", response_model=DeliveryView, dependencies=[may(Act.VERIFY_DELIVERY), *IS_JSON], responses=REFUSALS
)
async def post_verify(
    delivery: DeliveryInPath,
    asked: Nothing,
    request: Request,
    desk: DeskOfApp,
    who: Who,
    key: IdempotencyKey,
    step_ups: StepUps,
) -> Response:
    """Record that a pharmacist verified the delivery."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        present = present_of(uow, who, step_ups, act=Act.VERIFY_DELIVERY, delivery=delivery, at=at)
        return verify_delivery(uow, delivery=DeliveryId(delivery), at=at, present=present, premises=desk.fleet.premises)

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=shown(act, who, desk))


@router.post(
    "/dispense", response_model=DeliveryView, dependencies=[may(Act.DISPENSE_DELIVERY), *IS_JSON], responses=REFUSALS
)
async def post_dispense(
    delivery: DeliveryInPath,
    asked: DispensingAsked,
    request: Request,
    desk: DeskOfApp,
    who: Who,
    key: IdempotencyKey,
    step_ups: StepUps,
) -> Response:
    """Record what was picked for each line: as scanned, or by hand with the reason why no scanner read it."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        present = present_of(uow, who, step_ups, act=Act.DISPENSE_DELIVERY, delivery=delivery, at=at)
        return dispense_delivery(
            uow,
            delivery=DeliveryId(delivery),
            picked=[_picked(desk, one, at=at) for one in asked.lines],
            at=at,
            present=present,
            premises=desk.fleet.premises,
        )

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=shown(act, who, desk))


@router.post(
    "/check", response_model=DeliveryView, dependencies=[may(Act.CHECK_DELIVERY), *IS_JSON], responses=REFUSALS
)
async def post_check(
    delivery: DeliveryInPath,
    asked: CountsAsked,
    request: Request,
    desk: DeskOfApp,
    who: Who,
    key: IdempotencyKey,
    step_ups: StepUps,
) -> Response:
    """Record an independent check: a second count by somebody who did not pick it."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        present = present_of(uow, who, step_ups, act=Act.CHECK_DELIVERY, delivery=delivery, at=at)
        return check_delivery(
            uow,
            delivery=DeliveryId(delivery),
            counts=asked.to_counts(),
            at=at,
            present=present,
            premises=desk.fleet.premises,
        )

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=shown(act, who, desk))


@router.post(
    "/accept", response_model=DeliveryView, dependencies=[may(Act.ACCEPT_DELIVERY), *IS_JSON], responses=REFUSALS
)
async def post_accept(
    delivery: DeliveryInPath,
    asked: AcceptanceAsked,
    request: Request,
    desk: DeskOfApp,
    who: Who,
    key: IdempotencyKey,
    step_ups: StepUps,
) -> Response:
    """Record that the ward takes the delivery, and whom it names to receive it."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        present = present_of(uow, who, step_ups, act=Act.ACCEPT_DELIVERY, delivery=delivery, at=at)
        return accept_delivery(
            uow,
            delivery=DeliveryId(delivery),
            named=[PersonId(person) for person in asked.named],
            at=at,
            present=present,
            premises=desk.fleet.premises,
        )

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=shown(act, who, desk))


@router.post(
    "/refuse", response_model=DeliveryView, dependencies=[may(Act.REFUSE_DELIVERY), *IS_JSON], responses=REFUSALS
)
async def post_refuse(
    delivery: DeliveryInPath,
    asked: ReasonAsked,
    request: Request,
    desk: DeskOfApp,
    who: Who,
    key: IdempotencyKey,
    step_ups: StepUps,
) -> Response:
    """Record that the ward does not take the delivery; it goes back unopened."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        present = present_of(uow, who, step_ups, act=Act.REFUSE_DELIVERY, delivery=delivery, at=at)
        return refuse_delivery(
            uow,
            delivery=DeliveryId(delivery),
            reason=asked.reason,
            at=at,
            present=present,
            premises=desk.fleet.premises,
        )

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=shown(act, who, desk))


@router.post(
    "/patient-moved",
    response_model=DeliveryView,
    dependencies=[may(Act.REROUTE_DELIVERY), *IS_JSON],
    responses=REFUSALS,
)
async def post_patient_moved(
    delivery: DeliveryInPath, asked: Nothing, request: Request, desk: DeskOfApp, who: Who, key: IdempotencyKey
) -> Response:
    """Record that the patient is no longer there; the delivery comes back, never to the old bed."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        present = signed_in(uow, who)
        return patient_moved(uow, delivery=DeliveryId(delivery), at=at, present=present, premises=desk.fleet.premises)

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=shown(act, who, desk))


@router.post(
    "/in-fridge",
    response_model=DeliveryView,
    dependencies=[may(Act.CONFIRM_IN_FRIDGE), *IS_JSON],
    responses=REFUSALS,
)
async def post_in_fridge(
    delivery: DeliveryInPath, asked: Nothing, request: Request, desk: DeskOfApp, who: Who, key: IdempotencyKey
) -> Response:
    """Confirm that what was received cold is in a fridge again."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        present = signed_in(uow, who)
        return confirm_in_fridge(
            uow, delivery=DeliveryId(delivery), at=at, present=present, premises=desk.fleet.premises
        )

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=shown(act, who, desk))


@router.post(
    "/excursion",
    response_model=DeliveryView,
    dependencies=[may(Act.REPORT_EXCURSION), *IS_JSON],
    responses=REFUSALS,
)
async def post_excursion(
    delivery: DeliveryInPath, asked: ReasonAsked, request: Request, desk: DeskOfApp, who: Who, key: IdempotencyKey
) -> Response:
    """Report that the delivery left its temperature, or that its logger has gone silent."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        return report_excursion(
            uow,
            delivery=DeliveryId(delivery),
            sentence=asked.reason,
            at=at,
            by=who.id,
            premises=desk.fleet.premises,
            ids=desk.ids,
        )

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=shown(act, who, desk))


@router.post(
    "/accountability",
    response_model=DeliveryView,
    dependencies=[may(Act.PASS_ACCOUNTABILITY), *IS_JSON],
    responses=REFUSALS,
)
async def post_accountability(
    delivery: DeliveryInPath,
    asked: Nothing,
    request: Request,
    desk: DeskOfApp,
    who: Who,
    key: IdempotencyKey,
    step_ups: StepUps,
) -> Response:
    """Pass on who answers for the delivery, both signing; or take over what nobody answers for."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        present = present_of(uow, who, step_ups, act=Act.PASS_ACCOUNTABILITY, delivery=delivery, at=at)
        is_answered_for = uow.deliveries.get(DeliveryId(delivery)).custody.accountable is not None
        use_case = pass_accountability if is_answered_for else take_over_accountability
        return use_case(uow, delivery=DeliveryId(delivery), at=at, present=present, premises=desk.fleet.premises)

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=shown(act, who, desk))


def _picked(desk: Desk, asked: PickedAsked, *, at: datetime) -> Picked:
    """Return what was picked; a code that must not be trusted is refused, with the reason."""
    if asked.code is None:
        return asked.by_hand()
    scanned = desk.scanner.scan(asked.code, at=at, wanted=ScanKind.PACK)
    return Picked(
        line=LineId(asked.line),
        quantity=asked.quantity,
        gtin=scanned.gtin,
        batch=scanned.batch or asked.batch,
        expiry=scanned.expiry or asked.expiry,
        unread_because=asked.unread_because,
        is_typed=scanned.batch is None or scanned.expiry is None,
    )
