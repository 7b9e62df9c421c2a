"""A person fences a robot off: nothing is granted to it, and it is an obstacle, or no longer there at all."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.holding import give_up_order, hold_by_person
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.robot_acts import Asked, begin, note
from orchestrator.application.steps import entered_at
from orchestrator.application.trips import give_up_assignments, leave_station
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.reason import Reason


def fence_off_robot(
    uow: UnitOfWork, fleet: FleetOnSite, asked: Asked, *, ids: Ids, is_removed: bool = False
) -> RobotRecord:
    """Fence a robot off; it need not be heard for this. One that is fenced off already stays as it is.

    Parameters
    ----------
    uow, fleet, asked, ids
        As for every act.
    is_removed : bool
        Whether it was carried out of the lanes. It occupies nothing then, until it is resumed on a waypoint.

    Raises
    ------
    UnknownRobotError, InvalidInputError
        There is no such robot, or the reason says nothing.
    """
    turn = begin(uow, fleet, asked, ids=ids, act="The fencing off")
    record = turn.record(asked.robot)
    if record.is_held_for(HoldKind.FENCED_OFF) and (record.is_held_for(HoldKind.REMOVED) or not is_removed):
        return record
    sentence = f"Robot {asked.robot} was fenced off by {asked.by}; see to what it carries, resume it when it is fit."
    reason = Reason(HoldKind.FENCED_OFF.code, sentence)
    hold_by_person(turn, asked.robot, HoldKind.FENCED_OFF, by=asked.by, sentence=sentence)
    give_up_assignments(turn, asked.robot, reason)
    leave_station(turn, asked.robot, reason)
    give_up_order(turn, asked.robot, reason)
    outcome = "Nothing is granted to it; it is an obstacle where it stands."
    if is_removed:
        sentence = (
            f"Robot {asked.robot} was taken out of the lanes by {asked.by}; put it on a waypoint, then resume it."
        )
        hold_by_person(turn, asked.robot, HoldKind.REMOVED, by=asked.by, sentence=sentence)
        _take_out(turn, asked.robot)
        outcome = "Nothing is granted to it, and it occupies nothing."
    return note(turn, asked, RobotAct.FENCE_OFF, outcome=outcome)


def _take_out(turn: Turn, robot: RobotId) -> None:
    record = turn.record(robot)
    target = None if record.trip is None else record.target
    turn.put(replace(entered_at(record, None), waiting=record.waiting, sent_to=None, target=target))
