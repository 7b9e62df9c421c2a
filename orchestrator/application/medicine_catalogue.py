"""Medicines are loaded from a catalogue, and a pharmacist classifies what no catalogue has.

A pharmacist's word may make a medicine's handling stricter at any time, and less strict only while nobody has said its
schedule; a less strict schedule comes with the next catalogue, which says so of everybody's copy.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.errors import ConflictError, InvalidInputError, NotFoundError
from orchestrator.domain.medicine.handling import HandlingClass, strictest
from orchestrator.domain.medicine.model import (
    Classification,
    Medicine,
    MedicineCode,
    check_medicine,
    require_code,
    require_not_lower,
)
from orchestrator.domain.medicine.schedule import Schedule
from orchestrator.domain.reason import require_said


class GtinTakenError(ConflictError):
    """A trade item number is another medicine's already."""

    code = "gtin_taken"


class MadeUpMedicinesError(ConflictError):
    """A catalogue of made-up medicines would enter the books of a real fleet."""

    code = "test_data_refused"


class ScheduleLoosenedError(InvalidInputError):
    """Somebody would say a less strict schedule than is known."""

    code = "schedule_loosened"


class UnknownMedicineError(NotFoundError):
    """No catalogue has the medicine, and nobody has classified it."""

    code = "medicine_unknown"


@dataclass(frozen=True, slots=True)
class ClassificationRequest:
    """What a pharmacist says of a medicine; names are needed where no catalogue has any."""

    code: str
    schedule: Schedule
    reason: str
    handle_as: HandlingClass | None = None
    name: str | None = None
    form: str | None = None
    strength: str | None = None
    unit: str | None = None
    drug_class: str | None = None


def load_medicines(uow: UnitOfWork, medicines: Collection[Medicine], *, is_simulation: bool) -> int:
    """Keep the medicines of a catalogue, each in place of what was known of its code, and return how many.

    What a pharmacist of this place said stays: a class that was raised is not lowered by a catalogue, and a schedule
    that the catalogue leaves open is the one that was said.

    Raises
    ------
    MadeUpMedicinesError
        An entry is made up and the fleet is real.
    GtinTakenError
        Two medicines would have one trade item number.
    WardporterError
        A medicine cannot be kept; see `check_medicine`.
    """
    for medicine in medicines:
        check_medicine(medicine)
        if medicine.is_test_data and not is_simulation:
            raise MadeUpMedicinesError(
                "The catalogue was refused: its medicines are marked as test data, and this fleet is real; expected "
                "the hospital's own. Load that, or mark the fleet's robots as simulated.",
                detail={"medicine": medicine.code},
            )
    kept = [_with_local_class(uow, medicine) for medicine in medicines]
    owners = {gtin: medicine.code for medicine in kept for gtin in medicine.gtins}
    for medicine in kept:
        for gtin in medicine.gtins:
            _require_free(uow, gtin, owners[gtin], medicine.code, replaced={each.code for each in kept})
    uow.medicines.save(kept)
    return len(kept)


def _with_local_class(uow: UnitOfWork, medicine: Medicine) -> Medicine:
    said = uow.medicines.classifications(medicine.code)
    raised = [one.handle_as for one in (*said, medicine) if one.handle_as is not None]
    schedule = said[-1].schedule if said and medicine.schedule is None else medicine.schedule
    return replace(medicine, schedule=schedule, handle_as=strictest(*raised) if raised else None)


def _require_free(
    uow: UnitOfWork, gtin: str, owner: MedicineCode, code: MedicineCode, *, replaced: Collection[MedicineCode]
) -> None:
    known = uow.medicines.by_gtin(gtin)
    if owner != code or (known is not None and known.code != code and known.code not in replaced):
        raise GtinTakenError(
            "The catalogue was refused: a trade item number is given to two medicines; expected one each. Correct the "
            "entry that is wrong; the pack says what it is.",
            detail={"gtin": gtin, "medicines": sorted({owner, code, *(() if known is None else (known.code,))})},
        )


def classify_medicine(uow: UnitOfWork, request: ClassificationRequest, *, at: datetime, by: str) -> Medicine:
    """Keep what a pharmacist says of a medicine, and return the medicine as it is handled from now on.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    request : ClassificationRequest
        What is said.
    at : datetime
        Now; aware.
    by : str
        Id of the pharmacist; who may do this is the access policy's.

    Raises
    ------
    ClassLoweredError
        The medicine would be handled less strictly than its schedule, or what was said before, asks for.
    ScheduleLoosenedError
        Its schedule, which a catalogue or somebody said before, would be a less strict one.
    WardporterError
        The code or a text is not as expected.
    """
    require_said(request.reason, act="The classification")
    code = require_code(request.code)
    known = uow.medicines.get(code)
    said = replace(
        known,
        schedule=request.schedule,
        handle_as=request.handle_as if request.handle_as is not None else known.handle_as,
        **{
            field: value
            for field in ("name", "form", "strength", "unit", "drug_class")
            if (value := getattr(request, field)) is not None
        },
    )
    check_medicine(said)
    if known.is_classified:
        require_not_lower(said.handling_class, known.handling_class)
    elif known.handle_as is not None:
        require_not_lower(said.handling_class, known.handle_as)
    if known.schedule is not None and request.schedule.strictness < known.schedule.strictness:
        raise ScheduleLoosenedError(
            f"The classification was refused: {known.schedule.label} would become {request.schedule.label}; expected "
            "the same schedule or a stricter one, as registers and reports go by it. A schedule that the law loosens "
            "comes with the next catalogue.",
            detail={"field": "category", "known": known.schedule.value, "asked": request.schedule.value},
        )
    uow.medicines.save([said])
    uow.medicines.add_classification(
        Classification(code, at, by, request.schedule, request.handle_as, request.reason.strip())
    )
    uow.events.append(
        at=at,
        kind="medicine.classified",
        subject=code,
        data={"schedule": request.schedule.value, "handling_class": said.handling_class.value, "by": by},
    )
    return said


def medicine_of(uow: UnitOfWork, code: str) -> Medicine:
    """Return a medicine that is known; raises `UnknownMedicineError`."""
    medicine = uow.medicines.find(MedicineCode(code))
    if medicine is None:
        raise UnknownMedicineError(
            "No medicine has this code here; expected one of the catalogue, or one that a pharmacist has classified. "
            "Until then it is handled as a controlled drug.",
            detail={"medicine": code},
        )
    return medicine


def page_of_medicines(uow: UnitOfWork, *, after: str | None, limit: int) -> Sequence[Medicine]:
    """Return up to ``limit`` medicines by code, beyond ``after``."""
    return uow.medicines.page(after=None if after is None else MedicineCode(after), limit=limit)
