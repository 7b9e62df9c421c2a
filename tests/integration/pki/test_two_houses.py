"""A hospital and its rehearsal, each with a broker and topics of its own: no robot of one is heard in the other.

Brokers, certificates, the robots' own link code and the orchestrator are the real ones. Both houses have a robot of the
same id, maker and serial number: what tells them apart is the authority that vouches for them, and the interface name.
"""

from __future__ import annotations

import queue
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.adapters.clock import RandomIds, SystemClock
from orchestrator.adapters.mqtt.broker_address import BrokerLink, TlsFiles
from orchestrator.adapters.mqtt.transport import PahoTransport
from orchestrator.application.control import Control
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import RobotTransport
from orchestrator.domain.fleet.model import Commissioning, RobotId
from orchestrator.vda5050.address import TopicKind, address_of_robot
from ros_nodes.nodes.mqtt_link import LinkEvent, MqttLink
from ros_nodes.onboard.in_process import in_process_robot
from ros_nodes.onboard.memory import RobotMemory
from ros_nodes.onboard.path_geometry import Pose
from ros_nodes.onboard.robot import OnboardRobot
from ros_nodes.onboard.voice import OutgoingMessage
from simulation.building import Machines, SimulatedBuilding
from simulation.memory_store import MemoryStore
from tests.support.brokers import wait_until
from tests.support.secured_broker import Party, SecuredBroker
from tests.support.wards import a_fleet, demo_hospital

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

ROBOT = RobotId("robot-1")
SIMULATED = a_fleet(demo_hospital(), robots=1)
WAYS = ["hardware robot in the simulated house", "simulated robot in the hospital"]


def fleet_of(interface: str, commissioning: Commissioning) -> FleetOnSite:
    """The fleet of one house; no other could be put together from hardware yet, so the check is passed over here."""
    robot = replace(SIMULATED.robots[ROBOT], interface_name=interface, commissioning=commissioning)
    return replace(SIMULATED, robots={ROBOT: robot})


HOSPITAL, REHEARSAL = fleet_of("hospital", Commissioning.HARDWARE), fleet_of("rehearsal", Commissioning.SIMULATED)


def an_orchestrator(fleet: FleetOnSite, transport: RobotTransport) -> Control:
    clock = SystemClock()
    control = Control(
        fleet=fleet,
        store=MemoryStore(),
        clock=clock,
        ids=RandomIds(),
        transport=transport,
        building=SimulatedBuilding(Machines(fleet.site), clock=clock),
    )
    control.start()
    return control


def a_board(fleet: FleetOnSite) -> OnboardRobot:
    """What decides on board of the fleet's robot, at its home."""
    home = fleet.pose_of(ROBOT, fleet.home_waypoint_of(ROBOT))
    return in_process_robot(
        address=address_of_robot(fleet.robots[ROBOT]),
        model=fleet.models[ROBOT],
        memory=RobotMemory(pose=Pose(home.level, home.x_m, home.y_m, 0.0)),
        utc=lambda _: datetime.now(UTC),
    )


class House:
    """A secured broker, and the orchestrator of one fleet on it, which listens to all that the broker lets it hear."""

    def __init__(self, folder: Path, port: int, fleet: FleetOnSite) -> None:
        self.fleet = fleet
        self.address = address_of_robot(fleet.robots[ROBOT])
        self.broker = SecuredBroker(folder, port, fleet.robots.values(), site=fleet.site.id)
        self.heard: list[str] = []
        self._inbox: queue.SimpleQueue[tuple[str, bytes, bool]] = queue.SimpleQueue()
        self.transport = PahoTransport(
            BrokerLink(self.broker.url, "service", tls=TlsFiles.in_folder(self.broker.service_files)),
            topics=["#"],
            on_message=lambda *message: self._inbox.put(message),
            on_connection=lambda _is_up: None,
        )
        self.control = an_orchestrator(fleet, self.transport)

    def start(self) -> House:
        self.broker.start()
        self.transport.start()
        wait_until(lambda: self.transport.is_connected, "the orchestrator is connected")
        return self

    def stop(self) -> None:
        self.transport.stop()
        self.broker.stop()

    def turn(self) -> None:
        """Take in what has come, and let the orchestrator do what is due."""
        while not self._inbox.empty():
            topic, payload, is_retained = self._inbox.get()
            self.heard.append(topic)
            self.control.receive(topic, payload, is_retained=is_retained)
        self.control.tick()

    @property
    def has_heard_its_robot(self) -> bool:
        (picture,) = self.control.picture().robots
        return picture.report is not None


class RobotAtBroker:
    """What a robot runs, with its link to a broker: addressed as one house has it, with files that may be another's."""

    def __init__(self, fleet: FleetOnSite, broker: SecuredBroker, files: Path) -> None:
        self._begun_s = time.monotonic()
        self.orders = 0
        self.is_up = False
        self._board = a_board(fleet)
        link = BrokerLink(broker.url, ROBOT, tls=TlsFiles.in_folder(files))
        address = address_of_robot(fleet.robots[ROBOT])
        self._link = MqttLink(link, address=address, will=self._board.last_will())
        self._link.open()

    def turn(self) -> None:
        """Take in what has come, live on, and say what there is to say."""
        now_s = time.monotonic() - self._begun_s
        for heard in self._link.heard():
            if isinstance(heard, LinkEvent):
                self.is_up = heard is LinkEvent.UP
                if self.is_up:
                    self._board.connect(now_s)
            else:
                self.orders += heard.kind is TopicKind.ORDER
                self._board.receive(heard.kind, heard.payload, now_s)
        self._board.advance(now_s)
        for message in self._board.take_messages():
            self._link.publish(message)

    def close(self) -> None:
        self._link.close()


