"""The whole house with its network or a process hurt for a while; after that nothing is stuck and nothing doubled.

What "stuck" means: a robot that has something to do neither drives, nor stands where people are to do something, nor
gives a reason that is true. Looked at from the end of the fault on; it may be so for at most five seconds.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from simulation.demo.api import Away
from tests.support.houses import House, assert_delivered_once, assert_orders_kept
from tests.support.netspace import own_namespace, own_network

pytestmark = [
    pytest.mark.ros,
    pytest.mark.broker,
    pytest.mark.system,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("houses"),
]

OpenHouse = Callable[..., House]

ROUTES = [
    ("pharmacy_hatch_1", "ward_alder_handover"),
    ("pharmacy_hatch_2", "ward_birch_handover"),
    ("pharmacy_hatch_1", "ward_birch_handover"),
]
STUCK_LIMIT_S = 5.0
ALL_LIMIT_S = 150.0
STEP_LIMIT_S = 60.0
BROKER_STOPPED_S = 30.0
ROBOT_FROZEN_S = 60.0
LOSS_S = 40.0
LOSS_PERCENT = 30

NO_LONGER_TRUE = {"robot_lost", "order_unanswered", "action_unanswered", "robot_not_reported"}
"""Reasons that stem from the fault itself; after it they are not true any more."""


class Progress:
    """Watches from the end of a fault on for how long each robot is stuck."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._since_s: dict[str, float] = {}
        self.longest_s = 0.0
        self.worst: Any = None

    def look(self) -> bool:
        """Look once; returns whether everything is received."""
        try:
            robots, deliveries = self._house.robots(), self._house.deliveries()
        except Away:
            robots, deliveries = [], []
            self._note("service", is_stuck=True, seen="it does not answer")
        else:
            self._note("service", is_stuck=False, seen=None)
        for robot in robots:
            self._note(robot["id"], is_stuck=_is_stuck(robot, deliveries), seen=robot)
        return bool(deliveries) and {d["state"] for d in deliveries} == {"received"}

    def _note(self, who: str, *, is_stuck: bool, seen: Any) -> None:
        now_s = time.monotonic()
        if not is_stuck:
            self._since_s.pop(who, None)
            return
        stuck_s = now_s - self._since_s.setdefault(who, now_s)
        if stuck_s > self.longest_s:
            self.longest_s, self.worst = stuck_s, seen


def _is_stuck(robot: dict[str, Any], deliveries: list[dict[str, Any]]) -> bool:
    if robot["trip"] is None or robot["is_driving"]:
        return False
    with_people = {d["state"] for d in deliveries if d["robot"] == robot["id"]} & {"loading", "arrived"}
    reasons = {reason["code"] for reason in robot["waiting"]} - NO_LONGER_TRUE
    return not (with_people or reasons)


def _wait_driving_with_load(house: House) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    def is_seen() -> bool:
        robot = house.driving_with_load()
        found.extend([robot] if robot else [])
        return bool(found)

    house.play_until(is_seen, "a robot drives with a sealed delivery", limit_s=STEP_LIMIT_S)
    return found[0]


def _play_for(house: House, seconds: float) -> None:
    """Let people work while the fault lasts, as they would."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        house.play_once()


def _assert_all_goes_on(house: House) -> None:
    progress = Progress(house)
    house.play_until(progress.look, f"all {len(house.queued)} deliveries are received", limit_s=ALL_LIMIT_S)
    print(f"longest stuck after the fault: {progress.longest_s:.2f} s")  # noqa: T201  # a figure for the report
    assert progress.longest_s <= STUCK_LIMIT_S, str(progress.worst)
    assert_delivered_once(house)
    assert_orders_kept(house)
    _assert_no_action_twice(house)


def _assert_no_action_twice(house: House) -> None:
    """No robot reports an action as finished, then as begun again."""
    for states in house.tap.states.values():
        over: set[str] = set()
        for state in list(states):
            for action in state.tree["actionStates"]:
                if action["actionStatus"] in ("FINISHED", "FAILED"):
                    over.add(action["actionId"])
                else:
                    assert action["actionId"] not in over, action


def test_all_goes_on_after_mosquitto_was_killed_and_started_again(open_house: OpenHouse) -> None:
    house = open_house(broker="mosquitto", robots=3)
    house.queue(ROUTES)
    _wait_driving_with_load(house)
    house.broker.restart()

    _assert_all_goes_on(house)


@pytest.mark.slow
def test_all_goes_on_after_mosquitto_stood_still_with_its_sockets_open(open_house: OpenHouse) -> None:
    house = open_house(broker="mosquitto", robots=3)
    house.queue(ROUTES)
    _wait_driving_with_load(house)
    house.broker.pause()
    _play_for(house, BROKER_STOPPED_S)
    house.broker.resume()

    _assert_all_goes_on(house)


@pytest.mark.slow
def test_all_goes_on_after_a_robots_process_was_frozen_for_a_minute_while_it_drove(open_house: OpenHouse) -> None:
    house = open_house(broker="mosquitto", robots=3)
    house.queue(ROUTES)
    robot = _wait_driving_with_load(house)["id"]
    child = house.company.robots[robot]
    hurt_at_s = time.monotonic()
    os.killpg(child.pid, signal.SIGSTOP)
    try:
        house.play_until(lambda: house.robot(robot)["is_lost"], "the frozen robot is shown as lost", limit_s=40.0)
        _play_for(house, ROBOT_FROZEN_S - (time.monotonic() - hurt_at_s))
    finally:
        os.killpg(child.pid, signal.SIGCONT)

    _assert_all_goes_on(house)


@pytest.mark.slow
@pytest.mark.netspace
def test_all_goes_on_after_a_third_of_the_packets_to_and_from_the_broker_was_lost(open_house: OpenHouse) -> None:
    outside = own_namespace()
    with own_network() as network:
        assert own_namespace() != outside
        house = open_house(broker="mosquitto", robots=3)
        house.queue(ROUTES)
        _wait_driving_with_load(house)
        network.lose(percent=LOSS_PERCENT, port=house.broker.port)
        assert network.lost()
        _play_for(house, LOSS_S)
        network.heal()

        _assert_all_goes_on(house)
        house.close()
