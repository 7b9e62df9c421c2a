"""How wide a lane is, from the walls around it."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.site.geometry import Point, distance_between, distance_between_segments, distance_to_segment
from orchestrator.domain.site.model import Door, Wall

WIDTH_MAX_M = 5.0
"""A lane in the open is called this wide; nothing that drives here needs more."""

JAMB_M = 0.05
"""A wall that ends within this distance of a door jamb belongs to the door."""


def width_from_walls_m(start: Point, end: Point, walls: Sequence[Wall], door: Door | None) -> float:
    """Return the free width of a lane in metres: twice the least distance from its centre line to a wall.

    Parameters
    ----------
    start, end : (float, float)
        Ends of the centre line, metres.
    walls : sequence of Wall
        The walls of its level.
    door : Door, optional
        The door it crosses. The walls that end at its jambs do not count, its own width does.

    Notes
    -----
    A lane drawn through a wall has width 0. Robots' maps know better, so the linter only warns of estimated widths.
    """
    half_m = WIDTH_MAX_M / 2
    if door is not None:
        half_m = min(half_m, distance_between(door.start, door.end) / 2)
    for wall in walls:
        if _is_far(start, end, wall, half_m) or (door is not None and _ends_at(wall, door)):
            continue
        half_m = min(half_m, distance_between_segments(start, end, wall.start, wall.end))
    return round(2 * half_m, 3)


def _is_far(start: Point, end: Point, wall: Wall, reach_m: float) -> bool:
    """Whether the boxes around lane and wall are further apart than ``reach_m``: spares most of the geometry."""
    return any(
        max(wall.start[axis], wall.end[axis]) < min(start[axis], end[axis]) - reach_m
        or min(wall.start[axis], wall.end[axis]) > max(start[axis], end[axis]) + reach_m
        for axis in (0, 1)
    )


def _ends_at(wall: Wall, door: Door) -> bool:
    return any(distance_to_segment(end, door.start, door.end) < JAMB_M for end in (wall.start, wall.end)) or any(
        distance_to_segment(jamb, wall.start, wall.end) < JAMB_M for jamb in (door.start, door.end)
    )
