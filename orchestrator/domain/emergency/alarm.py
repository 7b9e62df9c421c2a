"""An alarm: what sounds where, since when and by whose word, and who let robots go on afterwards.

An alarm stands until a person with the right to do so lets robots go on. That the panel is quiet again is not enough:
a panel is reset to find out whether it sounds again, and while people search the building nobody wants robots about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from orchestrator.domain.errors import ConflictError, NotFoundError, WardporterError
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import Site, ZoneId, ZoneKind

AlarmId = NewType("AlarmId", str)


class AlarmKind(StrEnum):
    """What the alarm is for."""

    FIRE = "fire"
    CRASH_CALL = "crash_call"

    @property
    def code(self) -> str:
        """The code of the reason that robots and deliveries give for waiting."""
        return f"{self.value}_alarm" if self is AlarmKind.FIRE else self.value


ZONES_OF_KIND: Mapping[AlarmKind, ZoneKind] = {
    AlarmKind.FIRE: ZoneKind.FIRE_COMPARTMENT,
    AlarmKind.CRASH_CALL: ZoneKind.CRASH_AREA,
}
"""Which zones an alarm of a kind may name."""

CODES = frozenset(kind.code for kind in AlarmKind)
"""The codes of all reasons that come from alarms."""


class AlarmState(StrEnum):
    """How far an alarm is."""

    SOUNDING = "sounding"
    CLEARED = "cleared"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm, from the first word of it until robots were let go on.

    Parameters
    ----------
    id : AlarmId
        Ours.
    kind : AlarmKind
        What for.
    zones : tuple of ZoneId
        Where, as far as that was said: fire compartments or crash areas; a fire alarm without any is for all the site.
    source : str
        Who says so: ``panel:ID``, or ``api`` for a person.
    raised_at, raised_by, reason
        When, by which principal or panel, and in which words.
    cleared_at, cleared_by
        When and by whom it was said to be over; None while it sounds.
    ended_at, ended_by, ended_because
        When and by which person robots were let go on, and why.
    """

    id: AlarmId
    kind: AlarmKind
    zones: tuple[ZoneId, ...]
    source: str
    raised_at: datetime
    raised_by: str
    reason: str
    cleared_at: datetime | None = None
    cleared_by: str | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_because: str | None = None

    @property
    def state(self) -> AlarmState:
        """How far it is."""
        if self.ended_at is not None:
            return AlarmState.ENDED
        return AlarmState.SOUNDING if self.cleared_at is None else AlarmState.CLEARED

    @property
    def is_standing(self) -> bool:
        """Whether robots are held by it."""
        return self.state is not AlarmState.ENDED

    def reason_for(self, site: Site) -> Reason:
        """Return why robots and deliveries wait, with what people have to do."""
        what = "Fire alarm" if self.kind is AlarmKind.FIRE else "Crash call"
        where = ", ".join(dict.fromkeys(site.zones[zone].called for zone in self.zones if zone in site.zones))
        then = (
            "it sounds still"
            if self.state is AlarmState.SOUNDING
            else "it is over; a person who may do so has to let robots go on"
        )
        return Reason(self.kind.code, f"{what}{f' in {where}' if where else ''}: {then}.")


class UnknownAlarmError(NotFoundError):
    """No alarm has this id."""

    code = "alarm_unknown"


class AlarmStateError(ConflictError):
    """The alarm is not in a state in which this can be done."""

    code = "alarm_state"


class NotAuthorisedError(WardporterError):
    """Who acts is known, and may not do this."""

    code = "not_authorised"
