from __future__ import annotations

from typing import Any

import pytest

from orchestrator.vda5050.messages import ErrorReport
from orchestrator.vda5050.rejections import description_of_action, mark_of_error, refuses_action, refuses_order
from tests.support.robot_link import a_state, an_error

# What an error refers to, and whether it refuses update 3 of order o, sent with header ids 7 and 8.
UPDATE = [
    ({"orderId": "o", "orderUpdateId": 3}, True),
    ({"orderId": "o", "orderUpdateId": 3, "nodeId": "w1"}, True),
    ({"orderId": "o", "headerId": 8}, True),
    ({"headerId": 7}, True),
    ({"headerId": 7, "topic": "order"}, True),
    ({"orderId": "o"}, False),
    ({"orderId": "o", "orderUpdateId": 2}, False),
    ({"orderId": "p", "orderUpdateId": 3}, False),
    ({"orderId": "p", "headerId": 7}, False),
    ({"headerId": 9}, False),
    ({"actionId": "a", "headerId": 7}, False),
    ({"nodeId": "w1"}, False),
    ({}, False),
]


@pytest.mark.parametrize(("references", "is_refused"), UPDATE)
def test_an_error_refuses_an_order_by_what_it_refers_to(references: dict[str, Any], is_refused: bool) -> None:
    error = an_error(**references)
    assert refuses_order(error, order_id="o", update_id=3, header_ids=(7, 8), known=()) is is_refused


def test_the_type_of_an_error_does_not_matter() -> None:
    for kind in ("orderError", "noRouteError", "validationError", "orderUpdateError", "homemade"):
        assert refuses_order(an_error(kind, orderId="o"), order_id="o", update_id=0, header_ids=(), known=())


def test_the_order_id_alone_is_enough_for_the_first_message_of_an_order() -> None:
    assert refuses_order(an_error(orderId="o"), order_id="o", update_id=0, header_ids=(), known=())


def test_an_error_known_before_the_message_went_out_does_not_refuse_it_by_header_id() -> None:
    error = an_error(headerId=7)
    known = {mark_of_error(error)}
    assert not refuses_order(error, order_id="o", update_id=0, header_ids=(7,), known=known)
    assert not refuses_action(error, action_id="a", header_ids=(7,), known=known)


@pytest.mark.parametrize(
    ("references", "is_refused"),
    [
        ({"actionId": "a"}, True),
        ({"actionId": "b", "headerId": 7}, False),
        ({"headerId": 7}, True),
        ({"orderId": "o", "headerId": 7}, False),
        ({}, False),
    ],
)
def test_an_error_refuses_an_action_by_what_it_refers_to(references: dict[str, Any], is_refused: bool) -> None:
    assert refuses_action(an_error(**references), action_id="a", header_ids=(7,), known=()) is is_refused


def test_an_error_without_references_refuses_nothing() -> None:
    error = ErrorReport.model_validate({"errorType": "orderError", "errorLevel": "WARNING"})
    assert not refuses_order(error, order_id="o", update_id=0, header_ids=(0,), known=())


def test_a_failed_action_is_described_in_the_robots_words() -> None:
    state = a_state(errors=[an_error("pickError", description="drawer jammed", actionId="a"), an_error(actionId="b")])
    assert description_of_action(state, "a") == "drawer jammed"
    assert description_of_action(state, "c") == ""
