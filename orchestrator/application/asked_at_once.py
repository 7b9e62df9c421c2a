"""What a robot was asked at once and has not done, and how that is taken back.

An instant action is sent again until the robot has done it. What lets a robot go, or tells it where it is, is true only
for as long as nothing else has come between: sent later it lets go a robot that somebody has stopped meanwhile, or
tells it of a place that it has left.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from orchestrator.application.ports import OutboxMessage
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.order import ActionKind

ACTION_UNANSWERED = "action_unanswered"
"""What whoever waits for a robot is told when it does not do what it was asked at once."""

MAP_ACTIONS = frozenset({ActionKind.ENABLE_MAP, ActionKind.INIT_POSITION})
"""What tells a robot where it is."""

LETS_GO = frozenset({ActionKind.RESUME, ActionKind.STOP_CHARGING, ActionKind.START_CHARGING})
"""What lets a robot that stands move."""

BEFORE_ORDER = frozenset({ActionKind.PICK, ActionKind.DROP, ActionKind.STOP_CHARGING, ActionKind.START_CHARGING})
"""What a robot may be asked to do where it stands, before its next order."""


def asked_at_once(turn: Turn, robot: RobotId, kinds: Collection[ActionKind]) -> Sequence[OutboxMessage]:
    """Return what of these kinds a robot was asked at once and is not over, in the order that it was asked."""
    return [
        message
        for message in turn.uow.outbox.wanted()
        if message.robot == robot and message.action is not None and message.action.kind in kinds
    ]


def ask_no_more(turn: Turn, robot: RobotId, kinds: Collection[ActionKind]) -> None:
    """Take back what of these kinds a robot was asked at once and is not over."""
    for message in asked_at_once(turn, robot, kinds):
        turn.ask_no_more(message)
