"""A person resumes a robot: what is lifted, where it is entered, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.application.resume_robot import resume_robot
from orchestrator.application.robot_acts import Asked
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.errors import (
    ClockNotRefusedError,
    RobotOffGraphError,
    RobotSilentError,
    RobotStillStoppedError,
    UnknownRobotError,
)
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.hold import Hold, HoldKind
from orchestrator.domain.fleet.model import ActionId, OperatingMode, Pose, RobotFault, RobotId
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.site.model import WaypointId
from tests.support.deliveries import NOON
from tests.unit.application.test_listening import FLEET, HOME, ROBOT, House, a_report, an_order


def a_hold(kind: HoldKind, by: str = ROBOT) -> Hold:
    return Hold(kind, "Something happened.", by, NOON)


def a_house(record: RobotRecord, state: DeliveryState = DeliveryState.IN_TRANSIT) -> House:
    house = House(state, record)
    with house.store.transaction() as uow:
        uow.robots.save(record)
    return house


def a_record(*kinds: HoldKind, **changes: object) -> RobotRecord:
    record = RobotRecord(
        ROBOT, tip=HOME, held=frozenset({"x"}), report=a_report(), holds=tuple(a_hold(kind) for kind in kinds)
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def resume(
    house: House, robot: RobotId = ROBOT, reason: str = "seen to", clock_off_s: float | None = None
) -> RobotRecord:
    with house.store.transaction() as uow:
        asked = Asked(robot, "porter-1", reason, NOON)
        return resume_robot(uow, FLEET, asked, ids=house.ids, clock_off_s=clock_off_s)


@pytest.mark.parametrize("kind", [kind for kind in HoldKind if kind.keeps_from_driving])
def test_a_person_lifts_every_hold_that_keeps_a_robot_from_driving(kind: HoldKind) -> None:
    house = a_house(a_record(kind))

    assert resume(house).holds == ()
    with house.store.reading() as uow:
        assert uow.robots.get(ROBOT).holds == ()
        assert [e.data["holds"] for e in uow.events.after(0, 100) if e.kind == "robot_changed"] == [[]]


def test_a_robot_that_is_out_of_service_stays_so_when_it_is_resumed() -> None:
    house = a_house(a_record(HoldKind.STOPPED, HoldKind.OUT_OF_SERVICE))

    assert [hold.kind for hold in resume(house).holds] == [HoldKind.OUT_OF_SERVICE]


def test_resuming_a_robot_that_nothing_keeps_changes_nothing() -> None:
    record = a_record(HoldKind.OUT_OF_SERVICE)
    house = a_house(record)

    assert resume(house) == record
    assert house.wanted() == []


def test_deliveries_no_longer_wait_for_what_was_lifted() -> None:
    house = a_house(a_record(HoldKind.STOPPED))
    hold = a_hold(HoldKind.STOPPED)
    with house.store.transaction() as uow:
        uow.deliveries.save(replace(house.delivery, waiting=(hold.as_reason,)))

    resume(house)

    assert house.codes == []


@pytest.mark.parametrize(
    "changes",
    [
        {"is_emergency_stopped": True},
        {"mode": OperatingMode.MANUAL},
        {"faults": (RobotFault("motor", is_fatal=True),)},
        {"pose": None},
        {"battery": 0.0},
    ],
)
def test_a_robot_that_still_reports_what_it_is_held_for_is_not_resumed(changes: dict[str, object]) -> None:
    record = a_record(HoldKind.STOPPED, report=a_report(**changes))
    house = a_house(record)

    with pytest.raises(RobotStillStoppedError, match=r"resume it here\.$"):
        resume(house)
    with house.store.reading() as uow:
        assert uow.robots.get(ROBOT) == record


@pytest.mark.parametrize("changes", [{"report": None}, {"lost_since": NOON}])
def test_a_robot_that_is_silent_is_not_resumed(changes: dict[str, object]) -> None:
    with pytest.raises(RobotSilentError):
        resume(a_house(a_record(HoldKind.STOPPED, **changes)))


def test_a_robot_that_is_none_of_ours_is_not_resumed() -> None:
    with pytest.raises(UnknownRobotError):
        resume(a_house(a_record()), robot=RobotId("robot-99"))


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\nb"])
def test_a_reason_has_to_say_something(reason: str) -> None:
    with pytest.raises(InvalidInputError):
        resume(a_house(a_record(HoldKind.STOPPED)), reason=reason)


def beside(waypoint: WaypointId, *, dx_m: float) -> Pose:
    pose = FLEET.pose_of(ROBOT, waypoint)
    return replace(pose, x_m=pose.x_m + dx_m)


def test_a_robot_that_stands_elsewhere_is_entered_on_the_waypoint_it_stands_on() -> None:
    elsewhere = next(w for w in sorted(FLEET.graph_of(ROBOT).waypoints) if w != HOME)
    report = a_report(pose=beside(elsewhere, dx_m=0.3))
    house = a_house(a_record(HoldKind.MOVED, report=report, order=an_order(), granted=(), driven_m=7.0))

    resumed = resume(house)

    assert (resumed.tip, resumed.order, resumed.held) == (elsewhere, None, frozenset())
    assert (resumed.report, resumed.driven_m) == (report, 7.0)


def test_a_robot_that_stands_elsewhere_on_no_waypoint_has_to_be_driven_onto_one_first() -> None:
    house = a_house(a_record(HoldKind.MOVED, report=a_report(pose=beside(HOME, dx_m=500.0))))

    with pytest.raises(RobotOffGraphError, match="Drive it onto one"):
        resume(house)


def test_a_robot_out_of_the_lanes_is_entered_where_it_was_put_back() -> None:
    house = a_house(a_record(HoldKind.REMOVED, tip=None, held=frozenset()))

    assert resume(house).tip == HOME


def test_a_robot_whose_order_is_being_cancelled_gets_no_other_before_it_has_said_so() -> None:
    elsewhere = next(w for w in sorted(FLEET.graph_of(ROBOT).waypoints) if w != HOME)
    moved = a_report(pose=FLEET.pose_of(ROBOT, elsewhere))

    house = a_house(a_record(HoldKind.MOVED, report=moved, order=an_order(), phase=OrderPhase.CANCELLING))

    assert (resume(house).phase, resume(house).tip) == (OrderPhase.CANCELLING, elsewhere)


def test_docking_that_failed_may_be_asked_again() -> None:
    house = a_house(a_record(HoldKind.FAILED_ACTION, order=an_order(), phase=OrderPhase.LOST))

    assert resume(house).order is None


def test_a_paused_robot_is_told_to_go_on_and_asked_to_pause_no_more() -> None:
    record = a_record(HoldKind.PAUSED, order=an_order(), phase=OrderPhase.ACKNOWLEDGED)
    house = a_house(record)
    with house.store.transaction() as uow:
        uow.outbox.add(ROBOT, at=NOON, action=RobotAction(ActionId("pause-1"), ActionKind.PAUSE))

    assert resume(house).order == record.order
    assert house.wanted() == [ActionKind.RESUME]


def test_a_robot_that_paused_by_itself_is_told_to_go_on() -> None:
    house = a_house(a_record(report=a_report(is_paused=True)))

    resume(house)

    assert house.wanted() == [ActionKind.RESUME]


def test_a_person_lets_the_clock_of_a_lost_robot_count_which_is_noted_and_lifts_nothing() -> None:
    house = a_house(a_record(HoldKind.QUARANTINED, lost_since=NOON))

    record = resume(house, clock_off_s=-7e7)

    assert record.report is not None
    assert record.report.clock_off_s == -7e7
    assert record.is_held_for(HoldKind.QUARANTINED)
    assert record.lost_since == NOON
    with house.store.reading() as uow:
        assert uow.robots.get(ROBOT) == record
        (entry,) = uow.history.page(ROBOT, before=None, limit=10)
    assert (entry.act, entry.by, entry.reason) == (RobotAct.RESUME, "porter-1", "seen to")
    assert "70000000 s behind ours" in entry.outcome


@pytest.mark.parametrize(
    ("changes", "off_s", "refusal"),
    [
        ({}, -7e7, ClockNotRefusedError),
        ({"lost_since": NOON, "report": None}, -7e7, ClockNotRefusedError),
        ({"lost_since": NOON}, 60.0, InvalidInputError),
    ],
    ids=["heard", "never heard", "right"],
)
def test_a_clock_that_keeps_a_robot_from_nothing_is_not_let_count(
    changes: dict[str, object], off_s: float, refusal: type[Exception]
) -> None:
    house = a_house(a_record(**changes))
    with pytest.raises(refusal):
        resume(house, clock_off_s=off_s)
    with house.store.reading() as uow:
        assert uow.robots.get(ROBOT) == a_record(**changes)
