from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.domain.fleet.model import ActionId, OrderId
from orchestrator.domain.fleet.order import ActionKind
from orchestrator.domain.site.model import WaypointId
from orchestrator.vda5050.codec import decode_instant_actions, decode_order, encode
from orchestrator.vda5050.events import (
    ActionFailed,
    ActionFinished,
    ActionUnanswered,
    Announced,
    FactsheetReceived,
    MessageRefused,
    NodePassed,
    OrderAcknowledged,
    OrderForgotten,
    OrderRejected,
    OrderUnanswered,
    Reported,
    RobotLost,
    RobotReturned,
)
from orchestrator.vda5050.master import RobotLink
from orchestrator.vda5050.messages import ActionStatus, ConnectionState, EStop, SafetyState
from orchestrator.vda5050.order_dialogue import OrderConflictError
from tests.support.robot_link import LinkOnClock, a_model, a_robot, a_state, an_action, an_error, an_order

RUNNING, FINISHED, FAILED = ActionStatus.RUNNING, ActionStatus.FINISHED, ActionStatus.FAILED
ORDER = an_order("order-1", steps=4, released=2)
CANCEL = an_action(ActionKind.CANCEL_ORDER, "cancel-1")


def body(payload: bytes) -> dict[str, Any]:
    """An order message without what is new in every sending."""
    return {key: value for key, value in json.loads(payload).items() if key not in ("headerId", "timestamp")}


def driving(order: Any = ORDER) -> LinkOnClock:
    """A link whose robot has the order and stands on its first node."""
    bench = LinkOnClock()
    bench.link.want_order(order, at_s=0)
    bench.due()
    bench.hear(order=order.id, update=order.update_id, last="w0", ahead=(2, 4, 6))
    return bench


# -- orders ----------------------------------------------------------------------------------------------------------


def test_a_wanted_order_is_sent_once_at_once() -> None:
    bench = LinkOnClock()
    bench.link.want_order(ORDER, at_s=0)
    (message,) = bench.due().publishes
    assert (message.topic, message.qos, message.retain) == ("uagv/v2/ward/R1/order", 0, False)
    assert decode_order(message.payload).message.order_id == "order-1"
    assert bench.due().publishes == []


def test_the_identical_order_is_sent_again_under_a_new_header_until_acknowledged() -> None:
    bench = LinkOnClock()
    bench.link.want_order(ORDER, at_s=0)
    sent = [bench.due().publishes[0].payload]
    assert bench.pass_time(0.9).publishes == []
    sent.append(bench.pass_time(0.1).publishes[0].payload)
    sent.append(bench.pass_time(1.0).publishes[0].payload)
    assert body(sent[0]) == body(sent[1]) == body(sent[2])
    assert [json.loads(payload)["headerId"] for payload in sent] == [0, 1, 2]
    assert OrderAcknowledged(ORDER.id, 0) in bench.hear(order="order-1", last="w0", ahead=(2, 4, 6))
    assert bench.pass_time(10).publishes == []


def test_an_order_is_acknowledged_only_by_its_own_update_id() -> None:
    bench = driving()
    bench.link.want_order(ORDER.extended(released=3), at_s=0)
    assert bench.hear(order="order-1", update=0, last="w0", ahead=(2, 4, 6)) == []
    assert bench.hear(order="order-1", update=1, last="w0", ahead=(2, 4, 6)) == [OrderAcknowledged(ORDER.id, 1)]


def test_an_order_withdrawn_is_never_sent_again() -> None:
    bench = LinkOnClock()
    bench.link.want_order(ORDER, at_s=0)
    bench.due()
    bench.link.withdraw(ORDER.id)
    assert bench.pass_time(100).publishes == []
    assert bench.link.outstanding_order is None


def test_withdrawing_another_order_changes_nothing() -> None:
    bench = LinkOnClock()
    bench.link.want_order(ORDER, at_s=0)
    bench.link.withdraw(OrderId("order-2"))
    assert len(bench.due().publishes) == 1


