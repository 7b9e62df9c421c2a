"""What people do before a delivery is loaded: verify it, pick it, check it, and, on the ward, accept it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from orchestrator.application.batches import require_no_lookalike
from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.picked_packs import require_as_asked, require_same_medicine
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.queue_delivery import settle_readiness
from orchestrator.application.recorded_acts import record_event
from orchestrator.application.stricter_since import require_not_stricter
from orchestrator.domain.custody.errors import (
    BatchUnknownError,
    ExpiredStockError,
    NotEligibleError,
    NotReadyError,
    RecalledStockError,
    SamePersonError,
)
from orchestrator.domain.custody.people import Present, holds_role, require_people
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.counting import check_counted_lines, check_loaded_as_asked
from orchestrator.domain.delivery.custody_record import Acceptance, Act, Carrier, Dispensed
from orchestrator.domain.delivery.lifecycle import require_state
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, Line, LineCount, LineId
from orchestrator.domain.london import london_clock
from orchestrator.domain.medicine.expiry import is_in_date
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.model import PersonId, Role
from orchestrator.domain.reason import require_told

NOT_LOADED = (DeliveryState.QUEUED, DeliveryState.VERIFIED, DeliveryState.ASSIGNED, DeliveryState.LOADING)
ON_THE_WAY = (*NOT_LOADED, DeliveryState.SEALED, DeliveryState.IN_TRANSIT, DeliveryState.ARRIVED)
LATER = "It is too late for that now; look at its history."


@dataclass(frozen=True, slots=True)
class Picked:
    """What somebody picked for one line: as scanned, or entered by hand with the reason why no scanner read it.

    ``is_typed`` says that a code was read but its batch or expiry was not in it. ``expires_at`` is the moment
    of a pack whose code gives one; aware.
    """

    line: LineId
    quantity: int
    gtin: str | None = None
    batch: str | None = None
    expiry: date | None = None
    unread_because: str | None = None
    is_typed: bool = False
    expires_at: datetime | None = None


def verify_delivery(
    uow: UnitOfWork, *, delivery: DeliveryId, at: datetime, present: Present, premises: Premises
) -> Delivery:
    """Record that a pharmacist verified a delivery.

    Raises
    ------
    UnknownDeliveryError, WrongStateError
        There is no such delivery, or it is on its way.
    NotEligibleError
        Who asks is no pharmacist.
    """
    act = "The verification"
    wanted = uow.deliveries.get(delivery)
    require_state(wanted, *NOT_LOADED, act=act, next_step=LATER)
    if wanted.custody.verified is not None:
        return wanted
    require_people(
        present,
        wanted=1,
        fits=holds_role(Role.PHARMACIST),
        who="a pharmacist",
        act=act,
        handling_class=wanted.handling_class,
        at=at,
    )
    verified = replace(wanted, custody=replace(wanted.custody, verified=Act(present.actor, at)))
    return _kept(uow, verified, premises, at=at, cause=present.actor)


def dispense_delivery(
    uow: UnitOfWork,
    *,
    delivery: DeliveryId,
    picked: Sequence[Picked],
    at: datetime,
    present: Present,
    premises: Premises,
) -> Delivery:
    """Record what was picked for each line: medicine, batch, expiry and count.

    Raises
    ------
    UnknownDeliveryError, WrongStateError
        There is no such delivery, or it is on its way.
    WrongMedicineError, ExpiredStockError, RecalledStockError, BatchUnknownError
        A pack is another medicine, has expired or does before it is due, is of a recalled batch, or nobody read its
        batch.
    PackContradictedError
        It is of another batch or expiry than was asked for.
    StricterSinceError, NeverByRobotError
        A medicine is handled more strictly than when it was queued.
    LinesMismatchError, LoadedCountDiffersError, NotEligibleError
        The counts are not what was asked for, or who picks does not work in this pharmacy.
    """
    act = "The dispensing"
    wanted = uow.deliveries.get(delivery)
    require_state(wanted, *NOT_LOADED, act=act, next_step=LATER)
    place = premises.place(wanted.from_station)
    fits, who = premises.staff_of(place, wanted.handling_class)
    require_people(present, wanted=1, fits=fits, who=who, act=act, handling_class=wanted.handling_class, at=at)
    counts = [LineCount(one.line, one.quantity) for one in picked]
    check_counted_lines(wanted, counts, act=act)
    check_loaded_as_asked(wanted, counts, act=act)
    require_not_stricter(uow, wanted, is_by_robot=wanted.custody.carrier is Carrier.ROBOT, act=act)
    lines = {line.id: line for line in wanted.lines}
    dispensed = tuple(_dispensed(uow, one, lines[one.line], wanted, at=at) for one in picked)
    custody = replace(wanted.custody, dispensed=dispensed, dispensed_by=Act(present.actor, at), checked=None)
    return _kept(uow, replace(wanted, custody=custody), premises, at=at, cause=present.actor)


def check_delivery(
    uow: UnitOfWork,
    *,
    delivery: DeliveryId,
    counts: Sequence[LineCount],
    at: datetime,
    present: Present,
    premises: Premises,
) -> Delivery:
    """Record an independent check: a second count, by somebody who did not pick it.

    Raises
    ------
    UnknownDeliveryError, WrongStateError, NotReadyError
        There is no such delivery, it is on its way, or nobody has picked it yet.
    SamePersonError, NotEligibleError
        The person picked it, or does not work in this pharmacy.
    LinesMismatchError, LoadedCountDiffersError
        The counts are not what was asked for.
    """
    act = "The check"
    wanted = uow.deliveries.get(delivery)
    require_state(wanted, *NOT_LOADED, act=act, next_step=LATER)
    if wanted.custody.dispensed_by is None:
        raise NotReadyError(
            f"{act} was refused: nobody has picked delivery {delivery}; expected a dispensing first. Dispense it.",
            detail={"delivery": delivery},
        )
    fits, who = premises.staff_of(premises.place(wanted.from_station), wanted.handling_class)
    require_people(present, wanted=1, fits=fits, who=who, act=act, handling_class=wanted.handling_class, at=at)
    if present.actor == wanted.custody.dispensed_by.by:
        raise SamePersonError(
            f"{act} was refused: {present.actor} picked delivery {delivery}; expected somebody else to check it. "
            "Ask a colleague.",
            detail={"delivery": delivery, "person": present.actor},
        )
    check_counted_lines(wanted, counts, act=act)
    check_loaded_as_asked(wanted, counts, act=act)
    checked = replace(wanted, custody=replace(wanted.custody, checked=Act(present.actor, at)))
    return _kept(uow, checked, premises, at=at, cause=present.actor)


def accept_delivery(
    uow: UnitOfWork,
    *,
    delivery: DeliveryId,
    named: Sequence[PersonId],
    at: datetime,
    present: Present,
    premises: Premises,
) -> Delivery:
    """Record that the ward takes a delivery and whom it names to receive it; may be said anew until it is received.

    Of one whose patient has moved it is the ward where the patient is now.

    Raises
    ------
    UnknownDeliveryError, WrongStateError
        There is no such delivery, or it is closed.
    NotEligibleError, SamePersonError
        Who accepts is not of that ward, or one of those named may not receive, or is named twice.
    """
    act = "The acceptance"
    wanted = uow.deliveries.get(delivery)
    states = ON_THE_WAY if wanted.custody.reroute is None else (DeliveryState.RETURNING,)
    require_state(wanted, *states, act=act, next_step="Nothing is left to accept; look at its history.")
    place = premises.place(wanted.bound_for)
    fits, who = premises.staff_of(place, wanted.handling_class)
    require_people(present, wanted=1, fits=fits, who=who, act=act, handling_class=wanted.handling_class, at=at)
    receivers = premises.rule(wanted.handling_class).receivers
    if len(set(named)) != len(named) or len(named) != receivers:
        raise SamePersonError(
            f"{act} was refused: it names {len(set(named))} people; expected {receivers} different ones who will "
            "receive it. Name them.",
            detail={"field": "named", "expected": receivers},
        )
    for person in (uow.people.get(one) for one in named):
        if not person.is_active(at) or person.has(Role.ACCOUNTABLE_OFFICER) or not fits(person):
            raise NotEligibleError(
                f"{act} was refused: {person.id} may not receive delivery {delivery}; expected {who}. Name another.",
                detail={"field": "named", "person": person.id},
            )
    acceptance = Acceptance(PersonId(present.actor), at, tuple(named))
    accepted = replace(wanted, custody=replace(wanted.custody, acceptance=acceptance))
    record_event(uow, accepted, "accepted", at=at, place=place, present=present)
    return _kept(uow, accepted, premises, at=at, cause=present.actor)


def _dispensed(uow: UnitOfWork, picked: Picked, line: Line, delivery: Delivery, *, at: datetime) -> Dispensed:
    is_by_robot = delivery.custody.carrier is Carrier.ROBOT
    medicine = require_same_medicine(uow, line, gtin=picked.gtin, is_by_robot=is_by_robot)
    code = line.code if medicine is None else medicine.code
    require_as_asked(line, batch=picked.batch, expiry=picked.expiry)
    if picked.batch is None and line.handling_class is not HandlingClass.ORDINARY:
        raise BatchUnknownError(
            f"The dispensing was refused: line {line.id} has no batch; expected the one on the pack, scanned, or "
            "entered by hand with unread_because. Read it off the pack.",
            detail={"field": "lines.batch", "line": line.id},
        )
    _require_read_or_explained(picked, line)
    _require_no_lookalike(uow, picked, line)
    if not is_in_date(picked.expiry or line.expiry, picked.expires_at, at=max(at, delivery.due_by or at)):
        raise ExpiredStockError(
            f"The dispensing was refused: what was picked for line {line.id} has expired, or does before it is due; "
            "expected stock that is in date. Set it apart and pick another pack.",
            detail={"line": line.id, "expiry": _end_of(picked, line)},
        )
    if code is not None and uow.recalls.is_recalled(code, picked.batch or line.batch):
        raise RecalledStockError(
            f"The dispensing was refused: the batch picked for line {line.id} is recalled; expected another. Put it "
            "into quarantine and pick another pack.",
            detail={"line": line.id},
        )
    return Dispensed(
        line=line.id,
        quantity=picked.quantity,
        batch=picked.batch or line.batch or "",
        expiry=picked.expiry or line.expiry,
        gtin=picked.gtin,
        unread_because=picked.unread_because,
        expires_at=picked.expires_at,
    )


def _end_of(picked: Picked, line: Line) -> str:
    """Return the end of a pack as the clock on the wall shows it, or its day."""
    return str(picked.expiry or line.expiry if picked.expires_at is None else london_clock(picked.expires_at))


def _require_read_or_explained(picked: Picked, line: Line) -> None:
    if picked.unread_because is not None:
        require_told(picked.unread_because, act="The dispensing", field="lines.unread_because")
    is_by_hand = picked.gtin is None or picked.is_typed
    is_explained = picked.unread_because is not None and picked.expiry is not None
    if is_by_hand and not is_explained and line.handling_class is not HandlingClass.ORDINARY:
        raise BatchUnknownError(
            f"The dispensing was refused: no scanner read batch and expiry of line {line.id}; expected both as on the "
            "pack, and in unread_because why they were entered by hand. Scan the pack, or say why that cannot be done.",
            detail={"field": "lines.unread_because", "line": line.id},
        )


def _require_no_lookalike(uow: UnitOfWork, picked: Picked, line: Line) -> None:
    batch = picked.batch or line.batch
    if line.code is not None and batch is not None and (picked.gtin is None or picked.is_typed):
        require_no_lookalike(uow, line.code, batch, act="The dispensing", field="lines.batch")


def _kept(uow: UnitOfWork, delivery: Delivery, premises: Premises, *, at: datetime, cause: str) -> Delivery:
    settled = settle_readiness(delivery, premises, at=at, cause=cause)
    keep_change(uow, settled, at=at)
    return settled
