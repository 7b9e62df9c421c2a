"""Resting places: where idle robots may stand without cutting anybody off.

A set of resting places is well-formed when, with a robot parked on every one of them, each robot can still drive
from its own place to every station and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.site.model import GraphId, Site, StationId
from orchestrator.domain.site.survey.standing import StandingWays
from orchestrator.domain.site.survey.well_formed import PairSearch, home_pairs


@dataclass(frozen=True, slots=True)
class CutOff:
    """Parked robots keep a robot on ``graph`` from driving from ``start`` to ``goal``; one of them rests at one end."""

    graph: GraphId
    start: StationId
    goal: StationId


class RestingPlaces:
    """Answers whether stations may be resting places together.

    Parameters
    ----------
    site : Site
        Graphs and stations; the kinds of stations play no role here.
    radius_m : float
        Radius of every robot in metres; 0 looks at waypoints only.
    """

    def __init__(self, site: Site, *, radius_m: float = 0.0) -> None:
        radius_by_graph = dict.fromkeys(site.graphs, radius_m)
        self._ways = [
            StandingWays(site, graph, radius_m=radius_m, radius_by_graph=radius_by_graph)
            for graph in site.graphs.values()
        ]

    def first_cut_off(self, resting: Sequence[StationId]) -> CutOff | None:
        """Return the first pair of stations that parked robots keep apart, or None when ``resting`` is well-formed.

        Parameters
        ----------
        resting : sequence of StationId
            Stations on each of which a robot is parked.
        """
        for ways in self._ways:
            search = PairSearch(ways, ways.mask(resting))
            here = [station for station in resting if station in ways.place]
            for start, goal in home_pairs(here, ways.place):
                if not search.is_joined(start, goal):
                    return CutOff(ways.graph.id, start, goal)
        return None
