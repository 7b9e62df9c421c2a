"""Actions on board: their states, and which may run beside which.

Actions run in the order they were asked for. NONE and SOFT ones run side by side; a HARD one waits until it is alone
and nothing behind it starts before it is over. SOFT and HARD ones keep the robot standing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from orchestrator.vda5050.messages import Action, ActionState, ActionStatus, BlockingType, Node

OVER = frozenset({ActionStatus.FINISHED, ActionStatus.FAILED})


@dataclass(slots=True)
class BoardAction:
    """One action and how far it has come; ``sequence`` is its node's, None for an instant action."""

    action: Action
    sequence: int | None
    status: ActionStatus = ActionStatus.WAITING
    is_due: bool = False
    ends_s: float | None = None
    result: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in OVER

    @property
    def holds(self) -> bool:
        """Whether the robot has to stand for it."""
        return self.action.blocking_type is not BlockingType.NONE

    def finish(self, result: str | None = None) -> None:
        """Mark it as done."""
        self.status, self.result, self.ends_s = ActionStatus.FINISHED, result, None

    def fail(self, reason: str) -> None:
        """Mark it as failed, saying why."""
        self.status, self.result, self.ends_s = ActionStatus.FAILED, reason, None

    def reported(self) -> ActionState:
        """Return it as it stands in a state message."""
        return ActionState(
            action_id=self.action.action_id,
            action_type=self.action.action_type,
            action_status=self.status,
            result_description=self.result,
        )


class ActionTool(Protocol):
    """What carries actions out."""

    def begin(self, action: Action) -> float | str:
        """Start ``action``; return how long it takes in seconds, or a sentence saying why it cannot be done."""
        ...

    def complete(self, action: Action) -> str | None:
        """Bring the effect of ``action`` about at its end; return a sentence if that failed."""
        ...


class ActionBook:
    """All actions of the order in force and the instant actions since it came, in the order they were asked for."""

    def __init__(self) -> None:
        self._all: dict[str, BoardAction] = {}

    @property
    def is_quiet(self) -> bool:
        """Whether every action is over."""
        return all(item.is_over for item in self._all.values())

    @property
    def is_order_quiet(self) -> bool:
        """Whether every action of the order is over."""
        return all(item.is_over for item in self._all.values() if item.sequence is not None)

    @property
    def is_anything_running(self) -> bool:
        """Whether an action of the order runs now."""
        return any(item.status is ActionStatus.RUNNING and item.sequence is not None for item in self._all.values())

    @property
    def holds_robot(self) -> bool:
        """Whether an action that is due keeps the robot standing."""
        return any(item.is_due and item.holds and not item.is_over for item in self._all.values())

    @property
    def next_event_s(self) -> float | None:
        """When the next running action ends (seconds, absolute)."""
        return min((item.ends_s for item in self._all.values() if item.ends_s is not None), default=None)

    def known_up_to(self, sequence: int) -> frozenset[str]:
        """Return the ids of all actions at nodes up to ``sequence``, and of the instant ones."""
        return frozenset(name for name, item in self._all.items() if item.sequence is None or item.sequence <= sequence)

    def find(self, action_id: str) -> BoardAction | None:
        """Return the action with this id, if it is known."""
        return self._all.get(action_id)

    def clear(self) -> None:
        """Forget everything, as a new order does."""
        self._all.clear()

    def drop_horizon(self, decision_sequence: int) -> None:
        """Forget the actions behind the base, which an update replaces."""
        self._all = {
            name: item
            for name, item in self._all.items()
            if item.sequence is None or item.sequence <= decision_sequence
        }

    def add_nodes(self, nodes: Iterable[Node]) -> None:
        """Take in the actions of ``nodes``, waiting until their node is traversed."""
        for node in nodes:
            for action in node.actions:
                self._all[action.action_id] = BoardAction(action, node.sequence_id)

    def add_instant(self, action: Action) -> BoardAction:
        """Take in an instant action and return it; whoever asked decides when it is due."""
        item = BoardAction(action, None)
        self._all[action.action_id] = item
        return item

    def make_due(self, sequence: int) -> None:
        """Let the actions of the traversed node ``sequence`` start as soon as they may."""
        for item in self._all.values():
            if item.sequence == sequence:
                item.is_due = True

    def fail_waiting(self, reason: str) -> None:
        """Fail every action of the order that has not started."""
        for item in self._all.values():
            if item.sequence is not None and item.status is ActionStatus.WAITING:
                item.fail(reason)

    def advance_to(self, time_s: float, tool: ActionTool, *, is_standing: bool, may_start: bool) -> list[BoardAction]:
        """End what is over by ``time_s`` and start what may start; return every action that changed."""
        changed = self._end(time_s, tool)
        if may_start:
            changed += self._start(time_s, tool, is_standing=is_standing)
        return changed

    def reported(self) -> tuple[ActionState, ...]:
        """Return all actions as they stand in a state message."""
        return tuple(item.reported() for item in self._all.values())

    def _end(self, time_s: float, tool: ActionTool) -> list[BoardAction]:
        ended = [item for item in self._all.values() if item.ends_s is not None and item.ends_s <= time_s]
        for item in ended:
            failure = tool.complete(item.action)
            if failure is None:
                item.finish()
            else:
                item.fail(failure)
        return ended

    def _start(self, time_s: float, tool: ActionTool, *, is_standing: bool) -> list[BoardAction]:
        started: list[BoardAction] = []
        waiting = [item for item in self._all.values() if item.is_due and not item.is_over]
        for index, item in enumerate(waiting):
            is_hard = item.action.blocking_type is BlockingType.HARD
            if item.status is ActionStatus.WAITING:
                if (item.holds and not is_standing) or (is_hard and index > 0):
                    break
                self._begin(item, time_s, tool)
                started.append(item)
            if is_hard and not item.is_over:
                break
        return started

    def _begin(self, item: BoardAction, time_s: float, tool: ActionTool) -> None:
        answer = tool.begin(item.action)
        if isinstance(answer, str):
            item.fail(answer)
        else:
            item.status, item.ends_s = ActionStatus.RUNNING, time_s + answer
