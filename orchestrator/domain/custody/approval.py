"""Authority to carry: the accountable officer's local approval that robots carry controlled drugs.

As shipped there is none, and robots carry none. The record confers no legal authority; it says that a person with that
office has looked at handling class, route and kind of robot and agreed to it here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from orchestrator.domain.fleet.model import ModelId
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.site.model import PlaceId

ApprovalId = NewType("ApprovalId", str)

NO_LEGAL_AUTHORITY = (
    "This record confers no legal authority. It states that the accountable officer agreed, here, to robots of this "
    "model carrying this class over this route."
)


@dataclass(frozen=True, slots=True)
class CarriageApproval:
    """One approval: handling class, from where to where, which robot model, on whose word and on what paper."""

    id: ApprovalId
    handling_class: HandlingClass
    from_place: PlaceId
    to_place: PlaceId
    model: ModelId
    approved_by: PersonId
    approved_at: datetime
    reference: str
    ends_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: PersonId | None = None

    def stands(self, at: datetime) -> bool:
        """Whether it stands at a moment."""
        return self.revoked_at is None and (self.ends_at is None or at < self.ends_at)


def approved_models(
    approvals: Iterable[CarriageApproval],
    *,
    handling_class: HandlingClass,
    from_place: PlaceId,
    to_place: PlaceId,
    at: datetime,
) -> tuple[ModelId, ...]:
    """Return the robot models that may carry a class over a route at a moment, in order."""
    return tuple(
        sorted(
            {
                approval.model
                for approval in approvals
                if approval.stands(at)
                and (approval.handling_class, approval.from_place, approval.to_place)
                == (handling_class, from_place, to_place)
            }
        )
    )
