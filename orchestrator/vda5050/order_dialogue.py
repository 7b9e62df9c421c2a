"""What is said about orders on one link: which one the robot has, which one it shall have, how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orchestrator.domain.errors import ConflictError
from orchestrator.domain.fleet.model import ActionId, ActionStatus, OrderId, RobotReport
from orchestrator.domain.fleet.order import DriveOrder, sequence_of_step
from orchestrator.vda5050.bounds import words
from orchestrator.vda5050.events import (
    ActionFailed,
    ActionFinished,
    LinkEvent,
    NodePassed,
    OrderAcknowledged,
    OrderForgotten,
    OrderRejected,
)
from orchestrator.vda5050.messages import State
from orchestrator.vda5050.progress import Mark, is_carried_out, mark_of_report, names_the_order_before, passed_steps
from orchestrator.vda5050.rejections import ErrorMark, description_of_action, marks_of_errors, refuses_order
from orchestrator.vda5050.requests import OrderRequest


class OrderConflictError(ConflictError):
    """An order message was wanted that would contradict one already sent."""

    code = "order_conflict"


class OrderDialogue:
    """One robot's orders: at most one outstanding message, at most one order acknowledged."""

    def __init__(self, *, resend_after_s: float, answer_s: float) -> None:
        self._resend_after_s = resend_after_s
        self._answer_s = answer_s
        self._request: OrderRequest | None = None
        self._held: DriveOrder | None = None
        self._followed: OrderId | None = None
        self._passed = -1
        self._mark: Mark | None = None
        self._old_mark: Mark | None = None
        self._told_actions: set[ActionId] = set()
        self._listed_actions: set[ActionId] = set()
        self._is_cancelling = False
        self._last_wanted: DriveOrder | None = None

    @property
    def outstanding(self) -> OrderRequest | None:
        """The order message still to be acknowledged."""
        return self._request

    @property
    def acknowledged(self) -> DriveOrder | None:
        """The order the robot has, as far as it has confirmed it; None when it was cancelled or forgotten."""
        return self._held

    def want(self, order: DriveOrder, *, at_s: float, known: frozenset[ErrorMark] | None) -> None:
        """Make ``order`` the outstanding message.

        Raises
        ------
        OrderConflictError
            Another message is outstanding, or the update id was already used for other content.
        """
        if self._request is not None:
            if self._request.order == order:
                return
            raise OrderConflictError(
                f"Order {order.id} update {order.update_id} was not taken: update {self._request.order.update_id} of "
                f"order {self._request.order.id} is still unanswered. Wait for its answer or withdraw it first.",
                detail={"order": order.id, "update": order.update_id},
            )
        last = self._last_wanted
        if last is not None and last.id == order.id and last != order and order.update_id <= last.update_id:
            raise OrderConflictError(
                f"Order {order.id} update {order.update_id} was not taken: update ids have to grow and "
                f"{last.update_id} was already used. Use a higher one.",
                detail={"order": order.id, "update": order.update_id, "last": last.update_id},
            )
        self._last_wanted = order
        self._request = OrderRequest(
            order=order,
            asked_s=at_s,
            answer_by_s=at_s + self._answer_s,
            resend_after_s=self._resend_after_s,
            known=known,
        )

    def resume(self, order: DriveOrder, *, is_acknowledged: bool, passed: int, at_s: float) -> None:
        """Go on from what was stored: the order is the robot's, or is outstanding with the same content as before."""
        self._followed = order.id
        self._passed = passed
        self._last_wanted = order
        if is_acknowledged:
            self._held = order
            return
        if order.update_id > 0:
            # What the robot had before this update: its base, which the update did not change. Its own update id is not
            # stored; 0 stands for "any".
            had = order.sent_from + 1
            self._held = replace(order, steps=order.steps[:had], released=had, update_id=0, sent_from=0)
        self.want(order, at_s=at_s, known=None)

    def withdraw(self, order: OrderId | None = None) -> None:
        """Send the outstanding message no more, if it belongs to ``order`` or none is named."""
        if self._request is not None and order in (None, self._request.order.id):
            self._request = None

    def note_cancel(self, *, asked_s: float, is_done: bool) -> None:
        """Send no more what was wanted before a cancel was, at ``asked_s``; once that is done the robot has nothing."""
        if is_done:
            self._held = None
        if self._request is not None and self._request.asked_s <= asked_s:
            self._request = None

    def hear(self, state: State, report: RobotReport, *, is_cancelling: bool = False) -> Iterator[LinkEvent]:
        """Yield what a new state says about orders; while one is cancelled, that it is gone is no news."""
        self._is_cancelling = is_cancelling
        request = self._request
        if request is not None and _echoes(report, request.order):
            self._request = None
            self._follow(request.order)
            yield OrderAcknowledged(request.order.id, request.order.update_id)
        elif self._is_forgotten(report):
            yield self._forget()
        yield from self._progress(state, report)
        if not is_cancelling and self._is_dropped(report):
            yield self._forget()
        yield from self._rejection(state)
        self._mark = mark_of_report(report)

    def _follow(self, order: DriveOrder) -> None:
        if self._followed != order.id:
            self._followed = order.id
            self._passed = -1
            self._old_mark = self._mark
            self._told_actions.clear()
            self._listed_actions.clear()
        self._held = order

    def _is_forgotten(self, report: RobotReport) -> bool:
        held = self._held
        if held is None:
            return False
        return report.order_id != held.id or report.order_update_id < held.update_id

    def _is_dropped(self, report: RobotReport) -> bool:
        """Whether the robot still names the order but has nothing of it left, short of the end of its base.

        So does one that a person has taken into manual mode: it clears the order and keeps the ids.
        """
        held = self._held
        if held is None or (report.order_id, report.order_update_id) != (held.id, held.update_id):
            return False
        return report.is_idle and not report.is_driving and self._passed < held.released - 1

    def _forget(self) -> OrderForgotten:
        assert self._held is not None
        forgotten = self._held.id
        # An update of an order the robot no longer knows would reach it as a new order.
        self.withdraw(forgotten)
        self._held = None
        return OrderForgotten(forgotten)

    def _progress(self, state: State, report: RobotReport) -> Iterator[LinkEvent]:
        held = self._held
        if held is None or report.order_id != held.id:
            return
        if names_the_order_before(report):
            self._old_mark = mark_of_report(report)
        elif mark_of_report(report) != self._old_mark:
            self._old_mark = None
        for index in passed_steps(held, report, after=self._passed, old=self._old_mark):
            self._passed = index
            yield NodePassed(held.id, sequence_of_step(index), held.steps[index].waypoint)
        for index, step in enumerate(held.steps):
            for action in step.actions:
                yield from self._action_over(action.id, index, state, report)
        if is_carried_out(held, report, passed=self._passed):
            self._held = None

    def _action_over(self, action: ActionId, index: int, state: State, report: RobotReport) -> Iterator[LinkEvent]:
        """Yield how an action at the step ``index`` ended, once."""
        status = report.actions.get(action)
        if status is not None and not status.is_over:
            self._listed_actions.add(action)
            return
        if action in self._told_actions or (status is None and not self._is_left_behind(action, index, report)):
            return
        self._told_actions.add(action)
        told = description_of_action(state, action)
        has_failed = status is ActionStatus.FAILED or (status is None and bool(told))
        yield ActionFailed(action, told) if has_failed else ActionFinished(action)

    def _is_left_behind(self, action: ActionId, index: int, report: RobotReport) -> bool:
        """Whether an action that the robot does not list is over: some robots drop it as soon as it is.

        It has left the node, which none does before its actions there are over; or it listed the action before and has
        nothing left to do. One in a person's hands may have dropped the order with all that belonged to it.
        """
        if self._is_cancelling or not report.mode.takes_orders or index > self._passed:
            return False
        if index < self._passed:
            return True
        return action in self._listed_actions and report.is_idle and not report.is_driving

    def _rejection(self, state: State) -> Iterator[OrderRejected]:
        request = self._request
        if request is None:
            return
        if request.known is None:
            request.known = marks_of_errors(state.errors)
        for error in state.errors:
            if refuses_order(
                error,
                order_id=request.order.id,
                update_id=request.order.update_id,
                header_ids=request.header_ids,
                known=request.known,
            ):
                self._request = None
                yield OrderRejected(
                    request.order.id, request.order.update_id, error.error_type, words(error.error_description or "")
                )
                return


def _echoes(report: RobotReport, order: DriveOrder) -> bool:
    return report.order_id == order.id and report.order_update_id == order.update_id
