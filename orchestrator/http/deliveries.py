"""Deliveries: queue, list, look at, load, receive, cancel, hand to a runner, report an incident."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from orchestrator.application.cancel_delivery import cancel_delivery
from orchestrator.application.confirm_receipt import confirm_receipt
from orchestrator.application.deciding import subject_of_stations
from orchestrator.application.hand_to_runner import TakenOut, hand_to_runner
from orchestrator.application.load_delivery import load_delivery
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.queue_delivery import queue_delivery
from orchestrator.application.report_incident import report_incident
from orchestrator.application.views import DeliveryPicture, delivery_page, delivery_picture
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import Subject
from orchestrator.domain.custody.supply import WARD_STOCK, SupplyRequest
from orchestrator.domain.delivery.model import Delivery, DeliveryId
from orchestrator.domain.people import model as people
from orchestrator.domain.people.model import Role
from orchestrator.domain.site.model import StationId
from orchestrator.http.acting import DeskOfApp, IdempotencyKey, StepUps, Who, act_once, may, require_json
from orchestrator.http.custody_models import DeliveryAsked, ReceiptAsked
from orchestrator.http.desk import Desk
from orchestrator.http.presence import patient_reference, present_of, signed_in
from orchestrator.http.problems import documented
from orchestrator.http.request_models import (
    CancelAsked,
    CountedHandover,
    DeliveriesQuery,
    IncidentAsked,
    RunnerAsked,
)
from orchestrator.http.response_models import DeliveriesView, DeliveryView, deliveries_view, delivery_view

router = APIRouter(prefix="/api/v1/deliveries", tags=["deliveries"])

DeliveryInPath = Annotated[str, Path(description="Id of the delivery.")]
IS_JSON = [Depends(require_json)]
SEE_QUANTITIES = frozenset({Role.PHARMACIST, Role.PHARMACY_TECHNICIAN, Role.ACCOUNTABLE_OFFICER})
"""Who sees quantities of what is counted blind before it is closed."""
ACTING = (400, 401, 403, 409, 413, 415, 421, 422, 503)


def shown(
    act: Callable[[UnitOfWork, datetime], Delivery], who: people.Principal, desk: Desk
) -> Callable[[UnitOfWork, datetime], DeliveryView]:
    """Return the act with the delivery that came of it, as whoever asks may see it."""
    return lambda uow, at: view_for(who, delivery_picture(uow, act(uow, at).id), desk)


def view_for(who: people.Principal, picture: DeliveryPicture, desk: Desk) -> DeliveryView:
    """Return what is shown of a delivery: to who counts it blind, no quantity before it is closed."""
    is_blind = desk.fleet.premises.rule(picture.delivery.handling_class).is_count_blind
    return delivery_view(picture, hides_quantities=is_blind and SEE_QUANTITIES.isdisjoint(who.roles))


@router.post(
    "",
    status_code=201,
    response_model=DeliveryView,
    dependencies=[may(Act.QUEUE_DELIVERY, is_in_body=True), *IS_JSON],
    responses={
        201: {"headers": {"Location": {"description": "Address of the delivery.", "schema": {"type": "string"}}}},
        **documented(*ACTING),
    },
)
async def post_delivery(
    asked: DeliveryAsked, request: Request, desk: DeskOfApp, who: Who, key: IdempotencyKey
) -> Response:
    """Queue a delivery."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        return queue_delivery(
            uow,
            request=asked.to_request(),
            supply=_supply(desk, asked, at=at),
            at=at,
            ids=desk.ids,
            present=signed_in(uow, who),
            premises=desk.fleet.premises,
            is_served=desk.is_served,
            return_to=None if asked.return_to is None else StationId(asked.return_to),
        )

    def subject(_uow: UnitOfWork) -> Subject:
        return subject_of_stations(desk.site, StationId(asked.from_station), StationId(asked.to_station))

    return await act_once(
        request, desk, asked=asked, key=key, by=who.id, status=201, act=shown(act, who, desk), subject=subject
    )


@router.get("", dependencies=[may(Act.LIST_DELIVERIES)], responses=documented(401, 403, 404, 421, 422))
async def get_deliveries(desk: DeskOfApp, query: Annotated[DeliveriesQuery, Query()]) -> DeliveriesView:
    """List deliveries, newest first, in pages."""
    states = None if query.state is None else frozenset(query.state)
    after = None if query.after is None else DeliveryId(query.after)
    page = await desk.control.read(lambda uow: delivery_page(uow, after=after, limit=query.limit, states=states))
    return deliveries_view(page)


@router.get("/{delivery}", dependencies=[may(Act.READ_DELIVERY)], responses=documented(401, 403, 404, 421))
async def get_delivery(delivery: DeliveryInPath, desk: DeskOfApp, who: Who) -> DeliveryView:
    """Show a delivery: lines, loading, receipt, trip, history, and what it waits for."""
    picture = await desk.control.read(lambda uow: delivery_picture(uow, DeliveryId(delivery)))
    return view_for(who, picture, desk)


