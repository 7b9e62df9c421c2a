"""What is answered about scanned codes; `wardporter scan` prints the same.

Apart from what is asked, so that the command line need not import the API to print an answer.
"""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel

from orchestrator.domain.scanning.model import ScanKind, Scanned


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
