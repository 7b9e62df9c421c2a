"""Is this grant for this robot, now? What a robot asks before it unlocks a drawer, in order.

Each refusal is a reason code that stands at the head of the action's result, and a sentence for people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.domain.custody.grant import LIFETIME_MAX_S, Grant, MalformedGrantError, Purpose, grant_of_text

Verify = Callable[[bytes, bytes], bool]
"""Whether a signature (second) is the orchestrator's over some bytes (first)."""


class Refusal(StrEnum):
    """Why a robot does not open."""

    MALFORMED = "malformed"
    SIGNATURE = "signature"
    OTHER_ROBOT = "other_robot"
    NONCE = "nonce"
    EXPIRED = "expired"
    DRAWER = "drawer"
    DELIVERY = "delivery"
    PURPOSE = "purpose"
    MOVING = "moving"
    ELSEWHERE = "elsewhere"
    BUSY = "busy"
    FAULT = "fault"
    LATCH = "latch"

    @property
    def sentence(self) -> str:
        """What it means and what to do."""
        return _SENTENCES[self]


_SENTENCES = {
    Refusal.MALFORMED: "the grant cannot be read; ask for another",
    Refusal.SIGNATURE: "the signature is not that of the orchestrator whose key this robot was given",
    Refusal.OTHER_ROBOT: "the grant is for another robot",
    Refusal.NONCE: "the robot does not show this nonce: it was used, the robot moved or was switched off; ask again",
    Refusal.EXPIRED: "the grant came too late; ask for another",
    Refusal.DRAWER: "this robot has no such drawer",
    Refusal.DELIVERY: "another load lies in the drawer, or none",
    Refusal.PURPOSE: "the drawer cannot be opened for that as it is",
    Refusal.MOVING: "the robot has not stood still for a second, or does not know that it does",
    Refusal.ELSEWHERE: "the robot does not stand at the place that the grant names",
    Refusal.BUSY: "a drawer is open, or not known to be locked; close it first",
    Refusal.FAULT: "a drawer was forced or tampered with; somebody has to see to it at the robot",
    Refusal.LATCH: "the latch did not let go; somebody has to see to it",
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How the robot stands when a grant comes.

    Parameters
    ----------
    is_standing : bool
        Whether it has stood still for as long as is asked for, by fresh data.
    node : str or None
        The node it stands at with nothing left to drive; None between nodes.
    loads : mapping
        Load id by drawer.
    drawers : collection of str
        Its drawers.
    put_in : mapping
        The load that a drawer was opened for to be put in, by drawer, while it is not in ``loads`` yet: it may lie
        there, and come out again before the robot has left.
    occupied : collection of str
        The drawers that something lies in by their sensor.
    """

    is_standing: bool
    node: str | None
    loads: Mapping[str, str]
    drawers: tuple[str, ...]
    put_in: Mapping[str, str] = field(default_factory=dict[str, str])
    occupied: frozenset[str] = frozenset()


def read_grant(
    text: str, signature: bytes, *, verify: Verify, manufacturer: str, serial_number: str
) -> Grant | Refusal:
    """Return a grant that the orchestrator signed for this robot, or why it is none."""
    if not verify(text.encode("utf-8", "surrogatepass"), signature):
        return Refusal.SIGNATURE
    try:
        grant = grant_of_text(text)
    except MalformedGrantError:
        return Refusal.MALFORMED
    if (grant.manufacturer, grant.serial_number) != (manufacturer, serial_number):
        return Refusal.OTHER_ROBOT
    return grant


def refusal_of(grant: Grant, here: Circumstances, *, shown_for_s: float) -> Refusal | None:
    """Return why a grant that names a nonce of ours does not open, None when it does.

    Parameters
    ----------
    grant : Grant
        Signed, and for this robot.
    here : Circumstances
        How the robot stands.
    shown_for_s : float
        How long ago the nonce was shown first, seconds on board.
    """
    if not 0 < grant.lifetime_s <= LIFETIME_MAX_S or shown_for_s > grant.lifetime_s:
        return Refusal.EXPIRED
    if grant.drawer not in here.drawers:
        return Refusal.DRAWER
    return _refusal_by_content(grant, here) or _refusal_by_place(grant, here)


def _refusal_by_content(grant: Grant, here: Circumstances) -> Refusal | None:
    inside = here.loads.get(grant.drawer)
    if grant.purpose is Purpose.LOAD:
        if inside is not None:
            return Refusal.PURPOSE
        return Refusal.DELIVERY if grant.load in here.loads.values() else None
    inside = inside or here.put_in.get(grant.drawer)
    if inside is None:
        # What is there though the robot knows of nothing was left behind: two people look into it where it stands.
        is_left_there = grant.purpose is Purpose.RETRIEVE and grant.drawer in here.occupied
        return None if is_left_there else Refusal.PURPOSE
    return None if inside == grant.load else Refusal.DELIVERY


def _refusal_by_place(grant: Grant, here: Circumstances) -> Refusal | None:
    if (grant.purpose is Purpose.RETRIEVE) != (grant.node == ""):
        return Refusal.PURPOSE
    if not here.is_standing:
        return Refusal.MOVING
    return None if grant.purpose is Purpose.RETRIEVE or grant.node == here.node else Refusal.ELSEWHERE
