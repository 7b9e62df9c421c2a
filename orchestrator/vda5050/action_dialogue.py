"""What is said about instant actions on one link.

An action is over when the robot lists it as FINISHED or FAILED, or refuses it. Some robots list no action that is over;
of them it is over when their state shows what it was for, so that nothing is asked again after it was done: a stopPause
that is sent again lets go a robot that was paused anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.domain.fleet.model import ActionId, ActionStatus, RobotReport
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.vda5050.bounds import words
from orchestrator.vda5050.dialect import InstantKey
from orchestrator.vda5050.events import ActionFailed, ActionFinished, LinkEvent
from orchestrator.vda5050.messages import ErrorReport, MapStatus, State
from orchestrator.vda5050.rejections import ErrorMark, description_of_action, marks_of_errors, refuses_action
from orchestrator.vda5050.requests import ActionRequest

FINISH_WITHIN_S = 60.0
"""How long an instant action that the robot has begun may take before people are told."""

_NOTHING_TO_CANCEL = "noordertocancel"


class ActionDialogue:
    """One robot's instant actions that are wanted and not over."""

    def __init__(self, *, resend_after_s: float, answer_s: float, key: InstantKey = InstantKey.ACTIONS) -> None:
        self._resend_after_s = resend_after_s
        self._answer_s = answer_s
        self.key = key
        self._requests: dict[ActionId, ActionRequest] = {}

    @property
    def outstanding(self) -> Sequence[ActionRequest]:
        """What is not over, in the order it was wanted."""
        return tuple(self._requests.values())

    def key_for(self, request: ActionRequest) -> InstantKey:
        """Return the key to send a request under now, and note that it was."""
        key = request.next_key(self.key)
        request.keys.append(key)
        return key

    @property
    def is_cancelling(self) -> bool:
        """Whether a cancelOrder is wanted and not done."""
        return any(request.action.kind is ActionKind.CANCEL_ORDER for request in self._requests.values())

    def want(
        self,
        action: RobotAction,
        *,
        at_s: float,
        known: frozenset[ErrorMark] | None,
        was_paused: bool | None = None,
        map_id: str | None = None,
    ) -> None:
        """Ask for ``action`` until it is over; asking again changes nothing."""
        if action.id in self._requests:
            return
        self._requests[action.id] = ActionRequest(
            action=action,
            asked_s=at_s,
            answer_by_s=at_s + self._answer_s,
            finish_by_s=at_s + FINISH_WITHIN_S,
            resend_after_s=self._resend_after_s,
            known=known,
            was_paused=was_paused,
            map_id=map_id,
        )

    def withdraw(self, action: ActionId | None = None) -> None:
        """Ask no more for ``action``, or for any when none is named."""
        if action is None:
            self._requests.clear()
        else:
            self._requests.pop(action, None)

    def hear(self, state: State, report: RobotReport, *, at_s: float) -> Iterator[tuple[ActionRequest, LinkEvent]]:
        """Yield each request that is over and how, by a new state."""
        for request in self.outstanding:
            if request.known is None:
                request.known = marks_of_errors(state.errors)
            outcome = _outcome(request, state, report) or _seen(request, state, report, at_s=at_s)
            if request.is_listed and request.keys and self.key not in request.keys[-1:]:
                self.key = request.keys[-1]  # this robot reads the other key
            if outcome is not None:
                del self._requests[request.action.id]
                yield request, outcome


def _outcome(request: ActionRequest, state: State, report: RobotReport) -> LinkEvent | None:
    action = request.action
    status = report.actions.get(action.id)
    was_listed, request.is_listed = request.is_listed, status is not None
    request.was_listed = request.was_listed or request.is_listed
    if status is ActionStatus.FINISHED:
        return ActionFinished(action.id)
    refusals = [error for error in state.errors if _is_refusal(error, request)]
    if status is None and refusals and not any(error.referenced("actionId") for error in refusals):
        # The message was refused, not the action: perhaps for its key, which differs from 1.1 to 2.x.
        request.known = (request.known or frozenset()) | marks_of_errors(refusals)
        if request.try_other_key():
            return None
    if status is ActionStatus.FAILED or (status is None and refusals):
        if action.kind is ActionKind.CANCEL_ORDER and (_has_nothing_to_cancel(refusals) or _has_stopped(state)):
            return ActionFinished(action.id)
        told = description_of_action(state, action.id) or words(
            "; ".join(error.error_description or error.error_type for error in refusals)
        )
        return ActionFailed(action.id, told)
    if status is None and was_listed and action.kind is ActionKind.CANCEL_ORDER and _has_stopped(state):
        # Some robots drop an action soon after it is over, and the state that said so may have been lost.
        return ActionFinished(action.id)
    return None


def _seen(request: ActionRequest, state: State, report: RobotReport, *, at_s: float) -> LinkEvent | None:
    """Return that an action is over that the robot does not list, by what its state shows."""
    if request.is_listed or not request.may_have_been_heard(at_s=at_s) or not _shows(request, state, report):
        return None
    return ActionFinished(request.action.id)


def _shows(request: ActionRequest, state: State, report: RobotReport) -> bool:
    match request.action.kind:
        case ActionKind.PAUSE:
            # One that was paused already, at its own button perhaps, shows nothing by being so.
            return report.is_paused and (request.was_listed or not request.was_paused)
        case ActionKind.RESUME:
            return not report.is_paused
        case ActionKind.START_CHARGING:
            return report.is_charging
        case ActionKind.STOP_CHARGING:
            return not report.is_charging
        case ActionKind.ENABLE_MAP:
            # Of one that tells no maps, the position that it is given next shows whether it has the map.
            return request.was_listed or any(
                each.map_id == request.map_id and each.map_status is MapStatus.ENABLED for each in state.maps or ()
            )
        case _:
            return False


def _is_refusal(error: ErrorReport, request: ActionRequest) -> bool:
    return refuses_action(
        error, action_id=request.action.id, header_ids=request.header_ids, known=request.known or frozenset()
    )


def _has_nothing_to_cancel(refusals: Sequence[ErrorReport]) -> bool:
    return any(error.error_type.replace("_", "").lower() == _NOTHING_TO_CANCEL for error in refusals)


def _has_stopped(state: State) -> bool:
    return not state.node_states and not state.edge_states and not state.driving
