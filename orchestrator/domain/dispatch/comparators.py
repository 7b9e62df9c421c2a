"""Orders in which dispatch looks at things."""

from __future__ import annotations

from datetime import UTC, datetime

from orchestrator.domain.delivery.model import Delivery

_NEVER = datetime.max.replace(tzinfo=UTC)


def by_urgency(delivery: Delivery) -> tuple[int, datetime, datetime, str]:
    """Sort key: priority first, then the earliest due (none is last), then the longest queued, then the id."""
    return (delivery.priority.rank, delivery.due_by or _NEVER, delivery.queued_at, delivery.id)
