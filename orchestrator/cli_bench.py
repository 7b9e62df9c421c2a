"""``wardporter bench …``: what things cost, as ratios within one run, so that the machine does not matter.

Exit codes: 0 within the bounds, 1 beyond one, 2 refused.
"""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="What things cost, as ratios within one run.", no_args_is_help=True)

BEYOND_EXIT = 1


@app.callback()
def bench() -> None:
    """Measure; every figure is processor time unless it says otherwise."""


@app.command()
def ledger(
    requests: Annotated[int, typer.Option(help="How many requests of each kind.", min=10)] = 300,
    entries: Annotated[
        int, typer.Option(help="How many entries are verified, and proven among.", min=10_000)
    ] = 1_000_000,
) -> None:
    """Measure appends against requests that are only checked, verification, and proofs as the ledger grows."""
    from orchestrator.bench_ledger import measure  # builds a whole service; other commands need not wait for it

    figures = measure(requests=requests, entries=entries, tell=typer.echo)
    for figure in figures:
        typer.echo(figure.line)
    if not all(figure.is_within for figure in figures):
        raise typer.Exit(BEYOND_EXIT)
