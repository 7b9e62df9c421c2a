"""What a scanner sent, read by the one reader of codes. Nothing is kept, so no idempotency key is asked for."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from orchestrator.domain.access.acts import Act
from orchestrator.http.acting import DeskOfApp, may, require_json
from orchestrator.http.problems import documented
from orchestrator.http.scan_models import ScanAsked
from orchestrator.http.scan_views import ScannedView, scanned_view

router = APIRouter(prefix="/api/v1/scan", tags=["medicines"])


@router.post(
    "",
    dependencies=[may(Act.SCAN, is_read=True), Depends(require_json)],
    responses=documented(400, 401, 403, 413, 415, 421, 422),
)
async def post_scan(asked: ScanAsked, desk: DeskOfApp) -> ScannedView:
    """Read a code: a pack, a tote, a wristband, a staff badge, a location, or an NHS number.

    Refused with 422 and a code that says why when it must not be trusted; the text is nowhere kept.
    """
    return scanned_view(desk.scanner.scan(asked.code, at=desk.clock.now(), wanted=asked.kind))
