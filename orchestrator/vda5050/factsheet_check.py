"""Does a robot's factsheet agree with what we were told of it? Every disagreement is a finding.

Compared are the model (size, speed), the dialect (actions, their scopes, parameters and blocking types, optional
fields) and the protocol's limits. What a factsheet leaves out contradicts nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.domain.fleet.model import MapSwitch, RobotModel
from orchestrator.domain.fleet.order import ActionKind
from orchestrator.vda5050.dialect import ActionRule, Dialect, Headings, Where
from orchestrator.vda5050.factsheets import ActionScope, AgvAction, Factsheet, Support

SIZE_TOLERANCE_M = 0.01
SPEED_TOLERANCE_M_S = 0.01
NODES_IN_A_MESSAGE = 40
"""An order in a building of ordinary size has fewer nodes than this."""

ID_LENGTH = 48
"""Our ids are this long or shorter, but for names that people gave."""

_ASKED_IN_ORDERS = (ActionKind.PICK, ActionKind.DROP, ActionKind.START_CHARGING, ActionKind.STOP_CHARGING)
# Every robot has these by the standard, and many factsheets leave them out.
_TAKEN_FOR_GRANTED = frozenset(
    {ActionKind.CANCEL_ORDER, ActionKind.REPORT_STATE, ActionKind.REPORT_FACTSHEET, ActionKind.PAUSE, ActionKind.RESUME}
)

# A robot that announces no action of ours for drawers is given none of that work; that is no disagreement.
_NEVER_REQUIRED = frozenset({ActionKind.OPEN_DRAWER})


@dataclass(frozen=True, slots=True)
class FactsheetFinding:
    """One disagreement; a serious one makes it unsafe or impossible to give the robot work."""

    code: str
    sentence: str
    is_serious: bool = False


def check_factsheet(
    factsheet: Factsheet, *, model: RobotModel, dialect: Dialect, version: str
) -> tuple[FactsheetFinding, ...]:
    """Return how ``factsheet`` disagrees with ``model``, ``dialect`` and the configured ``version``, serious first."""
    findings = [
        *_version(factsheet, version),
        *_size(factsheet, model),
        *_speed(factsheet, model),
        *_actions(factsheet, dialect, _never_asked(model)),
        *_limits(factsheet),
        *_demands(factsheet, dialect),
    ]
    return tuple(sorted(findings, key=lambda finding: not finding.is_serious))


def _version(factsheet: Factsheet, version: str) -> Iterator[FactsheetFinding]:
    said = factsheet.version.strip().removeprefix("v")
    if said and not version.startswith(said) and said != version:
        sentence = f"It says that it speaks VDA 5050 {said[:20]}; the fleet file says {version}."
        yield FactsheetFinding("factsheet_version", sentence)


def _size(factsheet: Factsheet, model: RobotModel) -> Iterator[FactsheetFinding]:
    physical = factsheet.physical_parameters
    outlines = [envelope for envelope in factsheet.agv_geometry.envelopes2d or () if envelope.polygon_points]
    reaches = {
        f"envelope {outline.set[:60]}": max(math.hypot(point.x, point.y) for point in outline.polygon_points)
        for outline in outlines
    }
    # Length and width are of the box around it, whose corners a round robot does not reach.
    reaches = reaches or {"length and width": math.hypot(physical.length, physical.width) / 2.0}
    worst = max(reaches, key=lambda name: reaches[name])
    if reaches[worst] > model.radius_m + SIZE_TOLERANCE_M:
        sentence = (
            f"Its {worst} reach {reaches[worst]:.2f} m from its centre; model {model.id} keeps only "
            f"{model.radius_m:.2f} m free. Raise radius_m of the model."
        )
        yield FactsheetFinding("factsheet_size", sentence, is_serious=True)


def _speed(factsheet: Factsheet, model: RobotModel) -> Iterator[FactsheetFinding]:
    physical = factsheet.physical_parameters
    if physical.speed_max < model.speed_max_m_s - SPEED_TOLERANCE_M_S:
        sentence = (
            f"It drives at most {physical.speed_max:g} m/s; model {model.id} counts on {model.speed_max_m_s:g} m/s."
        )
        yield FactsheetFinding("factsheet_speed", sentence)
    if 0.0 < physical.deceleration_max < model.acceleration_m_s2 - SPEED_TOLERANCE_M_S:
        sentence = (
            f"It brakes with {physical.deceleration_max:g} m/s²; model {model.id} counts on "
            f"{model.acceleration_m_s2:g} m/s². It stops later than it is given room for."
        )
        yield FactsheetFinding("factsheet_braking", sentence, is_serious=True)


def _never_asked(model: RobotModel) -> frozenset[ActionKind]:
    """Return the acts that robots of this model are not told to do, or only once they have announced them."""
    match model.map_switch:
        case MapSwitch.NONE:
            return _NEVER_REQUIRED | {ActionKind.ENABLE_MAP, ActionKind.INIT_POSITION}
        case MapSwitch.INIT_POSITION:
            return _NEVER_REQUIRED | {ActionKind.ENABLE_MAP}
        case MapSwitch.ENABLE_MAP_AND_INIT_POSITION:
            return _NEVER_REQUIRED


def _actions(factsheet: Factsheet, dialect: Dialect, never_asked: frozenset[ActionKind]) -> Iterator[FactsheetFinding]:
    offered = {action.action_type: action for action in factsheet.protocol_features.agv_actions}
    if not offered:
        return
    for kind in ActionKind:
        rule = dialect.rule(kind)
        if rule is None or kind in never_asked:
            continue
        action = offered.get(rule.action_type)
        if action is not None:
            yield from _action(kind, rule, action)
        elif kind not in _TAKEN_FOR_GRANTED:
            sentence = (
                f"It announces no action {rule.action_type!r}, which it would be asked for as {kind.value}; it has "
                f"{', '.join(sorted(offered))[:300]}. Name its own word, or none, under actions."
            )
            yield FactsheetFinding("factsheet_action_missing", sentence, is_serious=kind in _ASKED_IN_ORDERS[:2])


def _action(kind: ActionKind, rule: ActionRule, action: AgvAction) -> Iterator[FactsheetFinding]:
    name = rule.action_type
    scope = ActionScope.INSTANT if rule.where is Where.INSTANT else ActionScope.NODE
    if action.action_scopes and scope not in action.action_scopes:
        allowed = ", ".join(sorted(action.action_scopes))
        sentence = f"It takes {name!r} only as {allowed}; as {kind.value} it would be asked for as {scope.value}."
        yield FactsheetFinding("factsheet_action_scope", sentence)
    if action.blocking_types and rule.blocking not in action.blocking_types:
        allowed = ", ".join(sorted(action.blocking_types))
        sentence = f"It takes {name!r} only with blocking type {allowed}; it would be sent {rule.blocking.value}."
        yield FactsheetFinding("factsheet_action_blocking", sentence)
    sent = {key for key, _ in rule.parameters}
    demanded = {parameter.key for parameter in action.action_parameters or () if not parameter.is_optional}
    missing = sorted(demanded - sent)
    if missing:
        sentence = f"Its action {name!r} needs {', '.join(missing)[:200]}, which {kind.value} does not send."
        yield FactsheetFinding("factsheet_action_parameters", sentence)


def _limits(factsheet: Factsheet) -> Iterator[FactsheetFinding]:
    lengths = factsheet.protocol_limits.max_array_lens
    for key in ("order.nodes", "order.edges"):
        limit = lengths.get(key, 0)
        if 0 < limit < NODES_IN_A_MESSAGE:
            sentence = f"It takes at most {limit} {key} in one order; a long way may have more, and is then refused."
            yield FactsheetFinding("factsheet_limit", sentence)
    strings = factsheet.protocol_limits.max_string_lens
    if strings.id_len is not None and 0 < strings.id_len < ID_LENGTH:
        sentence = f"It takes ids of at most {strings.id_len} characters; ours have up to {ID_LENGTH}."
        yield FactsheetFinding("factsheet_limit", sentence)
    if strings.id_numerical_only:
        yield FactsheetFinding("factsheet_limit", "It takes only ids made of digits; ours are words.", is_serious=True)


def _demands(factsheet: Factsheet, dialect: Dialect) -> Iterator[FactsheetFinding]:
    for optional in factsheet.protocol_features.optional_parameters:
        if optional.support is Support.REQUIRED and not _is_sent(optional.parameter, dialect):
            sentence = f"It demands the optional field {optional.parameter[:100]}, which is not sent to it."
            yield FactsheetFinding("factsheet_demand", sentence)


def _is_sent(parameter: str, dialect: Dialect) -> bool:
    if parameter.endswith("nodePosition.theta"):
        return dialect.headings is Headings.ALL
    if parameter.lower().endswith("alloweddeviationxy"):
        return dialect.deviation_m is not None
    if parameter.endswith("allowedDeviationTheta"):
        return dialect.headings is Headings.ALL and dialect.heading_deviation_rad is not None
    return parameter.endswith(("nodePosition", "order.edges", "maxSpeed", "mapId", "actionParameters"))
