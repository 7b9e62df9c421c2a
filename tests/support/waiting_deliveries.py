"""Verified deliveries that wait for a robot, as dispatch sees them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, JobId, Priority, Tote, ToteId
from orchestrator.domain.fleet.model import LoadId
from orchestrator.domain.site.model import StationId

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HATCH, WARD, OTHER_WARD = StationId("hatch"), StationId("ward"), StationId("other-ward")


def a_delivery(
    name: str = "d1",
    *,
    priority: Priority = Priority.ROUTINE,
    start: StationId = HATCH,
    end: StationId = WARD,
    queued_min: int = 0,
    due_min: int | None = None,
) -> Delivery:
    return Delivery(
        id=DeliveryId(name),
        job=JobId("job"),
        from_station=start,
        to_station=end,
        priority=priority,
        lines=(),
        load=LoadId(f"tote-{name}"),
        totes=(Tote(ToteId(f"tote-{name}"), ()),),
        state=DeliveryState.VERIFIED,
        queued_at=NOON + timedelta(minutes=queued_min),
        due_by=None if due_min is None else NOON + timedelta(minutes=due_min),
    )
