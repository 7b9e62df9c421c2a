"""Policies: what a place has decided, as opposed to what a robot or a building can do."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.custody.policy import SHIPPED, CustodyPolicy
from orchestrator.domain.dispatch.policy import DispatchPolicy


class VerificationMoment(StrEnum):
    """When a pharmacist's verification of a delivery is recorded."""

    QUEUEING = "queueing"
    SEPARATE = "separate"


class SharingLifts(StrEnum):
    """What a robot does while people are in the cabin of its lift; it never rides with them.

    WAIT: one that is inside stays and keeps the doors open until they are out. NEVER: it drives out again where it can
    and leaves them the lift. One that is outside leaves them the lift either way.
    """

    WAIT = "wait"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Policies:
    """The decisions of one place. Times in seconds, ratios 0 to 1.

    ``verification`` says whether queueing a delivery counts as verifying it. A robot that has waited for
    ``wait_before_priority_s`` for a way to be granted is served before all others. A load that waits for its receiver
    for ``receiver_wait_s`` raises an alarm. ``may_end_fire`` and ``may_end_crash_call`` are the ids of the people who
    may let robots go on after such an alarm; nobody else may, so without any nobody does. A fire panel that has gone
    silent is told to people; with ``silent_panel_holds`` it is taken as an alarm as well.
    ``share_lift`` says what a robot does whose lift people have stepped into, see `SharingLifts`.
    A robot whose clock is off by more than ``clock_skew_max_s`` is told to people.
    ``dispatch`` is what the place decided about late arrivals and runners, see `DispatchPolicy`.
    ``own_devices`` names the devices that one person uses for long, such as a desk in the pharmacy; on every other a
    session ends with one act. Names of roles with hyphens (site-manager) stand for everybody who has them.
    ``custody`` is what the place decided about handling, see `CustodyPolicy`.
    ``ledger_mode`` says whether the custody ledger sees what robots carry, or is the place's register.
    """

    id: str
    verification: VerificationMoment = VerificationMoment.QUEUEING
    wait_before_priority_s: float = 15.0
    receiver_wait_s: float = 600.0
    may_end_fire: tuple[str, ...] = ()
    may_end_crash_call: tuple[str, ...] = ()
    silent_panel_holds: bool = False
    share_lift: SharingLifts = SharingLifts.WAIT
    clock_skew_max_s: float = 60.0
    own_devices: tuple[str, ...] = ()
    ledger_mode: LedgerMode = LedgerMode.TRANSIT_RECORD
    custody: CustodyPolicy = SHIPPED
    dispatch: DispatchPolicy = field(default_factory=DispatchPolicy)
