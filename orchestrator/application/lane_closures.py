"""People close lanes and open them again: stored, with who and why, and told what a closure cuts off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.application.closures import ClosedLanes
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.turn import Turn
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.reason import Reason, require_said
from orchestrator.domain.site.closure import LaneClosure
from orchestrator.domain.site.errors import ClosureCutsOffError, LaneUnknownError
from orchestrator.domain.site.graph import adjacency_of
from orchestrator.domain.site.model import Lane, LaneId
from orchestrator.domain.site.survey.closures import consequences_of_closing

LANE_CLOSED = "lane_closed"
LANE_OPENED = "lane_opened"
ROBOT_CUT_OFF = "robot_cut_off"
CLOSED_BY_PERSON = "lane_closed"
BY_ITSELF = "schedule"
CLOSED_FOR_LONGER = "It was closed anew, for longer."


@dataclass(frozen=True, slots=True)
class LaneAct:
    """Which lane somebody closes or opens, with its other direction or without, when, and why in their words."""

    lane: LaneId
    both_directions: bool
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LanesNow:
    """The lanes an act named, the closures that stand on them, and what these cut off."""

    lanes: tuple[LaneId, ...]
    closures: tuple[LaneClosure, ...]
    cuts_off: tuple[Reason, ...] = ()


def close_lane(
    uow: UnitOfWork, fleet: FleetOnSite, asked: LaneAct, *, until: datetime | None, even_if_cut_off: bool
) -> LanesNow:
    """Close a lane; one that is closed for as long already stays so, as it was closed first.

    One that would open by itself before is closed anew, by whoever closes it for longer: what two people have closed
    stays closed until the later of them is content.

    Robots are sent over it no more. One that is on it ends its released way and leaves.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    fleet : FleetOnSite
        The site, and the robots on it.
    asked : LaneAct
        Which lane, by whom and why.
    until : datetime or None
        When it opens by itself; aware and in the future.
    even_if_cut_off : bool
        Whether it is closed although stations or robots have no way then.

    Raises
    ------
    LaneUnknownError, InvalidInputError
        There is no such lane, the reason says nothing, or ``until`` is no moment in the future.
    ClosureCutsOffError
        A station or a robot would have no way any more, and ``even_if_cut_off`` was not said.
    """
    require_said(asked.reason, act="The closure")
    _check_until(until, at=asked.at)
    lanes = _lanes_of(fleet, asked)
    standing = {closure.lane: closure for closure in uow.closures.standing()}
    wanted = [lane for lane in lanes if lane not in standing or standing[lane].ends_before(until)]
    cuts_off = _what_is_cut_off(uow, fleet, lanes, closed_already=standing.keys() - set(lanes))
    if wanted and cuts_off and not even_if_cut_off:
        raise ClosureCutsOffError(
            f"The closure was refused, because it would leave somebody without a way: {cuts_off[0].sentence} Choose "
            "another lane, or close it with even_if_cut_off.",
            detail={"lanes": list(lanes), "cuts_off": [reason.sentence for reason in cuts_off]},
        )
    for lane in wanted:
        if lane in standing:
            uow.closures.open(lane, at=asked.at, by=asked.by, reason=CLOSED_FOR_LONGER)
        closure = LaneClosure(lane, asked.at, asked.by, asked.reason.strip(), until)
        uow.closures.close(closure)
        uow.events.append(at=asked.at, kind=LANE_CLOSED, subject=lane, data={"by": asked.by, "until": _text(until)})
    return LanesNow(lanes, _standing_on(uow, lanes), cuts_off)


def open_lane(uow: UnitOfWork, fleet: FleetOnSite, asked: LaneAct) -> LanesNow:
    """Open a lane; one that is open stays so.

    Raises
    ------
    LaneUnknownError, InvalidInputError
        There is no such lane, or the reason says nothing.
    """
    require_said(asked.reason, act="The opening")
    lanes = _lanes_of(fleet, asked)
    for closure in _standing_on(uow, lanes):
        _open(uow, closure.lane, at=asked.at, by=asked.by, reason=asked.reason.strip())
    return LanesNow(lanes, ())


def closed_by_people(turn: Turn) -> ClosedLanes:
    """Return the lanes that people have closed, each with why; those whose time is over are opened first."""
    closed: dict[LaneId, Reason] = {}
    for closure in turn.uow.closures.standing():
        if closure.is_over(turn.at):
            _open(turn.uow, closure.lane, at=turn.at, by=BY_ITSELF, reason="The time it was closed for is over.")
        else:
            closed[closure.lane] = Reason(CLOSED_BY_PERSON, f"Lane {closure.lane} was closed by {closure.by}.")
    return ClosedLanes(closed)


def _open(uow: UnitOfWork, lane: LaneId, *, at: datetime, by: str, reason: str) -> None:
    uow.closures.open(lane, at=at, by=by, reason=reason)
    uow.events.append(at=at, kind=LANE_OPENED, subject=lane, data={"by": by})


def _check_until(until: datetime | None, *, at: datetime) -> None:
    if until is not None and (until.tzinfo is None or until <= at):
        raise InvalidInputError(
            "The closure was refused: until is no moment in the future; expected one with an offset, such as "
            "2026-01-31T14:30:00Z. Leave it out to close the lane until somebody opens it.",
            detail={"field": "until", "now": at.isoformat()},
        )


def _lanes_of(fleet: FleetOnSite, asked: LaneAct) -> tuple[LaneId, ...]:
    lane = _find(fleet, asked.lane)
    if lane is None:
        raise LaneUnknownError(
            "No lane of the site has this id; expected one of those that GET /api/v1/site lists.",
            detail={"lane": asked.lane},
        )
    both = {lane.id} | ({lane.reverse} if asked.both_directions and lane.reverse is not None else set[LaneId]())
    return tuple(sorted(both))


def _find(fleet: FleetOnSite, lane: LaneId) -> Lane | None:
    graphs = fleet.site.graphs.values()
    return next((graph.lanes[lane] for graph in graphs if lane in graph.lanes), None)


def _standing_on(uow: UnitOfWork, lanes: Sequence[LaneId]) -> tuple[LaneClosure, ...]:
    return tuple(closure for closure in uow.closures.standing() if closure.lane in lanes)


def _what_is_cut_off(
    uow: UnitOfWork, fleet: FleetOnSite, lanes: Sequence[LaneId], *, closed_already: set[LaneId]
) -> tuple[Reason, ...]:
    models = {model.id: model for model in fleet.models.values()}
    found = consequences_of_closing(fleet.site, models.values(), lanes, closed_already=closed_already)
    stations = [Reason(finding.code, finding.sentence) for finding in found if finding.is_error]
    closed = closed_already | set(lanes)
    robots = [
        Reason(ROBOT_CUT_OFF, f"Robot {robot} would have no way to its resting place {fleet.robots[robot].home}.")
        for robot in sorted(fleet.robots)
        if _is_stranded(fleet, uow.robots.get(robot), closed=closed, before=closed_already)
    ]
    return (*stations, *robots)


def _is_stranded(fleet: FleetOnSite, record: RobotRecord, *, closed: set[LaneId], before: set[LaneId]) -> bool:
    if record.tip is None:
        return False
    home, ways = fleet.home_waypoint_of(record.robot), adjacency_of(fleet.graph_of(record.robot))
    had_a_way = home in ways.reachable_from(record.tip, closed=before)
    return had_a_way and home not in ways.reachable_from(record.tip, closed=closed)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
