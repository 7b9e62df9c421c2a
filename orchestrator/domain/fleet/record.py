"""What the orchestrator has on its books about one robot: order, grants, trip and last report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.delivery.model import TripId
from orchestrator.domain.fleet.hold import Hold, HoldKind
from orchestrator.domain.fleet.model import LoadId, RobotId, RobotReport
from orchestrator.domain.fleet.order import ActionKind, DriveOrder
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import LaneId, StationId, WaypointId


class OrderPhase(StrEnum):
    """How far the current order has come between us and the robot."""

    WANTED = "wanted"
    ACKNOWLEDGED = "acknowledged"
    CANCELLING = "cancelling"
    DONE = "done"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class RobotRecord:
    """One robot on our books. Persisted whole; a restart goes on from here.

    ``target`` is the station it is being sent to. ``passed`` is the index of the last step of ``order`` that the
    robot has traversed. Beyond the released base lie ``granted``, the lanes that traffic has granted but a door, a
    lift or an unanswered update still holds back, and then ``route``, the lanes not granted yet. ``held`` are the ids
    of the traffic resources granted and not yet freed; ``tip`` is the last waypoint granted, where the robot could
    stand. ``waiting`` says why it does not move on. ``holds`` are what a person has to lift before it goes on.
    ``carried`` are the loads of ours that it took in and has not given out, by the actions it has finished.
    ``findings`` are what its factsheet says against its configuration.
    ``checks_grants`` says that its factsheet declares that it opens drawers on grants alone.
    ``called_for`` says for what people were called to it that lasts still; see `orchestrator.application.calling`.
    ``clock_skew_s`` is by how much its clock is ahead of ours, seconds; None while nobody knows.
    ``journal`` names the journal that it keeps of its drawers, ``journal_last`` is the last entry of it in the books.
    ``sent_to`` is the station a person has sent it to without a delivery; it stays there until it is sent on.
    """

    robot: RobotId
    trip: TripId | None = None
    target: StationId | None = None
    order: DriveOrder | None = None
    phase: OrderPhase = OrderPhase.DONE
    passed: int = 0
    tip: WaypointId | None = None
    held: frozenset[str] = frozenset()
    granted: tuple[LaneId, ...] = ()
    route: tuple[LaneId, ...] = ()
    report: RobotReport | None = None
    lost_since: datetime | None = None
    waiting: tuple[Reason, ...] = ()
    driven_m: float = 0.0
    holds: tuple[Hold, ...] = ()
    carried: frozenset[LoadId] = frozenset()
    findings: tuple[Reason, ...] = ()
    sent_to: StationId | None = None
    checks_grants: bool = False
    called_for: frozenset[str] = frozenset()
    clock_skew_s: float | None = None
    journal: str = ""
    journal_last: int = 0

    @property
    def aboard(self) -> frozenset[LoadId]:
        """What it carries of ours.

        Its own list decides. Where it reports none, or as many as it took in and none by the name that we gave it, its
        finished actions do: some robots name their loads themselves.
        """
        reported = None if self.report is None or self.report.loads is None else frozenset(self.report.loads)
        if reported is None:
            return self.carried
        names_them_itself = self.carried and not reported & self.carried and len(reported) >= len(self.carried)
        return self.carried if names_them_itself else reported

    @property
    def loads_not_ours(self) -> frozenset[LoadId]:
        """What it reports to carry that our books do not know of."""
        return self.aboard - self.carried

    def with_loads_as_reported(self) -> RobotRecord:
        """Return the record without what people took out unseen, as far as the robot's own list shows it.

        A robot with an empty list carries nothing. One that names a load by the name that we gave it uses our names, so
        what its list leaves out is gone, and what it holds of what its order takes in is aboard. Of one that names its
        loads itself nobody knows which is gone.
        """
        if self.report is None or self.report.loads is None:
            return self
        reported = frozenset(self.report.loads)
        ours = reported & (self.carried | self._to_be_taken_in)
        if (reported and not ours) or ours == self.carried:
            return self
        return replace(self, carried=ours)

    @property
    def _to_be_taken_in(self) -> frozenset[LoadId]:
        steps = self.order.steps if self.order is not None else ()
        picks = (action for step in steps for action in step.actions if action.kind is ActionKind.PICK)
        return frozenset(action.load for action in picks if action.load is not None)

    @property
    def is_kept_from_driving(self) -> bool:
        """Whether a hold keeps it where it is: nothing new is granted, and its place stays occupied."""
        return any(hold.kind.keeps_from_driving for hold in self.holds)

    @property
    def reasons_of_holds(self) -> tuple[Reason, ...]:
        """Why it is kept, for those who wait for it; empty when nothing keeps it from driving."""
        return tuple(hold.as_reason for hold in self.holds if hold.kind.keeps_from_driving)

    def is_held_for(self, kind: HoldKind) -> bool:
        """Whether a hold of this kind is on it."""
        return any(hold.kind is kind for hold in self.holds)

    def held_for(self, hold: Hold) -> RobotRecord:
        """Return the record with a hold more; one of its kind that is there already stays as it is."""
        return self if self.is_held_for(hold.kind) else replace(self, holds=(*self.holds, hold))

    def released_from(self, kind: HoldKind) -> RobotRecord:
        """Return the record without the hold of this kind."""
        return replace(self, holds=tuple(hold for hold in self.holds if hold.kind is not kind))
