"""What is asked and answered about scanned codes; `wardporter scan` prints the same answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field

from orchestrator.domain.scanning.model import ScanKind, Scanned
from orchestrator.http.request_models import Strict


class ScanAsked(Strict):
    """What a scanner sent, control characters and all; ``kind`` where only one kind of code will do."""

    code: str = Field(examples=["]d201050123456789001727053110ABC123\u001d21SN0001"])
    kind: Annotated[ScanKind, Field(strict=False)] | None = None


class ScannedView(BaseModel):
    """What a code says; null for what it does not say.

    ``expired`` is true after the last day, or moment, on which a pack may be used; whoever loads it then is refused.
    ``expires_at`` is local time of the hospital. Names and date of birth are as a wristband prints them.
    """

    kind: ScanKind
    gtin: str | None
    expiry: date | None
    expires_at: datetime | None
    expired: bool | None
    batch: str | None
    serial: str | None
    sscc: str | None
    gsrn: str | None
    gln: str | None
    gln_extension: str | None
    nhs_number: str | None
    organisation: str | None
    local_id: str | None
    family_name: str | None
    given_name: str | None
    born: date | None


def scanned_view(scanned: Scanned) -> ScannedView:
    """Return what a code says as shown."""
    return ScannedView.model_validate(scanned, from_attributes=True)
