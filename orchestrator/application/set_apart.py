"""What is set apart, and what is recalled: of neither does anybody give, put back or destroy what has to stay apart.

What was entered from paper after a downtime has happened, so it is not refused here.
"""

from __future__ import annotations

from orchestrator.application.ports import UnitOfWork
from orchestrator.application.recorded_acts import stock_of
from orchestrator.application.register_entering import Entering
from orchestrator.application.settling import is_in_question
from orchestrator.domain.custody.errors import NotEligibleError, RecalledStockError, StockInQuestionError
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.model import AccountKind
from orchestrator.domain.delivery.model import DeliveryId

SETS_APART = frozenset(
    {
        IncidentKind.SHORT,
        IncidentKind.OVER,
        IncidentKind.SEAL_DIFFERS,
        IncidentKind.WRONG_CONTENTS,
        IncidentKind.TEMPERATURE,
    }
)
"""The incidents of a delivery after which something of it lies in quarantine."""


def require_not_recalled(uow: UnitOfWork, entering: Entering, *, act: str) -> None:
    """Refuse to give or put back what is of a recalled batch.

    Raises
    ------
    RecalledStockError
        The batch is recalled.
    """
    stock = entering.stock
    if entering.occurred_at is None and uow.recalls.is_recalled(stock.medicine, stock.batch):
        raise RecalledStockError(
            f"{act} was refused: this batch is recalled; expected another. Leave it set apart, and send back or "
            "destroy it as the recall says.",
            detail={"field": "batch", "place": entering.place},
        )


def require_may_leave_quarantine(uow: UnitOfWork, entering: Entering, *, out_of: AccountKind, act: str) -> None:
    """Refuse to move units out of quarantine that are looked into, or by those who were there when it was found.

    Raises
    ------
    StockInQuestionError
        A difference of this stock is not settled.
    NotEligibleError
        One of the people was there when units of this stock were set apart, and that incident is open.
    """
    if out_of is not AccountKind.QUARANTINE or entering.occurred_at is not None:
        return
    if is_in_question(uow, entering.place, entering.stock.medicine, stock=entering.stock):
        raise StockInQuestionError(
            f"{act} was refused: this batch at {entering.place} was counted short or over and nobody has settled that; "
            "expected a settled balance before anything of it leaves quarantine. Look into it, and record what it was.",
            detail={"field": "batch", "place": entering.place},
        )
    for incident in uow.incidents.standing():
        if incident.place != entering.place or incident.kind not in SETS_APART or incident.delivery is None:
            continue
        there = sorted({person.id for person in entering.people}.intersection(incident.caused_by))
        if there and _holds(uow, incident.delivery, entering):
            raise NotEligibleError(
                f"{act} was refused: {there[0]} was there when units of this batch were set apart, and incident "
                f"{incident.id} is open; expected other people of {entering.place}. Ask them, or have it closed first.",
                detail={"incident": incident.id, "person": there[0]},
            )


def _holds(uow: UnitOfWork, delivery: DeliveryId, entering: Entering) -> bool:
    known = uow.deliveries.get(delivery)
    return any(stock_of(known, line) == entering.stock for line in known.lines)