def test_a_second_order_is_refused_while_one_is_unanswered() -> None:
    bench = LinkOnClock()
    bench.link.want_order(ORDER, at_s=0)
    bench.link.want_order(ORDER, at_s=0)
    with pytest.raises(OrderConflictError, match="still unanswered"):
        bench.link.want_order(an_order("order-2"), at_s=0)
    with pytest.raises(OrderConflictError, match="still unanswered"):
        bench.link.want_order(ORDER.extended(released=3), at_s=0)


def test_an_update_id_is_never_used_for_two_contents() -> None:
    bench = driving()
    bench.link.want_order(ORDER.extended(released=3), at_s=0)
    bench.link.withdraw(ORDER.id)
    with pytest.raises(OrderConflictError, match="have to grow"):
        bench.link.want_order(ORDER.extended(released=4), at_s=0)
    bench.link.want_order(ORDER.extended(released=3), at_s=0)
    assert len(bench.due().publishes) == 1


def test_an_unanswered_order_is_told_once_and_sent_on() -> None:
    bench = LinkOnClock(order_answer_s=5.0)
    bench.link.want_order(ORDER, at_s=0)
    bench.due()
    assert bench.pass_time(4.9).events == []
    late = bench.pass_time(0.1)
    assert late.events == [OrderUnanswered(ORDER.id, 0, 5.0)]
    after = bench.pass_time(5)
    assert after.events == []
    assert len(after.publishes) == 1


def test_a_rejected_order_is_told_in_the_robots_words_and_not_sent_again() -> None:
    bench = LinkOnClock()
    bench.link.want_order(ORDER, at_s=0)
    bench.due()
    error = an_error("noRouteError", description="start too far", orderId="order-1", orderUpdateId=0)
    assert bench.hear(errors=[error]) == [OrderRejected(ORDER.id, 0, "noRouteError", "start too far")]
    assert bench.pass_time(10).publishes == []
    assert bench.hear(errors=[error]) == []


def test_a_rejection_that_lingers_does_not_hit_the_next_order() -> None:
    bench = LinkOnClock()
    bench.link.want_order(ORDER, at_s=0)
    bench.due()
    lingering = [an_error(orderId="order-1", orderUpdateId=0), an_error(headerId=1), an_error()]
    bench.hear(errors=lingering)
    bench.link.want_order(an_order("order-2"), at_s=0)
    bench.due()
    assert bench.hear(errors=lingering) == []
    assert bench.link.outstanding_order is not None


def test_a_rejection_by_header_id_counts_for_the_message_that_carried_it() -> None:
    bench = LinkOnClock()
    bench.hear()
    bench.link.want_order(ORDER, at_s=0)
    bench.due()
    assert bench.hear(errors=[an_error(headerId=5)]) == []
    assert bench.hear(errors=[an_error("validationError", headerId=0)]) == [
        OrderRejected(ORDER.id, 0, "validationError", "cannot")
    ]


def test_an_error_about_an_order_the_robot_has_is_no_rejection() -> None:
    bench = driving()
    error = an_error(orderId="order-1", orderUpdateId=0)
    assert bench.hear(order="order-1", last="w0", ahead=(2, 4, 6), errors=[error]) == []


def test_nodes_are_told_once_each_in_order_several_at_a_time() -> None:
    bench = driving(an_order("order-1", steps=4, released=4))
    events = bench.hear(order="order-1", last="w2", last_sequence=4, ahead=(6,))
    assert events == [NodePassed(ORDER.id, 2, WaypointId("w1")), NodePassed(ORDER.id, 4, WaypointId("w2"))]
    assert bench.hear(order="order-1", last="w2", last_sequence=4, ahead=(6,)) == []
    assert bench.hear(order="order-1", last="w1", last_sequence=2, ahead=(4, 6)) == []


@pytest.mark.parametrize("is_seen_before", [True, False])
def test_a_cancel_passes_no_node_that_only_looks_like_the_last_of_the_order_before(is_seen_before: bool) -> None:
    bench = driving(an_order("order-1", steps=2, released=2))
    bench.hear(order="order-1", last="w1", last_sequence=2)
    bench.link.want_order(an_order("order-2", steps=2, released=2), at_s=0)
    if is_seen_before:
        bench.hear(order="order-2", last="w1", last_sequence=2, ahead=(0, 2))
    bench.link.want_action(CANCEL, at_s=0)
    events = bench.hear(order="order-2", last="w1", last_sequence=2, actions={"cancel-1": FINISHED})
    assert ActionFinished(ActionId("cancel-1")) in events
    assert not any(isinstance(event, NodePassed) for event in events)


