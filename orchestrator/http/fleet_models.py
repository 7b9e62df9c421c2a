"""What answers say about robots, doors and lifts, and about the site they move in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, JsonValue

from orchestrator.application.views import FleetPicture, HistoryPage, RobotPicture
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import OperatingMode, Pose, RobotReport
from orchestrator.domain.fleet.order import DriveOrder
from orchestrator.domain.fleet.record import OrderPhase
from orchestrator.domain.site.device import DoorPicture, DoorPosition, LiftMode, LiftPicture, Session
from orchestrator.domain.site.model import GraphId, LaneGraph, Site, StationKind
from orchestrator.http.response_models import ReasonView, reason_views

Point = tuple[float, float]


class PoseView(BaseModel):
    """Where a robot is: metres and radians in the site frame."""

    level: str
    x_m: float
    y_m: float
    theta_rad: float


class FaultView(BaseModel):
    """An error that a robot reports."""

    kind: str
    is_fatal: bool
    description: str


class OrderView(BaseModel):
    """The order a robot drives on: its waypoints, how many of them are released, and how many are behind it."""

    id: str
    update_id: int
    phase: OrderPhase
    waypoints: list[str]
    released: int
    passed: int


class HoldView(BaseModel):
    """Why a robot is kept from driving or from work, since when and by whom; a person lifts it."""

    kind: HoldKind
    reason: str
    by: str
    at: datetime
    keeps_from_driving: bool


class ComplaintView(BaseModel):
    """One way in which a robot's states depart from the schema, and are understood all the same.

    ``seen`` counts the states since the service's start; ``is_in_last`` says whether the last one is among them.
    """

    path: str
    problem: str
    seen: int
    is_in_last: bool


class RobotView(BaseModel):
    """A robot now; what it never said is null. ``findings`` are what its factsheet says against its configuration.

    ``clock_skew_s`` is by how many seconds its clock is ahead of ours, negative when behind. ``refused_clock_off_s`` is
    the same of a robot whose states do not count for it: what ``clock_off_s`` of a resumption has to say.
    """

    id: str
    model: str
    is_lost: bool
    clock_skew_s: float | None
    refused_clock_off_s: float | None
    last_heard_at: datetime | None
    pose: PoseView | None
    battery: float | None
    is_charging: bool | None
    is_driving: bool | None
    is_paused: bool | None
    is_emergency_stopped: bool | None
    mode: OperatingMode | None
    loads: list[str] | None
    faults: list[FaultView]
    trip: str | None
    target: str | None
    order: OrderView | None
    waiting: list[ReasonView]
    driven_m: float
    holds: list[HoldView]
    sent_to: str | None
    findings: list[ReasonView]
    complaints: list[ComplaintView]


class FactsheetView(BaseModel):
    """How a robot describes its kind (VDA 5050 factsheet, its own words; null until it sent one or one was configured).

    ``findings`` are what it says against the robot's configuration.
    """

    robot: str
    factsheet: dict[str, JsonValue] | None
    findings: list[ReasonView]


class SessionView(BaseModel):
    """Who holds a door or a lift, what for, since when, and when the device heard last that it is still needed."""

    holder: str
    purpose: str
    since: datetime
    heard_at: datetime


class RobotEntryView(BaseModel):
    """One entry of a robot's history: what was done, by whom and why, and what came of it at once."""

    number: int
    at: datetime
    act: RobotAct
    by: str
    reason: str
    outcome: str


class RobotHistoryView(BaseModel):
    """A page of a robot's history, newest first; ``next_after`` is the cursor of the next page, null at the end."""

    entries: list[RobotEntryView]
    next_after: int | None


class DoorStateView(BaseModel):
    """How a door stands, by its own word."""

    id: str
    position: DoorPosition
    is_obstructed: bool
    sessions: list[SessionView]


class LiftStateView(BaseModel):
    """Where a lift's cabin is, null between levels, how its doors stand, whom it serves, and who has it.

    ``is_occupied`` says whether people are in the cabin; null when the lift cannot tell.
    """

    id: str
    level: str | None
    doors: DoorPosition
    mode: LiftMode
    load_kg: float | None
    is_occupied: bool | None
    session: SessionView | None


