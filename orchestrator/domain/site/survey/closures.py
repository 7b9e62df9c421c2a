"""What closing lanes would do: the linter run again on what is left, and only what is new about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.model import RobotModel
from orchestrator.domain.site.findings import Finding, Severity
from orchestrator.domain.site.linter import reaches_of
from orchestrator.domain.site.model import LaneId, Site, StationId
from orchestrator.domain.site.survey.blame import blame_finding, parked_blame, resting_places_of, ways_of
from orchestrator.domain.site.survey.standing import StandingWays
from orchestrator.domain.site.survey.traffic_findings import counted


class UnknownLaneError(InvalidInputError):
    """A lane is to be closed that the site does not have."""

    code = "unknown_lane"


def consequences_of_closing(
    site: Site, models: Iterable[RobotModel], lanes: Iterable[LaneId], *, closed_already: Iterable[LaneId] = ()
) -> list[Finding]:
    """Return what would be wrong with a site once ``lanes`` are closed, and is not wrong now; errors first.

    Parameters
    ----------
    site : Site
        The site with all its lanes.
    models : iterable of RobotModel
        Robot models that drive here; see `check_site`.
    lanes : iterable of LaneId
        Directed lanes to close. A two-way lane is closed by naming both directions.
    closed_already : iterable of LaneId
        Lanes that are closed as it is, and stay so.

    Returns
    -------
    list of Finding
        ``closure_cuts_off_station`` (error) for each station that robots resting elsewhere could no longer reach, or
        not leave again, ``closure_cuts_off_resting_place`` for a resting place likewise, and
        ``resting_place_cuts_off`` where a parked robot would now stand in the only way. Empty when robots find other
        ways everywhere.

    Raises
    ------
    UnknownLaneError
        The site has no lane of that id.
    """
    closed_before = frozenset(closed_already)
    closed = closed_before | frozenset(lanes)
    known = {lane for graph in site.graphs.values() for lane in graph.lanes}
    for lane in sorted(closed - known):
        raise UnknownLaneError(
            f"Lane {lane} cannot be closed: site {site.id} has no lane of that id; expected one such as "
            f"{min(known, default='-')}. See the site file or the drawing for lane ids.",
            detail={"lane": lane},
        )
    radii, resting = reaches_of(site, models), resting_places_of(site)
    before, after = ways_of(site, radii, closed=closed_before), ways_of(site, radii, closed=closed)
    findings: list[Finding] = []
    for graph in site.graphs:
        findings += _cut_off_by_closing(site, before[graph], after[graph], resting, closed)
        findings += _newly_blamed(site, before[graph], after[graph], resting)
    return sorted(findings, key=lambda finding: not finding.is_error)


def _cut_off_by_closing(
    site: Site, before: StandingWays, after: StandingWays, resting: Collection[StationId], closed: Collection[LaneId]
) -> Iterator[Finding]:
    """Yield the stations that are no longer joined with the other resting places, with nobody standing about.

    A resting place that is joined with no station any more is told of itself, not at every station that it has lost and
    robots still get to from others.
    """
    was, now = _joined(before, resting), _joined(after, resting)
    stranded = frozenset[StationId]().union(*was.values()) - frozenset[StationId]().union(*now.values())
    for station in before.place:
        gone = was[station] - now[station]
        has_robots = bool(now[station]) or (station in resting and station not in stranded)
        lost = sorted(gone - stranded if has_robots else gone)
        if not lost:
            continue
        is_whole = not now[station]
        kind = site.stations[station].kind
        where = "any resting place" if is_whole else ", ".join(lost)
        yield Finding(
            code="closure_cuts_off_resting_place" if kind.is_resting_place else "closure_cuts_off_station",
            severity=Severity.ERROR,
            sentence=f"With {counted(len(closed), 'lane')} closed, robots no longer get from {where} to station "
            f"{station} on graph {before.graph.id} and back.",
            remedy="Leave another way there open, bring robots from beyond to this side first, or send a runner.",
            graph=before.graph.id,
            station=station,
            stations=tuple(lost),
            waypoint=before.place[station],
            level=site.stations[station].level,
            figures={"resting_places_lost": len(lost), "resting_places_left": len(now[station])},
        )


def _joined(ways: StandingWays, resting: Collection[StationId]) -> Mapping[StationId, frozenset[StationId]]:
    """Return for each station the other resting places that are joined with it both ways."""
    reached = {station: ways.reached(station, occupied=0)[0] for station in ways.place}
    return {
        station: frozenset(
            place
            for place in resting
            if place in reached
            and place != station
            and ways.place[place] in reached[station]
            and ways.place[station] in reached[place]
        )
        for station in reached
    }


def _newly_blamed(site: Site, before: StandingWays, after: StandingWays, resting: list[StationId]) -> Iterator[Finding]:
    known = {(pair.start, pair.goal) for blame in parked_blame(before, resting) for pair in blame.pairs}
    for blame in parked_blame(after, resting):
        new = tuple(pair for pair in blame.pairs if (pair.start, pair.goal) not in known)
        if new:
            yield blame_finding(site, replace(blame, pairs=new))
