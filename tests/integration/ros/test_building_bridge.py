"""The Open-RMF bridge where Open-RMF's messages are installed, and what it says where they are not."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.ros
pytest.importorskip("rclpy", exc_type=ImportError)

HAS_RMF = all(importlib.util.find_spec(name) is not None for name in ("rmf_door_msgs", "rmf_lift_msgs"))
COMMAND = [sys.executable, "-m", "ros_nodes.nodes.building_bridge", "--mqtt", "mqtt://127.0.0.1:1", "--site", "demo"]


@pytest.mark.skipif(HAS_RMF, reason="Open-RMF's messages are installed here")
def test_without_open_rmf_the_bridge_says_what_to_install() -> None:
    ended = subprocess.run(COMMAND, capture_output=True, text=True, check=False, env=dict(os.environ), timeout=50)
    assert ended.returncode == 3, ended.stderr
    assert "rmf_door_msgs" in ended.stderr
    assert "install" in ended.stderr


def test_node_publishes_to_open_rmf() -> None:
    pytest.importorskip("rmf_door_msgs.msg", reason="Open-RMF's door messages are not installed", exc_type=ImportError)
    pytest.importorskip("rmf_lift_msgs.msg", reason="Open-RMF's lift messages are not installed", exc_type=ImportError)
    import rclpy

    from orchestrator.adapters.mqtt.broker_address import BrokerLink
    from orchestrator.devices.address import DeviceAddress, DeviceKind
    from orchestrator.devices.messages import encode
    from ros_nodes.nodes.building_bridge import BuildingBridge
    from tests.unit.onboard.test_rmf_building import a_door_request

    rclpy.init()
    bridge = BuildingBridge(
        site="demo", doors=["front"], lifts=[], link=BrokerLink(url="mqtt://127.0.0.1:1", client_id="bridge")
    )
    try:
        asked: list[object] = []
        bridge.create_subscription(bridge._door_request, "door_requests", asked.append, 10)
        bridge._take(DeviceAddress("demo", DeviceKind.DOOR, "front"), encode(a_door_request()))
        for _ in range(100):
            rclpy.spin_once(bridge, timeout_sec=0.1)
            if asked:
                break
        assert asked
    finally:
        bridge.close()
        bridge.destroy_node()
        rclpy.shutdown()
