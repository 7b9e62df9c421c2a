"""Registers, papers of deliveries, whereabouts, the occurrence report and the downtime pack: read, never written."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from orchestrator.application.downtime import downtime_pack
from orchestrator.application.papers import DeliveryPaper, paper_of, tote_of
from orchestrator.application.registers import Register, is_pharmacy, register_of
from orchestrator.application.reports import quarterly_report
from orchestrator.application.whereabouts import where_is
from orchestrator.domain.access.acts import Act
from orchestrator.domain.custody.occurrence import OccurrenceReport, Quarter
from orchestrator.domain.custody.scan_compliance import ScanReport, scan_report
from orchestrator.domain.delivery.model import DeliveryId, ToteId
from orchestrator.domain.site.model import PlaceId
from orchestrator.http.acting import DeskOfApp, may
from orchestrator.http.desk import Desk
from orchestrator.http.printing import CsvResponse, PdfResponse, drawn, tabled
from orchestrator.http.problems import documented
from orchestrator.http.register_models import (
    OccurrenceView,
    PeriodQuery,
    QuarterQuery,
    RegisterQuery,
    RegisterView,
    ScanComplianceView,
    WhereaboutsQuery,
    WhereaboutsView,
    occurrence_view,
    register_view,
    scan_compliance_view,
    whereabouts_view,
)

router = APIRouter(prefix="/api/v1", tags=["registers"])

PlaceInPath = Annotated[str, Path(description="Id of the ward or pharmacy.")]
DeliveryInPath = Annotated[str, Path(description="Id of the delivery.")]
ToteInPath = Annotated[str, Path(description="Id of the tote.")]
WhichPart = Annotated[RegisterQuery, Query()]
READ_REGISTER = [may(Act.READ_REGISTER)]
REFUSALS = documented(401, 403, 404, 421, 422)
_READ_REPORT: dict[str, Any] = {
    "dependencies": [may(Act.READ_REPORT)],
    "responses": documented(401, 403, 421, 422),
}


async def _register(desk: Desk, place: str, query: RegisterQuery) -> Register:
    return await desk.control.read(
        lambda uow: register_of(
            uow,
            PlaceId(place),
            at=desk.clock.now(),
            is_simulation=desk.is_simulation,
            is_pharmacy=is_pharmacy(desk.site, PlaceId(place)),
            medicine=query.medicine,
            since=query.since_moment,
        )
    )


@router.get("/registers/{place}", dependencies=READ_REGISTER, responses=REFUSALS)
async def get_register(place: PlaceInPath, desk: DeskOfApp, query: WhichPart) -> RegisterView:
    """Show the register of a place: a page for each drug class, strength and form."""
    return register_view(await _register(desk, place, query))


@router.get(
    "/registers/{place}/register.pdf", dependencies=READ_REGISTER, responses=REFUSALS, response_class=PdfResponse
)
async def get_register_pdf(place: PlaceInPath, desk: DeskOfApp, query: WhichPart) -> PdfResponse:
    """Print the register of a place."""
    register = await _register(desk, place, query)
    return await drawn(lambda: desk.papers.register_pdf(register), name=f"register-{place}")


@router.get(
    "/registers/{place}/register.csv", dependencies=READ_REGISTER, responses=REFUSALS, response_class=CsvResponse
)
async def get_register_csv(place: PlaceInPath, desk: DeskOfApp, query: WhichPart) -> CsvResponse:
    """Give the register of a place as a table."""
    register = await _register(desk, place, query)
    return await tabled(lambda: desk.papers.register_csv(register), name=f"register-{place}")


# -- papers of a delivery


async def _paper(desk: Desk, delivery: str) -> DeliveryPaper:
    found = await desk.control.read(lambda uow: uow.deliveries.get(DeliveryId(delivery)))
    return paper_of(found, desk.site, at=desk.clock.now(), is_simulation=desk.is_simulation, prefix=desk.company_prefix)


@router.get(
    "/deliveries/{delivery}/note.pdf",
    dependencies=[may(Act.READ_DELIVERY)],
    responses=documented(401, 403, 404, 421),
    response_class=PdfResponse,
)
async def get_note(delivery: DeliveryInPath, desk: DeskOfApp) -> PdfResponse:
    """Print the note that goes with the delivery; where the count is blind, it does not give the quantity away."""
    paper = await _paper(desk, delivery)
    return await drawn(lambda: desk.papers.delivery_note(paper), name=f"note-{delivery}")


@router.get(
    "/deliveries/{delivery}/totes/{tote}/label.pdf",
    dependencies=[may(Act.READ_DELIVERY)],
    responses=documented(401, 403, 404, 421),
    response_class=PdfResponse,
)
async def get_label(delivery: DeliveryInPath, tote: ToteInPath, desk: DeskOfApp) -> PdfResponse:
    """Print a tote's label, with its number as a barcode; it says nothing of what is inside."""
    paper = await _paper(desk, delivery)
    labelled = tote_of(paper.delivery, ToteId(tote))
    return await drawn(lambda: desk.papers.tote_label(paper, labelled), name=f"label-{tote}")


