"""What people do with robots: pause, resume, send, withdraw, abort, fence off, take out of service; and the history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from orchestrator.application.abort_order import abort_order
from orchestrator.application.fence_off_robot import fence_off_robot
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.pause_robot import pause_robot
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.quarantine_robot import quarantine_robot
from orchestrator.application.resume_robot import resume_robot
from orchestrator.application.robot_acts import Asked
from orchestrator.application.send_robot import send_robot
from orchestrator.application.service_of_robot import put_in_service, take_out_of_service
from orchestrator.application.views import history_page, picture_of
from orchestrator.application.withdraw_robot import withdraw_robot
from orchestrator.domain.access.acts import Act
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.site.model import StationId
from orchestrator.http.acting import DeskOfApp, IdempotencyKey, Principal, act_once, may, require_json
from orchestrator.http.desk import Desk
from orchestrator.http.fleet_models import RobotHistoryView, RobotView, history_view, robot_view
from orchestrator.http.problems import documented
from orchestrator.http.request_models import (
    FenceOffAsked,
    HistoryQuery,
    ReasonAsked,
    ResumeAsked,
    SendAsked,
    WithdrawAsked,
)

router = APIRouter(prefix="/api/v1/robots", tags=["robots"])

RobotInPath = Annotated[str, Path(description="Id of the robot.")]
IS_JSON = [Depends(require_json)]
ACTING = documented(400, 401, 403, 404, 409, 413, 415, 421, 422, 503)


class RobotUseCase(Protocol):
    """An act on a robot that needs nothing but a reason."""

    def __call__(self, uow: UnitOfWork, fleet: FleetOnSite, asked: Asked, *, ids: Ids) -> RobotRecord:
        """Do it and return the robot's record after it."""
        ...


async def _act(
    request: Request,
    desk: Desk,
    robot: str,
    asked: ReasonAsked,
    *,
    key: str,
    by: str,
    use_case: Callable[[UnitOfWork, Asked], RobotRecord],
) -> Response:
    def act(uow: UnitOfWork, at: datetime) -> RobotView:
        record = use_case(uow, Asked(RobotId(robot), by, asked.reason, at))
        return robot_view(picture_of(record, desk.fleet.models[record.robot].id))

    return await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=act)


def _serve(path: str, act_done: Act, use_case: RobotUseCase, *, summary: str, description: str) -> None:
    """Serve an act that needs nothing but a reason."""

    async def post(
        robot: RobotInPath, asked: ReasonAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
    ) -> Response:
        def act(uow: UnitOfWork, said: Asked) -> RobotRecord:
            return use_case(uow, desk.fleet, said, ids=desk.ids)

        return await _act(request, desk, robot, asked, key=key, by=by, use_case=act)

    router.add_api_route(
        f"/{{robot}}/{path}",
        post,
        methods=["POST"],
        name=f"post_{path.replace('-', '_')}",
        summary=summary,
        description=description,
        response_model=RobotView,
        dependencies=[may(act_done), *IS_JSON],
        responses=ACTING,
    )


_serve(
    "pause",
    Act.PAUSE_ROBOT,
    pause_robot,
    summary="Pause a robot",
    description="It stands at once and keeps its order. It is told until it answers; people are told when it does not.",
)
_serve(
    "abort",
    Act.ABORT_ROBOT,
    abort_order,
    summary="Abort what a robot does",
    description="Its order is cancelled at once; it stands until it is resumed. What is aboard stays on its account.",
)
_serve(
    "quarantine",
    Act.QUARANTINE_ROBOT,
    quarantine_robot,
    summary="Put a robot into quarantine",
    description="It gets no orders and is heard only now and then, until it is resumed; for a robot whose messages or "
    "certificate are in doubt.",
)
_serve(
    "out-of-service",
    Act.TAKE_OUT_OF_SERVICE,
    take_out_of_service,
    summary="Take a robot out of service",
    description="It gets no new work, ends its trip and goes to its resting place.",
)
_serve(
    "in-service",
    Act.PUT_IN_SERVICE,
    put_in_service,
    summary="Put a robot in service again",
    description="It gets work again.",
)


@router.post(
    "/{robot}/resume", response_model=RobotView, dependencies=[may(Act.RESUME_ROBOT), *IS_JSON], responses=ACTING
)
async def post_resume(
    robot: RobotInPath, asked: ResumeAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Lift every hold that keeps a robot from driving, or with `clock_off_s` hear it again by its clock as it stands.

    Refused while what laid a hold is still reported, and for a robot that was moved and stands on no waypoint.
    """

    def act(uow: UnitOfWork, said: Asked) -> RobotRecord:
        return resume_robot(uow, desk.fleet, said, ids=desk.ids, clock_off_s=asked.clock_off_s)

    return await _act(request, desk, robot, asked, key=key, by=by, use_case=act)


@router.post("/{robot}/send", response_model=RobotView, dependencies=[may(Act.SEND_ROBOT), *IS_JSON], responses=ACTING)
async def post_send(
    robot: RobotInPath, asked: SendAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Send a robot to a station without a delivery; it stays there until it is sent on, or home."""

    def act(uow: UnitOfWork, said: Asked) -> RobotRecord:
        return send_robot(uow, desk.fleet, said, ids=desk.ids, station=StationId(asked.station))

    return await _act(request, desk, robot, asked, key=key, by=by, use_case=act)


@router.post(
    "/{robot}/withdraw", response_model=RobotView, dependencies=[may(Act.WITHDRAW_ROBOT), *IS_JSON], responses=ACTING
)
async def post_withdraw(
    robot: RobotInPath, asked: WithdrawAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Withdraw a robot from its trip, politely: what is released to it is finished, the rest is given up."""

    def act(uow: UnitOfWork, said: Asked) -> RobotRecord:
        return withdraw_robot(uow, desk.fleet, said, ids=desk.ids, aboard=asked.aboard)

    return await _act(request, desk, robot, asked, key=key, by=by, use_case=act)


@router.post(
    "/{robot}/fence-off", response_model=RobotView, dependencies=[may(Act.FENCE_OFF_ROBOT), *IS_JSON], responses=ACTING
)
async def post_fence_off(
    robot: RobotInPath, asked: FenceOffAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Fence a robot off, also a silent one: an obstacle where it stands, or nothing at all once it is removed."""

    def act(uow: UnitOfWork, said: Asked) -> RobotRecord:
        return fence_off_robot(uow, desk.fleet, said, ids=desk.ids, is_removed=asked.is_removed)

    return await _act(request, desk, robot, asked, key=key, by=by, use_case=act)


@router.get(
    "/{robot}/history", dependencies=[may(Act.READ_ROBOT_HISTORY)], responses=documented(401, 403, 404, 421, 422)
)
async def get_history(robot: RobotInPath, desk: DeskOfApp, query: Annotated[HistoryQuery, Query()]) -> RobotHistoryView:
    """List what people did with a robot and what kept it, newest first, in pages."""
    page = await desk.control.read(
        lambda uow: history_page(uow, desk.fleet, RobotId(robot), after=query.after, limit=query.limit)
    )
    return history_view(page)
