"""A million hostile messages from a robot with a valid certificate, while the others work.

What is usual is measured in the same run, before and after: how long after its own state a robot gets its next order or
update. First the certificate is used slyly, within what a sender may send; then as fast as the broker takes it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from orchestrator.domain.fleet.model import RobotId
from orchestrator.vda5050.address import RobotAddress, TopicKind, address_of_robot
from tests.support.brokers import wait_until
from tests.support.hostile import MARK
from tests.support.houses import House
from tests.support.secured_broker import SecuredBroker

pytestmark = [
    pytest.mark.ros,
    pytest.mark.broker,
    pytest.mark.system,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("houses"),
]

COUNT = int(os.environ.get("WARDPORTER_FLOOD_COUNT", "1000000"))
PER_S = 8_000.0
SLY_S = 40.0
SLY_PER_S = 15.0
BAD = RobotId("robot-1")
DELIVERIES = 8
REACTION_MAX_S = 1.0
"""An order update later than this after the robot's last state answers something else: a door, another robot."""

RATIO_MAX = 2.0
API_RATIO_MAX = 3.0
"""What people ask waits for the processor as well as for the service: broker and flood are on the same machine here."""

GROWTH_MAX_KB = 64 * 1024


class ReactionTap:
    """Hears the robots that work, and how long after its state each got a new order or update."""

    def __init__(self, broker: SecuredBroker, addresses: list[RobotAddress]) -> None:
        self.reactions_s: list[float] = []
        self.is_poisoned = False
        self._state_s: dict[str, float] = {}
        self._orders: set[tuple[str, int]] = set()
        self._listens = threading.Event()
        topics = [address.topic(kind) for address in addresses for kind in (TopicKind.STATE, TopicKind.ORDER)]
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        broker.prepare(self._client)
        self._client.on_connect = lambda *_: self._listen(topics)
        self._client.on_subscribe = lambda *_: self._listens.set()
        self._client.on_message = self._hear
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        wait_until(self._listens.is_set, "the tap listens")

    def _listen(self, topics: list[str]) -> None:
        self._client.subscribe([(topic, 0) for topic in topics])

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def take(self) -> list[float]:
        found, self.reactions_s = self.reactions_s, []
        return sorted(found)

    def _hear(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        now_s = time.monotonic()
        prefix, _, kind = message.topic.rpartition("/")
        self.is_poisoned |= MARK.encode() in message.payload
        if kind == TopicKind.STATE:
            self._state_s[prefix] = now_s
            return
        tree = json.loads(message.payload)
        order = (tree["orderId"], tree["orderUpdateId"])
        if order not in self._orders and prefix in self._state_s:
            self._orders.add(order)
            passed_s = now_s - self._state_s[prefix]
            if passed_s < REACTION_MAX_S:
                self.reactions_s.append(passed_s)


@dataclass
class Memory:
    """Resident kilobytes of a process, looked at now and then."""

    pid: int
    seen_kb: list[int] = field(default_factory=list)

    def look(self) -> None:
        text = Path(f"/proc/{self.pid}/status").read_text()
        self.seen_kb.append(int(text.split("VmRSS:")[1].split()[0]))


def test_a_million_hostile_messages_touch_nobody_else(open_house: Callable[..., House], tmp_path: Path) -> None:
    house = open_house(broker="secured", robots=3)
    broker = house.broker
    assert isinstance(broker, SecuredBroker)
    addresses = {robot.id: address_of_robot(robot) for robot in house.stage.cast.robots}
    _take_over(house)
    _deliver(house, 4)
    captures = [json.dumps(each.tree).encode() for states in house.tap.states.values() for each in states[-200:]]
    house.tap.close()
    tap = ReactionTap(broker, [address for robot, address in addresses.items() if robot != BAD])
    memory = {"service": Memory(house.company.service.pid), "broker": Memory(broker.pid)}
    spec = {
        "robot": asdict(addresses[BAD]),
        "others": [asdict(address) for robot, address in addresses.items() if robot != BAD],
        "captures": [base64.b64encode(each).decode() for each in captures],
        "seed": 1,
    }
    report: dict[str, Any] = {"count": COUNT}

    _measure(house, tap, memory, report, "calm")
    with _flooder(broker, tmp_path, spec | {"count": int(SLY_S * SLY_PER_S), "per_s": SLY_PER_S}):
        _measure(house, tap, memory, report, "sly")
    with _flooder(broker, tmp_path, spec | {"count": COUNT, "per_s": PER_S}) as flooder:
        while flooder.poll() is None:
            _measure(house, tap, memory, report, "flood")
        report["flooder"] = json.loads(flooder.stdout.read() if flooder.stdout else "{}")
    _measure(house, tap, memory, report, "after")
    tap.close()
    report["usual"] = _figures(*([*report["calm"][what], *report["after"][what]] for what in ("reactions_s", "api_s")))
    report["ratio"] = {
        phase: {how: round(report[phase][how] / usual, 2) for how, usual in report["usual"].items() if how != "n"}
        for phase in ("sly", "flood")
    }
    shown = {phase: _without_lists(found) for phase, found in report.items()}
    sys.stdout.write(json.dumps(shown) + "\n")

    assert report["flooder"]["sent"] == COUNT
    assert not tap.is_poisoned
    _assert_nobody_else_was_touched(house)
    for phase in ("sly", "flood"):
        ratio = report["ratio"][phase]
        assert max(ratio["median_ms"], ratio["p90_ms"]) <= RATIO_MAX, report["ratio"]
        assert ratio["api_median_ms"] <= API_RATIO_MAX, report["ratio"]
    for process, seen in memory.items():
        assert max(seen.seen_kb) - seen.seen_kb[0] <= GROWTH_MAX_KB, (process, seen.seen_kb)


def _take_over(house: House) -> None:
    """End the robot at home, in nobody's way, and give it no work: it would do none, and block the others."""
    body: dict[str, object] = {"reason": "Its certificate is to be stolen."}
    house.api.act(f"/robots/{BAD}/out-of-service", body, principal="site-manager-1", key="take-over")
    house.company.robots[BAD].end()
    house.play_until(lambda: house.robot(BAD)["is_lost"], "the robot is silent", limit_s=60.0)


def _measure(house: House, tap: ReactionTap, memory: dict[str, Memory], report: dict[str, Any], phase: str) -> None:
    """Let a batch of deliveries be carried, and add how fast everybody was to the phase's figures."""
    tap.take()
    asked_s: list[float] = []
    done = threading.Event()
    asker = threading.Thread(target=_ask_the_api, args=(house, asked_s, done))
    asker.start()
    try:
        _deliver(house, DELIVERIES)
    finally:
        done.set()
        asker.join()
    found = report.setdefault(phase, {"reactions_s": [], "api_s": []})
    found["reactions_s"] += tap.take()
    found["api_s"] += asked_s
    for name, each in memory.items():
        each.look()
        found[f"{name}_kb"] = each.seen_kb[-1]
    found |= _figures(found["reactions_s"], found["api_s"])


def _figures(reactions_s: list[float], api_s: list[float]) -> dict[str, float]:
    """Median and ninth decile of what robots waited for an answer, and the median of what people did."""
    reactions = sorted(reactions_s)
    return {
        "n": len(reactions),
        "median_ms": round(1000 * statistics.median(reactions), 1),
        "p90_ms": round(1000 * reactions[int(0.9 * len(reactions))], 1),
        "api_median_ms": round(1000 * statistics.median(api_s), 1),
    }


def _without_lists(found: Any) -> Any:
    return (
        {how: value for how, value in found.items() if not isinstance(value, list)}
        if isinstance(found, dict)
        else found
    )


def _ask_the_api(house: House, asked_s: list[float], done: threading.Event) -> None:
    while not done.wait(0.1):
        begun_s = time.monotonic()
        house.api.get("/robots")
        asked_s.append(time.monotonic() - begun_s)


def _deliver(house: House, count: int) -> None:
    routes = [("pharmacy_hatch_1", "ward_alder_handover"), ("pharmacy_hatch_2", "ward_birch_handover")]
    made = house.queue([routes[i % 2] for i in range(count)])
    house.play_until(
        lambda: all(house.delivery(each)["state"] == "received" for each in made),
        f"{count} deliveries are received",
        limit_s=300.0,
    )


def _assert_nobody_else_was_touched(house: House) -> None:
    robots = {robot["id"]: robot for robot in house.robots()}
    assert "quarantined" in [hold["kind"] for hold in robots[BAD]["holds"]]
    for robot in robots.keys() - {BAD}:
        assert robots[robot]["holds"] == []
        assert not robots[robot]["is_lost"]
        assert MARK not in json.dumps(robots[robot])
    for each in house.queued:
        history = [change["after"] for change in house.delivery(each)["history"]]
        assert (history.count("sealed"), history.count("received")) == (1, 1)


@contextlib.contextmanager
def _flooder(broker: SecuredBroker, folder: Path, spec: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    path = folder / "flood.spec.json"
    path.write_text(json.dumps(spec))
    command = [sys.executable, "-m", "tests.support.flooder", "--files", str(broker.robot_files(BAD))]
    command += ["--port", str(broker.port), "--spec", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
