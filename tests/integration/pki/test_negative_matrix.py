"""Every topic by {publish, retain, will, subscribe} by {no, expired, revoked, foreign, other's} certificate: no effect.

On a Mosquitto with the generated files. Everything is tried once for the whole module; each test then looks at one
cell. An effect is what a party with the right certificate hears, or what the attacker does.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from paho.mqtt.client import topic_matches_sub

from orchestrator.adapters.pki.authority import Authority
from orchestrator.adapters.pki.certificates import Period, certificate_for, new_key, pem_of, pem_of_key
from orchestrator.adapters.pki.identity import Identity, IdentityKind
from orchestrator.vda5050.address import FROM_ROBOT, TO_ROBOT, address_of_robot
from tests.support.authorities import fleet_robots, robot_identity
from tests.support.brokers import wait_until
from tests.support.claims import PORTS, claimed_number, port_is_free
from tests.support.secured_broker import OBSERVER, SITE, Party, SecuredBroker

pytestmark = [pytest.mark.broker, pytest.mark.timeout(170), pytest.mark.xdist_group("matrix")]

ROBOTS = fleet_robots(["r1", "r2", "r3"])
DOOR_1, DOOR_2 = (Identity(IdentityKind.DEVICE, f"door.d{i}") for i in (1, 2))
ADDRESS = {str(robot.id): address_of_robot(robot) for robot in ROBOTS}
DOOR_STATE, DOOR_REQUEST = (f"wardporter/v1/{SITE}/door/d1/{channel}" for channel in ("state", "request"))
SUSPECT_WILDCARDS = ("#", "uagv/v2/ward/+/order", "uagv/v2/ward/R1/#", f"wardporter/v1/{SITE}/+/+/request", "$SYS/#")
R1_TOPICS = [ADDRESS["r1"].topic(kind) for kind in (*FROM_ROBOT, *TO_ROBOT)]
EXACT = [
    *R1_TOPICS,
    *(ADDRESS["r3"].topic(kind) for kind in (*FROM_ROBOT, *TO_ROBOT)),
    *(ADDRESS["r2"].topic(kind) for kind in TO_ROBOT),
    DOOR_STATE,
    DOOR_REQUEST,
    "$SYS/broker/uptime",
    "anything/else",
]
REFUSED = ("none", "expired", "revoked", "foreign", "server")
"""Certificates with which nobody gets in at all; ``server`` is the broker's own, shown as a client's."""

OTHERS = ("other robot", "other device", "observer")
"""Certificates that are good, for other topics; an observer's may hear what robots say and are told."""

SAYING = ("publish", "retain", "will")


@dataclass
class Tried:
    """What was tried and what came of it."""

    refused: dict[tuple[str, str], bool] = field(default_factory=dict)
    """By certificate and topic, whether a connection with a will for the topic was refused."""

    said: set[bytes] = field(default_factory=set)
    """Tokens that the broker has taken from a client: acknowledged, or a will of a broken connection."""

    heard: set[bytes] = field(default_factory=set)
    """Payloads that parties with the right certificate heard."""

    kept: set[bytes] = field(default_factory=set)
    """Payloads that the broker kept."""

    leaked: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """By certificate and subscription, the topics an attacker heard something on."""


