"""Recalls of medicines: raised, acknowledged by every place, ended."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from orchestrator.application.ports import UnitOfWork
from orchestrator.application.recalls import acknowledge_recall, affected, end_recall, raise_recall
from orchestrator.application.refuse_delivery import RECALLED, turn_back
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import Subject
from orchestrator.domain.delivery.model import Delivery
from orchestrator.domain.medicine.recall import Acknowledgement, RecallId
from orchestrator.domain.site.model import PlaceId, Site
from orchestrator.http.acting import DeskOfApp, IdempotencyKey, Principal, act_once, may, require_json
from orchestrator.http.custody_models import Nothing
from orchestrator.http.problems import documented
from orchestrator.http.register_models import (
    AcknowledgementAsked,
    RecallAsked,
    RecallsView,
    RecallView,
    WhereaboutsView,
    recall_view,
    whereabouts_view,
)

router = APIRouter(prefix="/api/v1/recalls", tags=["recalls"])

NEWEST = 200
RecallInPath = Annotated[str, Path(description="Id of the recall.")]
IS_JSON = Depends(require_json)
ACTING = (400, 401, 403, 409, 413, 415, 421, 422, 503)


def places_of(site: Site) -> tuple[PlaceId, ...]:
    """Return the wards, pharmacies and other places of a site where people keep medicines."""
    found = {station.place for station in site.stations.values() if not station.kind.is_resting_place}
    return tuple(sorted(found))


@router.post(
    "",
    status_code=201,
    response_model=RecallView,
    dependencies=[may(Act.RECALL_BATCH), IS_JSON],
    responses={
        201: {"headers": {"Location": {"description": "Address of the recall.", "schema": {"type": "string"}}}},
        **documented(*ACTING),
    },
)
async def post_recall(
    asked: RecallAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Recall a medicine, or batches of it: what holds it turns back, and every place is asked to look."""

    def act(uow: UnitOfWork, at: datetime) -> RecallView:
        def back(uow: UnitOfWork, delivery: Delivery) -> None:
            station = desk.site.stations.get(delivery.from_station)
            place = PlaceId(delivery.from_station) if station is None else station.place
            turn_back(uow, delivery, RECALLED, at=at, by=by, place=place)

        recall = raise_recall(
            uow, asked.to_request(), places=places_of(desk.site), turn_back=back, at=at, ids=desk.ids, by=by
        )
        return recall_view(recall)

    return await act_once(request, desk, asked=asked, key=key, by=by, status=201, act=act, place="/api/v1/recalls")


@router.get("", dependencies=[may(Act.READ_MEDICINE)], responses=documented(401, 403, 421))
async def get_recalls(desk: DeskOfApp) -> RecallsView:
    """List recalls, in force or not, newest first."""
    found = await desk.control.read(lambda uow: uow.recalls.newest(NEWEST))
    return RecallsView(recalls=[recall_view(recall) for recall in found])


@router.get("/{recall}", dependencies=[may(Act.READ_MEDICINE)], responses=documented(401, 403, 404, 421))
async def get_recall(recall: RecallInPath, desk: DeskOfApp) -> RecallView:
    """Show a recall, who has answered and who has not."""
    return recall_view(await desk.control.read(lambda uow: uow.recalls.get(RecallId(recall))))


@router.get("/{recall}/affected", dependencies=[may(Act.RECALL_BATCH)], responses=documented(401, 403, 404, 421))
async def get_affected(recall: RecallInPath, desk: DeskOfApp) -> WhereaboutsView:
    """Say where what is recalled is now, and to whom it was brought."""
    return whereabouts_view(await desk.control.read(lambda uow: affected(uow, uow.recalls.get(RecallId(recall)))))


@router.post(
    "/{recall}/acknowledgements",
    response_model=RecallView,
    dependencies=[may(Act.ACKNOWLEDGE_RECALL, is_in_body=True), IS_JSON],
    responses=documented(404, *ACTING),
)
async def post_acknowledgement(
    recall: RecallInPath,
    asked: AcknowledgementAsked,
    request: Request,
    desk: DeskOfApp,
    by: Principal,
    key: IdempotencyKey,
) -> Response:
    """Record that a place looked for what is recalled, and how many units it set apart."""

    def act(uow: UnitOfWork, at: datetime) -> RecallView:
        said = Acknowledgement(PlaceId(asked.place), by, at, asked.set_apart)
        return recall_view(acknowledge_recall(uow, RecallId(recall), said))

    def subject(_uow: UnitOfWork) -> Subject:
        return Subject(id=recall, places=frozenset({PlaceId(asked.place)}))

    return await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=act, subject=subject)


@router.post(
    "/{recall}/end",
    response_model=RecallView,
    dependencies=[may(Act.RECALL_BATCH), IS_JSON],
    responses=documented(404, *ACTING),
)
async def post_end(
    recall: RecallInPath, asked: Nothing, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Record that a recall is no longer in force."""

    def act(uow: UnitOfWork, at: datetime) -> RecallView:
        return recall_view(end_recall(uow, RecallId(recall), at=at, by=by))

    return await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=act)
