"""The machine-readable report of a site check, and its committed JSON Schema.

``python -m orchestrator.adapters.site_report.form`` rewrites the schema.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

import orchestrator
from orchestrator.domain.site.findings import Finding, Remedy, RemedyKind, Severity
from orchestrator.domain.site.survey.corridors import Corridor
from orchestrator.domain.site.survey.facts import GraphFacts, Passage
from orchestrator.domain.site.survey.overlaps import Overlaps, Used
from orchestrator.domain.site.survey.places import Place, places_of_finding
from orchestrator.domain.site.survey.verdict import NOT_CHECKED, Survey, Verdict

FORMAT = 1
"""Raised when a reader of an older report would misread a newer one."""

SCHEMA_FILE = "docs/site-checks/site_report.schema.json"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlaceEntry(_Entry):
    """A point on a level, metres in the site frame."""

    level: str
    x_m: float
    y_m: float


class RemedyEntry(_Entry):
    """A change that was tried on the site in memory and makes the finding go away."""

    kind: RemedyKind
    sentence: str
    places: list[PlaceEntry]
    waypoints: list[str]
    lanes: list[str]


class FindingEntry(_Entry):
    """One finding. ``number`` is that of the mark on the drawing; ``code`` is stable; names are ids of the site."""

    number: int = Field(ge=1)
    code: str
    severity: Severity
    sentence: str
    remedy: str
    remedies: list[RemedyEntry]
    places: list[PlaceEntry]
    level: str | None
    graph: str | None
    waypoint: str | None
    lane: str | None
    door: str | None
    lift: str | None
    station: str | None
    stations: list[str]
    lanes: list[str]
    figures: dict[str, float]


class CorridorEntry(_Entry):
    """A single track: metres, seconds, shares of routes from 0 to 1."""

    level: str
    waypoints: list[str]
    length_m: float
    width_m: float | None
    is_width_estimated: bool
    passing_at: list[str]
    stations_lost: list[str]
    share: float
    cross_s: float


class PassageEntry(_Entry):
    """A door or a lift on lanes of the graph."""

    id: str
    is_lift: bool
    is_motorised: bool
    share: float
    stations_lost: list[str]


class GraphEntry(_Entry):
    """One lane graph in figures, for the robot models that drive on it."""

    graph: str
    models: list[str]
    robots: int
    resting_places: list[str]
    robots_busy_max: int | None
    bottleneck: str
    radius_m: float
    apart_m: float
    waypoints: int
    lanes: int
    one_way: int
    length_m: float
    groups: int
    stations: int
    widths_estimated: int
    widths_unknown: int
    narrowest_m: float | None
    without_speed_limit: int
    round_trip_s: float
    corridors: list[CorridorEntry]
    passages: list[PassageEntry]


class UsedEntry(_Entry):
    """A waypoint, or a lane in both its directions, with who drives there."""

    kind: str
    id: str
    model: str
    graph: str


class OverlapEntry(_Entry):
    """Two that two robots may not have at once; ``gap_m`` is the least free width between them, negative if none."""

    first: UsedEntry
    second: UsedEntry
    place: PlaceEntry
    gap_m: float


class SharedEntry(_Entry):
    """A door or lift that robots of several models or lane graphs use, one at a time."""

    id: str
    is_lift: bool
    users: list[str]


class OverlapsEntry(_Entry):
    """The conflict relation: all pairs are counted, the first thousand by level and id are listed."""

    total: int
    across_graphs: int
    counts: dict[str, int]
    pairs: list[OverlapEntry]
    shared: list[SharedEntry]


class NotCheckedEntry(_Entry):
    """Something that reading a map cannot tell."""

    code: str
    what: str


class SiteReport(_Entry):
    """All that a check of a site found."""

    format: int
    site: str
    name: str
    revision: str
    closed_lanes: list[str]
    verdict: Verdict
    robots: int
    is_largest: bool
    findings: list[FindingEntry]
    graphs: list[GraphEntry]
    overlaps: OverlapsEntry
    not_checked: list[NotCheckedEntry]


def report_of(survey: Survey) -> SiteReport:
    """Return the report of a survey."""
    return SiteReport(
        format=FORMAT,
        site=survey.site.id,
        name=survey.site.name,
        revision=survey.site.revision,
        closed_lanes=list(survey.closed),
        verdict=survey.verdict,
        robots=len(survey.places),
        is_largest=survey.is_largest,
        findings=[_finding(survey, number, finding) for number, finding in enumerate(survey.findings, start=1)],
        graphs=[_graph(survey, facts) for facts in survey.facts.values()],
        overlaps=_overlaps(survey.overlaps),
        not_checked=[NotCheckedEntry(code=code, what=what) for code, what in NOT_CHECKED.items()],
    )


def report_text(survey: Survey) -> str:
    """Return the report of a survey as JSON text."""
    return json.dumps(report_of(survey).model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def _finding(survey: Survey, number: int, finding: Finding) -> FindingEntry:
    return FindingEntry(
        number=number,
        code=finding.code,
        severity=finding.severity,
        sentence=finding.sentence,
        remedy=finding.remedy,
        remedies=[_remedy(remedy) for remedy in finding.remedies],
        places=[_place(place) for place in places_of_finding(survey.site, finding)],
        level=finding.level,
        graph=finding.graph,
        waypoint=finding.waypoint,
        lane=finding.lane,
        door=finding.door,
        lift=finding.lift,
        station=finding.station,
        stations=list(finding.stations),
        lanes=list(finding.lanes),
        figures={name: _rounded(value) for name, value in finding.figures.items()},
    )


def _overlaps(overlaps: Overlaps) -> OverlapsEntry:
    return OverlapsEntry(
        total=overlaps.total,
        across_graphs=overlaps.across_graphs,
        counts=dict(overlaps.counts),
        pairs=[
            OverlapEntry(
                first=_used(pair.first),
                second=_used(pair.second),
                place=_place((pair.level, pair.at)),
                gap_m=_rounded(pair.gap_m),
            )
            for pair in overlaps.pairs
        ],
        shared=[
            SharedEntry(id=each.id, is_lift=each.is_lift, users=[f"{model} on {graph}" for model, graph in each.models])
            for each in overlaps.shared
        ],
    )


def _used(used: Used) -> UsedEntry:
    return UsedEntry(kind=used.kind, id=used.id, model=used.model, graph=used.graph)


def _remedy(remedy: Remedy) -> RemedyEntry:
    places = [_place((remedy.level, point)) for point in remedy.points] if remedy.level is not None else []
    return RemedyEntry(
        kind=remedy.kind,
        sentence=remedy.sentence,
        places=places,
        waypoints=list(remedy.waypoints),
        lanes=list(remedy.lanes),
    )


def _place(place: Place) -> PlaceEntry:
    level, (x_m, y_m) = place
    return PlaceEntry(level=level, x_m=_rounded(x_m), y_m=_rounded(y_m))


def _graph(survey: Survey, facts: GraphFacts) -> GraphEntry:
    narrowest = facts.narrowest
    return GraphEntry(
        graph=facts.graph,
        models=list(facts.models),
        robots=len(survey.robots[facts.graph]),
        resting_places=list(survey.robots[facts.graph]),
        robots_busy_max=facts.robots_busy_max,
        bottleneck=facts.bottleneck,
        radius_m=facts.radius_m,
        apart_m=_rounded(facts.apart_m),
        waypoints=facts.waypoints,
        lanes=facts.lanes,
        one_way=facts.one_way,
        length_m=_rounded(facts.length_m),
        groups=facts.groups,
        stations=len(facts.stations),
        widths_estimated=facts.estimated_widths,
        widths_unknown=facts.unknown_widths,
        narrowest_m=narrowest.width_m if narrowest is not None else None,
        without_speed_limit=facts.without_limit,
        round_trip_s=_rounded(facts.trip_s),
        corridors=[_corridor(corridor) for corridor in facts.corridors],
        passages=[_passage(passage) for passage in facts.passages],
    )


def _corridor(corridor: Corridor) -> CorridorEntry:
    return CorridorEntry(
        level=corridor.level,
        waypoints=list(corridor.waypoints),
        length_m=_rounded(corridor.length_m),
        width_m=corridor.width_m,
        is_width_estimated=corridor.is_width_estimated,
        passing_at=list(corridor.passing_at),
        stations_lost=list(corridor.lost),
        share=_rounded(corridor.share),
        cross_s=_rounded(corridor.cross_s),
    )


def _passage(passage: Passage) -> PassageEntry:
    return PassageEntry(
        id=passage.id,
        is_lift=passage.is_lift,
        is_motorised=passage.is_motorised,
        share=_rounded(passage.share),
        stations_lost=list(passage.lost),
    )


def _rounded(value: float) -> float:
    return round(value, 3) + 0.0


def schema_text() -> str:
    """Return the JSON Schema of the report as text."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **SiteReport.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    root = Path(orchestrator.__file__).resolve().parent.parent
    (root / SCHEMA_FILE).write_text(schema_text(), encoding="utf-8")
