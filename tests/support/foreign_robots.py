"""Robots of other makers, played: what they take, refuse and report differs from ours as it does in the field.

Nothing of Wardporter is used on board but the transport: each reads the JSON that arrives, by its own rules, and keeps
what it refused. They drive in straight lines from node to node.
"""

from __future__ import annotations

import json
import math
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.brokers import RealBroker
from tests.support.factsheets import a_factsheet_tree

STEP_S = 0.02
SPEED_M_S = 4.0
NOT_OVER = ("WAITING", "INITIALIZING", "RUNNING", "PAUSED")

Tree = dict[str, Any]


class Refused(Exception):  # noqa: N818 - a robot's answer, no fault of the test
    """The robot does not take an order: error type and why."""


@dataclass
class ForeignRobot:
    """What all of them share: the header, the state, driving, and the standard's rules for orders.

    Parameters
    ----------
    broker : RealBroker
        Running.
    manufacturer, serial_number : str
        As on the type plate.
    place : tuple
        Where it stands: x, y in its own map, in metres.
    """

    broker: RealBroker
    manufacturer: str
    serial_number: str
    place: tuple[float, float]
    version: str = "2.1.0"
    map_id: str = "map"
    interval_s: float = 1.0
    refused: list[str] = field(default_factory=list[str])
    done: list[Tree] = field(default_factory=list[Tree])

    def __post_init__(self) -> None:
        self.order: Tree = {"orderId": "", "orderUpdateId": 0}
        self.nodes: list[Tree] = []
        self.last: tuple[str, int] = ("", 0)
        self.actions: dict[str, Tree] = {}
        self.errors: list[Tree] = []
        self.loads: list[Tree] | None = None
        self.is_charging = False
        self._number = 0
        self._inbox: list[tuple[str, Tree]] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"{self.manufacturer} {self.serial_number}")
        self._client.on_connect = self._connected
        self._client.on_message = self._arrived
        self._thread = threading.Thread(target=self._live, name=self.serial_number, daemon=True)

    def topic(self, kind: str) -> str:
        return f"uagv/v2/{self.manufacturer}/{self.serial_number}/{kind}"

    def switch_on(self) -> None:
        self._client.connect(self.broker.host, self.broker.port)
        self._client.loop_start()
        self.say("connection", {"connectionState": "ONLINE"}, retain=True)
        self.announce()
        self._thread.start()

    def switch_off(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
        self._client.disconnect()
        self._client.loop_stop()

    # -- habits ----------------------------------------------------------------------------------------------------

    def announce(self) -> None:
        """Say what else there is to say at the start."""

    def instant_actions_of(self, message: Tree) -> list[Tree]:
        return message["actions"]

    def check(self, order: Tree) -> None:
        """Raise `Refused` for an order that this robot does not take."""

    def act(self, action: Tree) -> None:
        """Do what an action of an order says; raise `Refused` when it cannot."""

    # -- life ------------------------------------------------------------------------------------------------------

    def _connected(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe([(self.topic(kind), 0) for kind in ("order", "instantActions")])

    def _arrived(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        with self._lock:
            self._inbox.append((message.topic.rsplit("/", 1)[1], json.loads(message.payload)))

    def _live(self) -> None:
        said_s = 0.0
        while not self._ended.wait(STEP_S):
            with self._lock:
                inbox, self._inbox = self._inbox, []
            for kind, message in inbox:
                self._take(message) if kind == "order" else self._heed(message)
            moved = self._go_on()
            if inbox or moved or time.monotonic() - said_s >= self.interval_s:
                said_s = time.monotonic()
                self.report()

    def _take(self, order: Tree) -> None:
        try:
            if order["version"] != self.version:
                raise Refused("validationError", f"version {order['version']}")
            self._accept(order)
        except Refused as refusal:
            kind, why = refusal.args
            self.refused.append(f"{kind}: {why}")
            references = [{"referenceKey": k, "referenceValue": str(order[k])} for k in ("orderId", "orderUpdateId")]
            self.errors = [
                {"errorType": kind, "errorLevel": "WARNING", "errorDescription": why, "errorReferences": references}
            ]

    def _accept(self, order: Tree) -> None:
        is_update = order["orderId"] == self.order["orderId"]
        if is_update and order["orderUpdateId"] == self.order["orderUpdateId"]:
            return
        self.check(order)
        if is_update:
            base = [node for node in self.nodes if node["released"]]
            end = (base[-1]["nodeId"], base[-1]["sequenceId"]) if base else self.last
            if (order["nodes"][0]["nodeId"], order["nodes"][0]["sequenceId"]) != end:
                raise Refused("orderUpdateError", "it does not begin where the base ends")
            self.nodes = base + order["nodes"][1:]
        else:
            if self.nodes or any(action["actionStatus"] in NOT_OVER for action in self.actions.values()):
                raise Refused("orderError", "another order is active")
            start = order["nodes"][0]["nodePosition"]
            if math.dist((start["x"], start["y"]), self.place) > self.reach_m(start):
                raise Refused("noRouteError", "the first node is out of reach")
            self.nodes, self.actions = list(order["nodes"]), {}
        self.order, self.errors = order, []
        for action in (action for node in order["nodes"] for action in node["actions"]):
            self.actions[action["actionId"]] = {
                "actionId": action["actionId"],
                "actionType": action["actionType"],
                "actionStatus": "WAITING",
            }

    def reach_m(self, position: Tree) -> float:
        return position.get("allowedDeviationXY", 0.3)

    def _heed(self, message: Tree) -> None:
        for action in self.instant_actions_of(message):
            if action["actionType"] == "cancelOrder":
                self.nodes = []
            elif action["actionType"] == "stopCharging":
                self.is_charging = False
            self.actions[action["actionId"]] = {"actionId": action["actionId"], "actionStatus": "FINISHED"}

    def _go_on(self) -> bool:
        if not self.nodes or not self.nodes[0]["released"]:
            return False
        goal = self.nodes[0]["nodePosition"]
        left_m = math.dist((goal["x"], goal["y"]), self.place)
        step_m = SPEED_M_S * STEP_S
        if left_m > step_m:
            dx, dy = goal["x"] - self.place[0], goal["y"] - self.place[1]
            self.place = (self.place[0] + dx / left_m * step_m, self.place[1] + dy / left_m * step_m)
            return False
        self.place = (goal["x"], goal["y"])
        node = self.nodes.pop(0)
        self.last = (node["nodeId"], node["sequenceId"])
        for action in node["actions"]:
            try:
                self.act(action)
                status = "FINISHED"
            except Refused as refusal:
                self.refused.append(": ".join(refusal.args))
                status = "FAILED"
            self.done.append(action)
            self.actions[action["actionId"]]["actionStatus"] = status
        return True

    def report(self) -> None:
        driving = bool(self.nodes) and self.nodes[0]["released"]
        state: Tree = {
            "orderId": self.order["orderId"],
            "orderUpdateId": self.order["orderUpdateId"],
            "lastNodeId": self.last[0],
            "lastNodeSequenceId": self.last[1],
            "driving": driving,
            "operatingMode": "AUTOMATIC",
            "nodeStates": [{key: node[key] for key in ("nodeId", "sequenceId", "released")} for node in self.nodes],
            "edgeStates": [],
            "actionStates": list(self.actions.values()),
            "batteryState": {"batteryCharge": 99.0, "charging": self.is_charging},
            "errors": self.errors,
            "safetyState": {"eStop": "NONE", "fieldViolation": False},
            "agvPosition": {
                "x": self.place[0],
                "y": self.place[1],
                "theta": 0.0,
                "mapId": self.map_id,
                "positionInitialized": True,
            },
        }
        if self.loads is not None:
            state["loads"] = self.loads
        self.say("state", state)

    def say(self, kind: str, content: Tree, *, retain: bool = False) -> None:
        header = {
            "headerId": self._number,
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "version": self.version,
            "manufacturer": self.manufacturer,
            "serialNumber": self.serial_number,
        }
        self._number += 1
        self._client.publish(self.topic(kind), json.dumps(header | content), qos=0, retain=retain)


class MinimalRobot(ForeignRobot):
    """VDA 5050 2.0.0 to the letter and no further.

    It knows no action but the standard's instant ones, reads those under the key of 1.1 only, takes no order updates,
    reports no loads, and is silent for long while nothing happens.
    """

    def instant_actions_of(self, message: Tree) -> list[Tree]:
        return message.get("instantActions", [])

    def check(self, order: Tree) -> None:
        if order["orderId"] == self.order["orderId"]:
            raise Refused("orderUpdateError", "no updates here")
        if any(not node["released"] for node in order["nodes"]):
            raise Refused("validationError", "an order is released as a whole")
        if any(node["actions"] for node in order["nodes"]):
            raise Refused("orderError", "no such action")
        if any("allowedDeviationXY" in node["nodePosition"] for node in order["nodes"]):
            raise Refused("validationError", "allowedDeviationXY is not a word of 2.0.0")

    def reach_m(self, position: Tree) -> float:
        return position.get("allowedDeviationXy", 0.3)


class WordyRobot(ForeignRobot):
    """VDA 5050 2.1.0 with words, loads and demands of its own.

    It wants a heading on every node, loads one box at a time by an action of its own, names it by the tag it reads,
    refuses orders while it charges, and says so in its factsheet.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.loads = []
        self.is_charging = True

    def announce(self) -> None:
        offers = [
            {"actionType": name, "actionScopes": scopes}
            for name, scopes in (
                ("takeBox", ["NODE"]),
                ("giveBox", ["NODE"]),
                ("startCharging", ["NODE", "INSTANT"]),
                ("stopCharging", ["INSTANT"]),
            )
        ]
        theta = [{"parameter": "order.nodes.nodePosition.theta", "support": "REQUIRED"}]
        sheet = a_factsheet_tree(actions=offers, optional=theta, physical={"speedMax": 0.9})
        self.say(
            "factsheet", {**sheet, "manufacturer": self.manufacturer, "serialNumber": self.serial_number}, retain=True
        )

    def check(self, order: Tree) -> None:
        if self.is_charging:
            raise Refused("orderError", "not while charging")
        if any("theta" not in node["nodePosition"] for node in order["nodes"]):
            raise Refused("validationError", "nodePosition.theta is missing")
        known = ("takeBox", "giveBox")
        if any(action["actionType"] not in known for node in order["nodes"] for action in node["actions"]):
            raise Refused("orderError", "no such action")

    def act(self, action: Tree) -> None:
        values = {item["key"]: item["value"] for item in action.get("actionParameters", [])}
        if values.get("bay") != 1:
            raise Refused("actionError", f"no bay {values.get('bay')!r}")
        if action["actionType"] == "takeBox":
            if self.loads:
                raise Refused("actionError", "the bay is full")
            self.loads = [{"loadId": f"TAG-{len(self.done)}"}]
        elif not self.loads:
            raise Refused("actionError", "the bay is empty")
        else:
            self.loads = []
