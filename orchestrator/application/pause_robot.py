"""A person pauses a robot: it stands at once, keeps its order, and goes on when it is resumed."""

from __future__ import annotations

from orchestrator.application.asked_at_once import asked_at_once
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.holding import give_up_order, hold_by_person
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.robot_acts import Asked, begin, note
from orchestrator.application.steps import remaining_base
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import ActionId
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.reason import Reason


def pause_robot(uow: UnitOfWork, fleet: FleetOnSite, asked: Asked, *, ids: Ids) -> RobotRecord:
    """Pause a robot; one that is paused stays as it is.

    The robot is told until it answers; people are told when it does not. One that is held as paused and may drive on
    all the same is told: it was withdrawn and ends its released way first, or somebody let it go on at the robot.

    Raises
    ------
    UnknownRobotError, InvalidInputError
        There is no such robot, or the reason says nothing.
    """
    turn = begin(uow, fleet, asked, ids=ids, act="The pause")
    record = turn.record(asked.robot)
    if record.is_held_for(HoldKind.PAUSED) and not _may_drive_on(turn, record):
        return record
    sentence = f"Robot {asked.robot} was paused by {asked.by}; it goes on when it is resumed."
    hold_by_person(turn, asked.robot, HoldKind.PAUSED, by=asked.by, sentence=sentence)
    if not fleet.dialect_of(asked.robot).knows(ActionKind.PAUSE):
        give_up_order(turn, asked.robot, Reason(HoldKind.PAUSED.code, sentence))
        return note(turn, asked, RobotAct.PAUSE, outcome="It knows no pause: its order was cancelled instead.")
    turn.want_action(asked.robot, RobotAction(id=ActionId(ids.new("action")), kind=ActionKind.PAUSE))
    return note(turn, asked, RobotAct.PAUSE, outcome="It was told to stand; it keeps its order until it is resumed.")


def _may_drive_on(turn: Turn, record: RobotRecord) -> bool:
    """Whether it has a way to drive, or drives, and neither says that it stands paused nor was just told to."""
    has_order = record.phase in (OrderPhase.WANTED, OrderPhase.ACKNOWLEDGED) and bool(remaining_base(record))
    is_driving = record.report is not None and record.report.is_driving
    is_paused = record.report is not None and record.report.is_paused
    return (has_order or is_driving) and not is_paused and not asked_at_once(turn, record.robot, _WHAT_STOPS_IT)


_WHAT_STOPS_IT = frozenset({ActionKind.PAUSE, ActionKind.CANCEL_ORDER})
