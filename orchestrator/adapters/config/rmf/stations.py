"""Stations of an imported map: named waypoints, chargers and parking spots, and where robots may rest.

What a station is for is guessed from one table, and the import report shows each guess. Resting places are chosen so
that robots parked on all of them never cut anybody off; whoever is left out stays a station of kind other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from orchestrator.adapters.config.rmf.structure import id_from_name
from orchestrator.domain.site.geometry import distance_between
from orchestrator.domain.site.graph import adjacency_of
from orchestrator.domain.site.model import (
    GraphId,
    LaneGraph,
    Site,
    Station,
    StationId,
    StationKind,
    Waypoint,
    WaypointId,
)
from orchestrator.domain.site.resting import RestingPlaces

KIND_BY_WORD: Mapping[str, StationKind] = {
    "pharmacy": StationKind.PHARMACY_HATCH,
    "dispensary": StationKind.PHARMACY_HATCH,
    "pantry": StationKind.PHARMACY_HATCH,
    "counter": StationKind.PHARMACY_HATCH,
    "reception": StationKind.PHARMACY_HATCH,
    "nurse": StationKind.WARD_HANDOVER,
    "nurses": StationKind.WARD_HANDOVER,
    "ward": StationKind.WARD_HANDOVER,
    "handover": StationKind.WARD_HANDOVER,
    "treatment": StationKind.BEDSIDE,
    "consult": StationKind.BEDSIDE,
    "procedure": StationKind.BEDSIDE,
    "isolation": StationKind.BEDSIDE,
    "pressure": StationKind.BEDSIDE,
    "bed": StationKind.BEDSIDE,
    "bedside": StationKind.BEDSIDE,
}
"""What a word in a waypoint's name says about the station; the first word found counts."""

KIND_BY_PROPERTY: Mapping[str, StationKind] = {
    "pickup_dispenser": StationKind.PHARMACY_HATCH,
    "dropoff_ingestor": StationKind.WARD_HANDOVER,
    "is_parking_spot": StationKind.PARKING,
}
"""What a set vertex property says, where no word does. A charger is a charger whatever it is called."""

SAME_STATION_M = 2.0
"""One name on two graphs is one station when the two places are nearer than this."""

RESTING_PLACES_WANTED = 4
"""A graph with fewer marked resting places also gets named dead ends: three robots and one place to spare."""

RADIUS_M = 0.375
"""Resting places are chosen for robots of this radius: those of 0.35 m fit with room to spare."""


@dataclass(frozen=True, slots=True)
class StationsFound:
    """The stations, why each has its kind, and what was left out and why."""

    stations: dict[StationId, Station]
    reasons: dict[StationId, str] = field(default_factory=dict[StationId, str])
    left_out: dict[str, str] = field(default_factory=dict[str, str])


def stations_of(graphs: Mapping[GraphId, LaneGraph]) -> StationsFound:
    """Return the stations of all lane graphs, kinds guessed, resting places not yet chosen."""
    found = StationsFound({})
    for graph in graphs.values():
        for waypoint in graph.waypoints.values():
            kind, reason = _guess(waypoint)
            if not waypoint.may_stop or (not waypoint.name and not kind.is_resting_place):
                continue
            known = _same_station(waypoint, found.stations.values(), graphs)
            if known is not None and graph.id not in known.waypoints:
                found.stations[known.id] = replace(known, waypoints={**known.waypoints, graph.id: waypoint.id})
                continue
            suffix = f"g{graph.id}" if known is None else str(waypoint.level)
            if waypoint.name in found.stations and found.stations[StationId(waypoint.name)].level != waypoint.level:
                suffix = str(waypoint.level)
            id = StationId(id_from_name(waypoint.name, found.stations, otherwise=waypoint.id, suffix=suffix))
            # A name that another station has is no name: people choose by it, so this one goes by its id.
            is_taken = any(waypoint.name in (each.name, each.id) for each in found.stations.values())
            name = waypoint.name if waypoint.name != id and not is_taken else ""
            found.stations[id] = Station(id, kind, waypoint.level, {graph.id: waypoint.id}, name)
            found.reasons[id] = reason
            if waypoint.properties.get("is_parking_spot") is True and not kind.is_resting_place:
                found.left_out[f"resting place {id}"] = f"it is marked as a parking spot, but {reason}"
    _drop_unreachable(found, graphs)
    return found


