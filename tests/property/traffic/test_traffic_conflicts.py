"""The conflict relation against sampled poses: footprints that overlap are of robots that may not both be there."""

from __future__ import annotations

from math import atan2, cos, hypot, pi, sin

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon
from shapely.geometry.base import BaseGeometry

from orchestrator.domain.fleet.model import Pose, RobotModel
from orchestrator.domain.site.model import LaneGraph
from orchestrator.domain.traffic.conflicts import ConflictRelation, conflict_relation
from tests.support.traffic_world import LEVEL, TWIN_GRAPH, a_graph, a_model, a_site, a_twin

coordinates = st.floats(-3.0, 3.0).map(lambda value: round(value, 2))
shares = st.floats(0.0, 1.0)
footprints = st.tuples(*(st.floats(0.15, 0.9).map(lambda value: round(value, 2)),) * 3).map(
    lambda size: ((size[0], size[1]), (-size[2], size[1]), (-size[2], -size[1]), (size[0], -size[1]))
)


@st.composite
def graphs(draw: st.DrawFn) -> LaneGraph:
    """Up to five places anywhere, some at one spot, each joined to the next by a lane or two."""
    places = draw(st.lists(st.tuples(coordinates, coordinates), min_size=2, max_size=5))
    names = [f"w{i}" for i in range(len(places))]
    kinds = draw(st.lists(st.sampled_from("->"), min_size=len(names) - 1, max_size=len(names) - 1))
    ways = [f"{a}{kind}{b}" for a, kind, b in zip(names, kinds, names[1:], strict=False)]
    return a_graph(dict(zip(names, places, strict=True)), ways)


@st.composite
def models(draw: st.DrawFn, *, id: str, on_twin: bool) -> RobotModel:
    """A round robot or one with a footprint."""
    base = a_model(graph=TWIN_GRAPH) if on_twin else a_model()
    deviation_m = draw(st.sampled_from([0.0, 0.1]))
    if draw(st.booleans()):
        return a_model(id=id, graph=base.graph, radius_m=draw(st.floats(0.1, 0.6)), deviation_m=deviation_m)
    return a_model(id=id, graph=base.graph, footprint=draw(footprints), deviation_m=deviation_m)


class _Sampled:
    """A robot of a model somewhere on its graph: what it covers there, turned and strayed by chance, and holds."""

    def __init__(self, data: st.DataObject, relation: ConflictRelation, model: RobotModel) -> None:
        graph = relation.graph(model.id)
        lane = data.draw(st.sampled_from(sorted(graph.lanes.values(), key=lambda lane: lane.id)))
        start, end = graph.waypoints[lane.start], graph.waypoints[lane.end]
        share = data.draw(st.one_of(st.just(0.0), shares))
        is_at_start = share == 0.0
        heading = data.draw(st.floats(-pi, pi)) if is_at_start else atan2(end.y_m - start.y_m, end.x_m - start.x_m)
        x_m = start.x_m + share * (end.x_m - start.x_m)
        y_m = start.y_m + share * (end.y_m - start.y_m)
        away, stray_m = data.draw(st.floats(-pi, pi)), data.draw(shares) * model.deviation_m
        self.pose = Pose(LEVEL, x_m + stray_m * cos(away), y_m + stray_m * sin(away), heading)
        self.held = relation.of_waypoint(model.id, start.id)
        if not is_at_start:
            self.held = relation.of_route(model.id, start.id, [lane.id])
        self.area = _area(model, self.pose)


def _area(model: RobotModel, pose: Pose) -> BaseGeometry:
    """What the robot covers, a circle as a polygon inside it, drawn without the relation's own shapes."""
    if not model.footprint:
        return Point(pose.x_m, pose.y_m).buffer(model.radius_m)
    c, s = cos(pose.theta_rad), sin(pose.theta_rad)
    return Polygon([(pose.x_m + c * x - s * y, pose.y_m + s * x + c * y) for x, y in model.footprint])


def _mask_conflicts(relation: ConflictRelation, one: _Sampled, other: _Sampled) -> bool:
    return bool(relation.conflicts(relation.mask(one.held)) & relation.mask(other.held))


SLOW = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(graphs(), graphs(), models(id="one", on_twin=False), models(id="other", on_twin=True), st.data())
def test_robots_whose_footprints_overlap_hold_conflicting_resources_whatever_their_graphs(
    toys: LaneGraph, carts: LaneGraph, one: RobotModel, other: RobotModel, data: st.DataObject
) -> None:
    relation = conflict_relation(a_site(toys, a_twin(carts)), [one, other])
    for _ in range(6):
        pair = data.draw(st.sampled_from([(one, other), (one, one), (other, other)]))
        first, second = (_Sampled(data, relation, model) for model in pair)
        if first.area.distance(second.area) == 0.0:
            assert _mask_conflicts(relation, first, second), (first.pose, second.pose)


@SLOW
@given(graphs(), models(id="one", on_twin=False), models(id="other", on_twin=False), st.data())
def test_a_robot_anywhere_occupies_whatever_lets_another_touch_it(
    graph: LaneGraph, one: RobotModel, other: RobotModel, data: st.DataObject
) -> None:
    relation = conflict_relation(a_site(graph), [one, other])
    pose = Pose(LEVEL, data.draw(coordinates), data.draw(coordinates), data.draw(st.floats(-pi, pi)))
    occupied, area = relation.occupied_by(one.id, pose), _area(one, pose)
    for _ in range(6):
        passer = _Sampled(data, relation, other)
        if passer.area.distance(area) == 0.0:
            assert passer.held & occupied, (pose, passer.pose)


@SLOW
@given(graphs(), graphs(), models(id="one", on_twin=False), models(id="other", on_twin=True))
def test_conflict_is_mutual_and_every_pair_is_nearer_than_it_may_be(
    toys: LaneGraph, carts: LaneGraph, one: RobotModel, other: RobotModel
) -> None:
    relation = conflict_relation(a_site(toys, a_twin(carts)), [one, other])

    for resource in relation.ids:
        assert all(resource in relation.conflicting(each) for each in relation.conflicting(resource))
    listed = {frozenset({overlap.first, overlap.second}) for overlap in relation.pairs()}
    assert listed == {
        frozenset({resource, each})
        for resource in relation.ids
        for each in relation.conflicting(resource)
        if each != resource
    }
    for overlap in relation.pairs():
        assert overlap.gap_m < 0.05
        assert hypot(*overlap.at) < 10.0
