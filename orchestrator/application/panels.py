"""What fire panels and crash calls say, written into the books as alarms.

Only panels of the site file count. Silence, and what cannot be read, is no alarm and no all-clear: it is told, and
where the place has decided so a silent fire panel holds robots as an alarm would. A panel that the site has not heard
since the start is silent too.
"""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.application.alarms import clear_alarm, raise_alarm, source_of
from orchestrator.application.turn import Turn
from orchestrator.devices.address import Channel, DeviceAddress, DeviceKind, parse_device_topic
from orchestrator.devices.inputs import AlarmInputs
from orchestrator.domain.emergency.alarm import AlarmKind, AlarmState
from orchestrator.domain.reason import REASON_LENGTH_MAX
from orchestrator.domain.site.alarm_input import (
    CallReported,
    InputEvent,
    InputGarbled,
    InputKind,
    InputSilent,
    PanelReported,
    PanelStatus,
)
from orchestrator.domain.site.model import LevelId, Panel, PanelId, PanelKind, Site, ZoneId

ALARM = "alarm"

KIND_OF_PANEL = {PanelKind.FIRE: AlarmKind.FIRE, PanelKind.CRASH_CALL: AlarmKind.CRASH_CALL}
INPUT_OF_PANEL = {PanelKind.FIRE: InputKind.PANEL, PanelKind.CRASH_CALL: InputKind.CALL}


class Panels:
    """The panels of one site.

    Parameters
    ----------
    site : Site
        Its panels and their zones.
    silent_panel_holds : bool
        Whether a silent fire panel is taken as an alarm.
    """

    def __init__(self, site: Site, *, silent_panel_holds: bool = False) -> None:
        self._site = site
        self._holds = silent_panel_holds
        self._inputs = AlarmInputs()

    def start(self, *, at_s: float) -> None:
        """Expect every panel of the site to speak from now on."""
        self._inputs = AlarmInputs()
        for panel in self._site.panels.values():
            self._inputs.expect(INPUT_OF_PANEL[panel.kind], panel.id, at_s=at_s, silent_after_s=panel.silent_after_s)

    def subscriptions(self) -> list[str]:
        """Return the topics that the panels talk on."""
        kinds = {PanelKind.FIRE: DeviceKind.PANEL, PanelKind.CRASH_CALL: DeviceKind.CALL}
        return [
            DeviceAddress(self._site.id, kinds[panel.kind], panel.id).topic(Channel.STATE)
            for panel in self._site.panels.values()
        ]

    def receive(self, topic: str, payload: bytes, *, at_s: float, is_retained: bool) -> list[InputEvent] | None:
        """Return what a message brings; None when it is no panel's of this site."""
        parsed = parse_device_topic(topic)
        if parsed is None or parsed[1] is not Channel.STATE or parsed[0].site != self._site.id:
            return None
        address = parsed[0]
        panel = self._site.panels.get(PanelId(address.id))
        if panel is None or INPUT_OF_PANEL[panel.kind].value != address.kind.value:
            return None
        return self._inputs.receive(address, payload, at_s=at_s, is_retained=is_retained)

    def due(self, *, at_s: float) -> list[InputEvent]:
        """Return which panels have gone silent by now."""
        return self._inputs.due(at_s=at_s)

    def forget(self, events: Iterable[InputEvent]) -> None:
        """Take events as not heard, because the books could not be written: they are news when they are said again."""
        self._inputs.forget(events)

    def next_due_s(self) -> float | None:
        """Return when a panel would be silent next, in monotonic seconds."""
        return self._inputs.next_due_s()

    def hear(self, turn: Turn, event: InputEvent) -> None:
        """Write what a panel said, or its silence, into the books."""
        match event:
            case PanelReported(panel=id, status=status, levels=levels):
                self._hear_panel(turn, self._site.panels[PanelId(id)], status, levels)
            case CallReported(call=id, is_active=is_active, level=level, place=place):
                panel = self._site.panels[PanelId(id)]
                if is_active:
                    zones = self._zones_on(panel, () if level is None else (level,))
                    self._raise(turn, panel, zones, _sayable(place) or f"{panel.called} calls.")
                else:
                    self._clear(turn, panel)
            case InputGarbled(id=id, why=why):
                called = self._site.panels[PanelId(id)].called
                sentence = f"{called} says what cannot be read, and it may be an alarm. {why} Go and look at it."
                turn.tell(ALARM, id, {"code": "panel_garbled", "sentence": sentence})
            case InputSilent(id=id, dropped=dropped):
                self._silent(turn, self._site.panels[PanelId(id)], dropped)

    def _hear_panel(self, turn: Turn, panel: Panel, status: PanelStatus, levels: tuple[LevelId, ...]) -> None:
        if status is PanelStatus.ALARM:
            self._raise(turn, panel, self._zones_on(panel, levels), f"{panel.called} reports a fire.")
        elif status is PanelStatus.NORMAL:
            self._clear(turn, panel)
        else:
            told = "is under test; robots heed no alarm of it" if status is PanelStatus.TEST else "reports a fault"
            sentence = f"{panel.called} {told}. See to it."
            turn.tell(ALARM, panel.id, {"code": f"panel_{status.value}", "sentence": sentence})

    def _zones_on(self, panel: Panel, levels: tuple[LevelId, ...]) -> tuple[ZoneId, ...]:
        """Return the zones of a panel on these levels; all where it names none, or one that it has no zone on."""
        covered = {self._site.zones[zone].level for zone in panel.zones}
        if not levels or not covered.issuperset(levels):
            return panel.zones
        return tuple(zone for zone in panel.zones if self._site.zones[zone].level in levels)

    def _silent(self, turn: Turn, panel: Panel, dropped: str) -> None:
        what = f"has said nothing that counts for a while: {dropped}" if dropped else "is silent."
        sentence = f"{panel.called} {what} Nobody knows whether it would tell of an alarm. See to it."
        turn.tell(ALARM, panel.id, {"code": "panel_silent", "sentence": sentence})
        if self._holds and panel.kind is PanelKind.FIRE:
            self._raise(turn, panel, panel.zones, sentence)

    def _raise(self, turn: Turn, panel: Panel, zones: tuple[ZoneId, ...], reason: str) -> None:
        raise_alarm(
            turn.uow,
            site=self._site,
            kind=KIND_OF_PANEL[panel.kind],
            zones=zones,
            reason=_sayable(reason),
            at=turn.at,
            by=panel.id,
            ids=turn.ids,
            source=source_of(panel.id),
        )

    def _clear(self, turn: Turn, panel: Panel) -> None:
        for alarm in turn.uow.alarms.standing():
            if alarm.source == source_of(panel.id) and alarm.state is AlarmState.SOUNDING:
                clear_alarm(turn.uow, site=self._site, alarm=alarm.id, at=turn.at, by=panel.id, source=alarm.source)


def _sayable(words: str) -> str:
    """Return a device's words as a reason may be; an alarm counts, however its system writes of the place."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())[:REASON_LENGTH_MAX]