def _guess(waypoint: Waypoint) -> tuple[StationKind, str]:
    if waypoint.properties.get("is_charger") is True:
        return StationKind.CHARGER, "marked as a charger"
    for word in re.split(r"[^a-z]+", waypoint.name.lower()):
        if word in KIND_BY_WORD:
            return KIND_BY_WORD[word], f"the name says {word!r}"
    for key, kind in KIND_BY_PROPERTY.items():
        if waypoint.properties.get(key) not in (None, False, ""):
            return kind, "marked as a parking spot" if kind is StationKind.PARKING else f"it has a {key}"
    return StationKind.OTHER, "nothing says what it is for"


def _same_station(
    waypoint: Waypoint, stations: Iterable[Station], graphs: Mapping[GraphId, LaneGraph]
) -> Station | None:
    """Return the station with this waypoint's name and place, if there is one."""
    for station in stations:
        if not waypoint.name or waypoint.name not in (station.name, station.id) or station.level != waypoint.level:
            continue
        for graph_id, other_id in station.waypoints.items():
            other = graphs[graph_id].waypoints[other_id]
            if distance_between((other.x_m, other.y_m), (waypoint.x_m, waypoint.y_m)) <= SAME_STATION_M:
                return station
    return None


def _drop_unreachable(found: StationsFound, graphs: Mapping[GraphId, LaneGraph]) -> None:
    """Leave out stations that cannot be reached from most others, or not be left again."""
    for graph in graphs.values():
        places = {station.waypoints[graph.id] for station in found.stations.values() if graph.id in station.waypoints}
        components = adjacency_of(graph).strong_components()
        main = max(components, key=lambda part: (len(part & places), len(part)), default=frozenset[WaypointId]())
        for station in list(found.stations.values()):
            if station.waypoints.get(graph.id, next(iter(main), "")) in main:
                continue
            rest = {id: waypoint for id, waypoint in station.waypoints.items() if id != graph.id}
            found.left_out[f"station {station.id} on graph {graph.id}"] = "no way leads there and back from the others"
            if rest:
                found.stations[station.id] = replace(station, waypoints=rest)
            else:
                del found.stations[station.id]


def with_resting_places(site: Site, found: StationsFound) -> Site:
    """Return the site with its stations, resting places chosen; ``found`` is told why others are not.

    Chargers come first, then parking spots; where a graph has too few, named dead ends that have no other use.
    """
    resting = RestingPlaces(replace(site, stations=found.stations), radius_m=RADIUS_M)
    chosen: list[StationId] = []
    for kind in (StationKind.CHARGER, StationKind.PARKING):
        for station in [each for each in found.stations.values() if each.kind is kind]:
            cut_off = resting.first_cut_off([*chosen, station.id])
            if cut_off is None:
                chosen.append(station.id)
            else:
                found.stations[station.id] = replace(station, kind=StationKind.OTHER)
                found.left_out[f"resting place {station.id}"] = (
                    f"a robot parked there would keep others from driving from {cut_off.start} to {cut_off.goal}"
                )
    for station in _dead_ends(site, found):
        is_wanted = any(_count_on(graph, chosen, found) < RESTING_PLACES_WANTED for graph in station.waypoints)
        if is_wanted and resting.first_cut_off([*chosen, station.id]) is None:
            chosen.append(station.id)
            found.stations[station.id] = replace(station, kind=StationKind.PARKING)
            found.reasons[station.id] = "a named dead end, for want of marked resting places"
    return replace(site, stations=found.stations)


def _count_on(graph: GraphId, chosen: list[StationId], found: StationsFound) -> int:
    return sum(graph in found.stations[id].waypoints for id in chosen)


def _dead_ends(site: Site, found: StationsFound) -> list[Station]:
    adjacency = {id: adjacency_of(graph) for id, graph in site.graphs.items()}
    return [
        station
        for station in found.stations.values()
        if station.kind is StationKind.OTHER
        and all(len(adjacency[graph].neighbours(waypoint)) == 1 for graph, waypoint in station.waypoints.items())
    ]
