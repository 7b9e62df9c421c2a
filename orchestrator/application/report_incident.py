"""A person reports that something is wrong with a delivery; no robot carries it any further.

Of a controlled drug an incident is opened, for the accountable officer too; of what is on the ledger, an entry says who
reported it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from orchestrator.application.calling import Call, call_people
from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.drawer_incidents import POLICE, for_the_police
from orchestrator.application.hand_to_runner import require_takers
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.recorded_acts import is_for_officer, is_on_ledger, open_incident, record_event
from orchestrator.domain.custody.contacts import Function
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.people import Present
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.lifecycle import ALLOWED, moved, require_state
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.reason import Reason, require_said

ACT = "The incident"
EMPTIED = "The report of an empty drawer (without is_emptied one person reports the rest)"
REPORTED = "incident_reported"

BEFORE_IT = tuple(state for state, after in ALLOWED.items() if DeliveryState.INCIDENT in after)


class IncidentCode(StrEnum):
    """What is wrong."""

    LOST = "lost"
    DAMAGED = "damaged"
    SEAL_BROKEN = "seal_broken"
    DRAWER_FORCED = "drawer_forced"
    WRONG_CONTENTS = "wrong_contents"
    ROBOT_FAILED = "robot_failed"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class _Told:
    """What everybody is told of a code: the words of who reports may name a patient, and are for few."""

    kind: IncidentKind
    sentence: str
    calls_security: bool = False


TOLD: Mapping[IncidentCode, _Told] = {
    IncidentCode.LOST: _Told(IncidentKind.LOST, "A person reports it lost. Look for it.", calls_security=True),
    IncidentCode.DAMAGED: _Told(IncidentKind.OTHER, "A person reports it damaged. Have it counted by two people."),
    IncidentCode.SEAL_BROKEN: _Told(
        IncidentKind.SEAL_BROKEN, "A person reports its seal broken. Have it counted by two people."
    ),
    IncidentCode.DRAWER_FORCED: _Told(
        IncidentKind.DRAWER_FORCED,
        "A person reports its drawer forced. Have it taken out and counted by two people.",
        calls_security=True,
    ),
    IncidentCode.WRONG_CONTENTS: _Told(
        IncidentKind.WRONG_CONTENTS, "A person reports that it holds something else. Set it apart."
    ),
    IncidentCode.ROBOT_FAILED: _Told(
        IncidentKind.OTHER, "A person reports that the robot which has it failed. Have it taken out by two people."
    ),
    IncidentCode.OTHER: _Told(IncidentKind.OTHER, "A person reports that something is wrong with it. Look into it."),
}

_CODE = "incident_"
"""How the code of a reason begins that stands for what a person reported."""


def told_of(reason: Reason) -> str:
    """Return what everybody may be told of why a delivery is in an incident; not the words of who reported it."""
    code = reason.code.removeprefix(_CODE)
    return TOLD[IncidentCode(code)].sentence if reason.code == _CODE + code and code in TOLD else reason.sentence


CALLED = (Function.SECURITY, Function.PHARMACY, Function.ACCOUNTABLE_OFFICER)


def report_incident(
    uow: UnitOfWork,
    *,
    delivery: DeliveryId,
    code: IncidentCode,
    sentence: str,
    is_emptied: bool,
    at: datetime,
    present: Present,
    premises: Premises,
    ids: Ids,
) -> Delivery:
    """Record an incident: the delivery ends for robots, and people look into it.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    delivery : DeliveryId
        Which delivery.
    code : IncidentCode
        What is wrong.
    sentence : str
        What happened, in the words of the person.
    is_emptied : bool
        Whether its drawer is empty. If not, the drawer stays locked and taken.
    at : datetime
        Now; aware.
    present : Present
        Who reports it, and who proved themselves: nobody has to, but to say that what is on the ledger is out of its
        drawer.
    premises : Premises
        Stations, places and policy.
    ids : Ids
        Where new ids come from.

    Returns
    -------
    Delivery
        ``incident``; as it was when it is one already, but for the drawer. What is reported further is kept with it.

    Raises
    ------
    UnknownDeliveryError, WrongStateError, InvalidInputError
        There is no such delivery, it is closed, or the sentence says nothing.
    NotEligibleError, PeopleMissingError, SamePersonError
        Those who say that its drawer is empty may not take it out, or are too few.
    """
    require_said(sentence, act=ACT)
    before = uow.deliveries.get(delivery)
    if before.state is not DeliveryState.INCIDENT:
        require_state(before, *BEFORE_IT, act=ACT, next_step="It is closed; tell the pharmacy.")
    after = before
    if any(is_on_ledger(line) for line in before.lines) and is_emptied and before.is_in_drawer:
        after = _taken_out(uow, before, code, at=at, present=present, premises=premises)
    if any(is_for_officer(line) for line in before.lines):
        _tell(uow, before, code, sentence.strip(), at=at, present=present, premises=premises, ids=ids)
    if is_emptied or not before.is_in_drawer:
        after = after.out_of_drawer()
    if before.state is not DeliveryState.INCIDENT:
        said = Reason(f"{_CODE}{code.value}", sentence.strip())
        after = moved(after, DeliveryState.INCIDENT, at=at, cause=present.by, reason=said)
    if after != before:
        keep_change(uow, after, at=at)
    return after


def _taken_out(
    uow: UnitOfWork, delivery: Delivery, code: IncidentCode, *, at: datetime, present: Present, premises: Premises
) -> Delivery:
    """Return the delivery in the hands of those who took it out; what they found gone is in nobody's."""
    require_takers(delivery, present, premises, act=EMPTIED, at=at)
    is_gone = code is IncidentCode.LOST
    before = delivery.custody.accountable
    taker = before if is_gone else present.people[0].id
    record_event(
        uow,
        delivery,
        "found_empty" if is_gone else "taken_out",
        at=at,
        place=premises.place(delivery.from_station),
        present=present,
        reason=TOLD[code].sentence,
        facts={"from_person": before or "nobody", "to_person": taker or "nobody"},
    )
    return replace(delivery, custody=replace(delivery.custody, accountable=taker))


