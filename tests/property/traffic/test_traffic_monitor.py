"""The monitor against an oracle that tries every order and every way, on random small graphs."""

from __future__ import annotations

from itertools import permutations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.domain.fleet.model import ModelId, RobotId
from orchestrator.domain.site.model import LaneGraph, LaneId, WaypointId
from orchestrator.domain.traffic.answers import Granted
from orchestrator.domain.traffic.monitor import Monitor
from tests.support.traffic_world import (
    CART,
    TOY,
    TWIN_GRAPH,
    a_graph,
    a_monitor,
    a_relation,
    a_twin,
    enter,
    twin,
)

SIDE = 3
PLACES = {f"{x}{y}": (1.5 * x, 1.5 * y) for x in range(SIDE) for y in range(SIDE)}
EDGES = [(f"{x}{y}", f"{x + 1}{y}") for x in range(SIDE - 1) for y in range(SIDE)]
EDGES += [(f"{x}{y}", f"{x}{y + 1}") for x in range(SIDE) for y in range(SIDE - 1)]


@st.composite
def grids(draw: st.DrawFn) -> LaneGraph:
    """Part of the grid, some of it one-way."""
    kinds = draw(st.lists(st.sampled_from(["-", ">", ""]), min_size=len(EDGES), max_size=len(EDGES)))
    return a_graph(PLACES, [f"{a}{kind}{b}" for (a, b), kind in zip(EDGES, kinds, strict=True) if kind])


@st.composite
def monitors(draw: st.DrawFn) -> Monitor:
    """Up to four robots, at home or anywhere; of one model on one graph, or of two on two that cover the same floor."""
    carts = a_twin(draw(grids()), shift_m=draw(st.sampled_from([0.0, 0.4, 0.75])))
    monitor = Monitor(a_relation(draw(grids()), carts))
    is_mixed = draw(st.booleans())
    robots = draw(st.integers(2, 4))
    models = draw(st.lists(st.sampled_from([TOY, CART] if is_mixed else [TOY]), min_size=robots, max_size=robots))
    names = st.permutations(sorted(PLACES))
    tips = draw(names)[:robots]
    endpoints = draw(st.one_of(st.just(tips), names))[:robots]
    for i, (tip, endpoint, model) in enumerate(zip(tips, endpoints, models, strict=True)):
        place_on = twin if model == CART else WaypointId
        enter(monitor, f"r{i}", place_on(tip), endpoint=place_on(endpoint), model=model)
    return monitor


def model_of(monitor: Monitor, robot: RobotId) -> ModelId:
    return CART if monitor.graph_of(robot).id == TWIN_GRAPH else TOY


def has_safe_order(monitor: Monitor) -> bool:
    """Try every order, each robot by flooding what is free, written without the monitor's own search."""
    held = {robot: monitor.held(robot) for robot in monitor.robots}
    ends = {r: monitor.relation.of_waypoint(model_of(monitor, r), monitor.endpoint(r)) for r in monitor.robots}
    for order in permutations(monitor.robots):
        taken = dict(held)
        for robot in order:
            others = {resource for other in ends if other != robot for resource in (*ends[other], *taken[other])}
            if not _reaches_home(monitor, robot, others):
                break
            taken[robot] = ends[robot]
        else:
            return True
    return False


def _reaches_home(monitor: Monitor, robot: RobotId, closed: set[str]) -> bool:
    relation, model = monitor.relation, model_of(monitor, robot)
    start, goal = monitor.tip(robot), monitor.endpoint(robot)
    reached, ahead = {start}, [start]
    while ahead:
        here = ahead.pop()
        for lane in monitor.graph_of(robot).lanes.values():
            needs = relation.of_lane(model, lane.id) | relation.of_waypoint(model, lane.end)
            is_open = not any(relation.conflicting(resource) & closed for resource in needs)
            if lane.start == here and lane.end not in reached and is_open:
                reached.add(lane.end)
                ahead.append(lane.end)
    return goal in reached


SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(monitors())
def test_a_safe_order_is_found_exactly_when_there_is_one(monitor: Monitor) -> None:

    assert (monitor.cut_off() == ()) == has_safe_order(monitor)


