"""Ways that shut ahead of robots: lanes that are closed, and robots that stand where they should not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.application.closures import ClosedLanes
from orchestrator.application.driving import lanes_ahead, with_known_holdings
from orchestrator.application.listening import ORDER_UNANSWERED
from orchestrator.application.steps import remaining_base, standing_place
from orchestrator.domain.fleet.hold import Hold, HoldKind
from orchestrator.domain.fleet.model import Pose, RobotId
from orchestrator.domain.fleet.record import OrderPhase
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import LaneId, LevelId, WaypointId
from tests.support.steering_bench import AT, FLEET, Bench, a_report
from tests.support.wards import PORTER

FIRST, SECOND, THIRD = sorted(FLEET.robots)
WARD = next(s.id for s in FLEET.site.stations.values() if "alder_handover" in s.waypoints.values())
DOWN, ALONG = LaneId("lobby_n~lobby"), LaneId("corridor_1~corridor_2")
CLOSED = Reason("lane_closed", "Closed for cleaning until noon.")
CORRIDOR = Pose(LevelId("ground"), 24.3, 20.4)
"""Between two places of the narrow corridor, beside its lane."""


def held_by(bench: Bench, robot: RobotId) -> frozenset[str]:
    return bench.steering.monitor.held(robot)


# Closed lanes ---------------------------------------------------------------------------------------------------------


def test_lanes_that_were_granted_and_not_released_are_given_back_when_one_of_them_is_closed() -> None:
    bench = Bench()
    granted = bench.send(FIRST, WARD)
    assert DOWN in granted.granted

    bench.steer(ClosedLanes({DOWN: CLOSED}))

    record = bench.records[FIRST]
    assert (record.granted, record.route) == ((), ())
    assert record.tip == FLEET.home_waypoint_of(FIRST)
    assert record.held == held_by(bench, FIRST) == {f"waypoint:{record.tip}@{FLEET.models[FIRST].id}"}


def test_a_robot_without_an_open_way_is_told_which_closure_it_waits_for_and_goes_on_once_it_ends() -> None:
    bench = Bench()
    bench.change(FIRST, target=WARD)

    bench.steer(ClosedLanes({ALONG: CLOSED}))
    assert bench.records[FIRST].waiting[-1] == CLOSED
    assert bench.records[FIRST].granted == ()

    bench.steer()
    assert bench.records[FIRST].granted


def test_what_is_in_the_base_is_driven_to_its_end_and_only_what_lies_beyond_is_given_back() -> None:
    bench = Bench()
    granted = bench.send(FIRST, WARD).granted
    assert len(granted) > 2
    bench.release(FIRST, 2)

    bench.steer(ClosedLanes({DOWN: CLOSED}))
    assert lanes_ahead(bench.records[FIRST])[:2] == granted[:2]

    bench.steer(ClosedLanes({granted[2]: CLOSED}))
    assert lanes_ahead(bench.records[FIRST]) == granted[:2]
    assert bench.records[FIRST].tip == FLEET.graph_of(FIRST).lanes[granted[1]].end


def test_of_an_order_that_nobody_follows_any_more_the_lanes_ahead_are_given_back_but_for_the_one_stood_on() -> None:
    bench = Bench()
    granted = bench.send(FIRST, WARD).granted
    bench.release(FIRST, 2)
    home = FLEET.pose_of(FIRST, FLEET.home_waypoint_of(FIRST))
    bench.change(FIRST, phase=OrderPhase.LOST, report=a_report(FIRST, replace(home, y_m=home.y_m - 1.5)))

    bench.steer(ClosedLanes({DOWN: CLOSED}))

    assert lanes_ahead(bench.records[FIRST]) == granted[:1]
    assert bench.records[FIRST].tip == FLEET.graph_of(FIRST).lanes[granted[0]].end


def test_robots_that_closed_lanes_cut_off_from_their_home_are_named_once() -> None:
    bench = Bench(robot_1="alder_1")

    bench.steer(ClosedLanes({LaneId("corridor_2~corridor_1"): CLOSED}))
    bench.steer(ClosedLanes({LaneId("corridor_2~corridor_1"): CLOSED}))

    assert [alarm for alarm in bench.alarms() if "cut off" in alarm] == [
        f"Closed lanes cut off {FIRST}; open them, or take these robots home by hand."
    ]


# Robots in the way ----------------------------------------------------------------------------------------------------


def held_in_the_corridor(bench: Bench) -> None:
    hold = Hold(HoldKind.MOVED, "It was moved.", SECOND, AT)
    bench.change(SECOND, report=a_report(SECOND, CORRIDOR), holds=(hold,))


def test_a_robot_that_was_moved_keeps_its_old_place_and_closes_what_it_covers_now() -> None:
    bench = Bench()
    held_in_the_corridor(bench)

    bench.steer()

    barred = bench.steering.monitor.barred(FIRST)
    assert FLEET.home_waypoint_of(SECOND) in barred.waypoints
    assert {ALONG, LaneId("corridor_2~corridor_1")} <= barred.lanes
    assert LaneId("lobby~corridor_w") not in barred.lanes


def test_those_whom_a_robot_in_the_way_cuts_off_are_named_once() -> None:
    bench = Bench(robot_1="alder_1")
    held_in_the_corridor(bench)

    bench.steer()
    bench.steer()

    assert bench.alarms() == [f"Robot {SECOND} cannot move and cuts off {FIRST}; move it aside or fence it off."]


def test_lanes_that_lead_to_a_robot_in_the_way_are_given_back_while_they_are_not_released() -> None:
    bench = Bench(robot_1="lobby")
    record = bench.send(FIRST, WARD)
    assert ALONG in record.granted
    held_in_the_corridor(bench)

    bench.steer()

    assert ALONG not in bench.records[FIRST].granted
    assert ALONG not in bench.records[FIRST].route


def test_a_robot_that_can_move_closes_nothing_to_others_by_standing_a_little_beside_its_place() -> None:
    bench = Bench(robot_1="hall_e", robot_2="hall_w")
    beside = FLEET.pose_of(SECOND, WaypointId("hall_w"))
    bench.change(SECOND, report=a_report(SECOND, replace(beside, x_m=beside.x_m - 0.4)))

    bench.steer()

    assert not bench.steering.monitor.has_obstacles
    assert bench.alarms() == []


def test_the_way_is_open_again_once_the_robot_is_back() -> None:
    bench = Bench()
    held_in_the_corridor(bench)
    bench.steer()

    bench.change(SECOND, report=a_report(SECOND, FLEET.pose_of(SECOND, FLEET.home_waypoint_of(SECOND))), holds=())
    bench.steer()

    assert ALONG not in bench.steering.monitor.barred(FIRST).lanes
    assert not bench.steering.monitor.has_obstacles


def test_others_plan_round_a_robot_that_does_not_answer_its_order_and_it_keeps_its_lanes() -> None:
    bench = Bench()
    granted = bench.send(SECOND, WARD)
    bench.release(SECOND, 2)
    bench.change(SECOND, phase=OrderPhase.WANTED, waiting=(Reason(ORDER_UNANSWERED, "It has not answered."),))

    bench.steer()

    assert held_by(bench, SECOND) == granted.held
    assert set(granted.granted) <= bench.steering.monitor.barred(FIRST).lanes


# What is given back unused --------------------------------------------------------------------------------------------

STOPPED = Hold(HoldKind.STOPPED, "Its emergency stop was pressed.", FIRST, AT)


def a_robot_under_way(**changes: object) -> Bench:
    """The first robot one lane on its way, one more released and another granted; ``changes`` to its record."""
    bench = Bench()
    bench.send(FIRST, WARD)
    bench.release(FIRST, 2)
    lanes = lanes_ahead(bench.records[FIRST])
    place = FLEET.graph_of(FIRST).lanes[lanes[0]].end
    held = bench.steering.monitor.release_behind(FIRST, at=place, ahead=lanes[1:])
    bench.change(FIRST, passed=1, held=held, report=a_report(FIRST, FLEET.pose_of(FIRST, place)))
    bench.change(FIRST, **changes)
    return bench


def test_a_held_robot_whose_order_is_gone_gives_back_all_but_its_place() -> None:
    bench = a_robot_under_way(phase=OrderPhase.LOST, holds=(STOPPED,))
    place = standing_place(FLEET, bench.records[FIRST])

    bench.steer()

    record = bench.records[FIRST]
    assert record.tip is not None
    assert (lanes_ahead(record), record.tip) == ((), place)
    assert record.held == held_by(bench, FIRST) == bench.steering.relation.of_waypoint(PORTER, record.tip)


@pytest.mark.parametrize("why", ["not cancelled yet", "silent", "no position", "quarantined", "driving", "elsewhere"])
def test_a_robot_that_may_still_be_on_its_released_way_gives_back_only_what_was_never_sent(why: str) -> None:
    bench = a_robot_under_way(phase=OrderPhase.LOST, holds=(STOPPED,))
    record = bench.records[FIRST]
    assert record.report is not None
    match why:
        case "not cancelled yet":
            bench.change(FIRST, phase=OrderPhase.CANCELLING)
        case "silent":
            bench.change(FIRST, holds=(), lost_since=AT)
        case "no position":
            bench.change(FIRST, report=replace(record.report, pose=None))
        case "quarantined":
            bench.change(FIRST, holds=(Hold(HoldKind.QUARANTINED, "It sends rubbish.", FIRST, AT),))
        case "driving":
            bench.change(FIRST, report=replace(record.report, is_driving=True))
        case _:
            bench.change(FIRST, report=replace(record.report, pose=FLEET.pose_of(FIRST, WaypointId("alder_1"))))
    base = remaining_base(record)
    assert base
    assert record.granted

    bench.steer()

    after = bench.records[FIRST]
    assert (remaining_base(after), after.granted) == (base, ())
    assert after.held == held_by(bench, FIRST)


def test_a_robot_that_only_waits_keeps_what_it_was_granted() -> None:
    bench = a_robot_under_way()
    before = bench.records[FIRST]

    bench.steer()

    assert bench.records[FIRST].granted[: len(before.granted)] == before.granted


def test_a_withdrawn_robot_plans_from_the_end_of_what_was_released_to_it() -> None:
    bench = a_robot_under_way()
    base = remaining_base(bench.records[FIRST])

    bench.change(FIRST, route=(), target=None)
    bench.steer()

    record = bench.records[FIRST]
    assert lanes_ahead(record) == base
    assert record.tip == FLEET.graph_of(FIRST).lanes[base[-1]].end


# Books ----------------------------------------------------------------------------------------------------------------


def test_books_that_name_resources_otherwise_are_read_by_where_the_robot_is_and_the_lanes_ahead_of_it() -> None:
    bench = Bench()
    record = bench.send(FIRST, WARD)
    old = replace(record, held=frozenset({"waypoint:charger_1", "lane:charger_1~lobby_n"}))

    assert with_known_holdings(FLEET, bench.steering.relation, old) == record
    assert with_known_holdings(FLEET, bench.steering.relation, record) is record
