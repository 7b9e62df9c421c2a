"""How long records are kept, what of a month would go, and letting it go: by two people, after they have looked."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from orchestrator.application.ports import UnitOfWork
from orchestrator.application.retention import RECORDS, WouldGo, look_over, purge
from orchestrator.application.step_up import at_place, require_present
from orchestrator.domain.access.acts import Act
from orchestrator.domain.retention.schedule import RETENTION, Month, RecordType
from orchestrator.domain.site.model import PlaceId
from orchestrator.http.acting import DeskOfApp, IdempotencyKey, Principal, StepUps, act_once, may, require_json
from orchestrator.http.ledger_models import EntryView, entry_view
from orchestrator.http.problems import documented
from orchestrator.http.register_acts import LEDGER_ENTRIES
from orchestrator.http.request_models import SaidReason, Strict

router = APIRouter(prefix="/api/v1/retention", tags=["retention"])

MonthInPath = Annotated[str, Path(description="The month in which the records ended, such as 2024-09.")]
MonthText = Annotated[str, Field(min_length=1, max_length=20, examples=["2024-09"])]


class RetentionView(BaseModel):
    """How long a type of record is kept here, at least and in fact, and why it stays where it does."""

    record_type: RecordType
    least_years: int
    years: int
    source: str
    stays_because: str


class RetentionsView(BaseModel):
    """Every type of record."""

    types: list[RetentionView]


class WouldGoView(BaseModel):
    """What of a type would go: how many records, their digest (SHA-256, in hex), and why they may not go yet, if so."""

    record_type: RecordType
    years: int
    records: int
    digest: str
    may_go: bool
    obstacles: list[str]


class MonthView(BaseModel):
    """What of a month would go, by type; nothing goes by looking. ``step_up_place`` is followed by /TYPE/MONTH."""

    month: str
    step_up_place: str = RECORDS
    types: list[WouldGoView]


class PurgeAsked(Strict):
    """What shall go: of which type and month, by the digest of what was looked at, and why."""

    record_type: Annotated[RecordType, Field(strict=False)]
    month: MonthText
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    reason: SaidReason


@router.get("", dependencies=[may(Act.READ_REPORT)], responses=documented(401, 403, 421))
async def get_retention(desk: DeskOfApp) -> RetentionsView:
    """Say how long each type of record is kept, by which rule, and which stay."""
    policy = desk.fleet.premises.policy
    return RetentionsView(
        types=[
            RetentionView(
                record_type=kind,
                least_years=retention.years,
                years=policy.years_kept(kind),
                source=retention.source,
                stays_because=retention.stays_because,
            )
            for kind, retention in RETENTION.items()
        ]
    )


@router.get("/months/{month}", dependencies=[may(Act.READ_REPORT)], responses=documented(401, 403, 421, 422))
async def get_month(month: MonthInPath, desk: DeskOfApp) -> MonthView:
    """Say what of a month would go, and what stands in the way; nothing is changed."""
    asked, policy = Month.parse(month), desk.fleet.premises.policy
    found = await desk.control.read(lambda uow: look_over(uow, asked, policy=policy, at=desk.clock.now()))
    return MonthView(month=asked.name, types=[_would_go_view(one) for one in found])


@router.post(
    "/purges",
    status_code=201,
    response_model=EntryView,
    dependencies=[may(Act.PURGE_RECORDS), Depends(require_json)],
    responses=documented(400, 401, 403, 409, 413, 415, 421, 422, 503),
)
async def post_purge(
    asked: PurgeAsked, request: Request, desk: DeskOfApp, by: Principal, key: IdempotencyKey, step_ups: StepUps
) -> Response:
    """Let records of a type and month go, by an accountable officer and a pharmacist; the ledger says what went."""
    month = Month.parse(asked.month)
    subject = at_place(PlaceId(f"{RECORDS}/{asked.record_type.value}/{month.name}"))

    def act(uow: UnitOfWork, at: datetime) -> EntryView:
        people = require_present(uow, step_ups, act=Act.PURGE_RECORDS, delivery=subject, at=at)
        entry = purge(
            uow,
            kind=asked.record_type,
            month=month,
            digest=asked.digest,
            reason=asked.reason,
            people=people,
            policy=desk.fleet.premises.policy,
            at=at,
        )
        return entry_view(entry)

    return await act_once(request, desk, asked=asked, key=key, by=by, status=201, act=act, place=LEDGER_ENTRIES)


def _would_go_view(found: WouldGo) -> WouldGoView:
    return WouldGoView(
        record_type=found.kind,
        years=found.years,
        records=found.records,
        digest=found.digest,
        may_go=found.may_go,
        obstacles=list(found.obstacles),
    )
