"""Robots that people withdrew from a delivery: another one fetches it, and the same one only after a rest."""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.reason import Reason

ROBOT_WITHDRAWN = "robot_withdrawn"


def resting_from(delivery: Delivery, *, rest: timedelta, at: datetime) -> frozenset[RobotId]:
    """Return the robots that people withdrew from a delivery less than ``rest`` ago, by its history.

    Whoever withdraws a robot has a reason not to want it there, and would else see it set out again at once.
    """
    return frozenset(
        RobotId(each.cause)
        for each in delivery.history
        if each.after is DeliveryState.VERIFIED
        and each.reason is not None
        and each.reason.code == ROBOT_WITHDRAWN
        and at < each.at + rest
    )


def rests(robot: RobotId) -> Reason:
    """Return why a delivery that a robot was withdrawn from waits, where another robot can fetch it."""
    sentence = f"{robot} was withdrawn from this delivery; it waits for another robot, or until {robot} has rested."
    return Reason(ROBOT_WITHDRAWN, sentence)


def takes_it_again(robot: RobotId) -> Reason:
    """Return why a robot is given a delivery again that it was withdrawn from a moment ago."""
    sentence = f"{robot} was withdrawn from this delivery and is given it again, since no other robot can fetch it."
    return Reason("withdrawn_robot_again", sentence)
