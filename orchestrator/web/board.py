"""The board: what a page shows of deliveries, robots and waiting people, in words, made once for HTML and script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from orchestrator.application.ports import UnitOfWork
from orchestrator.application.views import FleetPicture
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, StopKind, Trip
from orchestrator.domain.site.model import Site, StationId
from orchestrator.web.robot_rows import RobotRow, robot_row
from orchestrator.web.words import PRIORITY_WORDS, TASK_WORDS, delivery_words, reason_sentence, short_id

CLOSED_SHOWN = 12
OPEN_SHOWN = 200

CLOSED = frozenset(state for state in DeliveryState if state.is_closed)
STATE_AT_STOP: Mapping[StopKind, DeliveryState] = {
    StopKind.LOAD: DeliveryState.LOADING,
    StopKind.HAND_OVER: DeliveryState.ARRIVED,
    StopKind.TAKE_BACK: DeliveryState.RETURNING,
}


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
    since: datetime
    reason: str
    robot: str
    drawer: str
    due: datetime | None
    is_late: bool
    is_closed: bool


class Task(BaseModel):
    """What somebody has to do now, and where; ``station`` is empty when the place is not a station."""

    id: str
    station: str
    place: str
    act: str
    what: str
    is_alarm: bool = False


class Board(BaseModel):
    """Everything on the page that is not the plan of a floor."""

    at: datetime
    summary: str
    tasks: list[Task]
    deliveries: list[DeliveryRow]
    not_shown: int
    robots: list[RobotRow]


@dataclass(frozen=True, slots=True)
class Books:
    """What the board needs of the store, from one committed state."""

    opened: Sequence[Delivery]
    closed: Sequence[Delivery]
    trips: Sequence[Trip]


def read_books(uow: UnitOfWork) -> Books:
    """Return every open delivery and trip, and the newest closed deliveries."""
    return Books(
        opened=uow.deliveries.open(),
        closed=uow.deliveries.page(after=None, limit=CLOSED_SHOWN, states=CLOSED),
        trips=uow.trips.open(),
    )


def board_of(books: Books, fleet: FleetPicture, *, site: Site, at: datetime) -> Board:
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
    """
    trips = {trip.id: trip for trip in books.trips}
    opened = sorted(books.opened, key=_by_urgency)
    shown = opened[:OPEN_SHOWN]
    return Board(
        at=at,
        summary=_summary(books.opened),
        tasks=_tasks(books, fleet, site),
        deliveries=[_delivery_row(delivery, site, at) for delivery in (*shown, *books.closed)],
        not_shown=len(opened) - len(shown),
        robots=[
            robot_row(robot, trip=trips.get(robot.record.trip) if robot.record.trip else None, site=site)
            for robot in fleet.robots
        ],
    )


def _by_urgency(delivery: Delivery) -> tuple[int, float, datetime, str]:
    due = delivery.due_by.timestamp() if delivery.due_by else float("inf")
    return delivery.priority.rank, due, delivery.queued_at, delivery.id


def _summary(opened: Sequence[Delivery]) -> str:
    """Return how many deliveries there are in each of the few ways that matter at a glance."""
    states = [delivery.state for delivery in opened]
    aboard = sum(state in (DeliveryState.SEALED, DeliveryState.IN_TRANSIT) for state in states)
    people = sum(state in (DeliveryState.LOADING, DeliveryState.ARRIVED) for state in states)
    rest = len(states) - aboard - people
    if not states:
        return "No delivery is open."
    return f"{len(states)} open: {aboard} on the way, {people} wait for people, {rest} to come."


def _delivery_row(delivery: Delivery, site: Site, at: datetime) -> DeliveryRow:
    start, end = station_name(site, delivery.from_station), station_name(site, delivery.to_station)
    is_closed = delivery.state.is_closed
    return DeliveryRow(
        id=delivery.id,
        name=short_id(delivery.id),
        start=start,
        end=end,
        priority=delivery.priority.value,
        priority_words=PRIORITY_WORDS[delivery.priority],
        state=delivery.state,
        words=delivery_words(delivery, start=start, end=end),
        since=delivery.history[-1].at if delivery.history else delivery.queued_at,
        reason=reason_sentence(delivery.waiting),
        robot=delivery.robot or "",
        drawer=delivery.drawer or "",
        due=delivery.due_by,
        is_late=not is_closed and delivery.due_by is not None and delivery.due_by < at,
        is_closed=is_closed,
    )


def _tasks(books: Books, fleet: FleetPicture, site: Site) -> list[Task]:
    """Return what waits for a person: robots that are lost first, then robots that stand at a stop."""
    opened = {delivery.id: delivery for delivery in books.opened}
    lost = [
        Task(
            id=f"lost-{robot.id}",
            station="",
            place=robot.id,
            act="Look after the robot",
            what=reason_sentence(robot.record.waiting) or f"{robot.id} is silent.",
            is_alarm=True,
        )
        for robot in fleet.robots
        if robot.is_lost
    ]
    stops = [task for trip in books.trips if (task := _stop_task(trip, opened, site)) is not None]
    return lost + sorted(stops, key=lambda task: (task.place, task.id))


def _stop_task(trip: Trip, opened: Mapping[DeliveryId, Delivery], site: Site) -> Task | None:
    if not trip.has_arrived or not trip.stops:
        return None
    stop = trip.stops[0]
    wanted = STATE_AT_STOP[stop.kind]
    here = [opened[one] for one in stop.deliveries if one in opened and opened[one].state is wanted]
    if not here:
        return None
    pieces = [f"{short_id(one.id)} (drawer {one.drawer or '?'}, {_for_whom(one, stop.kind, site)})" for one in here]
    return Task(
        id=trip.id,
        station=stop.station,
        place=station_name(site, stop.station),
        act=TASK_WORDS[stop.kind],
        what=f"{trip.robot} stands here with {', '.join(pieces)}."
        if stop.kind is not StopKind.LOAD
        else f"{trip.robot} stands here for {', '.join(pieces)}.",
    )


def _for_whom(delivery: Delivery, kind: StopKind, site: Site) -> str:
    if kind is StopKind.LOAD:
        return f"to {station_name(site, delivery.to_station)}"
    return f"from {station_name(site, delivery.from_station)}"


def station_name(site: Site, station: StationId) -> str:
    """Return what people call a station; its id when the site no longer has it."""
    found = site.stations.get(station)
    return found.name or found.id if found is not None else station
