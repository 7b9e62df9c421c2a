"""What keeps a robot, who laid it, and what an operator may do about it: in words and in buttons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from orchestrator.application.views import RobotPicture
from orchestrator.domain.access.acts import Act as PolicyAct
from orchestrator.domain.fleet.hold import Hold, HoldKind
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.site.model import StationId

HOLD_WORDS: Mapping[HoldKind, str] = {
    HoldKind.PAUSED: "paused",
    HoldKind.FENCED_OFF: "fenced off",
    HoldKind.OUT_OF_SERVICE: "out of service",
    HoldKind.STOPPED: "stopped",
    HoldKind.MOVED: "moved off its way",
    HoldKind.UNLOCALISED: "has lost its position",
    HoldKind.FAILED_ACTION: "failed at what it was to do",
    HoldKind.UNRESPONSIVE: "does not respond",
    HoldKind.BATTERY_EMPTY: "battery is empty",
    HoldKind.QUARANTINED: "quarantined",
    HoldKind.REMOVED: "taken off the lanes",
    HoldKind.MISDESCRIBED: "factsheet disagrees",
}


class Act(StrEnum):
    """What an operator may do with a robot on the page, by the last part of its address in the API."""

    PAUSE = "pause"
    RESUME = "resume"
    SEND = "send"
    OUT_OF_SERVICE = "out-of-service"
    IN_SERVICE = "in-service"
    FENCE_OFF = "fence-off"


ACT_WORDS: Mapping[Act, str] = {
    Act.RESUME: "Resume",
    Act.PAUSE: "Pause",
    Act.SEND: "Send home",
    Act.OUT_OF_SERVICE: "Out of service",
    Act.IN_SERVICE: "In service",
    Act.FENCE_OFF: "Fence off",
}
"""What the buttons say, in their order."""

POLICY_ACTS: Mapping[Act, PolicyAct] = {
    Act.PAUSE: PolicyAct.PAUSE_ROBOT,
    Act.RESUME: PolicyAct.RESUME_ROBOT,
    Act.SEND: PolicyAct.SEND_ROBOT,
    Act.OUT_OF_SERVICE: PolicyAct.TAKE_OUT_OF_SERVICE,
    Act.IN_SERVICE: PolicyAct.PUT_IN_SERVICE,
    Act.FENCE_OFF: PolicyAct.FENCE_OFF_ROBOT,
}
"""What the policy calls them."""

MayDo = Callable[[PolicyAct], bool]
"""Whether who looks at the page may do something."""


def anything(_act: PolicyAct) -> bool:
    """Whether somebody may do something who may do everything."""
    return True


def hold_words(record: RobotRecord) -> str:
    """Return what keeps a robot from driving or from work, and who said so; empty when nothing does."""
    return ", ".join(_in_words(hold, record) for hold in record.holds)


def _in_words(hold: Hold, record: RobotRecord) -> str:
    words = HOLD_WORDS[hold.kind]
    return words if hold.by == record.robot else f"{words} by {hold.by}"


def hold_sentences(record: RobotRecord) -> str:
    """Return what has to be done before a robot goes on, by the newest thing that keeps it."""
    kept = [hold for hold in record.holds if hold.kind.keeps_from_driving]
    return kept[-1].reason if kept else ""


def acts_on(picture: RobotPicture, *, home: StationId | None, may_do: MayDo) -> list[Act]:
    """Return what somebody may do with a robot as it is, in the order of the buttons."""
    record = picture.record
    is_paused = bool(picture.report and picture.report.is_paused)
    is_there = {
        Act.RESUME: record.is_kept_from_driving or is_paused or is_lost_for_its_clock(picture),
        Act.PAUSE: not record.is_kept_from_driving,
        Act.SEND: _may_go_home(record, home),
        Act.OUT_OF_SERVICE: not record.is_held_for(HoldKind.OUT_OF_SERVICE),
        Act.IN_SERVICE: record.is_held_for(HoldKind.OUT_OF_SERVICE),
        Act.FENCE_OFF: not record.is_held_for(HoldKind.REMOVED),
    }
    return [act for act, fits in is_there.items() if fits and may_do(POLICY_ACTS[act])]


def is_lost_for_its_clock(picture: RobotPicture) -> bool:
    """Whether a robot is lost though it sends, because its clock was right before and now is not."""
    return picture.is_lost and picture.refused_clock_off_s is not None


def _may_go_home(record: RobotRecord, home: StationId | None) -> bool:
    if home is None or record.trip is not None or record.is_kept_from_driving:
        return False
    return record.target != home or record.sent_to is not None