def token(certificate: str, act: str, topic: str) -> bytes:
    return f"{certificate}|{act}|{topic}".encode()


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    folder = tmp_path_factory.mktemp("matrix")
    with claimed_number("port", PORTS, start=len(PORTS) // 2, is_usable=port_is_free) as port:
        broker = SecuredBroker(folder / "pki", port, ROBOTS, devices=[DOOR_1, DOOR_2])
        files = _certificates(broker, folder)
        broker.start()
        try:
            yield _try_everything(broker, files)
        finally:
            broker.stop()


def _certificates(broker: SecuredBroker, folder: Path) -> dict[str, Path | None]:
    """Lay out the files of each attacker, and take back those of r3."""
    authority, now = broker.authority, datetime.now(UTC)
    past = Period(now - timedelta(days=30), now - timedelta(minutes=1))
    foreign = Authority.create(folder / "foreign", name="test", now=lambda: datetime.now(UTC))
    foreign.issue(robot_identity("r1"))
    authority.revoke(robot_identity("r3"))
    broker.write_files()
    made = {
        "none": None,
        "expired": _files(authority, robot_identity("r1"), past, folder / "expired"),
        "revoked": broker.robot_files("r3"),
        "foreign": foreign.folder_of(robot_identity("r1")),
        "server": folder / "server",
        "other robot": broker.robot_files("r2"),
        "other device": authority.folder_of(DOOR_2),
        "observer": authority.folder_of(OBSERVER),
    }
    (folder / "server").mkdir()
    for theirs, ours in (("server.crt", "client.crt"), ("server.key", "client.key"), ("ca.crt", "ca.crt")):
        (folder / "server" / ours).write_bytes((authority.broker_folder / theirs).read_bytes())
    return made


def _files(authority: Authority, identity: Identity, period: Period, folder: Path) -> Path:
    folder.mkdir()
    key = new_key()
    certificate = certificate_for(identity, key.public_key(), signer=authority.signer, period=period)
    (folder / "client.crt").write_bytes(pem_of(certificate))
    (folder / "client.key").write_bytes(pem_of_key(key))
    (folder / "ca.crt").write_bytes(pem_of(authority.signer.certificate))
    return folder


def _try_everything(broker: SecuredBroker, files: dict[str, Path | None]) -> Tried:
    tried = Tried()
    trust = broker.authority.folder / "ca.crt"
    rightful = _Rightful(broker)
    with ThreadPoolExecutor(8) as pool:
        cells = list(product(REFUSED, EXACT))
        tried.refused.update(
            zip(cells, pool.map(lambda cell: _is_refused(broker, files, trust, *cell), cells), strict=True)
        )
    for certificate in OTHERS:
        _attack(broker, certificate, files[certificate], rightful, tried)
    rightful.exchange(b"last")
    tried.heard |= rightful.heard
    rightful.close()
    newcomers = _Rightful(broker)
    newcomers.exchange(b"newcomers")
    tried.kept |= newcomers.kept
    newcomers.close()
    return tried


def _is_refused(
    broker: SecuredBroker, files: dict[str, Path | None], trust: Path, certificate: str, topic: str
) -> bool:
    will = (topic, token(certificate, "will", topic), 1, True)
    party = Party(broker, files[certificate], trust=trust, will=will)
    wait_until(lambda: party.is_refused or party.is_connected, "the broker answers")
    was_refused = party.is_refused
    party.close()
    return was_refused


def _attack(broker: SecuredBroker, certificate: str, files: Path | None, rightful: _Rightful, tried: Tried) -> None:
    party = Party(broker, files).wait_connected()
    for subscription in (*EXACT, *SUSPECT_WILDCARDS):
        party.listen(subscription)
    for act, topic in product(("publish", "retain"), EXACT):
        said = token(certificate, act, topic)
        party.say(topic, said, retain=act == "retain").wait_for_publish(10.0)
        tried.said.add(said)
    rightful.exchange(f"while {certificate} listens".encode())
    party.listen("end")  # answered after everything that went out to it before
    topics = [topic for topic, _, _ in party.heard if not (certificate == "observer" and topic in R1_TOPICS)]
    for subscription in (*EXACT, *SUSPECT_WILDCARDS):
        tried.leaked[certificate, subscription] = [topic for topic in topics if topic_matches_sub(subscription, topic)]
    party.close()
    for topic in EXACT:
        said = token(certificate, "will", topic)
        Party(broker, files, will=(topic, said, 1, True)).wait_connected().break_off()
        tried.said.add(said)


class _Rightful:
    """The service, robot r1 and door d1, each listening to all it may, and to what the broker had kept for it."""

    def __init__(self, broker: SecuredBroker) -> None:
        self.service = Party(broker, broker.service_files).wait_connected().listen("#")
        self.robot = Party(broker, broker.robot_files("r1")).wait_connected().listen("#")
        self.door = Party(broker, broker.authority.folder_of(DOOR_1)).wait_connected().listen("#")

    @property
    def parties(self) -> tuple[Party, ...]:
        return self.service, self.robot, self.door

    @property
    def heard(self) -> set[bytes]:
        return {payload for party in self.parties for _, payload, _ in party.heard}

    @property
    def kept(self) -> set[bytes]:
        return {payload for party in self.parties for _, payload, was_kept in party.heard if was_kept}

    def exchange(self, word: bytes) -> None:
        """Say the word on every topic of r1 and d1, and wait until the right ones have heard it."""
        for kind in FROM_ROBOT:
            self.robot.say(ADDRESS["r1"].topic(kind), word)
        for kind in TO_ROBOT:
            self.service.say(ADDRESS["r1"].topic(kind), word)
        self.door.say(DOOR_STATE, word)
        self.service.say(DOOR_REQUEST, word)
        due = {self.service: [*R1_TOPICS, DOOR_STATE], self.door: [DOOR_REQUEST]}
        due[self.robot] = [ADDRESS["r1"].topic(kind) for kind in TO_ROBOT]
        for party, topics in due.items():
            wait_until(
                lambda party=party, topics=topics: set(topics) <= {t for t, p, _ in party.heard if p == word},
                f"{word!r} is heard on {topics}",
            )

    def close(self) -> None:
        for party in self.parties:
            party.close()


@pytest.mark.parametrize("topic", EXACT)
@pytest.mark.parametrize("certificate", REFUSED)
def test_without_a_certificate_that_counts_nobody_gets_in_whatever_he_is_after(
    tried: Tried, certificate: str, topic: str
) -> None:
    assert tried.refused[certificate, topic]
    assert token(certificate, "will", topic) not in tried.heard | tried.kept


@pytest.mark.parametrize("topic", EXACT)
@pytest.mark.parametrize("act", SAYING)
@pytest.mark.parametrize("certificate", OTHERS)
def test_with_another_s_certificate_nothing_said_is_heard_or_kept(
    tried: Tried, certificate: str, act: str, topic: str
) -> None:
    said = token(certificate, act, topic)
    assert said in tried.said
    assert said not in tried.heard | tried.kept


@pytest.mark.parametrize("subscription", [*EXACT, *SUSPECT_WILDCARDS])
@pytest.mark.parametrize("certificate", OTHERS)
def test_with_another_s_certificate_nothing_is_overheard(tried: Tried, certificate: str, subscription: str) -> None:
    assert tried.leaked[certificate, subscription] == []


@pytest.mark.parametrize("word", [b"last", *(f"while {each} listens".encode() for each in OTHERS)])
def test_with_the_right_certificates_everything_is_heard(tried: Tried, word: bytes) -> None:
    assert word in tried.heard
