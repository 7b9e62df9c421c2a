"""Factsheets for tests; what is not written agrees with the model of `tests.support.robot_link`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.vda5050.codec import decode_factsheet
from orchestrator.vda5050.messages import Factsheet


def a_factsheet_tree(
    *,
    version: str = "2.1.0",
    manufacturer: str = "ward",
    serial_number: str = "R1",
    physical: Mapping[str, float] | None = None,
    envelope: Sequence[tuple[float, float]] | None = None,
    actions: Sequence[Mapping[str, Any]] = (),
    optional: Sequence[Mapping[str, Any]] = (),
    array_lens: Mapping[str, int] | None = None,
    string_lens: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a factsheet message as it travels."""
    sizes = {"length": 0.4, "width": 0.4, "heightMax": 1.2, "speedMin": 0.05, "speedMax": 1.2}
    moves = {"accelerationMax": 0.8, "decelerationMax": 0.8}
    corners = [{"x": x, "y": y} for x, y in envelope or ()]
    return {
        "headerId": 0,
        "timestamp": "2026-01-05T08:00:00.00Z",
        "version": version,
        "manufacturer": manufacturer,
        "serialNumber": serial_number,
        "typeSpecification": {"seriesName": "s", "agvKinematic": "DIFF", "agvClass": "CARRIER", "maxLoadMass": 20.0},
        "physicalParameters": {**sizes, **moves, **(physical or {})},
        "protocolLimits": {
            "maxStringLens": dict(string_lens or {}),
            "maxArrayLens": dict(array_lens or {}),
            "timing": {"minOrderInterval": 0.1, "minStateInterval": 0.1},
        },
        "protocolFeatures": {"optionalParameters": list(optional), "agvActions": list(actions)},
        "agvGeometry": {"envelopes2d": [{"set": "all", "polygonPoints": corners}]} if corners else {},
        "loadSpecification": {},
    }


def a_factsheet(**changes: Any) -> Factsheet:
    """Return a factsheet as it is read; see `a_factsheet_tree`."""
    return decode_factsheet(json.dumps(a_factsheet_tree(**changes)).encode()).message
