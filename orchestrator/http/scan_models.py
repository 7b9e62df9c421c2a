"""What is asked about scanned codes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orchestrator.domain.scanning.model import ScanKind
from orchestrator.http.request_models import Strict


class ScanAsked(Strict):
    """What a scanner sent, control characters and all; ``kind`` where only one kind of code will do."""

    code: str = Field(examples=["]d201050123456789001727053110ABC123\u001d21SN0001"])
    kind: Annotated[ScanKind, Field(strict=False)] | None = None
