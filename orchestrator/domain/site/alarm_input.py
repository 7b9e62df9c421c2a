"""What the building's alarm inputs say: the fire panel and the crash call."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.site.model import LevelId


class InputKind(StrEnum):
    """Which input it is."""

    PANEL = "panel"
    CALL = "call"


class PanelStatus(StrEnum):
    """What a fire panel reports. FAULT: it cannot tell; TEST: an alarm that is announced as none."""

    NORMAL = "normal"
    ALARM = "alarm"
    TEST = "test"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class PanelReported:
    """A fire panel said something new. ``levels`` are those in alarm; none named means all zones of the panel."""

    panel: str
    status: PanelStatus
    levels: tuple[LevelId, ...] = ()


@dataclass(frozen=True, slots=True)
class CallReported:
    """A crash call (cardiac arrest call) was raised or has ended. ``place`` is what the call system calls it."""

    call: str
    is_active: bool
    level: LevelId | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class InputSilent:
    """An input that was heard before has been silent for longer than it may; nobody knows whether it would tell.

    ``dropped`` says why what it said meanwhile did not count; empty when it said nothing.
    """

    kind: InputKind
    id: str
    dropped: str = ""


@dataclass(frozen=True, slots=True)
class InputGarbled:
    """An input says what cannot be read, and ``why``; nobody knows whether it was an alarm."""

    kind: InputKind
    id: str
    why: str


InputEvent = PanelReported | CallReported | InputSilent | InputGarbled
