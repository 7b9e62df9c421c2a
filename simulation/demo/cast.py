"""Who plays where: robots, their homes, and the stations of a demonstration, chosen from any site."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.model import ModelId, Robot, RobotId, RobotModel
from orchestrator.domain.site.graph import adjacency_of
from orchestrator.domain.site.model import GraphId, LaneGraph, Site, Station, StationId, StationKind
from orchestrator.domain.traffic.conflicts import ConflictRelation, conflict_relation
from orchestrator.domain.traffic.monitor import Monitor

WARD_KINDS = (StationKind.WARD_HANDOVER, StationKind.BEDSIDE)
MANUFACTURER = "wardporter"


class NoStageError(InvalidInputError):
    """The site does not offer what a demonstration needs."""

    code = "site_without_stage"


@dataclass(frozen=True, slots=True)
class Cast:
    """A graph to drive on, the robots with their homes, and where deliveries begin and end.

    ``notes`` say which stations play a part that nothing on the map gives them.
    """

    graph: GraphId
    model: RobotModel
    robots: tuple[Robot, ...]
    hatches: tuple[StationId, ...]
    wards: tuple[StationId, ...]
    notes: tuple[str, ...] = ()


def choose_cast(site: Site, *, model: RobotModel, robots: int) -> Cast:
    """Choose the lane graph, homes and stations for ``robots`` robots of ``model``.

    A station is chosen only if every robot can drive there from its home and back while all others are at home.
    Where no station looks like a pharmacy or a ward, stations of no known kind play the part.

    Raises
    ------
    NoStageError
        No lane graph has enough resting places, and two further stations where nobody rests and which all robots reach.
    """
    casts = _casts(site, model=model, robots=robots)
    if not casts:
        fewer = next((n for n in range(robots - 1, 0, -1) if _casts(site, model=model, robots=n)), 0)
        advice = f"Try --robots {fewer}." if fewer else "Mark resting places and name stations on the map."
        raise NoStageError(
            f"Site {site.id} was refused for a demonstration with {robots} robots: no lane graph has as many resting "
            f"places (chargers or parking) and two further stations where nobody rests and which all reach. {advice}"
        )
    return max(casts, key=lambda cast: (not cast.notes, len(cast.wards), len(cast.hatches)))


def draw_routes(cast: Cast, *, count: int, seed: int) -> list[tuple[StationId, StationId]]:
    """Draw from and to stations for ``count`` deliveries.

    Two in a row go to the same place, so that drawers are shared; hatches take turns, and each ward has its turn
    before any comes again.
    """
    chance = random.Random(f"{seed}:routes")
    wards: list[StationId] = []
    while len(wards) < count:
        wards += [ward for ward in chance.sample(cast.wards, len(cast.wards)) for _ in range(2)]
    return [(cast.hatches[i // 2 % len(cast.hatches)], wards[i]) for i in range(count)]


def _casts(site: Site, *, model: RobotModel, robots: int) -> list[Cast]:
    casts = (_cast_on(site, graph, model=model, robots=robots) for graph in site.graphs.values())
    return [cast for cast in casts if cast is not None]


def _cast_on(site: Site, graph: LaneGraph, *, model: RobotModel, robots: int) -> Cast | None:
    model = replace(model, graph=graph.id)
    relation = conflict_relation(site, [model])
    stations = [station for station in site.stations.values() if graph.id in station.waypoints]
    homes = _homes(stations, model, relation, count=robots)
    # Nobody loads or receives where robots rest, not even where no robot of this cast lives.
    served = [s for s in _served(stations, homes, model, relation) if not s.kind.is_resting_place]
    if len(homes) < robots or len(served) < 2:
        return None
    hatches = [s for s in served if s.kind is StationKind.PHARMACY_HATCH]
    wards = [s for s in served if s.kind in WARD_KINDS]
    spare = sorted((s for s in served if s not in hatches and s not in wards), key=lambda s: s.id)
    notes: list[str] = []
    if not hatches:
        stand_in = spare.pop(0) if spare else wards.pop(0)
        hatches = [stand_in]
        notes.append(f"No station looks like a pharmacy; {stand_in.id} plays it.")
    if not wards:
        wards = spare or hatches[1:]
        hatches = hatches if spare else hatches[:1]
        notes.append(f"No station looks like a ward; {', '.join(s.id for s in wards)} play them.")
    return Cast(
        graph=graph.id,
        model=model,
        robots=tuple(_robot(i, home, model=model.id) for i, home in enumerate(homes, start=1)),
        hatches=tuple(s.id for s in hatches),
        wards=tuple(s.id for s in wards),
        notes=tuple(notes),
    )


def _homes(stations: Sequence[Station], model: RobotModel, relation: ConflictRelation, *, count: int) -> list[Station]:
    """Return resting places where robots can stand side by side, chargers first."""
    resting = sorted((s for s in stations if s.kind.is_resting_place), key=lambda s: (_is_no_charger(s), s.id))
    homes: list[Station] = []
    taken = 0
    for station in resting:
        place = relation.mask(relation.of_waypoint(model.id, station.waypoints[model.graph]))
        if len(homes) < count and not relation.conflicts(place) & taken:
            homes.append(station)
            taken |= place
    return homes


def _is_no_charger(station: Station) -> bool:
    return station.kind is not StationKind.CHARGER


def _served(
    stations: Sequence[Station], homes: Sequence[Station], model: RobotModel, relation: ConflictRelation
) -> list[Station]:
    """Return the stations that every robot reaches from its home, and returns from, while the others are at home."""
    monitor = Monitor(relation)
    for home in homes:
        place = home.waypoints[model.graph]
        monitor.occupy(RobotId(home.id), model=model.id, tip=place, held=(), endpoint=place)
    lanes = adjacency_of(relation.graph(model.id))
    served = {s.waypoints[model.graph] for s in stations} - {home.waypoints[model.graph] for home in homes}
    for home in homes:
        barred = monitor.barred(RobotId(home.id))
        place = home.waypoints[model.graph]
        served &= lanes.reachable_from(place, avoiding=barred.waypoints, closed=barred.lanes)
        served &= lanes.reaching(place, avoiding=barred.waypoints, closed=barred.lanes)
        served -= barred.waypoints
    return [s for s in stations if s.waypoints[model.graph] in served]


def _robot(number: int, home: Station, *, model: ModelId) -> Robot:
    return Robot(
        id=RobotId(f"robot-{number}"),
        model=model,
        manufacturer=MANUFACTURER,
        serial_number=f"WP{number:04d}",
        interface_name="uagv",
        protocol_version="2.1.0",
        home=home.id,
    )
