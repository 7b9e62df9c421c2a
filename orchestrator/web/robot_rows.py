"""What a robot is doing, in one code for its colour and one sentence for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel

from orchestrator.application.views import RobotPicture
from orchestrator.domain.delivery.model import StopKind, Trip
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import RobotReport
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.site.model import LevelId, Site, StationId
from orchestrator.web.hold_words import Act, MayDo, acts_on, anything, hold_sentences, hold_words, is_lost_for_its_clock
from orchestrator.web.words import AT_STOP_WORDS, in_names, reason_sentence, span_words, station_name


class Doing(StrEnum):
    """What a robot is doing, as the map shows it."""

    DRIVING = "driving"
    WAITING = "waiting"
    WITH_PEOPLE = "loading"
    RESTING = "resting"
    STOPPED = "stopped"
    LOST = "lost"


class RobotRow(BaseModel):
    """One robot as the page lists it.

    ``battery`` is in percent. ``short_words`` stand beside the robot on the map, so that colour is not the only sign.
    ``needs_person`` says that it does not go on by itself, and not because somebody is handling it. ``hold`` says what
    keeps it and who said so, ``acts`` what who looks may do, ``home`` is the id of its resting place.
    ``clock_off_s`` is by how much the clock of a robot is ahead that is lost for it.
    """

    id: str
    doing: Doing
    words: str
    short_words: str
    needs_person: bool
    level: str
    battery: int | None
    target: str
    reason: str
    hold: str
    home: str
    acts: list[Act]
    clock_off_s: float | None


@dataclass(frozen=True, slots=True)
class _Activity:
    doing: Doing
    words: str
    short_words: str = ""
    needs_person: bool = False


STOP_SHORT_WORDS = {
    StopKind.LOAD: "to be loaded",
    StopKind.HAND_OVER: "to be emptied",
    StopKind.TAKE_BACK: "to be emptied",
}


def robot_row(
    picture: RobotPicture,
    *,
    trip: Trip | None,
    site: Site,
    home: StationId | None = None,
    may_do: MayDo = anything,
) -> RobotRow:
    """Return a robot as listed; ``trip`` is the one it is on, ``home`` its resting place."""
    report, target = picture.report, picture.record.target
    pose = report.pose if report else None
    now = _activity(picture, trip, site)
    return RobotRow(
        id=picture.id,
        doing=now.doing,
        words=now.words,
        short_words=now.short_words,
        needs_person=now.needs_person,
        level=_level_name(site, pose.level) if pose else "",
        battery=None if picture.battery is None else round(picture.battery * 100),
        target=station_name(site, target) if target else "",
        reason=_reason(picture, site),
        hold=hold_words(picture.record),
        home=home or "",
        acts=acts_on(picture, home=home, may_do=may_do),
        clock_off_s=picture.refused_clock_off_s if is_lost_for_its_clock(picture) else None,
    )


def _reason(picture: RobotPicture, site: Site) -> str:
    off_s = picture.refused_clock_off_s
    if off_s is not None and is_lost_for_its_clock(picture):
        where = "ahead of" if off_s > 0 else "behind"
        return (
            f"Its clock is {span_words(abs(off_s))} {where} ours and was right before. Set it; or see that it is "
            "this robot which sends, and resume it with its clock as it stands."
        )
    held = hold_sentences(picture.record)
    told = in_names(held, site) if held else reason_sentence(picture.record.waiting, site=site)
    return told or _misdescribed(picture)


def _misdescribed(picture: RobotPicture) -> str:
    """Return what a robot's factsheet says against its configuration, as far as a line has room."""
    if not picture.record.findings:
        return ""
    first, *others = picture.record.findings
    more = f" ({len(others)} more in its factsheet.)" if others else ""
    return f"Its factsheet disagrees with its configuration: {first.sentence}{more}"


def _activity(picture: RobotPicture, trip: Trip | None, site: Site) -> _Activity:
    report = picture.report
    if is_lost_for_its_clock(picture):
        return _Activity(Doing.LOST, "lost: what it sends does not count for its clock", "LOST", needs_person=True)
    if picture.is_lost:
        return _Activity(Doing.LOST, "lost: it has been silent for too long", "LOST", needs_person=True)
    if report is None:
        return _held(picture.record) or _Activity(Doing.STOPPED, "has not reported yet")
    if (stopped := _stopped(report)) is not None:
        return stopped
    if (held := _held(picture.record)) is not None:
        return held
    if report.is_paused:
        return _Activity(Doing.STOPPED, "paused", "paused")
    if trip is not None and trip.has_arrived and trip.stops:
        stop = trip.stops[0]
        words = AT_STOP_WORDS[stop.kind].format(station=station_name(site, stop.station))
        return _Activity(Doing.WITH_PEOPLE, words, STOP_SHORT_WORDS[stop.kind])
    return _under_way(picture, report)


def _held(record: RobotRecord) -> _Activity | None:
    """Return that a person has to let the robot go on, None when nothing keeps it from driving."""
    kept = [hold for hold in record.holds if hold.kind.keeps_from_driving]
    if not kept:
        return None
    by_robot = [hold for hold in kept if hold.by == record.robot]
    return _Activity(Doing.STOPPED, "held until a person resumes it", "HELD", needs_person=bool(by_robot))


def _under_way(picture: RobotPicture, report: RobotReport) -> _Activity:
    if report.is_driving:
        return _Activity(Doing.DRIVING, "drives")
    if picture.record.waiting:
        return _Activity(Doing.WAITING, "waits", "waits")
    if report.is_charging:
        return _Activity(Doing.RESTING, "charges")
    if picture.record.target is not None and not report.is_idle:
        return _Activity(Doing.DRIVING, "stands for a moment on its way")
    is_ready = not picture.record.is_held_for(HoldKind.OUT_OF_SERVICE)
    return _Activity(Doing.RESTING, "rests, ready for work" if is_ready else "rests")


def _stopped(report: RobotReport) -> _Activity | None:
    """Return why the robot may not move at all, None when it may."""
    if report.is_emergency_stopped or report.has_field_violation:
        return _Activity(Doing.STOPPED, "stopped for safety", "STOPPED", needs_person=True)
    fatal = next((fault for fault in report.faults if fault.is_fatal), None)
    if fatal is not None:
        words = f"stopped by a fault: {fatal.description or fatal.kind}"
        return _Activity(Doing.STOPPED, words, "STOPPED", needs_person=True)
    if not report.mode.takes_orders:
        mode = report.mode.value.replace("_", " ")
        return _Activity(Doing.STOPPED, f"in the hands of a person ({mode})", "by hand")
    return None


def _level_name(site: Site, level: LevelId) -> str:
    found = site.levels.get(level)
    return found.name or found.id if found is not None else level
