"""Observers of a faulty ward: what must never be seen, whatever goes wrong. They trust nothing but bodies and bytes."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.geometry import Point, distance_between_segments, distance_to_segment
from orchestrator.vda5050.address import TopicKind
from ros_nodes.onboard.path_geometry import Pose
from simulation.faults.promises import PromiseBrokenError
from simulation.faults.stage import FaultyWard
from simulation.virtual_robot import VirtualRobot

LOOK_EVERY_S = 1.0
WAYS_EVERY_S = 3.0
SLACK_M = 0.05
"""What two footprints may overlap by rounding, metres."""

OFF_WAY_M = 0.6
"""How far from the straight lines between its nodes a robot that rounds its corners may be, metres."""

ESCALATED_S = 5.0
"""Within this of a refusal, or of the end of the robot's limit, an order is planned anew or people are told."""


Way = tuple[Pose, ...]


class Bodies:
    """Promise 6: no two robots that nobody has pushed touch, nor do the ways they are released to drive."""

    def __init__(self, ward: FaultyWard) -> None:
        self._ward = ward
        self._radius_m = {robot: model.radius_m for robot, model in ward.fleet.models.items()}
        self._known: dict[VirtualRobot, Way] = {}
        self._seen: dict[RobotId, Way] = {}
        self.looks = 0
        ward.scheduler.after(0.1, self._look)

    def _look(self) -> None:
        self.looks += 1
        with_ways = self.looks % round(WAYS_EVERY_S / LOOK_EVERY_S) == 0
        ways = {robot: self._way(body, with_ways=with_ways) for robot, body in sorted(self._ward.robots.items())}
        for one, other in itertools.combinations(ways, 2):
            if ways[one] is self._seen.get(one) and ways[other] is self._seen.get(other):
                continue  # neither has moved since they were looked at
            least_m = self._radius_m[one] + self._radius_m[other] - SLACK_M
            if _may_meet(ways[one], ways[other], least_m):
                apart_m = _ways_apart_m(ways[one], ways[other])
                if apart_m < least_m:
                    raise PromiseBrokenError(
                        6, f"{one} {_said(ways[one])} and {other} {_said(ways[other])} come within {apart_m:.2f} m"
                    )
        self._seen = ways
        self._ward.scheduler.after(LOOK_EVERY_S, self._look)

    def _way(self, body: VirtualRobot, *, with_ways: bool) -> Way:
        """Return where a robot is and what it may drive; nowhere while it is not where its orders put it."""
        if body.is_displaced:
            return ()
        way: Way = (body.look(),)
        if with_ways and body.is_on:
            way += tuple(_place_of(node.node_position) for node in body.base_ahead if node.node_position)
        if self._known.get(body) != way:
            self._known[body] = way
        return self._known[body]


def _may_meet(one: Way, other: Way, apart_m: float) -> bool:
    """Whether two ways are near enough to look closer: each lies within its length of its start."""
    if not one or not other:
        return False
    start_m = math.hypot(one[0].x_m - other[0].x_m, one[0].y_m - other[0].y_m)
    return start_m < apart_m + _length_m(one) + _length_m(other)


def _length_m(way: Way) -> float:
    return sum(math.hypot(a.x_m - b.x_m, a.y_m - b.y_m) for a, b in itertools.pairwise(way))


def _said(way: Sequence[Pose]) -> str:
    return " > ".join(f"({p.level} {p.x_m:.2f} {p.y_m:.2f})" for p in way)


def _place_of(position: Any) -> Pose:
    return Pose(position.map_id, position.x, position.y, 0.0)


def _ways_apart_m(one: Sequence[Pose], other: Sequence[Pose]) -> float:
    pairs = itertools.product(_segments(one), _segments(other))
    apart = (distance_between_segments(*a, *b) for (level, a), (b_level, b) in pairs if level == b_level)
    return min(apart, default=math.inf)


def _segments(way: Sequence[Pose]) -> list[tuple[str, tuple[Point, Point]]]:
    points = [(pose.level, (pose.x_m, pose.y_m)) for pose in way]
    pairs = itertools.pairwise(points) if len(points) > 1 else ((points[0], points[0]),)
    found = [(a_level, (a, b)) for (a_level, a), (b_level, b) in pairs if a_level == b_level]
    return found or [(points[0][0], (points[0][1], points[0][1]))]


class Bases:
    """Promise 7: a robot is never away from what was released to it by orders that have arrived, whatever the link."""

    def __init__(self, ward: FaultyWard) -> None:
        self._ward = ward
        self._released: dict[RobotId, dict[str, list[Pose]]] = {
            robot: {"": [body.look()]} for robot, body in ward.robots.items()
        }
        self._looked_at: dict[RobotId, Pose] = {}
        for robot, wire in ward.wires.items():
            wire.ears.append(lambda topic, payload, robot=robot: self._hear(robot, topic, payload))
        ward.scheduler.after(0.15, self._look)

    def _hear(self, robot: RobotId, topic: str, payload: bytes) -> None:
        if not topic.endswith(f"/{TopicKind.ORDER}"):
            return
        order = json.loads(payload)
        known = self._released[robot]
        if order["orderId"] not in known:
            while len(known) > 2:
                del known[next(iter(known))]
            known[order["orderId"]] = [self._ward.robots[robot].look()]
        for node in order["nodes"]:
            if node["released"]:
                at = node["nodePosition"]
                place = Pose(at["mapId"], at["x"], at["y"], 0.0)
                if place != known[order["orderId"]][-1]:
                    known[order["orderId"]].append(place)

    def _look(self) -> None:
        for robot, body in self._ward.robots.items():
            pose = body.look()
            if body.is_displaced or self._looked_at.get(robot) == pose:
                continue
            self._looked_at[robot] = pose
            away_m = min(_away_m(pose, way) for way in self._released[robot].values())
            if away_m > OFF_WAY_M:
                raise PromiseBrokenError(7, f"{robot} is at {_said([pose])}, {away_m:.2f} m off what was released")
        self._ward.scheduler.after(WAYS_EVERY_S, self._look)


