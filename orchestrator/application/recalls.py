"""Recalls: what they hit, what is turned back, and what every place says it found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.domain.custody.balances import Balance
from orchestrator.domain.custody.model import AccountKind
from orchestrator.domain.delivery.custody_record import LineEnd
from orchestrator.domain.delivery.model import Delivery, DeliveryState, Line, LineId, Tote
from orchestrator.domain.medicine.model import require_code
from orchestrator.domain.medicine.recall import (
    Acknowledgement,
    Recall,
    RecallClass,
    RecallId,
    check_batches,
)
from orchestrator.domain.reason import require_said
from orchestrator.domain.site.model import PlaceId

RECALL_RAISED = "recall_raised"
RECALL_ACKNOWLEDGED = "recall_acknowledged"
RECALL_ENDED = "recall_ended"

HELD = (AccountKind.CUPBOARD, AccountKind.TRANSIT, AccountKind.QUARANTINE, AccountKind.RETURNED)
"""The accounts whose units are still somewhere in the house."""


@dataclass(frozen=True, slots=True)
class RecallRequest:
    """A recall as it was told to us; no batches means every batch."""

    medicine: str
    recall_class: RecallClass
    reference: str
    reason: str
    batches: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Affected:
    """What a recall hits.

    ``under_way`` are deliveries that are not closed and hold, or may hold, what is recalled; one aboard whose batch
    nobody read may. ``brought`` are those of which it was received, newest first, whatever became of their other lines.
    ``held`` is what the ledger knows of, by account.
    """

    recall: Recall
    under_way: tuple[Delivery, ...]
    brought: tuple[Delivery, ...]
    held: tuple[Balance, ...]

    def totes_of(self, delivery: Delivery) -> tuple[Tote, ...]:
        """Return the totes of a delivery that hold, or brought, what is recalled, or may."""
        return totes_holding(delivery, lambda line: _may_hold(line, delivery, self.recall))


def affected(uow: UnitOfWork, recall: Recall) -> Affected:
    """Return what a recall hits now, also one that has ended."""
    under_way = tuple(delivery for delivery in uow.deliveries.open() if _is_hit(delivery, recall))
    brought = tuple(
        delivery
        for delivery in uow.deliveries.with_medicine(recall.medicine)
        if any(_holds(line, delivery, recall) and was_brought(line, delivery) for line in delivery.lines)
    )
    held = tuple(
        balance
        for balance in uow.ledger.balances(medicine=recall.medicine)
        if balance.account.kind in HELD and recall.names(balance.stock.medicine, balance.stock.batch)
    )
    return Affected(recall, under_way, brought, held)


def batch_of(line: Line, delivery: Delivery) -> str | None:
    """Return the batch that was picked for a line, or asked for; None while nobody read it."""
    picked = delivery.custody.picked(line.id)
    return (picked.batch if picked is not None else None) or line.batch


def was_brought(line: Line, delivery: Delivery) -> bool:
    """Whether a line was taken in where it was brought, whatever becomes of the others; not one that came back.

    What is set apart where it is taken in lies there as well.
    """
    ended = delivery.custody.ended(line.id)
    if ended is None:
        return delivery.state is DeliveryState.RECEIVED
    if ended.end is LineEnd.QUARANTINED:
        came_back_at = next((c.at for c in delivery.history if c.after is DeliveryState.RETURNED), None)
        return came_back_at is None or ended.at < came_back_at
    return ended.end in (LineEnd.RECEIVED, LineEnd.RECEIVED_DIFFERENT)


def recalled_lines(uow: UnitOfWork, delivery: Delivery) -> tuple[LineId, ...]:
    """Return the lines of a delivery that hold a recalled batch, or may: nobody read theirs."""
    standing = uow.recalls.standing()
    return tuple(
        line.id for line in delivery.lines if any(_holds_or_may(line, delivery, recall) for recall in standing)
    )


def totes_holding(delivery: Delivery, is_meant: Callable[[Line], bool]) -> tuple[Tote, ...]:
    """Return the totes of a delivery with lines of some kind; of one under way, with those not yet taken out."""
    is_closed = delivery.state.is_closed
    meant = {
        line.id for line in delivery.lines if is_meant(line) and (is_closed or delivery.custody.ended(line.id) is None)
    }
    return tuple(tote for tote in delivery.totes if meant.intersection(tote.lines))


def _holds(line: Line, delivery: Delivery, recall: Recall) -> bool:
    return line.code is not None and recall.names(line.code, batch_of(line, delivery))


def _may_hold(line: Line, delivery: Delivery, recall: Recall) -> bool:
    is_out_of_hand = delivery.state.is_aboard or delivery.is_in_drawer
    return (_holds_or_may if is_out_of_hand else _holds)(line, delivery, recall)


def _holds_or_may(line: Line, delivery: Delivery, recall: Recall) -> bool:
    is_unread = line.code == recall.medicine and batch_of(line, delivery) is None
    return is_unread or _holds(line, delivery, recall)


def _is_hit(delivery: Delivery, recall: Recall) -> bool:
    return any(_may_hold(line, delivery, recall) for line in delivery.lines)


def raise_recall(
    uow: UnitOfWork,
    request: RecallRequest,
    *,
    places: Sequence[PlaceId],
    turn_back: Callable[[UnitOfWork, Delivery], object],
    at: datetime,
    ids: Ids,
    by: str,
) -> Recall:
    """Keep a recall, turn back what is under way, and ask every place to look.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    request : RecallRequest
        What is recalled, and why.
    places : sequence of PlaceId
        The places that are asked to look and say so.
    turn_back : callable
        Lets one delivery go no further: cancelled before it is sealed, else brought back unopened.
    at : datetime
        Now; aware.
    ids : Ids
        Where new ids come from.
    by : str
        Id of who raises it; who may is the access policy's.

    Raises
    ------
    WardporterError
        The code, a batch, the reference or the reason is not as expected; nothing is kept then.
    """
    require_said(request.reason, act="The recall")
    require_said(request.reference, act="The recall")
    check_batches(request.batches)
    recall = Recall(
        id=RecallId(ids.new("recall")),
        medicine=require_code(request.medicine),
        batches=request.batches,
        recall_class=request.recall_class,
        reference=request.reference.strip(),
        reason=request.reason.strip(),
        raised_by=by,
        raised_at=at,
        places=tuple(dict.fromkeys(places)),
    )
    uow.recalls.add(recall)
    for delivery in affected(uow, recall).under_way:
        turn_back(uow, delivery)
    _tell(uow, RECALL_RAISED, recall, at=at, by=by)
    return recall


def acknowledge_recall(uow: UnitOfWork, recall: RecallId, said: Acknowledgement) -> Recall:
    """Keep what a place says it found; raises as `Recall.acknowledged`, and `UnknownRecallError`."""
    after = uow.recalls.get(recall).acknowledged(said)
    uow.recalls.save(after)
    _tell(uow, RECALL_ACKNOWLEDGED, after, at=said.at, by=said.by, place=said.place)
    return after


def end_recall(uow: UnitOfWork, recall: RecallId, *, at: datetime, by: str) -> Recall:
    """Keep that a recall is no longer in force; raises `UnknownRecallError`."""
    before = uow.recalls.get(recall)
    after = before.ended(at=at, by=by)
    if after is not before:
        uow.recalls.save(after)
        _tell(uow, RECALL_ENDED, after, at=at, by=by)
    return after


def _tell(uow: UnitOfWork, kind: str, recall: Recall, *, at: datetime, by: str, **more: str) -> None:
    data: dict[str, object] = {"medicine": recall.medicine, "outstanding": list(recall.outstanding), "by": by, **more}
    uow.events.append(at=at, kind=kind, subject=recall.id, data=data)
