"""What happens, as it happens: server-sent events that resume where a client left off.

Numbered events come from the store, in order and without gaps, each with its number as id. Between them come `fleet`
events without an id, at most two a second while something moves: they are worth only the moment they show.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent

from orchestrator.application.errors import UnavailableError
from orchestrator.application.ports import Event
from orchestrator.application.staff import STAFF_CHANGED
from orchestrator.domain.access.acts import Act
from orchestrator.domain.errors import InvalidInputError
from orchestrator.http.access import Access, access_of
from orchestrator.http.acting import DeskOfApp, may
from orchestrator.http.desk import Desk
from orchestrator.http.fleet_models import DoorStateView, LiftStateView, PoseView, fleet_view
from orchestrator.http.problems import documented
from orchestrator.http.request_models import EventsQuery

router = APIRouter(prefix="/api/v1", tags=["events"])

BATCH = 200
FLEET_EVERY_S = 0.5
KEEP_ALIVE_S = 15
ENDED = "session_ended"
GATHER_S = 0.05
"""What happens within this time is read at once, so that a busy control does not cost a query per message."""
EVENT_NUMBER_DIGITS_MAX = 15


class TooManyStreamsError(UnavailableError):
    """As many clients listen as this server serves."""

    code = "streams_full"


class LastEventIdError(InvalidInputError):
    """The header Last-Event-ID holds no event number."""

    code = "last_event_id"


class MovingRobotView(BaseModel):
    """What a map needs to draw a robot."""

    id: str
    pose: PoseView | None
    battery: float | None
    is_driving: bool | None
    is_lost: bool


class MovingView(BaseModel):
    """Everything that moves, as small as a map needs it."""

    robots: list[MovingRobotView]
    doors: list[DoorStateView]
    lifts: list[LiftStateView]


@router.get(
    "/events",
    dependencies=[may(Act.WATCH)],
    response_class=EventSourceResponse,
    responses={
        200: {"description": "Events: `hello`, numbered ones, and `fleet`.", "content": {"text/event-stream": {}}},
        **documented(401, 403, 421, 422, 503),
    },
)
async def get_events(request: Request, desk: DeskOfApp, query: Annotated[EventsQuery, Query()]) -> EventSourceResponse:
    """Stream what happens, from now on or from after the event named by Last-Event-ID or ``after``."""
    after = _last_event_id(request)
    if len(desk.streams) >= desk.streams_max:
        raise TooManyStreamsError(
            f"The stream was refused: {desk.streams_max} clients listen already, as many as this server serves. "
            "Close one, or try again later.",
        )
    return EventSourceResponse(
        _stream(desk, access_of(request), query.after if after is None else after), ping=KEEP_ALIVE_S
    )


def _last_event_id(request: Request) -> int | None:
    text = request.headers.get("last-event-id")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > EVENT_NUMBER_DIGITS_MAX:
        raise LastEventIdError(
            "The stream was refused: the header Last-Event-ID holds no event number; expected the id of an event that "
            "this server sent. Leave it out to listen from now on.",
            detail={"field": "Last-Event-ID"},
        )
    return int(text)


@contextmanager
def _place(desk: Desk) -> Iterator[None]:
    """Count a stream among those that are served, as long as it lasts."""
    place = object()
    desk.streams.add(place)
    try:
        yield
    finally:
        desk.streams.discard(place)


async def _stream(desk: Desk, access: Access, after: int | None) -> AsyncIterator[ServerSentEvent]:
    with _place(desk):
        newest = await desk.control.read(lambda uow: uow.events.last_number())
        yield ServerSentEvent(json.dumps({"newest": newest}), event="hello")
        # A client that has seen more than there is looks at a store that was replaced: it goes on from now.
        seen = newest if after is None else min(after, newest)
        fleet = _FleetFrames(desk)
        while True:
            # Who listens is looked at in every round, at least every `FLEET_EVERY_S`: a revocation ends the stream.
            ended = await desk.control.read(lambda uow: access.ended(uow, desk))
            if ended is not None:
                yield ServerSentEvent(json.dumps({"code": ended.code, "detail": ended.message}), event=ENDED)
                return
            # Counted before looking, so that what happens meanwhile is not waited for.
            count = desk.control.news.count
            until_s = asyncio.get_running_loop().time() + FLEET_EVERY_S
            events = await _events_after(desk, seen)
            for event in events:
                seen = event.number
                tells_reason = event.kind != STAFF_CHANGED or await desk.control.read(
                    lambda uow: access.may_also(uow, desk, Act.LIST_STAFF)
                )
                yield _numbered(event, tells_reason=tells_reason)
                # One who reads slowly, or reads up on much, is looked at as often as others.
                if asyncio.get_running_loop().time() > until_s:
                    break
            if events:
                continue
            frame = fleet.next_frame()
            if frame is not None:
                yield frame
            await desk.control.news.later_than(count, timeout_s=FLEET_EVERY_S)
            await asyncio.sleep(GATHER_S)


class _FleetFrames:
    """Fleet events, each different from the last and none too soon after it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._shown = ""
        self._not_before_s = 0.0

    def next_frame(self) -> ServerSentEvent | None:
        """Return the next fleet event, None when it is too soon or nothing moved."""
        at_s = asyncio.get_running_loop().time()
        if at_s < self._not_before_s:
            return None
        # Who holds a door is renewed every few seconds; that alone is no movement to tell.
        moving = _moving(self._desk).model_dump_json(
            exclude={"doors": {"__all__": {"sessions"}}, "lifts": {"__all__": {"session"}}}
        )
        if moving == self._shown:
            return None
        self._shown = moving
        self._not_before_s = at_s + FLEET_EVERY_S
        return ServerSentEvent(moving, event="fleet")


async def _events_after(desk: Desk, number: int) -> list[Event]:
    return list(await desk.control.read(lambda uow: uow.events.after(number, BATCH)))


def _numbered(event: Event, *, tells_reason: bool) -> ServerSentEvent:
    """Return an event as sent; why something became of a member of staff is for those who may list staff."""
    data = {name: value for name, value in event.data.items() if tells_reason or name != "why"}
    said = {
        "number": event.number,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "subject": event.subject,
        "data": data,
    }
    return ServerSentEvent(json.dumps(said), id=str(event.number), event=event.kind)


def _moving(desk: Desk) -> MovingView:
    view = fleet_view(desk.control.live())
    return MovingView(
        robots=[
            MovingRobotView(
                id=robot.id,
                pose=robot.pose,
                battery=robot.battery,
                is_driving=robot.is_driving,
                is_lost=robot.is_lost,
            )
            for robot in view.robots
        ],
        doors=view.doors,
        lifts=view.lifts,
    )
