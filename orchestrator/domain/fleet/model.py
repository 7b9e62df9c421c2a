"""Robot models and the robots of a fleet, as configured; and what a robot reports of itself.

Nothing here knows the robot protocol: `orchestrator.vda5050` translates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from orchestrator.domain.site.model import GraphId, LevelId, StationId, WaypointId

RobotId = NewType("RobotId", str)
ModelId = NewType("ModelId", str)
OrderId = NewType("OrderId", str)
ActionId = NewType("ActionId", str)
LoadId = NewType("LoadId", str)


class Commissioning(StrEnum):
    """Whether a robot is real: only simulated robots drive without a Gazebo clearance (design §9)."""

    SIMULATED = "simulated"
    HARDWARE = "hardware"


Footprint = tuple[tuple[float, float], ...]
"""Corners (x, y) of an outline, in metres."""


def circumscribed_radius_m(footprint: Footprint) -> float:
    """Return the radius of the circle about the origin that holds all corners, in metres."""
    return max(math.hypot(x, y) for x, y in footprint)


def _extent_m(values: Sequence[float]) -> float:
    return max(values) - min(values)


class MapSwitch(StrEnum):
    """What a robot has to be told when a lift has brought it to another level, before it drives on there."""

    NONE = "none"
    INIT_POSITION = "init_position"
    ENABLE_MAP_AND_INIT_POSITION = "enable_map_and_init_position"


@dataclass(frozen=True, slots=True)
class RobotModel:
    """What every robot of one model is and can do.

    Lengths in metres, speeds in m/s and rad/s, accelerations in m/s² and rad/s², times in seconds. ``drawers`` are the
    drawer names. ``radius_m`` is the radius of the circle around the footprint, about the point it turns on.
    ``footprint`` are the corners (x, y) of its outline in the robot's frame (x ahead, y to the left, the origin where
    it turns), hollows filled in; empty stands for the whole circle. ``deviation_m`` is how far it may be from the lane
    or place it is meant to be on, the uncertainty of its pose included. ``state_interval_s`` is the longest a
    healthy robot stays silent; after ``lost_after_s`` without a state it is shown as lost. An order that is not
    acknowledged within ``order_answer_s`` is escalated. Drain and charge are battery ratio per metre or second.
    ``map_switch`` is what it is told on another level, ``map_version`` the version of the map it is told to enable.
    """

    id: ModelId
    graph: GraphId
    radius_m: float
    speed_max_m_s: float
    acceleration_m_s2: float
    turn_speed_max_rad_s: float
    turn_acceleration_rad_s2: float
    drawers: tuple[str, ...]
    state_interval_s: float = 5.0
    lost_after_s: float = 15.0
    order_answer_s: float = 5.0
    resend_after_s: float = 1.0
    battery_reserve: float = 0.2
    battery_ready: float = 0.5
    drive_drain_per_m: float = 0.00005
    idle_drain_per_s: float = 0.000005
    charge_per_s: float = 0.0005
    handling_s: float = 2.0
    map_switch: MapSwitch = MapSwitch.NONE
    map_version: str = "1"
    footprint: Footprint = ()
    deviation_m: float = 0.05

    def __post_init__(self) -> None:
        if self.footprint:
            around_m = circumscribed_radius_m(self.footprint)
            assert abs(self.radius_m - around_m) < 1e-6, "the radius is that of the circle around the footprint"

    @property
    def length_m(self) -> float:
        """How far it extends along its own x, in metres."""
        return _extent_m([x for x, _ in self.footprint]) if self.footprint else 2.0 * self.radius_m

    @property
    def width_m(self) -> float:
        """How far it extends across its own x, in metres."""
        return _extent_m([y for _, y in self.footprint]) if self.footprint else 2.0 * self.radius_m

    def stopping_distance_m(self, speed_m_s: float) -> float:
        """Distance in metres to come to rest from ``speed_m_s`` (m/s) at the service deceleration; v²/(2a)."""
        return speed_m_s * speed_m_s / (2.0 * self.acceleration_m_s2)


@dataclass(frozen=True, slots=True)
class Robot:
    """A robot of the fleet: its identity on the link and the resting place that is its own.

    ``home`` is an endpoint reserved for this robot alone, so there is always a place it can go to.
    """

    id: RobotId
    model: ModelId
    manufacturer: str
    serial_number: str
    interface_name: str
    protocol_version: str
    home: StationId
    commissioning: Commissioning = Commissioning.SIMULATED


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a robot is: metres and radians in the site frame, on one level."""

    level: LevelId
    x_m: float
    y_m: float
    theta_rad: float = 0.0


