"""Doors and lifts that are of no use: who is inside, whom they keep waiting, and which lanes are closed by it.

Silence, an obstruction, a mode that is not for robots, or people in its cabin make a device unusable. A robot in the
cabin of a lift that is out of order is told of at once, by name and load; robots that wait before a device are told of
once it has been unusable for longer than the limit, and from then on its lanes are closed to routes. Fire closes a lift
at once. The way out of a cabin is never closed. What is remembered here begins anew at a restart; a lane through an
unusable device is released to nobody anyway.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.application.closures import ClosedLanes
from orchestrator.application.device_words import door_reason, lift_reason
from orchestrator.application.driving import lanes_ahead
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import Building
from orchestrator.application.shared_lifts import LIFT_CROWDED, LIFT_OCCUPIED, crowded_reason
from orchestrator.application.steps import is_crowded, standing_place
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.device import DoorPicture, LiftMode, LiftPicture
from orchestrator.domain.site.model import DoorId, Lane, LaneGraph, LaneId, LiftId

ALARM = "alarm"
ROBOT_IN_LIFT = "robot_in_lift"
DEVICE_UNUSABLE = "device_unusable"

PASSING = frozenset({LIFT_OCCUPIED, LIFT_CROWDED})
"""Why a lift mostly is of use again before anybody has to be called; who is inside is told of as who waits outside."""

Device = tuple[str, DoorId | LiftId]


class DeviceWatch:
    """What is remembered of unusable devices between turns.

    Parameters
    ----------
    fleet : FleetOnSite
        Site, lane graph, robots, policy.
    building : Building
        Asked how its devices stand.
    """

    def __init__(self, fleet: FleetOnSite, building: Building) -> None:
        self._fleet = fleet
        self._building = building
        self._graphs = [fleet.site.graphs[graph] for graph in fleet.graphs]
        self._since_s: dict[Device, float] = {}
        self._reasons: dict[Device, Reason] = {}
        self._told: set[tuple[str, str, str]] = set()

    def look(self, turn: Turn) -> None:
        """Note which devices are unusable now, and tell people of robots inside and of robots kept waiting too long."""
        self._reasons = dict(self._unusable(turn))
        self._since_s = {device: self._since_s.get(device, turn.at_s) for device in self._reasons}
        still = set[tuple[str, str, str]]()
        for device, reason in sorted(self._reasons.items()):
            for robot in sorted(self._fleet.robots):
                if reason.code not in PASSING and self._is_inside(turn, robot, device):
                    still.add(self._tell_inside(turn, robot, device, reason))
            waiting = [robot for robot in sorted(self._fleet.robots) if self._needs(turn, robot, device, reason)]
            if waiting and self._is_overdue(device, at_s=turn.at_s):
                still.add(self._tell_waiting(turn, waiting, device, reason))
        self._told = still

    def closed(self, turn: Turn) -> ClosedLanes:
        """Return the lanes that nobody may be sent over now, each with what is wrong with its door or lift."""
        closed: dict[LaneId, Reason] = {}
        for device, reason in self._reasons.items():
            if reason.code != "lift_fire" and not self._is_overdue(device, at_s=turn.at_s):
                continue
            for graph in self._graphs:
                lanes = [lane for lane in graph.lanes.values() if _leads_in(graph, lane, device)]
                closed |= {lane.id: reason for lane in lanes if not self._leads_out_by_ride(graph, lane)}
        return ClosedLanes(closed)

    def _leads_out_by_ride(self, graph: LaneGraph, lane: Lane) -> bool:
        """Whether a lane within a cabin may be the way out of it: to where the cabin is, or may be going."""
        start, end = graph.waypoints[lane.start], graph.waypoints[lane.end]
        if start.lift is None or end.lift is None:
            return False
        return self._building.lifts()[end.lift].level in (None, end.level)

    # -- which devices --------------------------------------------------------------------------------------------

    def _unusable(self, turn: Turn) -> Iterator[tuple[Device, Reason]]:
        for door, picture in self._building.doors().items():
            if not _is_door_usable(picture):
                yield ("door", door), door_reason(door, picture)
        for lift, picture in self._building.lifts().items():
            if not _is_lift_usable(picture):
                level = self._fleet.site.lifts[lift].levels[0]
                yield ("lift", lift), lift_reason(lift, level, RobotId(""), picture)
            else:
                yield from self._crowded(turn, lift)

    def _crowded(self, turn: Turn, lift: LiftId) -> Iterator[tuple[Device, Reason]]:
        device: Device = ("lift", lift)
        for robot in sorted(self._fleet.robots):
            if is_crowded(turn.record(robot)) and self._is_inside(turn, robot, device):
                yield device, crowded_reason(lift, robot)

    def _is_overdue(self, device: Device, *, at_s: float) -> bool:
        return at_s - self._since_s.get(device, at_s) >= self._fleet.policy.device_patience_s

    # -- which robots ---------------------------------------------------------------------------------------------

    def _is_inside(self, turn: Turn, robot: RobotId, device: Device) -> bool:
        place = standing_place(self._fleet, turn.record(robot))
        waypoints = self._fleet.graph_of(robot).waypoints
        return device[0] == "lift" and place is not None and waypoints[place].lift == device[1]

    def _needs(self, turn: Turn, robot: RobotId, device: Device, reason: Reason) -> bool:
        record = turn.record(robot)
        if reason in record.waiting:
            return True
        graph = self._fleet.graph_of(robot)
        lanes = (*lanes_ahead(record), *record.route)
        return any(_leads_in(graph, graph.lanes[lane], device) for lane in lanes)

    # -- what people are told -------------------------------------------------------------------------------------

    def _tell_inside(self, turn: Turn, robot: RobotId, device: Device, reason: Reason) -> tuple[str, str, str]:
        aboard = sorted(d.id for d in turn.deliveries.values() if d.robot == robot and d.state.is_aboard)
        load = f"carries delivery {', '.join(aboard)}" if aboard else "carries nothing"
        sentence = f"Robot {robot} is in the cabin and {load}. {reason.sentence}"
        return self._tell(turn, robot, ROBOT_IN_LIFT, sentence, why=(robot, device[1], reason.code))

    def _tell_waiting(self, turn: Turn, waiting: list[RobotId], device: Device, reason: Reason) -> tuple[str, str, str]:
        limit_s = self._fleet.policy.device_patience_s
        sentence = f"{reason.sentence} For {limit_s:g} s it has kept {', '.join(waiting)} waiting."
        return self._tell(turn, device[1], DEVICE_UNUSABLE, sentence, why=("", device[1], reason.code))

    def _tell(
        self, turn: Turn, subject: str, code: str, sentence: str, *, why: tuple[str, str, str]
    ) -> tuple[str, str, str]:
        if why not in self._told:
            turn.tell(ALARM, subject, {"code": code, "sentence": sentence})
        return why


def _leads_in(graph: LaneGraph, lane: Lane, device: Device) -> bool:
    """Whether a lane goes through the door, or into or within the lift."""
    if device[0] == "door":
        return lane.door == device[1]
    return graph.waypoints[lane.end].lift == device[1]


def _is_door_usable(picture: DoorPicture) -> bool:
    return picture.position.is_told and not picture.is_obstructed


def _is_lift_usable(picture: LiftPicture) -> bool:
    return picture.doors.is_told and picture.mode is LiftMode.NORMAL and not picture.is_occupied
