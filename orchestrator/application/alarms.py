"""Alarms on the books: raised by a panel or a person, over by the same word, ended by a person who may end them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.domain.emergency.alarm import (
    ZONES_OF_KIND,
    Alarm,
    AlarmId,
    AlarmKind,
    AlarmState,
    AlarmStateError,
    NotAuthorisedError,
)
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.reason import require_said
from orchestrator.domain.site.model import PanelId, Site, ZoneId

ALARM_CHANGED = "emergency_changed"
API = "api"


def raise_alarm(
    uow: UnitOfWork,
    *,
    site: Site,
    kind: AlarmKind,
    zones: Sequence[ZoneId],
    reason: str,
    at: datetime,
    by: str,
    ids: Ids,
    source: str = API,
) -> Alarm:
    """Put an alarm on the books; from the next turn on robots heed it.

    One of this kind and source that stands already is the same alarm: it sounds again, for more zones if new ones are
    named, and in the new words if it was over.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    site : Site
        Whose zones are named.
    kind : AlarmKind
        Fire or crash call.
    zones : sequence of ZoneId
        Where: fire compartments or crash areas. A fire alarm may leave them out: then it is for the whole site.
    reason : str
        In the words of who raises it.
    at : datetime
        Now; aware.
    by : str
        Id of the principal or panel.
    ids : Ids
        Where a new id comes from.
    source : str
        ``api``, or ``panel:ID``.

    Raises
    ------
    InvalidInputError
        A zone is none of this kind, a crash call names none, or the reason says nothing.
    """
    require_said(reason, act="The alarm")
    _require_zones(site, kind, zones)
    named = tuple(dict.fromkeys(zones))
    for known in uow.alarms.standing():
        if known.kind is kind and known.source == source and _is_same_place(known, named, source):
            return _sound_again(uow, known, named, reason, at=at)
    alarm = Alarm(AlarmId(ids.new("alarm")), kind, named, source, raised_at=at, raised_by=by, reason=reason)
    uow.alarms.add(alarm)
    _tell(uow, alarm, at=at, by=by)
    return alarm


def clear_alarm(
    uow: UnitOfWork,
    *,
    site: Site,
    alarm: AlarmId,
    at: datetime,
    by: str,
    source: str = API,
    reason: str | None = None,
) -> Alarm:
    """Say that an alarm is over; robots stay held until `end_alarm`. Saying so again changes nothing.

    Parameters
    ----------
    reason : str, optional
        In the words of the person who says so; a panel gives none.

    Raises
    ------
    UnknownAlarmError, InvalidInputError
        There is no such alarm, or the reason says nothing.
    AlarmStateError
        It comes from a panel of the site, which alone can say that it is over.
    """
    known = uow.alarms.get(alarm)
    if reason is not None:
        require_said(reason, act="The all-clear")
    if known.source != source and not _is_left_to_people(known, site):
        raise AlarmStateError(
            f"The all-clear was refused: alarm {alarm} comes from {known.source}; expected the word of whoever raised "
            "it. Reset it there; where that panel is no more, take it out of the site file first.",
            detail={"alarm": alarm, "source": known.source},
        )
    if known.state is not AlarmState.SOUNDING:
        return known
    cleared = replace(known, cleared_at=at, cleared_by=by)
    uow.alarms.save(cleared)
    _tell(uow, cleared, at=at, by=by, because=reason)
    return cleared


def end_alarm(
    uow: UnitOfWork,
    *,
    site: Site,
    alarm: AlarmId,
    reason: str,
    at: datetime,
    by: str,
    authorised: Mapping[AlarmKind, Collection[str]],
) -> Alarm:
    """Let robots go on after an alarm that is over; doing so again changes nothing.

    Parameters
    ----------
    site : Site
        Whose panels there are; an alarm of one that is no more is reset here.
    authorised : mapping
        Who may do so, by kind of alarm; nobody else may.

    Raises
    ------
    UnknownAlarmError, InvalidInputError
        There is no such alarm, or the reason says nothing.
    NotAuthorisedError
        The policy of the place does not name who acts.
    AlarmStateError
        It sounds still.
    """
    known = uow.alarms.get(alarm)
    require_said(reason, act="The resumption")
    may = authorised.get(known.kind, ())
    if by not in may:
        raise NotAuthorisedError(
            f"The resumption was refused: {by} is not among those who may let robots go on after this kind of alarm; "
            "expected a person whom the policy file names. Ask one of them.",
            detail={"alarm": alarm, "kind": known.kind.value},
        )
    if known.state is AlarmState.SOUNDING:
        raise AlarmStateError(
            f"The resumption was refused: alarm {alarm} sounds still; expected it to be over first. Reset "
            f"{'it here' if _is_left_to_people(known, site) else known.source}, then let robots go on.",
            detail={"alarm": alarm, "source": known.source},
        )
    if known.state is AlarmState.ENDED:
        return known
    ended = replace(known, ended_at=at, ended_by=by, ended_because=reason)
    uow.alarms.save(ended)
    _tell(uow, ended, at=at, by=by, because=reason)
    return ended


def source_of(panel: PanelId) -> str:
    """Return what an alarm that a panel raised names as its source."""
    return f"panel:{panel}"


def _is_left_to_people(known: Alarm, site: Site) -> bool:
    """Whether a person says that an alarm is over: one raised here, or by a panel that the site has no more."""
    return known.source not in {source_of(panel) for panel in site.panels}


def _is_same_place(known: Alarm, zones: Sequence[ZoneId], source: str) -> bool:
    """Whether a new word is of this alarm: a panel has one at a time, people name the place."""
    return source != API or set(known.zones) == set(zones)


def _sound_again(uow: UnitOfWork, known: Alarm, zones: Sequence[ZoneId], reason: str, *, at: datetime) -> Alarm:
    # An alarm for the whole site names no zone and does not shrink; else it spreads to those named now.
    spread = tuple(dict.fromkeys((*known.zones, *zones))) if known.zones and zones else ()
    words = known.reason if known.state is AlarmState.SOUNDING else reason
    again = replace(known, zones=spread, reason=words, cleared_at=None, cleared_by=None)
    if again != known:
        uow.alarms.save(again)
        _tell(uow, again, at=at, by=known.raised_by)
    return again


def _require_zones(site: Site, kind: AlarmKind, zones: Sequence[ZoneId]) -> None:
    wanted = ZONES_OF_KIND[kind]
    known = [zone.id for zone in site.zones.values() if zone.kind is wanted]
    wrong = [zone for zone in zones if zone not in known]
    if not wrong and (zones or kind is AlarmKind.FIRE):
        return
    named = f"zone {wrong[0]!r} is none of kind {wanted.value}" if wrong else "it names no zone"
    raise InvalidInputError(
        f"The alarm was refused: {named}; expected some of: {', '.join(known) or 'there are none on this site'}. "
        "Correct the zones.",
        detail={"field": "zones", "known": known},
    )


def _tell(uow: UnitOfWork, alarm: Alarm, *, at: datetime, by: str, because: str | None = None) -> None:
    data: dict[str, object] = {
        "kind": alarm.kind.value,
        "state": alarm.state.value,
        "zones": list(alarm.zones),
        "source": alarm.source,
        "by": by,
    }
    if because is not None:
        data["because"] = because
    uow.events.append(at=at, kind=ALARM_CHANGED, subject=alarm.id, data=data)
