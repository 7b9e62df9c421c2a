"""Fire panels and crash calls: each change told once, silence told once, and no all-clear from a capture."""

from __future__ import annotations

from orchestrator.devices.address import DeviceAddress, DeviceKind
from orchestrator.devices.inputs import GARBLED_AGAIN_S, INPUTS_MAX, AlarmInputs
from orchestrator.devices.messages import CallState, PanelState, encode
from orchestrator.domain.site.alarm_input import (
    CallReported,
    InputGarbled,
    InputKind,
    InputSilent,
    PanelReported,
    PanelStatus,
)
from orchestrator.domain.site.model import PANEL_SILENT_AFTER_S, LevelId
from tests.support.device_link import NOON, SITE

PANEL = DeviceAddress(SITE, DeviceKind.PANEL, "panel-1")
CALL = DeviceAddress(SITE, DeviceKind.CALL, "bay-4")


def a_panel(status: PanelStatus, number: int, *levels: str, boot: str = "b1") -> bytes:
    return encode(PanelState(boot=boot, number=number, sent_at=NOON, status=status, levels=levels))


def a_call(*, active: bool, number: int) -> bytes:
    return encode(CallState(boot="b1", number=number, sent_at=NOON, active=active, level="first", place="Bay 4"))


def test_each_change_is_told_once() -> None:
    inputs = AlarmInputs()
    said = [
        inputs.receive(PANEL, a_panel(PanelStatus.NORMAL, 1), at_s=0.0),
        inputs.receive(PANEL, a_panel(PanelStatus.NORMAL, 2), at_s=5.0),
        inputs.receive(PANEL, a_panel(PanelStatus.ALARM, 3, "first"), at_s=6.0),
        inputs.receive(CALL, a_call(active=True, number=1), at_s=7.0),
        inputs.receive(CALL, a_call(active=True, number=2), at_s=8.0),
    ]

    assert said == [
        [PanelReported("panel-1", PanelStatus.NORMAL)],
        [],
        [PanelReported("panel-1", PanelStatus.ALARM, (LevelId("first"),))],
        [CallReported("bay-4", True, LevelId("first"), "Bay 4")],
        [],
    ]


def test_silence_is_told_once_and_so_is_the_return() -> None:
    inputs = AlarmInputs()
    inputs.receive(PANEL, a_panel(PanelStatus.NORMAL, 1), at_s=0.0)
    assert inputs.next_due_s() == PANEL_SILENT_AFTER_S
    assert inputs.due(at_s=PANEL_SILENT_AFTER_S - 0.1) == []
    assert inputs.due(at_s=PANEL_SILENT_AFTER_S) == [InputSilent(InputKind.PANEL, "panel-1")]
    assert inputs.due(at_s=100.0) == []
    assert inputs.next_due_s() is None

    again = inputs.receive(PANEL, a_panel(PanelStatus.NORMAL, 2), at_s=101.0)
    assert again == [PanelReported("panel-1", PanelStatus.NORMAL)]


def test_an_old_all_clear_ends_no_alarm() -> None:
    inputs = AlarmInputs()
    inputs.receive(PANEL, a_panel(PanelStatus.NORMAL, 1), at_s=0.0)
    inputs.receive(PANEL, a_panel(PanelStatus.ALARM, 2), at_s=1.0)

    assert inputs.receive(PANEL, a_panel(PanelStatus.NORMAL, 1), at_s=2.0) == []
    assert inputs.receive(PANEL, a_panel(PanelStatus.NORMAL, 9), at_s=2.0, is_retained=True) == []
    assert inputs.refused == 2


def test_what_cannot_be_read_is_told_now_and_then_and_neither_ends_nor_raises_an_alarm() -> None:
    inputs = AlarmInputs()
    inputs.receive(PANEL, a_panel(PanelStatus.ALARM, 1), at_s=0.0)
    garbled = a_panel(PanelStatus.NORMAL, 2).replace(b'"normal"', b'"ALARM"')

    (told,) = inputs.receive(PANEL, garbled, at_s=1.0)
    assert isinstance(told, InputGarbled)
    assert "status" in told.why
    assert inputs.receive(PANEL, garbled, at_s=2.0) == []
    assert inputs.receive(PANEL, garbled, at_s=2.0, is_retained=True) == []
    assert inputs.receive(PANEL, a_panel(PanelStatus.ALARM, 3), at_s=3.0) == [], "said before"
    assert inputs.receive(PANEL, garbled, at_s=4.0) == [], "one that alternates floods nobody"
    assert len(inputs.receive(PANEL, garbled, at_s=1.0 + GARBLED_AGAIN_S)) == 1
    assert inputs.receive(CALL, garbled, at_s=1.0) == [], "nobody we know of"


def test_silence_says_why_what_was_said_meanwhile_did_not_count() -> None:
    inputs = AlarmInputs()
    for at_s in range(20):
        inputs.receive(PANEL, a_panel(PanelStatus.NORMAL, 7), at_s=float(at_s))

    (silent,) = inputs.due(at_s=PANEL_SILENT_AFTER_S)

    assert isinstance(silent, InputSilent)
    assert "not newer" in silent.dropped


def test_whoever_invents_inputs_without_end_is_not_listened_to() -> None:
    inputs = AlarmInputs()
    for i in range(INPUTS_MAX + 10):
        address = DeviceAddress(SITE, DeviceKind.PANEL, f"panel-{i}")
        inputs.receive(address, a_panel(PanelStatus.NORMAL, 1), at_s=0.0)

    assert inputs.refused == 10
    assert len(inputs.due(at_s=1000.0)) == INPUTS_MAX
