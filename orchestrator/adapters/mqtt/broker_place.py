"""Where a broker of our own listens, and the files in its folder by which others find it."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass

from orchestrator.adapters.mqtt.errors import BrokerNotLoopbackError

LOCK_FILE = "broker.lock"
"""Locked by the broker for as long as it lives."""

PLACE_FILE = "broker.json"
"""Where it listens; of a broker that ended, where it last listened."""

LOG_FILE = "broker.log"

PORT_TAKEN_EXIT = 3
FOLDER_TAKEN_EXIT = 4


@dataclass(frozen=True, slots=True)
class BrokerPlace:
    """Where a broker listens and which process it is."""

    host: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        """Address in the form that ``WARDPORTER_MQTT_URL`` has."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt://{host}:{self.port}"

    def to_json(self) -> str:
        """Text of the place file, one line."""
        return json.dumps({"host": self.host, "port": self.port, "pid": self.pid})

    @classmethod
    def from_json(cls, text: str) -> BrokerPlace:
        """Read what ``to_json`` wrote; anything else is a ValueError."""
        try:
            fields = json.loads(text)
            return cls(host=str(fields["host"]), port=int(fields["port"]), pid=int(fields["pid"]))
        except (TypeError, KeyError) as error:
            raise ValueError(f"not the place of a broker: {text[:80]!r}") from error


def refuse_beyond_loopback(host: str) -> None:
    """Refuse an address that other machines reach, because the broker of our own knows no passwords.

    Raises
    ------
    BrokerNotLoopbackError
        ``host`` is not a numeric loopback address.
    """
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise BrokerNotLoopbackError(
            f"The broker of our own listens on a loopback address such as 127.0.0.1 only, not on {host!r}: it knows no "
            "passwords. Run a broker with accounts (Mosquitto) and name it in WARDPORTER_MQTT_URL.",
            detail={"host": host},
        )
