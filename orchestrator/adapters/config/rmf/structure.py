"""The building around the lanes, in metres: levels, doors, lifts and walls."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
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


def placed_floors(building: Building, alignment: Alignment) -> list[PlacedFloor]:
    """Return the levels that can be placed, in file order."""
    placed: list[PlacedFloor] = []
    taken: set[str] = set()
    for name, floor in building.floors.items():
        if name in alignment.transforms:
            level = id_from_name(name, taken, otherwise="level")
            taken.add(level)
            placed.append(PlacedFloor(LevelId(level), floor, alignment.transforms[name]))
    return placed


def levels_of(floors: list[PlacedFloor]) -> dict[LevelId, Level]:
    """Return the levels of the site."""
    return {
        placed.level: Level(
            placed.level, placed.floor.elevation_m, placed.floor.name if placed.floor.name != placed.level else ""
        )
        for placed in floors
    }


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


def lifts_of(building: Building, floors: list[PlacedFloor]) -> dict[LiftId, Lift]:
    """Return the lifts that have doors on some level and a placed reference floor."""
    by_name = {placed.floor.name: placed for placed in floors}
    lifts: dict[LiftId, Lift] = {}
    for elevator in building.elevators:
        reference = by_name.get(elevator.reference_floor)
        if reference is None:
            continue
        id = LiftId(id_from_name(elevator.name, lifts, otherwise="lift"))
        x_m, y_m = rounded(reference.transform.point_m(elevator.x, elevator.y))
        lifts[id] = Lift(
            id=id,
            x_m=x_m,
            y_m=y_m,
            yaw_rad=elevator.yaw_rad,
            width_m=elevator.width_m,
            depth_m=elevator.depth_m,
            levels=tuple(_levels_served(building, elevator, floors)),
            is_motorised=elevator.has_plugin,
            name=elevator.name if elevator.name != id else "",
        )
    return lifts


def _levels_served(building: Building, elevator: Elevator, floors: list[PlacedFloor]) -> Iterator[LevelId]:
    if elevator.has_level_doors:
        lowest_m = building.floors[elevator.lowest_floor].elevation_m
        highest_m = building.floors[elevator.highest_floor].elevation_m
        yield from (placed.level for placed in floors if lowest_m <= placed.floor.elevation_m <= highest_m)


def lift_at(point: Point, level: LevelId, lifts: dict[LiftId, Lift]) -> LiftId | None:
    """Return the first lift that serves ``level`` and whose shaft holds ``point`` (metres)."""
    for lift in lifts.values():
        if level in lift.levels and is_in_rectangle(
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