def test_an_order_that_begins_where_the_last_one_ended_is_followed() -> None:
    bench = driving(an_order("order-1", steps=1, released=1))
    bench.link.want_order(an_order("order-2", steps=2, released=2), at_s=0)
    assert bench.hear(order="order-2", last="w0", ahead=(0, 2)) == [OrderAcknowledged(OrderId("order-2"), 0)]
    assert bench.hear(order="order-2", last="w0", ahead=(2,)) == [NodePassed(OrderId("order-2"), 0, WaypointId("w0"))]
    assert bench.hear(order="order-2", last="w1", last_sequence=2) == [
        NodePassed(OrderId("order-2"), 2, WaypointId("w1"))
    ]


def test_an_order_the_robot_has_cleared_but_still_names_is_forgotten() -> None:
    bench = driving(an_order("order-1", steps=3, released=3))
    assert bench.hear(order="order-1", last="w0") == [OrderForgotten(ORDER.id)]


def test_nodes_of_the_extended_base_are_told_after_the_update() -> None:
    bench = driving()
    update = ORDER.extended(released=3)
    bench.hear(order="order-1", last="w1", last_sequence=2, ahead=(4, 6))
    bench.link.want_order(update, at_s=0)
    assert bench.hear(order="order-1", update=1, last="w2", last_sequence=4, ahead=(6,)) == [
        OrderAcknowledged(ORDER.id, 1),
        NodePassed(ORDER.id, 4, WaypointId("w2")),
    ]


def test_actions_of_the_order_are_told_once_when_over() -> None:
    pick, drop = an_action(ActionKind.PICK, "pick-1"), an_action(ActionKind.DROP, "drop-1")
    bench = driving(an_order("order-1", steps=2, released=2, actions_at_end=[pick, drop]))
    at_end = {"order": "order-1", "last": "w1", "last_sequence": 2}
    assert bench.hear(**at_end, actions={"pick-1": RUNNING}) == [NodePassed(ORDER.id, 2, WaypointId("w1"))]
    failure = an_error("dropError", description="drawer empty", actionId="drop-1")
    assert bench.hear(**at_end, actions={"pick-1": FINISHED, "drop-1": FAILED}, errors=[failure]) == [
        ActionFinished(ActionId("pick-1")),
        ActionFailed(ActionId("drop-1"), "drawer empty"),
    ]
    assert bench.hear(**at_end, actions={"pick-1": FINISHED, "drop-1": FAILED}) == []


@pytest.mark.parametrize("other", [{"order": ""}, {"order": "foreign-order"}])
def test_an_acknowledged_order_that_the_robot_no_longer_reports_is_forgotten_once(other: dict[str, str]) -> None:
    bench = driving()
    assert bench.hear(**other) == [OrderForgotten(ORDER.id)]
    assert bench.hear(**other) == []


def test_an_update_the_robot_fell_behind_is_an_order_forgotten() -> None:
    bench = driving()
    bench.link.want_order(ORDER.extended(released=3), at_s=0)
    bench.hear(order="order-1", update=1, last="w0", ahead=(2, 4, 6))
    assert bench.hear(order="order-1", update=0, last="w0", ahead=(2, 4, 6)) == [OrderForgotten(ORDER.id)]


def test_an_update_of_a_forgotten_order_is_not_sent_again() -> None:
    bench = driving()
    bench.link.want_order(ORDER.extended(released=3), at_s=0)
    bench.due()
    bench.hear(order="")
    assert bench.pass_time(10).publishes == []


def test_an_order_carried_out_cannot_be_forgotten() -> None:
    bench = driving(an_order("order-1", steps=2, released=2))
    bench.hear(order="order-1", last="w1", last_sequence=2)
    assert bench.link.acknowledged_order is None
    assert bench.hear(order="", last="w1") == []


