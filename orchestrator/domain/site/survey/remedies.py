"""Remedies that work: each is tried on the site in memory, and proposed only if what was broken is whole again.

They are tried from the cheapest to the dearest: another waypoint that is there already, a spur of its own, a passing
place beside it, the other direction of a one-way lane, and last no resting place there any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from orchestrator.domain.site.findings import Finding, Remedy, RemedyKind
from orchestrator.domain.site.geometry import Point, distance_between
from orchestrator.domain.site.graph import adjacency_of
from orchestrator.domain.site.model import GraphId, LaneGraph, LaneId, LevelId, Site, StationId, StationKind
from orchestrator.domain.site.survey.blame import Blame, resting_places_of
from orchestrator.domain.site.survey.changes import (
    with_bay,
    with_kind,
    with_reverse,
    with_spur,
    with_station_at,
    without_station,
)
from orchestrator.domain.site.survey.room import Room
from orchestrator.domain.site.survey.standing import StandingWays
from orchestrator.domain.site.survey.well_formed import BrokenPair, all_pairs, broken_pairs, home_pairs

NEAR_M = 8.0
"""People find a place again that has moved by no more than this."""

CANDIDATES = 6
"""How many places of one kind are tried."""

PROPOSED = 2
"""How many remedies are proposed for one finding."""

EFFORT = 10_000_000
"""How many pairs of stations times waypoints all trials on one site look at: on most sites more than there are."""


@dataclass(frozen=True, slots=True)
class _Trial:
    """A remedy and the site it makes."""

    remedy: Remedy
    site: Site


class Remedies:
    """Finds remedies on one site.

    Parameters
    ----------
    site : Site
        The site as it is.
    radius_by_graph : dict
        Radius of the largest robot of each lane graph, in metres.
    closed : collection of LaneId
        Lanes that nobody may use.
    effort : int, optional
        How many pairs of stations times waypoints are looked at in all trials together.
    """

    def __init__(
        self,
        site: Site,
        radius_by_graph: dict[GraphId, float],
        *,
        closed: Collection[LaneId] = (),
        effort: int = EFFORT,
    ) -> None:
        self._site = site
        self._radii = radius_by_graph
        self._closed = frozenset(closed)
        self._known: dict[tuple[GraphId, bool], set[tuple[StationId, StationId]]] = {}
        waypoints = sum(len(graph.waypoints) for graph in site.graphs.values())
        self._trials_left = effort // max(1, waypoints * len(site.stations) ** 2)

    def tried(self, finding: Finding, blame: Blame) -> Finding:
        """Return the finding of a blame with the remedies that were found to work; the first is its advice."""
        found: list[Remedy] = []
        is_cut_short = False
        for trial in self._trials(blame):
            is_new = trial.remedy.kind not in [remedy.kind for remedy in found]
            if is_new and self._trials_left == 0:
                is_cut_short = True
                break
            if is_new:
                self._trials_left -= 1
                if self._helps(trial, blame):
                    found.append(trial.remedy)
            if len(found) == PROPOSED:
                break
        if not found and is_cut_short:
            return replace(
                finding,
                remedy=f"{finding.remedy} The site is too large to try every change on: repair others first, then "
                "check again.",
            )
        if not found:
            return replace(
                finding,
                remedy=f"{finding.remedy} No change of one place alone was found to repair it: draw a second way.",
            )
        return replace(finding, remedies=tuple(found), remedy=" Or: ".join(remedy.sentence for remedy in found))

    def _trials(self, blame: Blame) -> Iterator[_Trial]:
        graph, station = self._site.graphs[blame.graph], blame.station
        if blame.graph in self._site.stations[station].waypoints:
            yield from islice(self._other_waypoints(graph, station), CANDIDATES)
            yield from islice(self._spurs(graph, station), CANDIDATES)
            yield from islice(self._bays(graph, station), CANDIDATES)
        yield from islice(self._other_directions(graph, blame.pairs[0]), CANDIDATES)
        if blame.is_parked:
            yield self._dropped(station)
        elif self._site.stations[station].kind is StationKind.OTHER:
            yield self._removed(station)

    def _other_waypoints(self, graph: LaneGraph, station: StationId) -> Iterator[_Trial]:
        here = graph.waypoints[self._site.stations[station].waypoints[graph.id]]
        taken = {each.waypoints.get(graph.id) for each in self._site.stations.values()}
        room = {
            waypoint.id: distance_between((here.x_m, here.y_m), (waypoint.x_m, waypoint.y_m))
            for waypoint in graph.waypoints.values()
            if waypoint.level == here.level and waypoint.may_stop and waypoint.lift is None and waypoint.id not in taken
        }
        for waypoint, distance_m in sorted(room.items(), key=lambda item: (item[1], item[0])):
            if distance_m > NEAR_M:
                return
            place = graph.waypoints[waypoint]
            sentence = (
                f"Move station {station} by {distance_m:.1f} m to waypoint {waypoint} at ({place.x_m:.2f}, "
                f"{place.y_m:.2f})."
            )
            remedy = Remedy(RemedyKind.MOVE_TO_WAYPOINT, sentence, here.level, ((place.x_m, place.y_m),), (waypoint,))
            yield _Trial(remedy, with_station_at(self._site, station, graph.id, waypoint))

    def _spurs(self, graph: LaneGraph, station: StationId) -> Iterator[_Trial]:
        base = self._site.stations[station].waypoints[graph.id]
        here, room = graph.waypoints[base], Room(self._site, graph, self._radii)
        for point in room.spurs(base):
            changed, end = with_spur(self._site, graph.id, base, point)
            length_m = distance_between((here.x_m, here.y_m), point)
            sentence = (
                f"Move station {station} to the end of a spur of its own, {length_m:.2f} m from waypoint {base}, at "
                f"({point[0]:.2f}, {point[1]:.2f}){self._width_words(room, here.level, (here.x_m, here.y_m), point)}."
            )
            remedy = Remedy(RemedyKind.MOVE_TO_SPUR, sentence, here.level, (point,), (base,))
            yield _Trial(remedy, with_station_at(changed, station, graph.id, end))

    def _bays(self, graph: LaneGraph, station: StationId) -> Iterator[_Trial]:
        past = self._site.stations[station].waypoints[graph.id]
        neighbours = adjacency_of(graph).neighbours(past)
        level, room = graph.waypoints[past].level, Room(self._site, graph, self._radii)
        neighbours = [each for each in neighbours if graph.waypoints[each].lift is None]  # no way in past the door
        for number, before in enumerate(neighbours):
            for after in neighbours[number + 1 :]:
                for point in room.bays(before, after, past):
                    changed, _ = with_bay(self._site, graph.id, (before, after), point, beside=past)
                    place = graph.waypoints[past]
                    out_m = distance_between((place.x_m, place.y_m), point)
                    sentence = (
                        f"Make a passing place between waypoints {before} and {after}, over ({point[0]:.2f}, "
                        f"{point[1]:.2f}), {out_m:.2f} m beside {past}: a strip {2 * room.radius_m:.2f} m wide, "
                        f"{out_m + 2 * room.radius_m:.2f} m in all with the lane."
                    )
                    remedy = Remedy(RemedyKind.PASSING_PLACE, sentence, level, (point,), (before, past, after))
                    yield _Trial(remedy, changed)

    def _other_directions(self, graph: LaneGraph, pair: BrokenPair) -> Iterator[_Trial]:
        ways = self._ways(self._site, graph)
        occupied = ways.mask(self._site.stations) & ~ways.bit[pair.start] & ~ways.bit[pair.goal]
        reached, _ = ways.reached(pair.start, occupied=occupied)
        for lane in graph.lanes.values():
            if lane.reverse is None and lane.end in reached and lane.start not in reached:
                wide = "" if lane.width_m is None else f", {lane.width_m:.2f} m wide"
                sentence = f"Make the one-way lane {lane.id}{wide}, two-way."
                remedy = Remedy(RemedyKind.TWO_WAY, sentence, lanes=(lane.id,))
                yield _Trial(remedy, with_reverse(self._site, graph.id, lane.id))

    def _dropped(self, station: StationId) -> _Trial:
        sentence = f"Let no robot rest at {station}: make it a station of kind other, for one robot less."
        changed = with_kind(self._site, station, StationKind.OTHER)
        return _Trial(Remedy(RemedyKind.DROP_RESTING_PLACE, sentence), changed)

    def _removed(self, station: StationId) -> _Trial:
        sentence = f"Send no delivery to {station}: nothing says what it is for, so it need be no station."
        return _Trial(Remedy(RemedyKind.REMOVE_STATION, sentence), without_station(self._site, station))

    def _helps(self, trial: _Trial, blame: Blame) -> bool:
        """Whether all that was broken by this one is whole, and nothing is broken that was not."""
        ways = self._ways(trial.site, trial.site.graphs[blame.graph])
        occupied = resting_places_of(trial.site) if blame.is_parked else list(trial.site.stations)
        for pairs in (blame.pairs[:1], blame.pairs):  # most trials fail at the first pair already
            if blame.still_broken(ways, pairs, occupied=occupied):
                return False
        key = (blame.graph, blame.is_parked)
        if key not in self._known:
            self._known[key] = self._all_broken(self._site, blame)
        return self._all_broken(trial.site, blame) <= self._known[key]

    def _all_broken(self, site: Site, blame: Blame) -> set[tuple[StationId, StationId]]:
        ways, resting = self._ways(site, site.graphs[blame.graph]), resting_places_of(site)
        if blame.is_parked:
            here = [place for place in resting if place in ways.place]
            found = broken_pairs(ways, home_pairs(here, ways.place), occupied=resting)
        else:
            found = broken_pairs(ways, all_pairs(tuple(ways.place)), occupied=site.stations)
        return {(pair.start, pair.goal) for pair in found}

    def _ways(self, site: Site, graph: LaneGraph) -> StandingWays:
        radius_m = self._radii.get(graph.id, 0.0)
        return StandingWays(site, graph, radius_m=radius_m, radius_by_graph=self._radii, closed=self._closed)

    def _width_words(self, room: Room, level: LevelId, start: Point, end: Point) -> str:
        needed = f"{2 * room.radius_m:.2f} m wide at least"
        width_m = room.width_m(level, start, end)
        return f", {needed}" if width_m is None else f", {needed} ({width_m:.2f} m between the drawn walls)"
