"""The custody ledger, to be read: its head, entries, and proofs for whoever keeps heads."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from orchestrator.application.ledger_views import consistency_of, inclusion_of, oldest_unwitnessed, present_head
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.access.acts import Act
from orchestrator.domain.delivery.model import DeliveryId
from orchestrator.domain.site.model import PlaceId
from orchestrator.http.acting import DeskOfApp, may
from orchestrator.http.ledger_models import (
    ConsistencyQuery,
    ConsistencyView,
    EntriesQuery,
    EntriesView,
    InclusionQuery,
    InclusionView,
    LedgerHeadView,
    entry_view,
    head_view,
)
from orchestrator.http.problems import documented

router = APIRouter(prefix="/api/v1/ledger", tags=["ledger"])


@router.get("/head", dependencies=[may(Act.READ_LEDGER)], responses=documented(401, 403, 421))
async def get_head(desk: DeskOfApp) -> LedgerHeadView:
    """Show the newest head as it was signed, and how much of the ledger a second keeper has."""
    standing = desk.ledger_standing()

    def look(uow: UnitOfWork) -> LedgerHeadView:
        return head_view(
            present_head(uow),
            standing,
            checkpoint=uow.ledger.newest_head(),
            mode=uow.ledger.mode,
            first=oldest_unwitnessed(uow, standing.witnessed),
        )

    return await desk.control.read(look)


@router.get("/entries", dependencies=[may(Act.READ_LEDGER)], responses=documented(401, 403, 421, 422))
async def get_entries(desk: DeskOfApp, query: Annotated[EntriesQuery, Query()]) -> EntriesView:
    """List entries in their order, in pages: all, or those of a place's register, a delivery or a medicine."""

    def look(uow: UnitOfWork) -> EntriesView:
        found = uow.ledger.entries(
            after=query.after,
            limit=query.limit + 1,
            place=None if query.place is None else PlaceId(query.place),
            delivery=None if query.delivery is None else DeliveryId(query.delivery),
            medicine=query.medicine,
        )
        page = [entry_view(entry) for entry in found[: query.limit]]
        is_more = len(found) > query.limit
        return EntriesView(entries=page, size=uow.ledger.size, next=page[-1].index if is_more else None)

    return await desk.control.read(look)


@router.get("/proof/inclusion", dependencies=[may(Act.READ_LEDGER)], responses=documented(401, 403, 421, 422))
async def get_inclusion(desk: DeskOfApp, query: Annotated[InclusionQuery, Query()]) -> InclusionView:
    """Prove that an entry is in the ledger of a size."""
    found = await desk.control.read(lambda uow: inclusion_of(uow, entry=query.entry, size=query.size))
    return InclusionView(
        entry=query.entry,
        size=found.size,
        leaf=found.leaf.hex(),
        proof=[hash_.hex() for hash_ in found.proof],
        root=found.root.hex(),
    )


@router.get("/proof/consistency", dependencies=[may(Act.READ_LEDGER)], responses=documented(401, 403, 421, 422))
async def get_consistency(desk: DeskOfApp, query: Annotated[ConsistencyQuery, Query()]) -> ConsistencyView:
    """Prove that the ledger only grew from one size to another."""
    found = await desk.control.read(lambda uow: consistency_of(uow, old=query.old, new=query.new))
    return ConsistencyView(
        old=found.old,
        new=found.new,
        old_root=found.old_root.hex(),
        new_root=found.new_root.hex(),
        proof=[hash_.hex() for hash_ in found.proof],
    )
