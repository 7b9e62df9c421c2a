"""The order in force and all that belongs to it: progress, actions, what the driver was given, and older orders."""

from __future__ import annotations

from collections import deque

from orchestrator.vda5050.messages import Order
from ros_nodes.onboard.actions import ActionBook
from ros_nodes.onboard.base_feed import BaseFeed
from ros_nodes.onboard.complaints import Complaints
from ros_nodes.onboard.driving import Driver
from ros_nodes.onboard.memory import RobotMemory
from ros_nodes.onboard.order_acceptance import Acceptance, Situation, judge_order
from ros_nodes.onboard.order_progress import OrderProgress

_CLOSED_ORDERS_KEPT = 64


class OrderDesk:
    """Takes orders in, passes nodes, gives orders up.

    Parameters
    ----------
    driver : Driver
        What is handed the base.
    complaints : Complaints
        Where rejections are reported.
    memory : RobotMemory
        Last node and older orders. The order that was in force when the power went is not taken up again, even if it
        is sent again.
    """

    def __init__(self, driver: Driver, complaints: Complaints, memory: RobotMemory) -> None:
        self.progress = OrderProgress(
            last_node=memory.last_node, last_sequence=memory.last_sequence, last_place=memory.last_place
        )
        self.book = ActionBook()
        self.feed = BaseFeed(driver)
        self._driver = driver
        self._complaints = complaints
        self._closed: deque[str] = deque(memory.orders, maxlen=_CLOSED_ORDERS_KEPT)
        self._metres_at_last_node = driver.distance_m

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to drive or to do."""
        return self.progress.is_done and self.book.is_quiet

    @property
    def has_order(self) -> bool:
        """Whether there is anything left of an order that could be cancelled."""
        return not (self.progress.is_done and self.book.is_order_quiet)

    @property
    def orders(self) -> tuple[str, ...]:
        """Every order still remembered, oldest first, the one in force last."""
        known = [*self._closed, self.progress.order_id] if self.progress.order_id else [*self._closed]
        return tuple(dict.fromkeys(known))

    @property
    def metres_since_last_node(self) -> float:
        """How far the robot has driven since it passed the last node."""
        return self._driver.distance_m - self._metres_at_last_node

    def take(self, order: Order, *, takes_orders: bool, is_cancelling: bool) -> None:
        """Accept, discard or reject ``order`` by the rules of `order_acceptance`."""
        verdict = judge_order(order, self._situation(takes_orders=takes_orders, is_cancelling=is_cancelling))
        if verdict.acceptance is Acceptance.REJECTED:
            self._complaints.reject(verdict)
        elif verdict.acceptance is Acceptance.NEW:
            self._start(order)
        elif verdict.acceptance is Acceptance.UPDATE:
            self._update(order)

    def pass_node(self) -> None:
        """Report the next node as traversed; its actions are due."""
        node = self.progress.pass_node()
        self.book.make_due(node.sequence_id)
        self._metres_at_last_node = self._driver.distance_m

    def pass_reached_nodes(self) -> bool:
        """Pass every node the driver has reached; return whether there was one."""
        has_passed = False
        while self.feed.take_passed():
            self.pass_node()
            has_passed = True
        return has_passed

    def drop(self, reason: str) -> None:
        """Give up what is left of the order and brake; actions that run are carried to their end."""
        self.book.fail_waiting(reason)
        self.progress.drop_rest()
        self._close()
        self.feed.drop()

    def _start(self, order: Order) -> None:
        self._close()
        self._complaints.forget_rejections()
        self.book.clear()
        self.book.add_nodes(order.nodes)
        self.progress.start(order)
        self.feed.begin()
        self.pass_node()

    def _update(self, order: Order) -> None:
        self._complaints.forget_rejections()
        self.book.drop_horizon(self.progress.decision_sequence)
        self.book.add_nodes(order.nodes[1:])
        self.progress.update(order)

    def _close(self) -> None:
        if self.progress.order_id:
            self._closed.append(self.progress.order_id)

    def _situation(self, *, takes_orders: bool, is_cancelling: bool) -> Situation:
        progress = self.progress
        return Situation(
            order_id=progress.order_id,
            order_update_id=progress.order_update_id,
            is_busy=not self.is_idle or not self._driver.is_stopped,
            is_cancelling=is_cancelling,
            takes_orders=takes_orders,
            pose=self._driver.pose,
            last_node=progress.last_node,
            last_sequence=progress.last_sequence,
            decision_node=progress.decision_node,
            decision_sequence=progress.decision_sequence,
            known_actions=self.book.known_up_to(progress.decision_sequence),
            closed_orders=self._closed,
        )
