"""Drawers: have the drawer of a delivery opened, and see what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from orchestrator.application.grants import OpeningAsked, grant_drawer
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.access.acts import Act
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.issued_grant import GrantOutcome, IssuedGrant
from orchestrator.domain.delivery.model import DeliveryId
from orchestrator.http.acting import DeskOfApp, IdempotencyKey, StepUps, Who, act_once, may
from orchestrator.http.one_delivery import ACTING, IS_JSON, DeliveryInPath
from orchestrator.http.presence import present_of
from orchestrator.http.problems import documented

router = APIRouter(prefix="/api/v1/deliveries/{delivery}", tags=["drawers"])


class OpenDrawerAsked(BaseModel):
    """What the drawer is opened for; what follows from the delivery's state when left out.

    ``is_break_glass`` asks that one person alone opens it, where the place allows that: always an incident, and others
    are called at once. ``reason`` then says why; it is read by pharmacists and the accountable officer.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    purpose: Annotated[Purpose | None, Field(strict=False)] = None
    is_break_glass: bool = False
    reason: Annotated[str, Field(max_length=500)] = ""


class OpeningView(BaseModel):
    """One grant for a drawer and what came of it.

    ``issued``: the robot has not answered; ``opened``; ``refused`` by the robot, with its reason; ``void``: taken back
    before it answered. ``closed_at`` is when the drawer was reported locked again.
    """

    id: str
    delivery: str
    robot: str
    drawer: str
    purpose: Purpose
    by: str
    people: list[str]
    issued_at: datetime
    outcome: GrantOutcome
    reason: str
    answered_at: datetime | None
    closed_at: datetime | None


class OpeningsView(BaseModel):
    """Every opening of a delivery's drawer that was asked for, oldest first."""

    openings: list[OpeningView]


def opening_view(grant: IssuedGrant) -> OpeningView:
    """Return a grant as shown; its nonce is nobody's business."""
    return OpeningView(
        id=grant.id,
        delivery=grant.delivery,
        robot=grant.robot,
        drawer=grant.drawer,
        purpose=grant.purpose,
        by=grant.by,
        people=list(grant.people),
        issued_at=grant.issued_at,
        outcome=grant.outcome,
        reason=grant.reason,
        answered_at=grant.answered_at,
        closed_at=grant.closed_at,
    )


@router.post(
    "/open-drawer",
    response_model=OpeningView,
    dependencies=[may(Act.OPEN_DRAWER), *IS_JSON],
    responses=documented(404, *ACTING),
)
async def post_open_drawer(
    delivery: DeliveryInPath,
    asked: OpenDrawerAsked,
    request: Request,
    desk: DeskOfApp,
    who: Who,
    key: IdempotencyKey,
    step_ups: StepUps,
) -> Response:
    """Send the robot a signed grant for the delivery's drawer; it opens if the robot finds all as the grant says."""

    def act(uow: UnitOfWork, at: datetime) -> OpeningView:
        present = present_of(uow, who, step_ups, act=Act.OPEN_DRAWER, delivery=delivery, at=at)
        opening = OpeningAsked(
            DeliveryId(delivery),
            present,
            asked.purpose,
            asked.is_break_glass,
            reason=asked.reason,
            device=who.device,
        )
        return opening_view(grant_drawer(uow, desk.fleet, opening, signer=desk.signer, ids=desk.ids, at=at))

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=act)


@router.get("/openings", dependencies=[may(Act.READ_DELIVERY)], responses=documented(401, 403, 404, 421))
async def get_openings(delivery: DeliveryInPath, desk: DeskOfApp) -> OpeningsView:
    """List how often the delivery's drawer was to be opened, by whom, and what came of each."""

    def query(uow: UnitOfWork) -> OpeningsView:
        found = uow.deliveries.get(DeliveryId(delivery))
        return OpeningsView(openings=[opening_view(grant) for grant in uow.grants.of_delivery(found.id)])

    return await desk.control.read(query)
