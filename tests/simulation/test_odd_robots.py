"""Robots with the habits that libraries have: each is added by the fleet file alone and carries deliveries.

The robot on board is ours; between it and the broker its messages are made what such a robot sends, and what it would
not understand is kept from it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.config.built_in import built_in
from orchestrator.adapters.config.fleet_file import read_fleet
from orchestrator.adapters.config.robot_model_file import read_robot_models
from orchestrator.application.fleet import FleetPolicy, assemble_fleet
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.model import WaypointId
from simulation.faults.observers import Bases, Bodies
from simulation.faults.stage import FaultyWard
from simulation.faults.wire import HonestWire
from tests.support.wards import a_demand, demo_hospital

ODD = RobotId("robot-1")
SITE = demo_hospital()

FLEET = """\
fleet: odd
models:
  odd: {{like: porter{model}}}
robots:
  robot-1: {{model: odd, manufacturer: Odd Works, serial_number: "0001", home: charger_1{robot}{link}}}
  robot-2: {{model: porter, manufacturer: wardporter, serial_number: WP0002, home: charger_2}}
"""

Tree = dict[str, Any]


@dataclass
class Habit(HonestWire):
    """What a robot's library does to what it says, and what it lets through of what it hears."""

    says: Callable[[Tree], Tree | None] = lambda state: state
    hears: Callable[[str, Tree], Tree | None] = lambda kind, message: message
    states: list[Tree] = field(default_factory=list)
    asked: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def outward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        if kind == "factsheet":
            return ()
        if kind != "state":
            return (payload,)
        said = self.says(json.loads(payload))
        if said is None:
            return ()
        self.states.append(said)
        return (json.dumps(said).encode(),)

    def inward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        heard = self.hears(kind, json.loads(payload))
        for action in [] if heard is None or kind != "order" else [a for n in heard["nodes"] for a in n["actions"]]:
            load = {p["key"]: p["value"] for p in action.get("actionParameters", [])}.get("loadId", "")
            self.asked[action["actionType"], load].add(action["actionId"])
        return () if heard is None else (json.dumps(heard).encode(),)


def a_ward(folder: Path, habit: Habit, *, model: str = "", robot: str = "", link: str = "") -> FaultyWard:
    path = folder / "odd.fleet.yaml"
    path.write_text(FLEET.format(model=model, robot=robot, link=f", link: {link}" if link else ""))
    reading = read_fleet(path, models=read_robot_models(built_in("robot_models")))
    fleet = reading.fleet(SITE)
    models = {model.id: model for model in reading.robot_models()}
    on_site = assemble_fleet(
        site=SITE,
        robots=fleet.robots,
        models={each.id: models[each.model] for each in fleet.robots.values()},
        policy=FleetPolicy(),
        dialects=reading.dialects(SITE.levels),
    )
    ward = FaultyWard(on_site, asked=a_demand(SITE, count=4, seed=2, robots=2), seed=2, plan=[])
    ward.wires[ODD].faults.append(habit)
    return ward


# -- what they say ----------------------------------------------------------------------------------------------------


def without(*paths: str) -> Callable[[Tree], Tree]:
    def say(state: Tree) -> Tree:
        for path in paths:
            *parents, name = path.split(".")
            part = state
            for parent in parents:
                part = part.get(parent) or {}
            part.pop(name, None)
        return state

    return say


def with_words(**words: object) -> Callable[[Tree], Tree]:
    return lambda state: {**state, **words}


def forgets_what_is_over(state: Tree) -> Tree:
    state["actionStates"] = [a for a in state["actionStates"] if a["actionStatus"] not in ("FINISHED", "FAILED")]
    return state


def in_lower_case(state: Tree) -> Tree:
    state["operatingMode"] = state["operatingMode"].capitalize()
    state["safetyState"]["eStop"] = state["safetyState"]["eStop"].lower()
    for action in state["actionStates"]:
        action["actionStatus"] = action["actionStatus"].lower()
    return state


def without_zone(state: Tree) -> Tree:
    state["timestamp"] = state["timestamp"].removesuffix("Z")
    return state


