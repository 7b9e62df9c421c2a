"""The state message of a robot, put together from its parts."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.vda5050.drawer_journal import Journal, information_of_journal
from orchestrator.vda5050.drawers import informations_of_drawers
from orchestrator.vda5050.header import Header
from orchestrator.vda5050.messages import (
    AgvPosition,
    BatteryState,
    EStop,
    Information,
    OperatingMode,
    SafetyState,
    State,
    Velocity,
)
from ros_nodes.onboard.complaints import Complaints
from ros_nodes.onboard.drawer_lock import DrawerLock
from ros_nodes.onboard.driving import Driver
from ros_nodes.onboard.equipment import Drawers, PowerSource
from ros_nodes.onboard.maps import Maps
from ros_nodes.onboard.order_desk import OrderDesk


@dataclass(slots=True)
class Condition:
    """What people make of the robot, apart from its order."""

    mode: OperatingMode = OperatingMode.AUTOMATIC
    emergency_stop: EStop = EStop.NONE
    is_paused: bool = False

    @property
    def takes_orders(self) -> bool:
        """Whether mode and emergency stop let the robot act on orders."""
        is_automatic = self.mode in (OperatingMode.AUTOMATIC, OperatingMode.SEMIAUTOMATIC)
        return is_automatic and self.emergency_stop is EStop.NONE


def state_of(
    header: Header,
    *,
    desk: OrderDesk,
    driver: Driver,
    drawers: Drawers,
    battery: PowerSource,
    complaints: Complaints,
    condition: Condition,
    maps: Maps,
    lock: DrawerLock | None = None,
    journal: Journal | None = None,
    is_localised: bool = True,
) -> State:
    """Return all the robot says of itself under ``header``; it is not localised while it takes up another position."""
    pose, progress = driver.pose, desk.progress
    return State(
        **header,
        maps=maps.reported(),
        order_id=progress.order_id,
        order_update_id=progress.order_update_id,
        last_node_id=progress.last_node,
        last_node_sequence_id=progress.last_sequence,
        driving=not driver.is_stopped,
        paused=condition.is_paused,
        new_base_request=progress.wants_base,
        distance_since_last_node=desk.metres_since_last_node,
        operating_mode=condition.mode,
        node_states=progress.node_states(),
        edge_states=progress.edge_states(),
        agv_position=AgvPosition(
            x=pose.x_m, y=pose.y_m, theta=pose.theta_rad, map_id=pose.level, position_initialized=is_localised
        ),
        velocity=Velocity(vx=driver.speed_m_s, vy=0.0, omega=driver.turn_speed_rad_s),
        loads=drawers.reported(),
        action_states=desk.book.reported(),
        battery_state=BatteryState(battery_charge=100.0 * battery.charge, charging=battery.is_charging),
        errors=complaints.reported(),
        information=None if lock is None else _informations(lock, journal),
        safety_state=SafetyState(e_stop=condition.emergency_stop, field_violation=False),
    )


def _informations(lock: DrawerLock, journal: Journal | None) -> tuple[Information, ...]:
    told = informations_of_drawers(lock.reports(), lock.nonce)
    return told if journal is None else (*told, information_of_journal(journal))
