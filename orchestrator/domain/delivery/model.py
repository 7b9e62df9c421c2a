"""Jobs, deliveries, lines, totes and trips. Immutable: an act returns the next version.

Quantities are integers of the smallest unit. Datetimes are aware and UTC; naive ones are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from orchestrator.domain.delivery.arrival import NOT_FORECAST, REASONS, Arrival
from orchestrator.domain.delivery.counts import LineCount
from orchestrator.domain.delivery.custody_record import NOTHING_SAID, CustodyRecord
from orchestrator.domain.delivery.ids import DeliveryId, JobId, LineId, ToteId, TripId
from orchestrator.domain.fleet.model import LoadId, RobotId
from orchestrator.domain.medicine.handling import HandlingClass, strictest
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import StationId

__all__ = [
    "Delivery",
    "DeliveryId",
    "DeliveryState",
    "HandlingClass",
    "Job",
    "JobId",
    "Line",
    "LineCount",
    "LineId",
    "Loading",
    "Priority",
    "Receipt",
    "Stop",
    "StopKind",
    "Tote",
    "ToteId",
    "Transition",
    "Trip",
    "TripId",
]


class Priority(StrEnum):
    """How urgent; a STAT may travel alone."""

    STAT = "stat"
    URGENT = "urgent"
    ROUTINE = "routine"

    @property
    def rank(self) -> int:
        """Sort key: the most urgent is 0."""
        return (Priority.STAT, Priority.URGENT, Priority.ROUTINE).index(self)


PRIORITY_WORDS = {Priority.STAT: "STAT", Priority.URGENT: "urgent", Priority.ROUTINE: "routine"}
"""As people read it, on the page and on paper."""


class DeliveryState(StrEnum):
    """Where a delivery is in its life (design §5)."""

    QUEUED = "queued"
    VERIFIED = "verified"
    ASSIGNED = "assigned"
    LOADING = "loading"
    SEALED = "sealed"
    IN_TRANSIT = "in_transit"
    ARRIVED = "arrived"
    RECEIVED = "received"
    HELD = "held"
    RETURNING = "returning"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    HANDED_TO_RUNNER = "handed_to_runner"
    INCIDENT = "incident"

    @property
    def is_closed(self) -> bool:
        """Whether nothing more happens to the delivery."""
        return self in (DeliveryState.RECEIVED, DeliveryState.RETURNED, DeliveryState.CANCELLED)

    @property
    def is_ended(self) -> bool:
        """Whether nothing more is asked of robots: it is closed, a person carries it, or people look into it."""
        return self.is_closed or self in (DeliveryState.HANDED_TO_RUNNER, DeliveryState.INCIDENT)

    @property
    def is_to_arrive(self) -> bool:
        """Whether a robot is still to bring it to the place it goes to."""
        return self in (
            DeliveryState.VERIFIED,
            DeliveryState.ASSIGNED,
            DeliveryState.LOADING,
            DeliveryState.SEALED,
            DeliveryState.IN_TRANSIT,
        )

    @property
    def is_aboard(self) -> bool:
        """Whether the medicines are, sealed, in a robot's drawer."""
        return self in (
            DeliveryState.SEALED,
            DeliveryState.IN_TRANSIT,
            DeliveryState.ARRIVED,
            DeliveryState.RETURNING,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One medicine, one batch, a quantity in ``unit``.

    ``code`` is its dm+d code as text, ``schedule`` the legal schedule as it was when the line was asked for.
    """

    id: LineId
    medicine: str
    quantity: int
    unit: str
    batch: str | None = None
    expiry: date | None = None
    handling_class: HandlingClass = HandlingClass.ORDINARY
    code: str | None = None
    schedule: str | None = None
    storage: str = "room"


@dataclass(frozen=True, slots=True)
class Loading:
    """Who loaded, when, into which drawer, and the count of each line; the seals are on the totes."""

    at: datetime
    by: str
    drawer: str
    counts: tuple[LineCount, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Who took the medicines out, when, and the count of each line; the seals they read are on the totes.

    ``is_short_or_over`` says that a count differs from what was sealed.
    """

    at: datetime
    by: str
    counts: tuple[LineCount, ...]
    is_short_or_over: bool = False


@dataclass(frozen=True, slots=True)
class Tote:
    """A sealed bag or box, and which lines lie in it.

    ``seal_number`` is the seal put on, ``seal_read`` the number that people last read off it at a handover, and
    ``seal_differed`` how often they read one that is not the one put on.
    """

    id: ToteId
    lines: tuple[LineId, ...]
    seal_number: str | None = None
    seal_read: str | None = None
    seal_differed: int = 0


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of a delivery: when, from what to what, who or what caused it, and why."""

    at: datetime
    before: DeliveryState | None
    after: DeliveryState
    cause: str
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked for: one or more deliveries, by whom and when."""

    id: JobId
    requested_by: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """What goes to one recipient place, and everything that happened to it.

    Its lines lie in one or more totes, each line in one; all of them ride in one drawer, where robots report them as
    one load. ``load`` is the id of that, and stays what it was whatever becomes of the totes: the id of the first.
    ``waiting`` holds the reasons why it does not move on now; empty when it does. ``is_critical`` says that a late dose
    harms, by the place's own list. ``arrival`` is when it is expected.
    """

    id: DeliveryId
    job: JobId
    from_station: StationId
    to_station: StationId
    priority: Priority
    lines: tuple[Line, ...]
    load: LoadId
    totes: tuple[Tote, ...]
    state: DeliveryState
    queued_at: datetime
    due_by: datetime | None = None
    trip: TripId | None = None
    robot: RobotId | None = None
    drawer: str | None = None
    loading: Loading | None = None
    receipt: Receipt | None = None
    waiting: tuple[Reason, ...] = ()
    history: tuple[Transition, ...] = ()
    custody: CustodyRecord = NOTHING_SAID
    is_critical: bool = False
    arrival: Arrival = NOT_FORECAST

    @property
    def counts_as_critical(self) -> bool:
        """Whether it must not be late: marked so, or a STAT."""
        return self.is_critical or self.priority is Priority.STAT

    @property
    def reasons_of_lateness(self) -> tuple[Reason, ...]:
        """Whom people were asked to send for it, until it is at the ward or in somebody's hands."""
        reason = REASONS.get(self.arrival.late) if self.arrival.late is not None else None
        return () if reason is None or not self.state.is_to_arrive else (reason,)

    @property
    def handling_class(self) -> HandlingClass:
        """The strictest class of its lines."""
        return strictest(*(line.handling_class for line in self.lines))

    def tote_of(self, line: LineId) -> Tote:
        """Return the tote that a line lies in; raises KeyError for a line of another delivery."""
        for tote in self.totes:
            if line in tote.lines:
                return tote
        raise KeyError(line)

    @property
    def open_totes(self) -> tuple[Tote, ...]:
        """The totes with lines that have not ended."""
        return tuple(tote for tote in self.totes if any(self.custody.ended(line) is None for line in tote.lines))

    @property
    def bound_for(self) -> StationId:
        """Whose people it is for: those of where it goes, or shall go once they accept it."""
        return self.to_station if self.custody.reroute is None else self.custody.reroute.to_station

    @property
    def returns_to(self) -> StationId:
        """The staffed place it comes back to."""
        return self.custody.return_to or self.from_station

    @property
    def is_in_drawer(self) -> bool:
        """Whether its medicines are, as far as anybody said, in a robot's drawer."""
        is_left_there = self.state.is_ended and not self.state.is_closed and self.drawer is not None
        return self.state.is_aboard or is_left_there

    def out_of_drawer(self) -> Delivery:
        """Return the delivery with no robot and no drawer."""
        return replace(self, robot=None, drawer=None)


class StopKind(StrEnum):
    """What people do at a stop."""

    LOAD = "load"
    HAND_OVER = "hand_over"
    TAKE_BACK = "take_back"


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of a trip: a station, what is done there, and for which deliveries."""

    station: StationId
    kind: StopKind
    deliveries: tuple[DeliveryId, ...]


@dataclass(frozen=True, slots=True)
class Trip:
    """One robot's round: drawers filled and stops in order. ``stops[0]`` is where it is going or standing.

    A stop leaves the front of ``stops`` when everything at it is done; the trip is over when none is left.
    ``has_arrived`` says that the robot stands at ``stops[0]``.
    """

    id: TripId
    robot: RobotId
    stops: tuple[Stop, ...]
    started_at: datetime
    has_arrived: bool = False
    ended_at: datetime | None = None
