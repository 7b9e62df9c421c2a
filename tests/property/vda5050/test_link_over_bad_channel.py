"""A link and a small model robot with a channel between them that loses, repeats, delays and reorders.

Whatever happens on the way, and whoever restarts: an update id never gets two contents, nothing withdrawn is sent
again, nothing is told that the robot did not do, and once the channel is good again every wanted message finds its end.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from orchestrator.domain.fleet.model import ActionId
from orchestrator.domain.fleet.order import ActionKind, DriveOrder, RobotAction
from orchestrator.vda5050.codec import decode_instant_actions, decode_order, encode
from orchestrator.vda5050.events import (
    ActionFailed,
    ActionFinished,
    LinkEvent,
    NodePassed,
    OrderAcknowledged,
    OrderForgotten,
    OrderRejected,
    RobotLost,
)
from orchestrator.vda5050.master import RobotLink
from orchestrator.vda5050.messages import ActionStatus, ErrorReport, Node, Order
from tests.support.robot_link import START, a_model, a_robot, a_state, an_error, an_order


@dataclass
class ModelRobot:
    """Takes orders by the acceptance rules of 2.1, drives one node at a time, and remembers what it truly did."""

    order_id: str = ""
    update_id: int = 0
    nodes: list[Node] = field(default_factory=list[Node])
    last: str = "w0"
    last_sequence: int = 0
    actions: dict[str, ActionStatus] = field(default_factory=dict[str, ActionStatus])
    errors: list[ErrorReport] = field(default_factory=list[ErrorReport])
    closed: set[str] = field(default_factory=set[str])
    header_id: int = 0
    refuses_next: bool = False
    accepted: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    passed: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])

    def take(self, kind: str, payload: bytes) -> None:
        if kind == "order":
            self._take_order(decode_order(payload).message)
            return
        for action in decode_instant_actions(payload).message.actions:
            self._cancel(action.action_id)

    def _take_order(self, order: Order) -> None:
        if (order.order_id, order.order_update_id) == (self.order_id, self.update_id):
            return
        is_update = order.order_id == self.order_id
        if self.refuses_next or not (self._continues(order) if is_update else self._may_start(order)):
            self.refuses_next = False
            self.errors = [an_error(orderId=order.order_id, orderUpdateId=order.order_update_id)]
            return
        if not is_update:
            self.closed.add(self.order_id)
            self.actions, self.nodes = {}, []
        self.errors = []
        self.order_id, self.update_id = order.order_id, order.order_update_id
        self.accepted.add((self.order_id, self.update_id))
        stitch = order.nodes[0].sequence_id
        kept = [node for node in self.nodes if node.released and node.sequence_id < stitch]
        is_passed = is_update and (self.order_id, stitch) in self.passed
        self.nodes = kept + list(order.nodes[1:] if is_passed else order.nodes)

    def _may_start(self, order: Order) -> bool:
        return not self.nodes and order.order_id not in self.closed and order.nodes[0].sequence_id == 0

    def _continues(self, order: Order) -> bool:
        if order.order_update_id < self.update_id or self.order_id in self.closed:
            return False
        base = [node for node in self.nodes if node.released]
        end = (base[-1].node_id, base[-1].sequence_id) if base else (self.last, self.last_sequence)
        return (order.nodes[0].node_id, order.nodes[0].sequence_id) == end

    def _cancel(self, action_id: str) -> None:
        if action_id in self.actions:
            return
        if not self.nodes:
            self.errors = [an_error("noOrderToCancel", actionId=action_id)]
            return
        self.nodes = []
        self.closed.add(self.order_id)
        self.actions[action_id] = ActionStatus.FINISHED

    def drive(self) -> None:
        if self.nodes and self.nodes[0].released:
            node = self.nodes.pop(0)
            self.last, self.last_sequence = node.node_id, node.sequence_id
            self.passed.add((self.order_id, node.sequence_id))

    def reboot(self) -> None:
        self.order_id, self.update_id, self.nodes, self.actions, self.errors = "", 0, [], {}, []
        self.header_id = 0

    def state(self, at_s: float) -> bytes:
        self.header_id += 1
        return encode(
            a_state(
                self.header_id,
                at_s=at_s,
                order=self.order_id,
                update=self.update_id,
                last=self.last,
                last_sequence=self.last_sequence,
                ahead=[node.sequence_id for node in self.nodes],
                actions=self.actions,
                errors=self.errors,
            ),
            version="2.1.0",
        )


M = TypeVar("M")
FATES = st.sampled_from(["arrives", "arrives", "arrives", "lost", "late", "twice"])


def fated(under_way: list[M], fates: list[str]) -> tuple[list[M], list[M]]:
    """Return what stays under way and what arrives; the fates are used round and round."""
    told = [(message, fates[index % len(fates)]) for index, message in enumerate(under_way)]
    stays = [message for message, fate in told if fate in ("late", "twice")]
    return stays, [message for message, fate in told if fate in ("arrives", "twice")]


class LinkOverBadChannel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.at_s = 0.0
        self.robot = ModelRobot()
        self.link = self.a_link()
        self.to_robot: list[tuple[str, bytes]] = []
        self.to_link: list[bytes] = []
        self.sent_states: list[bytes] = []
        self.heard_s = 0.0
        self.made = 0
        # The books, as the application keeps them.
        self.order: DriveOrder | None = None
        self.is_acknowledged = False
        self.is_extendable = False
        self.wanted: set[tuple[str, int]] = set()
        self.cancels: dict[ActionId, RobotAction] = {}
        self.gone: set[tuple[str, int]] = set()
        self.passed: dict[str, int] = {}
        self.bodies: dict[tuple[str, int], dict[str, Any]] = {}

    def a_link(self) -> RobotLink:
        return RobotLink(a_robot(), a_model(), at_s=self.at_s)

    # -- what the application does

    @property
    def may_want_order(self) -> bool:
        report = self.link.report
        return not self.wanted and not self.cancels and report is not None and not report.sequences_ahead

    @precondition(lambda self: self.may_want_order)
    @rule(steps=st.integers(1, 4), released=st.integers(1, 4))
    def want_new_order(self, steps: int, released: int) -> None:
        self.made += 1
        self.want(an_order(f"order-{self.made}", steps=steps, released=min(steps, released)))

    @precondition(lambda self: self.is_extendable and not self.wanted and not self.cancels)
    @rule(more=st.integers(0, 2))
    def want_update(self, more: int) -> None:
        assert self.order is not None
        self.want(self.order.extended(released=min(self.order.released + more, len(self.order.steps))))

    def want(self, order: DriveOrder) -> None:
        self.order, self.is_acknowledged, self.is_extendable = order, False, False
        self.wanted = {(order.id, order.update_id)}
        self.link.want_order(order, at_s=self.at_s)

    def withdraw(self) -> None:
        assert self.order is not None
        self.link.withdraw(self.order.id)
        self.end_want()

    def want_cancel(self) -> None:
        if self.wanted:
            self.withdraw()
        self.made += 1
        action = RobotAction(id=ActionId(f"cancel-{self.made}"), kind=ActionKind.CANCEL_ORDER)
        self.cancels[action.id] = action
        self.is_extendable = False
        self.link.want_action(action, at_s=self.at_s)

    def end_want(self) -> None:
        self.gone |= self.wanted
        self.wanted = set()
        self.order, self.is_extendable = None, False

    def restart_orchestrator(self) -> None:
        self.link = self.a_link()
        if self.order is not None:
            passed = self.passed.get(self.order.id, -1)
            self.link.resume(self.order, self.is_acknowledged, self.cancels.values(), at_s=self.at_s, passed=passed)
        else:
            self.link.resume(None, False, self.cancels.values(), at_s=self.at_s)
        self.heard_s = self.at_s

    # -- what happens on the way

    def pass_time(self, seconds: float) -> None:
        self.at_s += seconds
        due = self.link.due(at_s=self.at_s, now=START + timedelta(seconds=self.at_s))
        for message in due.publishes:
            kind = message.topic.rsplit("/", 1)[1]
            self.to_robot.append((kind, message.payload))
            if kind == "order":
                self.note_sent(json.loads(message.payload))
        for event in due.events:
            if isinstance(event, RobotLost):
                assert self.at_s >= self.heard_s + 15.0

    def note_sent(self, tree: dict[str, Any]) -> None:
        key = (tree["orderId"], tree["orderUpdateId"])
        body = {name: value for name, value in tree.items() if name not in ("headerId", "timestamp")}
        assert self.bodies.setdefault(key, body) == body, "two contents under one update id"
        assert key not in self.gone, "sent again after it was withdrawn, refused or forgotten"
        assert not self.cancels, "an order went out during a cancel"

    @rule(
        seconds=st.sampled_from([0.1, 1.0, 1.0, 7.0, 20.0]),
        nodes=st.integers(0, 2),
        to_robot=st.lists(FATES, min_size=4, max_size=4),
        to_link=st.lists(FATES, min_size=4, max_size=4),
    )
    def live(self, seconds: float, nodes: int, to_robot: list[str], to_link: list[str]) -> None:
        """Time passes, the robot drives, and each message under way has its own fate."""
        self.pass_time(seconds)
        self.to_robot, arriving = fated(self.to_robot, to_robot)
        for kind, payload in arriving:
            self.robot.take(kind, payload)
        self.report()
        for _ in range(nodes):
            self.robot.drive()
        self.report()
        self.to_link, heard = fated(self.to_link, to_link)
        for payload in heard:
            self.hear(payload)

    @rule(
        what=st.sampled_from(["withdraw", "cancel", "restart", "reboot", "refuse", "replay", "lose"]),
        which=st.integers(0, 30),
    )
    def disturb(self, what: str, which: int) -> None:
        if what == "withdraw" and self.wanted:
            self.withdraw()
        elif what == "cancel" and not self.cancels:
            self.want_cancel()
        elif what == "restart":
            self.restart_orchestrator()
        elif what == "reboot":
            self.reboot_robot()
        elif what == "refuse":
            self.robot.refuses_next = True
        elif what == "replay" and self.sent_states:
            self.hear(self.sent_states[which % len(self.sent_states)])
        elif what == "lose":
            self.lose_everything()

    def lose_everything(self) -> None:
        self.to_robot.clear()
        self.to_link.clear()

    def exchange(self) -> None:
        """All that is under way arrives, and the robot answers."""
        for kind, payload in self.to_robot:
            self.robot.take(kind, payload)
        self.to_robot.clear()
        self.report()
        for payload in self.to_link:
            self.hear(payload)
        self.to_link.clear()

    # -- what the robot does

    def report(self) -> None:
        # A robot's clock moves between two states.
        self.at_s += 0.001
        self.sent_states.append(self.robot.state(self.at_s))
        self.to_link.append(self.sent_states[-1])

    def reboot_robot(self) -> None:
        self.at_s += 1.0
        self.to_robot.clear()
        self.robot.reboot()

    # -- what is told

    def hear(self, payload: bytes) -> None:
        events = self.link.receive("state", payload, at_s=self.at_s, now=START + timedelta(seconds=self.at_s))
        if len(events) > 1 or type(events[0]).__name__ == "Reported":
            self.heard_s = self.at_s
        for event in events:
            self.check(event)

    def check(self, event: LinkEvent) -> None:
        match event:
            case OrderAcknowledged(order_id=order, update_id=update):
                assert (order, update) in self.wanted
                assert (order, update) in self.robot.accepted
                self.wanted, self.is_acknowledged = set(), True
                self.is_extendable = self.order is not None and not self.order.is_fully_released and not self.cancels
            case OrderRejected(order_id=order, update_id=update):
                assert (order, update) in self.wanted
                self.end_want()
            case OrderForgotten(order_id=order):
                assert self.order is None or self.order.id == order or self.wanted
                if self.order is not None and self.order.id == order:
                    self.end_want()
            case NodePassed(order_id=order, sequence_id=sequence):
                assert (order, sequence) in self.robot.passed or sequence == 0
                index = sequence // 2
                assert index > self.passed.get(order, -1), "told twice or backwards"
                self.passed[order] = index
            case ActionFinished(action_id=action) | ActionFailed(action_id=action):
                assert self.cancels.pop(action, None) is not None
                self.end_want()
            case _:
                pass

    @invariant()
    def the_link_and_the_books_want_the_same(self) -> None:
        wanted = self.link.outstanding_order
        assert {(wanted.id, wanted.update_id)} == self.wanted if wanted is not None else not self.wanted
        assert {action.id for action in self.link.outstanding_actions} == set(self.cancels)

    def teardown(self) -> None:
        """Once the channel is good, everything wanted is acknowledged, refused or over within a few sendings."""
        self.lose_everything()
        for _ in range(6):
            self.pass_time(1.1)
            self.exchange()
        assert self.link.outstanding_order is None, "never answered"
        assert not self.cancels


LinkOverBadChannel.TestCase.settings = settings(stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow])
test_every_want_finds_its_end_over_a_bad_channel = LinkOverBadChannel.TestCase
