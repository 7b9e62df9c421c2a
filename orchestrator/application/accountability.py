"""Who answers for what is on its way: handed on by a signed shift handover, never left with nobody.

The accountable person of record is not a claim about legal possession. When that person's account ends while something
is on its way, custody is without a person: people are told at once, and a pharmacist takes it over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.hand_to_runner import who_may_carry
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.recorded_acts import open_incident, open_lines, record_event
from orchestrator.domain.custody.errors import NoCustodyError, PeopleMissingError
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.people import Fits, Present, either, in_pharmacy, require_people
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.model import Person, PersonId, Role
from orchestrator.domain.site.model import PlaceId

ACT = "The handover of accountability"


def answered_for_by(uow: UnitOfWork, person: PersonId) -> Sequence[Delivery]:
    """Return the deliveries on their way that a person answers for, oldest first."""
    return [delivery for delivery in uow.deliveries.open() if delivery.custody.accountable == person]


def pass_accountability(
    uow: UnitOfWork, *, delivery: DeliveryId, at: datetime, present: Present, premises: Premises
) -> Delivery:
    """Record that the second person present takes over from the first, both authenticated.

    Raises
    ------
    UnknownDeliveryError, NoCustodyError
        There is no such delivery, nobody answers for it, or the first person does not.
    NotEligibleError, PeopleMissingError, SamePersonError
        The second may not take it over, or is missing.
    """
    carried = _carried(uow, delivery)
    giver = carried.custody.accountable
    if not present.people or present.people[0].id != giver:
        raise NoCustodyError(
            f"{ACT} was refused: the first to sign does not answer for delivery {delivery}; expected the one who does. "
            "GET /api/v1/deliveries shows who that is.",
            detail={"delivery": delivery},
        )
    if len(present.people) < 2:
        raise PeopleMissingError(
            f"{ACT} was refused: nobody takes delivery {delivery} over; expected two people, the one who answers for "
            "it first. Ask a colleague of the pharmacy to sign as well.",
            detail={"expected": 2, "present": len(present.people)},
        )
    _require_taker(carried, Present(present.by, present.people[1:]), premises, at=at)
    return _taken_over(uow, carried, present.people[1].id, at=at, present=present, premises=premises)


def take_over_accountability(
    uow: UnitOfWork, *, delivery: DeliveryId, at: datetime, present: Present, premises: Premises
) -> Delivery:
    """Record that a pharmacist takes over what nobody answers for.

    Raises
    ------
    UnknownDeliveryError, NoCustodyError
        There is no such delivery, it is not on its way, or somebody answers for it.
    NotEligibleError, PeopleMissingError
        Who takes over is no pharmacist of where it came from.
    """
    carried = _carried(uow, delivery)
    if carried.custody.accountable is not None:
        raise NoCustodyError(
            f"{ACT} was refused: {carried.custody.accountable} answers for delivery {delivery}; expected them to sign "
            "as the first. Do it together.",
            detail={"delivery": delivery, "accountable": carried.custody.accountable},
        )
    if not present.people:
        raise PeopleMissingError(
            f"{ACT} was refused: nobody proved themselves for delivery {delivery}; expected a pharmacist with badge "
            "and PIN. Ask one.",
            detail={"expected": 1, "present": 0},
        )
    _require_taker(carried, present, premises, at=at)
    return _taken_over(uow, carried, present.people[0].id, at=at, present=present, premises=premises)


def leave_without_person(
    uow: UnitOfWork, person: PersonId, *, at: datetime, by: str, premises: Premises, ids: Ids
) -> Sequence[Delivery]:
    """Take a person whose account ends off what they answer for, tell people, and return what is left with nobody."""
    return _left(uow, answered_for_by(uow, person), at=at, by=by, premises=premises, ids=ids)


def leave_what_is_not_theirs(
    uow: UnitOfWork, person: Person, *, at: datetime, by: str, premises: Premises, ids: Ids
) -> Sequence[Delivery]:
    """Take a person who lost a role or place off what they may answer for no longer; as `leave_without_person`."""
    lost = [one for one in answered_for_by(uow, person.id) if not _may_answer(person, one, premises)]
    return _left(uow, lost, at=at, by=by, premises=premises, ids=ids)


def _left(
    uow: UnitOfWork, deliveries: Iterable[Delivery], *, at: datetime, by: str, premises: Premises, ids: Ids
) -> Sequence[Delivery]:
    left: list[Delivery] = []
    for carried in deliveries:
        orphan = replace(carried, custody=replace(carried.custody, accountable=None))
        place = premises.place(carried.from_station)
        sentence = "The person who answered for it no longer may; a pharmacist has to take it over now."
        open_incident(uow, carried, IncidentKind.CUSTODY_WITHOUT_PERSON, sentence, at=at, ids=ids, place=place)
        record_event(uow, carried, "without_person", at=at, place=place, present=Present(by), reason=sentence)
        keep_change(uow, orphan, at=at)
        left.append(orphan)
    return left


def notice_who_left(
    uow: UnitOfWork, deliveries: Iterable[Delivery], *, at: datetime, premises: Premises, ids: Ids
) -> Sequence[Delivery]:
    """Take everybody off what they answer for whose account has ended meanwhile, by revocation or with their shift."""
    answering = {d.custody.accountable for d in deliveries if d.custody.accountable is not None}
    left: list[Delivery] = []
    for person in sorted(answering):
        if not uow.people.get(person).is_active(at):
            left += leave_without_person(uow, person, at=at, by="custody", premises=premises, ids=ids)
    return left


def _carried(uow: UnitOfWork, delivery: DeliveryId) -> Delivery:
    carried = uow.deliveries.get(delivery)
    if carried.loading is None or not open_lines(carried) or carried.state.is_closed:
        raise NoCustodyError(
            f"{ACT} was refused: delivery {delivery} is {carried.state.value}; expected one on its way. Nobody has to "
            "answer for it here.",
            detail={"delivery": delivery, "state": carried.state.value},
        )
    return carried


def _may_answer(person: Person, delivery: Delivery, premises: Premises) -> bool:
    """Whether somebody may go on answering for a delivery: as who took it over, loaded it or carries it."""
    place = premises.place(delivery.from_station)
    loads, _ = premises.staff_of(place, delivery.handling_class)
    is_for_pharmacist = premises.is_pharmacy(place) and delivery.handling_class is HandlingClass.CONTROLLED
    is_with_people = delivery.state in (DeliveryState.HANDED_TO_RUNNER, DeliveryState.INCIDENT)
    carries = is_with_people and who_may_carry(delivery, premises)(person)
    return carries or _takes_over(place, premises)(person) or (loads(person) and not is_for_pharmacist)


def _takes_over(place: PlaceId, premises: Premises) -> Fits:
    pharmacy = in_pharmacy(place)
    if premises.is_pharmacy(place):
        return lambda person: pharmacy(person) and person.has(Role.PHARMACIST)
    return either(pharmacy, lambda person: person.has(Role.NURSE_IN_CHARGE) and person.belongs_to(place))


def _require_taker(delivery: Delivery, present: Present, premises: Premises, *, at: datetime) -> None:
    place = premises.place(delivery.from_station)
    is_pharmacy = premises.is_pharmacy(place)
    require_people(
        present,
        wanted=1,
        fits=_takes_over(place, premises),
        who=f"a pharmacist of {place}" if is_pharmacy else f"the nurse in charge of {place}",
        act=ACT,
        handling_class=delivery.handling_class,
        at=at,
    )


def _taken_over(
    uow: UnitOfWork, delivery: Delivery, taker: PersonId, *, at: datetime, present: Present, premises: Premises
) -> Delivery:
    taken = replace(delivery, custody=replace(delivery.custody, accountable=taker))
    place = premises.place(delivery.from_station)
    facts = {"from_person": delivery.custody.accountable or "nobody", "to_person": taker}
    record_event(uow, delivery, "accountability_passed", at=at, place=place, present=present, facts=facts)
    keep_change(uow, taken, at=at)
    return taken
