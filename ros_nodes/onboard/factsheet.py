"""The factsheet of a robot of ours, from its model."""

from __future__ import annotations

import math
from datetime import datetime

from orchestrator.domain.fleet.model import RobotModel
from orchestrator.vda5050.address import RobotAddress
from orchestrator.vda5050.messages import (
    ActionScope,
    ActionType,
    AgvAction,
    AgvGeometry,
    BlockingType,
    Envelope2d,
    Factsheet,
    LoadSet,
    LoadSpecification,
    ParameterKey,
    PhysicalParameters,
    PolygonPoint,
    ProtocolFeatures,
    ProtocolLimits,
    Timing,
    TypeSpecification,
)
from orchestrator.vda5050.messages import FactsheetActionParameter as Parameter

LOAD_TYPE = "tote"

_HEIGHT_M = 1.2
_LOAD_MASS_KG = 10.0
_CIRCLE_CORNERS = 16


def factsheet_of(
    model: RobotModel, *, address: RobotAddress, header_id: int, now: datetime, checks_grants: bool = False
) -> Factsheet:
    """Return what a robot of ``model`` says about its kind; ``checks_grants`` once its drawers open on grants alone."""
    return Factsheet(
        header_id=header_id,
        timestamp=now,
        version=address.version,
        manufacturer=address.manufacturer,
        serial_number=address.serial_number,
        type_specification=TypeSpecification(
            series_name=model.id,
            agv_kinematic="DIFF",
            agv_class="CARRIER",
            max_load_mass=_LOAD_MASS_KG,
            localization_types=("NATURAL",),
            navigation_types=("VIRTUAL_LINE_GUIDED",),
        ),
        physical_parameters=PhysicalParameters(
            speed_min=0.0,
            speed_max=model.speed_max_m_s,
            acceleration_max=model.acceleration_m_s2,
            deceleration_max=model.acceleration_m_s2,
            height_max=_HEIGHT_M,
            width=model.width_m,
            length=model.length_m,
        ),
        protocol_limits=ProtocolLimits(
            timing=Timing(
                min_order_interval=0.1, min_state_interval=0.05, default_state_interval=model.state_interval_s
            )
        ),
        protocol_features=ProtocolFeatures(
            agv_actions=(*_actions(), *_map_actions(), *((_OPEN_DRAWER,) if checks_grants else ()))
        ),
        agv_geometry=AgvGeometry(envelopes2d=(_outline(model),)),
        load_specification=LoadSpecification(
            load_positions=model.drawers,
            load_sets=(
                LoadSet(
                    set_name="drawers",
                    load_type=LOAD_TYPE,
                    load_positions=model.drawers,
                    pick_time=model.handling_s,
                    drop_time=model.handling_s,
                ),
            ),
        ),
    )


def _outline(model: RobotModel) -> Envelope2d:
    """Return the robot's footprint, or a polygon within its circle."""
    turn_rad = 2.0 * math.pi / _CIRCLE_CORNERS
    circle = [
        (model.radius_m * math.cos(k * turn_rad), model.radius_m * math.sin(k * turn_rad))
        for k in range(_CIRCLE_CORNERS)
    ]
    corners = model.footprint or circle
    return Envelope2d(set="body", polygon_points=tuple(PolygonPoint(x=round(x, 3), y=round(y, 3)) for x, y in corners))


def _actions() -> tuple[AgvAction, ...]:
    load = (
        Parameter(
            key=ParameterKey.LOAD_ID,
            value_data_type="STRING",
            description="what is picked or dropped",
            is_optional=False,
        ),
        Parameter(key=ParameterKey.DRAWER, value_data_type="STRING", description="which drawer", is_optional=True),
    )
    any_blocking = tuple(BlockingType)
    handling = tuple(
        AgvAction(
            action_type=kind,
            action_scopes=(ActionScope.NODE,),
            action_parameters=load,
            blocking_types=any_blocking,
        )
        for kind in (ActionType.PICK, ActionType.DROP)
    )
    charging = tuple(
        AgvAction(action_type=kind, action_scopes=(ActionScope.NODE, ActionScope.INSTANT), blocking_types=any_blocking)
        for kind in (ActionType.START_CHARGING, ActionType.STOP_CHARGING)
    )
    instant = tuple(
        AgvAction(action_type=kind, action_scopes=(ActionScope.INSTANT,), blocking_types=any_blocking)
        for kind in (
            ActionType.START_PAUSE,
            ActionType.STOP_PAUSE,
            ActionType.CANCEL_ORDER,
            ActionType.STATE_REQUEST,
            ActionType.FACTSHEET_REQUEST,
        )
    )
    return handling + charging + instant


_OPEN_DRAWER = AgvAction(
    action_type=ActionType.OPEN_DRAWER,
    action_description="Opens one drawer, once, on a grant that the orchestrator signed for what is shown as "
    "wardporterNonce in information. The drawer locks again when it is closed.",
    action_scopes=(ActionScope.INSTANT,),
    action_parameters=(
        Parameter(
            key=ParameterKey.GRANT,
            value_data_type="STRING",
            description="canonical text of the grant (wardporter-drawer-grant-1)",
            is_optional=False,
        ),
        Parameter(
            key=ParameterKey.SIGNATURE,
            value_data_type="STRING",
            description="Ed25519 signature over it, base64",
            is_optional=False,
        ),
    ),
    result_description="opened, or a reason code and a sentence",
    blocking_types=(BlockingType.NONE,),
)


def _map_actions() -> tuple[AgvAction, ...]:
    """What a robot is told where a lift has brought it to another level (VDA 5050 2.1 §6.8.1)."""
    place = (ParameterKey.X, ParameterKey.Y, ParameterKey.THETA)
    position = (
        *(Parameter(key=key, value_data_type="FLOAT", is_optional=False) for key in place),
        Parameter(key=ParameterKey.MAP_ID, value_data_type="STRING", is_optional=False),
        Parameter(key=ParameterKey.LAST_NODE_ID, value_data_type="STRING", is_optional=True),
    )
    versions = tuple(
        Parameter(key=key, value_data_type="STRING", is_optional=False)
        for key in (ParameterKey.MAP_ID, ParameterKey.MAP_VERSION)
    )
    return tuple(
        AgvAction(
            action_type=kind,
            action_scopes=(ActionScope.INSTANT,),
            action_parameters=parameters,
            blocking_types=tuple(BlockingType),
        )
        for kind, parameters in ((ActionType.INIT_POSITION, position), (ActionType.ENABLE_MAP, versions))
    )
