"""Headers of outgoing messages, numbered per topic."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

from orchestrator.vda5050.address import RobotAddress, TopicKind
from orchestrator.vda5050.wire import HEADER_ID_MAX


class Header(TypedDict):
    """The header fields of one message, to be unpacked into it."""

    header_id: int
    timestamp: datetime
    version: str
    manufacturer: str
    serial_number: str


class HeaderCounter:
    """The header ids of one sender, one run per topic, each wrapping after 2³² - 1.

    Parameters
    ----------
    next_ids : mapping, optional
        The next id of each kind, kept from an earlier run; kinds not named start at 0.
    """

    def __init__(self, next_ids: Mapping[TopicKind, int] | None = None) -> None:
        self._next_ids: dict[TopicKind, int] = dict(next_ids or {})

    @property
    def next_ids(self) -> Mapping[TopicKind, int]:
        """The next id of each kind used so far."""
        return dict(self._next_ids)

    def take(self, kind: TopicKind) -> int:
        """Return the id for the next message of ``kind`` and count on."""
        taken = self._next_ids.get(kind, 0)
        self._next_ids[kind] = 0 if taken == HEADER_ID_MAX else taken + 1
        return taken

    def stamp(self, kind: TopicKind, *, address: RobotAddress, now: datetime) -> Header:
        """Return the header of the next message of ``kind`` to or from the robot at ``address``."""
        return Header(
            header_id=self.take(kind),
            timestamp=now,
            version=address.version,
            manufacturer=address.manufacturer,
            serial_number=address.serial_number,
        )
