"""Messages to bytes and back: strict outbound, lenient inbound.

Outbound, a message holds only what the version of its header knows, spelt as that version spells it. Inbound,
anything usable is read and every departure from the schema is listed, because robots in the field depart from it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Generic, TypeVar, cast

from pydantic import ValidationError

from orchestrator.vda5050.guard import PAYLOAD_BYTES_MAX, MalformedMessageError, parse_object
from orchestrator.vda5050.messages import (
    ActionParameter,
    BatteryState,
    Connection,
    Edge,
    ErrorReport,
    Factsheet,
    InstantActions,
    MessageError,
    NodePosition,
    OldInstantActions,
    Order,
    State,
    Visualization,
    WireModel,
)
from orchestrator.vda5050.repair import SchemaFault, usable

__all__ = [
    "SUPPORTED_VERSIONS",
    "Decoded",
    "MalformedMessageError",
    "SchemaFault",
    "UnsupportedVersionError",
    "decode_connection",
    "decode_factsheet",
    "decode_instant_actions",
    "decode_order",
    "decode_state",
    "decode_visualization",
    "encode",
]

M = TypeVar("M", bound=WireModel)
V_2_0_0 = "2.0.0"
V_2_1_0 = "2.1.0"
SUPPORTED_VERSIONS = (V_2_0_0, V_2_1_0)

_SINCE_2_1: frozenset[tuple[type[WireModel], str]] = frozenset(
    {
        (Edge, "corridor"),
        (Edge, "orientation_type"),
        (ErrorReport, "error_hint"),
        (State, "maps"),
        (Factsheet, "vehicle_config"),
    }
)
_SPELT_IN_2_0: dict[tuple[type[WireModel], str], str] = {(NodePosition, "allowed_deviation_xy"): "allowedDeviationXy"}
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_SCALARS = frozenset({str, int, float, bool})
_WHOLE_IN_2_0 = frozenset({(BatteryState, "battery_health"), (BatteryState, "reach")})


class UnsupportedVersionError(MessageError):
    """A message cannot be written in the version asked for."""

    code = "vda5050_version"


@dataclass(frozen=True, slots=True)
class Decoded(Generic[M]):
    """A message as read, and how its payload departed from the schema."""

    message: M
    faults: tuple[SchemaFault, ...] = ()


def encode(message: WireModel, *, version: str) -> bytes:
    """Return ``message`` as the bytes to publish.

    Parameters
    ----------
    message : WireModel
        A whole message. Its header names ``version``.
    version : str
        2.0.0 or 2.1.0. What only 2.1.0 knows is left out for 2.0.0 where leaving it out is safe.

    Raises
    ------
    UnsupportedVersionError
        The version is not one of ours or not the header's, or an action parameter is an object, which 2.0.0 does
        not know.
    MessageError
        The message is longer than 256 KiB.
    """
    if version not in SUPPORTED_VERSIONS:
        raise UnsupportedVersionError(
            f"VDA 5050 {version} is not spoken: expected one of {', '.join(SUPPORTED_VERSIONS)}. "
            "Set the robot's protocol_version to one it understands.",
            detail={"version": version},
        )
    named = getattr(message, "version", None)
    if named not in (None, version):
        raise UnsupportedVersionError(
            f"A message whose header names {named} was to be written as {version}. Build its header for the robot's "
            "own version.",
            detail={"header": named, "version": version},
        )
    tree = _plain_object(message, version)
    if version == V_2_0_0 and isinstance(message, InstantActions | OldInstantActions):
        _name_actions_twice(tree)
    payload = _ENCODER.encode(tree).encode()
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise MessageError(
            f"A message of {len(payload)} bytes was not sent: at most {PAYLOAD_BYTES_MAX} are. "
            "Release fewer steps at once.",
            detail={"bytes": len(payload)},
        )
    return payload


def decode_state(payload: bytes) -> Decoded[State]:
    """Read a state; see `_decode` for what is refused."""
    return _decode(State, payload)


def decode_connection(payload: bytes) -> Decoded[Connection]:
    """Read a connection message."""
    return _decode(Connection, payload)


def decode_order(payload: bytes) -> Decoded[Order]:
    """Read an order, as a robot does."""
    return _decode(Order, payload)


def decode_instant_actions(payload: bytes) -> Decoded[InstantActions]:
    """Read instant actions, as a robot does."""
    return _decode(InstantActions, payload)


def decode_factsheet(payload: bytes) -> Decoded[Factsheet]:
    """Read a factsheet."""
    return _decode(Factsheet, payload)


def decode_visualization(payload: bytes) -> Decoded[Visualization]:
    """Read a visualization message."""
    return _decode(Visualization, payload)


def _decode(model: type[M], payload: bytes) -> Decoded[M]:
    """Return the message in ``payload``.

    Raises
    ------
    MalformedMessageError
        The payload is not bounded, unambiguous JSON, or lacks what may not be guessed.
    """
    tree = parse_object(payload)
    try:
        return Decoded(model.model_validate_json(payload, strict=True, by_alias=True, by_name=False))
    except ValidationError as error:
        message, faults = usable(model, tree, error)
        return Decoded(message, faults)


@cache
def _fields(model: type[WireModel], version: str) -> tuple[tuple[str, str, bool], ...]:
    """Return (attribute, name on the wire, whole number wanted) of each field ``version`` knows."""
    is_old = version == V_2_0_0
    known: list[tuple[str, str, bool]] = []
    for name, info in model.model_fields.items():
        key = (model, name)
        if is_old and key in _SINCE_2_1:
            continue
        spelt = info.serialization_alias or name
        known.append((name, _SPELT_IN_2_0.get(key, spelt) if is_old else spelt, is_old and key in _WHOLE_IN_2_0))
    return tuple(known)


def _plain(value: object, version: str) -> object:
    """Return ``value`` as JSON types, fields without a value left out."""
    if type(value) in _SCALARS:
        return value
    if isinstance(value, WireModel):
        return _plain_object(value, version)
    if isinstance(value, tuple | list):
        return [_plain(item, version) for item in cast("tuple[object, ...]", value)]
    if isinstance(value, datetime):
        return _written(value)
    return value.value if isinstance(value, StrEnum) else value


def _plain_object(value: WireModel, version: str) -> dict[str, object]:
    if version == V_2_0_0 and isinstance(value, ActionParameter) and isinstance(value.value, dict):
        raise UnsupportedVersionError(
            f"Action parameter {value.key!r} is an object, which VDA 5050 2.0.0 does not know: send its parts as "
            "parameters of their own.",
            detail={"key": value.key},
        )
    # Read from the instance's own dictionary: a virtual day encodes millions of fields.
    held: Mapping[str, object] = value.__dict__
    made: dict[str, object] = {}
    for name, spelt, is_whole in _fields(type(value), version):
        item = held[name]
        if item is None:
            continue
        if type(item) in _SCALARS:
            made[spelt] = round(item) if is_whole and isinstance(item, float) else item
        elif item or not isinstance(item, tuple):
            made[spelt] = _plain(item, version)
        else:
            made[spelt] = []
    if value.model_extra:
        for name, item in value.model_extra.items():
            made.setdefault(name, item)
    return made


def _name_actions_twice(tree: dict[str, object]) -> None:
    """Name the type of each instant action as the text of 2.0.0 has it and as its schema does.

    A robot that validates by the published schema refuses one without ``actionName``, a cancel and a pause too; one
    that reads by the text looks for ``actionType``. No schema forbids the other name.
    """
    for key in ("actions", "instantActions"):
        for action in cast("list[dict[str, object]]", tree.get(key, [])):
            action["actionName"] = action["actionType"]


def _written(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    precision = "milliseconds" if utc.microsecond % 1000 == 0 else "microseconds"
    return utc.replace(tzinfo=None).isoformat(timespec=precision) + "Z"