def _away_m(pose: Pose, way: Sequence[Pose]) -> float:
    here = (pose.x_m, pose.y_m)
    return min(
        (distance_to_segment(here, a, b) for level, (a, b) in _segments(way) if level == pose.level),
        default=math.inf,
    )


@dataclass(slots=True)
class _Asked:
    """One order message that waits for an answer: since when, and when it was refused."""

    robot: RobotId
    since_s: float
    refused_s: float | None = None


class Answers:
    """Promise 11, and that no order has two contents: every order is answered, planned anew, or people are told."""

    def __init__(self, ward: FaultyWard) -> None:
        self._ward = ward
        self._robots = {body.address.prefix: robot for robot, body in ward.robots.items()}
        self._contents: dict[tuple[str, int], bytes] = {}
        self._waiting: dict[tuple[RobotId, str, int], _Asked] = {}
        self._told_s: dict[RobotId, float] = defaultdict(lambda: -math.inf)
        self._last_event = 0
        self.orders = 0
        self.refusals = 0
        self.slowest_s = 0.0
        self.slowest_refusal_s = 0.0
        ward.broker.ears.append(self._hear)
        ward.ears.append(self._hear_state)
        ward.scheduler.after(1.0, self._look)

    def _hear(self, topic: str, payload: bytes) -> None:
        prefix, _, kind = topic.rpartition("/")
        robot = self._robots.get(prefix)
        if robot is None:
            return
        if kind == TopicKind.ORDER:
            self._note_order(robot, payload)
        elif kind == TopicKind.INSTANT_ACTIONS and b"cancelOrder" in payload:
            self._forget(robot)

    def _hear_state(self, topic: str, payload: bytes) -> None:
        robot = self._robots.get(topic.removesuffix(f"/{TopicKind.STATE}"))
        if robot is not None:
            self._note_state(robot, payload)

    def _note_order(self, robot: RobotId, payload: bytes) -> None:
        order = json.loads(payload)
        content = {key: value for key, value in order.items() if key not in ("headerId", "timestamp")}
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()
        ids = order["orderId"], order["orderUpdateId"]
        is_new = ids not in self._contents
        if self._contents.setdefault(ids, digest) != digest:
            raise PromiseBrokenError(10, f"order {ids[0]} update {ids[1]} left with two contents")
        if is_new:
            self.orders += 1
            self._forget(robot)
            self._waiting[robot, *ids] = _Asked(robot, self._ward.clock.monotonic_s())

    def _note_state(self, robot: RobotId, payload: bytes) -> None:
        waiting = [(key, asked) for key, asked in self._waiting.items() if key[0] == robot]
        if not waiting:
            return
        state = json.loads(payload)
        for key, asked in waiting:
            if (state["orderId"], state["orderUpdateId"]) == key[1:]:
                del self._waiting[key]
            elif asked.refused_s is None and _refuses(state, key[1], key[2]):
                asked.refused_s = self._ward.clock.monotonic_s()
                self.slowest_refusal_s = max(self.slowest_refusal_s, asked.refused_s - asked.since_s)
                self.refusals += 1

    def _forget(self, robot: RobotId) -> None:
        for key in [key for key in self._waiting if key[0] == robot]:
            del self._waiting[key]

    def _look(self) -> None:
        now_s = self._ward.clock.monotonic_s()
        self._read_events()
        for (robot, order, update), asked in list(self._waiting.items()):
            if not self._ward.is_up:
                asked.since_s, asked.refused_s = now_s, None  # nobody is there to answer for it
                continue
            if self._told_s[robot] >= asked.since_s:
                self.slowest_s = max(self.slowest_s, self._told_s[robot] - asked.since_s)
                del self._waiting[robot, order, update]
                continue
            limit_s = asked.since_s + self._ward.fleet.models[robot].order_answer_s
            late_s = now_s - min(limit_s, asked.refused_s or math.inf)
            if late_s > ESCALATED_S:
                raise PromiseBrokenError(11, f"order {order} update {update} of {robot} was {late_s:.1f} s late untold")
        self._ward.scheduler.after(1.0, self._look)

    def _read_events(self) -> None:
        with self._ward.store.reading() as uow:
            news = uow.events.after(self._last_event, 10_000)
        for event in news:
            self._last_event = event.number
            if event.kind == "alarm" and event.subject in self._ward.robots:
                self._told_s[RobotId(event.subject)] = (event.at - self._ward.clock.moment(0.0)).total_seconds()


def _refuses(state: dict[str, Any], order: str, update: int) -> bool:
    for error in state.get("errors") or ():
        names = {(ref["referenceKey"], ref["referenceValue"]) for ref in error.get("errorReferences") or ()}
        if ("orderId", order) in names and ("orderUpdateId", str(update)) in names:
            return True
    return False
