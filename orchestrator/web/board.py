"""The board: what a page shows of deliveries, robots and waiting people, in words, made once for HTML and script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from pydantic import BaseModel

from orchestrator.application.ports import UnitOfWork
from orchestrator.application.views import FleetPicture
from orchestrator.domain.access.acts import Act
from orchestrator.domain.delivery.model import PRIORITY_WORDS, Delivery, DeliveryState, Trip
from orchestrator.domain.emergency.alarm import Alarm
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.closure import LaneClosure
from orchestrator.domain.site.model import Site, StationId
from orchestrator.web.hold_words import MayDo, anything
from orchestrator.web.robot_rows import RobotRow, robot_row
from orchestrator.web.tasks import Task, alarm_tasks, tasks_of
from orchestrator.web.words import delivery_words, reason_sentence, short_id, station_name

CLOSED_SHOWN = 12
OPEN_SHOWN = 200
OPEN = "open"
"""The act on a closed lane, by the last part of its address in the API."""

CLOSED = frozenset(state for state in DeliveryState if state.is_closed)
SUMMARY_WORDS: Mapping[str, frozenset[DeliveryState]] = {
    "waiting for people": frozenset({DeliveryState.LOADING, DeliveryState.ARRIVED}),
    "on the way": frozenset({DeliveryState.SEALED, DeliveryState.IN_TRANSIT, DeliveryState.HANDED_TO_RUNNER}),
    "to be fetched": frozenset({DeliveryState.QUEUED, DeliveryState.VERIFIED, DeliveryState.ASSIGNED}),
    "coming back": frozenset({DeliveryState.RETURNING}),
    "on hold": frozenset({DeliveryState.HELD}),
    "in an incident": frozenset({DeliveryState.INCIDENT}),
}
"""The ways in which open deliveries are counted; every open state is in one of them."""


class DeliveryRow(BaseModel):
    """One delivery as the page lists it; ``state`` is the code, everything else is for reading."""

    id: str
    name: str
    start: str
    end: str
    priority: str
    priority_words: str
    state: DeliveryState
    words: str
    since_words: str
    since: datetime
    reason: str
    robot: str
    drawer: str
    due: datetime | None
    expected_words: str
    expected: datetime | None
    latest_words: str
    latest: datetime | None
    is_late: bool
    is_closed: bool


class ClosureRow(BaseModel):
    """One way that a person has closed, in one direction or both; ``lanes`` are their ids, the first names the row.

    ``acts`` is what who looks may do with it.
    """

    id: str
    lanes: list[str]
    way: str
    by: str
    since: datetime
    until: datetime | None
    until_words: str
    acts: list[str]


class Board(BaseModel):
    """Everything on the page that is not the plan of a floor."""

    at: datetime
    summary: str
    tasks: list[Task]
    deliveries: list[DeliveryRow]
    not_shown: int
    robots: list[RobotRow]
    closures: list[ClosureRow]


@dataclass(frozen=True, slots=True)
class Books:
    """What the board needs of the store, from one committed state."""

    opened: Sequence[Delivery]
    closed: Sequence[Delivery]
    trips: Sequence[Trip]
    closures: Sequence[LaneClosure] = ()
    alarms: Sequence[Alarm] = ()


def read_books(uow: UnitOfWork) -> Books:
    """Return every open delivery and trip, and the newest closed deliveries."""
    return Books(
        opened=uow.deliveries.open(),
        closed=uow.deliveries.page(after=None, limit=CLOSED_SHOWN, states=CLOSED),
        trips=uow.trips.open(),
        closures=uow.closures.standing(),
        alarms=uow.alarms.standing(),
    )


def board_of(
    books: Books,
    fleet: FleetPicture,
    *,
    site: Site,
    at: datetime,
    homes: Mapping[RobotId, StationId] = MappingProxyType({}),
    may_do: MayDo = anything,
) -> Board:
    """Return the board.

    Parameters
    ----------
    books : Books
        Deliveries and trips.
    fleet : FleetPicture
        Where everything is.
    site : Site
        For the names of stations.
    at : datetime
        The present moment, aware.
    homes : mapping of RobotId to StationId
        The resting place of each robot.
    may_do : callable
        Whether who looks at the page may do something; the page offers them nothing else.
    """
    trips = {trip.id: trip for trip in books.trips}
    robots = [
        robot_row(
            robot,
            trip=trips.get(robot.record.trip) if robot.record.trip else None,
            site=site,
            home=homes.get(robot.id),
            may_do=may_do,
        )
        for robot in fleet.robots
    ]
    opened = sorted(books.opened, key=_by_urgency)
    shown = opened[:OPEN_SHOWN]
    return Board(
        at=at,
        summary=_summary(books.opened),
        tasks=[*alarm_tasks(books.alarms, site=site), *tasks_of(books.trips, books.opened, robots, site=site)],
        deliveries=[_delivery_row(delivery, site, at) for delivery in (*shown, *books.closed)],
        not_shown=len(opened) - len(shown),
        robots=robots,
        closures=_closure_rows(books.closures, site, acts=[OPEN] if may_do(Act.OPEN_LANE) else []),
    )


def _closure_rows(closures: Sequence[LaneClosure], site: Site, *, acts: list[str]) -> list[ClosureRow]:
    """Return one row for each closed way; a direction and its reverse, closed alike, are one."""
    lanes = {lane.id: lane for graph in site.graphs.values() for lane in graph.lanes.values()}
    rows: dict[str, ClosureRow] = {}
    for closure in sorted(closures, key=lambda closure: closure.lane):
        lane = lanes.get(closure.lane)
        other = rows.get(lane.reverse) if lane is not None and lane.reverse is not None else None
        if other is not None and (other.by, other.until) == (closure.by, closure.until):
            other.lanes.append(closure.lane)
            continue
        rows[closure.lane] = ClosureRow(
            id=closure.lane,
            lanes=[closure.lane],
            way=closure.lane if lane is None else f"{lane.start} to {lane.end}",
            by=closure.by,
            since=closure.at,
            until=closure.until,
            until_words="until" if closure.until else "until somebody opens it",
            acts=acts,
        )
    return list(rows.values())


def _by_urgency(delivery: Delivery) -> tuple[int, float, datetime, str]:
    due = delivery.due_by.timestamp() if delivery.due_by else float("inf")
    return delivery.priority.rank, due, delivery.queued_at, delivery.id


def _summary(opened: Sequence[Delivery]) -> str:
    """Return how many deliveries there are in each of the few ways that matter at a glance."""
    if not opened:
        return "No delivery is open."
    ways = [
        f"{count} {words}"
        for words, states in SUMMARY_WORDS.items()
        if (count := sum(delivery.state in states for delivery in opened))
    ]
    return f"{len(opened)} open: {', '.join(ways)}."


def _delivery_row(delivery: Delivery, site: Site, at: datetime) -> DeliveryRow:
    start, end = station_name(site, delivery.from_station), station_name(site, delivery.to_station)
    is_closed = delivery.state.is_closed
    expected = delivery.arrival.expected_at if delivery.state.is_to_arrive else None
    return DeliveryRow(
        id=delivery.id,
        name=short_id(delivery.id),
        start=start,
        end=end,
        priority=delivery.priority.value,
        priority_words=PRIORITY_WORDS[delivery.priority],
        state=delivery.state,
        words=delivery_words(delivery, start=start, end=end, back=station_name(site, delivery.returns_to)),
        since_words="at" if is_closed else "since",
        since=delivery.history[-1].at if delivery.history else delivery.queued_at,
        reason=reason_sentence(delivery.waiting, site=site),
        robot=delivery.robot or "",
        drawer=delivery.drawer or "",
        due=delivery.due_by,
        expected_words="expected" if expected else "",
        expected=expected,
        latest_words="at the latest" if expected else "",
        latest=delivery.arrival.expected_latest_at if expected else None,
        is_late=not is_closed and delivery.due_by is not None and delivery.due_by < (expected or at),
        is_closed=is_closed,
    )
