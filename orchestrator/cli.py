"""``wardporter``: the command line. Exit code 0: done, 1: done and not well, 2: refused."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from orchestrator import (
    cli_bench,
    cli_demo,
    cli_ledger,
    cli_medicines,
    cli_pki,
    cli_register,
    cli_robot,
    cli_scan,
    cli_site,
    cli_staff,
    cli_store,
)
from orchestrator.domain.errors import WardporterError
from orchestrator.settings import Settings

REFUSED_EXIT = 2

app = typer.Typer(
    help="Medicines in a robot's locked drawer, from the pharmacy to the right nurse.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_site.app, name="site")
app.add_typer(cli_pki.app, name="pki")
app.add_typer(cli_robot.app, name="robot")
app.add_typer(cli_store.app, name="store")
app.add_typer(cli_staff.app, name="staff")
app.add_typer(cli_medicines.app, name="medicines")
app.add_typer(cli_register.app, name="register")
app.command(name="demo")(cli_demo.demo)
app.command(name="scan")(cli_scan.scan)
app.add_typer(cli_ledger.app, name="ledger")
app.add_typer(cli_bench.app, name="bench")
app.command(name="witness")(cli_ledger.witness)


@app.command()
def serve(
    site: Annotated[Path | None, typer.Option(help="Site file; the demo hospital when left out.")] = None,
    fleet: Annotated[Path | None, typer.Option(help="Fleet file; the demo fleet when left out.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder for the books; ~/.local/share/wardporter by default.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="TCP port on loopback.", min=0, max=65535)] = None,
    standby: Annotated[
        bool | None, typer.Option("--standby", help="Wait while another one has the store open, then take over.")
    ] = None,
) -> None:
    """Run the orchestrator. Every option can also be set as WARDPORTER_… in the environment."""
    from orchestrator.bootstrap import serve as serve_with  # the service takes a second to import, `site` need not

    given = {"site": site, "fleet": fleet, "data": data, "port": port, "standby": standby}
    try:
        settings = Settings.model_validate({name: value for name, value in given.items() if value is not None})
        serve_with(settings, tell=typer.echo)
    except (WardporterError, ValidationError) as error:
        typer.echo(f"wardporter: {error}", err=True)
        raise typer.Exit(REFUSED_EXIT) from error


if __name__ == "__main__":
    app()
