"""Doors and lifts that are of no use: who is inside, whom they keep waiting, and which lanes are closed by it.

Silence, an obstruction, a mode that is not for robots, or people in its cabin make a device unusable. A robot in the
cabin of a lift that is out of order is told of at once, by name and load; robots that wait before a device are told of
once it has been unusable for longer than the limit, and from then on its lanes are closed to routes. Fire closes a lift
at once. The way out of a cabin is never closed. A device that answers and is in order by its own word, and does not
open for a robot, is told of too; its lanes stay open, for only when it is asked can it show that it opens again. What
is remembered here begins anew at a restart; a lane through an unusable device is released to nobody anyway.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.application.closures import ClosedLanes
from orchestrator.application.device_words import door_reason, lift_reason
from orchestrator.application.driving import lanes_ahead
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.gates import level_of, lift_of
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
DEVICE_NOT_OPEN = "device_not_open"

LIFT_PATIENCES = 3.0
"""How many times longer than for a door is waited for a lift that answers: it serves others, floor by floor."""

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
        self._asked_s: dict[tuple[RobotId, Device], float] = {}
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
        still |= set(self._look_who_waits(turn))
        self._told = still

    def _look_who_waits(self, turn: Turn) -> Iterator[tuple[str, str, str]]:
        """Tell people of devices that answer and have not opened for a robot for too long."""
        awaited = {(robot, found): why for robot in self._fleet.robots for found, why in self._awaited(turn, robot)}
        self._asked_s = {key: self._asked_s.get(key, turn.at_s) for key in awaited}
        for (robot, device), reason in sorted(awaited.items()):
            limit_s = self._fleet.policy.device_patience_s * (LIFT_PATIENCES if device[0] == "lift" else 1.0)
            if turn.at_s - self._asked_s[robot, device] >= limit_s:
                sentence = f"{reason.sentence} For {limit_s:g} s it has kept {robot} waiting{self._as_it_says(device)}"
                why = (robot, device[1], DEVICE_NOT_OPEN)
                yield self._tell(turn, device[1], DEVICE_NOT_OPEN, sentence, why=why)

    def _awaited(self, turn: Turn, robot: RobotId) -> Iterator[tuple[Device, Reason]]:
        """Yield the door or lift in order that a robot waits for."""
        record, graph = turn.record(robot), self._fleet.graph_of(robot)
        doors, lifts = self._building.doors(), self._building.lifts()
        for lane in (graph.lanes[lane] for lane in lanes_ahead(record)):
            if lane.door is not None and lane.door in doors and ("door", lane.door) not in self._reasons:
                found: Device = ("door", lane.door)
                reason = door_reason(lane.door, doors[lane.door])
            elif (lift := lift_of(lane, graph)) is not None and ("lift", lift) not in self._reasons:
                found = ("lift", lift)
                reason = lift_reason(lift, level_of(lane, graph), robot, lifts[lift])
            else:
                continue
            if reason in record.waiting:
                yield found, reason

    def _as_it_says(self, device: Device) -> str:
        if device[0] == "door":
            position = self._building.doors()[DoorId(device[1])].position
            return f"; it answers that it is {position}. Look at it, or close its lane."
        lift = self._building.lifts()[LiftId(device[1])]
        where = "between two levels" if lift.level is None else f"on level {lift.level}"
        unknown = "" if lift.level in (None, *self._fleet.site.levels) else ", which the site does not have"
        return f"; it answers that it is {where}{unknown}, doors {lift.doors}. Look at it, or close its lanes."

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
