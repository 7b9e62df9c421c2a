"""Where a batch is, by the ledger and by deliveries."""

from __future__ import annotations

from orchestrator.application.whereabouts import where_is
from orchestrator.domain.custody.model import AccountKind, Stock
from orchestrator.domain.custody.movements import supplier_receipt
from orchestrator.domain.delivery.model import DeliveryState
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON, CountingIds
from tests.support.ledgers import occasion, sealing
from tests.support.medicines import MORPHINE
from tests.support.recalled import coded


def test_a_batch_is_found_in_cupboards_totes_robots_and_on_wards_34() -> None:
    store, ids = MemoryStore(), CountingIds()
    with store.transaction() as uow:
        uow.ledger.append(supplier_receipt(Stock(MORPHINE.code, "B-1"), 100, occasion()), NOON)
        uow.ledger.append(supplier_receipt(Stock(MORPHINE.code, "B-2"), 100, occasion()), NOON)
        uow.ledger.append(sealing("line-1", quantity=10), NOON)
        riding = coded(uow, 1, ids=ids, code=MORPHINE.code, state=DeliveryState.IN_TRANSIT)
        brought = coded(uow, 2, ids=ids, code=MORPHINE.code, state=DeliveryState.RECEIVED)
        coded(uow, 3, ids=ids, code=MORPHINE.code, batch="B-2", state=DeliveryState.IN_TRANSIT)
        coded(uow, 4, ids=ids, code="99900000000001", state=DeliveryState.RECEIVED)
    with store.reading() as uow:
        found = where_is(uow, "B-1", medicine=MORPHINE.code)
        assert where_is(uow, "B-1").brought == (brought,)
        assert where_is(uow, "b -1", medicine=MORPHINE.code).held == found.held
        assert where_is(uow, "b-1").brought == (brought,)
        nowhere = where_is(uow, "B-404")
    assert {(b.account.kind, b.account.of): b.quantity for b in found.held} == {
        (AccountKind.CUPBOARD, "pharmacy"): 90,
        (AccountKind.TRANSIT, "tote-1"): 10,
    }
    assert found.under_way == (riding,)
    assert found.brought == (brought,)
    assert (nowhere.held, nowhere.under_way, nowhere.brought) == ((), (), ())
