"""Well-formedness: between any two endpoints there is a way that avoids robots standing at all the others.

Who is to blame when there is none: the station whose freeing repairs it, not the first one met. Where several would
do, the one that repairs most; where no single one does, a smallest set found by leaving out what is not needed.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.domain.site.model import StationId, WaypointId
from orchestrator.domain.site.survey.standing import StandingWays, bits


@dataclass(frozen=True, slots=True)
class BrokenPair:
    """No way leads from ``start`` to ``goal`` past robots at other stations; freeing those ``blamed`` makes one."""

    start: StationId
    goal: StationId
    blamed: tuple[StationId, ...]


def home_pairs(resting: Sequence[StationId], others: Iterable[StationId]) -> Iterator[tuple[StationId, StationId]]:
    """Yield the pairs that a robot drives: from each resting place to every other station, and back."""
    others = tuple(others)
    for place in resting:
        for other in others:
            if other != place:
                yield place, other
                if other not in resting:  # else its own turn yields the way back
                    yield other, place


def all_pairs(stations: Sequence[StationId]) -> Iterator[tuple[StationId, StationId]]:
    """Yield every ordered pair of different stations."""
    return ((start, goal) for start in stations for goal in stations if start != goal)


def broken_pairs(
    ways: StandingWays, pairs: Iterable[tuple[StationId, StationId]], *, occupied: Iterable[StationId]
) -> list[BrokenPair]:
    """Return the pairs without a way past robots at all of ``occupied`` but the pair itself, each with whom to blame.

    Pairs that no way joins even with nobody about are left out: that is not the fault of who stands where.

    Parameters
    ----------
    ways : StandingWays
        The lane graph; stations that do not lie on it are passed over.
    pairs : iterable of (StationId, StationId)
        From where to where.
    occupied : iterable of StationId
        Stations at each of which a robot stands.
    """
    search = PairSearch(ways, ways.mask(occupied))
    choices: list[tuple[StationId, StationId, list[int]]] = []
    for start, goal in pairs:
        if start in ways.place and goal in ways.place:
            repairs = search.repairs(start, goal)
            if repairs:
                choices.append((start, goal, repairs))
    counted = Counter(repair for _, _, repairs in choices for repair in repairs)
    return [
        BrokenPair(start, goal, ways.names(min(repairs, key=lambda repair: (-counted[repair], repair))))
        for start, goal, repairs in choices
    ]


class PairSearch:
    """Whether pairs of stations are joined while robots stand at others, and which of these to free when not.

    Floods are kept, since most pairs with one start share them.

    Parameters
    ----------
    ways : StandingWays
        The lane graph.
    occupied : int
        The set of stations at each of which a robot stands, except at the pair that is asked about.
    """

    def __init__(self, ways: StandingWays, occupied: int) -> None:
        self._ways = ways
        self._occupied = occupied
        self._number = {waypoint: number for number, waypoint in enumerate(ways.graph.waypoints)}
        self._floods: dict[tuple[StationId, int], tuple[bytes, int]] = {}

    def is_joined(self, start: StationId, goal: StationId) -> bool:
        """Whether a way leads from ``start`` to ``goal``, both of them on the lane graph."""
        place, goal_bit = self._ways.place[goal], self._ways.bit[goal]
        reached, stopped_by = self._flood(start, 0)
        if reached[self._number[place]]:
            return True
        if not stopped_by & goal_bit:
            return False
        taken = self._occupied & ~(self._ways.bit[start] | goal_bit)
        entries = self._ways.entries[place]
        if any(reached[self._number[before]] and not blockers & taken for before, blockers in entries):
            return True
        return self._is_reached(start, goal_bit, place)

    def repairs(self, start: StationId, goal: StationId) -> list[int]:
        """Return the sets of stations whose freeing joins the pair; none when it is joined, or never can be."""
        place, goal_bit = self._ways.place[goal], self._ways.bit[goal]
        if self.is_joined(start, goal) or not self._is_reached(start, self._occupied, place):
            return []
        stopped_by = self._flood(start, goal_bit)[1]
        single = [1 << number for number in bits(stopped_by & ~goal_bit)]
        found = [freed for freed in single if self._is_reached(start, goal_bit | freed, place)]
        return found or [self._smallest(start, goal, goal_bit)]

    def _is_reached(self, start: StationId, freed: int, place: WaypointId) -> bool:
        return bool(self._flood(start, freed)[0][self._number[place]])

    def _flood(self, start: StationId, freed: int) -> tuple[bytes, int]:
        """Flood from ``start``; freeing what does not stop it changes nothing, so that flood is used again.

        Kept is a byte for each waypoint, 1 where it is reached: sets of waypoints would fill a machine's memory on a
        site of thousands.
        """
        taken = self._occupied & ~self._ways.bit[start]
        base = self._floods.get((start, 0))
        if base is None:
            base = self._floods[start, 0] = self._flooded(start, taken)
        key = (start, freed if freed & base[1] else 0)
        if key not in self._floods:
            self._floods[key] = self._flooded(start, taken & ~freed)
        return self._floods[key]

    def _flooded(self, start: StationId, occupied: int) -> tuple[bytes, int]:
        reached, stopped_by = self._ways.reached(start, occupied=occupied)
        flags = bytearray(len(self._number))
        for waypoint in reached:
            flags[self._number[waypoint]] = 1
        return bytes(flags), stopped_by

    def _smallest(self, start: StationId, goal: StationId, goal_bit: int) -> int:
        """Return a set to free of which nothing can be left out, from the way that passes the fewest robots."""
        freed = self._passed_by(start, goal)
        for number in bits(freed):
            without = freed & ~(1 << number)
            if self._is_reached(start, goal_bit | without, self._ways.place[goal]):
                freed = without
        return freed

    def _passed_by(self, start: StationId, goal: StationId) -> int:
        ways = self._ways
        occupied = self._occupied & ~(ways.bit[start] | ways.bit[goal])
        queue: list[tuple[int, WaypointId, int]] = [
            (0, ways.place[start], ways.at_waypoint[ways.place[start]] & occupied)
        ]
        done: set[WaypointId] = set()
        while queue:
            _, here, passed = heapq.heappop(queue)
            if here == ways.place[goal]:
                return passed
            if here in done:
                continue
            done.add(here)
            for step in ways.steps[here]:
                if step.end not in done:
                    more = passed | step.blockers & occupied
                    heapq.heappush(queue, (more.bit_count(), step.end, more))
        return 0
