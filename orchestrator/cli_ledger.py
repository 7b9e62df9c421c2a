"""``wardporter ledger …`` and ``wardporter witness``: heads, verification and export of the custody ledger.

Exit codes: 0 good, 1 bad (the ledger is not what was written, or there is no head), 2 refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from orchestrator.domain.custody.audit import BadLedgerError
from orchestrator.domain.custody.origin import SIMULATION_LINE
from orchestrator.domain.errors import WardporterError
from orchestrator.settings import Settings

app = typer.Typer(
    help="The custody ledger: its head, its export, whether it is what was written.", no_args_is_help=True
)

BAD_EXIT = 1
REFUSED_EXIT = 2
WITNESS_PORT = 8100

DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder with the books; ~/.local/share/wardporter by default.")
]


@app.command()
def head(data: DataOption = None) -> None:
    """Print the newest signed head: a few lines to be kept elsewhere, on paper if need be."""
    from orchestrator.bootstrap_audit import newest_head  # the database takes a while to import

    with _refusals():
        found = newest_head(_store_url(data))
        if found is None:
            typer.echo("The ledger has no entries yet, and so no head.", err=True)
            raise typer.Exit(BAD_EXIT)
        typer.echo(found.text, nl=False)


@app.command()
def verify(
    export: Annotated[Path | None, typer.Option(help="Verify this export instead of the books.")] = None,
    head: Annotated[
        list[Path] | None,
        typer.Option(help="A head kept elsewhere, or a witness's directory; may be repeated."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="The ledger's public key, kept elsewhere; else the one beside the books.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Hash, link and add up every entry anew, and compare with kept heads; name the first entry that is wrong."""
    from orchestrator.bootstrap_audit import verify_export, verify_store

    heads = head or []
    with _refusals():
        if export is not None:
            found = verify_export(export, heads=heads, key=key)
        else:
            settings = _settings(data)
            found = verify_store(_store_url(data), data=settings.data, heads=heads, key=key)
    if found.origin.is_simulation:
        typer.echo(SIMULATION_LINE)
    typer.echo(f"Good: {found.size} entries of {found.origin.line}, root {found.root.hex()}.")
    if found.heads:
        typer.echo(f"It agrees with all of the {found.heads} kept heads.")
    else:
        typer.echo(
            "No kept head was given: whoever holds the books and the key could have written all of it anew. Give "
            "--head with a head that was kept elsewhere."
        )


@app.command(name="export")
def write_export(
    out: Annotated[Path, typer.Option(help="The file to write: JSON lines, the last with the head.")],
    data: DataOption = None,
) -> None:
    """Write all entries with their head to a file that is verified without Wardporter's books."""
    from orchestrator.bootstrap_audit import export_store

    with _refusals():
        settings = _settings(data)
        size = export_store(_store_url(data), data=settings.data, out=out)
    typer.echo(f"{size} entries are in {out}. Verify it with: wardporter ledger verify --export {out} --head KEPT")


def witness(
    folder: Annotated[Path, typer.Option("--folder", help="Where heads are kept, and the witness's own key.")],
    ledger_key: Annotated[
        list[Path], typer.Option(help="The public key of a ledger: ledger.pub in its service's data; may be repeated.")
    ],
    name: Annotated[str, typer.Option(help="The name under which the witness signs.")] = "wardporter-witness",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port.", min=1, max=65535)] = WITNESS_PORT,
) -> None:
    """Keep heads of ledgers for another machine, and refuse those that did not grow from the kept one."""
    import uvicorn

    from orchestrator.bootstrap_ledger import witness_app

    with _refusals():
        served, own = witness_app(folder, name=name, ledger_keys=ledger_key)
    typer.echo(f"The witness listens on http://{host}:{port}; its key is {own.text}. Ctrl-C ends it.")
    uvicorn.run(served, host=host, port=port, log_level="warning")


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except BadLedgerError as error:
        typer.echo(f"BAD. {error}")
        raise typer.Exit(BAD_EXIT) from error
    except OSError as error:
        found = f"The file {error.filename} was refused ({error.strerror or error})"
        typer.echo(f"wardporter: {found}; expected one that can be read or written. Name the right one.", err=True)
        raise typer.Exit(REFUSED_EXIT) from error
    except (WardporterError, ValidationError) as error:
        typer.echo(f"wardporter: {error}", err=True)
        raise typer.Exit(REFUSED_EXIT) from error


def _settings(data: Path | None) -> Settings:
    return Settings.model_validate({} if data is None else {"data": data})


def _store_url(data: Path | None) -> str:
    return _settings(data).store_url()
