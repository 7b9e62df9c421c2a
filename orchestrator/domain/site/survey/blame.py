"""Pairs of stations that standing robots keep apart, gathered under the station whose freeing helps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.site.findings import Finding, Severity
from orchestrator.domain.site.model import GraphId, LaneId, Site, StationId
from orchestrator.domain.site.survey.standing import StandingWays
from orchestrator.domain.site.survey.well_formed import BrokenPair, PairSearch, all_pairs, broken_pairs, home_pairs

_NO_LANES: frozenset[LaneId] = frozenset()


@dataclass(frozen=True, slots=True)
class Blame:
    """A robot that stands at ``station`` keeps robots of ``graph`` from driving between the ``pairs``.

    ``is_parked`` says that all who stand in the way are parked on their resting places, so that nobody need ever leave.
    Otherwise some are at stations where they are loaded or emptied, and go when that is done; then ``alone`` counts the
    pairs that a robot at the station cuts with nobody else about. Some pairs may need more than this station freed.
    """

    graph: GraphId
    station: StationId
    pairs: tuple[BrokenPair, ...]
    is_parked: bool
    alone: int = 0

    def still_broken(self, ways: StandingWays, pairs: Sequence[BrokenPair], *, occupied: Collection[StationId]) -> bool:
        """Whether some of ``pairs`` have no way though whoever else is to blame for them has gone."""
        by_others: dict[frozenset[StationId], list[tuple[StationId, StationId]]] = {}
        for pair in pairs:
            by_others.setdefault(frozenset(pair.blamed) - {self.station}, []).append((pair.start, pair.goal))
        return any(
            broken_pairs(ways, broken, occupied=[station for station in occupied if station not in others])
            for others, broken in by_others.items()
        )


def resting_places_of(site: Site) -> list[StationId]:
    """Return the stations where idle robots rest, in file order."""
    return [station.id for station in site.stations.values() if station.kind.is_resting_place]


def parked_blame(ways: StandingWays, resting: Sequence[StationId]) -> list[Blame]:
    """Return what robots parked on all of ``resting`` keep a robot from that lives on one of them; see `Blame`."""
    here = [station for station in resting if station in ways.place]
    broken = broken_pairs(ways, home_pairs(here, ways.place), occupied=resting)
    return _gathered(ways, broken, is_parked=True)


def standing_blame(ways: StandingWays, resting: Sequence[StationId]) -> list[Blame]:
    """Return what robots standing at all stations, resting places or not, keep apart beyond `parked_blame`.

    With a single resting place only one robot lives here, and nobody stands in its way.
    """
    if len(resting) < 2:
        return []
    here = [station for station in resting if station in ways.place]
    parked = {(pair.start, pair.goal) for pair in broken_pairs(ways, home_pairs(here, ways.place), occupied=resting)}
    pairs = [pair for pair in all_pairs(tuple(ways.place)) if pair not in parked]
    blames = _gathered(ways, broken_pairs(ways, pairs, occupied=ways.stations), is_parked=False)
    return [_with_alone(ways, blame) for blame in blames]


def _gathered(ways: StandingWays, broken: Iterable[BrokenPair], *, is_parked: bool) -> list[Blame]:
    by_station: dict[StationId, list[BrokenPair]] = {}
    for pair in broken:
        for station in pair.blamed:
            by_station.setdefault(station, []).append(pair)
    most_first = sorted(by_station.items(), key=lambda item: (-len(item[1]), item[0]))
    return [Blame(ways.graph.id, station, tuple(pairs), is_parked) for station, pairs in most_first]


def _with_alone(ways: StandingWays, blame: Blame) -> Blame:
    search = PairSearch(ways, ways.mask([blame.station]))
    alone = sum(not search.is_joined(pair.start, pair.goal) for pair in blame.pairs)
    return replace(blame, alone=alone)


def blame_finding(site: Site, blame: Blame) -> Finding:
    """Return the finding of a blame, without remedies yet tried."""
    station, first, count = site.stations[blame.station], blame.pairs[0], len(blame.pairs)
    waypoint = station.waypoints.get(blame.graph)
    at = f"{station.id} (waypoint {waypoint})" if waypoint is not None else str(station.id)
    pairs = f"{count} ordered pairs of stations, such as" if count > 1 else "the pair"
    shared = sum(len(pair.blamed) > 1 for pair in blame.pairs)
    others = f" For {shared} of them others stand in the way as well." if shared else ""
    of_graph = f"{first.start} to {first.goal} on graph {blame.graph}"
    if blame.is_parked:
        code, severity = "resting_place_cuts_off", Severity.ERROR
        sentence = (
            f"A robot parked at {at} cuts off, with all others parked, {pairs} {of_graph}: nobody passes for as long "
            f"as it rests.{others}"
        )
        remedy = "Move the resting place to the end of a lane of its own, or give it another kind."
    else:
        code, severity = "standing_robot_cuts_off", Severity.WARNING
        sentence = (
            f"A robot that stands at {at} leaves {pairs} {of_graph} no way past it when every other station is taken "
            f"({blame.alone} even with nobody else about): whoever wants to pass waits until people are done there."
            f"{others}"
        )
        remedy = "Move the place where robots stand off the through way, or keep handovers there short."
    return Finding(
        code,
        severity,
        sentence,
        remedy,
        level=station.level,
        graph=blame.graph,
        waypoint=waypoint,
        station=station.id,
        stations=tuple(dict.fromkeys(each for pair in blame.pairs for each in (pair.start, pair.goal))),
        figures={"pairs": count, "pairs_alone": blame.alone, "pairs_shared": shared},
    )


def ways_of(
    site: Site, radius_by_graph: Mapping[GraphId, float], *, closed: Collection[LaneId] = _NO_LANES
) -> dict[GraphId, StandingWays]:
    """Return for every lane graph the ways of its largest robot past the largest ones that stand about."""
    return {
        graph.id: StandingWays(
            site,
            graph,
            radius_m=radius_by_graph.get(graph.id, 0.0),
            radius_by_graph=radius_by_graph,
            closed=closed,
        )
        for graph in site.graphs.values()
    }
