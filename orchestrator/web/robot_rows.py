"""What a robot is doing, in one code for its colour and one sentence for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel

from orchestrator.application.views import RobotPicture
from orchestrator.domain.delivery.model import StopKind, Trip
from orchestrator.domain.fleet.model import RobotReport
from orchestrator.domain.site.model import LevelId, Site
from orchestrator.web.words import AT_STOP_WORDS, reason_sentence, station_name


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
    ``needs_person`` says that it does not go on by itself, and not because somebody is handling it.
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


def robot_row(picture: RobotPicture, *, trip: Trip | None, site: Site) -> RobotRow:
    """Return a robot as listed; ``trip`` is the one it is on."""
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
        reason=reason_sentence(picture.record.waiting, site=site),
    )


def _activity(picture: RobotPicture, trip: Trip | None, site: Site) -> _Activity:
    report = picture.report
    if picture.is_lost:
        return _Activity(Doing.LOST, "lost: it has been silent for too long", "LOST", needs_person=True)
    if report is None:
        return _Activity(Doing.STOPPED, "has not reported yet")
    if (stopped := _stopped(report)) is not None:
        return stopped
    if trip is not None and trip.has_arrived and trip.stops:
        stop = trip.stops[0]
        words = AT_STOP_WORDS[stop.kind].format(station=station_name(site, stop.station))
        return _Activity(Doing.WITH_PEOPLE, words, STOP_SHORT_WORDS[stop.kind])
    return _under_way(picture, report)


def _under_way(picture: RobotPicture, report: RobotReport) -> _Activity:
    if report.is_driving:
        return _Activity(Doing.DRIVING, "drives")
    if picture.record.waiting:
        return _Activity(Doing.WAITING, "waits", "waits")
    if report.is_charging:
        return _Activity(Doing.RESTING, "charges")
    if picture.record.target is not None and not report.is_idle:
        return _Activity(Doing.DRIVING, "stands for a moment on its way")
    return _Activity(Doing.RESTING, "rests, ready for work")


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
    return _Activity(Doing.STOPPED, "paused", "paused") if report.is_paused else None


def _level_name(site: Site, level: LevelId) -> str:
    found = site.levels.get(level)
    return found.name or found.id if found is not None else level