def _tell(
    uow: UnitOfWork,
    delivery: Delivery,
    code: IncidentCode,
    words: str,
    *,
    at: datetime,
    present: Present,
    premises: Premises,
    ids: Ids,
) -> None:
    """Open the incident, and call people to what may be stolen; more of the same is kept with the one that stands."""
    told = TOLD[code]
    standing = [one for one in uow.incidents.of_delivery(delivery.id) if one.kind is told.kind and not one.is_closed]
    if standing:
        if not any(words in one.details for one in standing):
            more = f"{standing[0].details} {at:%Y-%m-%dT%H:%MZ} {present.by}: {words}"
            uow.incidents.save(replace(standing[0], details=more.strip()))
        return
    place = premises.place(delivery.from_station)
    facts = {"code": code.value, "by": present.by}
    record_event(uow, delivery, REPORTED, at=at, place=place, present=present, reason=told.sentence, facts=facts)
    there = (PersonId(present.by), *present.ids, *filter(None, (delivery.custody.accountable,)))
    open_incident(
        uow,
        delivery,
        told.kind,
        f"{told.sentence} {POLICE}" if told.calls_security else told.sentence,
        at=at,
        ids=ids,
        place=place,
        caused_by=tuple(dict.fromkeys(there)),
        details=f"{words} {for_the_police(uow, delivery)}" if told.calls_security else words,
    )
    if told.calls_security:
        sentence = f"Of delivery {delivery.id}: {told.sentence}"
        call = Call(f"reported_{code.value}", sentence, CALLED)
        call_people(uow, call, subject=delivery.id, contacts=premises.policy.contacts, at=at)
