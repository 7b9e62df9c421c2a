"""The catalogue of medicines, and a pharmacist's word on what it does not classify."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from orchestrator.application.medicine_catalogue import classify_medicine, medicine_of, page_of_medicines
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.access.acts import Act
from orchestrator.http.acting import DeskOfApp, IdempotencyKey, Principal, act_once, may, require_json
from orchestrator.http.medicine_models import (
    ClassifyAsked,
    MedicinesQuery,
    MedicinesView,
    MedicineView,
    medicine_view,
)
from orchestrator.http.problems import documented

router = APIRouter(prefix="/api/v1/medicines", tags=["medicines"])

CodeInPath = Annotated[str, Path(description="dm+d code of the medicine.")]


@router.get("", dependencies=[may(Act.READ_MEDICINE)], responses=documented(401, 403, 421, 422))
async def get_medicines(desk: DeskOfApp, query: Annotated[MedicinesQuery, Query()]) -> MedicinesView:
    """List the medicines of the catalogue by code, in pages."""
    found = await desk.control.read(lambda uow: page_of_medicines(uow, after=query.after, limit=query.limit + 1))
    page = found[: query.limit]
    is_more = len(found) > query.limit
    return MedicinesView(medicines=[medicine_view(one) for one in page], next=page[-1].code if is_more else None)


@router.get("/{code}", dependencies=[may(Act.READ_MEDICINE)], responses=documented(401, 403, 404, 421))
async def get_medicine(code: CodeInPath, desk: DeskOfApp) -> MedicineView:
    """Show a medicine: how it is counted, stored and handled."""
    return medicine_view(await desk.control.read(lambda uow: medicine_of(uow, code)))


@router.post(
    "/{code}/classification",
    response_model=MedicineView,
    dependencies=[may(Act.CLASSIFY_MEDICINE), Depends(require_json)],
    responses=documented(400, 401, 403, 409, 413, 415, 421, 422, 503),
)
async def post_classification(
    code: CodeInPath, asked: ClassifyAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Record what a pharmacist says of a medicine: its schedule, and how strictly this place handles it.

    Never less strict than its schedule, nor than what was known of it; until somebody has said it, a medicine is
    handled as a controlled drug.
    """

    def act(uow: UnitOfWork, at: datetime) -> MedicineView:
        return medicine_view(classify_medicine(uow, asked.to_request(code), at=at, by=by))

    return await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=act)