class FleetView(BaseModel):
    """Everything that moves."""

    robots: list[RobotView]
    doors: list[DoorStateView]
    lifts: list[LiftStateView]


class LevelView(BaseModel):
    """One floor."""

    id: str
    name: str
    elevation_m: float


class WaypointView(BaseModel):
    """A place on a lane graph."""

    id: str
    level: str
    x_m: float
    y_m: float
    name: str
    lift: str | None
    may_stop: bool


class LaneView(BaseModel):
    """A directed way; a two-way one is two lanes, each naming the other."""

    id: str
    start: str
    end: str
    reverse: str | None
    width_m: float | None
    speed_limit_m_s: float | None
    door: str | None


class GraphView(BaseModel):
    """A lane graph that the fleet drives on."""

    id: str
    name: str
    waypoints: list[WaypointView]
    lanes: list[LaneView]


class DoorView(BaseModel):
    """A door, by its two jambs."""

    id: str
    name: str
    level: str
    start: Point
    end: Point


class LiftView(BaseModel):
    """A lift's shaft: cabin centre, yaw and size."""

    id: str
    name: str
    x_m: float
    y_m: float
    yaw_rad: float
    width_m: float
    depth_m: float
    levels: list[str]


class StationView(BaseModel):
    """A place where something happens; ``is_served`` says that the fleet drives there."""

    id: str
    kind: StationKind
    level: str
    name: str
    waypoints: dict[str, str]
    is_served: bool


class WallView(BaseModel):
    """A wall segment."""

    level: str
    start: Point
    end: Point


class SiteView(BaseModel):
    """The site, in metres in one right-handed frame, z up."""

    id: str
    name: str
    revision: str
    levels: list[LevelView]
    graphs: list[GraphView]
    doors: list[DoorView]
    lifts: list[LiftView]
    stations: list[StationView]
    walls: list[WallView]


def fleet_view(picture: FleetPicture) -> FleetView:
    """Return everything that moves as shown."""
    return FleetView(
        robots=[robot_view(robot) for robot in picture.robots],
        doors=[_door_state(door, now) for door, now in picture.doors.items()],
        lifts=[_lift_state(lift, now) for lift, now in picture.lifts.items()],
    )


def _door_state(door: str, now: DoorPicture) -> DoorStateView:
    sessions = [_session(session) for session in now.sessions]
    return DoorStateView(id=door, position=now.position, is_obstructed=now.is_obstructed, sessions=sessions)


def _lift_state(lift: str, now: LiftPicture) -> LiftStateView:
    return LiftStateView(
        id=lift,
        level=now.level,
        doors=now.doors,
        mode=now.mode,
        load_kg=now.load_kg,
        is_occupied=now.is_occupied,
        session=None if now.session is None else _session(now.session),
    )


def _session(session: Session) -> SessionView:
    return SessionView(holder=session.holder, purpose=session.purpose, since=session.since, heard_at=session.heard_at)


def history_view(page: HistoryPage) -> RobotHistoryView:
    """Return a page of a robot's history as shown."""
    return RobotHistoryView(
        entries=[
            RobotEntryView(
                number=entry.number,
                at=entry.at,
                act=entry.act,
                by=entry.by,
                reason=entry.reason,
                outcome=entry.outcome,
            )
            for entry in page.entries
        ],
        next_after=page.next_after,
    )


def pose_view(pose: Pose | None) -> PoseView | None:
    """Return a pose as shown."""
    return None if pose is None else PoseView(level=pose.level, x_m=pose.x_m, y_m=pose.y_m, theta_rad=pose.theta_rad)


def robot_view(picture: RobotPicture) -> RobotView:
    """Return a robot as shown."""
    report, record = picture.report, picture.record
    return RobotView(
        id=picture.id,
        model=picture.model,
        is_lost=picture.is_lost,
        clock_skew_s=picture.record.clock_skew_s,
        refused_clock_off_s=picture.refused_clock_off_s,
        last_heard_at=report.received_at if report else None,
        pose=pose_view(report.pose) if report else None,
        battery=picture.battery,
        is_charging=report.is_charging if report else None,
        is_driving=report.is_driving if report else None,
        is_paused=report.is_paused if report else None,
        is_emergency_stopped=report.is_emergency_stopped if report else None,
        mode=report.mode if report else None,
        loads=_loads(report),
        faults=_faults(report),
        trip=record.trip,
        target=record.target,
        order=_order(record.order, record.phase, record.passed),
        waiting=reason_views(record.waiting),
        driven_m=record.driven_m,
        holds=[
            HoldView(
                kind=hold.kind,
                reason=hold.reason,
                by=hold.by,
                at=hold.at,
                keeps_from_driving=hold.kind.keeps_from_driving,
            )
            for hold in record.holds
        ],
        sent_to=record.sent_to,
        findings=reason_views(record.findings),
        complaints=_complaints(picture),
    )