@pytest.fixture
def houses(tmp_path: Path, claim_port: Callable[[], int]) -> Iterator[tuple[House, House]]:
    hospital = House(tmp_path / "hospital", claim_port(), HOSPITAL)
    rehearsal = House(tmp_path / "rehearsal", claim_port(), REHEARSAL)
    try:
        yield hospital.start(), rehearsal.start()
    finally:
        hospital.stop()
        rehearsal.stop()


def pumped(is_so: Callable[[], object], what: str, *parts: House | RobotAtBroker) -> None:
    """Let all parts live until it is so."""

    def look() -> bool:
        for part in parts:
            part.turn()
        return bool(is_so())

    wait_until(look, what)


def way(houses: tuple[House, House], which: str) -> tuple[House, House]:
    """The house that the robot is of, and the one that it is connected to."""
    return houses if which == WAYS[0] else (houses[1], houses[0])


def is_trusted(broker: SecuredBroker, files: TlsFiles) -> bool:
    """Whether somebody with these files takes the broker for the one it is meant to speak to."""
    with socket.create_connection((broker.host, broker.port), timeout=10.0) as wire:
        try:
            with files.context().wrap_socket(wire, server_hostname=broker.host):
                return True
        except ssl.SSLCertVerificationError:
            return False


@pytest.mark.parametrize("which", WAYS)
def test_case_74_a_robot_of_the_other_house_is_refused_by_its_certificate(
    houses: tuple[House, House], which: str, tmp_path: Path
) -> None:
    own, other = way(houses, which)
    files, misplaced = own.broker.robot_files(ROBOT), tmp_path / "misplaced"
    shutil.copytree(files, misplaced)
    shutil.copy(other.broker.authority.folder / "ca.crt", misplaced / "ca.crt")
    will = (other.address.topic(TopicKind.CONNECTION), b"will", 1, True)

    assert not is_trusted(other.broker, TlsFiles.in_folder(files)), "it would speak to a broker of another authority"
    Party(other.broker, misplaced, will=will).wait_refused()  # told to trust this one, it is not let in
    assert is_trusted(own.broker, TlsFiles.in_folder(files))
    stray, robot = RobotAtBroker(own.fleet, other.broker, misplaced), RobotAtBroker(own.fleet, own.broker, files)
    pumped(lambda: own.has_heard_its_robot, "its own house hears it", own, other, stray, robot)

    assert not stray.is_up
    assert (other.heard, other.has_heard_its_robot, other.control.refused) == ([], False, {})
    stray.close()
    robot.close()


@pytest.mark.parametrize("which", WAYS)
def test_case_74_even_with_a_certificate_of_this_house_the_topics_of_the_other_lead_nowhere(
    houses: tuple[House, House], which: str
) -> None:
    own, other = way(houses, which)
    stray = RobotAtBroker(own.fleet, other.broker, other.broker.robot_files(ROBOT))
    pumped(lambda: stray.is_up, "it is let in by its certificate", other, stray)
    for address in (own.address, other.address):
        other.transport.publish(address.topic(TopicKind.ORDER), b"{}", qos=1, retain=False)
    pumped(lambda: other.address.topic(TopicKind.ORDER) in other.heard, "the orders went out", other, stray)
    # What the house's own robot says comes after whatever the stray one said: one credential, one connection.
    stray.close()
    robot = RobotAtBroker(other.fleet, other.broker, other.broker.robot_files(ROBOT))
    pumped(lambda: other.has_heard_its_robot, "the house hears its own robot", other, robot)

    assert stray.orders == 0
    assert {topic.split("/")[0] for topic in other.heard} == {other.address.interface_name}
    robot.close()


@pytest.mark.parametrize("fleets", [(HOSPITAL, REHEARSAL), (REHEARSAL, HOSPITAL)], ids=WAYS)
def test_case_74_an_orchestrator_passes_over_the_topics_of_another_house_even_where_a_broker_lets_them_through(
    fleets: tuple[FleetOnSite, FleetOnSite],
) -> None:
    strangers, ours = fleets
    sent: list[str] = []
    control = an_orchestrator(ours, Sent(sent))
    before = control.picture()

    for message in said_at_start(strangers):
        control.receive(message.topic, message.payload)
        control.tick()
    assert (control.picture(), control.refused) == (before, {})
    assert not [topic for topic in sent if topic.startswith(address_of_robot(strangers.robots[ROBOT]).interface_name)]

    for message in said_at_start(ours):
        control.receive(message.topic, message.payload)
    assert control.picture().robots[0].report is not None


class Sent:
    """A transport that remembers on which topics something was to be sent."""

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        del payload, qos, retain
        self._topics.append(topic)


def said_at_start(fleet: FleetOnSite) -> tuple[OutgoingMessage, ...]:
    """What the fleet's robot says when it comes online."""
    board = a_board(fleet)
    board.connect(0.0)
    return board.take_messages()
