"""Whether a pack is what the line asks for, and what is said of it is what stands on it.

A code that was scanned knows its pack better than whoever types beside it, and the catalogue knows it better than a
line that was asked for in words alone. Where they contradict each other somebody has the wrong pack in hand.
"""

from __future__ import annotations

from datetime import date

from orchestrator.application.ports import UnitOfWork
from orchestrator.application.stricter_since import is_stricter
from orchestrator.domain.custody.errors import PackContradictedError, WrongMedicineError
from orchestrator.domain.delivery.model import Line
from orchestrator.domain.medicine.batch import is_same_batch
from orchestrator.domain.medicine.model import Medicine
from orchestrator.domain.scanning.model import Scanned


def require_as_scanned(scanned: Scanned, *, line: str, batch: str | None, expiry: date | None) -> None:
    """Refuse a batch or an expiry that was typed beside a code which gives another.

    Raises
    ------
    PackContradictedError
        Names the field.
    """
    for field in _differing(batch, expiry, known_batch=scanned.batch, known_expiry=scanned.expiry):
        raise PackContradictedError(
            f"The dispensing was refused: the {field} typed for line {line} is not the one in the code of its pack; "
            "expected one pack that says both. Look at the pack, and leave out what its code gives.",
            detail={"field": f"lines.{field}", "line": line},
        )


def require_as_asked(line: Line, *, batch: str | None, expiry: date | None) -> None:
    """Refuse a pack of another batch or expiry than the line asks for: whoever receives it reads both of the line.

    Raises
    ------
    PackContradictedError
        Names the field, and what was asked for.
    """
    for field in _differing(batch, expiry, known_batch=line.batch, known_expiry=line.expiry):
        wanted = line.batch if field == "batch" else line.expiry
        raise PackContradictedError(
            f"The dispensing was refused: what was picked for line {line.id} is of another {field} than it asks for; "
            f"expected {wanted}. Pick that, or cancel the delivery and queue it anew without the {field}.",
            detail={"field": f"lines.{field}", "line": line.id, "expected": str(wanted)},
        )


def require_same_medicine(uow: UnitOfWork, line: Line, *, gtin: str | None, is_by_robot: bool) -> Medicine | None:
    """Refuse a scanned pack that is not the medicine of the line, or more than a line without a code allows for.

    Returns
    -------
    Medicine or None
        What the pack is by the catalogue; None where no pack was scanned, or nobody knows it.

    Raises
    ------
    WrongMedicineError
        It is another medicine, form or strength, nobody knows which, or one that a line in words alone does not cover:
        handled more strictly, kept colder, or never riding.
    """
    medicine = None if gtin is None else uow.medicines.by_gtin(gtin)
    if gtin is None or (line.code is not None and medicine is not None and medicine.code == line.code):
        return medicine
    if line.code is not None:
        raise WrongMedicineError(
            f"The dispensing was refused: the pack scanned for line {line.id} is not the medicine, form and strength "
            "asked for, or nobody knows it; expected that one. Compare the pack with the line and pick again.",
            detail={"line": line.id},
        )
    if medicine is not None and (is_stricter(medicine, line) or (is_by_robot and medicine.is_never_by_robot)):
        raise WrongMedicineError(
            f"The dispensing was refused: the pack scanned for line {line.id} is {medicine.title}, which is handled "
            "more strictly, kept colder or carried otherwise than the line, that has no code, was asked for; expected "
            "a line with its code. Compare the pack with the line; if it is meant, cancel the delivery and queue it "
            "anew with the code.",
            detail={"line": line.id, "code": medicine.code, "handling_class": medicine.handling_class.value},
        )
    return medicine


def _differing(
    batch: str | None, expiry: date | None, *, known_batch: str | None, known_expiry: date | None
) -> tuple[str, ...]:
    """Return which of the two is said otherwise than it is known."""
    is_other_batch = batch is not None and known_batch is not None and not is_same_batch(batch, known_batch)
    is_other_expiry = expiry is not None and known_expiry is not None and expiry != known_expiry
    return (*(("batch",) if is_other_batch else ()), *(("expiry",) if is_other_expiry else ()))
