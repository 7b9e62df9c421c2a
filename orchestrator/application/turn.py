"""One turn of the control: a transaction, and what has to be told once it is committed.

A turn reads through to the store once per object and hands out the working copy, so that every phase of the turn
sees what the phases before it decided. Nothing leaves the house before the transaction has committed (design §2,
"record, then act").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.ports import Ids, OutboxMessage, UnitOfWork
from orchestrator.application.robot_changes import keep_robot
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, Trip, TripId
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.order import DriveOrder, RobotAction
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.reason import Reason


class Turn:
    """The working set of one transaction."""

    def __init__(
        self,
        uow: UnitOfWork,
        *,
        at: datetime,
        at_s: float,
        ids: Ids,
        records: Mapping[RobotId, RobotRecord],
    ) -> None:
        self.uow = uow
        self.at = at
        self.at_s = at_s
        self.ids = ids
        self.wants: list[OutboxMessage] = []
        self.unwanted: list[OutboxMessage] = []
        self.changed: dict[RobotId, RobotRecord] = {}
        self.has_changed = False
        self._before = records
        self._deliveries: dict[DeliveryId, Delivery] | None = None
        self._trips: dict[TripId, Trip] | None = None

    # -- robots ---------------------------------------------------------------------------------------------------

    def record(self, robot: RobotId) -> RobotRecord:
        """Return the robot's record as this turn has it."""
        return self.changed.get(robot) or self._before[robot]

    def put(self, record: RobotRecord) -> None:
        """Keep a robot's record; tells the event stream when something people see has changed."""
        before = self.record(record.robot)
        if record == before:
            return
        self.changed[record.robot] = record
        self.has_changed = True
        keep_robot(self.uow, record, before=before, at=self.at)

    # -- deliveries and trips -------------------------------------------------------------------------------------

    @property
    def deliveries(self) -> Mapping[DeliveryId, Delivery]:
        """Deliveries that were open when the turn first looked, in their present version, oldest first."""
        if self._deliveries is None:
            self._deliveries = {delivery.id: delivery for delivery in self.uow.deliveries.open()}
        return self._deliveries

    def delivery(self, delivery: DeliveryId) -> Delivery:
        """Return a delivery, open or closed."""
        return self.deliveries.get(delivery) or self.uow.deliveries.get(delivery)

    def keep(self, delivery: Delivery) -> None:
        """Keep the next version of a delivery and tell that it changed."""
        if delivery == self.delivery(delivery.id):
            return
        self.has_changed = True
        keep_change(self.uow, delivery, at=self.at)
        assert self._deliveries is not None
        self._deliveries[delivery.id] = delivery

    def has_read_again(self, delivery: Delivery) -> None:
        """Go on with a version that a use case has kept in this transaction."""
        self.has_changed = True
        if self._deliveries is not None:
            self._deliveries[delivery.id] = delivery

    def move(self, delivery: Delivery, to: DeliveryState, *, cause: str, reason: Reason | None = None) -> None:
        """Move a delivery on in its life."""
        self.keep(moved(delivery, to, at=self.at, cause=cause, reason=reason))

    def let_wait(self, delivery: Delivery, reasons: Sequence[Reason]) -> None:
        """Record why a delivery waits, if that changed; that somebody was called for it stays said."""
        called = delivery.reasons_of_lateness
        waiting = (*called, *(reason for reason in reasons if reason not in called))
        if waiting != delivery.waiting:
            self.keep(replace(delivery, waiting=waiting))

    def note(self, delivery: Delivery) -> None:
        """Keep the next version of a delivery of which there is nothing to tell, and from which nothing follows."""
        if delivery == self.delivery(delivery.id):
            return
        self.uow.deliveries.save(delivery)
        assert self._deliveries is not None
        self._deliveries[delivery.id] = delivery

    @property
    def trips(self) -> Mapping[TripId, Trip]:
        """Trips that have not ended."""
        if self._trips is None:
            self._trips = {trip.id: trip for trip in self.uow.trips.open()}
        return self._trips

    def start_trip(self, trip: Trip) -> None:
        """Keep a new trip."""
        assert trip.id not in self.trips
        self.has_changed = True
        self.uow.trips.add(trip)
        assert self._trips is not None
        self._trips[trip.id] = trip

    def keep_trip(self, trip: Trip) -> None:
        """Keep the next version of a trip."""
        if self.trips.get(trip.id) == trip:
            return
        self.has_changed = True
        self.uow.trips.save(trip)
        assert self._trips is not None
        if trip.ended_at is None:
            self._trips[trip.id] = trip
        else:
            self._trips.pop(trip.id, None)

    # -- what leaves ----------------------------------------------------------------------------------------------

    def want_order(self, order: DriveOrder) -> None:
        """Write an order update into the outbox; any older one of this robot must be settled."""
        self.wants.append(self.uow.outbox.add(order.robot, at=self.at, order=order))

    def want_action(self, robot: RobotId, action: RobotAction) -> None:
        """Write an instant action into the outbox."""
        self.wants.append(self.uow.outbox.add(robot, at=self.at, action=action))

    def ask_no_more(self, message: OutboxMessage) -> None:
        """Take back an instant action that is not over: it is sent no more, and its outcome counts no more."""
        assert message.action is not None
        self.has_changed = True
        self.uow.outbox.settle(message.id, "withdrawn")
        self.unwanted.append(message)

    def tell(self, kind: str, subject: str, data: Mapping[str, object]) -> None:
        """Append to the event stream."""
        self.has_changed = True
        self.uow.events.append(at=self.at, kind=kind, subject=subject, data=data)
