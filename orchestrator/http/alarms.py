"""Alarms of the building: raise one, say that it is over, let robots go on, and look."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from orchestrator.application.alarms import clear_alarm, end_alarm, raise_alarm
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.access.acts import Act
from orchestrator.domain.emergency.alarm import Alarm, AlarmId, AlarmKind, AlarmState
from orchestrator.domain.people import model as people
from orchestrator.domain.site.model import ZoneId
from orchestrator.http.acting import DeskOfApp, IdempotencyKey, Principal, Who, act_once, may, require_json
from orchestrator.http.desk import Desk
from orchestrator.http.problems import documented
from orchestrator.http.request_models import ID_LENGTH_MAX, PAGE_MAX, ReasonAsked

router = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])

AlarmInPath = Annotated[str, Path(description="Id of the alarm.")]
IS_JSON = [Depends(require_json)]
ACTING = (400, 401, 403, 409, 413, 415, 421, 422, 503)
PLACE = "/api/v1/alarms"
ZONES_MAX = 100


class AlarmAsked(ReasonAsked):
    """What sounds and where; a fire alarm without zones is for the whole site, a crash call names its crash areas."""

    kind: Annotated[AlarmKind, Field(strict=False)]
    zones: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=ID_LENGTH_MAX)]],
        Field(max_length=ZONES_MAX, examples=[["alder"]]),
    ] = Field(default_factory=list[str])


class AlarmView(BaseModel):
    """One alarm: sounding, over but robots still held (cleared), or ended."""

    id: str
    kind: AlarmKind
    state: AlarmState
    zones: list[str]
    source: str
    reason: str
    raised_at: datetime
    raised_by: str
    cleared_at: datetime | None
    cleared_by: str | None
    ended_at: datetime | None
    ended_by: str | None
    ended_because: str | None


class AlarmsView(BaseModel):
    """Alarms, newest first."""

    alarms: list[AlarmView]


def alarm_view(alarm: Alarm) -> AlarmView:
    """Return what an answer says of an alarm."""
    return AlarmView(
        id=alarm.id,
        kind=alarm.kind,
        state=alarm.state,
        zones=list(alarm.zones),
        source=alarm.source,
        reason=alarm.reason,
        raised_at=alarm.raised_at,
        raised_by=alarm.raised_by,
        cleared_at=alarm.cleared_at,
        cleared_by=alarm.cleared_by,
        ended_at=alarm.ended_at,
        ended_by=alarm.ended_by,
        ended_because=alarm.ended_because,
    )


@router.get("", dependencies=[may(Act.WATCH)], responses=documented(401, 403, 421, 422))
async def get_alarms(desk: DeskOfApp, limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50) -> AlarmsView:
    """List alarms, newest first; robots are held by those that are not ended."""
    found = await desk.control.read(lambda uow: uow.alarms.newest(limit))
    return AlarmsView(alarms=[alarm_view(alarm) for alarm in found])


@router.post(
    "",
    status_code=201,
    response_model=AlarmView,
    dependencies=[may(Act.RAISE_ALARM), *IS_JSON],
    responses={
        201: {"headers": {"Location": {"description": "Address of the alarm.", "schema": {"type": "string"}}}},
        **documented(*ACTING),
    },
)
async def post_alarm(
    asked: AlarmAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Raise an alarm: ways are cleared, and robots held until a person who may do so ends it."""

    def act(uow: UnitOfWork, at: datetime) -> AlarmView:
        zones = [ZoneId(zone) for zone in asked.zones]
        alarm = raise_alarm(
            uow, site=desk.site, kind=asked.kind, zones=zones, reason=asked.reason, at=at, by=by, ids=desk.ids
        )
        return alarm_view(alarm)

    return await act_once(request, desk, asked=asked, key=key, by=by, status=201, act=act, place=PLACE)


@router.get("/{alarm}", dependencies=[may(Act.WATCH)], responses=documented(401, 403, 404, 421))
async def get_alarm(alarm: AlarmInPath, desk: DeskOfApp) -> AlarmView:
    """Show an alarm."""
    return alarm_view(await desk.control.read(lambda uow: uow.alarms.get(AlarmId(alarm))))


@router.post(
    "/{alarm}/clear",
    response_model=AlarmView,
    dependencies=[may(Act.CLEAR_ALARM), *IS_JSON],
    responses=documented(404, *ACTING),
)
async def post_clear(
    alarm: AlarmInPath, asked: ReasonAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey
) -> Response:
    """Say that an alarm raised here, or by a panel that the site has no more, is over; robots stay held."""

    def act(uow: UnitOfWork, at: datetime) -> AlarmView:
        return alarm_view(clear_alarm(uow, site=desk.site, alarm=AlarmId(alarm), at=at, by=by, reason=asked.reason))

    return await act_once(request, desk, asked=asked, key=key, by=by, status=200, act=act)


@router.post(
    "/{alarm}/resume",
    response_model=AlarmView,
    dependencies=[may(Act.END_ALARM), *IS_JSON],
    responses=documented(404, *ACTING),
)
async def post_resume(
    alarm: AlarmInPath, asked: ReasonAsked, request: Request, desk: DeskOfApp, who: Who, key: IdempotencyKey
) -> Response:
    """Let robots go on after an alarm that is over; only for those whom the policy of the place names."""

    def act(uow: UnitOfWork, at: datetime) -> AlarmView:
        ended = end_alarm(
            uow,
            site=desk.site,
            alarm=AlarmId(alarm),
            reason=asked.reason,
            at=at,
            by=who.id,
            authorised=_named(desk, who),
        )
        return alarm_view(ended)

    return await act_once(request, desk, asked=asked, key=key, by=who.id, status=200, act=act)


def _named(desk: Desk, who: people.Principal) -> Mapping[AlarmKind, Collection[str]]:
    """Return whom the policy of the place names, and who acts where it names one of their roles, spelled either way."""
    roles = {role.value for role in who.roles} if who.kind is people.PrincipalKind.PERSON else set[str]()
    named = desk.fleet.policy.may_end_alarms
    return {
        kind: {*ids, who.id} if roles & {id.replace("-", "_") for id in ids} else ids for kind, ids in named.items()
    }
