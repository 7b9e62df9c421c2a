"""A person sends a robot to a station without a delivery; it stays there until it is sent on, or home."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.robot_acts import Asked, begin, note
from orchestrator.domain.delivery.errors import StationNotServedError, UnknownStationError
from orchestrator.domain.fleet.errors import RobotHeldError, RobotOnTripError, StationReservedError
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.site.model import StationId

ACT = "The sending"


def send_robot(uow: UnitOfWork, fleet: FleetOnSite, asked: Asked, *, ids: Ids, station: StationId) -> RobotRecord:
    """Send a robot to a station; one that is sent there already, or stands there, stays as it is.

    Raises
    ------
    UnknownRobotError, InvalidInputError, UnknownStationError, StationNotServedError
        There is no such robot or station, the fleet cannot drive there, or the reason says nothing.
    RobotOnTripError, RobotHeldError, StationReservedError
        The robot carries or fetches something, is held, or the station is another robot's own resting place.
    """
    turn = begin(uow, fleet, asked, ids=ids, act=ACT)
    record = turn.record(asked.robot)
    _require_station(fleet, asked, station)
    is_home = station == fleet.robots[asked.robot].home
    sent_to = None if is_home else station
    if record.trip is None and (record.target, record.sent_to) == (station, sent_to):
        return record
    _require_free(record)
    turn.put(replace(record, target=station, sent_to=sent_to, route=()))
    stay = "It rests there, and gets work again." if is_home else "It stays there until it is sent on."
    return note(turn, asked, RobotAct.SEND, outcome=f"It drives to {station}. {stay}")


def _require_station(fleet: FleetOnSite, asked: Asked, station: StationId) -> None:
    if station not in fleet.site.stations:
        raise UnknownStationError(
            f"{ACT} was refused: station names no station of this site; expected a station's id. GET /api/v1/site "
            "lists the stations.",
            detail={"field": "station"},
        )
    if not fleet.serves(station):
        raise StationNotServedError(
            f"{ACT} was refused: robots cannot drive to {station}; expected a station on their lanes. Choose another "
            "one nearby.",
            detail={"field": "station", "station": station},
        )
    owner = next((r.id for r in fleet.robots.values() if r.home == station and r.id != asked.robot), None)
    if owner is not None:
        raise StationReservedError(
            f"{ACT} was refused: {station} is the resting place of {owner} alone; expected a station that is no other "
            "robot's. Choose another one.",
            detail={"field": "station", "station": station, "owner": owner},
        )


def _require_free(record: RobotRecord) -> None:
    if record.trip is not None:
        raise RobotOnTripError(
            f"{ACT} was refused: robot {record.robot} is on trip {record.trip}; expected one without a trip. Withdraw "
            "it first, or wait until it is done.",
            detail={"robot": record.robot, "trip": record.trip},
        )
    if record.is_kept_from_driving:
        raise RobotHeldError(
            f"{ACT} was refused: robot {record.robot} is held; expected one that may drive. "
            f"{record.reasons_of_holds[0].sentence}",
            detail={"robot": record.robot, "holds": [hold.kind.value for hold in record.holds]},
        )
