"""What a robot still knows after its computer was switched off: place, battery, loads, numbers; never its order.

After a loss of power a robot does not go on by itself (ISO 3691-4): it reports an empty orderId and waits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from orchestrator.domain.errors import InvalidInputError
from ros_nodes.onboard.drawer_journal import KeptJournal, kept_journal_of_tree
from ros_nodes.onboard.path_geometry import PathPoint, Pose


class MemoryUnreadableError(InvalidInputError):
    """Saved memory cannot be read; the robot has to be told where it stands and what it carries."""

    code = "robot_memory"


@dataclass(frozen=True, slots=True)
class RobotMemory:
    """Pose, battery (0 to 1), load id by drawer, last node traversed, and the next header id of each message kind.

    ``last_place`` is where that node is, None when nobody has said.

    ``orders`` are the orders it had, oldest first, the one in force last: kept so that they are refused, not so that
    they are resumed. ``journal`` is what it wrote down of its drawers.
    """

    pose: Pose
    battery: float = 1.0
    loads: Mapping[str, str] = field(default_factory=dict[str, str])
    last_node: str = ""
    last_sequence: int = 0
    last_place: PathPoint | None = None
    header_ids: Mapping[str, int] = field(default_factory=dict[str, int])
    orders: tuple[str, ...] = ()
    journal: KeptJournal = field(default_factory=KeptJournal)

    def to_json(self) -> bytes:
        """Return the memory as JSON."""
        return json.dumps(
            {
                "format": 1,
                "pose": [self.pose.level, self.pose.x_m, self.pose.y_m, self.pose.theta_rad],
                "battery": self.battery,
                "loads": dict(self.loads),
                "last_node": self.last_node,
                "last_sequence": self.last_sequence,
                "last_place": _written(self.last_place),
                "header_ids": dict(self.header_ids),
                "orders": list(self.orders),
                "journal": self.journal.to_tree(),
            },
            sort_keys=True,
        ).encode()


def memory_from_json(payload: bytes) -> RobotMemory:
    """Return the memory saved by `RobotMemory.to_json`.

    Raises
    ------
    MemoryUnreadableError
        The bytes are not such a memory.
    """
    try:
        saved = json.loads(payload)
        level, x_m, y_m, theta_rad = saved["pose"]
        return RobotMemory(
            pose=Pose(str(level), float(x_m), float(y_m), float(theta_rad)),
            battery=float(saved["battery"]),
            loads={str(drawer): str(load) for drawer, load in cast("dict[str, str]", saved["loads"]).items()},
            last_node=str(saved["last_node"]),
            last_sequence=int(saved["last_sequence"]),
            last_place=_place_of(saved.get("last_place")),
            header_ids={str(kind): int(number) for kind, number in cast("dict[str, int]", saved["header_ids"]).items()},
            orders=tuple(str(order) for order in cast("list[str]", saved["orders"])),
            # One that was written before there were journals goes on without.
            journal=kept_journal_of_tree(saved["journal"]) if "journal" in saved else KeptJournal(),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MemoryUnreadableError(
            f"The robot's saved memory cannot be read ({error}); expected what this program wrote. Check which loads"
            " lie in its drawers, then remove the file and start it with --start-pose."
        ) from error


def _written(place: PathPoint | None) -> list[object] | None:
    return None if place is None else [place.level, place.x_m, place.y_m]


def _place_of(saved: list[object] | None) -> PathPoint | None:
    if saved is None:
        return None  # written before places were remembered
    level, x_m, y_m = saved
    return PathPoint(float(cast("float", x_m)), float(cast("float", y_m)), str(level))
