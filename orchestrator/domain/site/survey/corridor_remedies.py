"""Remedies for single tracks: two lanes side by side, a passing place half way, or one direction only; each tried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice, pairwise

from orchestrator.domain.site.findings import Finding, Remedy, RemedyKind
from orchestrator.domain.site.geometry import distance_between
from orchestrator.domain.site.model import GraphId, LaneGraph, Site, Station, StationId, StationKind, WaypointId
from orchestrator.domain.site.survey.changes import with_parallel_lanes, with_spur
from orchestrator.domain.site.survey.corridors import Corridor
from orchestrator.domain.site.survey.facts import GraphFacts
from orchestrator.domain.site.survey.flows import Severance
from orchestrator.domain.site.survey.room import Room
from orchestrator.domain.site.survey.standing import StandingWays
from orchestrator.domain.site.survey.traffic_findings import listed
from orchestrator.domain.site.survey.well_formed import PairSearch

CODES = ("single_track_corridor", "busy_single_track")

SPURS_TRIED = 8

SPARE_M = 0.1
"""Two lanes side by side are drawn this much further apart than robots need to pass."""


def with_corridor_remedies(
    site: Site, facts: GraphFacts, findings: Iterable[Finding], radius_by_graph: dict[GraphId, float]
) -> list[Finding]:
    """Return the findings of one graph, those about single tracks with a remedy that was found to work, if any."""
    by_lanes = {corridor.lanes: corridor for corridor in facts.corridors}
    return [
        _with_remedy(site, facts, by_lanes[finding.lanes], finding, radius_by_graph)
        if finding.code in CODES
        else finding
        for finding in findings
    ]


def _with_remedy(
    site: Site, facts: GraphFacts, corridor: Corridor, finding: Finding, radii: dict[GraphId, float]
) -> Finding:
    remedy = (
        _parallel_lanes(site, facts, corridor, radii)
        or _one_way(site, facts, corridor)
        or _passing_place(site, facts, corridor, radii)
    )
    if remedy is None:
        return finding
    advice = (
        f"{remedy.sentence} Or: {finding.remedy}" if corridor.is_only_way else f"{finding.remedy} {remedy.sentence}"
    )
    return replace(finding, remedy=advice, remedies=(remedy,))


def _parallel_lanes(site: Site, facts: GraphFacts, corridor: Corridor, radii: dict[GraphId, float]) -> Remedy | None:
    between_m = facts.apart_m + SPARE_M
    needed_m = between_m + 2.0 * facts.radius_m
    is_wide = corridor.width_m is not None and corridor.width_m >= needed_m
    if not is_wide or corridor.length_m < 5.0 * between_m:
        return None
    changed, there, back = with_parallel_lanes(site, facts.graph, corridor.waypoints, apart_m=between_m)
    first, last = corridor.waypoints[0], corridor.waypoints[-1]
    for standing, way in ((there, (last, first)), (back, (first, last))):
        if not all(_passes(changed, facts.graph, way, at, radii) for at in standing):
            return None
    if Severance(changed, changed.graphs[facts.graph]).lost(()):
        return None
    estimated = " by the drawn walls" if corridor.is_width_estimated else ""
    sentence = (
        f"Draw two one-way lanes side by side from {first} to {last}, {between_m:.2f} m between their centre "
        f"lines: that takes {needed_m:.2f} m, and it is {corridor.width_m:.2f} m wide{estimated}."
    )
    return Remedy(RemedyKind.PARALLEL_LANES, sentence, corridor.level, (), corridor.waypoints)


def _one_way(site: Site, facts: GraphFacts, corridor: Corridor) -> Remedy | None:
    """Return one direction that keeps all stations joined, where another way leads round."""
    if corridor.is_only_way:
        return None
    graph = site.graphs[facts.graph]
    place = {waypoint: number for number, waypoint in enumerate(corridor.waypoints)}
    forward = [lane for lane in corridor.lanes if place[graph.lanes[lane].start] < place[graph.lanes[lane].end]]
    backward = [lane for lane in corridor.lanes if lane not in forward]
    severance = Severance(site, graph)
    for kept, gone in ((forward, backward), (backward, forward)):
        if kept and not severance.lost(gone):
            sentence = f"Make it one-way, keeping {listed(kept)}: every station stays joined, and nobody meets there."
            return Remedy(RemedyKind.ONE_WAY, sentence, corridor.level, lanes=tuple(gone))
    return None


def _passing_place(site: Site, facts: GraphFacts, corridor: Corridor, radii: dict[GraphId, float]) -> Remedy | None:
    graph = site.graphs[facts.graph]
    inner = corridor.waypoints[1:-1]
    if not inner:
        return None
    middle = min(inner, key=lambda waypoint: abs(_distance_along(graph, corridor, waypoint) - corridor.length_m / 2.0))
    room = Room(site, graph, radii)
    place = graph.waypoints[middle]
    for point in islice(room.spurs(middle), SPURS_TRIED):
        changed, bay = with_spur(site, facts.graph, middle, point)
        ends = (corridor.waypoints[0], corridor.waypoints[-1])
        if _passes(changed, facts.graph, ends, bay, radii) and _passes(
            changed, facts.graph, (ends[1], ends[0]), bay, radii
        ):
            out_m = distance_between((place.x_m, place.y_m), point)
            sentence = (
                f"Make a passing place half way, at ({point[0]:.2f}, {point[1]:.2f}), {out_m:.2f} m beside waypoint "
                f"{middle} and {2.0 * facts.radius_m:.2f} m wide at least: the longest stretch without one is then "
                f"{_longest_m(graph, corridor, middle):.1f} m."
            )
            return Remedy(RemedyKind.PASSING_PLACE, sentence, corridor.level, (point,), (middle,))
    return None


def _distance_along(graph: LaneGraph, corridor: Corridor, waypoint: WaypointId) -> float:
    chain = corridor.waypoints[: corridor.waypoints.index(waypoint) + 1]
    points = [(graph.waypoints[w].x_m, graph.waypoints[w].y_m) for w in chain]
    return sum(distance_between(a, b) for a, b in pairwise(points))


def _longest_m(graph: LaneGraph, corridor: Corridor, middle: WaypointId) -> float:
    before_m = _distance_along(graph, corridor, middle)
    return max(before_m, corridor.length_m - before_m)


def _passes(
    site: Site,
    graph: GraphId,
    way: tuple[WaypointId, WaypointId],
    standing: WaypointId,
    radii: Mapping[GraphId, float],
) -> bool:
    """Whether a robot gets from one end of a corridor to the other while another stands at a waypoint of it."""
    level = site.graphs[graph].waypoints[standing].level
    names = [StationId(f"trial.{number}") for number in range(3)]
    stations = {
        name: Station(name, StationKind.OTHER, level, {graph: waypoint})
        for name, waypoint in zip(names, (*way, standing), strict=True)
    }
    trial = replace(site, stations=stations)
    ways = StandingWays(trial, site.graphs[graph], radius_m=radii.get(graph, 0.0), radius_by_graph=radii)
    return PairSearch(ways, ways.bit[names[2]]).is_joined(names[0], names[1])
