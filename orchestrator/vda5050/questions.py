"""What a link asks a robot of its own accord: its state when it is silent, and its factsheet when it sent none.

VDA 5050 lets a robot stay silent for 30 s (2.1 §6.10.1), and many do while nothing happens. A robot that is asked for
its state (§6.8.2) tells at once whether it is there, so its silence can be judged by a shorter limit. Nobody waits
for the answers: a robot that answers no question is judged by its own reports as before.

Each question has an id of its own, for a robot may heed an id once (§6.8, §6.11: actionId is unique) and says nothing
when it comes again. But robots list what they were asked until their next order, and a night of questions would make
their states too long to be read. So an idle robot that lists many may be silent for as long as the standard allows, and
is asked only when it misses its own heartbeat, until its next order.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from orchestrator.domain.fleet.model import ActionId
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.vda5050.mapping import QUESTION
from orchestrator.vda5050.messages import ActionStatus, State

LISTED_MANY = 64
"""From so many listed questions on a robot that stands without an order is asked only for its heartbeat."""

LISTED_MAX = 400
"""And from so many on nobody is asked any more; a state that lists more than `bounds.ENTRIES_MAX` is not read."""

HEARTBEAT_MISSED_S = 33.0
HEARTBEAT_LOST_S = 45.0
"""A robot stays silent for 30 s at most while nothing happens, as the standard has it (2.1 §6.10.1)."""

REFUSALS_MAX = 2
FACTSHEET_TRIES_MAX = 3
FACTSHEET_EVERY_S = 20.0
PATIENCE = 1.2
"""How much longer than its interval, as a factor, a robot may be silent before it is asked."""

_NEVER_S = float("inf")


class Questions:
    """When to ask one robot what.

    Parameters
    ----------
    interval_s : float
        The longest that a healthy robot of this model stays silent, in seconds.
    lost_after_s : float
        From when on silence means lost; a lost robot is asked only that often.
    may_ask : bool
        Whether this robot is asked at all.
    at_s : float
        Monotonic seconds now.
    """

    def __init__(self, *, interval_s: float, lost_after_s: float, may_ask: bool, at_s: float) -> None:
        self._interval_s = interval_s
        self._lost_after_s = lost_after_s
        self._may_ask = may_ask
        self._heard_s = at_s
        self._asked_s = at_s
        self._begun_ms = 0
        self._count = 0
        self._refused: set[str] = set()
        self._listed = 0
        self._is_idle = False
        self._asked_factsheet = 0
        self._factsheet_at_s = _NEVER_S
        self._has_factsheet = False
        self._has_tried_other_key = False

    def hear(self, state: State, *, at_s: float) -> None:
        """Note that the robot has reported, and whether it refuses to be asked."""
        self._heard_s = at_s
        self._listed = sum(action.action_id.startswith(QUESTION) for action in state.action_states)
        self._is_idle = not state.driving and not state.node_states and not state.edge_states
        for error in state.errors:
            self._refused |= {action for action in error.referenced("actionId") if action.startswith(QUESTION)}
        for action in state.action_states:
            if action.action_id.startswith(QUESTION) and action.action_status is ActionStatus.FAILED:
                self._refused.add(action.action_id)
        if self._asked_factsheet == 0 and self._factsheet_at_s == _NEVER_S:
            # A kept factsheet comes with the subscription; only then is it worth asking.
            self._factsheet_at_s = at_s + self._interval_s

    def next_action(self, kind: ActionKind, *, now: datetime) -> RobotAction:
        """Return the question as an action, with an id that nobody has used before."""
        self._begun_ms = self._begun_ms or int(now.timestamp() * 1000)
        self._count += 1
        return RobotAction(id=ActionId(f"{QUESTION}{self._begun_ms}-{self._count}"), kind=kind)

    def heed_refused_messages(self, state: State, header_ids: Collection[int]) -> bool:
        """Whether the robot could not read a question at all: an error names the header of one, and no action.

        Told once: perhaps it reads the list of instant actions under the other key.
        """
        if self._has_tried_other_key:
            return False
        headers = {str(header_id) for header_id in header_ids}
        self._has_tried_other_key = any(
            error.referenced("headerId") & headers
            and not error.referenced("actionId")
            and not error.referenced("orderId")
            for error in state.errors
        )
        return self._has_tried_other_key

    def note_factsheet(self) -> None:
        """Note that the robot has sent its factsheet."""
        self._has_factsheet = True

    @property
    def lost_after_s(self) -> float:
        """From when on silence means lost, as things are."""
        return max(self._lost_after_s, HEARTBEAT_LOST_S) if self._is_spared else self._lost_after_s

    @property
    def _is_spared(self) -> bool:
        return self._may_ask and self._is_idle and self._listed >= LISTED_MANY

    @property
    def _is_over(self) -> bool:
        return not self._may_ask or self._listed >= LISTED_MAX or len(self._refused) >= REFUSALS_MAX

    def next_s(self, *, is_lost: bool) -> float:
        """Return when something is to be asked, in monotonic seconds."""
        return min(self._state_s(is_lost=is_lost), self._factsheet_s())

    def take(self, *, at_s: float, is_lost: bool) -> list[ActionKind]:
        """Return what is to be asked now; each is asked once."""
        due: list[ActionKind] = []
        if at_s >= self._state_s(is_lost=is_lost):
            self._asked_s = at_s
            due.append(ActionKind.REPORT_STATE)
        if at_s >= self._factsheet_s():
            self._asked_factsheet += 1
            self._factsheet_at_s = at_s + FACTSHEET_EVERY_S
            due.append(ActionKind.REPORT_FACTSHEET)
        return due

    def _state_s(self, *, is_lost: bool) -> float:
        if self._is_over:
            return _NEVER_S
        wait_s = self._lost_after_s if is_lost else self._interval_s * PATIENCE
        if self._is_spared:
            wait_s = max(wait_s, HEARTBEAT_MISSED_S)
        return max(self._heard_s, self._asked_s) + wait_s

    def _factsheet_s(self) -> float:
        if self._is_over or self._has_factsheet or self._asked_factsheet >= FACTSHEET_TRIES_MAX:
            return _NEVER_S
        return self._factsheet_at_s
