"""Deliveries: queue, list, look at, load, receive, cancel, hand to a runner, report an incident."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from orchestrator.application.cancel_delivery import cancel_delivery
from orchestrator.application.confirm_receipt import confirm_receipt
from orchestrator.application.deciding import subject_of_stations
from orchestrator.application.hand_to_runner import hand_to_runner
from orchestrator.application.load_delivery import load_delivery
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.queue_delivery import queue_delivery
from orchestrator.application.report_incident import report_incident
from orchestrator.application.views import delivery_page, delivery_picture
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import Subject
from orchestrator.domain.custody.people import Present
from orchestrator.domain.custody.supply import WARD_STOCK, SupplyRequest
from orchestrator.domain.delivery.model import Delivery, DeliveryId
from orchestrator.domain.site.model import StationId
from orchestrator.http.acting import DeskOfApp, IdempotencyKey, Who, act_once, may
from orchestrator.http.custody_models import DeliveryAsked, ReceiptAsked
from orchestrator.http.desk import Desk
from orchestrator.http.one_delivery import (
    ACTING,
    IS_JSON,
    AmongPeople,
    DeliveryInPath,
    One,
    shown,
    view_for,
)
from orchestrator.http.presence import patient_reference, signed_in
from orchestrator.http.problems import documented
from orchestrator.http.request_models import (
    CancelAsked,
    DeliveriesQuery,
    IncidentAsked,
    LoadAsked,
    RunnerAsked,
)
from orchestrator.http.response_models import DeliveriesView, DeliveryView, deliveries_view

router = APIRouter(prefix="/api/v1/deliveries", tags=["deliveries"])

one = APIRouter(prefix="/api/v1/deliveries/{delivery}", tags=["deliveries"])
"""What is done with one delivery."""

REFUSALS = documented(404, *ACTING)


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


@one.post(
    "/load",
    response_model=DeliveryView,
    dependencies=[may(Act.LOAD_DELIVERY), *IS_JSON],
    responses=REFUSALS,
)
async def post_load(asked: LoadAsked, on: AmongPeople) -> Response:
    """Record that the medicines are in the drawer, counted and sealed: in one tote, or in several."""

    def load(uow: UnitOfWork, at: datetime, present: Present) -> Delivery:
        robot = uow.deliveries.get(on.id).robot
        return load_delivery(
            uow,
            delivery=on.id,
            seal_number=asked.seal_number,
            totes=asked.to_totes(),
            counts=asked.to_counts(),
            at=at,
            present=present,
            premises=on.premises,
            ids=on.desk.ids,
            model=None if robot is None else on.desk.fleet.models[robot].id,
            is_by_hand=asked.is_by_hand,
        )

    return await on.do_together(asked, Act.LOAD_DELIVERY, load)


@one.post(
    "/receipt",
    response_model=DeliveryView,
    dependencies=[may(Act.RECEIVE_DELIVERY), *IS_JSON],
    responses=REFUSALS,
)
async def post_receipt(asked: ReceiptAsked, on: AmongPeople) -> Response:
    """Record that the medicines were taken out: the seals as read, and a count of every line of what was opened."""

    def receive(uow: UnitOfWork, at: datetime, present: Present) -> Delivery:
        premises, ids = on.premises, on.desk.ids
        reading = asked.to_reading()
        return confirm_receipt(uow, delivery=on.id, reading=reading, at=at, present=present, premises=premises, ids=ids)

    return await on.do_together(asked, Act.RECEIVE_DELIVERY, receive)


@one.post(
    "/cancel",
    response_model=DeliveryView,
    dependencies=[may(Act.CANCEL_DELIVERY), *IS_JSON],
    responses=REFUSALS,
)
async def post_cancel(asked: CancelAsked, on: One) -> Response:
    """Cancel a delivery; a sealed one comes back unopened instead.

    With ``is_order_stopped`` only what is for one patient does; what goes into a ward's stock goes on.
    """

    def cancel(uow: UnitOfWork, at: datetime, present: Present) -> Delivery:
        return cancel_delivery(
            uow,
            delivery=on.id,
            reason=asked.reason,
            is_order_stopped=asked.is_order_stopped,
            at=at,
            by=present.by,
            premises=on.premises,
        )

    return await on.do(asked, cancel)


@one.post(
    "/hand-to-runner",
    response_model=DeliveryView,
    dependencies=[may(Act.HAND_TO_RUNNER), *IS_JSON],
    responses=REFUSALS,
)
async def post_hand_to_runner(asked: RunnerAsked, on: AmongPeople) -> Response:
    """Record that the person who asks carries the delivery on: out of a drawer, or out of another person's hands."""

    def hand(uow: UnitOfWork, at: datetime, present: Present) -> Delivery:
        return hand_to_runner(
            uow,
            delivery=on.id,
            reason=asked.reason,
            is_emptied=asked.is_emptied,
            at=at,
            present=present,
            premises=on.premises,
            ids=on.desk.ids,
            taken_out=asked.to_taken_out(),
        )

    return await on.do_together(asked, Act.HAND_TO_RUNNER, hand)


@one.post(
    "/incident",
    response_model=DeliveryView,
    dependencies=[may(Act.REPORT_INCIDENT), *IS_JSON],
    responses=REFUSALS,
)
async def post_incident(asked: IncidentAsked, on: AmongPeople) -> Response:
    """Report that something is wrong with the delivery; no robot carries it any further.

    Whoever says that something controlled is out of its drawer took it out: two people, each with a step-up for
    ``hand_to_runner``.
    """

    def report(uow: UnitOfWork, at: datetime, present: Present) -> Delivery:
        return report_incident(
            uow,
            delivery=on.id,
            code=asked.code,
            sentence=asked.sentence,
            is_emptied=asked.is_emptied,
            at=at,
            present=present,
            premises=on.premises,
            ids=on.desk.ids,
        )

    return await on.do_with_any(asked, Act.HAND_TO_RUNNER, report)


def _supply(desk: Desk, asked: DeliveryAsked, *, at: datetime) -> SupplyRequest:
    """Return for what it is supplied, with the patient's number read as a scanner's would be."""
    if asked.supply is None:
        return WARD_STOCK
    patient = asked.supply.patient
    if patient is None:
        return asked.supply.to_request(patient=None)
    return asked.supply.to_request(patient=patient_reference(desk.scanner, patient, at=at))
