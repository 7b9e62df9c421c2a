"""A robot whose wheels are a `PathFollower` in the same process: what virtual robots are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from orchestrator.domain.fleet.model import RobotModel
from orchestrator.vda5050.address import RobotAddress
from ros_nodes.onboard.drawer_lock import DrawerLock
from ros_nodes.onboard.equipment import PowerSource
from ros_nodes.onboard.memory import RobotMemory
from ros_nodes.onboard.motion_profile import MotionLimits
from ros_nodes.onboard.path_following import PathFollower
from ros_nodes.onboard.robot import OnboardRobot


def limits_of_model(model: RobotModel) -> MotionLimits:
    """Return how fast robots of ``model`` may drive and turn."""
    return MotionLimits(
        speed_max_m_s=model.speed_max_m_s,
        acceleration_m_s2=model.acceleration_m_s2,
        turn_speed_max_rad_s=model.turn_speed_max_rad_s,
        turn_acceleration_rad_s2=model.turn_acceleration_rad_s2,
    )


def in_process_robot(
    *,
    address: RobotAddress,
    model: RobotModel,
    memory: RobotMemory,
    utc: Callable[[float], datetime],
    time_s: float = 0.0,
    driving_interval_s: float | None = None,
    battery: PowerSource | None = None,
    lock: DrawerLock | None = None,
    relocation_s: float = 0.0,
) -> OnboardRobot:
    """Return a robot that drives by itself in closed form; advance it to its ``next_event_s`` or to any later time.

    Parameters
    ----------
    address, model, memory, utc, time_s, driving_interval_s, battery, lock
        As for `OnboardRobot`; the wheels stand at the remembered pose.
    relocation_s
        As for `PathFollower`.
    """
    driver = PathFollower(limits_of_model(model), memory.pose, time_s=time_s, relocation_s=relocation_s)
    return OnboardRobot(
        address=address,
        model=model,
        driver=driver,
        memory=memory,
        utc=utc,
        time_s=time_s,
        driving_interval_s=driving_interval_s,
        battery=battery,
        lock=lock,
    )
