"""From a traffic-editor building file to a site, with a report of what was made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.config.revision import with_revision
from orchestrator.adapters.config.rmf.alignment import Alignment, align
from orchestrator.adapters.config.rmf.building import Building, MapNotImportableError, read_building
from orchestrator.adapters.config.rmf.lanes import Surroundings, lane_graphs_of
from orchestrator.adapters.config.rmf.stations import StationsFound, stations_of, with_resting_places
from orchestrator.adapters.config.rmf.structure import (
    PlacedFloor,
    doors_of,
    id_from_name,
    level_ids_of,
    levels_of,
    lifts_of,
    placed_floors,
    walls_of,
)
from orchestrator.adapters.config.site_form import FARTHEST_M
from orchestrator.adapters.config.source import Complaint
from orchestrator.domain.site.findings import Finding, Severity
from orchestrator.domain.site.model import LevelId, Site, StationKind, Wall


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import found, guessed and left out.

    ``scale_m`` is metres a drawing unit on the reference level; ``residual_m`` how far fiducials of other levels miss
    theirs; ``guesses`` the reason for the kind of each station; ``left_out`` what is not in the site as drawn, and why.
    """

    scale_m: float
    residual_m: float
    guesses: dict[str, str]
    left_out: dict[str, str]


def import_building(path: Path) -> tuple[Site, ImportReport]:
    """Return the site of a ``*.building.yaml`` file and the report on its import.

    Positions are in metres to a tenth of a millimetre, in the frame of the upstream generator: origin at the top left
    of the reference level's drawing, x to the right, y up (so mostly negative). Lane widths are estimated from walls.

    Raises
    ------
    ConfigFileError
        The file cannot be read as a building; the complaint names the line.
    MapNotImportableError
        What alignment in metres needs is missing, or there are no lanes.
    """
    return site_of_building(read_building(path))


def site_of_building(building: Building) -> tuple[Site, ImportReport]:
    """Return the site of a building that was read, and the report; see `import_building`."""
    path = building.path
    alignment = align(building)
    level_ids = level_ids_of(building)
    levels = levels_of(building, level_ids)
    floors = placed_floors(building, level_ids, alignment)
    _refuse_far_places(building, floors)
    doors, door_ids = doors_of(floors)
    lifts = lifts_of(building, level_ids, alignment)
    walls = walls_of(floors)
    around = Surroundings(levels, doors, door_ids, lifts.lifts, lifts.passed, _by_level(walls))
    graphs = lane_graphs_of(floors, around, building.graph_names)
    if not graphs:
        sentence = "The building has no lane; expected at least one lane graph."
        raise MapNotImportableError(path, [Complaint(1, sentence, "Draw the lanes in the traffic editor.")])
    found = stations_of(graphs)
    id = id_from_name(path.name.split(".")[0], (), otherwise="site")
    bare = Site(id, building.name, "", levels, graphs, doors, lifts.lifts, {}, walls)
    site = with_revision(with_resting_places(bare, found))
    return site, _report(site, alignment, building.reference_floor, found, lifts.left_out)


def _refuse_far_places(building: Building, floors: list[PlacedFloor]) -> None:
    for placed in floors:
        for index in range(len(placed.floor.vertices)):
            x_m, y_m = placed.point_m(index)
            if max(abs(x_m), abs(y_m)) > FARTHEST_M:
                sentence = (
                    f"Vertex {index} of level {placed.floor.name} lies at ({x_m:g}, {y_m:g}) m; expected every place "
                    f"within {FARTHEST_M / 1000:g} km of the origin."
                )
                remedy = "Subtract the offset of the map projection: a site has a frame of its own."
                raise MapNotImportableError(building.path, [Complaint(placed.floor.line, sentence, remedy)])


def _by_level(walls: tuple[Wall, ...]) -> dict[LevelId, tuple[Wall, ...]]:
    levels = {wall.level for wall in walls}
    return {level: tuple(wall for wall in walls if wall.level == level) for level in levels}


def _report(
    site: Site, alignment: Alignment, reference: str, found: StationsFound, lifts_left_out: Mapping[str, str]
) -> ImportReport:
    left_out = {f"what is drawn on level {name}": reason for name, reason in alignment.left_out.items()}
    left_out |= {f"lift {name}": reason for name, reason in lifts_left_out.items()} | found.left_out
    return ImportReport(
        scale_m=alignment.transforms[reference].scale,
        residual_m=alignment.residual_m,
        guesses={id: found.reasons[id] for id in site.stations},
        left_out=left_out,
    )


def report_lines(site: Site, report: ImportReport) -> Iterator[str]:
    """Yield the report of an import as lines for people."""
    yield (
        f"{site.name}: {len(site.levels)} levels, {len(site.doors)} doors, {len(site.lifts)} lifts, "
        f"{len(site.walls)} walls; {report.scale_m * 1000:.2f} mm a drawing unit, fiducials agree within "
        f"{report.residual_m * 1000:.1f} mm."
    )
    for graph in site.graphs.values():
        resting = [
            station.id
            for station in site.stations.values()
            if station.kind.is_resting_place and graph.id in station.waypoints
        ]
        yield f"Graph {graph.id}: {len(graph.waypoints)} waypoints, {len(graph.lanes)} directed lanes (rides included)."
        yield f"  Robots may rest at {', '.join(resting) or 'no place'}."
    for kind in StationKind:
        for station in site.stations.values():
            if station.kind is kind:
                yield f"Station {station.id} is {_KIND_WORDS[kind]}: {report.guesses[station.id]}."
    for thing, reason in report.left_out.items():
        yield f"Left out: {thing}, because {reason}."


def import_findings(site: Site, report: ImportReport) -> list[Finding]:
    """Return what a check of an imported map must know of the import: what was guessed, and what was left out."""
    findings = [
        Finding(
            code="station_kinds_guessed",
            severity=Severity.WARNING,
            sentence=f"The map does not say what its {len(site.stations)} stations are for: their kinds were guessed "
            "from names and marks, and the resting places chosen among them.",
            remedy="Import the map to a site file, put the kinds right with the wards, and check that file.",
        )
    ]
    if report.left_out:
        some = list(report.left_out.items())[:3]
        rest = f", and {len(report.left_out) - len(some)} more" if len(report.left_out) > len(some) else ""
        findings.append(
            Finding(
                code="left_out_by_import",
                severity=Severity.NOTE,
                sentence="Left out of what is drawn: "
                + "; ".join(f"{what}, because {why}" for what, why in some)
                + f"{rest}.",
                remedy="Run `wardporter site import-rmf` for the whole report.",
                figures={"things": len(report.left_out)},
            )
        )
    return findings


_KIND_WORDS = {
    StationKind.PHARMACY_HATCH: "a pharmacy hatch",
    StationKind.WARD_HANDOVER: "a ward handover point",
    StationKind.BEDSIDE: "a bedside point",
    StationKind.CHARGER: "a charger",
    StationKind.PARKING: "a parking place",
    StationKind.OTHER: "of no particular kind",
}
