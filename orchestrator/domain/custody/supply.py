"""What a delivery may be supplied for: basis, patient, quantities, and what never rides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.custody.errors import (
    AboveUsualError,
    BasisMissingError,
    NeverByRobotError,
    PatientMissingError,
    QuantityWordsError,
)
from orchestrator.domain.custody.policy import CustodyPolicy
from orchestrator.domain.custody.words import in_words, says
from orchestrator.domain.delivery.custody_record import BASES_OF, Basis, BasisKind, Carrier, SupplyKind
from orchestrator.domain.delivery.request import LineRequest
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.reason import require_told

ACT = "The delivery"
FOR_ONE_PATIENT = frozenset({SupplyKind.PATIENT, SupplyKind.DISCHARGE})


@dataclass(frozen=True, slots=True)
class SupplyRequest:
    """For what a delivery is asked for; see `orchestrator.domain.delivery.custody_record.CustodyRecord`.

    ``above_usual_because`` is a pharmacist's reason for more than is usual.
    """

    kind: SupplyKind = SupplyKind.WARD_STOCK
    basis: Basis | None = None
    patient: str | None = None
    is_own_of_patient: bool = False
    carrier: Carrier = Carrier.ROBOT
    above_usual_because: str | None = None


WARD_STOCK = SupplyRequest()
"""Stock for a ward, on no paper."""


def check_supply(
    supply: SupplyRequest,
    lines: Sequence[LineRequest],
    *,
    handling_class: HandlingClass,
    policy: CustodyPolicy,
    is_asked_by_pharmacist: bool,
) -> None:
    """Refuse a supply that the rules do not allow.

    Raises
    ------
    BasisMissingError, PatientMissingError, QuantityWordsError, AboveUsualError
        The basis does not fit the supply, or is missing for this class; the patient is missing, or one is named who
        should not be; a quantity in words is not the one in figures; more than usual is asked for without a reason.
    InvalidInputError
        The reference of the basis, or the reason, says nothing or cannot be shown.
    """
    _check_basis(supply, handling_class=handling_class, policy=policy)
    if supply.basis is not None:
        require_told(supply.basis.reference, act=ACT, field="supply.basis.reference")
    if supply.above_usual_because is not None:
        require_told(supply.above_usual_because, act=ACT, field="supply.above_usual_because")
    _check_patient(supply)
    for number, line in enumerate(lines):
        if line.quantity_in_words is not None and not says(line.quantity_in_words, line.quantity):
            raise QuantityWordsError(
                f"The delivery was refused: lines[{number}].quantity_in_words does not say the quantity in figures; "
                "expected both to be the same. Ask whoever signed it which is meant.",
                detail={"field": f"lines[{number}].quantity_in_words", "example": in_words(28)},
            )
        is_above = line.handling_class is HandlingClass.CONTROLLED and line.quantity > policy.controlled_quantity_max
        if is_above and not (supply.above_usual_because and is_asked_by_pharmacist):
            raise AboveUsualError(
                f"The delivery was refused: lines[{number}].quantity is more than is usual for a controlled medicine; "
                "expected a pharmacist to queue it and to say why in supply.above_usual_because. Ask one.",
                detail={"field": f"lines[{number}].quantity"},
            )


def _check_basis(supply: SupplyRequest, *, handling_class: HandlingClass, policy: CustodyPolicy) -> None:
    fitting = BASES_OF[supply.kind]
    listed = " or ".join(sorted(kind.value for kind in fitting))
    if supply.basis is None:
        if handling_class.strictness < policy.basis_from.strictness:
            return
        raise BasisMissingError(
            f"The delivery was refused: it names no basis of supply; expected {listed} with its number. "
            "Add supply.basis.",
            detail={"field": "supply.basis", "expected": sorted(kind.value for kind in fitting)},
        )
    if supply.basis.kind not in fitting:
        raise BasisMissingError(
            f"The delivery was refused: {supply.basis.kind.value} is no basis for {supply.kind.value}; "
            f"expected {listed}. Correct the kind of supply or its basis.",
            detail={"field": "supply.basis.kind", "expected": sorted(kind.value for kind in fitting)},
        )
    is_requisition = supply.basis.kind is BasisKind.WARD_REQUISITION
    if is_requisition and handling_class is HandlingClass.CONTROLLED and supply.basis.requested_by is None:
        raise BasisMissingError(
            "The delivery was refused: a requisition for a controlled medicine names nobody who signed it; expected "
            "the id of somebody on the ward's list in supply.basis.requested_by. Add it.",
            detail={"field": "supply.basis.requested_by"},
        )


def _check_patient(supply: SupplyRequest) -> None:
    is_for_one = supply.kind in FOR_ONE_PATIENT or supply.is_own_of_patient
    if is_for_one and supply.patient is None:
        raise PatientMissingError(
            f"The delivery was refused: supply {supply.kind.value} names no patient; expected an NHS number, or the "
            "local number of a patient without one. Add supply.patient.",
            detail={"field": "supply.patient"},
        )
    if not is_for_one and supply.patient is not None and supply.kind is SupplyKind.WARD_STOCK:
        raise PatientMissingError(
            "The delivery was refused: ward stock names a patient; expected none. Leave supply.patient out, or make it "
            "a supply for a patient.",
            detail={"field": "supply.patient"},
        )


def require_may_ride(never: Sequence[str], carrier: Carrier) -> None:
    """Refuse a robot for medicines of the list that never rides, named by code.

    Raises
    ------
    NeverByRobotError
        Such a line is there and a robot is asked for.
    """
    if carrier is Carrier.MESSENGER or not never:
        return
    raise NeverByRobotError(
        f"The delivery was refused: {len(never)} of its medicines never ride on a robot; expected a messenger for "
        "them. Queue them with supply.carrier messenger, and the rest apart.",
        detail={"codes": sorted(never), "offered": Carrier.MESSENGER.value},
    )
