"""A person takes a robot out of service, or puts it back: it ends its trip, rests at its own place, gets no work."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.robot_acts import Asked, begin, note
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.hold import Hold, HoldKind
from orchestrator.domain.fleet.record import RobotRecord


def take_out_of_service(uow: UnitOfWork, fleet: FleetOnSite, asked: Asked, *, ids: Ids) -> RobotRecord:
    """Give a robot no new work; one that is out of service stays so.

    Raises
    ------
    UnknownRobotError, InvalidInputError
        There is no such robot, or the reason says nothing.
    """
    turn = begin(uow, fleet, asked, ids=ids, act="The taking out of service")
    record = turn.record(asked.robot)
    if record.is_held_for(HoldKind.OUT_OF_SERVICE):
        return record
    sentence = f"Robot {asked.robot} was taken out of service by {asked.by}; it gets no work until it is put back."
    # Where somebody has sent it before it stays no longer; it may be sent somewhere, such as to be seen to, after this.
    freed = record if record.sent_to is None else replace(record, sent_to=None, target=None, route=())
    turn.put(freed.held_for(Hold(HoldKind.OUT_OF_SERVICE, sentence, asked.by, asked.at)))
    outcome = "It gets no new work, ends its trip and goes to its resting place."
    return note(turn, asked, RobotAct.OUT_OF_SERVICE, outcome=outcome)


def put_in_service(uow: UnitOfWork, fleet: FleetOnSite, asked: Asked, *, ids: Ids) -> RobotRecord:
    """Give a robot work again; one that is in service stays so.

    Raises
    ------
    UnknownRobotError, InvalidInputError
        There is no such robot, or the reason says nothing.
    """
    turn = begin(uow, fleet, asked, ids=ids, act="The putting in service")
    record = turn.record(asked.robot)
    if not record.is_held_for(HoldKind.OUT_OF_SERVICE):
        return record
    turn.put(record.released_from(HoldKind.OUT_OF_SERVICE))
    return note(turn, asked, RobotAct.IN_SERVICE, outcome="It gets work again.")