# -- over everything


@router.get("/whereabouts", dependencies=[may(Act.READ_LEDGER)], responses=documented(401, 403, 421, 422))
async def get_whereabouts(desk: DeskOfApp, query: Annotated[WhereaboutsQuery, Query()]) -> WhereaboutsView:
    """Say where a batch is: in cupboards, totes and robots, and to whom it was brought."""
    return whereabouts_view(await desk.control.read(lambda uow: where_is(uow, query.batch, medicine=query.medicine)))


async def _occurrences(desk: Desk, query: QuarterQuery) -> OccurrenceReport:
    quarter = Quarter.parse(query.quarter)
    return await desk.control.read(
        lambda uow: quarterly_report(uow, quarter, at=desk.clock.now(), is_simulation=desk.is_simulation)
    )


@router.get("/reports/cd-occurrence", dependencies=[may(Act.READ_REPORT)], responses=documented(401, 403, 421, 422))
async def get_occurrences(desk: DeskOfApp, query: Annotated[QuarterQuery, Query()]) -> OccurrenceView:
    """Report occurrences of a quarter, schedules 2 to 5 each with a section; a nil return says so."""
    return occurrence_view(await _occurrences(desk, query))


@router.get(
    "/reports/cd-occurrence.pdf",
    dependencies=[may(Act.READ_REPORT)],
    responses=documented(401, 403, 421, 422),
    response_class=PdfResponse,
)
async def get_occurrences_pdf(desk: DeskOfApp, query: Annotated[QuarterQuery, Query()]) -> PdfResponse:
    """Print the occurrence report of a quarter."""
    report = await _occurrences(desk, query)
    return await drawn(lambda: desk.papers.occurrence_pdf(report), name=f"occurrences-{report.quarter.name}")


async def _scans(desk: Desk, query: PeriodQuery) -> ScanReport:
    period, place_of = query.period, desk.fleet.premises.place
    return await desk.control.read(
        lambda uow: scan_report(
            period,
            uow.deliveries.picked_between(period.starts_at, period.ends_at),
            place_of=place_of,
            is_simulation=desk.is_simulation,
        )
    )


@router.get("/reports/scan-compliance", **_READ_REPORT)
async def get_scan_compliance(desk: DeskOfApp, query: Annotated[PeriodQuery, Query()]) -> ScanComplianceView:
    """Report how often packs were scanned and why not, by the place that picked them."""
    return scan_compliance_view(await _scans(desk, query))


@router.get("/reports/scan-compliance.pdf", response_class=PdfResponse, **_READ_REPORT)
async def get_scan_compliance_pdf(desk: DeskOfApp, query: Annotated[PeriodQuery, Query()]) -> PdfResponse:
    """Print the report on scanning."""
    report = await _scans(desk, query)
    return await drawn(lambda: desk.papers.scans_pdf(report), name=f"scanning-{query.first}-{query.last}")


@router.get("/reports/scan-compliance.csv", response_class=CsvResponse, **_READ_REPORT)
async def get_scan_compliance_csv(desk: DeskOfApp, query: Annotated[PeriodQuery, Query()]) -> CsvResponse:
    """Give the report on scanning as a table."""
    report = await _scans(desk, query)
    return await tabled(lambda: desk.papers.scans_csv(report), name=f"scanning-{query.first}-{query.last}")


@router.get(
    "/downtime-pack.pdf",
    dependencies=[may(Act.TAKE_DOWNTIME_PACK)],
    responses=documented(401, 403, 421),
    response_class=PdfResponse,
)
async def get_downtime_pack(desk: DeskOfApp) -> PdfResponse:
    """Print where everything is and who answers for it, with blank forms; a minute old at most it lies on the disk."""
    robots = desk.control.live().robots
    pack = await desk.control.read(
        lambda uow: downtime_pack(uow, desk.site, robots, at=desk.clock.now(), is_simulation=desk.is_simulation)
    )
    return await drawn(lambda: desk.papers.downtime_pdf(pack), name="downtime-pack")
