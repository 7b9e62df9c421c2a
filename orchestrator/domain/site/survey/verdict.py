"""The verdict on a site: fit, fit with conditions or refused, for how many robots, and what was not looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from orchestrator.domain.fleet.model import RobotModel
from orchestrator.domain.site.findings import Finding, Severity
from orchestrator.domain.site.linter import check_site, reaches_of
from orchestrator.domain.site.model import GraphId, LaneId, Site, StationId
from orchestrator.domain.site.survey.blame import (
    blame_finding,
    parked_blame,
    resting_places_of,
    standing_blame,
    ways_of,
)
from orchestrator.domain.site.survey.capacity import capacity_of
from orchestrator.domain.site.survey.closures import consequences_of_closing
from orchestrator.domain.site.survey.corridor_remedies import with_corridor_remedies
from orchestrator.domain.site.survey.facts import GraphFacts, facts_of
from orchestrator.domain.site.survey.overlaps import NO_OVERLAPS, Overlaps, crossing_findings, overlaps_of
from orchestrator.domain.site.survey.remedies import Remedies
from orchestrator.domain.site.survey.standing import StandingWays
from orchestrator.domain.site.survey.traffic_findings import charger_findings, robots_finding, traffic_findings


class Verdict(StrEnum):
    """Whether robots may be brought to a site, as far as reading its map can tell."""

    FIT = "fit"
    FIT_WITH_CONDITIONS = "fit with conditions"
    REFUSED = "refused"


NOT_CHECKED: Mapping[str, str] = {
    "floor": "floor friction, slopes, thresholds and gaps at lift sills",
    "people": "the flow of people, beds and trolleys, and at which hours corridors are full",
    "dynamics": "braking, cornering and docking of the real robot with its load (Gazebo clearance)",
    "rehearsal": "throughput and waiting times of a whole day (rehearsal in virtual time)",
    "links": "radio coverage, and whether doors and lifts answer",
    "fire": "escape routes and fire compartments",
    "map": "whether the drawing is what is built",
}
"""What a check of the map does not look at, by code: later tiers of clearance, or work on site."""


@dataclass(frozen=True, slots=True)
class Survey:
    """All that was found on a site, for the robot models it was looked at with, with some lanes closed or none.

    ``robots`` are the resting places that robots may live on, together, by lane graph; ``is_largest`` says that
    no other choice of them takes more robots. ``overlaps`` is what robots may not use at once. Facts and overlaps are
    empty for a site whose references are broken.
    """

    site: Site
    closed: tuple[LaneId, ...]
    findings: tuple[Finding, ...]
    facts: Mapping[GraphId, GraphFacts]
    robots: Mapping[GraphId, tuple[StationId, ...]]
    is_largest: bool
    overlaps: Overlaps = NO_OVERLAPS

    @property
    def verdict(self) -> Verdict:
        """Refused for an error, conditional for a warning, else fit."""
        severities = {finding.severity for finding in self.findings}
        if Severity.ERROR in severities:
            return Verdict.REFUSED
        return Verdict.FIT_WITH_CONDITIONS if Severity.WARNING in severities else Verdict.FIT

    @property
    def places(self) -> tuple[StationId, ...]:
        """The resting places of all lane graphs, each once: as many robots may live on the site."""
        return tuple(dict.fromkeys(place for places in self.robots.values() for place in places))

    def with_findings(self, more: Iterable[Finding]) -> Survey:
        """Return the survey with what is known of the site from elsewhere, such as how its map was read."""
        return replace(self, findings=_sorted([*self.findings, *more]))

    def of_severity(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings of one severity, in order: for warnings, the conditions of the verdict."""
        return tuple(finding for finding in self.findings if finding.severity is severity)


_NO_LANES: frozenset[LaneId] = frozenset()


def survey_site(site: Site, models: Iterable[RobotModel], *, closed: Collection[LaneId] = _NO_LANES) -> Survey:
    """Look at a site as a traffic engineer would, and return what was found, with remedies that were tried.

    Parameters
    ----------
    site : Site
        The site, which may hold references that lead nowhere: then only these are found.
    models : iterable of RobotModel
        Robot models that are to drive here. A lane graph that is nobody's is only looked at for its references.
    closed : collection of LaneId
        Lanes that are closed; all that follows is then for what is left.

    Raises
    ------
    UnknownLaneError
        A lane to close is not there.
    """
    models = [model for model in models if model.graph in site.graphs]
    lost = consequences_of_closing(site, models, closed) if closed else []
    basic = [*check_site(site, models), *(finding for finding in lost if finding.code != "resting_place_cuts_off")]
    is_sound = not any(finding.is_error and finding.code not in _NOT_BROKEN for finding in basic)
    if not is_sound:
        return Survey(site, tuple(sorted(closed)), _sorted(basic), {}, {}, is_largest=True)
    basic = [finding for finding in basic if finding.code != "resting_place_cuts_off"]  # again below, with remedies
    radii = reaches_of(site, models)
    driven = {model.graph for model in models}
    ways = {id: each for id, each in ways_of(site, radii, closed=closed).items() if id in driven}
    capacity = capacity_of(tuple(ways.values()), resting_places_of(site))
    facts = {
        id: facts_of(site, site.graphs[id], [model for model in models if model.graph == id], closed=closed)
        for id in ways
    }
    robots = {id: tuple(place for place in capacity.resting if place in each.place) for id, each in ways.items()}
    findings = [*basic, *_standing_findings(site, radii, closed, ways)]
    for id, each in facts.items():
        found = list(traffic_findings(site, each))
        findings += with_corridor_remedies(site, each, found, radii)
        findings += charger_findings(site, each, robots[id])
        findings.append(robots_finding(each, robots[id], is_largest=capacity.is_largest))
    overlaps = overlaps_of(site, models)
    findings += crossing_findings(overlaps)
    return Survey(site, tuple(sorted(closed)), _sorted(findings), facts, robots, capacity.is_largest, overlaps)


_NOT_BROKEN = frozenset(
    {
        "resting_place_cuts_off",
        "narrow_lane",
        "no_resting_place",
        "station_name_twice",
        "unreachable_station",
        "closure_cuts_off_station",
        "closure_cuts_off_resting_place",
    }
)
"""Errors of a site that can still be measured and counted."""


def _standing_findings(
    site: Site, radii: dict[GraphId, float], closed: Collection[LaneId], ways: Mapping[GraphId, StandingWays]
) -> Iterable[Finding]:
    remedies, resting = Remedies(site, radii, closed=closed), resting_places_of(site)
    for each in ways.values():
        for blame in (*parked_blame(each, resting), *standing_blame(each, resting)):
            yield remedies.tried(blame_finding(site, blame), blame)


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    order = list(Severity)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))