def test_the_next_order_replaces_the_one_carried_out() -> None:
    bench = driving(an_order("order-1", steps=2, released=2))
    bench.hear(order="order-1", last="w1", last_sequence=2)
    bench.link.want_order(an_order("order-2"), at_s=0)
    assert bench.hear(order="order-2", last="w1", last_sequence=2, ahead=(0, 2, 4, 6)) == [
        OrderAcknowledged(OrderId("order-2"), 0)
    ]


# -- instant actions -------------------------------------------------------------------------------------------------


def test_a_cancel_is_done_when_finished_not_when_listed() -> None:
    bench = driving()
    bench.link.want_action(CANCEL, at_s=0)
    (message,) = bench.due().publishes
    assert decode_instant_actions(message.payload).message.actions[0].action_type == "cancelOrder"
    assert bench.hear(order="order-1", last="w0", ahead=(2,), actions={"cancel-1": RUNNING}) == []
    assert bench.pass_time(10).publishes == []
    assert bench.hear(order="order-1", last="w0", actions={"cancel-1": FINISHED}) == [
        ActionFinished(ActionId("cancel-1"))
    ]
    assert bench.link.acknowledged_order is None


@pytest.mark.parametrize(
    "answer",
    [
        {"errors": [an_error("noOrderToCancel", actionId="cancel-1")]},
        {"errors": [an_error("NO_ORDER_TO_CANCEL", actionId="cancel-1")], "actions": {"cancel-1": FAILED}},
        {"actions": {"cancel-1": FAILED}},
    ],
    ids=["error only", "error of 3.0 and status", "status of an idle robot"],
)
def test_a_cancel_is_done_when_there_is_nothing_to_cancel(answer: dict[str, Any]) -> None:
    bench = LinkOnClock()
    bench.link.want_action(CANCEL, at_s=0)
    bench.due()
    assert bench.hear(**answer) == [ActionFinished(ActionId("cancel-1"))]


def test_a_cancel_that_failed_on_a_driving_robot_has_failed() -> None:
    bench = driving()
    bench.link.want_action(CANCEL, at_s=0)
    bench.due()
    assert bench.hear(order="order-1", last="w0", ahead=(2,), actions={"cancel-1": FAILED}) == [
        ActionFailed(ActionId("cancel-1"), "")
    ]


def test_someone_elses_no_order_to_cancel_does_not_end_our_cancel() -> None:
    bench = driving()
    bench.link.want_action(CANCEL, at_s=0)
    bench.due()
    elsewhere = an_error("noOrderToCancel", actionId="cancel-of-another")
    assert bench.hear(order="order-1", last="w0", ahead=(2, 4, 6), errors=[elsewhere]) == []


def test_a_cancel_dropped_from_the_list_is_done_once_the_robot_has_nothing_left() -> None:
    bench = driving()
    bench.link.want_action(CANCEL, at_s=0)
    bench.due()
    bench.hear(order="order-1", last="w0", ahead=(2,), actions={"cancel-1": RUNNING})
    assert bench.hear(order="order-1", last="w0") == [ActionFinished(ActionId("cancel-1"))]


def test_an_action_refused_only_among_the_errors_has_failed() -> None:
    bench = LinkOnClock()
    bench.link.want_action(an_action(ActionKind.START_CHARGING, "charge-1"), at_s=0)
    bench.due()
    error = an_error("actionError", description="no charger here", actionId="charge-1")
    assert bench.hear(errors=[error]) == [ActionFailed(ActionId("charge-1"), "no charger here")]
    assert bench.pass_time(10).publishes == []


def test_an_order_that_a_person_cleared_on_the_robot_is_forgotten_though_it_is_still_named() -> None:
    bench = driving()
    assert bench.hear(last="w0", ahead=()) == [OrderForgotten(ORDER.id)]
    assert bench.pass_time(10).publishes == []


