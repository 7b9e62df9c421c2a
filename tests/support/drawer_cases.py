"""A house with something controlled in its robot's drawer, as the cases of drawers begin."""

from __future__ import annotations

from datetime import datetime

from orchestrator.application.drawer_watch import (
    note_opened,
)
from orchestrator.application.robot_calls import call_to_robots
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.issued_grant import IssuedGrant
from orchestrator.domain.custody.people import Present
from orchestrator.domain.custody.policy import CustodyPolicy
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.medicine.handling import HandlingClass
from tests.support.drawer_house import (
    LATER,
    NURSE,
    SECOND_NURSE,
    House,
    S,
)

CONTROLLED = HandlingClass.CONTROLLED
BOTH = Present("nurse-1", (NURSE, SECOND_NURSE))
ALONE = Present("nurse-1", (NURSE,))


def controlled(*, state: DeliveryState = S.ARRIVED, policy: CustodyPolicy | None = None) -> House:
    return House(state, handling_class=CONTROLLED, policy=policy)


def opened(house: House, present: Present = BOTH) -> IssuedGrant:
    issued = house.grant(present)
    house.turn(lambda turn: note_opened(turn, house.robot, issued.action))
    return issued


def called(house: House, at: datetime = LATER) -> None:
    """Let people be called to the robot, as every turn of the control does."""
    with house.store.transaction() as uow:
        turn = Turn(uow, at=at, at_s=0.0, ids=house.ids, records={house.robot: uow.robots.get(house.robot)})
        call_to_robots(turn, house.fleet, {})
