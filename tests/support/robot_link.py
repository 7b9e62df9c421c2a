"""A robot's link as tests write it down: factories whose written values matter, and a link on a hand-moved clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.domain.fleet.model import ActionId, LoadId, ModelId, OrderId, Pose, Robot, RobotId, RobotModel
from orchestrator.domain.fleet.order import ActionKind, DriveOrder, OrderStep, RobotAction
from orchestrator.domain.site.model import GraphId, LaneId, LevelId, StationId, WaypointId
from orchestrator.vda5050.codec import encode
from orchestrator.vda5050.dialect import Dialect
from orchestrator.vda5050.events import LinkEvent
from orchestrator.vda5050.master import Due, RobotLink
from orchestrator.vda5050.messages import (
    ActionState,
    ActionStatus,
    BatteryState,
    Connection,
    ConnectionState,
    ErrorLevel,
    ErrorReference,
    ErrorReport,
    EStop,
    NodeState,
    OperatingMode,
    SafetyState,
    State,
)

ASKED_NOTHING = Dialect(may_be_asked=False)
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def a_robot(*, version: str = "2.1.0", serial_number: str = "R1") -> Robot:
    return Robot(
        id=RobotId(serial_number.lower()),
        model=ModelId("porter"),
        manufacturer="ward",
        serial_number=serial_number,
        interface_name="uagv",
        protocol_version=version,
        home=StationId("park-1"),
    )


def a_model(**changes: Any) -> RobotModel:
    values: dict[str, Any] = {
        "id": ModelId("porter"),
        "graph": GraphId("0"),
        "radius_m": 0.3,
        "speed_max_m_s": 1.0,
        "acceleration_m_s2": 0.5,
        "turn_speed_max_rad_s": 1.0,
        "turn_acceleration_rad_s2": 1.0,
        "drawers": ("a", "b"),
        "resend_after_s": 1.0,
        "order_answer_s": 5.0,
        "lost_after_s": 15.0,
        "state_interval_s": 5.0,
    }
    return RobotModel(**(values | changes))


def a_step(index: int, *, actions: Sequence[RobotAction] = (), place: str | None = None) -> OrderStep:
    return OrderStep(
        waypoint=WaypointId(place or f"w{index}"),
        pose=Pose(level=LevelId("L1"), x_m=float(index), y_m=0.5),
        lane=LaneId(f"lane-{index}") if index else None,
        speed_limit_m_s=0.8 if index else None,
        actions=tuple(actions),
    )


def an_order(
    order_id: str = "order-1", *, steps: int = 4, released: int = 2, actions_at_end: Sequence[RobotAction] = ()
) -> DriveOrder:
    made = [a_step(index) for index in range(steps - 1)]
    return DriveOrder(
        id=OrderId(order_id),
        robot=RobotId("r1"),
        steps=(*made, a_step(steps - 1, actions=actions_at_end)),
        released=released,
    )


def an_action(kind: ActionKind = ActionKind.CANCEL_ORDER, action_id: str = "action-1") -> RobotAction:
    is_handling = kind in (ActionKind.PICK, ActionKind.DROP)
    return RobotAction(
        id=ActionId(action_id),
        kind=kind,
        load=LoadId("tote-1") if is_handling else None,
        drawer="a" if is_handling else None,
    )


def an_error(kind: str = "orderError", *, description: str = "cannot", **references: str | int) -> ErrorReport:
    return ErrorReport(
        error_type=kind,
        error_level=ErrorLevel.WARNING,
        error_description=description,
        error_references=tuple(
            ErrorReference(reference_key=key, reference_value=str(value)) for key, value in references.items()
        ),
    )


def a_state(
    header_id: int = 0,
    *,
    at_s: float = 0.0,
    order: str = "",
    update: int = 0,
    last: str = "",
    last_sequence: int = 0,
    ahead: Sequence[int] = (),
    actions: dict[str, ActionStatus] | None = None,
    errors: Sequence[ErrorReport] = (),
    version: str = "2.1.0",
    **changes: Any,
) -> State:
    values: dict[str, Any] = {
        "header_id": header_id,
        "timestamp": START + timedelta(seconds=at_s),
        "version": version,
        "manufacturer": "ward",
        "serial_number": "R1",
        "order_id": order,
        "order_update_id": update,
        "last_node_id": last,
        "last_node_sequence_id": last_sequence,
        "driving": False,
        "operating_mode": OperatingMode.AUTOMATIC,
        "node_states": tuple(
            NodeState(node_id=f"w{sequence // 2}", sequence_id=sequence, released=True) for sequence in ahead
        ),
        "edge_states": (),
        "action_states": tuple(
            ActionState(action_id=key, action_status=status) for key, status in (actions or {}).items()
        ),
        "battery_state": BatteryState(battery_charge=80.0, charging=False),
        "errors": tuple(errors),
        "safety_state": SafetyState(e_stop=EStop.NONE, field_violation=False),
    }
    return State(**(values | changes))


class LinkOnClock:
    """A link, a clock that only the test moves, and the robot's header ids; by default it asks nothing by itself."""

    def __init__(self, *, version: str = "2.1.0", dialect: Dialect = ASKED_NOTHING, **limits: Any) -> None:
        self.robot = a_robot(version=version)
        self.at_s = 0.0
        self.header_id = -1
        self.link = RobotLink(self.robot, a_model(**limits), at_s=0.0, dialect=dialect)

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.at_s)

    def pass_time(self, seconds: float) -> Due:
        self.at_s += seconds
        return self.due()

    def due(self) -> Due:
        return self.link.due(at_s=self.at_s, now=self.now)

    def receive(self, payload: bytes, kind: str = "state", **how: Any) -> list[LinkEvent]:
        return self.link.receive(kind, payload, at_s=self.at_s, now=self.now, **how)

    def state_bytes(self, **state: Any) -> bytes:
        """The robot's next state, stamped now; not yet received."""
        self.header_id += 1
        version = self.robot.protocol_version
        return encode(a_state(self.header_id, at_s=self.at_s, version=version, **state), version=version)

    def hear(self, **state: Any) -> list[LinkEvent]:
        """Receive the robot's next state and return the events, `Reported` left out."""
        return [event for event in self.receive(self.state_bytes(**state)) if type(event).__name__ != "Reported"]

    def connection_bytes(self, state: ConnectionState) -> bytes:
        version = self.robot.protocol_version
        message = Connection(
            header_id=0,
            timestamp=START,
            version=version,
            manufacturer="ward",
            serial_number="R1",
            connection_state=state,
        )
        return encode(message, version=version)
