"""What people look at: pictures of the fleet and of a delivery, for those who show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.robot_changes import known_robot
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, Trip
from orchestrator.domain.fleet.history import RobotEntry
from orchestrator.domain.fleet.model import ModelId, RobotId, RobotReport
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.site.device import DoorPicture, LiftPicture
from orchestrator.domain.site.model import DoorId, LiftId
from orchestrator.vda5050.factsheets import Factsheet
from orchestrator.vda5050.repair import SchemaFault


@dataclass(frozen=True, slots=True)
class RobotPicture:
    """One robot now: what is on the books, what it said last, and whether it is silent for too long.

    ``report`` is the newest one heard, which may be fresher than the record's. ``battery`` is 0 to 1. ``factsheet`` is
    the robot's own description of its kind, as sent; ``complaints`` are how its last state departed from the schema,
    and ``departures`` every way in which one did since the start, with how often. ``refused_clock_off_s`` is by how
    much its clock is ahead when its states do not count for that.
    """

    id: RobotId
    model: ModelId
    record: RobotRecord
    report: RobotReport | None = None
    is_lost: bool = False
    battery: float | None = None
    factsheet: Factsheet | None = None
    complaints: tuple[SchemaFault, ...] = ()
    departures: Mapping[SchemaFault, int] = field(default_factory=dict[SchemaFault, int])
    refused_clock_off_s: float | None = None


def picture_of(record: RobotRecord, model: ModelId) -> RobotPicture:
    """Return a robot as its record alone has it."""
    report = record.report
    return RobotPicture(
        id=record.robot,
        model=model,
        record=record,
        report=report,
        is_lost=record.lost_since is not None,
        battery=report.battery if report else None,
    )


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some entries of a robot's history, newest first; ``next_after`` is the cursor of the next page."""

    entries: Sequence[RobotEntry]
    next_after: int | None


def history_page(uow: UnitOfWork, fleet: FleetOnSite, robot: RobotId, *, after: int | None, limit: int) -> HistoryPage:
    """Return up to ``limit`` entries that follow the one numbered ``after``; raises `UnknownRobotError`."""
    known_robot(uow, fleet, robot)
    found = uow.history.page(robot, before=after, limit=limit + 1)
    page = found[:limit]
    return HistoryPage(page, page[-1].number if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class FleetPicture:
    """Everything that moves, now."""

    robots: tuple[RobotPicture, ...]
    doors: Mapping[DoorId, DoorPicture]
    lifts: Mapping[LiftId, LiftPicture]


@dataclass(frozen=True, slots=True)
class DeliveryPicture:
    """A delivery and the trip that carries it, None while it has none."""

    delivery: Delivery
    trip: Trip | None


def delivery_picture(uow: UnitOfWork, delivery: DeliveryId) -> DeliveryPicture:
    """Return the delivery with its trip; raises `UnknownDeliveryError`."""
    found = uow.deliveries.get(delivery)
    return DeliveryPicture(found, None if found.trip is None else uow.trips.get(found.trip))


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Some deliveries, newest first; ``next_after`` is the cursor of the next page, None at the end."""

    deliveries: Sequence[Delivery]
    next_after: DeliveryId | None


def delivery_page(
    uow: UnitOfWork, *, after: DeliveryId | None, limit: int, states: frozenset[DeliveryState] | None
) -> DeliveryPage:
    """Return up to ``limit`` deliveries that follow ``after``; raises `UnknownDeliveryError` for a foreign cursor."""
    found = uow.deliveries.page(after=after, limit=limit + 1, states=states)
    page = found[:limit]
    return DeliveryPage(page, page[-1].id if len(found) > limit else None)
