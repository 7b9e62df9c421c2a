"""The monitor against an oracle that tries every order and every way, on random small graphs."""

from __future__ import annotations

from itertools import permutations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.model import LaneGraph, WaypointId
from orchestrator.domain.traffic.monitor import Granted, Monitor
from orchestrator.domain.traffic.resources import compile_resources
from tests.support.traffic_world import a_graph, a_site

SIDE = 3
PLACES = {f"{x}{y}": (1.5 * x, 1.5 * y) for x in range(SIDE) for y in range(SIDE)}
EDGES = [(f"{x}{y}", f"{x + 1}{y}") for x in range(SIDE - 1) for y in range(SIDE)]
EDGES += [(f"{x}{y}", f"{x}{y + 1}") for x in range(SIDE) for y in range(SIDE - 1)]


@st.composite
def monitors(draw: st.DrawFn) -> tuple[Monitor, LaneGraph]:
    """Up to four robots, at home or anywhere, on a part of a grid."""
    kinds = draw(st.lists(st.sampled_from(["-", ">", ""]), min_size=len(EDGES), max_size=len(EDGES)))
    graph = a_graph(PLACES, [f"{a}{kind}{b}" for (a, b), kind in zip(EDGES, kinds, strict=True) if kind])
    robots = draw(st.integers(2, 4))
    names = st.permutations(sorted(PLACES))
    tips = draw(names)[:robots]
    endpoints = draw(st.one_of(st.just(tips), names))[:robots]
    monitor = Monitor(compile_resources(a_site(graph), graph, radius_m=0.3), graph)
    for i, (tip, endpoint) in enumerate(zip(tips, endpoints, strict=True)):
        monitor.occupy(RobotId(f"r{i}"), tip=WaypointId(tip), held=(), endpoint=WaypointId(endpoint))
    return monitor, graph


def has_safe_order(monitor: Monitor, graph: LaneGraph) -> bool:
    """Try every order, each robot by flooding what is free, written without the monitor's own search."""
    tips = {robot: monitor.tip(robot) for robot in monitor.robots}
    held = {robot: monitor.held(robot) for robot in monitor.robots}
    ends = {robot: monitor.endpoint(robot) for robot in monitor.robots}
    for order in permutations(monitor.robots):
        taken = dict(held)
        for robot in order:
            others = {f"waypoint:{ends[other]}" for other in ends if other != robot}
            for other, resources in taken.items():
                others |= resources if other != robot else frozenset()
            if not _reaches(graph, monitor, tips[robot], ends[robot], others):
                break
            taken[robot] = frozenset({f"waypoint:{ends[robot]}"})
        else:
            return True
    return False


def _reaches(graph: LaneGraph, monitor: Monitor, start: WaypointId, goal: WaypointId, closed: set[str]) -> bool:
    reached, ahead = {start}, [start]
    while ahead:
        here = ahead.pop()
        for lane in graph.lanes.values():
            needs = monitor.resources.of_lane(lane.id) | {f"waypoint:{lane.end}"}
            is_open = not any(monitor.resources.conflicting(resource) & closed for resource in needs)
            if lane.start == here and lane.end not in reached and is_open:
                reached.add(lane.end)
                ahead.append(lane.end)
    return goal in reached


SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(monitors())
def test_a_safe_order_is_found_exactly_when_there_is_one(case: tuple[Monitor, LaneGraph]) -> None:
    monitor, graph = case

    assert (monitor.cut_off() == ()) == has_safe_order(monitor, graph)


@SLOW
@given(monitors(), st.data())
def test_grants_keep_a_safe_state_safe_and_refusals_change_nothing(
    case: tuple[Monitor, LaneGraph], data: st.DataObject
) -> None:
    monitor, graph = case
    if monitor.cut_off():
        return
    for _ in range(8):
        robot = data.draw(st.sampled_from(monitor.robots))
        out = sorted(lane.id for lane in graph.lanes.values() if lane.start == monitor.tip(robot))
        if not out:
            continue
        lane = data.draw(st.sampled_from(out))
        before = {r: (monitor.tip(r), monitor.held(r)) for r in monitor.robots}
        answer = monitor.grant(robot, (lane,))
        if isinstance(answer, Granted):
            monitor.release_behind(robot, at=graph.lanes[lane].end, ahead=())
        else:
            assert before == {r: (monitor.tip(r), monitor.held(r)) for r in monitor.robots}
        assert has_safe_order(monitor, graph)
        _nobody_conflicts(monitor)


@SLOW
@given(monitors())
def test_from_every_safe_state_everybody_gets_home_along_the_safe_order(case: tuple[Monitor, LaneGraph]) -> None:
    monitor, graph = case
    if monitor.cut_off():
        return
    for robot in monitor.safe_order():
        for lane in monitor.way_home(robot) or ():
            assert isinstance(monitor.grant(robot, (lane,), keeps_order=True), Granted)
            monitor.release_behind(robot, at=graph.lanes[lane].end, ahead=())

    assert all(monitor.tip(robot) == monitor.endpoint(robot) for robot in monitor.robots)


@SLOW
@given(monitors(), st.data())
def test_the_fast_path_grants_no_more_than_a_search_from_scratch(
    case: tuple[Monitor, LaneGraph], data: st.DataObject
) -> None:
    monitor, graph = case
    if monitor.cut_off():
        return
    for _ in range(8):
        robot = data.draw(st.sampled_from(monitor.robots))
        lanes = sorted(lane.id for lane in graph.lanes.values() if lane.start == monitor.tip(robot))
        for lane in lanes:
            fresh = _copied(monitor, graph)
            assert type(fresh.may_grant(robot, (lane,))) is type(monitor.may_grant(robot, (lane,)))
        if lanes:
            monitor.grant(robot, (data.draw(st.sampled_from(lanes)),))


def _copied(monitor: Monitor, graph: LaneGraph) -> Monitor:
    """Return a monitor that is told the same things and has to find the order itself."""
    fresh = Monitor(monitor.resources, graph)
    for robot in monitor.robots:
        held, endpoint = monitor.held(robot), monitor.endpoint(robot)
        fresh.occupy(robot, tip=monitor.tip(robot), held=held, endpoint=endpoint)
    return fresh


def _nobody_conflicts(monitor: Monitor) -> None:
    for robot in monitor.robots:
        for other in monitor.robots:
            if other != robot:
                assert not monitor.resources.mask(monitor.held(robot)) & monitor.held_conflicts(other)


def test_the_oracle_knows_a_deadlock_when_it_sees_one() -> None:
    graph = a_graph({"00": (0, 0), "10": (2, 0)}, ["00-10"])
    monitor = Monitor(compile_resources(a_site(graph), graph, radius_m=0.3), graph)
    monitor.occupy(RobotId("a"), tip=WaypointId("00"), held=(), endpoint=WaypointId("10"))
    monitor.occupy(RobotId("b"), tip=WaypointId("10"), held=(), endpoint=WaypointId("00"))

    assert not has_safe_order(monitor, graph)
    assert monitor.cut_off() == ("a", "b")
