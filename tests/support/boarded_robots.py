"""Robots as far as their drawer goes: real locks on a clock of their own, where they stand, what they hear and answer.

Everything between them and the orchestrator is in the hands of whoever tests: messages come late, twice, to a robot
that was switched off meanwhile, or not at all, and so do their answers.
"""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass, replace

from orchestrator.application.fleet import FleetOnSite
from orchestrator.domain.custody.grant import Grant, grant_of_text
from orchestrator.domain.fleet.model import (
    ActionId,
    LoadId,
    OperatingMode,
    Pose,
    Robot,
    RobotFault,
    RobotId,
    RobotReport,
)
from orchestrator.domain.fleet.order import RobotAction
from orchestrator.domain.site.model import LevelId, StationId, WaypointId
from ros_nodes.onboard.drawer_lock import STANDING_FOR_S, DrawerLock
from ros_nodes.onboard.grant_check import Circumstances
from ros_nodes.onboard.simulated_drawers import SimulatedDrawers
from tests.support.custody import MODEL
from tests.support.deliveries import NOON, STATIONS
from tests.support.drawers import verify
from tests.support.sites import a_graph, a_robot_model, a_site, a_waypoint

MANUFACTURER, DRAWER = "wardporter", "top"
STEP_S = 0.5
LEVEL, GRAPH = LevelId("L1"), "0"
"""Level and lane graph of the stations of `tests.support.deliveries`."""


def a_fleet(count: int) -> FleetOnSite:
    """Return robots that check grants, on the stations of `tests.support.deliveries`; they share one charger."""
    places = sorted({place for station in STATIONS.values() for place in station.waypoints.values()})
    waypoints = [a_waypoint(place, float(number), 0.0, level=LEVEL) for number, place in enumerate(places)]
    site = replace(a_site(a_graph(waypoints, (), id=GRAPH), {}), stations=dict(STATIONS))
    model = replace(a_robot_model(id=MODEL, graph=GRAPH), drawers=(DRAWER,))
    robots = [_a_robot(RobotId(f"boarded-{number:02}")) for number in range(1, count + 1)]
    return FleetOnSite(
        site=site,
        robots={robot.id: robot for robot in robots},
        models={robot.id: model for robot in robots},
    )


def _a_robot(robot: RobotId) -> Robot:
    return Robot(robot, MODEL, MANUFACTURER, robot, "uagv", "2.1.0", StationId("charger-1"))


@dataclass(frozen=True, slots=True)
class Opening:
    """What a robot let go of, and how it truly was at that moment; ``load`` is what it lists as lying in the drawer."""

    robot: RobotId
    grant: Grant
    is_moving: bool
    stood_s: float
    node: WaypointId | None
    load: str | None
    shown_s: float


class BoardedRobot:
    """One robot with one drawer.

    ``pending`` are its answers that nobody has heard yet. ``openings`` are all that its latch let go of.
    """

    def __init__(self, robot: RobotId, *, seed: int) -> None:
        self.id = robot
        self.hardware = SimulatedDrawers((DRAWER,), has_hand=False)
        self.time_s = 0.0
        self.stopped_s: float | None = 0.0
        self.node: WaypointId | None = None
        self.loads: dict[str, str] = {}
        self.openings: list[Opening] = []
        self.shown: dict[str, float] = {}
        self.pending: dict[ActionId, str | None] = {}
        self._chance = random.Random(seed)
        self.boot()

    def boot(self) -> None:
        """Switch it off and on: it knows no nonce, no message and no answer of before."""
        self.lock = DrawerLock(
            drawers=(DRAWER,),
            hardware=self.hardware,
            manufacturer=MANUFACTURER,
            serial_number=self.id,
            verify=verify(),
            chance=self._chance.randbytes,
        )
        self._heard: set[ActionId] = set()
        self._running: ActionId | None = None
        self.pending = {}
        self.live(STEP_S)

    @property
    def is_moving(self) -> bool:
        return self.stopped_s is None

    def live(self, seconds: float) -> None:
        """Let time pass on board."""
        end_s = self.time_s + seconds
        while self.time_s < end_s:
            self.time_s += STEP_S
            self.lock.advance_to(self.time_s, is_still=not self.is_moving)
            if self.lock.nonce is not None:
                self.shown.setdefault(self.lock.nonce, self.time_s)
            self._finish()

    def moves(self) -> None:
        self.stopped_s, self.node = None, None
        self.live(STEP_S)

    def stands_at(self, node: WaypointId | None) -> None:
        self.stopped_s, self.node = self.time_s, node
        self.live(STANDING_FOR_S + STEP_S)

    # -- messages --------------------------------------------------------------------------------------------------

    def hear(self, action: RobotAction) -> None:
        """Take a message; one whose action it knows is no new one."""
        if action.id in self._heard or action.grant is None or action.signature is None:
            return
        self._heard.add(action.id)
        refusal = self.bring(action.grant, base64.b64decode(action.signature))
        if refusal is None:
            self._running = action.id
            self._finish()
        else:
            self.pending[action.id] = refusal

    def bring(self, text: str, signature: bytes) -> str | None:
        """Bring a grant to the lock, whoever made it; return why it does not open."""
        before = len(self.hardware.unlatched)
        here = Circumstances(self.lock.is_standing, self.node, self.loads, (DRAWER,))
        refusal = self.lock.open(text, signature, here)
        let_go = len(self.hardware.unlatched) - before
        assert let_go == (1 if refusal is None else 0), "what the lock says is not what its latch did"
        if let_go:
            grant = grant_of_text(text)
            stood_s = 0.0 if self.stopped_s is None else self.time_s - self.stopped_s
            shown_s = self.time_s - self.shown.get(grant.nonce, float("-inf"))
            inside = self.loads.get(DRAWER)
            self.openings.append(Opening(self.id, grant, self.is_moving, stood_s, self.node, inside, shown_s))
        return None if refusal is None else f"{refusal.value}: {refusal.sentence}"

    def _finish(self) -> None:
        if self._running is None:
            return
        outcome = self.lock.outcome_of_opening()
        if outcome is not None:
            self.pending[self._running] = None if outcome is True else f"{outcome}: it does not let go"
            self._running = None

    def report(self, *, number: int) -> RobotReport:
        """Return what it says of itself now."""
        faults = self.lock.faults(has_way=False)
        return RobotReport(
            robot=self.id,
            received_at=NOON,
            order_id=None,
            order_update_id=0,
            last_waypoint=self.node,
            last_sequence=0,
            sequences_ahead=(),
            is_driving=self.is_moving,
            is_paused=False,
            pose=Pose(LEVEL, 0.0, 0.0),
            battery=0.9,
            is_charging=False,
            mode=OperatingMode.AUTOMATIC,
            is_emergency_stopped=False,
            has_field_violation=False,
            faults=tuple(RobotFault(fault.error_type, fault.is_fatal, fault.sentence) for fault in faults),
            loads=tuple(LoadId(load) for load in self.loads.values()),
            message_number=number,
            drawers=self.lock.reports(),
            nonce=self.lock.nonce,
        )
