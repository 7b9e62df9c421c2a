"""Batches that people type: one that only looks like another would split a stock in two that read alike."""

from __future__ import annotations

from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.custody.errors import BatchLooksAlikeError


def require_no_lookalike(uow: UnitOfWork, medicine: str, batch: str, *, act: str, field: str = "batch") -> None:
    """Refuse a batch by hand that no entry has, where another has it in other capital and small letters.

    What a scanner reads is taken as it is, and so is a batch that is known just so.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    medicine : str
        Code of the medicine.
    batch : str
        As it was typed.
    act : str
        What is refused, such as ``The dispensing``.
    field : str
        Where it was typed.

    Raises
    ------
    BatchLooksAlikeError
        Names the batch that is known.
    """
    known = {balance.stock.batch for balance in uow.ledger.balances(medicine=medicine)}
    alike = sorted(one for one in known if one.casefold() == batch.casefold())
    if not alike or batch in alike:
        return
    raise BatchLooksAlikeError(
        f"{act} was refused: batch {batch} only looks like {alike[0]}, which is known of this medicine, and differs by "
        "capital and small letters alone; expected a batch as the pack prints it. Enter the known one, or scan the "
        "pack.",
        detail={"field": field, "known": alike},
    )
