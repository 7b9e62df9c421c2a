"""What became stricter for a medicine between queueing and sealing: what was asked of the delivery no longer suffices.

How a delivery is handled is settled as it is queued, and everything goes by that: verification, check, people,
approval, drawer and ledger. A pharmacist, or the next catalogue, may ask for more meanwhile.
"""

from __future__ import annotations

from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.custody.errors import NeverByRobotError, StricterSinceError
from orchestrator.domain.delivery.custody_record import Carrier
from orchestrator.domain.delivery.model import Delivery, Line
from orchestrator.domain.medicine.model import Medicine, MedicineCode, StorageKind


def require_not_stricter(uow: UnitOfWork, delivery: Delivery, *, is_by_robot: bool, act: str) -> None:
    """Refuse a delivery whose medicines are handled more strictly, or kept colder, than when it was queued.

    What was asked to be handled more strictly than the catalogue says stays as it was asked for.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    delivery : Delivery
        As it was queued.
    is_by_robot : bool
        Whether a robot carries it.
    act : str
        What is refused, such as ``The loading``.

    Raises
    ------
    StricterSinceError, NeverByRobotError
        It has to be queued anew; a medicine of it rides no more.
    """
    for line in delivery.lines:
        if line.code is None:
            continue
        medicine = uow.medicines.get(MedicineCode(line.code))
        if is_stricter(medicine, line):
            raise StricterSinceError(
                f"{act} was refused: line {line.id} has come to be handled more strictly, or kept colder, since it was "
                f"queued: {medicine.handling_class.value}, {medicine.storage.kind.value}; expected a delivery that was "
                "queued as such. Cancel it and queue it anew.",
                detail={
                    "delivery": delivery.id,
                    "line": line.id,
                    "handling_class": medicine.handling_class.value,
                    "storage": medicine.storage.kind.value,
                },
            )
        if is_by_robot and medicine.is_never_by_robot:
            raise NeverByRobotError(
                f"{act} was refused: line {line.id} has come to be one that never rides since it was queued; expected "
                "a person to carry it. Cancel it, and queue it anew with supply.carrier messenger.",
                detail={"delivery": delivery.id, "line": line.id, "offered": Carrier.MESSENGER.value},
            )


def is_stricter(medicine: Medicine, line: Line) -> bool:
    """Whether a medicine is handled more strictly, or kept colder, than a line says."""
    is_colder = medicine.storage.kind is StorageKind.FRIDGE and line.storage != StorageKind.FRIDGE.value
    return is_colder or medicine.handling_class.strictness > line.handling_class.strictness
