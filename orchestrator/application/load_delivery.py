"""Pharmacy staff put the medicines into the drawer and seal them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.delivery.counting import check_counted_lines, check_loaded_as_asked, check_seal_form
from orchestrator.domain.delivery.errors import SealInUseError
from orchestrator.domain.delivery.lifecycle import moved, require_state
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, LineCount, Loading

ACT = "The loading"


def load_delivery(
    uow: UnitOfWork, *, delivery: DeliveryId, seal_number: str, counts: Sequence[LineCount], at: datetime, by: str
) -> Delivery:
    """Record who loaded what under which seal; the delivery is ``sealed`` afterwards.

    Raises
    ------
    UnknownDeliveryError, WrongStateError
        There is no such delivery, or no robot stands open for it.
    LinesMismatchError, LoadedCountDiffersError
        The counts are not the lines, each once, in the quantity asked for.
    InvalidInputError, SealInUseError
        The seal number cannot be one, or another open delivery carries it.
    """
    loading = uow.deliveries.get(delivery)
    require_state(
        loading, DeliveryState.LOADING, act=ACT, next_step="Wait until its robot stands at the hatch, then load."
    )
    check_seal_form(seal_number, act=ACT)
    check_counted_lines(loading, counts, act=ACT)
    check_loaded_as_asked(loading, counts)
    _check_seal_is_free(uow, seal_number, delivery=delivery)
    assert loading.drawer is not None, "a delivery at the hatch has a drawer"
    loaded = replace(
        loading,
        tote=replace(loading.tote, seal_number=seal_number),
        loading=Loading(at=at, by=by, drawer=loading.drawer, seal_number=seal_number, counts=tuple(counts)),
    )
    sealed = moved(loaded, DeliveryState.SEALED, at=at, cause=by)
    keep_change(uow, sealed, at=at)
    return sealed


def _check_seal_is_free(uow: UnitOfWork, seal_number: str, *, delivery: DeliveryId) -> None:
    holder = next((d for d in uow.deliveries.open() if d.tote.seal_number == seal_number and d.id != delivery), None)
    if holder is None:
        return
    raise SealInUseError(
        f"{ACT} was refused: an open delivery, {holder.id}, carries this seal number already; expected a seal of its "
        "own. Read the number again, or take another seal.",
        detail={"delivery": delivery, "holder": holder.id},
    )
