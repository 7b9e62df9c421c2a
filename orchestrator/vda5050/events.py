"""What a robot's link tells the rest of the house; one frozen class per thing that happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.fleet.model import ActionId, OrderId, RobotReport
from orchestrator.domain.site.model import WaypointId
from orchestrator.vda5050.drawer_journal import Journal
from orchestrator.vda5050.messages import ConnectionState, Factsheet
from orchestrator.vda5050.repair import SchemaFault


@dataclass(frozen=True, slots=True)
class Reported:
    """The robot said how it is. ``faults`` are departures from the schema that were tolerated."""

    report: RobotReport
    faults: tuple[SchemaFault, ...] = ()


@dataclass(frozen=True, slots=True)
class JournalTold:
    """The robot told what it wrote down of its drawers, otherwise than before; ``sent_at`` is its own time of day."""

    journal: Journal
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class OrderAcknowledged:
    """The robot's state echoes the order and update that were wanted: it has them."""

    order_id: OrderId
    update_id: int


@dataclass(frozen=True, slots=True)
class OrderRejected:
    """The robot refused the order message. ``kind`` and ``description`` are its own words; it is not sent again."""

    order_id: OrderId
    update_id: int
    kind: str
    description: str


@dataclass(frozen=True, slots=True)
class OrderUnanswered:
    """The order message has been wanted for ``waited_s`` seconds without an answer; told once, resending goes on."""

    order_id: OrderId
    update_id: int
    waited_s: float


@dataclass(frozen=True, slots=True)
class ActionFinished:
    """An action, of an order or instant, is done; a cancelOrder also when there was nothing to cancel."""

    action_id: ActionId


@dataclass(frozen=True, slots=True)
class ActionFailed:
    """An action failed or was refused; ``description`` is the robot's own."""

    action_id: ActionId
    description: str


@dataclass(frozen=True, slots=True)
class ActionUnanswered:
    """An instant action is not over after ``waited_s`` seconds; told once."""

    action_id: ActionId
    waited_s: float


@dataclass(frozen=True, slots=True)
class NodePassed:
    """The robot has traversed a released node; told once per node of an order, in order."""

    order_id: OrderId
    sequence_id: int
    waypoint: WaypointId


@dataclass(frozen=True, slots=True)
class OrderForgotten:
    """The robot had acknowledged the order, was not done with it, and now has no order or nothing of it left."""

    order_id: OrderId


@dataclass(frozen=True, slots=True)
class RobotLost:
    """No state that counts for ``silent_s`` seconds, longer than the model allows. Order and loads stay on our books.

    ``refused`` is why its last state did not count, empty when none came.
    """

    silent_s: float
    refused: str = ""


@dataclass(frozen=True, slots=True)
class RobotReturned:
    """A lost robot has reported again."""


@dataclass(frozen=True, slots=True)
class Announced:
    """The robot or the broker says something new about the connection; no proof of health or loss."""

    connection: ConnectionState


@dataclass(frozen=True, slots=True)
class FactsheetReceived:
    """The robot described its kind. ``faults`` are departures from the schema that were tolerated."""

    factsheet: Factsheet
    faults: tuple[SchemaFault, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """A message changed nothing: malformed, foreign, repeated or old; ``kind`` is its topic."""

    kind: str
    reason: str


LinkEvent = (
    Reported
    | OrderAcknowledged
    | OrderRejected
    | OrderUnanswered
    | JournalTold
    | ActionFinished
    | ActionFailed
    | ActionUnanswered
    | NodePassed
    | OrderForgotten
    | RobotLost
    | RobotReturned
    | Announced
    | FactsheetReceived
    | MessageRefused
)
