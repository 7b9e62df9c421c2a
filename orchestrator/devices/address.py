"""A device's place on the broker: ``wardporter/v1/<site>/<kind>/<id>/<channel>``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.errors import InvalidInputError

ROOT = "wardporter"
VERSION = "v1"

_LEVEL = re.compile(r"[^\s/+#\x00-\x1f\x7f]{1,120}")


class DeviceAddressError(InvalidInputError):
    """A site or device id, or a topic, that cannot be a device's."""

    code = "device_address"


class DeviceKind(StrEnum):
    """What stands at the other end."""

    DOOR = "door"
    LIFT = "lift"
    PANEL = "panel"
    CALL = "call"


class Channel(StrEnum):
    """Which way: ``request`` to the device, ``state`` from it."""

    REQUEST = "request"
    STATE = "state"


QOS: dict[tuple[DeviceKind, Channel], int] = {
    (DeviceKind.DOOR, Channel.REQUEST): 0,
    (DeviceKind.DOOR, Channel.STATE): 0,
    (DeviceKind.LIFT, Channel.REQUEST): 0,
    (DeviceKind.LIFT, Channel.STATE): 0,
    (DeviceKind.PANEL, Channel.STATE): 1,
    (DeviceKind.CALL, Channel.STATE): 1,
}
"""MQTT quality of service by kind and channel; nothing is ever retained.

Requests and states of doors and lifts are renewed every few seconds, so a lost one costs seconds; at QoS 1 a client
would queue an "open" while the broker is away and deliver it minutes later. An alarm must not be lost and does no harm
when it comes late or twice, so panels and calls use QoS 1.
"""


@dataclass(frozen=True, slots=True)
class DeviceAddress:
    """Who a device is on the broker.

    Raises
    ------
    DeviceAddressError
        An id holds a blank or a character that MQTT keeps for itself.
    """

    site: str
    kind: DeviceKind
    id: str

    def __post_init__(self) -> None:
        for name, value in (("site", self.site), (str(self.kind), self.id)):
            if not _LEVEL.fullmatch(value):
                raise DeviceAddressError(
                    f"The {name} id {value[:80]!r} cannot be used in a topic: expected up to 120 characters without "
                    "blanks and without / + #. Correct it in the site file.",
                    detail={"id": value[:120]},
                )

    def topic(self, channel: Channel) -> str:
        """Return the topic of one of its channels."""
        return f"{ROOT}/{VERSION}/{self.site}/{self.kind}/{self.id}/{channel}"


def parse_device_topic(topic: str) -> tuple[DeviceAddress, Channel] | None:
    """Return whose topic it is and which channel, or None when it is none of this protocol's."""
    parts = topic.split("/")
    if len(parts) != 6 or parts[:2] != [ROOT, VERSION]:
        return None
    try:
        return DeviceAddress(parts[2], DeviceKind(parts[3]), parts[4]), Channel(parts[5])
    except (ValueError, DeviceAddressError):
        return None
