"""Pharmacy staff put the medicines into the drawer and seal them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.grants import require_opened_if_controlled
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.queue_delivery import controlled_drugs_off
from orchestrator.application.recalls import batch_of
from orchestrator.application.recorded_acts import record_sealing
from orchestrator.application.residue import require_empty
from orchestrator.application.seals_in_use import check_seal_is_new
from orchestrator.application.stricter_since import require_not_stricter
from orchestrator.domain.custody.approval import approved_models
from orchestrator.domain.custody.errors import ExpiredStockError, NotEligibleError, NotReadyError, RecalledStockError
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.people import Present, require_people
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.counting import check_counted_lines, check_loaded_as_asked
from orchestrator.domain.delivery.custody_record import Carrier
from orchestrator.domain.delivery.lifecycle import moved, require_state
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, LineCount, Loading, Tote, ToteId
from orchestrator.domain.delivery.packing import Packed, packed_totes
from orchestrator.domain.delivery.readiness import missing_before_carriage
from orchestrator.domain.fleet.model import ModelId
from orchestrator.domain.medicine.expiry import is_in_date
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.medicine.model import StorageKind
from orchestrator.domain.people.model import PersonId, Role
from orchestrator.domain.reason import Reason

ACT = "The loading"
BY_HAND = "by hand"
"""The drawer of what a messenger carries."""

BY_HAND_FROM = (DeliveryState.VERIFIED, DeliveryState.ASSIGNED, DeliveryState.LOADING)
"""Where it is not sealed yet, and may be for a messenger."""

LOADED_BY_HAND = Reason("loaded_by_hand", "It was counted and sealed by hand; a messenger carries it, and no robot.")


def load_delivery(
    uow: UnitOfWork,
    *,
    delivery: DeliveryId,
    counts: Sequence[LineCount],
    at: datetime,
    present: Present,
    premises: Premises,
    ids: Ids,
    seal_number: str | None = None,
    totes: Sequence[Packed] = (),
    model: ModelId | None = None,
    is_by_hand: bool = False,
) -> Delivery:
    """Record who loaded what into which tote, under which seals.

    The delivery is ``sealed`` afterwards, or in a messenger's hands. From here on the pharmacist who loaded what is
    controlled, or whoever loaded anything else, answers for it; the ledger has each line on its way, and its receipt
    pending.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    delivery : DeliveryId
        Which delivery.
    counts : sequence of LineCount
        What was counted into the totes.
    at : datetime
        Now; aware.
    present : Present
        Who loads, and who witnesses it.
    premises : Premises
        Stations, places and policy.
    ids : Ids
        Where the ids of further totes come from.
    seal_number : str, optional
        The number on the seal that was put on, where all lines lie in one tote.
    totes : sequence of Packed
        The totes with their seals and lines, where they are several. One of the two is given.
    model : ModelId, optional
        The model of the robot that it is loaded into.
    is_by_hand : bool
        Whether it goes with a messenger although a robot was asked for; whichever was to fetch it is let go.

    Raises
    ------
    UnknownDeliveryError, WrongStateError, NotReadyError
        There is no such delivery, no robot stands open for it, or something has to come first.
    NotEligibleError, PeopleMissingError, SamePersonError
        The people may not load it, or are too few.
    ControlledDrugsOffError, RecalledStockError, ExpiredStockError
        No approval covers this robot any more, or a batch was recalled, or expired, since it was picked.
    StricterSinceError, NeverByRobotError
        A medicine is handled more strictly than when it was queued.
    DrawerNotEmptyError
        Something lies in the drawer already.
    LinesMismatchError, LoadedCountDiffersError
        The counts, or the totes, do not name the lines, each once; or the quantity is not the one asked for.
    InvalidInputError, SealInUseError
        A seal number cannot be one, is given twice, or was used before; or one form of saying it is not given.
    """
    asked = uow.deliveries.get(delivery)
    by_hand = is_by_hand or asked.custody.carrier is Carrier.MESSENGER
    require_state(
        asked,
        *(BY_HAND_FROM if by_hand else (DeliveryState.LOADING,)),
        act=ACT,
        next_step="Look at its history." if by_hand else "Wait until its robot stands at the hatch, then load.",
    )
    loading = _in_hand(asked) if by_hand else asked
    _require_ready(loading, premises)
    _require_loaders(loading, present, premises, at=at)
    require_empty(uow, loading, act=ACT)
    place = premises.place(loading.from_station)
    require_opened_if_controlled(uow, loading, Purpose.LOAD, place=place, act=ACT)
    packed = packed_totes(loading, seal_number=seal_number, totes=totes, new_id=lambda: ToteId(ids.new("tote")))
    check_counted_lines(loading, counts, act=ACT)
    check_loaded_as_asked(loading, counts, act=ACT)
    for tote in packed:
        check_seal_is_new(uow, tote.seal_number or "", loading, act=ACT)
    _check_still_allowed(uow, loading, premises, model=model, at=at)
    sealed = _sealed(loading, totes=packed, counts=counts, at=at, present=present)
    record_sealing(uow, sealed, at=at, present=present, premises=premises)
    keep_change(uow, sealed, at=at)
    return sealed


def _in_hand(asked: Delivery) -> Delivery:
    """Return what a messenger carries: no robot, no drawer and no trip has to do with it."""
    return replace(asked.out_of_drawer(), trip=None, custody=replace(asked.custody, carrier=Carrier.MESSENGER))


def _sealed(
    loading: Delivery, *, totes: tuple[Tote, ...], counts: Sequence[LineCount], at: datetime, present: Present
) -> Delivery:
    is_cold = any(line.storage == StorageKind.FRIDGE.value for line in loading.lines)
    custody = replace(
        loading.custody,
        accountable=_accountable(present),
        loaders=present.ids,
        out_of_fridge_at=at if is_cold else None,
    )
    drawer = loading.drawer or BY_HAND
    by = present.actor
    is_by_hand = custody.carrier is Carrier.MESSENGER
    loaded = replace(
        loading,
        totes=totes,
        loading=Loading(at=at, by=by, drawer=drawer, counts=tuple(counts)),
        custody=custody,
    )
    if is_by_hand:
        return moved(loaded, DeliveryState.HANDED_TO_RUNNER, at=at, cause=by, reason=LOADED_BY_HAND)
    return moved(loaded, DeliveryState.SEALED, at=at, cause=by)


def _accountable(present: Present) -> PersonId | None:
    """Return who answers for it: a pharmacist among the loaders, else the one who loaded."""
    pharmacists = (person.id for person in present.people if person.has(Role.PHARMACIST))
    return next(pharmacists, next(iter(present.ids), None))


def _require_ready(delivery: Delivery, premises: Premises) -> None:
    missing = missing_before_carriage(delivery, premises)
    if not missing:
        return
    raise NotReadyError(
        f"{ACT} was refused: delivery {delivery.id} is not ready. {' '.join(reason.sentence for reason in missing)} "
        "Do that first.",
        detail={"delivery": delivery.id, "missing": [reason.code for reason in missing]},
    )


def _require_loaders(delivery: Delivery, present: Present, premises: Premises, *, at: datetime) -> None:
    handling_class = delivery.handling_class
    place = premises.place(delivery.from_station)
    fits, who = premises.staff_of(place, handling_class)
    wanted = premises.rule(handling_class).loaders
    require_people(present, wanted=wanted, fits=fits, who=who, act=ACT, handling_class=handling_class, at=at)
    is_pharmacist_there = any(person.has(Role.PHARMACIST) for person in present.people)
    if handling_class is HandlingClass.CONTROLLED and premises.is_pharmacy(place) and not is_pharmacist_there:
        raise NotEligibleError(
            f"{ACT} was refused: no pharmacist is among those who load what is controlled; expected one, who answers "
            "for it until it is received. Ask a pharmacist to be one of the two.",
            detail={"delivery": delivery.id},
        )


def _check_still_allowed(
    uow: UnitOfWork, delivery: Delivery, premises: Premises, *, model: ModelId | None, at: datetime
) -> None:
    """Refuse what was allowed when it was asked for and no longer is."""
    require_not_stricter(uow, delivery, is_by_robot=delivery.custody.carrier is Carrier.ROBOT, act=ACT)
    for line in delivery.lines:
        picked = delivery.custody.picked(line.id)
        expiry, expires_at = (line.expiry, None) if picked is None else (picked.expiry, picked.expires_at)
        if not is_in_date(expiry, expires_at, at=at):
            raise ExpiredStockError(
                f"{ACT} was refused: what was picked for line {line.id} has expired since; expected stock that is in "
                "date. Set it apart, and dispense the line anew; if the line asks for it, cancel the delivery and "
                "queue it anew.",
                detail={"delivery": delivery.id, "line": line.id},
            )
        if line.code is not None and uow.recalls.is_recalled(line.code, batch_of(line, delivery)):
            raise RecalledStockError(
                f"{ACT} was refused: the batch of line {line.id} was recalled; expected another. Put it into "
                "quarantine, and dispense the line anew.",
                detail={"delivery": delivery.id, "line": line.id},
            )
    handling_class = delivery.handling_class
    if delivery.custody.carrier is Carrier.MESSENGER or not premises.rule(handling_class).needs_carriage_approval:
        return
    from_place, to_place = premises.place(delivery.from_station), premises.place(delivery.to_station)
    models = approved_models(
        uow.approvals.all(), handling_class=handling_class, from_place=from_place, to_place=to_place, at=at
    )
    if model is None or model not in models:
        raise controlled_drugs_off(from_place, to_place)
