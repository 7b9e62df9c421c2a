"""Whatever a client sends, the answer is one that the OpenAPI document describes, and never a 500."""

from __future__ import annotations

import copy
from itertools import combinations
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.http.app import build_app
from simulation.memory_store import MemoryStore
from tests.support.deliveries import CountingIds, bring_to, queue
from tests.support.desk import StoreDoor, a_desk

STATES = (
    DeliveryState.VERIFIED,
    DeliveryState.LOADING,
    DeliveryState.SEALED,
    DeliveryState.ARRIVED,
)


def _store_with_deliveries(ids: CountingIds) -> MemoryStore:
    store = MemoryStore()
    for number, state in enumerate(STATES):
        with store.transaction() as uow:
            delivery = queue(uow, ids=ids)
        bring_to(store, delivery.id, state, seal_number=f"S-{number}")
    return store


def _schema() -> Any:
    ids = CountingIds()
    desk = a_desk(StoreDoor(_store_with_deliveries(ids)), ids=ids)
    app = build_app(desk, host_names=("localhost", "testserver"))
    document = copy.deepcopy(app.openapi())
    # Development believes a header instead of the token that the document asks for; see tests/integration/access.
    for operation in (operation for path in document["paths"].values() for operation in path.values()):
        operation.pop("security", None)
    found = schemathesis.openapi.from_dict(document)
    found.app = app
    # The stream has no end; test_events.py reads it.
    return found.exclude(path="/api/v1/events")


schema = _schema()


@schema.hook
def map_path_parameters(_context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Make most ids those of deliveries that are there, in every state."""
    if path_parameters and "delivery" in path_parameters:
        number = len(str(path_parameters["delivery"])) % (len(STATES) + 1)
        if number:
            return {**path_parameters, "delivery": f"delivery-{number:04d}"}
    return path_parameters


def test_no_address_is_another_one_with_a_parameter_filled_in() -> None:
    # Else what answers, and which methods it allows, would follow from the order of routes.
    paths = [path.split("/") for path in schema.raw_schema["paths"]]
    assert ["", "api", "v1", "retention", "purges"] in paths
    same = [
        ("/".join(one), "/".join(other))
        for one, other in combinations(paths, 2)
        if len(one) == len(other)
        and all(a == b or a.startswith("{") or b.startswith("{") for a, b in zip(one, other, strict=True))
    ]
    assert same == []


@schema.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
def test_answer_is_one_that_the_document_describes(case: Any) -> None:
    # A station's name, a moment gone by or a seal nobody could read are beyond what a schema can say.
    answer = case.call_and_validate(headers={"Wardporter-Principal": "p"}, excluded_checks=[positive_data_acceptance])
    if case.meta.generation.mode is GenerationMode.POSITIVE and answer.status_code >= 400:
        assert answer.json()["code"] not in {"request_invalid", "body_unreadable", "idempotency_key_invalid"}
