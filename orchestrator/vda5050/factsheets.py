"""What a robot says about its kind: the factsheet, as far as we use it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, JsonValue

from orchestrator.vda5050.orders import BlockingType
from orchestrator.vda5050.wire import Timestamp, WireModel


class Support(StrEnum):
    """Whether an optional parameter is understood or demanded."""

    SUPPORTED = "SUPPORTED"
    REQUIRED = "REQUIRED"


class ActionScope(StrEnum):
    """Where an action may be asked for."""

    INSTANT = "INSTANT"
    NODE = "NODE"
    EDGE = "EDGE"


class TypeSpecification(WireModel):
    """What the robot is: kinematics, class, and how it finds its way."""

    series_name: str
    series_description: str | None = None
    agv_kinematic: str
    agv_class: str
    max_load_mass: float
    localization_types: tuple[str, ...] = ()
    navigation_types: tuple[str, ...] = ()


class PhysicalParameters(WireModel):
    """Speeds in m/s, accelerations in m/s², sizes in metres."""

    speed_min: float
    speed_max: float
    acceleration_max: float
    deceleration_max: float
    height_min: float | None = None
    height_max: float
    width: float
    length: float


class MaxStringLens(WireModel):
    """The longest strings a robot takes."""

    msg_len: int | None = None
    topic_serial_len: int | None = None
    topic_elem_len: int | None = None
    id_len: int | None = None
    id_numerical_only: bool | None = None
    enum_len: int | None = None
    load_id_len: int | None = None


class Timing(WireModel):
    """How often messages may and will come, in seconds."""

    min_order_interval: float
    min_state_interval: float
    default_state_interval: float | None = None
    visualization_interval: float | None = None


class ProtocolLimits(WireModel):
    """What a robot can take in. ``max_array_lens`` keeps the specification's dotted keys, such as ``order.nodes``."""

    max_string_lens: MaxStringLens = MaxStringLens()
    max_array_lens: dict[str, int] = Field(default_factory=dict[str, int])
    timing: Timing


class OptionalParameter(WireModel):
    """One optional field of the protocol and whether the robot knows it."""

    parameter: str
    support: Support
    description: str | None = None


class FactsheetActionParameter(WireModel):
    """A parameter of an action the robot offers."""

    key: str
    value_data_type: str
    description: str | None = None
    is_optional: bool | None = None


class AgvAction(WireModel):
    """An action the robot offers."""

    action_type: str
    action_description: str | None = None
    action_scopes: tuple[ActionScope, ...] = ()
    action_parameters: tuple[FactsheetActionParameter, ...] | None = None
    result_description: str | None = None
    blocking_types: tuple[BlockingType, ...] | None = None


class ProtocolFeatures(WireModel):
    """Which optional parts of the protocol and which actions the robot knows."""

    optional_parameters: tuple[OptionalParameter, ...] = ()
    agv_actions: tuple[AgvAction, ...] = ()


class PolygonPoint(WireModel):
    """A corner of an envelope in the robot's frame, in metres."""

    x: float
    y: float


class Envelope2d(WireModel):
    """A named outline of the robot."""

    set: str
    polygon_points: tuple[PolygonPoint, ...]
    description: str | None = None


class AgvGeometry(WireModel):
    """The robot's outline; wheels and solid models are kept as they came."""

    wheel_definitions: tuple[JsonValue, ...] | None = None
    # Named here, because the rule for camel case makes a capital letter of what follows a digit.
    envelopes2d: tuple[Envelope2d, ...] | None = Field(default=None, alias="envelopes2d")
    envelopes3d: tuple[JsonValue, ...] | None = Field(default=None, alias="envelopes3d")


class LoadSet(WireModel):
    """One kind of load the robot takes, and where."""

    set_name: str
    load_type: str
    load_positions: tuple[str, ...] | None = None
    max_weight: float | None = None
    pick_time: float | None = None
    drop_time: float | None = None
    description: str | None = None


class LoadSpecification(WireModel):
    """Where and what the robot carries."""

    load_positions: tuple[str, ...] | None = None
    load_sets: tuple[LoadSet, ...] | None = None


class Factsheet(WireModel):
    """A robot's description of its kind. Header id and timestamp are optional here."""

    header_id: int | None = None
    timestamp: Timestamp | None = None
    version: str
    manufacturer: str
    serial_number: str
    type_specification: TypeSpecification
    physical_parameters: PhysicalParameters
    protocol_limits: ProtocolLimits
    protocol_features: ProtocolFeatures
    agv_geometry: AgvGeometry
    load_specification: LoadSpecification
    vehicle_config: JsonValue = None
