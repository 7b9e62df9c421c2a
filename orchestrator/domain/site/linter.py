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
from orchestrator.domain.site.lint_zones import zone_findings
from orchestrator.domain.site.model import GraphId, Site
from orchestrator.domain.site.survey.blame import blame_finding, parked_blame, resting_places_of, ways_of

__all__ = ["Finding", "Severity", "check_site", "radii_of", "reaches_of"]


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
    radius_by_graph = radii_of(site, models)
    findings = [*reference_findings(site), *driving_findings(site, radius_by_graph), *zone_findings(site)]
    findings += _missing_resting_places(site, driven=frozenset(model.graph for model in models))
    if not any(finding.is_error for finding in findings):  # else what is cut off already has its own finding
        resting = resting_places_of(site)
        for ways in ways_of(site, reaches_of(site, models)).values():
            findings += [blame_finding(site, blame) for blame in parked_blame(ways, resting)]
    return sorted(findings, key=lambda finding: not finding.is_error)


def radii_of(site: Site, models: Iterable[RobotModel]) -> dict[GraphId, float]:
    """Return the radius in metres of the largest robot model that drives on each lane graph; 0 where none does."""
    radius_by_graph = dict.fromkeys(site.graphs, 0.0)
    for model in models:
        if model.graph in radius_by_graph:
            radius_by_graph[model.graph] = max(radius_by_graph[model.graph], model.radius_m)
    return radius_by_graph


def reaches_of(site: Site, models: Iterable[RobotModel]) -> dict[GraphId, float]:
    """Return how far from where it is meant to be the robots of each lane graph cover the floor, in metres.

    That is the radius of the largest model and how far it may stray: with the same margin between them, robots that
    pass each other by this pass by the conflict relation, which takes the footprint along a lane.
    """
    reach_by_graph = dict.fromkeys(site.graphs, 0.0)
    for model in models:
        if model.graph in reach_by_graph:
            reach_m = model.radius_m + model.deviation_m
            reach_by_graph[model.graph] = max(reach_by_graph[model.graph], reach_m)
    return reach_by_graph


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
