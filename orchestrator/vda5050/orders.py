"""What a fleet controller sends: orders and instant actions."""

from __future__ import annotations

from enum import StrEnum
from math import pi
from typing import Annotated

from pydantic import AliasChoices, Field, JsonValue

from orchestrator.vda5050.wire import Message, WireModel

# The schemas round pi to eleven (heading) and nine (deviation) places; a heading of exactly pi must stay valid.
Heading = Annotated[float, Field(ge=-3.14159265359, le=3.14159265359)]
HeadingDeviation = Annotated[float, Field(ge=-pi, le=pi)]
NonNegative = Annotated[float, Field(ge=0)]
SequenceId = Annotated[int, Field(ge=0)]


class BlockingType(StrEnum):
    """What else may happen while an action runs."""

    NONE = "NONE"
    SOFT = "SOFT"
    HARD = "HARD"


class CorridorRefPoint(StrEnum):
    """What must stay inside a corridor (2.1)."""

    KINEMATICCENTER = "KINEMATICCENTER"
    CONTOUR = "CONTOUR"


class ActionType(StrEnum):
    """The predefined action types we use; a robot may offer others."""

    PICK = "pick"
    DROP = "drop"
    START_CHARGING = "startCharging"
    STOP_CHARGING = "stopCharging"
    START_PAUSE = "startPause"
    STOP_PAUSE = "stopPause"
    CANCEL_ORDER = "cancelOrder"
    STATE_REQUEST = "stateRequest"
    FACTSHEET_REQUEST = "factsheetRequest"
    ENABLE_MAP = "enableMap"
    INIT_POSITION = "initPosition"
    OPEN_DRAWER = "openDrawer"
    """Ours: opens one drawer on a grant (docs/drawers.md)."""


class ParameterKey(StrEnum):
    """The keys of the parameters of our actions; ``lhd`` (load handling device) names the drawer."""

    DRAWER = "lhd"
    STATION_TYPE = "stationType"
    LOAD_TYPE = "loadType"
    LOAD_ID = "loadId"
    X = "x"
    Y = "y"
    THETA = "theta"
    MAP_ID = "mapId"
    MAP_VERSION = "mapVersion"
    LAST_NODE_ID = "lastNodeId"
    GRANT = "grant"
    SIGNATURE = "signature"


class ActionParameter(WireModel):
    """A key and any JSON value; objects only since 2.1."""

    key: str
    value: JsonValue


class Action(WireModel):
    """One action.

    The 2.0.0 schema of instantActions calls the type ``actionName``, its text ``actionType``: both are read, and a
    message of instant actions in 2.0.0 has both.
    """

    action_type: str = Field(
        validation_alias=AliasChoices("actionType", "actionName"), serialization_alias="actionType"
    )
    action_id: str
    action_description: str | None = None
    blocking_type: BlockingType
    action_parameters: tuple[ActionParameter, ...] | None = None

    def parameter(self, key: str) -> JsonValue:
        """Return the value of the parameter ``key``, or None when it is not there."""
        return next((item.value for item in self.action_parameters or () if item.key == key), None)


class NodePosition(WireModel):
    """Where a node is, in metres and radians on the map ``map_id``.

    ``allowed_deviation_xy`` is a radius in metres; 2.0.0 spells it ``allowedDeviationXy``.
    """

    x: float
    y: float
    theta: Heading | None = None
    allowed_deviation_xy: NonNegative | None = Field(
        default=None,
        validation_alias=AliasChoices("allowedDeviationXY", "allowedDeviationXy"),
        serialization_alias="allowedDeviationXY",
    )
    allowed_deviation_theta: HeadingDeviation | None = None
    map_id: str
    map_description: str | None = None


class Node(WireModel):
    """A node to traverse; part of the base when ``released``, of the horizon when not."""

    node_id: str
    sequence_id: SequenceId
    node_description: str | None = None
    released: bool
    node_position: NodePosition | None = None
    actions: tuple[Action, ...] = ()


class ControlPoint(WireModel):
    """A control point of a trajectory, in metres."""

    x: float
    y: float
    weight: NonNegative | None = None


class Trajectory(WireModel):
    """A NURBS curve along an edge."""

    degree: Annotated[int, Field(ge=1)]
    knot_vector: tuple[float, ...]
    control_points: tuple[ControlPoint, ...]


class Corridor(WireModel):
    """How far a robot may leave its edge to pass an obstacle, in metres (2.1)."""

    left_width: NonNegative
    right_width: NonNegative
    corridor_ref_point: CorridorRefPoint | None = None


class Edge(WireModel):
    """The way between two nodes. Speeds in m/s and rad/s, lengths in metres, angles in radians."""

    edge_id: str
    sequence_id: SequenceId
    edge_description: str | None = None
    released: bool
    start_node_id: str
    end_node_id: str
    max_speed: float | None = None
    max_height: float | None = None
    min_height: float | None = None
    orientation: Heading | None = None
    orientation_type: str | None = None
    direction: str | None = None
    rotation_allowed: bool | None = None
    max_rotation_speed: float | None = None
    length: float | None = None
    trajectory: Trajectory | None = None
    corridor: Corridor | None = None
    actions: tuple[Action, ...] = ()


class Order(Message):
    """An order or an update of one; nodes and edges alternate and share one run of sequence ids."""

    order_id: str
    order_update_id: SequenceId
    zone_set_id: str | None = None
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


class InstantActions(Message):
    """Actions to start at once. The key of 1.1, ``instantActions``, is read but never written."""

    actions: tuple[Action, ...] = Field(
        validation_alias=AliasChoices("actions", "instantActions"), serialization_alias="actions"
    )


class OldInstantActions(Message):
    """Actions to start at once under the key of 1.1, written only for a robot that reads no other."""

    instant_actions: tuple[Action, ...]
