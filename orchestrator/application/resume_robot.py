"""A person lets a robot go on: every hold on it is lifted, once nothing that laid one is still so (promise 14)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.driving import lanes_ahead
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.robot_changes import keep_robot, known_robot
from orchestrator.application.steps import FREE_FOR_A_NEW_ORDER, stands_on_its_way
from orchestrator.domain.fleet.causes import causes_of_hold
from orchestrator.domain.fleet.errors import RobotOffGraphError, RobotSilentError, RobotStillStoppedError
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import ActionId, RobotId
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.reason import require_said

ACT = "The resumption"


def resume_robot(
    uow: UnitOfWork, *, fleet: FleetOnSite, robot: RobotId, by: str, reason: str, at: datetime, ids: Ids
) -> RobotRecord:
    """Lift what keeps a robot from driving, and enter it where it stands; it goes on with its trip.

    A robot that stands on its way goes on from there. One that was moved goes on from the waypoint it stands on. A
    robot that nothing keeps stays as it is.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    fleet : FleetOnSite
        The robots and their lanes.
    robot : RobotId
        Which robot.
    by : str
        Id of the principal who has seen to it.
    reason : str
        What they found, in their words.
    at : datetime
        Now; aware.
    ids : Ids
        New ids, for what the robot is told.

    Raises
    ------
    UnknownRobotError, InvalidInputError
        There is no such robot, or the reason says nothing.
    RobotSilentError
        It is silent, so nobody here knows how it is.
    RobotStillStoppedError
        It reports still what it was stopped for.
    RobotOffGraphError
        It was moved and stands on no waypoint.
    """
    record = known_robot(uow, fleet, robot)
    require_said(reason, act=ACT)
    lifted = [hold for hold in record.holds if hold.kind.keeps_from_driving]
    is_paused = any(hold.kind is HoldKind.PAUSED for hold in lifted) or bool(record.report and record.report.is_paused)
    if not lifted and not is_paused:
        return record
    _require_fit(record)
    kept = tuple(hold for hold in record.holds if hold not in lifted)
    resumed = replace(_entered_where_it_stands(fleet, record), holds=kept, waiting=())
    keep_robot(uow, resumed, before=record, at=at)
    _tell_what_waits(uow, robot, codes={hold.kind.code for hold in lifted}, at=at)
    if is_paused:
        _end_pause(uow, robot, at=at, ids=ids)
    return resumed


def _require_fit(record: RobotRecord) -> None:
    report = record.report
    if report is None or record.lost_since is not None:
        raise RobotSilentError(
            f"{ACT} was refused: robot {record.robot} is silent; expected to hear from it first. See that it is "
            "switched on and reaches the network, or fence it off.",
            detail={"robot": record.robot},
        )
    for kind, sentence in causes_of_hold(report, has_place=True).items():
        raise RobotStillStoppedError(
            f"{ACT} was refused, because what the robot is held for is still so. {sentence}",
            detail={"robot": record.robot, "hold": kind.value},
        )


def _entered_where_it_stands(fleet: FleetOnSite, record: RobotRecord) -> RobotRecord:
    if record.phase not in FREE_FOR_A_NEW_ORDER and record.phase is not OrderPhase.CANCELLING:
        return record
    if not stands_on_its_way(fleet, record):
        return _entered_anew(fleet, record)
    if lanes_ahead(record) or record.phase is OrderPhase.CANCELLING:
        return record
    # What it did at the end of its way, such as docking, may be asked of it again.
    return replace(record, order=None, phase=OrderPhase.DONE, passed=0)


def _entered_anew(fleet: FleetOnSite, record: RobotRecord) -> RobotRecord:
    assert record.report is not None
    assert record.report.pose is not None, "a robot without a position is refused before"
    nearest = fleet.nearest_waypoint(record.report.pose)
    if nearest is None or nearest[1] > fleet.policy.place_tolerance_m:
        where = f"; the nearest is {nearest[0].id}" if nearest else ""
        raise RobotOffGraphError(
            f"{ACT} was refused: robot {record.robot} stands on no waypoint{where}. Drive it onto one, best onto its "
            "home, then resume it again.",
            detail={"robot": record.robot, "nearest": nearest[0].id if nearest else None},
        )
    # What it holds there is entered by whoever steers.
    return RobotRecord(
        record.robot,
        trip=record.trip,
        target=record.target,
        phase=record.phase if record.phase is OrderPhase.CANCELLING else OrderPhase.DONE,
        tip=nearest[0].id,
        report=record.report,
        driven_m=record.driven_m,
    )


def _tell_what_waits(uow: UnitOfWork, robot: RobotId, *, codes: set[str], at: datetime) -> None:
    for delivery in uow.deliveries.open():
        waiting = tuple(reason for reason in delivery.waiting if reason.code not in codes)
        if delivery.robot == robot and waiting != delivery.waiting:
            keep_change(uow, replace(delivery, waiting=waiting), at=at)


def _end_pause(uow: UnitOfWork, robot: RobotId, *, at: datetime, ids: Ids) -> None:
    for message in uow.outbox.wanted():
        if message.robot == robot and message.action is not None and message.action.kind is ActionKind.PAUSE:
            uow.outbox.settle(message.id, "withdrawn")
    uow.outbox.add(robot, at=at, action=RobotAction(id=ActionId(ids.new("action")), kind=ActionKind.RESUME))
