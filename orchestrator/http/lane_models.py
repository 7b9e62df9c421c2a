"""What answers say about closed lanes."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from orchestrator.application.lane_closures import LanesNow
from orchestrator.domain.site.closure import LaneClosure
from orchestrator.http.response_models import ReasonView, reason_views


class ClosureView(BaseModel):
    """A closed lane: since when, by whom and why; ``until`` it opens by itself, null for never."""

    lane: str
    at: datetime
    by: str
    reason: str
    until: datetime | None


class ClosedLanesView(BaseModel):
    """The lanes that people have closed, by id."""

    closures: list[ClosureView]


class LanesNowView(BaseModel):
    """The lanes that were named, the closures that stand on them, and what these cut off."""

    lanes: list[str]
    closures: list[ClosureView]
    cuts_off: list[ReasonView]


def closure_view(closure: LaneClosure) -> ClosureView:
    """Return a closure as shown."""
    return ClosureView(lane=closure.lane, at=closure.at, by=closure.by, reason=closure.reason, until=closure.until)


def lanes_now_view(now: LanesNow) -> LanesNowView:
    """Return what came of an act on lanes as shown."""
    return LanesNowView(
        lanes=[str(lane) for lane in now.lanes],
        closures=[closure_view(closure) for closure in now.closures],
        cuts_off=reason_views(now.cuts_off),
    )
