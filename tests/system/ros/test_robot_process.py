"""The real robot process: agent and driver on ROS 2, between a broker and a second process on its topics."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ros_nodes.processes import namespace_of
from tests.support.brokers import AmqttBroker, RealBroker, wait_until
from tests.support.onboard_robots import ADDRESS, an_action, an_order
from tests.support.ros_robots import Companion, FleetEar, RobotRun

pytestmark = [pytest.mark.ros, pytest.mark.system]

A, B, C, FAR = ("A", 0.0, 0.0), ("B", 4.0, 0.0), ("C", 4.0, 3.0), ("far", 40.0, 0.0)
NAMESPACE = namespace_of(ADDRESS.serial_number)


@pytest.fixture
def ear(child_broker: RealBroker) -> Iterator[FleetEar]:
    fleet = FleetEar(child_broker)
    yield fleet
    fleet.close()


@pytest.fixture
def make_robot(tmp_path: Path, child_broker: RealBroker, ros_domain_id: int) -> Iterator[Callable[..., RobotRun]]:
    made: list[RobotRun] = []

    def make(**more: Any) -> RobotRun:
        made.append(RobotRun(tmp_path, child_broker, domain_id=ros_domain_id, **{"speed_factor": 8.0, **more}))
        return made[-1]

    yield make
    for robot in made:
        robot.clean_up()


@pytest.fixture
def companion(ros_domain_id: int) -> Iterator[Callable[..., Companion]]:
    started: list[Companion] = []

    def start(module: str, *arguments: str) -> Companion:
        started.append(Companion(module, arguments, domain_id=ros_domain_id))
        return started[-1]

    yield start
    for process in started:
        process.clean_up()


def test_second_process_sees_the_robot_drive_after_an_order_over_mqtt(
    make_robot: Callable[..., RobotRun], companion: Callable[..., Companion], ear: FleetEar
) -> None:
    robot = make_robot(speed_factor=4.0)
    robot.start()
    ear.wait_online()
    listener = companion("tests.support.ros_listener", NAMESPACE, "3.9")
    wait_until(lambda: any(line["kind"] == "odom" for line in listener.lines), "odometry is heard")
    ear.send(an_order([A, B]))
    assert listener.wait() == 0
    odometry = [line for line in listener.lines if line["kind"] == "odom"]
    assert odometry[0]["x_m"] == 0.0
    assert max(line["speed_m_s"] for line in odometry) > 0.5
    assert {line["level"] for line in odometry} == {"L1"}
    rate_hz = (len(odometry) - 1) / (odometry[-1]["at_s"] - odometry[0]["at_s"])
    assert rate_hz >= 10.0
    assert any(line["kind"] == "transform" and line["frame"] == f"{NAMESPACE}/base_link" for line in listener.lines)
    assert any(line["kind"] == "battery" and 0.9 < line["charge"] <= 1.0 for line in listener.lines)
    ear.wait_for("the robot is at B", lastNodeId="B", driving=False)
    assert robot.end() == 0


def test_robot_drives_an_order_that_grows_and_handles_its_load(
    make_robot: Callable[..., RobotRun], ear: FleetEar
) -> None:
    robot = make_robot()
    robot.start()
    ear.wait_online()
    pick = an_action("pick", loadId="L7", lhd="bottom")
    ear.send(an_order([A, B, C], released=2, actions={"B": [pick]}))
    state = ear.wait_for("the load is aboard", loads=[{"loadId": "L7", "loadPosition": "bottom"}])
    assert state["lastNodeId"] == "B"
    lift_above = ("C above", C[1], C[2], "L2")
    ear.send(an_order([B, C, lift_above], update_id=1, first_sequence=2))
    state = ear.wait_for("the robot is upstairs", lastNodeId="C above", driving=False, orderUpdateId=1)
    assert (state["nodeStates"], state["errors"]) == ([], [])
    position = state["agvPosition"]
    assert (position["x"], position["y"]) == pytest.approx((4.0, 3.0), abs=0.01)
    assert position["mapId"] == "L2"


def test_cancel_over_mqtt_stops_the_wheels(make_robot: Callable[..., RobotRun], ear: FleetEar) -> None:
    robot = make_robot()
    robot.start()
    ear.wait_online()
    ear.send(an_order([A, FAR]))
    ear.wait_for("the robot drives", driving=True)
    cancel = an_action("cancelOrder")
    ear.send(cancel)
    wait_until(
        lambda: any(
            item["actionId"] == cancel.action_id and item["actionStatus"] == "FINISHED"
            for item in ear.state["actionStates"]
        ),
        "the cancel is finished",
    )
    state = ear.state
    assert (state["driving"], state["nodeStates"]) == (False, [])
    assert 0.0 < state["agvPosition"]["x"] < 39.0


def test_pause_over_mqtt_holds_and_resume_goes_on(make_robot: Callable[..., RobotRun], ear: FleetEar) -> None:
    robot = make_robot()
    robot.start()
    ear.wait_online()
    ear.send(an_order([A, FAR]))
    ear.wait_for("the robot drives", driving=True)
    ear.send(an_action("startPause"))
    ear.wait_for("the robot holds", driving=False, paused=True)
    ear.send(an_action("stopPause"))
    ear.wait_for("the robot is there", lastNodeId="far", driving=False, limit_s=40.0)


def test_sigterm_ends_with_zero_and_says_offline(make_robot: Callable[..., RobotRun], ear: FleetEar) -> None:
    robot = make_robot()
    robot.start()
    ear.wait_online()
    ear.send(an_order([A, FAR]))
    ear.wait_for("the robot drives", driving=True)
    assert robot.end(signal.SIGTERM) == 0
    wait_until(lambda: ear.connections[-1] == "OFFLINE", "the robot said good-bye")
    assert "Traceback" not in robot.log


def test_killed_robot_comes_back_where_it_stood_with_its_load_and_without_its_order(
    make_robot: Callable[..., RobotRun], ear: FleetEar
) -> None:
    robot = make_robot()
    robot.start()
    ear.wait_online()
    order = an_order([A, B, FAR], actions={"B": [an_action("pick", loadId="L7")]})
    ear.send(order)
    ear.wait_for("the robot has passed B with its load", lastNodeId="B", driving=True, limit_s=40.0)
    wait_until(lambda: ear.state["loads"] != [], "the load is aboard")
    robot.end(signal.SIGKILL)
    wait_until(lambda: ear.connections[-1] == "CONNECTIONBROKEN", "the broker said the robot is gone")
    remembered = json.loads((robot.process.state_dir / "memory.json").read_bytes())
    ear.states.clear()
    robot.start()
    ear.wait_online()
    state = ear.wait_for("the robot reports again", orderId="", lastNodeId="B", driving=False)
    assert state["loads"] == [{"loadId": "L7", "loadPosition": "top"}]
    assert state["agvPosition"]["x"] == pytest.approx(remembered["pose"][1])
    assert state["agvPosition"]["x"] >= 4.0
    ear.send(order)
    state = ear.wait_for("the old order is refused", orderId="")
    wait_until(lambda: ear.state["errors"] != [], "the old order is refused")
    assert ear.state["driving"] is False
    here = ("here", state["agvPosition"]["x"], 0.0)
    ear.send(an_order([here, FAR], order_id="order-2"))
    ear.wait_for("the delivery goes on", orderId="order-2", driving=True)


def test_robot_comes_back_by_itself_when_the_broker_does(
    make_robot: Callable[..., RobotRun], ear: FleetEar, child_broker: RealBroker
) -> None:
    robot = make_robot()
    robot.start()
    ear.wait_online()
    ear.send(an_order([A, B, C], released=2))
    ear.wait_for("the robot drives", driving=True)
    child_broker.kill()
    ear.states.clear()
    ear.connections.clear()
    child_broker.start()
    ear.wait_online()
    # It went on to the end of its base meanwhile, and still knows its order.
    state = ear.wait_for("the robot stands at the end of its base", lastNodeId="B", driving=False)
    assert (state["orderId"], len(state["nodeStates"])) == ("order-1", 1)
    ear.send(an_order([B, C], update_id=1, first_sequence=2))
    ear.wait_for("the order goes on", lastNodeId="C")


def test_robot_that_is_there_before_the_broker_announces_itself_when_the_broker_comes(
    tmp_path: Path, free_port: int, ros_domain_id: int
) -> None:
    broker_folder = tmp_path / "late broker"
    broker_folder.mkdir()
    broker = AmqttBroker(broker_folder, free_port)
    robot = RobotRun(tmp_path, broker, domain_id=ros_domain_id, speed_factor=8.0)
    robot.start()
    try:
        wait_until(lambda: "configured at L1" in robot.log, "the robot is up")
        broker.start()
        fleet = FleetEar(broker)
        fleet.wait_online()
        fleet.close()
        assert robot.end() == 0
    finally:
        robot.clean_up()
        broker.stop()


def test_robot_whose_name_somebody_else_uses_stands_and_says_so(
    make_robot: Callable[..., RobotRun], companion: Callable[..., Companion], ear: FleetEar
) -> None:
    robot = make_robot()
    robot.start()
    ear.wait_online()
    ear.send(an_order([A, FAR]))
    ear.wait_for("the robot drives", driving=True)
    companion("tests.support.ros_impostor", NAMESPACE)
    wait_until(lambda: any(error["errorType"] == "poseJumped" for error in ear.state["errors"]), "it noticed")
    assert [error["errorLevel"] for error in ear.state["errors"]] == ["FATAL"]
    assert "ROS_DOMAIN_ID" in robot.log


def test_managed_agent_follows_its_lifecycle_and_survives_a_wrong_request(
    make_robot: Callable[..., RobotRun], companion: Callable[..., Companion], ear: FleetEar
) -> None:
    robot = make_robot(is_managed=True)
    robot.start()
    asked = ["activate", "configure", "activate", "deactivate", "cleanup", "configure", "activate"]
    client = companion("tests.support.ros_lifecycle_client", NAMESPACE, *asked)
    assert client.wait() == 0
    assert [(line["asked"], line["success"], line["state"]) for line in client.lines] == [
        ("activate", False, "unconfigured"),
        ("configure", True, "inactive"),
        ("activate", True, "active"),
        ("deactivate", True, "inactive"),
        ("cleanup", True, "unconfigured"),
        ("configure", True, "inactive"),
        ("activate", True, "active"),
    ]
    ear.wait_online()
    ear.send(an_order([A, B]))
    ear.wait_for("the robot is at B", lastNodeId="B", driving=False)
    assert robot.end() == 0


def test_robot_that_cannot_start_says_why_and_what_to_do(make_robot: Callable[..., RobotRun]) -> None:
    robot = make_robot()
    robot.process.state_dir.mkdir()
    (robot.process.state_dir / "memory.json").write_text("half a mem", encoding="utf-8")
    robot.start()
    wait_until(lambda: not robot.is_running, "the robot has given up")
    assert robot.end() == 2
    assert "drawers" in robot.log
    assert "Traceback" not in robot.log
