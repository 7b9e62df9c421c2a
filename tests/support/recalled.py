"""Deliveries that hold a medicine by its code, for recalls and registers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, LineId, Tote, ToteId
from orchestrator.domain.fleet.model import LoadId, RobotId
from tests.support.deliveries import NOON, queue


def coded(
    uow: UnitOfWork,
    number: int,
    *,
    ids: Ids,
    code: str,
    batch: str | None = "B-1",
    state: DeliveryState = DeliveryState.VERIFIED,
    at: datetime = NOON,
) -> Delivery:
    """Keep, and return, a delivery with one line of a medicine by its code, in some state of its life."""
    asked = queue(uow, ids=ids, at=at)
    line = replace(asked.lines[0], id=LineId(f"line-c{number}"), code=code, batch=batch)
    is_aboard = state.is_aboard
    delivery = replace(
        asked,
        id=DeliveryId(f"delivery-c{number}"),
        load=LoadId(f"tote-c{number}"),
        totes=(Tote(ToteId(f"tote-c{number}"), (line.id,)),),
        lines=(line,),
        state=state,
        robot=RobotId("robot-1") if is_aboard else None,
        drawer="top" if is_aboard else None,
    )
    uow.deliveries.add(delivery)
    return delivery
