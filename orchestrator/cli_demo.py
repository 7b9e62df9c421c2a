"""``wardporter demo``: the whole house on this machine, with people played through the public API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.domain.errors import WardporterError

REFUSED_EXIT = 2


def demo(
    site: Annotated[
        Path | None, typer.Option(help="A *.site.yaml or Open-RMF *.building.yaml; the demo hospital when left out.")
    ] = None,
    robots: Annotated[int, typer.Option(help="How many robots, each a process on ROS 2.", min=1, max=8)] = 3,
    deliveries: Annotated[int, typer.Option(help="How many deliveries are queued.", min=1, max=500)] = 10,
    speed: Annotated[float, typer.Option(help="How much faster than real the robots drive.", min=0.5, max=20.0)] = 8.0,
    headless: Annotated[bool, typer.Option(help="Print no live view, and end with a table.")] = False,
    port: Annotated[int, typer.Option(help="TCP port of the page on 127.0.0.1.", min=0, max=65535)] = 8000,
    seed: Annotated[int, typer.Option(help="Of the choice of stations and of how long people take.")] = 1,
    tls: Annotated[
        bool, typer.Option("--tls", help="Over TLS, on a Mosquitto of its own with a certificate for each robot.")
    ] = False,
    limit_minutes: Annotated[float, typer.Option(help="Give up after this long.", min=0.1)] = 60.0,
) -> None:
    """Run deliveries from the pharmacy to the wards with robots on ROS 2, and show them here and on a page.

    Exit code 0 when every delivery was received, 1 when not, 2 when the input was refused.
    """
    from simulation.demo.run import DemoSettings, run_demo  # imports the whole house, which `site` need not

    settings = DemoSettings(
        site_file=site,
        robots=robots,
        deliveries=deliveries,
        speed_factor=speed,
        is_headless=headless,
        port=port,
        seed=seed,
        limit_s=limit_minutes * 60.0,
        is_tls=tls,
    )
    try:
        raise typer.Exit(run_demo(settings))
    except WardporterError as error:
        typer.echo(f"wardporter demo: {error.message}", err=True)
        raise typer.Exit(REFUSED_EXIT) from error
