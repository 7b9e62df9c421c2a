"""What people do with robots, in a virtual ward: each act, and what the robot and its deliveries do then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pytest

from orchestrator.application.abort_order import abort_order
from orchestrator.application.fence_off_robot import fence_off_robot
from orchestrator.application.hand_to_runner import hand_to_runner
from orchestrator.application.pause_robot import pause_robot
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.quarantine_robot import quarantine_robot
from orchestrator.application.resume_robot import resume_robot
from orchestrator.application.robot_acts import Asked
from orchestrator.application.send_robot import send_robot
from orchestrator.application.service_of_robot import put_in_service, take_out_of_service
from orchestrator.application.withdraw_robot import Aboard, withdraw_robot
from orchestrator.domain.custody.people import believed
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.site.model import StationId
from simulation.ward import Outcome, SimulatedWard
from tests.support.wards import a_cast, a_demand, a_fleet, demo_hospital

SITE = demo_hospital()
NOBODY = RobotId("")


def a_ward(*, count: int = 3, robots: int = 3, seed: int = 2, after_s: float = 1.0) -> SimulatedWard:
    asked = a_demand(SITE, count=count, seed=seed, robots=robots, after_s=after_s)
    return SimulatedWard(a_fleet(SITE, robots=robots), asked=asked, seed=seed)


@dataclass
class Operator:
    """Somebody who acts on the first robot that is seen as wanted, and looks at it afterwards."""

    ward: SimulatedWard
    robot: RobotId = NOBODY
    seen: list[RobotRecord] = field(default_factory=list)
    poses: list[tuple[float, float]] = field(default_factory=list)

    def once(self, is_so: Callable[[RobotRecord], bool], act: Callable[[], None]) -> None:
        """Act as soon as a robot is as wanted."""

        def look() -> None:
            found = [p.record for p in self.ward.control.picture().robots if is_so(p.record)]
            if found:
                self.robot = found[0].robot
                act()
            else:
                self.ward.scheduler.after(0.5, look)

        self.ward.scheduler.after(1.0, look)

    @property
    def record(self) -> RobotRecord:
        return next(p.record for p in self.ward.control.picture().robots if p.id == self.robot)

    def do(self, use_case: Callable[..., object], **more: object) -> None:
        asked = Asked(self.robot, "porter-1", "because", self.ward.clock.now())
        fleet, ids = self.ward.control.fleet, self.ward.ids
        self.ward.control.run(lambda uow: use_case(uow, fleet, asked, ids=ids, **more))
        self.ward._plan_tick()

    def look(self) -> None:
        pose = self.ward.robots[self.robot].pose
        self.seen.append(self.record)
        self.poses.append((pose.x_m, pose.y_m))

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        self.ward.scheduler.after(seconds, act)

    def deliveries(self) -> list[Delivery]:
        return self.ward.control.read(lambda uow: [d for d in uow.deliveries.open() if d.robot == self.robot])


def is_driving_with_a_load(record: RobotRecord) -> bool:
    return bool(record.report and record.report.is_driving and record.report.loads)


def is_fetching(record: RobotRecord) -> bool:
    return record.trip is not None and bool(record.report and record.report.is_driving and not record.report.loads)


def states(outcome: Outcome) -> list[str]:
    assert outcome.is_finished
    return sorted(delivery.state.value for delivery in outcome.deliveries)


def test_a_paused_robot_stands_keeps_its_order_and_goes_on_with_it_when_it_is_resumed() -> None:
    operator = Operator(a_ward())

    def pause() -> None:
        operator.do(pause_robot)
        operator.after(5.0, operator.look)
        operator.after(60.0, operator.look)
        operator.after(61.0, partial(operator.do, resume_robot))
        operator.after(63.0, operator.look)

    operator.once(is_driving_with_a_load, pause)
    outcome = operator.ward.run(limit_s=3000.0)

    first, later, resumed = operator.seen
    assert states(outcome) == ["received"] * 3
    assert first.report is not None
    assert first.report.is_paused
    assert operator.poses[0] == pytest.approx(operator.poses[1], abs=0.01)
    assert first.order is not None
    assert later.order is not None
    assert resumed.order is not None
    assert first.order == later.order
    assert resumed.order.id == first.order.id
    assert resumed.report is not None
    assert not resumed.report.is_paused


def test_people_are_told_within_its_limit_when_a_robot_does_not_answer_a_pause() -> None:
    operator = Operator(a_ward())
    paused_s: list[float] = []

    def pause() -> None:
        board = operator.ward.robots[operator.robot]
        hears = board._receive
        board._receive = lambda kind, payload: None  # type: ignore[method-assign]
        operator.do(pause_robot)
        paused_s.append(operator.ward.clock.monotonic_s())
        operator.after(60.0, operator.look)

        def hear_again() -> None:
            board._receive = hears  # type: ignore[method-assign]

        operator.after(61.0, hear_again)
        operator.after(70.0, operator.look)
        operator.after(90.0, partial(operator.do, resume_robot))

    operator.once(is_driving_with_a_load, pause)
    outcome = operator.ward.run(limit_s=3000.0)

    told = [event for event in operator.ward._log if event.data.get("code") == "action_unanswered"]
    limit_s = operator.ward.control.fleet.models[operator.robot].order_answer_s
    start = operator.ward._log[0].at.replace(second=0, microsecond=0)
    assert told[0].subject == operator.robot
    assert (told[0].at - start).total_seconds() <= paused_s[0] + limit_s + 1.0
    deaf, heard = operator.seen
    assert deaf.is_held_for(HoldKind.PAUSED)
    assert heard.report is not None
    assert heard.report.is_paused, "it was asked until it answered"
    assert states(outcome) == ["received"] * 3


def test_an_aborted_robot_drops_its_order_at_once_and_goes_on_with_its_trip_when_it_is_resumed() -> None:
    operator = Operator(a_ward())

    def abort() -> None:
        operator.do(abort_order)
        operator.after(5.0, operator.look)
        operator.after(60.0, operator.look)
        operator.after(61.0, partial(operator.do, resume_robot))

    operator.once(is_driving_with_a_load, abort)
    outcome = operator.ward.run(limit_s=3000.0)

    assert states(outcome) == ["received"] * 3
    assert operator.poses[0] == pytest.approx(operator.poses[1], abs=0.01)
    assert operator.seen[1].report is not None
    assert operator.seen[1].report.is_idle


def test_what_an_aborted_robot_was_to_fetch_is_fetched_by_another() -> None:
    operator = Operator(a_ward(count=1))

    def abort() -> None:
        operator.do(abort_order)
        # It stands where it was, perhaps in the only way.
        operator.after(300.0, partial(operator.do, fence_off_robot, is_removed=True))

    operator.once(is_fetching, abort)
    outcome = operator.ward.run(limit_s=3000.0)

    assert states(outcome) == ["received"]
    assert outcome.deliveries[0].robot != operator.robot


def test_a_withdrawn_robot_brings_back_what_it_carries_and_gets_work_again() -> None:
    operator = Operator(a_ward())
    operator.once(is_driving_with_a_load, lambda: operator.do(withdraw_robot, aboard=Aboard.RETURN))

    outcome = operator.ward.run(limit_s=3000.0)

    assert states(outcome) == ["received", "received", "returned"]
    returned = next(d for d in outcome.deliveries if d.state is DeliveryState.RETURNED)
    assert "robot_withdrawn" in [c.reason.code for c in returned.history if c.reason]


def is_being_loaded(record: RobotRecord) -> bool:
    """Whether it stands at a hatch with nothing aboard yet."""
    stands = record.report is not None and not record.report.is_driving and not record.report.loads
    is_there = record.order is not None and record.phase is OrderPhase.DONE
    return stands and is_there and record.trip is not None and (record.target or "").startswith("pharmacy")


def test_what_is_sealed_or_called_back_while_its_robot_is_paused_says_why_it_waits() -> None:
    operator = Operator(a_ward())
    said: dict[DeliveryState, set[str]] = {}

    def note() -> None:
        for delivery in operator.deliveries():
            said.setdefault(delivery.state, set()).update(reason.code for reason in delivery.waiting)

    def pause() -> None:
        operator.do(pause_robot)
        operator.after(120.0, note)
        operator.after(121.0, partial(operator.do, withdraw_robot, aboard=Aboard.RETURN))
        operator.after(125.0, note)

    operator.once(is_being_loaded, pause)
    operator.ward.run(limit_s=400.0)

    assert said[DeliveryState.SEALED] == said[DeliveryState.RETURNING] == {"robot_paused"}


def test_what_a_robot_was_to_fetch_that_a_person_quarantines_is_fetched_by_another() -> None:
    operator = Operator(a_ward(count=1))

    def quarantine() -> None:
        operator.do(quarantine_robot)
        operator.after(300.0, partial(operator.do, fence_off_robot, is_removed=True))

    operator.once(is_being_loaded, quarantine)
    operator.ward._people._can_see_to = lambda robot: robot != operator.robot  # type: ignore[method-assign]
    outcome = operator.ward.run(limit_s=3000.0)

    assert states(outcome) == ["received"]
    assert outcome.deliveries[0].robot != operator.robot


def test_a_robot_that_ends_its_way_to_wait_for_a_runner_stands_at_once_when_it_is_paused() -> None:
    operator = Operator(a_ward())

    def withdraw() -> None:
        operator.do(withdraw_robot, aboard=Aboard.RUNNER)
        operator.do(pause_robot)
        operator.do(pause_robot)
        operator.after(2.0, operator.look)
        operator.after(30.0, operator.look)

    acts: list[str] = []

    def read() -> None:
        with operator.ward.store.reading() as uow:
            acts.extend(entry.act for entry in uow.history.page(operator.robot, before=None, limit=50))

    operator.once(is_driving_with_a_load, withdraw)
    operator.ward.scheduler.at(240.0, read)
    operator.ward.run(limit_s=250.0)

    assert operator.poses[0] == pytest.approx(operator.poses[1], abs=0.01)
    assert all(record.report and record.report.is_paused for record in operator.seen)
    assert acts == ["pause", "withdraw"]


def test_a_robot_that_is_told_to_go_on_already_has_one_entry() -> None:
    operator = Operator(a_ward())
    acts: list[str] = []

    def resume_twice() -> None:
        operator.do(resume_robot)
        operator.do(resume_robot)
        with operator.ward.store.reading() as uow:
            acts.extend(entry.act for entry in uow.history.page(operator.robot, before=None, limit=50))

    def pause() -> None:
        operator.do(pause_robot)
        operator.after(20.0, resume_twice)

    operator.once(is_driving_with_a_load, pause)
    outcome = operator.ward.run(limit_s=3000.0)

    assert acts == ["resume", "pause"]
    assert states(outcome) == ["received"] * 3


def withdraw_twice(operator: Operator, acts: list[str]) -> None:
    operator.do(withdraw_robot, aboard=Aboard.RETURN)
    operator.do(withdraw_robot, aboard=Aboard.RETURN)
    with operator.ward.store.reading() as uow:
        acts += [entry.act for entry in uow.history.page(operator.robot, before=None, limit=50)]


@pytest.mark.parametrize(("is_so", "count"), [(is_fetching, 1), (is_driving_with_a_load, 3)])
def test_a_robot_that_is_withdrawn_already_has_one_entry(is_so: Callable[[RobotRecord], bool], count: int) -> None:
    operator = Operator(a_ward(count=count))
    acts: list[str] = []
    operator.once(is_so, lambda: withdraw_twice(operator, acts))

    operator.ward.run(limit_s=3000.0)

    assert acts.count("withdraw") == 1


@pytest.mark.parametrize("is_paused_before", [False, True])
def test_a_robot_that_waits_for_a_runner_has_one_entry_however_often_it_is_withdrawn(is_paused_before: bool) -> None:
    operator = Operator(a_ward())
    acts: list[str] = []

    def withdraw() -> None:
        if is_paused_before:
            operator.do(pause_robot)
        for wait_s in (1.0, 2.0, 10.0, 60.0):
            operator.after(wait_s, partial(operator.do, withdraw_robot, aboard=Aboard.RUNNER))
        operator.after(61.0, operator.look)
        operator.after(61.0, read)

    def read() -> None:
        with operator.ward.store.reading() as uow:
            acts.extend(entry.act for entry in uow.history.page(operator.robot, before=None, limit=50))

    operator.once(is_driving_with_a_load, withdraw)
    operator.ward.run(limit_s=300.0)

    assert acts.count("withdraw") == 1
    assert ["waits for a runner" in hold.reason for hold in operator.seen[0].holds] == [True]


def test_what_a_withdrawn_robot_was_to_fetch_another_one_fetches() -> None:
    operator = Operator(a_ward(count=1, robots=2))
    operator.once(is_fetching, lambda: operator.do(withdraw_robot, aboard=Aboard.RETURN))

    outcome = operator.ward.run(limit_s=3000.0)

    assert states(outcome) == ["received"]
    causes = [change.cause for change in outcome.deliveries[0].history if change.after is DeliveryState.ARRIVED]
    assert causes
    assert operator.robot not in causes


def test_the_only_robot_fetches_it_again_and_the_history_says_why() -> None:
    operator = Operator(a_ward(count=1, robots=1))
    operator.once(is_fetching, lambda: operator.do(withdraw_robot, aboard=Aboard.RETURN))

    outcome = operator.ward.run(limit_s=3000.0)

    assert states(outcome) == ["received"]
    assigned = [change.reason for change in outcome.deliveries[0].history if change.after is DeliveryState.ASSIGNED]
    assert [reason.code if reason else None for reason in assigned] == [None, "withdrawn_robot_again"]


def test_a_withdrawn_robot_drives_what_was_released_to_it_and_not_its_old_route() -> None:
    operator = Operator(a_ward())
    base: list[int] = []

    def withdraw() -> None:
        order = operator.record.order
        assert order is not None
        base.append(order.released)
        operator.do(withdraw_robot, aboard=Aboard.RUNNER)
        operator.after(60.0, operator.look)
        operator.after(61.0, take_out)

    def take_out() -> None:
        def hand(uow: UnitOfWork) -> None:
            for delivery in operator.deliveries():
                hand_to_runner(
                    uow,
                    delivery=delivery.id,
                    reason="taken",
                    is_emptied=True,
                    at=operator.ward.clock.now(),
                    present=believed("p-1"),
                    premises=operator.ward.control.fleet.premises,
                    ids=operator.ward.ids,
                )

        operator.ward.control.run(hand)
        operator.do(resume_robot)

    operator.once(is_driving_with_a_load, withdraw)
    outcome = operator.ward.run(limit_s=3000.0)

    assert operator.seen[0].is_held_for(HoldKind.PAUSED)
    assert operator.seen[0].order is not None
    assert operator.seen[0].order.released == base[0]
    assert "handed_to_runner" in states(outcome)
    assert set(states(outcome)) == {"handed_to_runner", "received"}


def test_a_robot_out_of_service_ends_its_trip_goes_home_and_gets_no_work_until_it_is_put_back() -> None:
    operator = Operator(a_ward(count=4, robots=1))

    def take_out() -> None:
        operator.do(take_out_of_service)
        operator.after(900.0, operator.look)
        operator.after(901.0, partial(operator.do, put_in_service))

    operator.once(is_driving_with_a_load, take_out)
    outcome = operator.ward.run(limit_s=3000.0)

    seen = operator.seen[0]
    assert seen.trip is None
    assert seen.target == operator.ward.control.fleet.robots[operator.robot].home
    assert seen.tip == operator.ward.control.fleet.home_waypoint_of(operator.robot)
    assert states(outcome) == ["received"] * 4


def test_a_robot_is_sent_to_a_station_stays_there_without_work_and_gets_work_when_it_is_sent_home() -> None:
    ward = a_ward(count=1, robots=1, after_s=200.0)
    operator = Operator(ward, robot=RobotId("robot-1"))
    there = StationId(a_cast(SITE, robots=1).wards[0])

    ward.scheduler.at(5.0, lambda: operator.do(send_robot, station=there))
    ward.scheduler.at(199.0, operator.look)
    ward.scheduler.at(300.0, operator.look)
    home = ward.control.fleet.robots[operator.robot].home
    ward.scheduler.at(301.0, lambda: operator.do(send_robot, station=home))
    outcome = ward.run(limit_s=3000.0)

    place = ward.control.fleet.waypoint_of(operator.robot, there)
    assert [record.tip for record in operator.seen] == [place, place]
    assert operator.seen[1].trip is None
    assert states(outcome) == ["received"]


def test_a_robot_that_was_sent_somewhere_goes_home_when_it_is_taken_out_of_service() -> None:
    ward = a_ward(count=1, robots=1, after_s=600.0)
    operator = Operator(ward, robot=RobotId("robot-1"))
    there = StationId(a_cast(SITE, robots=1).wards[0])

    ward.scheduler.at(5.0, lambda: operator.do(send_robot, station=there))
    ward.scheduler.at(200.0, partial(operator.do, take_out_of_service))
    ward.scheduler.at(500.0, operator.look)
    ward.scheduler.at(501.0, lambda: operator.do(send_robot, station=there))
    ward.scheduler.at(590.0, operator.look)
    ward.run(limit_s=595.0)

    assert operator.seen[0].tip == ward.control.fleet.home_waypoint_of(operator.robot)
    assert operator.seen[0].sent_to is None
    assert operator.seen[1].sent_to == there


def test_a_dead_robot_that_is_fenced_off_gives_up_its_work_and_one_that_is_removed_is_in_nobodys_way() -> None:
    operator = Operator(a_ward())

    def die() -> None:
        operator.ward.robots[operator.robot].cut_power()
        operator.after(30.0, partial(operator.do, fence_off_robot))
        operator.after(31.0, operator.look)
        operator.after(60.0, partial(operator.do, fence_off_robot, is_removed=True))
        operator.after(61.0, operator.look)

    operator.once(is_fetching, die)
    outcome = operator.ward.run(limit_s=3000.0)

    fenced, removed = operator.seen
    assert fenced.held
    assert (removed.tip, removed.held) == (None, frozenset())
    assert operator.robot not in operator.ward.control._steering.monitor.robots
    assert states(outcome) == ["received"] * 3


def test_a_removed_robot_that_is_switched_on_elsewhere_is_on_no_lane_until_it_is_resumed() -> None:
    operator = Operator(a_ward())

    def remove() -> None:
        robot = operator.ward.robots[operator.robot]
        robot.cut_power()
        operator.do(fence_off_robot, is_removed=True)
        operator.after(10.0, robot.switch_on)
        operator.after(40.0, operator.look)
        operator.after(41.0, partial(operator.do, resume_robot))
        operator.after(42.0, operator.look)

    operator.once(lambda record: record.tip is not None and record.trip is None, remove)
    outcome = operator.ward.run(limit_s=3000.0)

    off, on = operator.seen
    assert (off.tip, off.held) == (None, frozenset())
    assert on.tip is not None
    assert on.held
    assert states(outcome) == ["received"] * 3


def test_after_a_restart_a_robot_that_says_nothing_is_fenced_off_and_once_it_is_carried_away_the_others_go_on() -> None:
    operator = Operator(a_ward())

    def die() -> None:
        operator.ward.robots[operator.robot].cut_power()
        operator.ward.kill_orchestrator(away_s=3.0)
        operator.after(10.0, partial(operator.do, fence_off_robot))
        # It may stand anywhere on what was released to it, so all of that stays its own for now.
        operator.after(60.0, operator.look)
        operator.after(61.0, partial(operator.do, fence_off_robot, is_removed=True))

    operator.once(is_fetching, die)
    outcome = operator.ward.run(limit_s=3000.0)

    assert operator.seen[0].held
    assert states(outcome) == ["received"] * 3
    assert all(delivery.robot != operator.robot for delivery in outcome.deliveries)


@pytest.mark.parametrize("act", [pause_robot, fence_off_robot, take_out_of_service])
def test_what_a_person_has_laid_outlives_the_orchestrator(act: Callable[..., object]) -> None:
    operator = Operator(a_ward())

    def lay() -> None:
        operator.do(act)
        operator.ward.kill_orchestrator(away_s=3.0)
        operator.after(20.0, operator.look)
        operator.after(21.0, partial(operator.do, put_in_service))
        operator.after(22.0, partial(operator.do, resume_robot))

    operator.once(is_driving_with_a_load, lay)
    outcome = operator.ward.run(limit_s=3000.0)

    assert operator.seen[0].holds
    assert operator.seen[0].holds[0].by == "porter-1"
    assert states(outcome) == ["received"] * 3
