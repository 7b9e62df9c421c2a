"""Calling people by what they are: an alarm that says whom it is for, how they are reached, and where to go.

An alarm without an audience is for everybody who watches. Neither patients nor quantities are in any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.custody.contacts import Contacts, Function, in_words

ALARM = "alarm"


def _nowhere() -> Mapping[str, object]:
    return {}


@dataclass(frozen=True, slots=True)
class Call:
    """What people are called for.

    Parameters
    ----------
    code : str
        Stable, for machines.
    sentence : str
        What happened and what to do.
    audience : sequence of Function
        Who is called.
    where : mapping
        Where it is, as `orchestrator.application.spots.Spot.data` has it; empty where that is nobody's question.
    """

    code: str
    sentence: str
    audience: Sequence[Function]
    where: Mapping[str, object] = field(default_factory=_nowhere)


def call_people(uow: UnitOfWork, call: Call, *, subject: str, contacts: Contacts, at: datetime) -> None:
    """Append an alarm to the event stream that names those who are called.

    Parameters
    ----------
    subject : str
        Whom or what it is about: a robot, a delivery.
    contacts : Contacts
        How people are reached here.
    """
    data: dict[str, object] = {
        "code": call.code,
        "sentence": f"{call.sentence} Called: {in_words(call.audience, contacts)}.",
        "audience": [one.value for one in call.audience],
        "contacts": {one.value: contacts[one] for one in call.audience if one in contacts},
    }
    if call.where:
        data["where"] = dict(call.where)
    uow.events.append(at=at, kind=ALARM, subject=subject, data=data)
