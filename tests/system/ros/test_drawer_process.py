"""A robot's drawers in its real process: agent, lock and drawer node on ROS 2, grants over a real broker."""

from __future__ import annotations

import base64
import secrets
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.custody.grant import Grant, Purpose, text_of_grant
from orchestrator.vda5050.drawers import drawers_of_information, nonce_of_information
from orchestrator.vda5050.messages import Action, Information
from ros_nodes.processes import namespace_of
from tests.support.brokers import RealBroker, wait_until
from tests.support.drawers import public_key, sign
from tests.support.onboard_robots import ADDRESS, an_action, an_order
from tests.support.ros_robots import Companion, FleetEar, RobotRun

pytestmark = [pytest.mark.ros, pytest.mark.system]

A, B = ("A", 0.0, 0.0), ("B", 3.0, 0.0)
NAMESPACE = namespace_of(ADDRESS.serial_number)
SPEED_FACTOR = 4.0


@pytest.fixture
def ear(child_broker: RealBroker) -> Iterator[FleetEar]:
    fleet = FleetEar(child_broker)
    yield fleet
    fleet.close()


@pytest.fixture
def make_robot(tmp_path: Path, child_broker: RealBroker, ros_domain_id: int) -> Iterator[Callable[..., RobotRun]]:
    made: list[RobotRun] = []
    key = tmp_path / "grants.pub"
    key.write_text(public_key(), encoding="utf-8")

    def make(**more: Any) -> RobotRun:
        made.append(
            RobotRun(tmp_path, child_broker, domain_id=ros_domain_id, speed_factor=SPEED_FACTOR, grant_key=key, **more)
        )
        made[-1].start()
        return made[-1]

    yield make
    for robot in made:
        robot.clean_up()


@pytest.fixture
def hands(ros_domain_id: int) -> Iterator[Callable[..., Companion]]:
    started: list[Companion] = []

    def use(*arguments: str) -> Companion:
        started.append(Companion("tests.support.ros_hands", [NAMESPACE, *arguments], domain_id=ros_domain_id))
        return started[-1]

    yield use
    for process in started:
        process.clean_up()


def information(ear: FleetEar) -> list[Information]:
    return [Information.model_validate(each) for each in ear.state.get("information", [])]


def drawer_states(ear: FleetEar) -> dict[str, tuple[str, str]]:
    return {each.drawer: (each.state.value, each.content.value) for each in drawers_of_information(information(ear))}


def wait_nonce(ear: FleetEar, *, other_than: str = "") -> str:
    def is_there() -> bool:
        return nonce_of_information(information(ear)) not in (None, other_than)

    wait_until(is_there, "the robot shows a nonce")
    nonce = nonce_of_information(information(ear))
    assert nonce is not None
    return nonce


def open_drawer(nonce: str, *, purpose: Purpose, load: str = "tote-1", node: str = "B") -> Action:
    text = text_of_grant(
        Grant(
            manufacturer=ADDRESS.manufacturer,
            serial_number=ADDRESS.serial_number,
            drawer="top",
            delivery="delivery-1",
            load=load,
            purpose=purpose,
            node=node,
            nonce=nonce,
            lifetime_s=60,
        )
    )
    return an_action(
        "openDrawer",
        action_id=f"open-{secrets.token_hex(4)}",
        grant=text,
        signature=base64.b64encode(sign(text)).decode(),
    )


def wait_answer(ear: FleetEar, action: Action) -> tuple[str, str]:
    """Wait until an action is over and return its status and result."""

    def states() -> list[dict[str, Any]]:
        return [each for each in ear.state.get("actionStates", []) if each["actionId"] == action.action_id]

    wait_until(lambda: any(each["actionStatus"] in ("FINISHED", "FAILED") for each in states()), "the action is over")
    (found,) = states()
    return found["actionStatus"], found.get("resultDescription", "")


def drive_to_b(ear: FleetEar) -> None:
    ear.wait_online()
    ear.send(an_order([A, B], order_id=f"order-{secrets.token_hex(4)}"))
    ear.wait_for("the robot is at B", lastNodeId="B", driving=False)


