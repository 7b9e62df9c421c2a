from __future__ import annotations

import importlib
import json
import pkgutil
from collections import Counter
from collections.abc import Iterator

import pytest

from orchestrator.application.errors import UnavailableError
from orchestrator.application.identity import PrincipalMissingError
from orchestrator.domain.delivery.errors import SealMismatchError, UnknownDeliveryError, UnknownStationError
from orchestrator.domain.errors import WardporterError
from orchestrator.http.problems import STATUS_OF_ERROR, response_of_error, status_of

BEFORE_SERVING = {
    "ConfigFileError",
    "BrokerError",
    "BadLedgerError",
    "HeadError",
    "InconsistentHeadError",
    "ServiceRefusedError",
}
"""Families raised while the program starts, at the terminal or by the keeper of heads; no request can meet them."""


def subclasses(base: type[WardporterError]) -> Iterator[type[WardporterError]]:
    for one in base.__subclasses__():
        yield one
        yield from subclasses(one)


ROOMS = ("domain", "application", "vda5050", "adapters", "http", "web")


def every_error() -> list[type[WardporterError]]:
    for room in ROOMS:
        package = importlib.import_module(f"orchestrator.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(("migrations.env", "__main__")):
                importlib.import_module(module.name)
    found = {one for one in subclasses(WardporterError) if one.__module__.startswith("orchestrator.")}
    return sorted(found, key=lambda one: (one.__module__, one.__name__))


def test_every_error_has_a_row() -> None:
    without = [
        one.__qualname__
        for one in every_error()
        if status_of(one) == 500 and not BEFORE_SERVING & {base.__name__ for base in one.__mro__}
    ]
    assert without == []


def test_codes_are_unique() -> None:
    counted = Counter(one.code for one in every_error())
    assert [code for code, count in counted.items() if count > 1] == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnknownDeliveryError("x"), 404),
        (UnknownStationError("x"), 422),
        (SealMismatchError("x"), 409),
        (PrincipalMissingError("x"), 401),
        (UnavailableError("x"), 503),
        (WardporterError("x"), 500),
    ],
)
def test_status_is_that_of_the_nearest_base(error: WardporterError, status: int) -> None:
    assert status_of(type(error)) == status


def test_problem_carries_code_message_and_context() -> None:
    error = UnknownStationError("No such station.", detail={"field": "to_station", "near": ["a"]})
    response = response_of_error(error)
    assert response.media_type == "application/problem+json"
    assert json.loads(bytes(response.body)) == {
        "type": "urn:wardporter:error:station_unknown",
        "title": "The request does not fit",
        "status": 422,
        "detail": "No such station.",
        "code": "station_unknown",
        "errors": [{"field": "to_station", "expected": "No such station."}],
        "context": {"near": ["a"]},
    }


def test_table_names_no_class_twice_by_inheritance_of_one_status() -> None:
    for error, status in STATUS_OF_ERROR.items():
        inherited = [STATUS_OF_ERROR[base] for base in error.__mro__[1:] if base in STATUS_OF_ERROR]
        assert status not in inherited
