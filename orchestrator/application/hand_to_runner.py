"""A person carries a delivery on: out of a robot's drawer, instead of a robot, or out of another person's hands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.load_delivery import BY_HAND_FROM
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.recorded_acts import (
    is_for_officer,
    is_on_ledger,
    open_incident,
    open_lines,
    record_event,
)
from orchestrator.application.register_errors import OccurredAtError
from orchestrator.domain.custody.balances import comes_late
from orchestrator.domain.custody.errors import NotReadyError
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.people import Fits, Present, either, holds_role, in_pharmacy, on_ward, require_people
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.counting import is_same_seal
from orchestrator.domain.delivery.errors import WrongStateError
from orchestrator.domain.delivery.lifecycle import ALLOWED, moved, require_state
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.delivery.seals import SealRead, seals_named
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.model import Role
from orchestrator.domain.reason import Reason, require_said
from orchestrator.domain.site.model import PlaceId

ACT = "The handing to a runner"
HANDED_TO_RUNNER = "handed_to_runner"
TAKEN_OVER = "taken_over"

BEFORE_IT = tuple(state for state, after in ALLOWED.items() if DeliveryState.HANDED_TO_RUNNER in after)


@dataclass(frozen=True, slots=True)
class TakenOut:
    """What was found at the drawer: the seals as read, none where nobody looked, and whether the key opened it.

    The seal is that of the only tote; of several each is named in ``totes``. What the key opened, no robot reports:
    ``occurred_at`` says when that was, and may be earlier than it is entered.
    """

    seal_number: str | None = None
    is_by_key: bool = False
    occurred_at: datetime | None = None
    totes: tuple[SealRead, ...] = ()


NOT_LOOKED_AT = TakenOut()


def hand_to_runner(
    uow: UnitOfWork,
    *,
    delivery: DeliveryId,
    reason: str,
    is_emptied: bool,
    at: datetime,
    present: Present,
    premises: Premises,
    ids: Ids,
    taken_out: TakenOut = NOT_LOOKED_AT,
) -> Delivery:
    """Record that the first person present carries a delivery from now on, and answers for it.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    delivery : DeliveryId
        Which delivery.
    reason : str
        Why, in the words of the person.
    is_emptied : bool
        Whether it was taken out of its drawer already. If not, the drawer stays taken until the robot reports that the
        load is gone, or somebody says so here by asking again.
    at : datetime
        Now; aware.
    present : Present
        Who carries it, and who is there; two for what is controlled.
    premises : Premises
        Stations, places and policy.
    ids : Ids
        Where new ids come from.
    taken_out : TakenOut
        What was found at the drawer. The mechanical key and a seal that differs are incidents. Whoever takes what is
        on the ledger out of another's hands reads its seals.

    Returns
    -------
    Delivery
        ``handed_to_runner``; when it is so already, as it was for who carries it, but for the drawer.

    Raises
    ------
    UnknownDeliveryError, WrongStateError, InvalidInputError
        There is no such delivery, it is closed, or the reason says nothing.
    NotReadyError
        It is on the ledger and not sealed yet.
    NotEligibleError, PeopleMissingError, SamePersonError
        The people may not take it out, or are too few.
    """
    require_said(reason, act=ACT)
    before = uow.deliveries.get(delivery)
    if before.state is DeliveryState.HANDED_TO_RUNNER:
        after = _passed_on(
            uow,
            before,
            taken_out,
            reason=reason,
            is_emptied=is_emptied,
            at=at,
            present=present,
            premises=premises,
            ids=ids,
        )
    else:
        require_state(before, *BEFORE_IT, act=ACT, next_step="Nothing is left to carry; look at its history.")
        _require_something_to_carry(before)
        _require_sealed(before)
        require_takers(before, present, premises, act=ACT, at=at)
        occurred_at = _when(before, taken_out, at=at)
        if taken_out.is_by_key:
            _record_key(uow, before, at=at, occurred_at=occurred_at, present=present, premises=premises, ids=ids)
        _look_at_seal(uow, before, taken_out, at=at, present=present, premises=premises, ids=ids)
        # What was not sealed lies in no locked drawer: whoever carries it has it in hand.
        taken = before.out_of_drawer() if is_emptied or not before.is_in_drawer else before
        trip = before.trip if before.is_in_drawer else None
        carrier = next(iter(present.ids), before.custody.accountable)
        # A runner who takes over what was turned back brings it back, and to no other ward.
        known = replace(before.custody, reroute=None)
        custody = known if before.loading is None else replace(known, accountable=carrier)
        said = Reason(HANDED_TO_RUNNER, reason.strip())
        carried = replace(taken, trip=trip, custody=custody)
        after = moved(carried, DeliveryState.HANDED_TO_RUNNER, at=at, cause=present.actor, reason=said)
        facts = {"from_person": before.custody.accountable or "nobody", "to_person": carrier or present.by}
        if before.loading is not None:
            place = premises.place(before.from_station)
            record_event(
                uow,
                before,
                "taken_out",
                at=at,
                occurred_at=occurred_at,
                place=place,
                present=present,
                reason=reason,
                facts=facts,
            )
    if after != before:
        keep_change(uow, after, at=at)
    return after


def _passed_on(
    uow: UnitOfWork,
    delivery: Delivery,
    found: TakenOut,
    *,
    reason: str,
    is_emptied: bool,
    at: datetime,
    present: Present,
    premises: Premises,
    ids: Ids,
) -> Delivery:
    """Return what a person carries in the hands of who signs for it now; only out of its drawer for who has it."""
    before = delivery.custody.accountable
    taker = next(iter(present.ids), before)
    is_taken_over = delivery.loading is not None and taker != before
    is_taken_out = is_emptied and delivery.is_in_drawer
    if not is_taken_over and not is_taken_out:
        return delivery
    require_takers(delivery, present, premises, act=ACT, at=at)
    occurred_at = _when(delivery, found, at=at)
    if found.is_by_key:
        _record_key(uow, delivery, at=at, occurred_at=occurred_at, present=present, premises=premises, ids=ids)
    after = delivery.out_of_drawer() if is_taken_out else delivery
    is_in_hand = is_taken_over and not after.is_in_drawer and any(is_on_ledger(line) for line in delivery.lines)
    _look_at_seal(uow, delivery, found, at=at, present=present, premises=premises, ids=ids, has_to=is_in_hand)
    record_event(
        uow,
        delivery,
        TAKEN_OVER if is_taken_over else "taken_out",
        at=at,
        occurred_at=occurred_at,
        place=premises.place(delivery.from_station),
        present=present,
        reason=reason,
        facts={"from_person": before or "nobody", "to_person": taker or present.by},
    )
    return replace(after, custody=replace(after.custody, accountable=taker))


def _require_sealed(delivery: Delivery) -> None:
    """Refuse what is on the ledger while nobody has counted, sealed and posted it: it would be on no account."""
    if delivery.loading is not None or not any(is_on_ledger(line) for line in delivery.lines):
        return
    next_step = (
        "Load it by hand (is_by_hand), counted and sealed by those who load it; then whoever carries it signs here."
        if delivery.state in BY_HAND_FROM
        else "Cancel it, and queue it anew with supply.carrier messenger."
    )
    raise NotReadyError(
        f"{ACT} was refused: delivery {delivery.id} holds what is on the ledger, and is not sealed; expected it "
        f"counted and sealed first. {next_step}",
        detail={"delivery": delivery.id, "state": delivery.state.value},
    )


def _require_something_to_carry(delivery: Delivery) -> None:
    """Refuse what has ended line by line: whoever took it out again would sign for nothing."""
    if not open_lines(delivery):
        raise WrongStateError(
            f"{ACT} was refused: every line of delivery {delivery.id} has ended; expected one that is still to be "
            "handed over. What was set apart stays where it is: have its incident looked into and closed.",
            detail={"delivery": delivery.id, "state": delivery.state.value},
        )


def require_takers(delivery: Delivery, present: Present, premises: Premises, *, act: str, at: datetime) -> None:
    """Refuse people who may not take a delivery out of its drawer and carry it, or too few of them."""
    handling_class = delivery.handling_class
    wanted = premises.rule(handling_class).receivers if delivery.loading is not None else 1
    fits = who_may_carry(delivery, premises)
    who = "staff of the pharmacy or of the ward it goes to, the nurse in charge or the site manager"
    require_people(present, wanted=wanted, fits=fits, who=who, act=act, handling_class=handling_class, at=at)


def who_may_carry(delivery: Delivery, premises: Premises) -> Fits:
    """Return whether somebody may carry a delivery on, and so answer for it."""
    start, end = premises.place(delivery.from_station), premises.place(delivery.to_station)
    ward = on_ward(end, handling_class=delivery.handling_class, policy=premises.policy)
    anywhere = (Role.PORTER,) if delivery.handling_class is HandlingClass.ORDINARY else ()
    others = holds_role(Role.SITE_MANAGER, Role.NURSE_IN_CHARGE, *anywhere)
    return either(in_pharmacy(start), in_pharmacy(end), ward, others)


def _when(delivery: Delivery, taken_out: TakenOut, *, at: datetime) -> datetime:
    """Return when it was taken out: now, or when two people say that they used the key."""
    if not taken_out.is_by_key:
        if taken_out.occurred_at is None:
            return at
        raise _no_moment("it names a moment, and no key opened the drawer", "none", "Leave it out.")
    if taken_out.occurred_at is None:
        raise _no_moment("it does not say when the key opened the drawer", "that moment", "Say when, as you know it.")
    if taken_out.occurred_at > at:
        raise _no_moment("its moment has not come", "when the key opened the drawer", "Correct the moment.")
    if taken_out.occurred_at < (delivery.queued_at if delivery.loading is None else delivery.loading.at):
        raise _no_moment(
            "its moment is before the drawer was loaded and sealed",
            "one after that",
            "Look at its history, correct it.",
        )
    return taken_out.occurred_at


def _no_moment(found: str, expected: str, remedy: str) -> OccurredAtError:
    return OccurredAtError(
        f"{ACT} was refused: {found}; expected {expected}. {remedy}", detail={"field": "occurred_at"}
    )


def _record_key(
    uow: UnitOfWork,
    delivery: Delivery,
    *,
    at: datetime,
    occurred_at: datetime,
    present: Present,
    premises: Premises,
    ids: Ids,
) -> None:
    place = premises.place(delivery.from_station)
    sentence = "The drawer was opened by its mechanical key; the contents are to be counted."
    if comes_late(occurred_at, at=at):
        sentence = f"{sentence} That was entered later than the day after."
    record_event(
        uow,
        delivery,
        "mechanical_key",
        at=at,
        occurred_at=occurred_at,
        place=place,
        present=present,
        reason=sentence,
    )
    _incident(uow, delivery, IncidentKind.MECHANICAL_KEY, sentence, at=at, ids=ids, present=present, place=place)


def _look_at_seal(
    uow: UnitOfWork,
    delivery: Delivery,
    taken_out: TakenOut,
    *,
    at: datetime,
    present: Present,
    premises: Premises,
    ids: Ids,
    has_to: bool = False,
) -> None:
    place = premises.place(delivery.from_station)
    is_unread = taken_out.seal_number is None and not taken_out.totes
    if delivery.loading is None or (is_unread and not has_to):
        return
    reads = seals_named(delivery, seal_number=taken_out.seal_number, totes=taken_out.totes, act=ACT)
    for tote in delivery.open_totes:
        if any(read.tote == tote.id and not is_same_seal(tote, read.seal_number) for read in reads):
            sentence = f"The seal of tote {tote.id}, read when it was taken out, is not the one that was put on."
            _incident(uow, delivery, IncidentKind.SEAL_DIFFERS, sentence, at=at, ids=ids, present=present, place=place)


def _incident(
    uow: UnitOfWork,
    delivery: Delivery,
    kind: IncidentKind,
    sentence: str,
    *,
    at: datetime,
    ids: Ids,
    present: Present,
    place: PlaceId,
) -> None:
    if any(is_for_officer(line) for line in delivery.lines):
        open_incident(uow, delivery, kind, sentence, at=at, ids=ids, place=place, caused_by=present.ids)
