"""A vehicle on PyPI's vda5050-core (VDA 5050 2.1.0): its messages and MQTT client, driving in straight lines.

Runs in an environment of its own that has the library. Arguments: broker url, manufacturer, serial number, x, y, map,
metres a second. The library's client takes no certificate, so with ``TRIAL_TLS`` a tunnel carries it, in a process of
its own: while the library connects, nothing else of this one runs.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import json
import math
import os
import queue
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from vda5050_core import transport, types

TICK_S, REPORT_S = 0.1, 1.0
OVER = (types.ActionStatus.FINISHED, types.ActionStatus.FAILED)


def tunnel(host: str, port: int, files: str) -> int:
    """Start a tunnel to the broker in a process of its own, and return its port on this machine."""
    argv = [sys.executable, str(Path(__file__).with_name("tls_tunnel.py")), host, str(port), files]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return int(process.stdout.readline())


class Vehicle:
    def __init__(self, client, manufacturer: str, serial_number: str, place, map_id: str, speed_m_s: float) -> None:
        self.client, self.names, self.map_id, self.speed_m_s = client, (manufacturer, serial_number), map_id, speed_m_s
        self.prefix = f"uagv/v2/{manufacturer}/{serial_number}"
        self.place, self.nodes, self.actions = place, [], {}
        self.state = types.State()
        self.state.battery_state.battery_charge = 80.0
        self.inbox, self.numbers = queue.SimpleQueue(), {}

    def start(self) -> None:
        broken = self.connection(types.ConnectionState.CONNECTIONBROKEN)
        self.client.set_will(f"{self.prefix}/connection", broken, 1, True)
        self.client.connect()
        self.client.subscribe(f"{self.prefix}/order", lambda _topic, text: self.inbox.put((self.take, text)), 0)
        self.client.subscribe(
            f"{self.prefix}/instantActions", lambda _topic, text: self.inbox.put((self.heed, text)), 0
        )
        online = self.connection(types.ConnectionState.ONLINE)
        self.client.publish(f"{self.prefix}/connection", online, 1, True)

    def header(self, kind: str):
        header = types.Header()
        header.header_id = self.numbers[kind] = self.numbers.get(kind, -1) + 1
        header.version, header.timestamp = "2.1.0", time.time()
        header.manufacturer, header.serial_number = self.names
        return header

    def connection(self, state) -> str:
        said = types.Connection()
        said.header, said.connection_state = self.header("connection"), state
        return json.dumps(said.json())

    def report(self) -> None:
        position = types.AGVPosition()
        position.x, position.y = self.place
        position.map_id, position.position_initialized = self.map_id, True
        self.state.header, self.state.agv_position = self.header("state"), position
        self.state.action_states = list(self.actions.values())
        self.state.node_states = [self.node_state(node) for node in self.nodes]
        self.state.edge_states = []
        self.state.driving = bool(self.nodes and self.nodes[0].released)
        self.client.publish(f"{self.prefix}/state", json.dumps(self.state.json()), 0)

    def node_state(self, node):
        said = types.NodeState()
        said.node_id, said.sequence_id, said.released = node.node_id, node.sequence_id, node.released
        return said

    def take(self, tree) -> None:
        order = types.Order.from_json(tree)
        state = self.state
        if order.order_id == state.order_id:
            if order.order_update_id <= state.order_update_id:
                return
            self.nodes = [node for node in self.nodes if node.released] + list(order.nodes)[1:]
        else:
            self.nodes, self.actions = list(order.nodes), {}
        state.order_id, state.order_update_id = order.order_id, order.order_update_id
        for node in self.nodes:
            for action in node.actions:
                self.actions.setdefault(action.action_id, self.action_state(action, types.ActionStatus.WAITING))

    def heed(self, tree) -> None:
        for action in types.InstantActions.from_json(tree).actions:
            if action.action_type == "cancelOrder":
                self.nodes = []
            self.actions[action.action_id] = self.action_state(action, types.ActionStatus.FINISHED)

    def action_state(self, action, status):
        said = types.ActionState()
        said.action_id, said.action_type, said.action_status = action.action_id, action.action_type, status
        return said

    def go_on(self) -> bool:
        """Drive for a tick; returns whether a node was reached."""
        if not self.nodes or not self.nodes[0].released:
            return False
        goal = self.nodes[0].node_position
        dx, dy = goal.x - self.place[0], goal.y - self.place[1]
        left_m, step_m = math.hypot(dx, dy), self.speed_m_s * TICK_S
        if left_m > step_m:
            self.place = (self.place[0] + dx / left_m * step_m, self.place[1] + dy / left_m * step_m)
            return False
        self.place = (goal.x, goal.y)
        node = self.nodes.pop(0)
        self.state.last_node_id, self.state.last_node_sequence_id = node.node_id, node.sequence_id
        for action in node.actions:
            self.handle(action)
        return True

    def handle(self, action) -> None:
        load_id = {p["key"]: p["value"] for p in action.json().get("actionParameters", [])}.get("loadId")
        loads = [load for load in self.state.loads or [] if load.load_id != load_id]
        if action.action_type == "pick":
            load = types.Load()
            load.load_id = load_id
            loads.append(load)
        self.state.loads = loads
        self.actions[action.action_id] = self.action_state(action, types.ActionStatus.FINISHED)

    def live(self) -> None:
        said_s = 0.0
        while True:
            # The vehicle's own pace of driving: it moves one step a tick, and waits for no condition by it.
            time.sleep(TICK_S)
            has_news = False
            while not self.inbox.empty():
                act, text = self.inbox.get()
                act(json.loads(text))
                has_news = True
            if self.go_on() or has_news or time.monotonic() - said_s >= REPORT_S:
                said_s = time.monotonic()
                self.report()


def main() -> None:
    url, manufacturer, serial_number, x, y, map_id, speed = sys.argv[1:8]
    broker = urlsplit(url)
    host, port = broker.hostname or "127.0.0.1", broker.port or 1883
    if "TRIAL_TLS" in os.environ:
        host, port = "127.0.0.1", tunnel(host, port, os.environ["TRIAL_TLS"])
    client = transport.create_default_client_shared(f"tcp://{host}:{port}", f"{manufacturer}-{serial_number}")
    vehicle = Vehicle(client, manufacturer, serial_number, (float(x), float(y)), map_id, float(speed))
    vehicle.state.loads = []
    vehicle.start()
    vehicle.live()


main()
