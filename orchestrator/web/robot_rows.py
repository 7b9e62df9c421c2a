"""What a robot is doing, in one code for its colour and one sentence for people."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel

from orchestrator.application.views import RobotPicture
from orchestrator.domain.delivery.model import Trip
from orchestrator.domain.fleet.model import RobotReport
from orchestrator.domain.site.model import Site, StationId
from orchestrator.web.words import AT_STOP_WORDS, reason_sentence


class Doing(StrEnum):
    """What a robot is doing, as the map shows it."""

    DRIVING = "driving"
    WAITING = "waiting"
    WITH_PEOPLE = "loading"
    RESTING = "resting"
    STOPPED = "stopped"
    LOST = "lost"


class RobotRow(BaseModel):
    """One robot as the page lists it; ``battery`` is in percent."""

    id: str
    doing: Doing
    words: str
    short_words: str
    level: str
    battery: int | None
    target: str
    reason: str


SHORT_WORDS = {
    Doing.DRIVING: "",
    Doing.WAITING: "waits",
    Doing.WITH_PEOPLE: "with people",
    Doing.RESTING: "",
    Doing.STOPPED: "stopped",
    Doing.LOST: "LOST",
}
"""What stands beside a robot on the map, where the colour alone would not say it."""


def robot_row(picture: RobotPicture, *, trip: Trip | None, site: Site) -> RobotRow:
    """Return a robot as listed; ``trip`` is the one it is on."""
    doing, words = _doing(picture, trip, site)
    report = picture.report
    target = picture.record.target
    pose = report.pose if report else None
    return RobotRow(
        id=picture.id,
        doing=doing,
        words=words,
        short_words=SHORT_WORDS[doing],
        level=_level_name(site, pose.level) if pose and pose.level in site.levels else "",
        battery=None if picture.battery is None else round(picture.battery * 100),
        target=_name(site, target) if target else "",
        reason=reason_sentence(picture.record.waiting),
    )


def _doing(picture: RobotPicture, trip: Trip | None, site: Site) -> tuple[Doing, str]:
    report = picture.report
    if picture.is_lost:
        return Doing.LOST, "lost: it has been silent for too long"
    if report is None:
        return Doing.STOPPED, "has not reported yet"
    if (stopped := _stopped(report)) is not None:
        return Doing.STOPPED, stopped
    if trip is not None and trip.has_arrived and trip.stops:
        stop = trip.stops[0]
        return Doing.WITH_PEOPLE, AT_STOP_WORDS[stop.kind].format(station=_name(site, stop.station))
    return _under_way(picture, report)


def _under_way(picture: RobotPicture, report: RobotReport) -> tuple[Doing, str]:
    if report.is_driving:
        return Doing.DRIVING, "drives"
    if picture.record.waiting:
        return Doing.WAITING, "waits"
    if report.is_charging:
        return Doing.RESTING, "charges"
    if picture.record.target is not None and not report.is_idle:
        return Doing.WAITING, "stands, about to drive"
    return Doing.RESTING, "rests, ready for work"


def _stopped(report: RobotReport) -> str | None:
    """Return why the robot may not move at all, None when it may."""
    if report.is_emergency_stopped or report.has_field_violation:
        return "stopped for safety"
    fatal = next((fault for fault in report.faults if fault.is_fatal), None)
    if fatal is not None:
        return f"stopped by a fault: {fatal.description or fatal.kind}"
    if not report.mode.takes_orders:
        return f"in the hands of a person ({report.mode.value.replace('_', ' ')})"
    return "paused" if report.is_paused else None


def _name(site: Site, station: StationId) -> str:
    found = site.stations.get(station)
    return found.name or found.id if found is not None else station


def _level_name(site: Site, level: str) -> str:
    return next((found.name or found.id for found in site.levels.values() if found.id == level), level)
