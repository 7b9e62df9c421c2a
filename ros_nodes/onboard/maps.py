"""The maps on board: which is enabled, and what being told of another one needs (VDA 5050 2.1 §6.8, maps §6.10).

A robot whose model needs no telling drives by every map and reports none.
"""

from __future__ import annotations

from math import isfinite

from orchestrator.domain.fleet.model import MapSwitch, RobotModel
from orchestrator.vda5050.messages import Action, MapOnRobot, MapStatus, ParameterKey
from ros_nodes.onboard.path_geometry import Pose


class Maps:
    """What a robot knows of maps.

    Parameters
    ----------
    model : RobotModel
        Whether it has to be told.
    level : str
        The map it stands on at the start, which is enabled.
    """

    def __init__(self, model: RobotModel, *, level: str) -> None:
        self._needs_enabling = model.map_switch is MapSwitch.ENABLE_MAP_AND_INIT_POSITION
        self._versions = {level: model.map_version}
        self._enabled = level

    def enable(self, action: Action) -> str | None:
        """Enable the map that an enableMap names, and no other; return a sentence if that cannot be."""
        map_id, version = (_text(action, key) for key in (ParameterKey.MAP_ID, ParameterKey.MAP_VERSION))
        if map_id is None or version is None:
            return "enableMap needs the parameters mapId and mapVersion"
        self._versions[map_id] = version
        self._enabled = map_id
        return None

    def place_of(self, action: Action) -> Pose | str:
        """Return the pose that an initPosition names, or a sentence saying why it cannot be taken."""
        map_id = _text(action, ParameterKey.MAP_ID)
        numbers = [_number(action, key) for key in (ParameterKey.X, ParameterKey.Y, ParameterKey.THETA)]
        known = [number for number in numbers if number is not None]
        if map_id is None or len(known) < len(numbers):
            return "initPosition needs the parameters x, y, theta and mapId"
        if self._needs_enabling and map_id != self._enabled:
            return f"map {map_id} is not enabled; enable it first"
        return Pose(map_id, *known)

    def reported(self) -> tuple[MapOnRobot, ...] | None:
        """Return the maps as they stand in a state message."""
        if not self._needs_enabling:
            return None
        return tuple(
            MapOnRobot(
                map_id=map_id,
                map_version=version,
                map_status=MapStatus.ENABLED if map_id == self._enabled else MapStatus.DISABLED,
            )
            for map_id, version in sorted(self._versions.items())
        )


def last_node_of(action: Action) -> str | None:
    """Return the node that a robot counts as passed last once its position is initialised, if one is named."""
    return _text(action, ParameterKey.LAST_NODE_ID)


def _text(action: Action, key: ParameterKey) -> str | None:
    value = action.parameter(key)
    return value if isinstance(value, str) and value else None


def _number(action: Action, key: ParameterKey) -> float | None:
    value = action.parameter(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(value)
