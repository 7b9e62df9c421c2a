"""The acceptance rules of VDA 5050 2.1, one line per rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.vda5050.messages import ControlPoint, Order, Trajectory
from ros_nodes.onboard.order_acceptance import Acceptance, Rejection, Situation, judge_order
from ros_nodes.onboard.path_geometry import Pose
from tests.support.onboard_robots import an_action, an_order

FRESH = Situation(
    order_id="",
    order_update_id=0,
    is_busy=False,
    is_cancelling=False,
    takes_orders=True,
    pose=Pose("L1", 0.0, 0.0),
    last_node="",
    last_sequence=0,
    decision_node="",
    decision_sequence=0,
)
DRIVING = replace(
    FRESH,
    order_id="order-1",
    order_update_id=2,
    is_busy=True,
    last_node="A",
    last_sequence=0,
    decision_node="B",
    decision_sequence=2,
)
DONE = replace(DRIVING, is_busy=False, last_node="B", last_sequence=2, pose=Pose("L1", 5.0, 0.0))

A, B, C = ("A", 0.0, 0.0), ("B", 5.0, 0.0), ("C", 5.0, 5.0)
GOOD = an_order([A, B, C])


def changed(order: Order, **values: object) -> Order:
    return order.model_copy(update=values)


def node(order: Order, index: int, **values: object) -> Order:
    nodes = list(order.nodes)
    nodes[index] = nodes[index].model_copy(update=values)
    return changed(order, nodes=tuple(nodes))


def edge(order: Order, index: int, **values: object) -> Order:
    edges = list(order.edges)
    edges[index] = edges[index].model_copy(update=values)
    return changed(order, edges=tuple(edges))


def far(order: Order) -> Order:
    position = order.nodes[0].node_position
    assert position is not None
    return node(order, 0, node_position=position.model_copy(update={"x": 3.0}))


CURVE = Trajectory(degree=1, knot_vector=(0.0, 1.0), control_points=(ControlPoint(x=0.0, y=0.0),))
TWICE = an_action("pick", action_id="twice", loadId="L1")


@pytest.mark.parametrize(
    ("order", "situation", "acceptance", "error_type"),
    [
        pytest.param(GOOD, FRESH, Acceptance.NEW, None, id="new order for an idle robot"),
        pytest.param(an_order([A]), FRESH, Acceptance.NEW, None, id="one node is an order"),
        pytest.param(an_order([A, B, C], released=1), FRESH, Acceptance.NEW, None, id="only the start released"),
        pytest.param(changed(GOOD, nodes=()), FRESH, None, Rejection.VALIDATION, id="no nodes"),
        pytest.param(changed(GOOD, edges=GOOD.edges[:1]), FRESH, None, Rejection.VALIDATION, id="edge missing"),
        pytest.param(node(GOOD, 0, released=False), FRESH, None, Rejection.VALIDATION, id="start not released"),
        pytest.param(node(GOOD, 1, sequence_id=4), FRESH, None, Rejection.VALIDATION, id="sequence jumps"),
        pytest.param(edge(GOOD, 0, sequence_id=7), FRESH, None, Rejection.VALIDATION, id="edge out of sequence"),
        pytest.param(edge(GOOD, 0, end_node_id="C"), FRESH, None, Rejection.VALIDATION, id="edge leads elsewhere"),
        pytest.param(edge(GOOD, 0, released=False), FRESH, None, Rejection.VALIDATION, id="edge of base unreleased"),
        pytest.param(
            edge(node(GOOD, 1, released=False), 0, released=False),
            FRESH,
            None,
            Rejection.VALIDATION,
            id="released behind unreleased",
        ),
        pytest.param(
            an_order([A, B], actions={"A": [TWICE], "B": [TWICE]}),
            FRESH,
            None,
            Rejection.VALIDATION,
            id="action id used twice",
        ),
        pytest.param(
            an_order([A], actions={"A": [an_action("dance")]}), FRESH, None, Rejection.ORDER, id="unknown action"
        ),
        pytest.param(
            edge(GOOD, 0, actions=(an_action("pick", loadId="L1"),)), FRESH, None, Rejection.ORDER, id="action on edge"
        ),
        pytest.param(edge(GOOD, 0, trajectory=CURVE), FRESH, None, Rejection.ORDER, id="trajectory"),
        pytest.param(node(GOOD, 1, node_position=None), FRESH, None, Rejection.NO_ROUTE, id="node without position"),
        pytest.param(GOOD, replace(FRESH, takes_orders=False), None, Rejection.ORDER, id="manual mode"),
        pytest.param(far(GOOD), FRESH, None, Rejection.NO_ROUTE, id="start out of reach"),
        pytest.param(
            GOOD, replace(FRESH, pose=Pose("L2", 0.0, 0.0)), None, Rejection.NO_ROUTE, id="start on another level"
        ),
        pytest.param(
            changed(GOOD, order_update_id=3), FRESH, None, Rejection.ORDER_UPDATE, id="update of an unknown order"
        ),
        pytest.param(an_order([A], order_id="other"), DRIVING, None, Rejection.ORDER, id="other order active"),
        pytest.param(
            an_order([B], order_id="old"),
            replace(DONE, closed_orders=("old",)),
            None,
            Rejection.ORDER,
            id="order carried out before",
        ),
        pytest.param(
            an_order([A, B], update_id=2), DRIVING, Acceptance.DISCARDED, None, id="update in force sent again"
        ),
        pytest.param(an_order([A, B], update_id=1), DRIVING, None, Rejection.ORDER_UPDATE, id="older update"),
        pytest.param(
            an_order([B, C], update_id=3, first_sequence=2), DRIVING, Acceptance.UPDATE, None, id="stitched at the base"
        ),
        pytest.param(
            an_order([B, C], update_id=3, first_sequence=4), DRIVING, None, Rejection.ORDER_UPDATE, id="wrong sequence"
        ),
        pytest.param(
            an_order([A, B, C], update_id=3), DRIVING, None, Rejection.ORDER_UPDATE, id="stitched before the base ends"
        ),
        pytest.param(
            an_order([B, C], update_id=7, first_sequence=2), DRIVING, Acceptance.UPDATE, None, id="updates skipped"
        ),
        pytest.param(
            an_order([B, C], update_id=3, first_sequence=2),
            replace(DRIVING, is_cancelling=True),
            None,
            Rejection.ORDER_UPDATE,
            id="update while cancelling",
        ),
        pytest.param(
            an_order([B, C], update_id=3, first_sequence=2), DONE, Acceptance.UPDATE, None, id="done order goes on"
        ),
        pytest.param(
            an_order([B, C], update_id=3, first_sequence=2, actions={"C": [TWICE]}),
            replace(DRIVING, known_actions=("twice",)),
            None,
            Rejection.VALIDATION,
            id="action of the base named again",
        ),
    ],
)
def test_order_is_judged_by_the_rules(
    order: Order, situation: Situation, acceptance: Acceptance | None, error_type: Rejection | None
) -> None:
    verdict = judge_order(order, situation)
    assert verdict.acceptance is (acceptance or Acceptance.REJECTED)
    if error_type is not None:
        assert verdict.error_type is error_type


def test_rejection_names_what_it_is_about_and_what_to_do() -> None:
    verdict = judge_order(an_order([A], order_id="other", header_id=17), DRIVING)
    assert verdict.references is not None
    assert dict(verdict.references) == {"orderId": "other", "orderUpdateId": "0", "headerId": "17"}
    assert "order-1" in verdict.description
    assert verdict.hint


def test_wider_deviation_of_the_first_node_is_honoured() -> None:
    order = far(GOOD)
    position = order.nodes[0].node_position
    assert position is not None
    wide = node(order, 0, node_position=position.model_copy(update={"allowed_deviation_xy": 3.5}))
    assert judge_order(wide, FRESH).acceptance is Acceptance.NEW


def test_first_node_without_position_is_reached_when_the_robot_was_there_last() -> None:
    order = node(GOOD, 0, node_position=None)
    assert judge_order(order, FRESH).error_type is Rejection.NO_ROUTE
    assert judge_order(order, replace(FRESH, last_node="A")).acceptance is Acceptance.NEW
