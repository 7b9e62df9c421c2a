"""Where a batch is: in which cupboards, totes and robots, and to whom it was brought."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.application.ports import UnitOfWork
from orchestrator.application.recalls import HELD, batch_of, totes_holding, was_brought
from orchestrator.domain.custody.balances import Balance
from orchestrator.domain.delivery.model import Delivery, Line, Tote
from orchestrator.domain.medicine.batch import is_same_batch


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a batch is, as far as the books know.

    ``held`` is what the ledger counts, by account. ``under_way`` are deliveries that are not closed, ``brought`` those
    of which it was received, newest first, whatever became of their other lines; of ordinary medicines nothing else is
    known.
    """

    medicine: str | None
    batch: str
    held: tuple[Balance, ...]
    under_way: tuple[Delivery, ...]
    brought: tuple[Delivery, ...]

    def totes_of(self, delivery: Delivery) -> tuple[Tote, ...]:
        """Return the totes of a delivery that hold, or brought, the batch."""
        return totes_holding(delivery, lambda line: _is_of(line, delivery, batch=self.batch, medicine=self.medicine))


def where_is(uow: UnitOfWork, batch: str, *, medicine: str | None = None) -> Whereabouts:
    """Return where a batch is.

    Parameters
    ----------
    uow : UnitOfWork
        The open block.
    batch : str
        As on the pack, or as somebody wrote it down: letter case and spaces make no other one.
    medicine : str or None
        dm+d code. Makers give numbers to batches as they like; without a code, batches of several medicines may be
        meant, and received deliveries are found only for medicines that are in the ledger or under way.
    """
    held = tuple(
        balance
        for balance in uow.ledger.balances(medicine=medicine)
        if balance.account.kind in HELD and balance.quantity and is_same_batch(balance.stock.batch, batch)
    )
    under_way = tuple(
        delivery for delivery in uow.deliveries.open() if any(_lines_of(delivery, batch=batch, medicine=medicine))
    )
    codes = {medicine} if medicine is not None else _codes(held, under_way, batch)
    brought = [
        delivery
        for code in sorted(codes)
        for delivery in uow.deliveries.with_medicine(code)
        if any(was_brought(line, delivery) for line in _lines_of(delivery, batch=batch, medicine=code))
    ]
    return Whereabouts(medicine, batch, held, under_way, tuple(brought))


def _lines_of(delivery: Delivery, *, batch: str, medicine: str | None) -> Iterable[Line]:
    return (line for line in delivery.lines if _is_of(line, delivery, batch=batch, medicine=medicine))


def _is_of(line: Line, delivery: Delivery, *, batch: str, medicine: str | None) -> bool:
    of_line = batch_of(line, delivery)
    is_batch = of_line is not None and is_same_batch(of_line, batch)
    return is_batch and (medicine is None or line.code == medicine)


def _codes(held: Iterable[Balance], under_way: Iterable[Delivery], batch: str) -> set[str]:
    found = {balance.stock.medicine for balance in held}
    for delivery in under_way:
        found |= {line.code for line in _lines_of(delivery, batch=batch, medicine=None) if line.code is not None}
    return found
