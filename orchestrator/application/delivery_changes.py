"""How a changed delivery is kept and told: its next version and one numbered event, in one transaction."""

from __future__ import annotations

from datetime import datetime

from orchestrator.application.ports import Event, UnitOfWork
from orchestrator.domain.delivery.model import Delivery

DELIVERY_CHANGED = "delivery_changed"


def tell_change(uow: UnitOfWork, delivery: Delivery, *, at: datetime) -> Event:
    """Append the event that says what a delivery is now; no medicine, quantity or seal is in it."""
    return uow.events.append(
        at=at,
        kind=DELIVERY_CHANGED,
        subject=delivery.id,
        data={
            "state": delivery.state.value,
            "priority": delivery.priority.value,
            "from_station": delivery.from_station,
            "to_station": delivery.to_station,
            "robot": delivery.robot,
            "drawer": delivery.drawer,
            "trip": delivery.trip,
            "waiting": [reason.code for reason in delivery.waiting],
        },
    )


def keep_change(uow: UnitOfWork, delivery: Delivery, *, at: datetime) -> Event:
    """Save the next version of a delivery and append its event."""
    uow.deliveries.save(delivery)
    return tell_change(uow, delivery, at=at)