@router.post(
    "/{delivery}/load",
    response_model=DeliveryView,
    dependencies=[may(Act.LOAD_DELIVERY), *IS_JSON],
    responses=documented(404, *ACTING),
)
async def post_load(
    delivery: DeliveryInPath,
    asked: CountedHandover,
    request: Request,
    desk: DeskOfApp,
    who: Who,
    key: IdempotencyKey,
    step_ups: StepUps,
) -> Response:
    """Record that the medicines are in the drawer, counted and sealed."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        present = present_of(uow, who, step_ups, act=Act.LOAD_DELIVERY, delivery=delivery, at=at)
        robot = uow.deliveries.get(DeliveryId(delivery)).robot
        return load_delivery(
            uow,
            delivery=DeliveryId(delivery),
            seal_number=asked.seal_number,
            counts=asked.to_counts(),
            at=at,
            present=present,
            premises=desk.fleet.premises,
            model=None if robot is None else desk.fleet.models[robot].id,
        )

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=shown(act, who, desk))


@router.post(
    "/{delivery}/receipt",
    response_model=DeliveryView,
    dependencies=[may(Act.RECEIVE_DELIVERY), *IS_JSON],
    responses=documented(404, *ACTING),
)
async def post_receipt(
    delivery: DeliveryInPath,
    asked: ReceiptAsked,
    request: Request,
    desk: DeskOfApp,
    who: Who,
    key: IdempotencyKey,
    step_ups: StepUps,
) -> Response:
    """Record that the medicines were taken out: the seal as read, and a count of every line."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        present = present_of(uow, who, step_ups, act=Act.RECEIVE_DELIVERY, delivery=delivery, at=at)
        return confirm_receipt(
            uow,
            delivery=DeliveryId(delivery),
            reading=asked.to_reading(),
            at=at,
            present=present,
            premises=desk.fleet.premises,
            ids=desk.ids,
        )

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=shown(act, who, desk))


@router.post(
    "/{delivery}/cancel",
    response_model=DeliveryView,
    dependencies=[may(Act.CANCEL_DELIVERY), *IS_JSON],
    responses=documented(404, *ACTING),
)
async def post_cancel(
    delivery: DeliveryInPath,
    asked: CancelAsked,
    request: Request,
    desk: DeskOfApp,
    who: Who,
    key: IdempotencyKey,
) -> Response:
    """Cancel a delivery; a sealed one comes back unopened instead."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        return cancel_delivery(uow, delivery=DeliveryId(delivery), reason=asked.reason, at=at, by=who.id)

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=shown(act, who, desk))


@router.post(
    "/{delivery}/hand-to-runner",
    response_model=DeliveryView,
    dependencies=[may(Act.HAND_TO_RUNNER), *IS_JSON],
    responses=documented(404, *ACTING),
)
async def post_hand_to_runner(
    delivery: DeliveryInPath,
    asked: RunnerAsked,
    request: Request,
    desk: DeskOfApp,
    who: Who,
    key: IdempotencyKey,
    step_ups: StepUps,
) -> Response:
    """Record that the person who asks carries the delivery on, out of the robot's drawer or instead of a robot."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        return hand_to_runner(
            uow,
            delivery=DeliveryId(delivery),
            reason=asked.reason,
            is_emptied=asked.is_emptied,
            at=at,
            present=present_of(uow, who, step_ups, act=Act.HAND_TO_RUNNER, delivery=delivery, at=at),
            premises=desk.fleet.premises,
            ids=desk.ids,
            taken_out=TakenOut(asked.seal_number, asked.is_by_key),
        )

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=shown(act, who, desk))


@router.post(
    "/{delivery}/incident",
    response_model=DeliveryView,
    dependencies=[may(Act.REPORT_INCIDENT), *IS_JSON],
    responses=documented(404, *ACTING),
)
async def post_incident(
    delivery: DeliveryInPath,
    asked: IncidentAsked,
    request: Request,
    desk: DeskOfApp,
    who: Who,
    key: IdempotencyKey,
) -> Response:
    """Report that something is wrong with the delivery; no robot carries it any further."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        return report_incident(
            uow,
            delivery=DeliveryId(delivery),
            code=asked.code,
            sentence=asked.sentence,
            is_emptied=asked.is_emptied,
            at=at,
            by=who.id,
        )

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=shown(act, who, desk))


def _supply(desk: Desk, asked: DeliveryAsked, *, at: datetime) -> SupplyRequest:
    """Return for what it is supplied, with the patient's number read as a scanner's would be."""
    if asked.supply is None:
        return WARD_STOCK
    patient = asked.supply.patient
    if patient is None:
        return asked.supply.to_request(patient=None)
    return asked.supply.to_request(patient=patient_reference(desk.scanner, patient, at=at))
