"""Mosquitto's configuration and access list for one house, as text.

Everybody needs a certificate of our authority, and its common name is user and client id at once
(`orchestrator.adapters.pki.identity`): so nobody speaks for another, and nobody takes over another's connection. The
access list gives each robot its own topics and nothing else; what it does not name is refused, also for wills and
retained messages.

Written for Mosquitto 2.0.11 and newer. A subscription to what one may not read is accepted by Mosquitto and stays
silent; a publication one may not make is accepted and dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from orchestrator.adapters.pki.authority import CA_FILE, REVOCATIONS_FILE, SERVER_CERTIFICATE, SERVER_KEY
from orchestrator.adapters.pki.identity import Identity, IdentityKind
from orchestrator.devices.address import ROOT, VERSION, Channel, DeviceAddress, DeviceKind
from orchestrator.domain.fleet.model import Robot
from orchestrator.vda5050.address import FROM_ROBOT, TO_ROBOT, address_of_robot
from orchestrator.vda5050.guard import PAYLOAD_BYTES_MAX

CONFIG_FILE = "mosquitto.conf"
ACL_FILE = "acl"
PID_FILE = "mosquitto.pid"
PORT = 8883

PACKET_BYTES_MAX = PAYLOAD_BYTES_MAX + 16 * 1024
KEEPALIVE_MAX_S = 300
CONNECTIONS_MAX = 1000
QUEUED_MAX = 200
QUEUED_BYTES_MAX = 8 * 1024 * 1024

GATEWAY = "gateway"
"""Kind of a device that speaks for all others."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where the broker listens, and where its files lie **on its own machine**."""

    folder: PurePath
    host: str
    port: int
    user: str | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """What one party may write and read: topics, which may hold wildcards."""

    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


def configuration_text(listener: Listener) -> str:
    """Return ``mosquitto.conf``."""
    at = listener.folder
    lines = [
        "# Made by `wardporter pki mosquitto`; make it again rather than editing it.",
        f"listener {listener.port} {listener.host}",
        *([f"user {listener.user}"] if listener.user else []),
        f"pid_file {at / PID_FILE}",
        "",
        "# Who: a certificate of our own authority. Its common name is user name and client id.",
        f"cafile {at / CA_FILE}",
        f"certfile {at / SERVER_CERTIFICATE}",
        f"keyfile {at / SERVER_KEY}",
        f"crlfile {at / REVOCATIONS_FILE}",
        "tls_version tlsv1.2",
        "require_certificate true",
        "use_identity_as_username true",
        "use_username_as_clientid true",
        "allow_anonymous false",
        "",
        "# What: nothing but what the list names.",
        f"acl_file {at / ACL_FILE}",
        "",
        "# How much.",
        f"max_packet_size {PACKET_BYTES_MAX}",
        f"max_keepalive {KEEPALIVE_MAX_S}",
        f"max_connections {CONNECTIONS_MAX}",
        "max_inflight_messages 20",
        f"max_queued_messages {QUEUED_MAX}",
        f"max_queued_bytes {QUEUED_BYTES_MAX}",
        "persistent_client_expiration 1h",
        "",
        "# The broker keeps nothing that anybody relies on.",
        "persistence false",
        "set_tcp_nodelay true",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "connection_messages true",
    ]
    return "\n".join(lines) + "\n"


def access_of_robots(robots: Iterable[Robot]) -> dict[Identity, Access]:
    """Return what each robot may: say its own, hear what is said to it."""
    found: dict[Identity, Access] = {}
    for robot in robots:
        address = address_of_robot(robot)
        found[Identity(IdentityKind.ROBOT, robot.id)] = Access(
            writes=tuple(address.topic(kind) for kind in FROM_ROBOT),
            reads=tuple(address.topic(kind) for kind in TO_ROBOT),
        )
    return found


def access_of_service(robots: Iterable[Robot], *, site: str) -> Access:
    """Return what the service may: order robots and devices, and hear them.

    It reads what goes to robots too, so that it sees orders that the broker kept or that others sent.
    """
    addresses = [address_of_robot(robot) for robot in robots]
    to_robots = tuple(address.topic(kind) for address in addresses for kind in TO_ROBOT)
    from_robots = tuple(address.topic(kind) for address in addresses for kind in FROM_ROBOT)
    every_device = _every_device(site)
    return Access(
        writes=(*to_robots, f"{every_device}/{Channel.REQUEST}"),
        reads=(*to_robots, *from_robots, f"{every_device}/{Channel.STATE}"),
    )


def access_of_device(device: Identity, *, site: str) -> Access:
    """Return what a door, a lift, a fire panel or a call button may: say its state, hear what is asked of it.

    A gateway, such as a building management system, speaks for all devices of the site.
    """
    kind, _, name = device.name.partition(".")
    if kind == GATEWAY:
        every_device = _every_device(site)
        return Access(writes=(f"{every_device}/{Channel.STATE}",), reads=(f"{every_device}/{Channel.REQUEST}",))
    address = DeviceAddress(site, DeviceKind(kind), name)
    return Access(writes=(address.topic(Channel.STATE),), reads=(address.topic(Channel.REQUEST),))


def access_of_observer(robots: Iterable[Robot]) -> Access:
    """Return what somebody may who only looks: everything robots say and hear."""
    addresses = [address_of_robot(robot) for robot in robots]
    return Access(reads=tuple(address.topic(kind) for address in addresses for kind in (*FROM_ROBOT, *TO_ROBOT)))


def acl_text(access: Mapping[Identity, Access]) -> str:
    """Return the access list of those that may speak at all; whoever is not named may do nothing."""
    return "\n".join(_acl_lines(access)) + "\n"


def _every_device(site: str) -> str:
    return f"{ROOT}/{VERSION}/{site}/+/+"


def _acl_lines(access: Mapping[Identity, Access]) -> Iterator[str]:
    yield "# Made by `wardporter pki mosquitto` from the fleet file and the register of certificates."
    for identity in sorted(access, key=lambda each: each.common_name):
        allowed = access[identity]
        yield ""
        yield f"user {identity.common_name}"
        both = [topic for topic in allowed.writes if topic in allowed.reads]
        yield from (f"topic readwrite {topic}" for topic in both)
        yield from (f"topic write {topic}" for topic in allowed.writes if topic not in both)
        yield from (f"topic read {topic}" for topic in allowed.reads if topic not in both)