def test_an_action_over_stays_over_when_the_robot_drops_it() -> None:
    bench = LinkOnClock()
    bench.link.want_action(an_action(ActionKind.PAUSE, "pause-1"), at_s=0)
    bench.due()
    assert bench.hear(actions={"pause-1": FINISHED}) == [ActionFinished(ActionId("pause-1"))]
    assert bench.hear() == []
    assert bench.pass_time(10).publishes == []


def test_an_action_nobody_answers_is_told_once_and_sent_on() -> None:
    bench = LinkOnClock(order_answer_s=5.0)
    bench.link.want_action(CANCEL, at_s=0)
    assert bench.pass_time(5).events == [ActionUnanswered(ActionId("cancel-1"), 5.0)]
    after = bench.pass_time(1)
    assert after.events == []
    assert len(after.publishes) == 1


def test_what_nobody_answers_is_sent_less_and_less_often_once_it_was_told_and_at_once_when_the_robot_is_back() -> None:
    bench = LinkOnClock(order_answer_s=5.0, resend_after_s=1.0, lost_after_s=1000.0)
    bench.link.want_action(CANCEL, at_s=0)
    sent_s = [second for second in range(200) if bench.pass_time(1 if second else 0).publishes]
    assert sent_s == [0, 1, 2, 3, 4, 5, 6, 8, 12, 20, 36, 66, 96, 126, 156, 186]

    bench.pass_time(1000.0)
    assert RobotReturned() in bench.hear(order="order-1", last="w0", ahead=(2,))
    assert len(bench.due().publishes) == 1
    assert len(bench.pass_time(2.0).publishes) == 1


def test_a_cancel_that_failed_does_not_let_out_the_update_that_was_wanted_before_it() -> None:
    bench = driving()
    bench.link.want_order(ORDER.extended(released=3), at_s=0)
    bench.link.want_action(CANCEL, at_s=0)
    bench.due()
    bench.hear(order="order-1", last="w0", ahead=(2,), actions={"cancel-1": FAILED})
    assert bench.pass_time(10).publishes == []
    assert NodePassed(ORDER.id, 2, WaypointId("w1")) in bench.hear(order="order-1", last="w1", last_sequence=2)


def test_a_question_nobody_answers_is_not_asked_for_ever() -> None:
    bench = LinkOnClock(order_answer_s=5.0)
    bench.link.want_action(an_action(ActionKind.REPORT_FACTSHEET, "ask-1"), at_s=0)
    assert bench.pass_time(5).events == [ActionUnanswered(ActionId("ask-1"), 5.0)]
    assert bench.pass_time(100).publishes == []


def test_an_action_begun_and_never_over_is_told_later() -> None:
    bench = LinkOnClock(lost_after_s=1000.0)
    bench.link.want_action(an_action(ActionKind.START_CHARGING, "charge-1"), at_s=0)
    bench.due()
    bench.hear(actions={"charge-1": RUNNING})
    assert bench.pass_time(59).events == []
    assert bench.pass_time(1).events == [ActionUnanswered(ActionId("charge-1"), 60.0)]


def test_no_order_goes_out_while_a_cancel_is_wanted() -> None:
    bench = driving()
    bench.link.want_action(CANCEL, at_s=0)
    bench.link.want_order(an_order("order-2"), at_s=1.0)
    assert [message.topic.rsplit("/", 1)[1] for message in bench.pass_time(1).publishes] == ["instantActions"]
    bench.hear(order="order-1", last="w0", actions={"cancel-1": FINISHED})
    assert [message.topic.rsplit("/", 1)[1] for message in bench.due().publishes] == ["order"]


def test_a_cancel_also_ends_the_update_that_was_wanted_before_it() -> None:
    bench = driving()
    bench.link.want_order(ORDER.extended(released=3), at_s=0)
    bench.link.want_action(CANCEL, at_s=0)
    bench.hear(order="order-1", last="w0", actions={"cancel-1": FINISHED})
    assert bench.pass_time(10).publishes == []


def test_forgetting_all_wants_silences_the_link() -> None:
    bench = LinkOnClock()
    bench.link.want_order(ORDER, at_s=0)
    bench.link.want_action(CANCEL, at_s=0)
    bench.link.forget_wants()
    assert bench.pass_time(1).publishes == []


