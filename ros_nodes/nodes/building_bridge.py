"""A ROS 2 node between our device protocol on MQTT and Open-RMF's doors and lifts. Needs rmf_door_msgs, rmf_lift_msgs.

Run as ``python -m ros_nodes.nodes.building_bridge --mqtt URL --site ID --door NAME ... --lift NAME ...``. What decides
is `ros_nodes.rmf_building`; here are only topics and conversions.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import queue
import secrets
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from orchestrator.adapters.mqtt.broker_address import BrokerLink, TlsFiles
from orchestrator.adapters.mqtt.transport import PahoTransport
from orchestrator.devices.address import QOS, Channel, DeviceAddress, DeviceKind, parse_device_topic
from orchestrator.devices.messages import (
    DeviceMessageError,
    DoorRequest,
    DoorState,
    LiftRequest,
    LiftState,
    decode,
    encode,
)
from orchestrator.domain.errors import WardporterError
from ros_nodes.rmf_building import RmfDoor, RmfDoorAsked, RmfLift, RmfLiftAsked

INBOX_LIMIT = 1024
LOOK_EVERY_S = 0.05
MISSING_EXIT = 3


class BuildingBridge(Node):
    """Doors and lifts of one site. Everything happens on the executor's thread; paho's only fills the inbox.

    Parameters
    ----------
    site : str
        Id of the site, as in the topics.
    doors, lifts : sequence of str
        Names as Open-RMF has them; ours are the same.
    link : BrokerLink
        The way to the broker.
    """

    def __init__(self, *, site: str, doors: Sequence[str], lifts: Sequence[str], link: BrokerLink) -> None:
        super().__init__("building_bridge")
        door_msgs, lift_msgs = (importlib.import_module(f"rmf_{kind}_msgs.msg") for kind in ("door", "lift"))
        self._door_request, self._door_mode = door_msgs.DoorRequest, door_msgs.DoorMode
        self._lift_request = lift_msgs.LiftRequest
        boot = secrets.token_hex(8)
        self._site = site
        self._doors = {name: RmfDoor(name, boot) for name in doors}
        self._lifts = {name: RmfLift(name, boot) for name in lifts}
        self._inbox: queue.Queue[tuple[str, bytes, bool]] = queue.Queue(INBOX_LIMIT)
        self._ask_door = self.create_publisher(self._door_request, "door_requests", 10)
        self._ask_lift = self.create_publisher(self._lift_request, "lift_requests", 10)
        self.create_subscription(door_msgs.DoorState, "door_states", self._hear_door, 10)
        self.create_subscription(lift_msgs.LiftState, "lift_states", self._hear_lift, 10)
        self.create_timer(LOOK_EVERY_S, self._look)
        self._transport = PahoTransport(
            link,
            topics=[self._address(name).topic(Channel.REQUEST) for name in (*self._doors, *self._lifts)],
            on_message=lambda *message: self._keep(message),
            on_connection=lambda _is_up: None,
        )
        self._transport.start()

    def close(self) -> None:
        """Leave the broker."""
        self._transport.stop()

    def _address(self, name: str) -> DeviceAddress:
        return DeviceAddress(self._site, DeviceKind.DOOR if name in self._doors else DeviceKind.LIFT, name)

    def _keep(self, message: tuple[str, bytes, bool]) -> None:
        with contextlib.suppress(queue.Full):  # a request that is dropped is made again while it is wanted
            self._inbox.put_nowait(message)

    def _look(self) -> None:
        while not self._inbox.empty():
            topic, payload, is_retained = self._inbox.get_nowait()
            parsed = parse_device_topic(topic)
            if parsed is not None and not is_retained:
                self._take(parsed[0], payload)
        for door in self._doors.values():
            self._send_to_door(door.renew(at_s=self._now_s()))

    def _take(self, address: DeviceAddress, payload: bytes) -> None:
        try:
            if address.id in self._doors and address.kind is DeviceKind.DOOR:
                request = decode(DoorRequest, payload)
                self._send_to_door(self._doors[address.id].ask(request, at_s=self._now_s(), now=datetime.now(UTC)))
            elif address.id in self._lifts and address.kind is DeviceKind.LIFT:
                asked = decode(LiftRequest, payload)
                self._send_to_lift(self._lifts[address.id].ask(asked, at_s=self._now_s(), now=datetime.now(UTC)))
        except DeviceMessageError as error:
            self.get_logger().warning(error.message)

    def _now_s(self) -> float:
        return self.get_clock().now().nanoseconds / 1e9

    def _send_to_door(self, asked: RmfDoorAsked | None) -> None:
        if asked is None:
            return
        message = self._door_request()
        message.request_time = self.get_clock().now().to_msg()
        message.requester_id, message.door_name = asked.requester_id, asked.door_name
        message.requested_mode = self._door_mode(value=int(asked.requested_mode))
        self._ask_door.publish(message)

    def _send_to_lift(self, asked: RmfLiftAsked | None) -> None:
        if asked is None:
            return
        message = self._lift_request()
        message.request_time = self.get_clock().now().to_msg()
        message.lift_name, message.session_id = asked.lift_name, asked.session_id
        message.request_type, message.door_state = int(asked.request_type), int(asked.door_state)
        message.destination_floor = asked.destination_floor
        self._ask_lift.publish(message)

    def _hear_door(self, message: Any) -> None:
        door = self._doors.get(message.door_name)
        if door is not None:
            self._say(message.door_name, door.state(message, now=datetime.now(UTC)))

    def _hear_lift(self, message: Any) -> None:
        lift = self._lifts.get(message.lift_name)
        if lift is not None:
            self._say(message.lift_name, lift.state(message, now=datetime.now(UTC)))

    def _say(self, name: str, state: DoorState | LiftState) -> None:
        address = self._address(name)
        qos = QOS[address.kind, Channel.STATE]
        self._transport.publish(address.topic(Channel.STATE), encode(state), qos=qos, retain=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bridge until a signal ends it; 2 for bad input, 3 where Open-RMF's messages are not installed."""
    options = _parser().parse_args(arguments)
    missing = [name for name in ("rmf_door_msgs", "rmf_lift_msgs") if importlib.util.find_spec(name) is None]
    if missing:
        sys.stderr.write(f"{', '.join(missing)} is not installed; install Open-RMF's messages and source its set-up.\n")
        return MISSING_EXIT
    link = BrokerLink(
        url=options.mqtt,
        client_id=f"wardporter-rmf-{options.site}",
        tls=TlsFiles.in_folder(options.mqtt_tls) if options.mqtt_tls is not None else None,
        is_plain_allowed=options.mqtt_allow_plain,
    )
    try:
        link.check()
    except WardporterError as refusal:
        sys.stderr.write(f"{refusal.message}\n")
        return 2
    return _run(options, link)


def _run(options: argparse.Namespace, link: BrokerLink) -> int:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    bridge = BuildingBridge(site=options.site, doors=options.door, lifts=options.lift, link=link)
    try:
        while not stop.is_set():
            rclpy.spin_once(bridge, timeout_sec=0.2)
    finally:
        bridge.close()
        bridge.destroy_node()
        rclpy.shutdown()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Open-RMF doors and lifts for Wardporter.")
    parser.add_argument("--mqtt", required=True, help="broker, mqtt://host:port or mqtts://host:port")
    parser.add_argument("--mqtt-tls", type=Path, help="folder with ca.crt, client.crt and client.key for mqtts://")
    parser.add_argument("--mqtt-allow-plain", action="store_true", help="let mqtt:// leave this machine")
    parser.add_argument("--site", required=True, help="id of the site, as in the site file")
    parser.add_argument("--door", action="append", default=[], help="name of a door; may be given again")
    parser.add_argument("--lift", action="append", default=[], help="name of a lift; may be given again")
    parser.add_argument("--ros-args", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
