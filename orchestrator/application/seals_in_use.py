"""A seal is put on once."""

from __future__ import annotations

from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.delivery.errors import SealInUseError
from orchestrator.domain.delivery.model import Delivery
from orchestrator.domain.medicine.handling import HandlingClass


def check_seal_is_new(uow: UnitOfWork, seal_number: str, delivery: Delivery, *, act: str) -> None:
    """Refuse a seal that some tote carries, or carried; ordinary medicines may reuse that of a closed delivery.

    Raises
    ------
    SealInUseError
        Names the delivery that has it.
    """
    holder = uow.deliveries.sealed_with(seal_number)
    is_ordinary = delivery.handling_class is HandlingClass.ORDINARY
    if holder is None or (is_ordinary and holder.state.is_closed):
        return
    raise SealInUseError(
        f"{act} was refused: delivery {holder.id} carries, or carried, this seal number; expected a seal that was "
        "never used. Read the number again, or take another seal.",
        detail={"delivery": delivery.id, "holder": holder.id},
    )