# -- health ----------------------------------------------------------------------------------------------------------


def test_a_robot_is_lost_by_the_age_of_its_state_once_and_returns_with_the_next() -> None:
    bench = LinkOnClock(lost_after_s=15.0)
    bench.hear()
    assert bench.pass_time(14.9).events == []
    assert bench.pass_time(0.1).events == [RobotLost(15.0)]
    assert bench.pass_time(100).events == []
    assert bench.link.is_lost
    assert bench.hear() == [RobotReturned()]
    assert not bench.link.is_lost


def test_a_robot_that_never_reports_is_lost() -> None:
    assert LinkOnClock(lost_after_s=15.0).pass_time(15).events == [RobotLost(15.0)]


def test_a_lost_robot_keeps_its_order_and_goes_on_with_it() -> None:
    bench = driving()
    bench.pass_time(100)
    assert bench.link.acknowledged_order == ORDER
    events = bench.hear(order="order-1", last="w1", last_sequence=2, ahead=(4, 6))
    assert events == [RobotReturned(), NodePassed(ORDER.id, 2, WaypointId("w1"))]


@pytest.mark.parametrize("state", [ConnectionState.OFFLINE, ConnectionState.CONNECTIONBROKEN])
def test_an_announcement_alone_does_not_make_a_robot_lost(state: ConnectionState) -> None:
    bench = LinkOnClock()
    bench.hear()
    assert bench.receive(bench.connection_bytes(state), "connection") == [Announced(state)]
    assert bench.receive(bench.connection_bytes(state), "connection") == []
    assert not bench.link.is_lost


def test_an_announcement_does_not_bring_a_lost_robot_back() -> None:
    bench = LinkOnClock()
    bench.pass_time(100)
    bench.receive(bench.connection_bytes(ConnectionState.ONLINE), "connection", is_retained=True)
    assert bench.link.is_lost


def test_what_does_not_count_does_not_keep_a_robot_alive() -> None:
    bench = LinkOnClock(lost_after_s=15.0)
    payload = bench.state_bytes()
    bench.receive(payload)
    bench.pass_time(10)
    bench.receive(payload)
    bench.receive(b"{}")
    (lost,) = bench.pass_time(5).events
    assert isinstance(lost, RobotLost)
    assert "manufacturer is missing" in lost.refused


# -- what changes nothing --------------------------------------------------------------------------------------------


def test_messages_that_do_not_count_change_nothing() -> None:
    bench = driving()
    old, last = bench.state_bytes(order="order-1", last="w1", last_sequence=2), b""
    bench.at_s = 1.0
    last = bench.state_bytes(order="order-1", last="w0", ahead=(2, 4, 6))
    bench.receive(last)
    before = (bench.link.report, bench.link.acknowledged_order, bench.link.next_due_s())
    foreign = encode(
        a_state(99, at_s=2, order="order-1", last="w1", last_sequence=2, serial_number="R2"), version="2.1.0"
    )
    fresh = encode(a_state(99, at_s=2, order="order-1", last="w1", last_sequence=2), version="2.1.0")
    for payload, how in [(old, {}), (last, {}), (foreign, {}), (b"\x00", {}), (fresh, {"is_retained": True})]:
        (event,) = bench.receive(payload, **how)
        assert isinstance(event, MessageRefused)
        assert event.reason
    assert (bench.link.report, bench.link.acknowledged_order, bench.link.next_due_s()) == before


def test_topics_that_are_not_the_robots_to_send_are_refused() -> None:
    bench = LinkOnClock()
    for kind in ("order", "instantActions", "nonsense"):
        assert bench.receive(b"{}", kind) == [MessageRefused(kind, "a robot does not send this")]
    assert bench.receive(b"{}", "visualization") == []


def test_a_foreign_announcement_is_refused() -> None:
    bench = LinkOnClock()
    payload = bench.connection_bytes(ConnectionState.OFFLINE).replace(b'"R1"', b'"R2"')
    (event,) = bench.receive(payload, "connection")
    assert isinstance(event, MessageRefused)


