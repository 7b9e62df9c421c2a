"""``wardporter store …``: what the owner of a PostgreSQL database does for the service.

Exit codes: 0 when it is done, 2 when it was refused.
"""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import ValidationError

from orchestrator.domain.errors import WardporterError
from orchestrator.settings import Settings

REFUSED_EXIT = 2

app = typer.Typer(help="Set up a PostgreSQL database for the service.", no_args_is_help=True)


@app.callback()
def store() -> None:
    """Set up a PostgreSQL database for the service."""


@app.command()
def prepare(
    role: Annotated[str, typer.Option(help="Role that the service connects as; it exists and owns nothing.")],
) -> None:
    """Bring the tables up to date as their owner, and let the service's role only add to what must stay as it is.

    WARDPORTER_STORE names the database and its owner. A password is better in PGPASSFILE than in there.
    """
    from orchestrator.adapters.store import name_of_store, prepare_store  # every other command would wait for it

    try:
        url = Settings().store_url()
        prepare_store(url, role=role)
    except (WardporterError, ValidationError) as error:
        typer.echo(f"wardporter: {error}", err=True)
        raise typer.Exit(REFUSED_EXIT) from error
    typer.echo(f"The store {name_of_store(url)} is up to date, and {role} has the rights of the service.")
