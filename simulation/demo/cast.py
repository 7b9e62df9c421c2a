"""Who plays where: robots, their homes, and the stations of a demonstration, chosen from any site."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.model import ModelId, Robot, RobotId, RobotModel
from orchestrator.domain.site.graph import Adjacency, adjacency_of
from orchestrator.domain.site.model import GraphId, LaneGraph, Site, Station, StationId, StationKind, WaypointId

WARD_KINDS = (StationKind.WARD_HANDOVER, StationKind.BEDSIDE)
MANUFACTURER = "wardporter"


class NoStageError(InvalidInputError):
    """The site does not offer what a demonstration needs."""

    code = "site_without_stage"


@dataclass(frozen=True, slots=True)
class Cast:
    """A graph to drive on, the robots with their homes, and where deliveries begin and end."""

    graph: GraphId
    model: RobotModel
    robots: tuple[Robot, ...]
    hatches: tuple[StationId, ...]
    wards: tuple[StationId, ...]


def choose_cast(site: Site, *, model: RobotModel, robots: int) -> Cast:
    """Choose the lane graph, homes and stations for ``robots`` robots of ``model``.

    A station is chosen only if every robot can drive there from its home and back while all others are at home.

    Raises
    ------
    NoStageError
        No lane graph has enough resting places, a pharmacy hatch and a ward that can reach each other.
    """
    casts = [cast for graph in site.graphs.values() if (cast := _cast_on(site, graph, model=model, robots=robots))]
    if not casts:
        raise NoStageError(
            f"Site {site.id} was refused for a demonstration with {robots} robots: no lane graph has {robots} resting "
            f"places (chargers or parking), a pharmacy hatch and a ward station that reach each other. "
            f"Try fewer robots, or give stations these kinds in the site file."
        )
    return max(casts, key=lambda cast: (len(cast.wards), len(cast.hatches)))


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


def _cast_on(site: Site, graph: LaneGraph, *, model: RobotModel, robots: int) -> Cast | None:
    stations = [station for station in site.stations.values() if graph.id in station.waypoints]
    resting = sorted(
        (s for s in stations if s.kind.is_resting_place), key=lambda s: (s.kind is not StationKind.CHARGER, s.id)
    )
    hatches = [s for s in stations if s.kind is StationKind.PHARMACY_HATCH]
    wards = [s for s in stations if s.kind in WARD_KINDS]
    if len(resting) < robots:
        return None
    homes = resting[:robots]
    lanes = adjacency_of(graph)
    at_home = [home.waypoints[graph.id] for home in homes]
    hatches = [s for s in hatches if _is_served(s.waypoints[graph.id], at_home, lanes)]
    wards = [s for s in wards if _is_served(s.waypoints[graph.id], at_home, lanes)]
    if not hatches or not wards:
        return None
    return Cast(
        graph=graph.id,
        model=replace(model, graph=graph.id),
        robots=tuple(_robot(i, home, model=model.id) for i, home in enumerate(homes, start=1)),
        hatches=tuple(s.id for s in hatches),
        wards=tuple(s.id for s in wards),
    )


def _is_served(place: WaypointId, homes: Sequence[WaypointId], lanes: Adjacency) -> bool:
    for home in homes:
        others = frozenset(homes) - {home}
        if place in others or place not in lanes.reachable_from(home, avoiding=others):
            return False
        if place not in lanes.reaching(home, avoiding=others):
            return False
    return True


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