@SLOW
@given(monitors(), st.data())
def test_grants_keep_a_safe_state_safe_and_refusals_change_nothing(monitor: Monitor, data: st.DataObject) -> None:
    if monitor.cut_off():
        return
    for _ in range(8):
        robot = data.draw(st.sampled_from(monitor.robots))
        out = sorted(lane.id for lane in monitor.graph_of(robot).lanes.values() if lane.start == monitor.tip(robot))
        if not out:
            continue
        lane = data.draw(st.sampled_from(out))
        before = {r: (monitor.tip(r), monitor.held(r)) for r in monitor.robots}
        answer = monitor.grant(robot, (lane,))
        if isinstance(answer, Granted):
            monitor.release_behind(robot, at=monitor.graph_of(robot).lanes[lane].end, ahead=())
        else:
            assert before == {r: (monitor.tip(r), monitor.held(r)) for r in monitor.robots}
        assert has_safe_order(monitor)
        _nobody_conflicts(monitor)


@SLOW
@given(monitors())
def test_from_every_safe_state_everybody_gets_home_along_the_safe_order(monitor: Monitor) -> None:
    if monitor.cut_off():
        return
    for robot in monitor.safe_order():
        for lane in monitor.way_home(robot) or ():
            assert isinstance(monitor.grant(robot, (lane,), keeps_order=True), Granted)
            monitor.release_behind(robot, at=monitor.graph_of(robot).lanes[lane].end, ahead=())

    assert all(monitor.tip(robot) == monitor.endpoint(robot) for robot in monitor.robots)


@SLOW
@given(monitors(), st.data())
def test_the_fast_path_grants_no_more_than_a_search_from_scratch(monitor: Monitor, data: st.DataObject) -> None:
    if monitor.cut_off():
        return
    for _ in range(8):
        robot = data.draw(st.sampled_from(monitor.robots))
        lanes = sorted(lane.id for lane in monitor.graph_of(robot).lanes.values() if lane.start == monitor.tip(robot))
        for lane in lanes:
            fresh = _copied(monitor)
            assert type(fresh.may_grant(robot, (lane,))) is type(monitor.may_grant(robot, (lane,)))
        if lanes:
            monitor.grant(robot, (data.draw(st.sampled_from(lanes)),))


def _copied(monitor: Monitor) -> Monitor:
    """Return a monitor that is told the same things and has to find the order itself."""
    fresh = Monitor(monitor.relation)
    for robot in monitor.robots:
        held, endpoint = monitor.held(robot), monitor.endpoint(robot)
        model = model_of(monitor, robot)
        fresh.occupy(robot, model=model, tip=monitor.tip(robot), held=held, endpoint=endpoint)
    return fresh


def _nobody_conflicts(monitor: Monitor) -> None:
    for robot in monitor.robots:
        for other in monitor.robots:
            if other != robot:
                assert not monitor.relation.mask(monitor.held(robot)) & monitor.held_conflicts(other)


def test_the_oracle_knows_a_deadlock_when_it_sees_one() -> None:
    monitor = a_monitor(a_graph({"00": (0, 0), "10": (2, 0)}, ["00-10"]), a="00/10", b="10/00")

    assert not has_safe_order(monitor)
    assert monitor.cut_off() == ("a", "b")


def test_the_oracle_knows_a_deadlock_of_two_models_on_two_graphs_when_it_sees_one() -> None:
    graph = a_graph({"00": (0, 0), "10": (2, 0)}, ["00-10"])
    monitor = Monitor(a_relation(graph, a_twin(graph)))
    enter(monitor, "a", "00", endpoint="10")
    enter(monitor, "b", twin("10"), endpoint=twin("00"), model=CART)

    assert not has_safe_order(monitor)
    assert monitor.cut_off() == ("a", "b")


@SLOW
@given(monitors(), st.data())
def test_lanes_are_taken_back_only_into_a_safe_state_and_a_refusal_changes_nothing(
    monitor: Monitor, data: st.DataObject
) -> None:
    if monitor.cut_off():
        return
    robot = data.draw(st.sampled_from(monitor.robots))
    places, granted = [monitor.tip(robot)], list[LaneId]()
    for _ in range(4):
        lanes = sorted(lane.id for lane in monitor.graph_of(robot).lanes.values() if lane.start == monitor.tip(robot))
        if lanes and isinstance(monitor.grant(robot, (lane := data.draw(st.sampled_from(lanes)),)), Granted):
            granted.append(lane)
            places.append(monitor.tip(robot))
    kept = data.draw(st.integers(0, len(granted)))
    before = {r: (monitor.tip(r), monitor.held(r)) for r in monitor.robots}
    keeping = monitor.relation.of_route(model_of(monitor, robot), places[0], granted[:kept])

    if monitor.retract(robot, to=places[kept], keeping=keeping):
        assert (monitor.tip(robot), monitor.held(robot)) == (places[kept], keeping)
    else:
        assert before == {r: (monitor.tip(r), monitor.held(r)) for r in monitor.robots}
    assert has_safe_order(monitor)
