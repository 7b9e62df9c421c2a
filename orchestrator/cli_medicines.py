"""``wardporter medicines …``: the catalogue. Exit code 0: done, 2: refused."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from orchestrator.domain.errors import WardporterError

REFUSED_EXIT = 2

app = typer.Typer(help="Load and look at the catalogue of medicines.", no_args_is_help=True)


@app.callback()
def medicines() -> None:
    """Load and look at the catalogue of medicines."""


@app.command()
def load(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A *.medicines.yaml or *.csv file.")],
    data: Annotated[Path | None, typer.Option(help="Folder of the books; as `wardporter serve` by default.")] = None,
) -> None:
    """Put the medicines of a file into the books, each in place of what was known of its code.

    The service must not run meanwhile. What pharmacists said of a medicine stays: a class that was raised is not
    lowered by a file.
    """
    from orchestrator.bootstrap import load_medicines_into_books
    from orchestrator.settings import Settings

    try:
        settings = Settings() if data is None else Settings(data=data)
        count = load_medicines_into_books(settings, file)
    except (WardporterError, ValidationError) as error:
        typer.echo(f"wardporter medicines load: {error}", err=True)
        raise typer.Exit(REFUSED_EXIT) from error
    typer.echo(f"{count} medicines are in the books in {settings.data}.")
