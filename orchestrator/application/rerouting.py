"""A patient has moved while a delivery rides: it turns back at once, and goes to the new ward once that takes it.

While nobody of the new ward has accepted it, it is on its way back, where it is handed over to nobody but the staffed
place it came from; so it never waits before the old bed, and nowhere in a corridor. Accepted in time, and with nothing
against it, it turns round and goes to the new ward, whose people receive it into their own register.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.dispatching import candidate_of
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.recalls import batch_of
from orchestrator.application.recorded_acts import is_on_ledger, record_event, record_rerouting, stock_of
from orchestrator.application.refuse_delivery import ABOARD, BEFORE_SEALING, PATIENT_MOVED, not_elsewhere, turn_back
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.approval import approved_models
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.custody.people import Present
from orchestrator.domain.delivery.counting import require_count_finished
from orchestrator.domain.delivery.custody_record import Reroute
from orchestrator.domain.delivery.lifecycle import moved, require_state
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.delivery.request import check_station
from orchestrator.domain.dispatch.filters import MAY_GO_ON, battery_below_reserve, reasons_against
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.model import ModelId, RobotId
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import StationId, WaypointId

ACT = "The change"
FOLLOWS_PATIENT = Reason(
    "patient_moved", "The patient is on another ward; it turns back, and goes there once that ward has accepted it."
)
REROUTED = Reason("rerouted", "The ward where the patient is now has accepted it; it goes there.")
NOT_ACCEPTED = Reason("not_accepted", "The other ward did not accept it in time, or no way led there.")

Distance = Callable[[RobotId, WaypointId, WaypointId], float | None]


def follow_patient(
    uow: UnitOfWork,
    fleet: FleetOnSite,
    *,
    delivery: DeliveryId,
    to_station: StationId,
    at: datetime,
    present: Present,
) -> Delivery:
    """Record that a patient has moved, and to where the delivery shall go once that ward has accepted it.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    fleet : FleetOnSite
        Site, robots and policy.
    delivery : DeliveryId
        Which delivery. One that follows the patient already may be sent elsewhere again, by a person as before.
    to_station : StationId
        Where the patient is now.
    at : datetime
        Now; aware.
    present : Present
        Who says so.

    Returns
    -------
    Delivery
        ``returning``, and what it waits for; what speaks against the other ward for good, and then it comes back.
        ``cancelled`` while nothing is sealed: it is queued anew.

    Raises
    ------
    UnknownDeliveryError, WrongStateError
        There is no such delivery, or it is closed, in a person's hands, or on its way back for another reason.
    CountUnfinishedError
        It was opened, and is to be counted once more.
    UnknownStationError, StationNotServedError, InvalidInputError
        No delivery can go there, or it comes from there, or goes or comes back there anyhow.
    """
    wanted = uow.deliveries.get(delivery)
    may_turn_again = () if wanted.custody.reroute is None else (DeliveryState.RETURNING,)
    require_state(wanted, *BEFORE_SEALING, *ABOARD, *may_turn_again, act=ACT, next_step="Nothing is left to turn back.")
    require_count_finished(wanted, act=ACT)
    _check_place(fleet, wanted, to_station)
    place = fleet.premises.place(wanted.to_station)
    if wanted.state in BEFORE_SEALING:
        return turn_back(uow, wanted, PATIENT_MOVED, at=at, by=present.actor, place=place)
    turned = wanted
    if wanted.state in ABOARD:
        turned = moved(wanted, DeliveryState.RETURNING, at=at, cause=present.actor, reason=FOLLOWS_PATIENT)
    record_event(
        uow,
        turned,
        FOLLOWS_PATIENT.code,
        at=at,
        place=place,
        present=present,
        reason=FOLLOWS_PATIENT.sentence,
        facts={"asked_for": fleet.premises.place(to_station)},
    )
    reroute = Reroute(to_station, present.actor, at)
    asked = replace(turned, custody=replace(turned.custody, reroute=reroute, acceptance=None))
    against = _against(uow, fleet, asked, at=at)
    if against is None:
        after = replace(asked, waiting=(_waits_for_ward(fleet, to_station),))
    else:
        after = not_elsewhere(uow, asked, against, at=at, present=present, place=place)
    keep_change(uow, after, at=at)
    return after


def reroute_what_was_accepted(
    turn: Turn, fleet: FleetOnSite, *, reported: Collection[RobotId], distance: Distance
) -> None:
    """Send deliveries that follow a patient on to the new ward, or let them come back for good.

    Parameters
    ----------
    turn : Turn
        The transaction.
    fleet : FleetOnSite
        Site, robots and policy.
    reported : collection of RobotId
        Robots that have reported since the orchestrator started.
    distance : callable
        Driving distance of a robot between two waypoints in metres; None when no way is open.
    """
    for delivery in list(turn.deliveries.values()):
        reroute = delivery.custody.reroute
        if reroute is None or delivery.state is not DeliveryState.RETURNING:
            continue
        waits_for = _waits_for(turn, fleet, delivery, reported=reported, distance=distance)
        against = _against(turn.uow, fleet, delivery, at=turn.at)
        if against is None and waits_for:
            is_over = turn.at - reroute.at >= timedelta(minutes=fleet.policy.dispatch.reroute_minutes)
            against = NOT_ACCEPTED if is_over else None
        if against is not None:
            place, nobody = fleet.premises.place(delivery.from_station), Present("dispatch")
            turn.keep(not_elsewhere(turn.uow, delivery, against, at=turn.at, present=nobody, place=place))
        elif waits_for:
            turn.let_wait(delivery, waits_for)
        else:
            _send_on(turn, fleet, delivery)


def _send_on(turn: Turn, fleet: FleetOnSite, delivery: Delivery) -> None:
    """Let a delivery go to the ward that has accepted it; the ledger says so of each line."""
    acceptance, place = delivery.custody.acceptance, fleet.premises.place(delivery.bound_for)
    assert acceptance is not None, "it was accepted"
    record_rerouting(turn.uow, delivery, to_place=place, accepted_by=acceptance.by, at=turn.at)
    custody = replace(delivery.custody, reroute=None, models=_models(turn.uow, fleet, delivery, at=turn.at))
    sent = replace(delivery, to_station=delivery.bound_for, custody=custody)
    has_left = any(change.after is DeliveryState.IN_TRANSIT for change in delivery.history)
    turn.move(sent, DeliveryState.IN_TRANSIT if has_left else DeliveryState.SEALED, cause="dispatch", reason=REROUTED)


def _check_place(fleet: FleetOnSite, delivery: Delivery, to_station: StationId) -> None:
    check_station(
        to_station,
        field="to_station",
        stations=fleet.premises.stations,
        is_served=lambda station: fleet.serves(station.id),
    )
    goes_there = delivery.state in ABOARD and to_station == delivery.to_station
    # Where it comes back to, its people take it back; they could not receive it as well.
    comes_back_there = fleet.premises.place(to_station) == fleet.premises.place(delivery.returns_to)
    if goes_there or comes_back_there or to_station == delivery.from_station:
        raise InvalidInputError(
            f"{ACT} was refused: delivery {delivery.id} comes from {to_station}, or goes or comes back there anyhow; "
            "expected where the patient is now. Name that station, or leave to_station out to have it brought back.",
            detail={"field": "to_station", "station": to_station},
        )


def _against(uow: UnitOfWork, fleet: FleetOnSite, delivery: Delivery, *, at: datetime) -> Reason | None:
    """Return what speaks against the other ward for good; None when nothing does."""
    assert delivery.robot is not None, "what rides has a robot"
    to_place = fleet.premises.place(delivery.bound_for)
    if not fleet.reaches(delivery.robot, delivery.bound_for):
        sentence = f"{delivery.robot} does not drive to {delivery.bound_for}."
        return Reason("station_unreachable", sentence)
    is_approved = fleet.models[delivery.robot].id in _models(uow, fleet, delivery, at=at)
    if fleet.premises.rule(delivery.handling_class).needs_carriage_approval and not is_approved:
        sentence = f"No approval of the accountable officer lets {delivery.robot} carry it to {to_place}."
        return Reason("robot_not_approved", sentence)
    for line in delivery.lines:
        if line.code is not None and uow.recalls.is_recalled(line.code, batch_of(line, delivery)):
            return Reason("recalled", "A batch in it is recalled.")
        stock = stock_of(delivery, line)
        is_of_record = uow.ledger.mode is LedgerMode.REGISTER_OF_RECORD and is_on_ledger(line) and stock.own_of is None
        if is_of_record and not uow.ledger.is_opened(to_place, stock.medicine):
            return Reason("register_not_opened", f"The register of {to_place} has no opening balance of a line in it.")
    return None


def _models(uow: UnitOfWork, fleet: FleetOnSite, delivery: Delivery, *, at: datetime) -> tuple[ModelId, ...]:
    """Return the models that may carry it to the other ward; none where no approval is needed."""
    if not fleet.premises.rule(delivery.handling_class).needs_carriage_approval:
        return ()
    return approved_models(
        uow.approvals.all(),
        handling_class=delivery.handling_class,
        from_place=fleet.premises.place(delivery.from_station),
        to_place=fleet.premises.place(delivery.bound_for),
        at=at,
    )


def _waits_for(
    turn: Turn, fleet: FleetOnSite, delivery: Delivery, *, reported: Collection[RobotId], distance: Distance
) -> tuple[Reason, ...]:
    """Return what a delivery waits for before it goes to the other ward; empty when it may."""
    assert delivery.robot is not None, "what rides has a robot"
    if delivery.custody.acceptance is None:
        return (_waits_for_ward(fleet, delivery.bound_for),)
    robot = delivery.robot
    candidate = candidate_of(turn, fleet, robot, has_reported=robot in reported)
    reasons = reasons_against(candidate, (*MAY_GO_ON, battery_below_reserve))
    tip = turn.record(robot).tip
    if reasons or not fleet.reaches(robot, delivery.bound_for):
        return reasons
    if tip is None or distance(robot, tip, fleet.waypoint_of(robot, delivery.bound_for)) is None:
        sentence = f"{robot} has no open way to {delivery.bound_for}; it waits for one, and comes back meanwhile."
        return (Reason("station_unreachable", sentence),)
    return ()


def _waits_for_ward(fleet: FleetOnSite, station: StationId) -> Reason:
    ward = fleet.premises.place(station)
    sentence = f"The patient is at {station} now; it comes back until {ward} accepts it and names who receives it."
    return Reason("reroute_not_accepted", sentence)
