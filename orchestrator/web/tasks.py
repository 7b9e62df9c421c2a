"""What waits for a person: robots that stand at a stop, and what does not go on by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from orchestrator.application.report_incident import told_of
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, StopKind, Trip
from orchestrator.domain.emergency.alarm import Alarm, AlarmKind, AlarmState
from orchestrator.domain.site.model import Site
from orchestrator.web.robot_rows import RobotRow
from orchestrator.web.words import TASK_WORDS, in_names, short_id, station_name

STATE_AT_STOP: Mapping[StopKind, DeliveryState] = {
    StopKind.LOAD: DeliveryState.LOADING,
    StopKind.HAND_OVER: DeliveryState.ARRIVED,
    StopKind.TAKE_BACK: DeliveryState.RETURNING,
}
"""In which state a delivery is while something is to be done with it at a stop."""


class Task(BaseModel):
    """What somebody has to do now, and where; ``station`` is empty when the place is not a station."""

    id: str
    station: str
    place: str
    act: str
    what: str
    is_alarm: bool = False


def alarm_tasks(alarms: Sequence[Alarm], *, site: Site) -> list[Task]:
    """Return what the alarms that stand ask of people; it comes before all else."""
    return [_alarm_task(alarm, site) for alarm in alarms]


def _alarm_task(alarm: Alarm, site: Site) -> Task:
    zones = dict.fromkeys(site.zones[zone].called for zone in alarm.zones if zone in site.zones)
    what = "FIRE ALARM" if alarm.kind is AlarmKind.FIRE else "CRASH CALL"
    if alarm.state is AlarmState.SOUNDING:
        act = f"{what}: keep away from robots that clear the way"
    else:
        act = f"{what} is over: let robots go on, if you may"
    return Task(
        id=f"alarm-{alarm.id}",
        station="",
        place=", ".join(zones) or site.name,
        act=act,
        what=f"Raised by {alarm.raised_by}: {alarm.reason}",
        is_alarm=True,
    )


def tasks_of(
    trips: Sequence[Trip], opened: Sequence[Delivery], robots: Sequence[RobotRow], *, site: Site
) -> list[Task]:
    """Return what waits for a person: alarms first, then stops by the name of their station.

    Parameters
    ----------
    trips, opened : sequence of Trip, sequence of Delivery
        The open ones.
    robots : sequence of RobotRow
        The robots as listed.
    site : Site
        For the names of stations.
    """
    alarms = [_robot_task(robot) for robot in robots if robot.needs_person]
    alarms += [_late_task(one, site) for one in opened if one.reasons_of_lateness]
    alarms += [_incident_task(one, site) for one in opened if one.state is DeliveryState.INCIDENT]
    by_id = {delivery.id: delivery for delivery in opened}
    stops = [task for trip in trips if (task := _stop_task(trip, by_id, site)) is not None]
    return alarms + sorted(stops, key=lambda task: (task.place, task.id))


def _robot_task(robot: RobotRow) -> Task:
    where = f"{robot.id}, last seen on {robot.level}" if robot.level else robot.id
    return Task(
        id=f"robot-{robot.id}",
        station="",
        place=where,
        act="Look after the robot",
        what=robot.reason or f"It is {robot.words}.",
        is_alarm=True,
    )


def _late_task(delivery: Delivery, site: Site) -> Task:
    (reason,) = delivery.reasons_of_lateness
    where = f"{delivery.robot}, drawer {delivery.drawer}: " if delivery.robot and delivery.state.is_aboard else ""
    return Task(
        id=f"late-{delivery.id}",
        station="",
        place=f"{where}delivery {short_id(delivery.id)} to {station_name(site, delivery.to_station)}",
        act="Carry it: a robot may be too late",
        what=reason.sentence,
        is_alarm=True,
    )


def _incident_task(delivery: Delivery, site: Site) -> Task:
    reason = delivery.history[-1].reason if delivery.history else None
    return Task(
        id=f"incident-{delivery.id}",
        station="",
        place=f"Delivery {short_id(delivery.id)} to {station_name(site, delivery.to_station)}",
        act="Look into the incident",
        what=in_names(told_of(reason), site) if reason else "",
        is_alarm=True,
    )


def _stop_task(trip: Trip, opened: Mapping[DeliveryId, Delivery], site: Site) -> Task | None:
    if not trip.has_arrived or not trip.stops:
        return None
    stop = trip.stops[0]
    here = [opened[one] for one in stop.deliveries if one in opened]
    pieces = [_piece(one, stop.kind, site) for one in here if one.state is STATE_AT_STOP[stop.kind]]
    if not pieces:
        return None
    return Task(
        id=trip.id,
        station=stop.station,
        place=station_name(site, stop.station),
        act=f"{TASK_WORDS[stop.kind]}: {trip.robot}",
        what="; ".join(pieces),
    )


def _piece(delivery: Delivery, kind: StopKind, site: Site) -> str:
    drawer = f"drawer {delivery.drawer}: " if delivery.drawer else ""
    if kind is StopKind.LOAD:
        return f"{drawer}{short_id(delivery.id)} to {station_name(site, delivery.to_station)}"
    return f"{drawer}{short_id(delivery.id)} from {station_name(site, delivery.from_station)}"