class OperatingMode(StrEnum):
    """Who drives. Only AUTOMATIC and SEMIAUTOMATIC robots take orders."""

    AUTOMATIC = "automatic"
    SEMIAUTOMATIC = "semiautomatic"
    MANUAL = "manual"
    SERVICE = "service"
    TEACH_IN = "teach_in"

    @property
    def takes_orders(self) -> bool:
        """Whether a robot in this mode acts on orders."""
        return self in (OperatingMode.AUTOMATIC, OperatingMode.SEMIAUTOMATIC)


class ActionStatus(StrEnum):
    """How far an action has come."""

    WAITING = "waiting"
    INITIALIZING = "initializing"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self in (ActionStatus.FINISHED, ActionStatus.FAILED)


@dataclass(frozen=True, slots=True)
class RobotFault:
    """One error a robot reports: type, whether it stops the robot, and its own words."""

    kind: str
    is_fatal: bool
    description: str = ""


class DrawerState(StrEnum):
    """Whether a drawer is locked: latched and closed, by its own switches; ``unknown`` when they do not say."""

    LOCKED = "locked"
    OPEN = "open"
    UNKNOWN = "unknown"


class DrawerContent(StrEnum):
    """Whether something lies in a drawer, by its sensor; ``unknown`` without one."""

    OCCUPIED = "occupied"
    EMPTY = "empty"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DrawerReport:
    """How a robot says that one of its drawers stands."""

    drawer: str
    state: DrawerState
    content: DrawerContent
    is_tampered: bool = False


@dataclass(frozen=True, slots=True)
class RobotReport:
    """What a robot said of itself, once, in protocol-neutral words.

    ``sequences_ahead`` are the sequence ids of nodes it still has to traverse. ``loads`` is None when the robot
    does not know what it carries, and empty when it knows that it carries nothing. ``battery`` is 0 to 1. ``sent_at``
    and ``message_number`` are the robot's own, from the message that said it: what tells a newer message from a replay.
    ``unsaid`` are the parts that its message should have had and had not, or unreadable; of them the worst is assumed.
    ``clock_off_s`` is by how much its clock is ahead of ours, where a person let it count so; None where nobody had to.
    ``drawers`` are how its drawers stand and ``nonce`` is what a grant for one of them has to name; a robot that checks
    no grants says neither.
    """

    robot: RobotId
    received_at: datetime
    order_id: OrderId | None
    order_update_id: int
    last_waypoint: WaypointId | None
    last_sequence: int
    sequences_ahead: tuple[int, ...]
    is_driving: bool
    is_paused: bool
    pose: Pose | None
    battery: float
    is_charging: bool
    mode: OperatingMode
    is_emergency_stopped: bool
    has_field_violation: bool
    faults: tuple[RobotFault, ...] = ()
    loads: tuple[LoadId, ...] | None = None
    actions: Mapping[ActionId, ActionStatus] = field(default_factory=dict[ActionId, ActionStatus])
    sent_at: datetime | None = None
    message_number: int = 0
    unsaid: frozenset[str] = frozenset()
    drawers: tuple[DrawerReport, ...] = ()
    nonce: str | None = None
    clock_off_s: float | None = None

    @property
    def is_idle(self) -> bool:
        """Nothing left to traverse and every action over (VDA 5050 3.0 §6.6.8; 2.1 implies it)."""
        return not self.sequences_ahead and all(status.is_over for status in self.actions.values())

    @property
    def needs_person(self) -> bool:
        """Whether it goes on only once somebody has seen to it: taken over, stopped by hand, or at fault."""
        return not self.mode.takes_orders or self.is_emergency_stopped or any(fault.is_fatal for fault in self.faults)

    @property
    def may_be_ordered(self) -> bool:
        """Whether the robot acts on orders now: right mode, no emergency stop, no fatal fault."""
        return not self.needs_person and not self.has_field_violation
