"""Who is there when something is done, from what a request proved."""

from __future__ import annotations

import re
from datetime import datetime

from orchestrator.application.ports import UnitOfWork
from orchestrator.application.scanning import Scanner
from orchestrator.application.step_up import StepUps, people_present, require_present
from orchestrator.domain.access.acts import Act
from orchestrator.domain.custody.errors import PatientMissingError
from orchestrator.domain.custody.people import Present
from orchestrator.domain.people.model import PersonId, Principal, PrincipalKind
from orchestrator.domain.people.patient import LOCAL, NHS
from orchestrator.domain.scanning.model import ScanKind
from orchestrator.http.custody_models import LOCAL_NUMBER, PatientAsked

_TEN_DIGITS = re.compile(r"[0-9]{3} ?[0-9]{3} ?[0-9]{4}", re.ASCII)


def present_of(uow: UnitOfWork, who: Principal, step_ups: StepUps, *, act: Act, delivery: str, at: datetime) -> Present:
    """Return the people who proved themselves for this act on this delivery; their step-ups are used up by it."""
    people = require_present(uow, step_ups, act=act, delivery=delivery, at=at)
    return Present(who.id, people, roles=who.roles, is_believed=who.kind is PrincipalKind.DEVELOPMENT)


def present_if_any(
    uow: UnitOfWork, who: Principal, step_ups: StepUps, *, act: Act, delivery: str, at: datetime
) -> Present:
    """As `present_of`, but nobody has to have proved themselves."""
    people = people_present(uow, step_ups, act=act, delivery=delivery, at=at)
    return Present(who.id, people, roles=who.roles, is_believed=who.kind is PrincipalKind.DEVELOPMENT)


def patient_reference(scanner: Scanner, patient: PatientAsked, *, at: datetime) -> str:
    """Return the reference of a patient: by NHS number, or by the local number of one who has none.

    Raises
    ------
    WardporterError
        The NHS number is none that this fleet may use.
    PatientMissingError
        Neither number is given, or both are.
    """
    if (patient.nhs_number is None) == (patient.local_number is None):
        raise PatientMissingError(
            "The delivery was refused: supply.patient names a patient by no number, or by two; expected nhs_number, or "
            "local_number for a patient who has none. Leave one of them.",
            detail={"field": "supply.patient"},
        )
    if patient.local_number is not None:
        return f"{LOCAL}{patient.local_number}"
    return _by_nhs_number(scanner, patient.nhs_number or "", at=at)


def reference_said(scanner: Scanner, said: str, *, at: datetime) -> str:
    """Return the reference of a patient who is named by an NHS number, a local one, or as a register shows them.

    A delivery of a patient's own medicines and the register they are in name the patient alike by this.

    Raises
    ------
    WardporterError
        The NHS number is none that this fleet may use.
    """
    if said.startswith(LOCAL):
        return _by_local_number(said.removeprefix(LOCAL))
    if said.startswith(NHS):
        return _by_nhs_number(scanner, said.removeprefix(NHS), at=at)
    return _by_nhs_number(scanner, said, at=at) if _is_nhs_number(said) else _by_local_number(said)


def named_to(scanner: Scanner, said: str, *, at: datetime) -> str:
    """Return whom a register names as the patient: by the reference where an NHS number is said, else in those words.

    Raises
    ------
    WardporterError
        The NHS number is none that this fleet may use.
    """
    is_number = said.startswith(NHS) or _is_nhs_number(said)
    return _by_nhs_number(scanner, said.removeprefix(NHS), at=at) if is_number else said


def _is_nhs_number(said: str) -> bool:
    return _TEN_DIGITS.fullmatch(said.strip()) is not None


def _by_local_number(number: str) -> str:
    if re.fullmatch(LOCAL_NUMBER, number, re.ASCII) is None:
        raise PatientMissingError(
            "The entry was refused: the patient's local number is empty or begins or ends with something else than a "
            "letter or digit; expected the number as the place writes it. Correct it.",
            detail={"field": "own_of"},
        )
    return f"{LOCAL}{number}"


def _by_nhs_number(scanner: Scanner, said: str, *, at: datetime) -> str:
    scanned = scanner.scan(said, at=at, wanted=ScanKind.NHS_NUMBER)
    return f"{NHS}{scanned.nhs_number}"


def signed_in(uow: UnitOfWork, who: Principal) -> Present:
    """Return whoever is signed in, for an act that asks for no step-up."""
    people = (uow.people.get(PersonId(who.id)),) if who.kind is PrincipalKind.PERSON else ()
    return Present(who.id, people, roles=who.roles, is_believed=who.kind is PrincipalKind.DEVELOPMENT)
