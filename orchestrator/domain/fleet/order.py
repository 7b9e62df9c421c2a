"""The order a robot drives on, in protocol-neutral words: steps, and how many of them are released.

Released steps (the base) never change; the rest (the horizon) may be replaced at any update. Sequence ids follow
VDA 5050: node k of an order has sequence id 2k, the edge into it 2k - 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from orchestrator.domain.fleet.model import ActionId, LoadId, OrderId, Pose, RobotId
from orchestrator.domain.site.model import LaneId, WaypointId


class ActionKind(StrEnum):
    """What a robot is asked to do at a step or at once."""

    PICK = "pick"
    DROP = "drop"
    START_CHARGING = "start_charging"
    STOP_CHARGING = "stop_charging"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL_ORDER = "cancel_order"
    REPORT_STATE = "report_state"
    REPORT_FACTSHEET = "report_factsheet"
    ENABLE_MAP = "enable_map"
    INIT_POSITION = "init_position"
    OPEN_DRAWER = "open_drawer"


@dataclass(frozen=True, slots=True)
class RobotAction:
    """One thing to do; ``load`` and ``drawer`` are set for pick and drop.

    ``pose`` is set where a map is enabled or a position initialised: the robot stands there. ``waypoint`` is the one
    that it then counts as having passed last, ``map_version`` the version of the map to enable. ``grant`` is the
    canonical text of the grant that opens a drawer, ``signature`` the orchestrator's over it, in base64.
    """

    id: ActionId
    kind: ActionKind
    load: LoadId | None = None
    drawer: str | None = None
    pose: Pose | None = None
    waypoint: WaypointId | None = None
    map_version: str | None = None
    grant: str | None = None
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class OrderStep:
    """A waypoint to traverse, the lane that leads into it (None for the first), and what to do there.

    ``pose`` is where the waypoint is; the first step of an order for a robot between waypoints has the robot's own
    pose and a ``waypoint`` id that is on no lane graph.
    """

    waypoint: WaypointId
    pose: Pose
    lane: LaneId | None = None
    speed_limit_m_s: float | None = None
    actions: tuple[RobotAction, ...] = ()


@dataclass(frozen=True, slots=True)
class DriveOrder:
    """All steps of one order since its start, of which the first ``released`` are the base.

    ``sent_from`` is the index of the first step that the current update carries: 0 for a new order, the last step
    of the previous base for an update (stitching).
    """

    id: OrderId
    robot: RobotId
    steps: tuple[OrderStep, ...]
    released: int
    update_id: int = 0
    sent_from: int = 0

    def __post_init__(self) -> None:
        assert 1 <= self.released <= len(self.steps), "an order releases at least its first step"
        assert 0 <= self.sent_from < self.released, "an update starts inside the base"

    @property
    def base(self) -> tuple[OrderStep, ...]:
        """The released steps."""
        return self.steps[: self.released]

    @property
    def horizon(self) -> tuple[OrderStep, ...]:
        """The steps that may still change."""
        return self.steps[self.released :]

    @property
    def decision_point(self) -> OrderStep:
        """The last released step, where the robot stops until more is released."""
        return self.steps[self.released - 1]

    @property
    def is_fully_released(self) -> bool:
        """Whether nothing is left in the horizon."""
        return self.released == len(self.steps)

    def extended(self, *, released: int, horizon: Sequence[OrderStep] | None = None) -> DriveOrder:
        """Return the next update: ``released`` steps in the base and, if given, another horizon.

        Parameters
        ----------
        released : int
            How many steps are released afterwards, counted over base and horizon together.
        horizon : sequence of OrderStep, optional
            What follows the present base; the present horizon when left out.
        """
        steps = self.steps if horizon is None else (*self.base, *horizon)
        assert self.released <= released <= len(steps), "the base only grows"
        return replace(self, steps=steps, released=released, update_id=self.update_id + 1, sent_from=self.released - 1)


def sequence_of_step(index: int) -> int:
    """Return the VDA 5050 sequence id of the node at step ``index``."""
    return 2 * index
