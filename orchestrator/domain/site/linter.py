"""The site linter: everything that is wrong with a site, in one list.

First the references (a name that names nothing), then what can be driven (reach, width, walls), then where robots
rest. An error means that the site is refused; a warning that a person should look. A lane whose width was estimated
from drawn walls and is too narrow is a warning only: upstream maps graze their walls, and nobody has measured.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from orchestrator.domain.fleet.model import RobotModel
from orchestrator.domain.site.findings import Finding, Severity
from orchestrator.domain.site.lint_driving import driving_findings
from orchestrator.domain.site.lint_references import reference_findings
from orchestrator.domain.site.model import GraphId, Site
from orchestrator.domain.site.resting import RestingPlaces

__all__ = ["Finding", "Severity", "check_site"]


def check_site(site: Site, models: Iterable[RobotModel] = ()) -> list[Finding]:
    """Return everything that is wrong with a site, errors before warnings.

    Parameters
    ----------
    site : Site
        The site, which may hold references that lead nowhere.
    models : iterable of RobotModel
        Robot models that are to drive here. Their radius decides which lanes are too narrow and what a parked robot
        blocks; without any, only waypoints count.

    Returns
    -------
    list of Finding
        Empty for a site that is fine.
    """
    models = tuple(models)
    radius_by_graph = dict.fromkeys(site.graphs, 0.0)
    for model in models:
        if model.graph in radius_by_graph:
            radius_by_graph[model.graph] = max(radius_by_graph[model.graph], model.radius_m)
    findings = [*reference_findings(site), *driving_findings(site, radius_by_graph)]
    findings += _missing_resting_places(site, driven=frozenset(model.graph for model in models))
    if not any(finding.is_error for finding in findings):  # else what is cut off already has its own finding
        findings += _cut_off_findings(site, separation_m=2.0 * max(radius_by_graph.values(), default=0.0))
    return sorted(findings, key=lambda finding: not finding.is_error)


def _missing_resting_places(site: Site, *, driven: Collection[GraphId]) -> list[Finding]:
    resting = [station for station in site.stations.values() if station.kind.is_resting_place]
    return [
        Finding(
            code="no_resting_place",
            severity=Severity.ERROR if graph.id in driven else Severity.WARNING,
            sentence=f"Lane graph {graph.id} has no charger and no parking place, so no robot may live there.",
            remedy="Add a station of kind charger or parking, best at the end of a lane of its own.",
            graph=graph.id,
        )
        for graph in site.graphs.values()
        if not any(graph.id in station.waypoints for station in resting)
    ]


def _cut_off_findings(site: Site, *, separation_m: float) -> list[Finding]:
    resting = [station.id for station in site.stations.values() if station.kind.is_resting_place]
    cut_off = RestingPlaces(site, separation_m=separation_m).first_cut_off(resting)
    if cut_off is None:
        return []
    return [
        Finding(
            code="resting_place_cuts_off",
            severity=Severity.ERROR,
            sentence=(
                f"With robots parked on {', '.join(cut_off.blockers) or 'no other place'}, a robot resting on "
                f"{cut_off.resting_place} cannot drive to {cut_off.station} and back on graph {cut_off.graph}."
            ),
            remedy="Move the resting place to the end of a lane of its own, or give it another kind.",
            graph=cut_off.graph,
            station=cut_off.resting_place,
            waypoint=site.stations[cut_off.resting_place].waypoints[cut_off.graph],
        )
    ]
