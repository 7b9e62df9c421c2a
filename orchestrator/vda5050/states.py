"""What a robot sends: its state, its connection, and its pose for viewers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchestrator.vda5050.orders import Trajectory
from orchestrator.vda5050.wire import Message, Timestamp, WireModel

Ratio = Annotated[float, Field(ge=0, le=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
NonNegative = Annotated[float, Field(ge=0)]


class OperatingMode(StrEnum):
    """Who drives."""

    AUTOMATIC = "AUTOMATIC"
    SEMIAUTOMATIC = "SEMIAUTOMATIC"
    MANUAL = "MANUAL"
    SERVICE = "SERVICE"
    TEACHIN = "TEACHIN"


class ActionStatus(StrEnum):
    """How far an action has come. PAUSED is in the text of every version, but missing from the 2.x schemas."""

    WAITING = "WAITING"
    INITIALIZING = "INITIALIZING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"


class ErrorLevel(StrEnum):
    """Whether the robot needs help before it can go on."""

    WARNING = "WARNING"
    FATAL = "FATAL"


class InfoLevel(StrEnum):
    """How much an information matters; never for logic."""

    INFO = "INFO"
    DEBUG = "DEBUG"


class EStop(StrEnum):
    """Which emergency stop is active, by how it is acknowledged."""

    AUTOACK = "AUTOACK"
    MANUAL = "MANUAL"
    REMOTE = "REMOTE"
    NONE = "NONE"


class ConnectionState(StrEnum):
    """What a robot or the broker says of the link; never proof of health."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"
    CONNECTIONBROKEN = "CONNECTIONBROKEN"


class MapStatus(StrEnum):
    """Whether a map on the robot is in use (2.1)."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


class NodeStatePosition(WireModel):
    """Where a node still to be traversed is. The 2.0.0 schema requires ``theta``; the text does not."""

    x: float
    y: float
    theta: float | None = None
    map_id: str


class NodeState(WireModel):
    """A node still to be traversed."""

    node_id: str
    sequence_id: int
    node_description: str | None = None
    released: bool
    node_position: NodeStatePosition | None = None


class EdgeState(WireModel):
    """An edge still to be traversed."""

    edge_id: str
    sequence_id: int
    edge_description: str | None = None
    released: bool
    trajectory: Trajectory | None = None


class AgvPosition(WireModel):
    """Where the robot is: metres and radians on the map ``map_id``."""

    x: float
    y: float
    theta: float
    map_id: str
    map_description: str | None = None
    position_initialized: bool
    localization_score: Ratio | None = None
    deviation_range: float | None = None


class Velocity(WireModel):
    """How the robot moves in its own frame: m/s and rad/s."""

    vx: float | None = None
    vy: float | None = None
    omega: float | None = None


class BoundingBoxReference(WireModel):
    """The reference point of a load, in the robot's frame."""

    x: float
    y: float
    z: float
    theta: float | None = None


class LoadDimensions(WireModel):
    """The size of a load in metres."""

    length: float
    width: float
    height: float | None = None


class Load(WireModel):
    """One thing the robot carries. ``load_id`` should be the id it was picked with."""

    load_id: str | None = None
    load_type: str | None = None
    load_position: str | None = None
    bounding_box_reference: BoundingBoxReference | None = None
    load_dimensions: LoadDimensions | None = None
    weight: NonNegative | None = None


class ActionState(WireModel):
    """How far one action has come."""

    action_id: str
    action_type: str | None = None
    action_description: str | None = None
    action_status: ActionStatus
    result_description: str | None = None


class BatteryState(WireModel):
    """The battery: charge and health in percent, volts, reach in metres."""

    battery_charge: float
    battery_voltage: float | None = None
    battery_health: Percent | None = None
    charging: bool
    reach: NonNegative | None = None


class ErrorReference(WireModel):
    """What an error is about: for instance ``orderId`` and its value."""

    reference_key: str
    reference_value: str


class ErrorReport(WireModel):
    """One error a robot reports. ``error_hint`` since 2.1."""

    error_type: str
    error_references: tuple[ErrorReference, ...] | None = None
    error_description: str | None = None
    error_hint: str | None = None
    error_level: ErrorLevel

    def referenced(self, key: str) -> frozenset[str]:
        """Return every value the error refers to under ``key``."""
        return frozenset(item.reference_value for item in self.error_references or () if item.reference_key == key)


class Information(WireModel):
    """A remark for people; never for logic."""

    info_type: str
    info_references: tuple[ErrorReference, ...] | None = None
    info_description: str | None = None
    info_level: InfoLevel


class SafetyState(WireModel):
    """Emergency stop and protective field."""

    e_stop: EStop
    field_violation: bool


class MapOnRobot(WireModel):
    """A map stored on the robot (2.1)."""

    map_id: str
    map_version: str
    map_description: str | None = None
    map_status: MapStatus


class State(Message):
    """All a robot says of itself. ``node_states`` and ``edge_states`` are what is still to be traversed.

    ``loads`` is None when the robot does not know what it carries and empty when it knows that it carries nothing.
    """

    maps: tuple[MapOnRobot, ...] | None = None
    order_id: str
    order_update_id: int
    zone_set_id: str | None = None
    last_node_id: str
    last_node_sequence_id: int
    driving: bool
    paused: bool | None = None
    new_base_request: bool | None = None
    distance_since_last_node: float | None = None
    operating_mode: OperatingMode
    node_states: tuple[NodeState, ...]
    edge_states: tuple[EdgeState, ...]
    agv_position: AgvPosition | None = None
    velocity: Velocity | None = None
    loads: tuple[Load, ...] | None = None
    action_states: tuple[ActionState, ...]
    battery_state: BatteryState
    errors: tuple[ErrorReport, ...]
    information: tuple[Information, ...] | None = None
    safety_state: SafetyState


class Connection(Message):
    """What a robot announces of its link, or the broker in its name."""

    connection_state: ConnectionState


class Visualization(WireModel):
    """Pose and velocity for viewers; every field is optional, the header too."""

    header_id: int | None = None
    timestamp: Timestamp | None = None
    version: str | None = None
    manufacturer: str | None = None
    serial_number: str | None = None
    agv_position: AgvPosition | None = None
    velocity: Velocity | None = None
