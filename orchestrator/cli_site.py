"""``wardporter site …``: check, import, export and draw sites.

Exit codes: 0 when all is well or a site is fit with conditions, 1 when a check refuses a site, 2 when the input was
refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.adapters.config.built_in import ROBOT_MODELS, built_in
from orchestrator.adapters.config.rmf.importer import import_building, import_findings, report_lines
from orchestrator.adapters.config.rmf.nav_graph import export_nav_graph, graph_named
from orchestrator.adapters.config.robot_model_file import load_robot_models
from orchestrator.adapters.config.site_file import load_site, read_site
from orchestrator.adapters.config.site_writing import site_file_text
from orchestrator.adapters.drawing.sheet import draw_site
from orchestrator.adapters.drawing.surveyed import draw_surveyed
from orchestrator.adapters.site_report.form import report_text
from orchestrator.adapters.site_report.page import page_text, sentence_of_overlaps
from orchestrator.domain.errors import InvalidInputError, NotFoundError, WardporterError
from orchestrator.domain.fleet.model import ModelId, RobotModel
from orchestrator.domain.site.findings import Finding, Severity
from orchestrator.domain.site.model import LaneId, LevelId, Site
from orchestrator.domain.site.survey.traffic_findings import counted
from orchestrator.domain.site.survey.verdict import NOT_CHECKED, Survey, Verdict, survey_site

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
        Path | None,
        typer.Option("--models", "--robot-models", help="Folder of *.model.yaml files; the built-in ones if left out."),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", help="Check for this robot model only; may be given again.")
    ] = None,
    closed: Annotated[
        list[str] | None, typer.Option("--closed", help="A directed lane that is closed; may be given again.")
    ] = None,
    json_out: Annotated[
        Path | None, typer.Option("--json", help="Write the report for machines here, - for the output.")
    ] = None,
    svg: Annotated[
        Path | None, typer.Option(help="Draw what was found: a file *.svg, or a folder with one for each level.")
    ] = None,
    page: Annotated[Path | None, typer.Option(help="Write a page with drawings and report into this folder.")] = None,
) -> None:
    """Say whether robots may be brought to a site, under which conditions, and what is wrong with it.

    Ends with 0 for a site that is fit, perhaps with conditions, with 1 for one that is refused, and with 2 when the
    input cannot be used.
    """
    with _refusals():
        known = _chosen_models(load_robot_models(models or built_in(ROBOT_MODELS)), model)
        survey, lines = _surveyed(file, known, [LaneId(lane) for lane in closed or ()])
        if svg is not None:
            _write_drawings(svg, survey)
        if page is not None:
            _write_page(page, file, survey, closed=closed or ())
        if json_out is not None and str(json_out) != "-":
            _write(json_out, report_text(survey), option="--json")
    is_json_only = json_out is not None and str(json_out) == "-"
    if is_json_only:
        typer.echo(report_text(survey), nl=False)
    for line, finding in sorted(lines, key=lambda pair: (list(Severity).index(pair[1].severity), pair[0])):
        typer.echo(_finding_line(file, line, finding), err=is_json_only)
    for line in _verdict_lines(file, survey):
        typer.echo(line, err=is_json_only)
    if survey.verdict is Verdict.REFUSED:
        raise typer.Exit(FINDINGS_EXIT)


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


def _chosen_models(known: Mapping[ModelId, RobotModel], wanted: Sequence[str] | None) -> list[RobotModel]:
    if not wanted:
        return list(known.values())
    for id in wanted:
        if id not in known:
            raise NotFoundError(
                f"There is no robot model {id!r}; expected one of {', '.join(known)}. Name another one, or the folder "
                "where its file is with --robot-models.",
                detail={"model": id},
            )
    return [known[ModelId(id)] for id in dict.fromkeys(wanted)]


def _surveyed(
    file: Path, models: Iterable[RobotModel], closed: Sequence[LaneId]
) -> tuple[Survey, list[tuple[int, Finding]]]:
    """Return what was found in a file, and each finding with its line, 0 where there is none."""
    if _is_building(file):
        site, report = import_building(file)
        survey = survey_site(site, _driving_on(site, models), closed=frozenset(closed))
        survey = survey.with_findings(import_findings(site, report))
        return survey, [(0, finding) for finding in survey.findings]
    read = read_site(file)
    survey = survey_site(read.site, _driving_on(read.site, models), closed=frozenset(closed))
    return survey, [(read.line_of(finding), finding) for finding in survey.findings]


def _verdict_lines(file: Path, survey: Survey) -> Iterator[str]:
    counts = ", ".join(
        counted(len(survey.of_severity(severity)), word)
        for severity, word in ((Severity.ERROR, "error"), (Severity.WARNING, "condition"), (Severity.NOTE, "note"))
    )
    robots = counted(len(survey.places), "robot")
    yield f"{file}: {survey.verdict.value}, {robots} at most; {counts}. {_size(survey.site)}"
    if survey.facts:
        yield sentence_of_overlaps(survey.overlaps)
    yield f"Not checked: {'; '.join(NOT_CHECKED.values())}."


def _write_drawings(out: Path, survey: Survey) -> dict[LevelId, Path]:
    """Write a drawing of each level: into the file named if there is one level, else beside it or into the folder."""
    drawings = {level: draw_surveyed(survey, level) for level in survey.site.levels}
    if out.suffix == ".svg":
        paths = {level: out if len(drawings) == 1 else out.with_stem(f"{out.stem}-{level}") for level in drawings}
    else:
        _make_folder(out, option="--svg")
        paths = {level: out / f"{level}.svg" for level in drawings}
    for level, path in paths.items():
        _write(path, drawings[level], option="--svg")
    return paths


def _write_page(folder: Path, file: Path, survey: Survey, *, closed: Sequence[str]) -> None:
    _make_folder(folder, option="--page")
    drawings = {level: path.name for level, path in _write_drawings(folder, survey).items()}
    words = "".join(f" --closed {lane}" for lane in closed)
    command = f"wardporter site check {file.name}{words} --page {folder.name}"
    text = page_text(survey, source=file.name, command=command, drawings=drawings, report="report.json")
    _write(folder / "README.md", text, option="--page")
    _write(folder / "report.json", report_text(survey), option="--page")


def _make_folder(folder: Path, *, option: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileNotWritableError(
            f"{folder} cannot be made a folder ({error.strerror or error}); expected one that is there, or a place "
            f"for a new one. Name another place with {option}."
        ) from error


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


def _write(path: Path, text: str, *, option: str = "--out") -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileNotWritableError(
            f"{path} cannot be written ({error.strerror or error}); expected a file in a folder that is there. Name "
            f"another place with {option}."
        ) from error


if __name__ == "__main__":
    app()