class EveryHalfMinute:
    """Says nothing but every 30 s."""

    def __init__(self) -> None:
        self._last_s = -1e9

    def __call__(self, state: Tree) -> Tree | None:
        minutes, seconds = state["timestamp"].split(":")[1:]
        now_s = 60.0 * float(minutes) + float(seconds.removesuffix("Z"))
        if 0.0 <= now_s - self._last_s < 30.0:
            return None
        self._last_s = now_s
        return state


class OnChangeOrEveryHalfMinute(EveryHalfMinute):
    """Says what has changed, but for where it is on its way, answers, and else says something every 30 s.

    Heeds each actionId once, as the standard has it: what is asked again under an old one goes by without a word.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: Tree = {}
        self._heeded: set[str] = set()

    def hear(self, kind: str, message: Tree) -> Tree | None:
        """Note a question."""
        if kind != "instantActions":
            return message
        asked = {action["actionId"] for action in message["actions"]}
        if asked <= self._heeded:
            return None
        self._heeded |= asked
        self._said = {}
        return message

    def __call__(self, state: Tree) -> Tree | None:
        moving = ("headerId", "timestamp", "agvPosition", "velocity", "batteryState", "distanceSinceLastNode")
        said = {name: value for name, value in state.items() if name not in moving}
        if said != self._said:
            self._said, self._last_s = said, -1e9
        return super().__call__(state)


def not_localised_at_first() -> Callable[[Tree], Tree]:
    seen: list[int] = []

    def say(state: Tree) -> Tree:
        seen.append(1)
        if len(seen) < 6:
            state["agvPosition"]["positionInitialized"] = False
        return state

    return say


def answers_no_questions(kind: str, message: Tree) -> Tree | None:
    """Knows only what it cannot do without."""
    if kind != "instantActions":
        return message
    asked = message.get("actions") or message["instantActions"]
    return message if any(a["actionType"] in ("cancelOrder", "startPause", "stopPause") for a in asked) else None


GRAPH = next(iter(SITE.graphs.values()))
NUMBERS = {waypoint: str(1000 + number) for number, waypoint in enumerate(GRAPH.waypoints)}
HOME_NODE = NUMBERS[WaypointId("charger_1")]
NUMBERED = "{position: nodes, nodes: " + json.dumps(NUMBERS) + "}"


def by_node_alone(state: Tree) -> Tree:
    del state["agvPosition"]
    state["lastNodeId"] = state["lastNodeId"] or HOME_NODE
    return state


def with_its_own_nodes_only(kind: str, message: Tree) -> Tree | None:
    if kind == "order":
        assert {node["nodeId"] for node in message["nodes"]} <= set(NUMBERS.values())
        assert {end for edge in message["edges"] for end in (edge["startNodeId"], edge["endNodeId"])} <= set(
            NUMBERS.values()
        )
    return message


HABITS: dict[str, tuple[Habit, dict[str, str]]] = {
    "sends no factsheet and answers no question": (Habit(hears=answers_no_questions), {}),
    "heading missing": (Habit(says=without("agvPosition.theta")), {}),
    "timestamps without a zone": (Habit(says=without_zone), {}),
    "header ids that do not count": (Habit(says=with_words(headerId=0)), {}),
    "no version, or another": (Habit(says=with_words(version="v2")), {}),
    "sequence id of the last node stays 0": (Habit(says=with_words(lastNodeSequenceId=0)), {}),
    "what is over is not listed": (Habit(says=forgets_what_is_over), {}),
    "what is over is not listed, and no loads": (
        Habit(says=lambda s: without("loads")(forgets_what_is_over(s))),
        {"link": "{loads: none}"},
    ),
    "what is over is not listed, and it is told of the other level": (
        Habit(says=forgets_what_is_over),
        {"model": ", map_switch: init_position"},
    ),
    "what is over is not listed, and it is told of the other map": (
        Habit(says=forgets_what_is_over),
        {"model": ", map_switch: enable_map_and_init_position"},
    ),
    "only what it must say": (
        Habit(
            says=without(
                "edgeStates",
                "errors",
                "information",
                "loads",
                "maps",
                "paused",
                "newBaseRequest",
                "velocity",
                "distanceSinceLastNode",
                "zoneSetId",
            )
        ),
        {"link": "{loads: none}"},
    ),
    "null where a list should be": (
        Habit(says=with_words(errors=None, information=None, loads=None, edgeStates=None)),
        {"link": "{loads: none}"},
    ),
    "lower case": (Habit(says=in_lower_case), {}),
    "no battery": (Habit(says=without("batteryState")), {"link": "{battery: none}"}),
    "never says that its position is initialised": (
        Habit(says=lambda s: without("agvPosition.positionInitialized")(s)),
        {"link": "{uses_uninitialised_position: true}"},
    ),
    "not localised at first": (Habit(says=not_localised_at_first()), {}),
    "a state every 30 s": (
        Habit(says=EveryHalfMinute(), hears=answers_no_questions),
        {"model": ", state_interval_s: 30, lost_after_s: 75, order_answer_s: 65"},
    ),
    "a heartbeat every 30 s that its model does not know of, but answers when it is asked": (
        Habit(says=(beat := OnChangeOrEveryHalfMinute()), hears=beat.hear),
        {},
    ),
    "does not count updates": (Habit(says=with_words(orderUpdateId=0)), {"link": "{order_updates: none}"}),
    "knows its nodes by numbers of its own, and says only which it passed": (
        Habit(says=by_node_alone, hears=with_its_own_nodes_only),
        {"link": NUMBERED},
    ),
    "carries a cart of its own": (
        Habit(says=lambda s: {**s, "loads": [*s.get("loads", []), {"loadId": "cart-7", "loadType": "cart"}]}),
        {"link": "{loads: own}"},
    ),
    "2.0.0": (Habit(), {"robot": ", protocol_version: 2.0.0, interface_name: fleet/tugs"}),
}


@pytest.mark.parametrize("name", HABITS)
def test_a_robot_with_the_habit_carries_deliveries_and_is_held_for_nothing(name: str, tmp_path: Path) -> None:
    habit, words = HABITS[name]
    ward = a_ward(tmp_path, habit, **words)
    _ = Bodies(ward), Bases(ward)

    outcome = ward.run(limit_s=2 * 3600.0)
    # What it gave out last it is told to with its next order, home.
    ward.scheduler.run(until=lambda: False, limit_s=ward.clock.monotonic_s() + 300.0)

    told = [(e.subject, e.data["code"], e.data["sentence"]) for e in ward._log if e.kind == "alarm"]
    assert habit.states, "it was heard"
    assert told == []
    handled = {what: ids for what, ids in habit.asked.items() if what[1]}
    assert handled
    assert all(len(ids) == 1 for ids in handled.values()), handled
    assert {load for what, load in handled if what == "pick"} == {load for what, load in handled if what == "drop"}
    assert not ward.robots[ODD]._board.memory.loads
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}, [d.waiting for d in outcome.deliveries]
    assert ODD in {d.robot for d in outcome.deliveries}


def test_a_robot_that_lists_nothing_that_is_over_is_asked_once_a_stay_to_stop_charging(tmp_path: Path) -> None:
    def half_charged(state: Tree) -> Tree:
        state["batteryState"]["batteryCharge"] = 70.0
        return forgets_what_is_over(state)

    habit = Habit(says=half_charged)
    ward = a_ward(tmp_path, habit, link="{actions: {stop_charging: {where: instant}}}")
    for after_s in (1200.0, 2400.0):
        for asked in a_demand(SITE, count=2, seed=3, robots=2, after_s=after_s):
            ward.ask(asked)
    asked_s: list[float] = []

    def hear(_topic: str, payload: bytes) -> None:
        if b'"stopCharging"' in payload:
            assert habit.states[-1]["batteryState"]["charging"], "it is asked though it does not charge"
            asked_s.append(ward.clock.monotonic_s())

    ward.listen(ward.robots[ODD].address.topic("instantActions"), hear)
    outcome = ward.run(limit_s=2 * 3600.0)

    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}
    assert [e.data["code"] for e in ward._log if e.kind == "alarm"] == []
    assert len(asked_s) >= 2
    assert all(later - before > 60.0 for before, later in pairwise(asked_s))


def test_what_a_robot_is_asked_where_it_stands_is_sent_no_more_once_it_drives_on(tmp_path: Path) -> None:
    def never_charges(state: Tree) -> Tree:
        state["batteryState"] |= {"batteryCharge": 70.0, "charging": False}
        return state

    def knows_no_charger(kind: str, message: Tree) -> Tree | None:
        return None if kind == "instantActions" and "startCharging" in json.dumps(message) else message

    habit = Habit(says=never_charges, hears=knows_no_charger)
    ward = a_ward(tmp_path, habit, link="{actions: {start_charging: {where: instant}}}")
    for asked in a_demand(SITE, count=4, seed=3, robots=2, after_s=1200.0):
        ward.ask(asked)
    drove: list[bool] = []

    def hear(_topic: str, payload: bytes) -> None:
        if b'"startCharging"' in payload:
            drove.append(bool(habit.states[-1]["nodeStates"]))

    ward.listen(ward.robots[ODD].address.topic("instantActions"), hear)
    outcome = ward.run(limit_s=2 * 3600.0)

    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}, [d.waiting for d in outcome.deliveries]
    assert drove
    assert not any(drove)


# -- what is refused ---------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[Habit, str]] = {
    "no position": (Habit(says=without("agvPosition")), "does not say where it is in a way that counts (agvPosition"),
    "never localised": (Habit(says=without("agvPosition.positionInitialized")), "does not say where it is"),
    "another map": (
        Habit(says=lambda state: {**state, "agvPosition": {**state["agvPosition"], "mapId": "hall 7"}}),
        "says that it is on map 'hall 7', where it has no waypoint; say under `maps`",
    ),
    "no battery": (Habit(says=without("batteryState")), "does not report its battery (batteryState)"),
    "no safety state": (Habit(says=without("safetyState")), "does not report its emergency stop (safetyState)"),
    "no operating mode": (Habit(says=without("operatingMode")), "does not report who drives it (operatingMode)"),
    "another name in its header": (
        Habit(says=with_words(manufacturer="ODD WORKS")),
        "no state that counts for longer than 15 s: its header names another robot (ODD WORKS 0001)",
    ),
    "no list of nodes": (Habit(says=without("nodeStates")), "its nodeStates is missing or unreadable"),
    "no list of actions": (Habit(says=without("actionStates")), "its actionStates is missing or unreadable"),
    "no order id": (Habit(says=without("orderId")), "its orderId is missing or unreadable"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_robot_that_leaves_out_what_cannot_be_guessed_gets_nothing_and_people_are_told_what_is_missing(
    name: str, tmp_path: Path
) -> None:
    habit, sentence = REFUSED[name]
    ward = a_ward(tmp_path, habit)

    outcome = ward.run(limit_s=3600.0)

    robot = next(picture for picture in ward.control.picture().robots if picture.id == ODD)
    told = [reason.sentence for reason in robot.record.waiting] + [hold.reason for hold in robot.record.holds]
    assert any(sentence in each for each in told), told
    assert habit.asked == {}
    assert {d.robot for d in outcome.deliveries} == {RobotId("robot-2")}
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}


def test_a_model_that_is_not_round_needs_a_heading(tmp_path: Path) -> None:
    outline = ", footprint: [[0.4, 0.3], [-0.4, 0.3], [-0.4, -0.3], [0.4, -0.3]]"
    ward = a_ward(tmp_path, Habit(says=without("agvPosition.theta")), model=outline)

    ward.run(limit_s=60.0)

    robot = next(picture for picture in ward.control.picture().robots if picture.id == ODD)
    assert "does not say where it is" in robot.record.waiting[0].sentence
    assert [fault.path for fault in robot.complaints] == ["agvPosition.theta"]