def test_a_grant_opens_one_drawer_once_and_somebody_uses_it(make_robot: Callable[..., RobotRun], ear: FleetEar) -> None:
    make_robot()
    drive_to_b(ear)
    wait_until(lambda: drawer_states(ear).get("top") == ("locked", "empty"), "the drawer is locked and empty")
    grant = open_drawer(wait_nonce(ear), purpose=Purpose.LOAD)
    ear.send(grant)
    assert wait_answer(ear, grant) == ("FINISHED", "opened")
    wait_until(lambda: drawer_states(ear)["top"] == ("open", "empty"), "the drawer is open")
    wait_until(lambda: drawer_states(ear)["top"] == ("locked", "occupied"), "it is locked again with something in it")
    again = grant.model_copy(update={"action_id": "open-again"})
    ear.send(again)
    status, result = wait_answer(ear, again)
    assert (status, result.partition(":")[0]) == ("FAILED", "nonce")
    assert drawer_states(ear)["bottom"] == ("locked", "empty")


def test_what_is_put_into_a_drawer_lies_there_though_the_robots_computer_dies_meanwhile(
    make_robot: Callable[..., RobotRun], ear: FleetEar
) -> None:
    robot = make_robot()
    drive_to_b(ear)
    grant = open_drawer(wait_nonce(ear), purpose=Purpose.LOAD)
    ear.send(grant)
    assert wait_answer(ear, grant) == ("FINISHED", "opened")
    robot.end(signal.SIGKILL)
    before = ear.state["headerId"]
    robot.start()
    wait_until(lambda: ear.state["headerId"] > before, "the robot reports again")
    wait_until(lambda: drawer_states(ear).get("top") == ("locked", "occupied"), "what was put in lies there")
    assert drawer_states(ear)["bottom"] == ("locked", "empty")


def test_no_robot_drives_while_its_drawer_is_open_and_it_goes_on_once_that_is_shut(
    make_robot: Callable[..., RobotRun], ear: FleetEar, hands: Callable[..., Companion]
) -> None:
    make_robot(has_hand=False)
    drive_to_b(ear)
    grant = open_drawer(wait_nonce(ear), purpose=Purpose.LOAD)
    ear.send(grant)
    assert wait_answer(ear, grant) == ("FINISHED", "opened")
    assert hands("top", "pull").wait() == 0
    ear.send(an_order([B, ("C", 3.0, 2.0)], order_id="order-away"))
    ear.wait_for("the order is taken", orderId="order-away")
    wait_until(
        lambda: any(error["errorType"] == "drawerOpen" for error in ear.state["errors"]), "the open drawer is reported"
    )
    assert ear.state["lastNodeId"] == "B"
    assert not ear.state["driving"]
    assert hands("top", "push").wait() == 0
    ear.wait_for("the robot is at C", lastNodeId="C", driving=False)
    assert drawer_states(ear)["top"][0] == "locked"


def test_a_forced_drawer_stops_the_robot_until_somebody_at_it_has_seen_to_it(
    make_robot: Callable[..., RobotRun], ear: FleetEar, hands: Callable[..., Companion]
) -> None:
    make_robot(has_hand=False)
    drive_to_b(ear)
    nonce = wait_nonce(ear)
    assert hands("top", "force").wait() == 0

    def fatal() -> list[str]:
        return [error["errorType"] for error in ear.state["errors"] if error["errorLevel"] == "FATAL"]

    wait_until(lambda: fatal() == ["drawerForced"], "the force is reported")
    grant = open_drawer(nonce, purpose=Purpose.LOAD)
    ear.send(grant)
    assert wait_answer(ear, grant)[0] == "FAILED"
    assert hands("top", "repair").wait() == 0
    wait_until(lambda: drawer_states(ear)["top"][0] == "locked", "it is locked")
    assert fatal() == ["drawerForced"]
    assert hands("top", "see_to").wait() == 0
    wait_until(lambda: fatal() == [], "somebody has seen to it")
