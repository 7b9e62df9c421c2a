"""``wardporter scan``: read a code as the service does."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from pydantic import ValidationError

from orchestrator.domain.errors import WardporterError
from orchestrator.domain.scanning.errors import CharsetError
from orchestrator.domain.scanning.model import ScanKind

REFUSED_EXIT = 2
ANY = "any"
KINDS = (ANY, *ScanKind)


def scan(
    code: Annotated[
        str,
        typer.Argument(
            metavar="CODE", help=r"What the scanner sends; - reads it from standard input. GS as itself, \x1d or <GS>."
        ),
    ],
    json_out: Annotated[bool, typer.Option("--json", help="Print what POST /api/v1/scan answers.")] = False,
    kind: Annotated[str, typer.Option(help=f"Which kind of code is wanted: {', '.join(KINDS)}.")] = ANY,
) -> None:
    """Say what a code says: a pack, a tote, a wristband, a badge, a location or an NHS number.

    Ends with 2, and says why, when the code must not be trusted.
    """
    # The service's settings say whether patients are simulated; they take a moment to read, `--help` need not.
    from orchestrator.adapters.clock import SystemClock
    from orchestrator.bootstrap_scanning import scanner_from_settings
    from orchestrator.http.scan_views import scanned_view
    from orchestrator.settings import Settings

    if kind not in KINDS:
        raise typer.BadParameter(f"expected one of {', '.join(KINDS)}", param_hint="--kind")
    try:
        scanner = scanner_from_settings(Settings())
        wanted = None if kind == ANY else ScanKind(kind)
        scanned = scanned_view(scanner.scan(_said(code), at=SystemClock().now(), wanted=wanted))
    except ValidationError as error:
        typer.echo(f"wardporter scan: {error}", err=True)
        raise typer.Exit(REFUSED_EXIT) from error
    except WardporterError as error:
        if json_out:
            typer.echo(json.dumps({"error": error.code, "code": error.code, "detail": error.message}))
        typer.echo(f"wardporter scan: {error.code}: {error.message}", err=True)
        raise typer.Exit(REFUSED_EXIT) from error
    if json_out:
        typer.echo(scanned.model_dump_json())
        return
    for name, value in scanned.model_dump(mode="json", exclude_none=True).items():
        typer.echo(f"{name.replace('_', ' ')}: {value}")


def _said(code: str) -> str:
    if code != "-":
        return code
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        raise CharsetError(
            "The code was refused: what was sent is not text; expected characters in UTF-8. Set the scanner to send "
            "plain ASCII."
        ) from None
