"""``wardporter site …``: check, import, export and draw sites.

Exit codes: 0 when all is well, 1 when a check has findings, 2 when the input was refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.adapters.config.built_in import ROBOT_MODELS, built_in
from orchestrator.adapters.config.rmf.importer import import_building, report_lines
from orchestrator.adapters.config.rmf.nav_graph import export_nav_graph, graph_named
from orchestrator.adapters.config.robot_model_file import load_robot_models
from orchestrator.adapters.config.site_file import load_site, read_site
from orchestrator.adapters.config.site_writing import site_file_text
from orchestrator.adapters.drawing.sheet import draw_site
from orchestrator.domain.errors import InvalidInputError, WardporterError
from orchestrator.domain.fleet.model import RobotModel
from orchestrator.domain.site.linter import Finding, check_site
from orchestrator.domain.site.model import Site

app = typer.Typer(help="Check, import, export and draw sites.", no_args_is_help=True)

FINDINGS_EXIT = 1
REFUSED_EXIT = 2

_BUILDING_SUFFIX = ".building.yaml"

SiteArgument = Annotated[Path, typer.Argument(metavar="SITE", help="A *.site.yaml or *.building.yaml file.")]


class FileNotWritableError(InvalidInputError):
    """The result cannot be written where it was asked for."""

    code = "file_not_writable"


@app.command()
def check(
    file: SiteArgument,
    models: Annotated[
        Path | None, typer.Option(help="Folder of *.model.yaml files; the built-in ones when left out.")
    ] = None,
) -> None:
    """Name everything that is wrong with a site, with file, line and waypoint."""
    with _refusals():
        robot_models = load_robot_models(models or built_in(ROBOT_MODELS)).values()
        if _is_building(file):
            site = import_building(file)[0]
            findings = [(0, finding) for finding in check_site(site, _driving_on(site, robot_models))]
        else:
            read = read_site(file)
            site = read.site
            found = check_site(site, _driving_on(site, robot_models))
            findings = sorted(((read.line_of(finding), finding) for finding in found), key=lambda pair: pair[0])
    for line, finding in findings:
        typer.echo(_finding_line(file, line, finding))
    if findings:
        errors = sum(finding.is_error for _, finding in findings)
        typer.echo(f"{file}: {errors} errors, {len(findings) - errors} warnings.", err=True)
        raise typer.Exit(FINDINGS_EXIT)
    typer.echo(f"{file}: fine. {_size(site)}")


@app.command("import-rmf")
def import_rmf(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A traffic-editor *.building.yaml file.")],
    out: Annotated[Path, typer.Option(help="The site file to write.")],
) -> None:
    """Turn an Open-RMF traffic-editor map into a site file and report what was made of it."""
    with _refusals():
        site, report = import_building(file)
        _write(out, site_file_text(site))
    for line in report_lines(site, report):
        typer.echo(line)
    typer.echo(f"Written to {out}. {_size(site)}")


@app.command("export-nav-graph")
def export_nav_graph_file(
    file: SiteArgument,
    out: Annotated[Path, typer.Option(help="The nav graph file to write.")],
    graph: Annotated[str, typer.Option(help="Id of the lane graph, or its index in the site.")] = "0",
) -> None:
    """Write a lane graph in the form that Open-RMF's fleet adapters read."""
    with _refusals():
        site = _site_of(file)
        found = graph_named(site, graph)
        _write(out, export_nav_graph(site, found))
    typer.echo(f"Written to {out}: graph {found.id}, {len(found.waypoints)} vertices.")


@app.command()
def show(
    file: SiteArgument,
    out: Annotated[Path, typer.Option(help="The SVG file to write.")],
) -> None:
    """Draw a site: walls, lanes, doors, lifts and stations of every level."""
    with _refusals():
        site = _site_of(file)
        _write(out, draw_site(site))
    typer.echo(f"Drawn to {out}. {_size(site)}")


@contextmanager
def _refusals() -> Iterator[None]:
    """End with exit code 2 and the sentence when something is refused."""
    try:
        yield
    except WardporterError as error:
        typer.echo(f"Refused ({error.code}):\n{error.message}", err=True)
        raise typer.Exit(REFUSED_EXIT) from error


def _is_building(file: Path) -> bool:
    return file.name.endswith(_BUILDING_SUFFIX)


def _site_of(file: Path) -> Site:
    return import_building(file)[0] if _is_building(file) else load_site(file)


def _driving_on(site: Site, models: Iterable[RobotModel]) -> list[RobotModel]:
    """Return the models of each lane graph; all of them for a graph that is nobody's, as in a map just imported."""
    known = list(models)
    driven = [model for model in known if model.graph in site.graphs]
    lonely = [graph for graph in site.graphs if all(model.graph != graph for model in driven)]
    return driven + [replace(model, graph=graph) for graph in lonely for model in known]


def _finding_line(file: Path, line: int, finding: Finding) -> str:
    place = f"{file}:{line}" if line else str(file)
    return f"{place}: {finding.severity} [{finding.code}] {finding.sentence} {finding.remedy}"


def _size(site: Site) -> str:
    waypoints = sum(len(graph.waypoints) for graph in site.graphs.values())
    return (
        f"Levels: {len(site.levels)}; lane graphs: {len(site.graphs)}; waypoints: {waypoints}; "
        f"stations: {len(site.stations)}; doors: {len(site.doors)}; lifts: {len(site.lifts)}."
    )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileNotWritableError(
            f"{path} cannot be written ({error.strerror or error}); expected a file in a folder that is there. Name "
            "another place with --out."
        ) from error


if __name__ == "__main__":
    app()
