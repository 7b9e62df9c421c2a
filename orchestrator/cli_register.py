"""``wardporter register …``: registers of controlled drugs. Exit code 0: done, 2: refused."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from orchestrator.domain.errors import WardporterError

REFUSED_EXIT = 2

app = typer.Typer(help="Registers of controlled drugs, as views of the ledger.", no_args_is_help=True)


@app.callback()
def register() -> None:
    """Registers of controlled drugs, as views of the ledger."""


@app.command()
def export(
    place: Annotated[str, typer.Option(help="Id of the ward or pharmacy whose register it is.")],
    out: Annotated[Path, typer.Option(help="The file to write: *.pdf as it is printed, *.csv as a table.")],
    medicine: Annotated[str | None, typer.Option(help="A dm+d code or a drug class; every one when left out.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder with the books; ~/.local/share/wardporter by default.")
    ] = None,
) -> None:
    """Write the register of a place: a page for each drug class, strength and form, corrections beside the original.

    It only reads, and works while the service runs, and while robots and network do not.
    """
    from orchestrator.bootstrap_papers import export_register  # the drawing of pages takes a while to import
    from orchestrator.settings import Settings

    try:
        settings = Settings() if data is None else Settings(data=data)
        written = export_register(settings, place=place, medicine=medicine, out=out)
    except (WardporterError, ValidationError, OSError) as error:
        typer.echo(f"wardporter register export: {error}", err=True)
        raise typer.Exit(REFUSED_EXIT) from error
    if written.is_simulation:
        typer.echo("SIMULATION - not a record of real medicines")
    if written.warning:
        typer.echo(written.warning)
    lines = sum(len(page.lines) for page in written.pages)
    typer.echo(f"{len(written.pages)} pages with {lines} lines of {place} are in {out}.")
