"""The building around the lanes, in metres: levels, doors, lifts and walls."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from orchestrator.adapters.config.rmf.alignment import Alignment, Transform
from orchestrator.adapters.config.rmf.building import Building, Edge, Elevator, Floor
from orchestrator.domain.site.geometry import Point, is_in_rectangle
from orchestrator.domain.site.model import Door, DoorId, Level, LevelId, Lift, LiftId, Wall

METRE_DIGITS = 4
"""Imported positions are kept to a tenth of a millimetre, so that a site file stays readable."""

SHAFT_MARGIN_M = 0.05
"""The shaft of a lift is this much wider than its cabin on every side."""


@dataclass(frozen=True, slots=True)
class PlacedFloor:
    """A level of the building with its id in the site and its transform to metres."""

    level: LevelId
    floor: Floor
    transform: Transform

    def point_m(self, index: int) -> Point:
        """Return vertex ``index`` in metres, rounded."""
        vertex = self.floor.vertices[index]
        return rounded(self.transform.point_m(vertex.x, vertex.y))


def rounded(point: Point) -> Point:
    """Return a point to a tenth of a millimetre, without negative zeros."""
    return round(point[0], METRE_DIGITS) + 0.0, round(point[1], METRE_DIGITS) + 0.0


def id_from_name(name: str, taken: Collection[str], *, otherwise: str, suffix: str = "") -> str:
    """Return an id for something named ``name``: blanks and signs with a meaning replaced, made unique.

    Parameters
    ----------
    name : str
        What the building calls it; may be empty.
    taken : collection of str
        Ids already given.
    otherwise : str
        The id of something without a name.
    suffix : str
        What is appended first when the id is taken (its level, say); then numbers from 2 are.
    """
    plain = re.sub(r"[\s/#+~]+", "_", name.strip())[:100].strip("_") or otherwise
    candidates = [plain, f"{plain}_{suffix}"] if suffix else [plain]
    number = 2
    while candidates[-1] in taken and number <= len(taken) + 2:
        candidates.append(f"{plain}_{number}")
        number += 1
    return next(candidate for candidate in candidates if candidate not in taken)


def level_ids_of(building: Building) -> dict[str, LevelId]:
    """Return the id in the site of every level of a building, by its name there, in file order."""
    ids: dict[str, LevelId] = {}
    for name in building.floors:
        ids[name] = LevelId(id_from_name(name, ids.values(), otherwise="level"))
    return ids


def levels_of(building: Building, level_ids: Mapping[str, LevelId]) -> dict[LevelId, Level]:
    """Return the levels of the site, also those whose drawing cannot be placed: lifts stop there all the same."""
    return {
        id: Level(id, building.floors[name].elevation_m, name if name != id else "") for name, id in level_ids.items()
    }


def placed_floors(building: Building, level_ids: Mapping[str, LevelId], alignment: Alignment) -> list[PlacedFloor]:
    """Return the levels whose drawing can be placed, in file order."""
    return [
        PlacedFloor(level_ids[name], floor, alignment.transforms[name])
        for name, floor in building.floors.items()
        if name in alignment.transforms
    ]


def doors_of(floors: list[PlacedFloor]) -> tuple[dict[DoorId, Door], dict[tuple[LevelId, int], DoorId]]:
    """Return all doors of the building, and the id of each by its level and index there.

    A name used twice gets the level appended: one dictionary of doors by name would lose the first.
    """
    doors: dict[DoorId, Door] = {}
    ids: dict[tuple[LevelId, int], DoorId] = {}
    for placed in floors:
        for index, edge in enumerate(placed.floor.doors):
            name = str(edge.properties.get("name", ""))
            id = DoorId(id_from_name(name, doors, otherwise=f"{placed.level}_door_{index}", suffix=placed.level))
            doors[id] = Door(
                id=id,
                level=placed.level,
                start=placed.point_m(edge.start),
                end=placed.point_m(edge.end),
                kind=str(edge.properties.get("type", "hinged")),
                is_motorised=edge.properties.get("plugin", "normal") != "none",
                name=name if name != id else "",
            )
            ids[placed.level, index] = id
    return doors, ids


@dataclass(frozen=True, slots=True)
class LiftsFound:
    """The lifts of a building that robots can get into, and why others are left out.

    ``passed`` are the levels between a lift's lowest and highest on which it has no door: the shaft is there, but no
    robot gets in or out.
    """

    lifts: dict[LiftId, Lift]
    passed: dict[LiftId, frozenset[LevelId]]
    left_out: dict[str, str]


def lifts_of(building: Building, level_ids: Mapping[str, LevelId], alignment: Alignment) -> LiftsFound:
    """Return the lifts that have a door on some level and a reference floor with a place in the site frame.

    A lift serves the levels from its lowest to its highest on which it has a door.
    """
    lifts: dict[LiftId, Lift] = {}
    passed: dict[LiftId, frozenset[LevelId]] = {}
    left_out: dict[str, str] = {}
    for elevator in building.elevators:
        reference = alignment.transforms.get(elevator.reference_floor)
        between = _floors_between(building, elevator)
        served = tuple(level_ids[name] for name in between if name in elevator.floors_with_doors)
        if reference is None:
            left_out[elevator.name] = f"its place is drawn on level {elevator.reference_floor}, which has none itself"
        elif not served:
            left_out[elevator.name] = "it has no door on any level from its lowest to its highest"
        if reference is None or not served:
            continue
        id = LiftId(id_from_name(elevator.name, lifts, otherwise="lift"))
        x_m, y_m = rounded(reference.point_m(elevator.x, elevator.y))
        passed[id] = frozenset(level_ids[name] for name in between).difference(served)
        lifts[id] = Lift(
            id=id,
            x_m=x_m,
            y_m=y_m,
            yaw_rad=elevator.yaw_rad,
            width_m=elevator.width_m,
            depth_m=elevator.depth_m,
            levels=served,
            is_motorised=elevator.has_plugin,
            name=elevator.name if elevator.name != id else "",
        )
    return LiftsFound(lifts, passed, left_out)


def _floors_between(building: Building, elevator: Elevator) -> list[str]:
    lowest_m = building.floors[elevator.lowest_floor].elevation_m
    highest_m = building.floors[elevator.highest_floor].elevation_m
    return [name for name, floor in building.floors.items() if lowest_m <= floor.elevation_m <= highest_m]


def lift_at(
    point: Point, level: LevelId, lifts: Mapping[LiftId, Lift], passed: Mapping[LiftId, frozenset[LevelId]]
) -> LiftId | None:
    """Return the first lift that serves or passes ``level`` and whose shaft holds ``point`` (metres).

    Where a lift only passes, a waypoint in its shaft is named so that the linter refuses it: it must never count as a
    place to stand.
    """
    for lift in lifts.values():
        if (level in lift.levels or level in passed[lift.id]) and is_in_rectangle(
            point,
            (lift.x_m, lift.y_m),
            yaw_rad=lift.yaw_rad,
            width_m=lift.width_m + 2 * SHAFT_MARGIN_M,
            depth_m=lift.depth_m + 2 * SHAFT_MARGIN_M,
        ):
            return lift.id
    return None


def walls_of(floors: list[PlacedFloor]) -> tuple[Wall, ...]:
    """Return all walls, level by level; a wall drawn without length is nothing."""
    return tuple(
        Wall(placed.level, placed.point_m(edge.start), placed.point_m(edge.end))
        for placed in floors
        for edge in placed.floor.walls
        if placed.point_m(edge.start) != placed.point_m(edge.end)
    )


def ends_in_drawing(floor: Floor, edge: Edge) -> tuple[Point, Point]:
    """Return both ends of a lane or door in drawing units, y upwards."""
    start, end = floor.vertices[edge.start], floor.vertices[edge.end]
    return (start.x, -start.y), (end.x, -end.y)