def _complaints(picture: RobotPicture) -> list[ComplaintView]:
    """Return the departures from the schema, the commonest first."""
    counted = sorted(picture.departures.items(), key=lambda item: (-item[1], item[0].path, item[0].problem))
    return [
        ComplaintView(path=fault.path, problem=fault.problem, seen=count, is_in_last=fault in picture.complaints)
        for fault, count in counted
    ]


def factsheet_view(picture: RobotPicture) -> FactsheetView:
    """Return a robot's factsheet as shown."""
    sheet = picture.factsheet
    return FactsheetView(
        robot=picture.id,
        factsheet=None if sheet is None else sheet.model_dump(mode="json", by_alias=True, exclude_none=True),
        findings=reason_views(picture.record.findings),
    )


def _loads(report: RobotReport | None) -> list[str] | None:
    return None if report is None or report.loads is None else list(report.loads)


def _faults(report: RobotReport | None) -> list[FaultView]:
    faults = () if report is None else report.faults
    return [FaultView(kind=fault.kind, is_fatal=fault.is_fatal, description=fault.description) for fault in faults]


def _order(order: DriveOrder | None, phase: OrderPhase, passed: int) -> OrderView | None:
    if order is None:
        return None
    return OrderView(
        id=order.id,
        update_id=order.update_id,
        phase=phase,
        waypoints=[step.waypoint for step in order.steps],
        released=order.released,
        passed=passed,
    )


def site_view(site: Site, *, graphs: Iterable[GraphId], served: frozenset[str]) -> SiteView:
    """Return the site as shown: the lane graphs named, everything else whole."""
    return SiteView(
        id=site.id,
        name=site.name,
        revision=site.revision,
        levels=[
            LevelView(id=level.id, name=level.name or level.id, elevation_m=level.elevation_m)
            for level in site.levels.values()
        ],
        graphs=[_graph(site.graphs[graph]) for graph in graphs],
        doors=[
            DoorView(id=door.id, name=door.name or door.id, level=door.level, start=door.start, end=door.end)
            for door in site.doors.values()
        ],
        lifts=[
            LiftView(
                id=lift.id,
                name=lift.name or lift.id,
                x_m=lift.x_m,
                y_m=lift.y_m,
                yaw_rad=lift.yaw_rad,
                width_m=lift.width_m,
                depth_m=lift.depth_m,
                levels=list(lift.levels),
            )
            for lift in site.lifts.values()
        ],
        stations=[
            StationView(
                id=station.id,
                kind=station.kind,
                level=station.level,
                name=station.name or station.id,
                waypoints={str(graph): str(waypoint) for graph, waypoint in station.waypoints.items()},
                is_served=station.id in served,
            )
            for station in site.stations.values()
        ],
        walls=[WallView(level=wall.level, start=wall.start, end=wall.end) for wall in site.walls],
    )


def _graph(graph: LaneGraph) -> GraphView:
    return GraphView(
        id=graph.id,
        name=graph.name or graph.id,
        waypoints=[
            WaypointView(
                id=place.id,
                level=place.level,
                x_m=place.x_m,
                y_m=place.y_m,
                name=place.name,
                lift=place.lift,
                may_stop=place.may_stop,
            )
            for place in graph.waypoints.values()
        ],
        lanes=[
            LaneView(
                id=lane.id,
                start=lane.start,
                end=lane.end,
                reverse=lane.reverse,
                width_m=lane.width_m,
                speed_limit_m_s=lane.speed_limit_m_s,
                door=lane.door,
            )
            for lane in graph.lanes.values()
        ],
    )