def test_faults_of_a_state_are_told_with_the_report() -> None:
    bench = LinkOnClock()
    payload = bench.state_bytes().replace(b'"AUTOMATIC"', b'"automatic"')
    (event,) = bench.receive(payload)
    assert isinstance(event, Reported)
    assert [fault.path for fault in event.faults] == ["operatingMode"]


def test_a_robot_in_emergency_stop_reports_that_it_may_not_be_ordered() -> None:
    bench = LinkOnClock()
    stopped = SafetyState(e_stop=EStop.MANUAL, field_violation=False)
    (event,) = bench.receive(bench.state_bytes(safety_state=stopped))
    assert isinstance(event, Reported)
    assert not event.report.may_be_ordered


def test_a_factsheet_is_handed_on() -> None:
    tree = {
        "version": "2.1.0", "manufacturer": "ward", "serialNumber": "R1",
        "typeSpecification": {"seriesName": "p", "agvKinematic": "DIFF", "agvClass": "CARRIER", "maxLoadMass": 1},
        "physicalParameters": {
            "speedMin": 0, "speedMax": 1, "accelerationMax": 1, "decelerationMax": 1,
            "heightMax": 1, "width": 1, "length": 1,
        },
        "protocolLimits": {
            "maxStringLens": {}, "maxArrayLens": {}, "timing": {"minOrderInterval": 1, "minStateInterval": 1},
        },
        "protocolFeatures": {"optionalParameters": [], "agvActions": []}, "agvGeometry": {}, "loadSpecification": {},
    }  # fmt: skip
    (event,) = LinkOnClock().receive(json.dumps(tree).encode(), "factsheet")
    assert isinstance(event, FactsheetReceived)
    assert event.factsheet.type_specification.series_name == "p"


# -- time and restart ------------------------------------------------------------------------------------------------


def test_the_link_names_the_moment_something_is_due_and_nothing_is_before() -> None:
    bench = LinkOnClock(resend_after_s=1.0, order_answer_s=2.5, lost_after_s=4.0)
    bench.link.want_order(ORDER, at_s=0)
    moments: list[float] = []
    for _ in range(6):
        due_s = bench.link.next_due_s()
        assert due_s is not None
        moments.append(due_s)
        bench.at_s = due_s - 1e-6
        early = bench.due() if due_s > 0 else None
        assert early is None or (early.publishes, early.events) == ([], [])
        bench.at_s = due_s
        due = bench.due()
        assert due.publishes or due.events
    assert moments == [0.0, 1.0, 2.0, 2.5, 3.0, 4.0]


def test_a_lost_robot_of_whom_nothing_is_wanted_needs_no_attention() -> None:
    bench = LinkOnClock()
    bench.pass_time(100)
    assert bench.link.next_due_s() is None


def test_after_a_restart_an_unacknowledged_order_is_sent_with_the_same_ids_and_content() -> None:
    before = driving()
    update = ORDER.extended(released=3)
    before.link.want_order(update, at_s=0)
    first = before.due().publishes[0].payload
    after = LinkOnClock()
    after.link.resume(update, False, at_s=0)
    assert body(after.due().publishes[0].payload) == body(first)
    assert after.hear(order="order-1", update=1, last="w0", ahead=(2, 4, 6)) == [
        OrderAcknowledged(ORDER.id, 1),
        NodePassed(ORDER.id, 0, WaypointId("w0")),
    ]


def test_after_a_restart_nodes_known_as_passed_are_not_told_again() -> None:
    bench = LinkOnClock()
    bench.link.resume(ORDER, True, at_s=0, passed=1)
    assert bench.due().publishes == []
    assert bench.hear(order="order-1", last="w1", last_sequence=2, ahead=(4, 6)) == []


@pytest.mark.parametrize("is_acknowledged", [True, False])
def test_after_a_restart_a_robot_that_forgot_its_order_is_noticed(is_acknowledged: bool) -> None:
    bench = LinkOnClock()
    bench.link.resume(ORDER.extended(released=3), is_acknowledged, at_s=0)
    assert bench.hear(order="") == [OrderForgotten(ORDER.id)]
    assert bench.pass_time(1).publishes == []


