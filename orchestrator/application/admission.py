"""How much of a sender is let in, before anything of it is read: messages and bytes by rate, each message by size.

A sender is a topic without its last level: a robot, or a device. Each has an allowance of its own, so one that floods
uses up nobody else's. A sender that has used up its allowance is muted: we stop listening to it at the broker, where
dropping costs us nothing, and listen again after a while. One that floods again and again as soon as it is heard is to
be quarantined. All of it is bounded by the number of senders.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

MESSAGE_BYTES_MAX = 256 * 1024
SENDERS_MAX = 4096

MUTE_S = 2.0
LONGEST_MUTE_S = 30.0
CONFINED_MUTE_S = 5.0
CALM_S = 60.0
"""Floods farther apart than this, in seconds, are not taken for one."""

FLOODS_MAX = 3
"""A sender is to be quarantined at this flood; the first ones may be a robot that catches up after a dead spot."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a sender may send: on average per second, and at once after it was quiet."""

    messages_per_s: float
    messages_at_once: float
    bytes_per_s: float
    bytes_at_once: float


ORDINARY = Allowance(messages_per_s=20.0, messages_at_once=100.0, bytes_per_s=256e3, bytes_at_once=4e6)
"""Robots send up to 10 states a second of up to some 20 kB, and one at once for every node, action and load.

The costliest messages take 0.3 ms a kB to read, so a second of these bytes is less than a tenth of a second's work.
"""

CONFINED = Allowance(messages_per_s=1.0, messages_at_once=3.0, bytes_per_s=128e3, bytes_at_once=512e3)
"""What is heard of a sender in quarantine: enough to know where it is."""


class Drop(StrEnum):
    """Why a message was dropped unread."""

    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    TOO_MUCH = "too_much"
    MUTED = "muted"
    OVERTAKEN = "overtaken"
    NO_ROOM = "no_room"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a message is let in, and whether its sender is to be muted from now on."""

    drop: Drop | None = None
    mutes: bool = False


@dataclass(slots=True)
class _Sender:
    messages: float
    bytes: float
    at_s: float
    is_confined: bool = False
    muted_until_s: float | None = None
    floods: int = 0
    flood_s: float = field(default=float("-inf"))


class Admission:
    """The allowances of all senders. One thread at a time calls; time is handed in as monotonic seconds."""

    def __init__(self) -> None:
        self._senders: dict[str, _Sender] = {}
        self._flooding: set[str] = set()
        self.dropped: Counter[Drop] = Counter()

    def judge(self, sender: str, size: int, *, at_s: float) -> Verdict:
        """Say what becomes of a message of ``size`` bytes, and charge its sender for it."""
        known = self._senders.get(sender)
        if known is None:
            if len(self._senders) >= SENDERS_MAX:
                return self._dropped(Drop.NO_ROOM)
            known = self._senders[sender] = _Sender(ORDINARY.messages_at_once, ORDINARY.bytes_at_once, at_s)
        if known.muted_until_s is not None:
            return self._dropped(Drop.MUTED)
        _refill(known, at_s)
        known.messages -= 1.0
        known.bytes -= size
        if known.messages < 0.0 or known.bytes < 0.0:
            self._mute(sender, known, at_s)
            return self._dropped(Drop.TOO_MANY if known.messages < 0.0 else Drop.TOO_MUCH, mutes=True)
        return self._dropped(Drop.TOO_LARGE) if size > MESSAGE_BYTES_MAX else Verdict()

    def note_overtaken(self) -> None:
        """Count a message that a newer one of its sender has pushed out."""
        self.dropped[Drop.OVERTAKEN] += 1

    def heard_again(self, *, at_s: float) -> list[str]:
        """Return the senders whose mute is over by now; they are let in again, a little at first."""
        over = [
            s for s, known in self._senders.items() if known.muted_until_s is not None and known.muted_until_s <= at_s
        ]
        for sender in over:
            known = self._senders[sender]
            allowance = _allowance(known)
            known.muted_until_s, known.at_s = None, at_s
            known.messages, known.bytes = allowance.messages_at_once / 10, allowance.bytes_at_once / 10
            known.messages = max(known.messages, CONFINED.messages_at_once)
        return over

    def take_flooding(self) -> frozenset[str]:
        """Return the senders that are to be quarantined, each once."""
        found = frozenset(self._flooding)
        self._flooding.clear()
        return found

    def confine(self, senders: Iterable[str]) -> None:
        """Set who is in quarantine; whoever comes out of it begins anew, with nothing held against it."""
        wanted = set(senders)
        for sender in [s for s, known in self._senders.items() if known.is_confined and s not in wanted]:
            del self._senders[sender]
        for sender in wanted & self._senders.keys():
            self._senders[sender].is_confined = True

    def _mute(self, sender: str, known: _Sender, at_s: float) -> None:
        known.floods = known.floods + 1 if at_s - known.flood_s < CALM_S else 1
        known.flood_s = at_s
        if known.is_confined:
            known.muted_until_s = at_s + CONFINED_MUTE_S
            return
        known.muted_until_s = at_s + min(MUTE_S * 2.0 ** (known.floods - 1), LONGEST_MUTE_S)
        if known.floods >= FLOODS_MAX:
            self._flooding.add(sender)

    def _dropped(self, drop: Drop, *, mutes: bool = False) -> Verdict:
        self.dropped[drop] += 1
        return Verdict(drop, mutes)


def sender_of(topic: str) -> str:
    """Return who speaks on a topic: all of it but the last level."""
    return topic.rpartition("/")[0] or topic


def _allowance(known: _Sender) -> Allowance:
    return CONFINED if known.is_confined else ORDINARY


def _refill(known: _Sender, at_s: float) -> None:
    allowance = _allowance(known)
    passed_s = max(0.0, at_s - known.at_s)
    known.at_s = at_s
    known.messages = min(allowance.messages_at_once, known.messages + passed_s * allowance.messages_per_s)
    known.bytes = min(allowance.bytes_at_once, known.bytes + passed_s * allowance.bytes_per_s)
