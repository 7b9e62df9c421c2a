"""Alarm inputs as the orchestrator hears them, sans-I/O: bytes and time in, events out.

What follows from an alarm is the application's business. Here is only what was said, once per change, that an input
says what cannot be read, and that it has gone silent, which is told once too: neither is an all-clear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.devices.address import DeviceAddress, DeviceKind
from orchestrator.devices.messages import CallState, DeviceMessageError, PanelState, decode
from orchestrator.devices.newness import Newness
from orchestrator.domain.site.alarm_input import (
    CallReported,
    InputEvent,
    InputGarbled,
    InputKind,
    InputSilent,
    PanelReported,
)
from orchestrator.domain.site.model import PANEL_SILENT_AFTER_S, LevelId

INPUTS_MAX = 256
"""Inputs kept apart; whoever invents more ids than this is not listened to."""

GARBLED_AGAIN_S = 600.0
"""How long it is before people are told once more that an input says what cannot be read, in seconds."""

Read = Callable[[str, bytes], tuple[str, int, PanelReported | CallReported]]


@dataclass(slots=True)
class _Input:
    newness: Newness = field(default_factory=Newness)
    heard_s: float = 0.0
    silent_after_s: float = PANEL_SILENT_AFTER_S
    said: PanelReported | CallReported | None = None
    is_silent: bool = False
    dropped: str = ""
    garbled_s: float = float("-inf")


class AlarmInputs:
    """All fire panels and crash calls of one site. One thread, no I/O."""

    def __init__(self, *, silent_after_s: float = PANEL_SILENT_AFTER_S) -> None:
        self._silent_after_s = silent_after_s
        self._inputs: dict[tuple[InputKind, str], _Input] = {}
        self.refused = 0

    def expect(self, kind: InputKind, id: str, *, at_s: float, silent_after_s: float) -> None:
        """Count an input as heard now, so that it is silent when it does not speak for ``silent_after_s`` seconds."""
        self._inputs[kind, id] = _Input(heard_s=at_s, silent_after_s=silent_after_s)

    def receive(
        self, address: DeviceAddress, payload: bytes, *, at_s: float, is_retained: bool = False
    ) -> list[InputEvent]:
        """Take in a state of a panel or a call and return what is new; anything else changes nothing.

        That a known input says what cannot be read is told too, now and then: it may have been an alarm.

        Parameters
        ----------
        address : DeviceAddress
            By its topic; the message itself names nobody.
        payload : bytes
            The message.
        at_s : float
            Our monotonic seconds.
        is_retained : bool, optional
            Whether the broker had kept it; such a one does not count.
        """
        if address.kind not in _READ:
            return []
        key = (InputKind(address.kind), address.id)
        known = self._inputs.get(key)
        if known is None and len(self._inputs) >= INPUTS_MAX:
            self.refused += 1
            return []
        found = known or _Input(silent_after_s=self._silent_after_s)
        try:
            boot, number, said = _READ[address.kind](address.id, payload)
        except DeviceMessageError as error:
            self.refused += 1
            return self._garbled(key, error.message, at_s=at_s) if not is_retained else []
        why = found.newness.objection(boot=boot, number=number, is_retained=is_retained)
        if why is not None:
            self.refused += 1
            found.dropped = f"What it said was dropped: {why}."
            return []
        self._inputs[key] = found
        is_news = said != found.said or found.is_silent
        found.heard_s, found.said, found.is_silent, found.dropped = at_s, said, False, ""
        return [said] if is_news else []

    def forget(self, events: Iterable[InputEvent]) -> None:
        """Take events as not told: what an input says next is news again, and so is its silence."""
        for event in events:
            match event:
                case PanelReported(panel=name):
                    self._inputs[InputKind.PANEL, name].said = None
                case CallReported(call=name):
                    self._inputs[InputKind.CALL, name].said = None
                case InputSilent(kind=kind, id=name):
                    self._inputs[kind, name].is_silent = False
                case InputGarbled(kind=kind, id=name):
                    self._inputs[kind, name].garbled_s = float("-inf")

    def _garbled(self, key: tuple[InputKind, str], why: str, *, at_s: float) -> list[InputEvent]:
        found = self._inputs.get(key)
        if found is None:
            return []
        found.dropped = why
        if at_s - found.garbled_s < GARBLED_AGAIN_S:
            return []
        found.garbled_s = at_s
        return [InputGarbled(*key, why)]

    def due(self, *, at_s: float) -> list[InputEvent]:
        """Return which inputs have gone silent by now, each once until it is heard again."""
        events: list[InputEvent] = []
        for (kind, name), known in sorted(self._inputs.items()):
            if not known.is_silent and at_s - known.heard_s >= known.silent_after_s:
                known.is_silent = True
                events.append(InputSilent(kind, name, known.dropped))
        return events

    def next_due_s(self) -> float | None:
        """Return when an input would be silent next, in monotonic seconds; None when none could be."""
        times = (known.heard_s + known.silent_after_s for known in self._inputs.values() if not known.is_silent)
        return min(times, default=None)


def _panel(name: str, payload: bytes) -> tuple[str, int, PanelReported]:
    state = decode(PanelState, payload)
    levels = tuple(LevelId(level) for level in state.levels)
    return state.boot, state.number, PanelReported(name, state.status, levels)


def _call(name: str, payload: bytes) -> tuple[str, int, CallReported]:
    state = decode(CallState, payload)
    level = LevelId(state.level) if state.level is not None else None
    return state.boot, state.number, CallReported(name, state.active, level, state.place)


_READ: Mapping[DeviceKind, Read] = {DeviceKind.PANEL: _panel, DeviceKind.CALL: _call}
