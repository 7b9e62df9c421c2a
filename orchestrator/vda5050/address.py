"""A robot's place on the broker: topics to and from its identity.

A topic is ``interface/v2/manufacturer/serial/kind`` (VDA 5050 §6.3); only the last level is fixed by the
specification, the rest is the form it recommends and every robot we know uses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.model import Robot

_LEVEL = re.compile(r"[^/+#$\x00-\x1f\x7f]+")
_INTERFACE = re.compile(r"[^/+#$\x00-\x1f\x7f]+(/[^/+#$\x00-\x1f\x7f]+)*")
_SERIAL = re.compile(r"[A-Za-z0-9_.:-]+")
_VERSION = re.compile(r"(\d+)\.\d+\.\d+")


class AddressError(InvalidInputError):
    """An identity or a topic that cannot be a robot's."""

    code = "robot_address"


class TopicKind(StrEnum):
    """The last level of a topic: what kind of message travels there."""

    ORDER = "order"
    INSTANT_ACTIONS = "instantActions"
    STATE = "state"
    VISUALIZATION = "visualization"
    CONNECTION = "connection"
    FACTSHEET = "factsheet"

    @property
    def qos(self) -> int:
        """MQTT quality of service: 1 for connection, 0 for all else, so that no stale order waits in a queue."""
        return 1 if self is TopicKind.CONNECTION else 0

    @property
    def is_retained(self) -> bool:
        """Whether the broker keeps the last message; never an order or an action."""
        return self in (TopicKind.CONNECTION, TopicKind.FACTSHEET)


FROM_ROBOT = (TopicKind.STATE, TopicKind.CONNECTION, TopicKind.FACTSHEET, TopicKind.VISUALIZATION)
TO_ROBOT = (TopicKind.ORDER, TopicKind.INSTANT_ACTIONS)


@dataclass(frozen=True, slots=True)
class RobotAddress:
    """Who a robot is on the link.

    Raises
    ------
    AddressError
        A part holds a character that MQTT or VDA 5050 does not allow there, or the version is not ``M.m.p``.
    """

    interface_name: str
    manufacturer: str
    serial_number: str
    version: str

    def __post_init__(self) -> None:
        rules = (
            ("interface_name", _INTERFACE, "levels without + # $"),
            ("manufacturer", _LEVEL, "one topic level without / + # $"),
            ("serial_number", _SERIAL, "letters, digits and _ . : -"),
            ("version", _VERSION, "three numbers such as 2.1.0"),
        )
        for name, rule, wanted in rules:
            value = getattr(self, name)
            if not rule.fullmatch(value):
                raise AddressError(
                    f"The robot's {name} {value!r} cannot be used in a topic: expected {wanted}. "
                    "Correct the fleet file.",
                    detail={"field": name, "value": value},
                )

    @property
    def prefix(self) -> str:
        """The topic without its last level."""
        major = self.version.split(".", 1)[0]
        return f"{self.interface_name}/v{major}/{self.manufacturer}/{self.serial_number}"

    def topic(self, kind: TopicKind | str) -> str:
        """Return the topic of messages of ``kind``."""
        return f"{self.prefix}/{TopicKind(kind).value}"

    def owns(self, topic: ParsedTopic) -> bool:
        """Whether ``topic`` is one of this robot's."""
        return self.topic(topic.kind) == topic.text


@dataclass(frozen=True, slots=True)
class ParsedTopic:
    """The parts of a topic. It names no minor version, so it is not yet an address."""

    interface_name: str
    major_version: int
    manufacturer: str
    serial_number: str
    kind: TopicKind

    @property
    def text(self) -> str:
        """The topic as it travels."""
        return f"{self.prefix}/{self.kind.value}"

    @property
    def prefix(self) -> str:
        """The topic without its last level; equal to `RobotAddress.prefix` of the robot it belongs to."""
        return f"{self.interface_name}/v{self.major_version}/{self.manufacturer}/{self.serial_number}"


def address_of_robot(robot: Robot) -> RobotAddress:
    """Return where ``robot`` is found on the broker."""
    return RobotAddress(
        interface_name=robot.interface_name,
        manufacturer=robot.manufacturer,
        serial_number=robot.serial_number,
        version=robot.protocol_version,
    )


def parse_topic(topic: str) -> ParsedTopic:
    """Take a topic apart, from its last level backwards.

    Raises
    ------
    AddressError
        It is not a VDA 5050 topic.
    """
    levels = topic.rsplit("/", 4)
    kinds = {kind.value for kind in TopicKind}
    if len(levels) == 5 and levels[4] in kinds and re.fullmatch(r"v\d{1,4}", levels[1], re.ASCII) and all(levels):
        interface_name, major, manufacturer, serial_number, kind = levels
        return ParsedTopic(interface_name, int(major[1:]), manufacturer, serial_number, TopicKind(kind))
    raise AddressError(
        f"{topic[:200]!r} is not a robot's topic: expected interface/v2/manufacturer/serial/kind.",
        detail={"topic": topic[:200]},
    )
