"""Quarantine: a robot whose messages do harm is held, and read only now and then, until a person lets it go on."""

from __future__ import annotations

from orchestrator.application.holding import ALARM, lay_hold
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import RobotId

ORDER_KEPT = "order_kept"
CONNECTION_CONTESTED = "connection_contested"


def quarantine(turn: Turn, robot: RobotId, what: str) -> None:
    """Hold a robot for what its messages do; one that is in quarantine already stays as it is.

    Parameters
    ----------
    turn : Turn
        The transaction.
    robot : RobotId
        Whose messages they are.
    what : str
        What it does, as the end of the sentence "Robot r1 ...".
    """
    sentence = (
        f"Robot {robot} {what}. It is in quarantine: it gets no orders, and is heard only now and then. Look at the "
        "robot and at who has its certificate; take that back if in doubt, and let the robot go on once it is well."
    )
    lay_hold(turn, robot, HoldKind.QUARANTINED, sentence)


def tell_of_kept_order(turn: Turn, robot: RobotId, kind: str) -> None:
    """Tell people that the broker kept an order for a robot, which nobody here ever asks of it."""
    sentence = (
        f"The broker had kept {kind} for robot {robot}, which a robot would follow days later; it has been removed. "
        "Nobody here has a message kept: find out who else gives orders to robots on this broker."
    )
    turn.tell(ALARM, robot, {"code": ORDER_KEPT, "sentence": sentence})


def tell_of_contested_connection(turn: Turn, robot: RobotId) -> None:
    """Tell people that a robot's connection breaks again and again, as it does when two use its certificate."""
    sentence = (
        f"The connection of robot {robot} breaks again and again. Either its radio is bad where it is, or somebody "
        "else connects with its certificate: the broker lets only one stay. Look at the robot; if it is well and "
        "connected, take its certificate back (wardporter pki revoke) and give it another."
    )
    turn.tell(ALARM, robot, {"code": CONNECTION_CONTESTED, "sentence": sentence})
