"""The accountable officer's desk: approvals to carry, and incidents."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from orchestrator.application.carriage_approvals import approve_carriage, revoke_approval
from orchestrator.application.follow_up import follow_up
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.access.acts import Act
from orchestrator.domain.custody.approval import ApprovalId
from orchestrator.domain.custody.incident import IncidentId
from orchestrator.domain.fleet.model import ModelId
from orchestrator.domain.site.model import PlaceId
from orchestrator.http.acting import DeskOfApp, IdempotencyKey, Who, act_once, may
from orchestrator.http.custody_models import ApprovalAsked, FollowUpAsked, Nothing
from orchestrator.http.custody_views import (
    ApprovalsView,
    ApprovalView,
    IncidentsView,
    IncidentView,
    approval_view,
    incident_view,
)
from orchestrator.http.one_delivery import ACTING, IS_JSON
from orchestrator.http.presence import signed_in
from orchestrator.http.problems import documented

router = APIRouter(prefix="/api/v1", tags=["custody"])

NEWEST = 200
ApprovalInPath = Annotated[str, Path(description="Id of the approval.")]
IncidentInPath = Annotated[str, Path(description="Id of the incident.")]


@router.get("/carriage-approvals", dependencies=[may(Act.READ_APPROVALS)], responses=documented(401, 403, 421))
async def get_approvals(desk: DeskOfApp) -> ApprovalsView:
    """List every approval on record."""
    found = await desk.control.read(lambda uow: uow.approvals.all())
    return ApprovalsView(approvals=[approval_view(approval) for approval in found])


@router.post(
    "/carriage-approvals",
    status_code=201,
    response_model=ApprovalView,
    dependencies=[may(Act.APPROVE_CARRIAGE), *IS_JSON],
    responses=documented(*ACTING),
)
async def post_approval(
    asked: ApprovalAsked, request: Request, desk: DeskOfApp, who: Who, key: IdempotencyKey
) -> Response:
    """Approve that robots of a model carry a class over a route. It confers no legal authority."""

    def act(uow: UnitOfWork, at: datetime) -> ApprovalView:
        return approval_view(
            approve_carriage(
                uow,
                handling_class=asked.handling_class,
                from_place=PlaceId(asked.from_place),
                to_place=PlaceId(asked.to_place),
                model=ModelId(asked.model),
                reference=asked.reference,
                ends_at=asked.ends_at,
                at=at,
                present=signed_in(uow, who),
                ids=desk.ids,
            )
        )

    return await act_once(
        request, desk, asked=asked, key=key, by=who.id, status=201, act=act, place="/api/v1/carriage-approvals"
    )


@router.post(
    "/carriage-approvals/{approval}/revoke",
    response_model=ApprovalView,
    dependencies=[may(Act.APPROVE_CARRIAGE), *IS_JSON],
    responses=documented(404, *ACTING),
)
async def post_revoke_approval(
    approval: ApprovalInPath, asked: Nothing, request: Request, desk: DeskOfApp, who: Who, key: IdempotencyKey
) -> Response:
    """End an approval at once."""

    def act(uow: UnitOfWork, at: datetime) -> ApprovalView:
        present = signed_in(uow, who)
        return approval_view(revoke_approval(uow, approval=ApprovalId(approval), at=at, present=present))

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=act)


@router.get("/incidents", dependencies=[may(Act.READ_INCIDENTS)], responses=documented(401, 403, 421))
async def get_incidents(desk: DeskOfApp, who: Who) -> IncidentsView:
    """List incidents, newest first."""
    found = await desk.control.read(lambda uow: uow.incidents.newest(NEWEST))
    return IncidentsView(incidents=[incident_view(incident, to=who) for incident in found])


@router.post(
    "/incidents/{incident}/follow-ups",
    response_model=IncidentView,
    dependencies=[may(Act.FOLLOW_UP_INCIDENT), *IS_JSON],
    responses=documented(404, *ACTING),
)
async def post_follow_up(
    incident: IncidentInPath, asked: FollowUpAsked, request: Request, desk: DeskOfApp, who: Who, key: IdempotencyKey
) -> Response:
    """Write down what was found out about an incident; nobody who was there closes it."""

    def act(uow: UnitOfWork, at: datetime) -> IncidentView:
        return incident_view(
            follow_up(
                uow,
                incident=IncidentId(incident),
                sentence=asked.sentence,
                closes=asked.closes,
                at=at,
                by=who.id,
            ),
            to=who,
        )

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=act)
