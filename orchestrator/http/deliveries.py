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
from orchestrator.application.hand_to_runner import hand_to_runner
from orchestrator.application.load_delivery import load_delivery
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.queue_delivery import queue_delivery
from orchestrator.application.report_incident import report_incident
from orchestrator.application.step_up import require_present
from orchestrator.application.views import delivery_page, delivery_picture
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import Subject
from orchestrator.domain.delivery.model import Delivery, DeliveryId
from orchestrator.domain.site.model import StationId
from orchestrator.http.acting import DeskOfApp, IdempotencyKey, Principal, StepUps, act_once, may, require_json
from orchestrator.http.problems import documented
from orchestrator.http.request_models import (
    CancelAsked,
    CountedHandover,
    DeliveriesQuery,
    DeliveryAsked,
    IncidentAsked,
    RunnerAsked,
)
from orchestrator.http.response_models import DeliveriesView, DeliveryView, deliveries_view, delivery_view

router = APIRouter(prefix="/api/v1/deliveries", tags=["deliveries"])

DeliveryInPath = Annotated[str, Path(description="Id of the delivery.")]
IS_JSON = [Depends(require_json)]
ACTING = (400, 401, 403, 409, 413, 415, 421, 422, 503)


def _shown(act: Callable[[UnitOfWork, datetime], Delivery]) -> Callable[[UnitOfWork, datetime], DeliveryView]:
    """Return the act with the delivery that came of it as shown."""
    return lambda uow, at: delivery_view(delivery_picture(uow, act(uow, at).id))


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
    asked: DeliveryAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Queue a delivery."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        return queue_delivery(
            uow,
            request=asked.to_request(),
            at=at,
            ids=desk.ids,
            by=by,
            stations=desk.site.stations,
            is_served=desk.is_served,
        )

    def subject(_uow: UnitOfWork) -> Subject:
        return subject_of_stations(desk.site, StationId(asked.from_station), StationId(asked.to_station))

    return await act_once(request, desk, asked=asked, key=key, by=by, status=201, act=_shown(act), subject=subject)


@router.get("", dependencies=[may(Act.LIST_DELIVERIES)], responses=documented(401, 403, 404, 421, 422))
async def get_deliveries(desk: DeskOfApp, query: Annotated[DeliveriesQuery, Query()]) -> DeliveriesView:
    """List deliveries, newest first, in pages."""
    states = None if query.state is None else frozenset(query.state)
    after = None if query.after is None else DeliveryId(query.after)
    page = await desk.control.read(lambda uow: delivery_page(uow, after=after, limit=query.limit, states=states))
    return deliveries_view(page)


@router.get("/{delivery}", dependencies=[may(Act.READ_DELIVERY)], responses=documented(401, 403, 404, 421))
async def get_delivery(delivery: DeliveryInPath, desk: DeskOfApp) -> DeliveryView:
    """Show a delivery: lines, loading, receipt, trip, history, and what it waits for."""
    return delivery_view(await desk.control.read(lambda uow: delivery_picture(uow, DeliveryId(delivery))))


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
    by: Principal,
    key: IdempotencyKey,
    step_ups: StepUps,
) -> Response:
    """Record that the medicines are in the drawer, counted and sealed."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        require_present(uow, step_ups, act=Act.LOAD_DELIVERY, delivery=delivery, at=at)
        return load_delivery(
            uow,
            delivery=DeliveryId(delivery),
            seal_number=asked.seal_number,
            counts=asked.to_counts(),
            at=at,
            by=by,
        )

    return await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=_shown(act))


@router.post(
    "/{delivery}/receipt",
    response_model=DeliveryView,
    dependencies=[may(Act.RECEIVE_DELIVERY), *IS_JSON],
    responses=documented(404, *ACTING),
)
async def post_receipt(
    delivery: DeliveryInPath,
    asked: CountedHandover,
    request: Request,
    desk: DeskOfApp,
    by: Principal,
    key: IdempotencyKey,
    step_ups: StepUps,
) -> Response:
    """Record that the medicines were taken out: the seal as read, and a count of every line."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        require_present(uow, step_ups, act=Act.RECEIVE_DELIVERY, delivery=delivery, at=at)
        return confirm_receipt(
            uow,
            delivery=DeliveryId(delivery),
            seal_number=asked.seal_number,
            counts=asked.to_counts(),
            at=at,
            by=by,
        )

    return await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=_shown(act))


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
    by: Principal,
    key: IdempotencyKey,
) -> Response:
    """Cancel a delivery; a sealed one comes back unopened instead."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        return cancel_delivery(uow, delivery=DeliveryId(delivery), reason=asked.reason, at=at, by=by)

    return await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=_shown(act))


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
    by: Principal,
    key: IdempotencyKey,
    step_ups: StepUps,
) -> Response:
    """Record that the person who asks carries the delivery on, out of the robot's drawer or instead of a robot."""

    def act(uow: UnitOfWork, at: datetime) -> Delivery:
        require_present(uow, step_ups, act=Act.HAND_TO_RUNNER, delivery=delivery, at=at)
        return hand_to_runner(
            uow, delivery=DeliveryId(delivery), reason=asked.reason, is_emptied=asked.is_emptied, at=at, by=by
        )

    return await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=_shown(act))


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
    by: Principal,
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
            by=by,
        )

    return await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=_shown(act))
