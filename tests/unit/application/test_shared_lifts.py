"""A robot in a cabin that people have stepped into, by what is asked of the lift."""

from __future__ import annotations

from orchestrator.adapters.building.over_mqtt import MqttBuilding
from orchestrator.application.gates import Gates, Whereabouts
from orchestrator.devices.messages import LiftCommand, LiftRequest, decode
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.model import LaneId, LiftId, WaypointId
from simulation.virtual_time import VirtualClock
from tests.support.device_link import a_lift_state, a_session
from tests.support.steering_bench import FLEET

ROBOT = RobotId("robot-1")
LIFT = LiftId("lift_1")
CABIN = WaypointId("lift_ground")
RIDE = (LaneId("lift_ground~lift_first"), LaneId("lift_first~up_hall_e"))
STATE = f"wardporter/v1/{FLEET.site.id}/lift/{LIFT}/state"


class Shaft:
    """The gates before a building over a broker, with one robot in the cabin downstairs that was granted the ride."""

    def __init__(self) -> None:
        self.sent: list[LiftRequest] = []
        self.clock = VirtualClock()
        self.building = MqttBuilding(FLEET.site, transport=self, clock=self.clock)
        self.building.start()
        self.gates = Gates(FLEET, self.building)
        self._number = 0

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        del qos, retain
        if f"/lift/{LIFT}/" in topic:
            self.sent.append(decode(LiftRequest, payload))

    def says(self, *, occupied: bool | None, level: str = "ground") -> None:
        """Let the lift say how it stands: serving the robot by its last session of ours, or by one left behind."""
        self._number += 1
        of_ours = self.sent[-1].session if self.sent else "wardporter.1.1"
        session = a_session(of_ours, holder=ROBOT, epoch=self.sent[-1].epoch if self.sent else 1)
        state = a_lift_state(session, level=level, occupied=occupied, number=self._number)
        assert self.building.receive(STATE, state, is_retained=False)

    def turn(self, *, is_crowded: bool = False) -> tuple[int, list[str]]:
        """Let one turn of the control pass; returns how many lanes are released, and what the next waits for."""
        where = Whereabouts(RIDE, CABIN, is_crowded=is_crowded)
        needs = {robot: where if robot == ROBOT else Whereabouts((), None) for robot in FLEET.robots}
        self.gates.hold_what_is_needed(needs)
        count, reasons = self.gates.passable(ROBOT, RIDE, stands_at=CABIN, is_crowded=is_crowded)
        self.building.advance()
        return count, [reason.code for reason in reasons]

    @property
    def asked(self) -> list[str | None]:
        """The levels that were asked for, in order."""
        return [request.level for request in self.sent if request.command is LiftCommand.CALL]


def test_a_lift_is_not_asked_for_a_robot_inside_before_it_was_heard_and_not_for_the_ride_while_people_are_in_31() -> (
    None
):
    shaft = Shaft()
    assert shaft.turn() == (0, ["lift_offline"])
    assert shaft.asked == []

    shaft.says(occupied=True)
    assert shaft.turn() == (0, ["lift_occupied"])
    assert set(shaft.asked) == {"ground"}

    shaft.says(occupied=False)
    assert shaft.turn() == (0, ["lift_not_here"])
    assert shaft.asked[-1] == "first"


def test_people_who_step_in_after_the_ride_was_asked_for_have_it_taken_back_31() -> None:
    shaft = Shaft()
    shaft.says(occupied=False)
    shaft.turn()
    assert shaft.asked[-1] == "first"

    shaft.says(occupied=True)
    assert shaft.turn() == (0, ["lift_occupied"])
    assert shaft.asked[-1] == "ground"


def test_a_robot_that_has_arrived_gets_out_whoever_is_in_the_cabin_31() -> None:
    shaft = Shaft()
    shaft.says(occupied=False)
    shaft.turn()

    shaft.says(occupied=True, level="first")

    assert shaft.turn() == (2, [])
    assert set(shaft.asked) == {"first"}


def test_a_lift_takes_no_robot_anywhere_that_has_somebody_within_its_protective_field_31() -> None:
    shaft = Shaft()
    shaft.says(occupied=None)

    assert shaft.turn(is_crowded=True) == (0, ["lift_crowded"])
    assert set(shaft.asked) == {"ground"}
    assert shaft.turn() == (0, ["lift_not_here"])
    assert shaft.asked[-1] == "first"
