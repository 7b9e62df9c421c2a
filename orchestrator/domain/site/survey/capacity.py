"""For how many robots a site stays well-formed: the largest set of resting places that cut nobody off together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.site.model import StationId
from orchestrator.domain.site.survey.standing import StandingWays
from orchestrator.domain.site.survey.well_formed import PairSearch, home_pairs

TRIES_MAX = 400
"""After so many sets the search ends with the best it has."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """Resting places that robots may all be parked on; ``is_largest`` says that no larger set of them would do."""

    resting: tuple[StationId, ...]
    is_largest: bool


def capacity_of(ways: Sequence[StandingWays], resting: Sequence[StationId]) -> Capacity:
    """Return the largest set of ``resting`` that is well-formed on all lane graphs together.

    A set is broken by a pair without a way. To repair it, one of the pair must be no resting place, or one of the
    robots that stopped the search: so each of these is left out in turn, the larger sets first. A part of a well-formed
    set is well-formed, so the first one found is a largest one.
    """
    level: list[frozenset[StationId]] = [frozenset(resting)]
    seen, tries = set(level), 0
    while level:
        following: list[frozenset[StationId]] = []
        for chosen in level:
            tries += 1
            if tries > TRIES_MAX:
                return Capacity(_greedy(ways, [each for each in resting if each in chosen]), is_largest=False)
            in_order = [each for each in resting if each in chosen]
            suspects = _suspects(ways, in_order)
            if not suspects:
                return Capacity(tuple(in_order), is_largest=True)
            for suspect in suspects:
                smaller = chosen - {suspect}
                if smaller not in seen:
                    seen.add(smaller)
                    following.append(smaller)
        level = following
    return Capacity((), is_largest=True)


def _greedy(ways: Sequence[StandingWays], resting: list[StationId]) -> tuple[StationId, ...]:
    kept: list[StationId] = []
    for place in resting:
        if not _suspects(ways, [*kept, place]):
            kept.append(place)
    return tuple(kept)


def _suspects(ways: Sequence[StandingWays], resting: list[StationId]) -> list[StationId]:
    """Return resting places one of which must go if the set is to be well-formed; none when it is."""
    for each in ways:
        occupied = each.mask(resting)
        search = PairSearch(each, occupied)
        here = [place for place in resting if place in each.place]
        for start, goal in home_pairs(here, each.place):
            if search.is_joined(start, goal):
                continue
            if each.place[goal] not in each.reached(start, occupied=0)[0]:
                continue  # no way at all: not for these to repair
            taken = occupied & ~each.bit[start] & ~each.bit[goal]
            stopped_by = each.reached(start, occupied=taken)[1]
            return list(dict.fromkeys((*(p for p in (start, goal) if p in resting), *each.names(stopped_by))))
    return []
