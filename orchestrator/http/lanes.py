"""Lanes that people close and open again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from orchestrator.application.lane_closures import LaneAct, close_lane, open_lane
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.access.acts import Act
from orchestrator.domain.site.model import LaneId
from orchestrator.http.acting import DeskOfApp, IdempotencyKey, Principal, act_once, may, require_json
from orchestrator.http.lane_models import ClosedLanesView, LanesNowView, closure_view, lanes_now_view
from orchestrator.http.problems import documented
from orchestrator.http.request_models import CloseAsked, OpenAsked

router = APIRouter(prefix="/api/v1/lanes", tags=["lanes"])

LaneInPath = Annotated[str, Path(description="Id of the lane.")]
IS_JSON = [Depends(require_json)]
ACTING = documented(400, 401, 403, 404, 409, 413, 415, 421, 422, 503)


@router.get("/closed", dependencies=[may(Act.WATCH)], responses=documented(401, 403, 421))
async def get_closed(desk: DeskOfApp) -> ClosedLanesView:
    """List the lanes that people have closed."""
    standing = await desk.control.read(lambda uow: uow.closures.standing())
    return ClosedLanesView(closures=[closure_view(closure) for closure in standing])


@router.post(
    "/{lane}/close", response_model=LanesNowView, dependencies=[may(Act.CLOSE_LANE), *IS_JSON], responses=ACTING
)
async def post_close(
    lane: LaneInPath, asked: CloseAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Close a lane, in both directions unless told otherwise; the answer names what that cuts off.

    Refused when a station or a robot would have no way any more, unless ``even_if_cut_off`` says that this is meant.
    """

    def act(uow: UnitOfWork, at: datetime) -> LanesNowView:
        said = LaneAct(LaneId(lane), asked.both_directions, by, asked.reason, at)
        now = close_lane(uow, desk.fleet, said, until=asked.until, even_if_cut_off=asked.even_if_cut_off)
        return lanes_now_view(now)

    return await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=act)


@router.post("/{lane}/open", response_model=LanesNowView, dependencies=[may(Act.OPEN_LANE), *IS_JSON], responses=ACTING)
async def post_open(
    lane: LaneInPath, asked: OpenAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Open a lane again, in both directions unless told otherwise."""

    def act(uow: UnitOfWork, at: datetime) -> LanesNowView:
        said = LaneAct(LaneId(lane), asked.both_directions, by, asked.reason, at)
        return lanes_now_view(open_lane(uow, desk.fleet, said))

    return await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=act)