def test_after_a_restart_wanted_actions_are_sent_and_a_lost_robot_can_return() -> None:
    bench = LinkOnClock()
    bench.link.resume(None, False, [CANCEL], at_s=0, is_lost=True)
    assert len(bench.due().publishes) == 1
    assert bench.hear()[0] == RobotReturned()


def test_a_link_speaks_the_robots_own_version() -> None:
    bench = LinkOnClock(version="2.0.0")
    bench.link.want_order(ORDER, at_s=0)
    tree = json.loads(bench.due().publishes[0].payload)
    assert tree["version"] == "2.0.0"
    assert tree["nodes"][0]["nodePosition"]["allowedDeviationXy"] == 1.0


def test_two_robots_links_share_nothing() -> None:
    one = RobotLink(a_robot(serial_number="R1"), a_model(), at_s=0.0)
    two = RobotLink(a_robot(serial_number="R2"), a_model(), at_s=0.0)
    one.want_order(ORDER, at_s=0)
    assert two.outstanding_order is None
    assert one.address.topic("order") != two.address.topic("order")


def keys_sent(bench: LinkOnClock) -> list[str]:
    return [next(key for key in ("actions", "instantActions") if key in body(m.payload)) for m in bench.due().publishes]


def test_an_instant_action_that_nobody_heeds_is_sent_under_the_old_key_too() -> None:
    bench = LinkOnClock()
    bench.link.want_action(an_action(), at_s=0)
    keys: list[str] = []
    for _ in range(5):
        keys += keys_sent(bench)
        bench.pass_time(0)
        bench.at_s += 1.0
    assert keys == ["actions", "actions", "instantActions", "actions", "instantActions"]


def test_the_key_that_a_robot_reads_is_remembered() -> None:
    bench = LinkOnClock()
    bench.link.want_action(an_action(), at_s=0)
    for _ in range(3):
        keys_sent(bench)
        bench.at_s += 1.0
    bench.hear(actions={"action-1": ActionStatus.FINISHED})
    bench.link.want_action(an_action(ActionKind.PAUSE, "pause-1"), at_s=bench.at_s)
    assert keys_sent(bench) == ["instantActions"]


def test_a_message_refused_as_a_whole_is_tried_once_under_the_other_key() -> None:
    bench = LinkOnClock()
    bench.hear()
    bench.link.want_action(an_action(ActionKind.PAUSE), at_s=0)
    assert keys_sent(bench) == ["actions"]
    malformed = an_error("validationError", topic="instantActions", headerId=0)
    assert bench.hear(errors=[malformed]) == []
    assert keys_sent(bench) == ["instantActions"]
    assert bench.hear(errors=[malformed]) == []
    assert bench.hear(errors=[malformed, an_error("validationError", topic="instantActions", headerId=1)]) == [
        ActionFailed(ActionId("action-1"), "cannot")
    ]


def test_a_robot_that_is_lost_for_its_clock_says_both_clocks_and_is_back_once_a_person_lets_its_clock_count() -> None:
    bench = LinkOnClock()
    bench.receive(bench.state_bytes())
    lost: list[RobotLost] = []
    for _ in range(20):
        stamp = bench.now - timedelta(days=800)
        (refused,) = bench.receive(bench.state_bytes(timestamp=stamp))
        assert isinstance(refused, MessageRefused)
        assert "stands" not in refused.reason  # counted by its words, which do not grow with every clock
        lost += [event for event in bench.pass_time(1.0).events if isinstance(event, RobotLost)]
    assert re.search(r"\(its clock stands at 2023-10-\d\d .* UTC, ours at 2026-01-05 08:00:", lost[0].refused)

    assert bench.link.refused_clock_off_s == pytest.approx(-800 * 86400.0)
    bench.link.let_clock_count(-800 * 86400.0, now=bench.now)
    bench.at_s += 1.0
    returned, reported = bench.receive(bench.state_bytes(timestamp=bench.now - timedelta(days=800)))
    assert isinstance(returned, RobotReturned)
    assert isinstance(reported, Reported)
    assert reported.report.clock_off_s == -800 * 86400.0
    assert bench.link.refused_clock_off_s is None
