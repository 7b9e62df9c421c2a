"""Asking again for a cancelOrder that failed, until the robot gives its order up.

A robot that has not given up its order keeps it on our books and gets no other (`OrderPhase.CANCELLING`). One that does
not come to it is held in the end, like every robot that does not do what it is told (`Conduct`). What is remembered
here begins anew at a restart: then it is asked again a little later.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.model import ActionId, RobotId
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.domain.fleet.record import OrderPhase

AGAIN_MAX_S = 60.0
"""How long to wait at most before a robot is asked once more to give up its order."""


@dataclass(slots=True)
class _Attempt:
    """When to ask next, and how long to wait after that."""

    at_s: float
    wait_s: float


class Cancelling:
    """When which robot is asked again to give up its order.

    Parameters
    ----------
    fleet : FleetOnSite
        Its policy says how long to wait the first time; each further time it is twice as long.
    """

    def __init__(self, fleet: FleetOnSite) -> None:
        self._fleet = fleet
        self._attempts: dict[RobotId, _Attempt] = {}

    def ask_again(self, turn: Turn) -> None:
        """Ask every robot whose cancelOrder failed once more, if it is time."""
        asked = {
            message.robot
            for message in turn.uow.outbox.wanted()
            if message.action is not None and message.action.kind is ActionKind.CANCEL_ORDER
        }
        for robot in sorted(self._fleet.robots):
            if turn.record(robot).phase is not OrderPhase.CANCELLING:
                self._attempts.pop(robot, None)
            elif robot not in asked:
                self._ask(turn, robot)

    def _ask(self, turn: Turn, robot: RobotId) -> None:
        first_s = self._fleet.policy.retry_after_s
        attempt = self._attempts.setdefault(robot, _Attempt(turn.at_s + first_s, first_s))
        if turn.at_s < attempt.at_s:
            return
        turn.want_action(robot, RobotAction(id=ActionId(turn.ids.new("action")), kind=ActionKind.CANCEL_ORDER))
        attempt.wait_s = min(2.0 * attempt.wait_s, AGAIN_MAX_S)
        attempt.at_s = turn.at_s + attempt.wait_s
