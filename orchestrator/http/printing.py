"""Papers as answers; they are drawn off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.responses import Response


class PdfResponse(Response):
    """A PDF."""

    media_type = "application/pdf"


class CsvResponse(Response):
    """A table."""

    media_type = "text/csv; charset=utf-8"


async def drawn(draw: Callable[[], bytes], *, name: str) -> PdfResponse:
    """Return what is drawn, under a file name of ASCII letters, digits, dots and hyphens."""
    return PdfResponse(await asyncio.to_thread(draw), headers=_named(f"{name}.pdf"))


async def tabled(write: Callable[[], str], *, name: str) -> CsvResponse:
    """Return what is written as a table, under a file name."""
    return CsvResponse(await asyncio.to_thread(write), headers=_named(f"{name}.csv"))


def _named(name: str) -> dict[str, str]:
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in ".-_") else "-" for letter in name)
    return {"Content-Disposition": f'attachment; filename="{safe}"', "Cache-Control": "no-store"}
