"""A person lets a robot go on: every hold on it is lifted, once nothing that laid one is still so (promise 14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.application.asked_at_once import ask_no_more, asked_at_once
from orchestrator.application.driving import lanes_ahead
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.robot_acts import Asked, begin, note
from orchestrator.application.steps import FREE_FOR_A_NEW_ORDER, entered_at, stands_on_its_way
from orchestrator.application.turn import Turn
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.causes import causes_of_hold
from orchestrator.domain.fleet.errors import (
    ClockNotRefusedError,
    RobotOffGraphError,
    RobotSilentError,
    RobotStillStoppedError,
)
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.hold import Hold, HoldKind
from orchestrator.domain.fleet.model import ActionId, RobotId
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.vda5050.freshness import CLOCK_TOLERANCE

ACT = "The resumption"


def resume_robot(
    uow: UnitOfWork, fleet: FleetOnSite, asked: Asked, *, ids: Ids, clock_off_s: float | None = None
) -> RobotRecord:
    """Lift what keeps a robot from driving, and enter it where it stands; it goes on with its trip.

    A robot that stands on its way goes on from there. One that was moved goes on from the waypoint it stands on. A
    robot that nothing keeps stays as it is.

    Parameters
    ----------
    uow, fleet, asked, ids
        As for every act.
    clock_off_s : float, optional
        For a robot whose states do not count because its clock was right and now is off, as after a reboot: that
        somebody stands at it, and by how many seconds its clock is ahead. It is heard again then; what it is held for
        is lifted by another resumption, once it is known how it is.

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
    ClockNotRefusedError
        It is heard, or never was, so that its clock keeps it from nothing.
    """
    turn = begin(uow, fleet, asked, ids=ids, act=ACT)
    record = turn.record(asked.robot)
    if clock_off_s is not None:
        return _let_clock_count(turn, asked, record, clock_off_s)
    lifted = [hold for hold in record.holds if hold.kind.keeps_from_driving]
    is_paused = any(hold.kind is HoldKind.PAUSED for hold in lifted) or _stands_paused(turn, record)
    if not lifted and not is_paused:
        return record
    _require_fit(record)
    kept = tuple(hold for hold in record.holds if hold not in lifted)
    turn.put(replace(_entered_where_it_stands(fleet, record), holds=kept, waiting=()))
    _tell_who_waits(turn, asked.robot, codes={hold.kind.code for hold in lifted})
    if is_paused:
        _end_pause(turn, fleet, asked.robot)
    return note(turn, asked, RobotAct.RESUME, outcome=_outcome(lifted, turn.record(asked.robot)))


def _stands_paused(turn: Turn, record: RobotRecord) -> bool:
    """Whether it says that it is paused, and nobody has told it to go on just now."""
    is_told = bool(asked_at_once(turn, record.robot, {ActionKind.RESUME}))
    return record.report is not None and record.report.is_paused and not is_told


def _let_clock_count(turn: Turn, asked: Asked, record: RobotRecord, off_s: float) -> RobotRecord:
    """Hear a robot by its clock as it stands. The links take it from the books, where it outlasts a restart."""
    if record.lost_since is None or record.report is None:
        heard = "was never heard" if record.report is None else "is heard"
        raise ClockNotRefusedError(
            f"{ACT} by its clock was refused: robot {record.robot} {heard}, its clock keeps it from nothing. Expected "
            "a robot whose states do not count for its clock (refused_clock_off_s); resume it without clock_off_s.",
            detail={"robot": record.robot},
        )
    if abs(off_s) <= CLOCK_TOLERANCE.total_seconds():
        raise InvalidInputError(
            f"{ACT} by its clock was refused: {off_s:g} s off counts as right. Expected more than "
            f"{CLOCK_TOLERANCE.total_seconds():g} s, as refused_clock_off_s of the robot says.",
            detail={"clock_off_s": off_s},
        )
    if record.report.clock_off_s == off_s:
        return record
    turn.put(replace(record, report=replace(record.report, clock_off_s=off_s)))
    where = "ahead of" if off_s > 0 else "behind"
    outcome = (
        f"It is heard by its clock as it stands, {abs(off_s):.0f} s {where} ours, until that is set; what it is held "
        "for stays."
    )
    return note(turn, asked, RobotAct.RESUME, outcome=outcome)


def _outcome(lifted: Sequence[Hold], record: RobotRecord) -> str:
    what = ", ".join(hold.kind.value.replace("_", " ") for hold in lifted) or "paused at the robot"
    return f"It may go on, from {record.tip or 'where it stands'}; it was held for: {what}."


def _require_fit(record: RobotRecord) -> None:
    report = record.report
    if report is None or record.lost_since is not None:
        raise RobotSilentError(
            f"{ACT} was refused: robot {record.robot} is silent; expected to hear from it first. See that it is "
            "switched on and reaches the network, or fence it off. If its states do not count for its clock, set that, "
            "or resume it with its clock as it stands (clock_off_s).",
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
    nearest = fleet.nearest_waypoint(record.robot, record.report.pose)
    if nearest is None or nearest[1] > fleet.policy.place_tolerance_m:
        where = f"; the nearest is {nearest[0].id}" if nearest else ""
        raise RobotOffGraphError(
            f"{ACT} was refused: robot {record.robot} stands on no waypoint{where}. Drive it onto one, best onto its "
            "home, then resume it again.",
            detail={"robot": record.robot, "nearest": nearest[0].id if nearest else None},
        )
    return entered_at(record, nearest[0].id)


def _tell_who_waits(turn: Turn, robot: RobotId, *, codes: set[str]) -> None:
    for delivery in list(turn.deliveries.values()):
        if delivery.robot == robot:
            turn.let_wait(delivery, [reason for reason in delivery.waiting if reason.code not in codes])


def _end_pause(turn: Turn, fleet: FleetOnSite, robot: RobotId) -> None:
    ask_no_more(turn, robot, {ActionKind.PAUSE, ActionKind.RESUME})
    if fleet.dialect_of(robot).knows(ActionKind.RESUME):
        turn.want_action(robot, RobotAction(id=ActionId(turn.ids.new("action")), kind=ActionKind.RESUME))
