"""Which door a lane leads through."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.domain.site.geometry import is_crossing
from orchestrator.domain.site.model import Door, DoorId, Waypoint


def door_crossed(start: Waypoint, end: Waypoint, doors: Iterable[Door]) -> DoorId | None:
    """Return the last door of the level that the straight way between two waypoints crosses, if any.

    Parameters
    ----------
    start, end : Waypoint
        The ends of the lane; a lane between two levels crosses no door.
    doors : iterable of Door
        All doors of the site, in file order.
    """
    if start.level != end.level:
        return None
    a, b = (start.x_m, start.y_m), (end.x_m, end.y_m)
    crossed: DoorId | None = None
    for door in doors:
        if door.level == start.level and is_crossing(a, b, door.start, door.end):
            crossed = door.id
    return crossed
