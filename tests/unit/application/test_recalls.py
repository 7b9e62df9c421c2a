"""Recalls: what they hit wherever it is, and what every place says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.application.ports import UnitOfWork
from orchestrator.application.recalls import (
    RecallRequest,
    acknowledge_recall,
    affected,
    end_recall,
    raise_recall,
)
from orchestrator.domain.custody.model import AccountKind, Stock
from orchestrator.domain.custody.movements import supplier_receipt
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.medicine.model import MedicineInvalidError
from orchestrator.domain.medicine.recall import (
    Acknowledgement,
    Recall,
    RecallClass,
    RecallInvalidError,
    RecallNotForPlaceError,
)
from orchestrator.domain.site.model import PlaceId
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON, CountingIds
from tests.support.ledgers import occasion, sealing
from tests.support.medicines import MORPHINE
from tests.support.recalled import coded

PLACES = (PlaceId("pharmacy"), PlaceId("ward-a"), PlaceId("ward-b"))
REQUEST = RecallRequest(
    MORPHINE.code, RecallClass.PATIENT_SAFETY_ALERT, "NatPSA/2026/001", "Wrong strength in packs.", frozenset({"B-1"})
)
S = DeliveryState


class Recaller:
    def __init__(self, store: MemoryStore, ids: CountingIds) -> None:
        self.store, self.ids = store, ids
        self.turned: list[str] = []

    def turn_back(self, uow: UnitOfWork, delivery: Delivery) -> None:
        self.turned.append(delivery.id)

    def recall(self, request: RecallRequest = REQUEST) -> Recall:
        with self.store.transaction() as uow:
            return raise_recall(
                uow, request, places=PLACES, turn_back=self.turn_back, at=NOON, ids=self.ids, by="pharmacist-1"
            )


@pytest.fixture
def recaller() -> Recaller:
    return Recaller(MemoryStore(), CountingIds())


def test_a_recall_turns_back_what_holds_the_batch_and_nothing_else_34(recaller: Recaller) -> None:
    with recaller.store.transaction() as uow:
        coded(uow, 1, ids=recaller.ids, code=MORPHINE.code, state=S.IN_TRANSIT)
        coded(uow, 2, ids=recaller.ids, code=MORPHINE.code, batch="B-2", state=S.IN_TRANSIT)
        coded(uow, 3, ids=recaller.ids, code="99900000000001", state=S.IN_TRANSIT)
        coded(uow, 4, ids=recaller.ids, code=MORPHINE.code, batch=None, state=S.IN_TRANSIT)
        coded(uow, 5, ids=recaller.ids, code=MORPHINE.code, batch=None, state=S.VERIFIED)
        coded(uow, 6, ids=recaller.ids, code=MORPHINE.code, state=S.VERIFIED)
        coded(uow, 7, ids=recaller.ids, code=MORPHINE.code, state=S.RECEIVED)
        coded(uow, 8, ids=recaller.ids, code=MORPHINE.code, state=S.RETURNED)
    recall = recaller.recall()
    # Number 4 rides, and nobody read its batch; number 5 has not been picked, and picking the batch is refused.
    assert sorted(recaller.turned) == ["delivery-c1", "delivery-c4", "delivery-c6"]
    with recaller.store.reading() as uow:
        assert [delivery.id for delivery in affected(uow, recall).brought] == ["delivery-c7"]
        assert uow.recalls.is_recalled(MORPHINE.code, "B-1")


@pytest.mark.parametrize("spelt", ["b-1", "B -1", "b - 1"])
def test_a_recall_hits_its_batch_however_the_notice_spells_it_34(recaller: Recaller, spelt: str) -> None:
    with recaller.store.transaction() as uow:
        coded(uow, 1, ids=recaller.ids, code=MORPHINE.code, state=S.IN_TRANSIT)
        coded(uow, 2, ids=recaller.ids, code=MORPHINE.code, batch="B-11", state=S.IN_TRANSIT)
        uow.ledger.append(supplier_receipt(Stock(MORPHINE.code, "B-1"), 100, occasion()), NOON)
    recall = recaller.recall(replace(REQUEST, batches=frozenset({spelt})))
    assert recaller.turned == ["delivery-c1"]
    with recaller.store.reading() as uow:
        assert [balance.quantity for balance in affected(uow, recall).held] == [100]
        assert uow.recalls.is_recalled(MORPHINE.code, "B-1")


def test_a_product_wide_recall_hits_every_batch_34(recaller: Recaller) -> None:
    with recaller.store.transaction() as uow:
        coded(uow, 1, ids=recaller.ids, code=MORPHINE.code, state=S.IN_TRANSIT)
        coded(uow, 2, ids=recaller.ids, code=MORPHINE.code, batch=None, state=S.VERIFIED)
    recaller.recall(RecallRequest(MORPHINE.code, RecallClass.CLASS_TWO, "EL 1", "Glass in ampoules."))
    assert sorted(recaller.turned) == ["delivery-c1", "delivery-c2"]


def test_a_recall_says_where_the_ledger_has_the_batch_34(recaller: Recaller) -> None:
    stock, other = Stock(MORPHINE.code, "B-1"), Stock(MORPHINE.code, "B-2")
    with recaller.store.transaction() as uow:
        uow.ledger.append(supplier_receipt(stock, 100, occasion()), NOON)
        uow.ledger.append(supplier_receipt(other, 100, occasion()), NOON)
        uow.ledger.append(sealing("line-1", quantity=10), NOON)
    recall = recaller.recall()
    with recaller.store.reading() as uow:
        held = {(b.account.kind, b.account.of): b.quantity for b in affected(uow, recall).held}
    assert held[AccountKind.CUPBOARD, "pharmacy"] == 90
    assert [units for (kind, _), units in held.items() if kind is AccountKind.TRANSIT] == [10]
    assert sum(held.values()) == 100


def test_every_place_says_once_what_it_found(recaller: Recaller) -> None:
    recall = recaller.recall()
    ward = PlaceId("ward-a")
    with recaller.store.transaction() as uow:
        said = acknowledge_recall(uow, recall.id, Acknowledgement(ward, "nurse-1", NOON, 4))
    assert said.outstanding == (PlaceId("pharmacy"), PlaceId("ward-b"))
    for refused in (Acknowledgement(ward, "nurse-2", NOON, 0), Acknowledgement(PlaceId("attic"), "nurse-1", NOON, 0)):
        with pytest.raises(RecallNotForPlaceError), recaller.store.transaction() as uow:
            acknowledge_recall(uow, recall.id, refused)
    with pytest.raises(RecallInvalidError), recaller.store.transaction() as uow:
        acknowledge_recall(uow, recall.id, Acknowledgement(PlaceId("ward-b"), "nurse-1", NOON, -1))
    with recaller.store.reading() as uow:
        assert uow.recalls.get(recall.id) == said
        kinds = [event.kind for event in uow.events.after(0, 10)]
    assert kinds == ["recall_raised", "recall_acknowledged"]


def test_a_recall_that_has_ended_stops_nothing(recaller: Recaller) -> None:
    recall = recaller.recall()
    for minutes in (1, 2):
        with recaller.store.transaction() as uow:
            ended = end_recall(uow, recall.id, at=NOON + timedelta(minutes=minutes), by="pharmacist-2")
    assert (ended.ended_by, ended.ended_at) == ("pharmacist-2", NOON + timedelta(minutes=1))
    with recaller.store.reading() as uow:
        assert not uow.recalls.is_recalled(MORPHINE.code, "B-1")
        assert uow.recalls.standing() == []


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (RecallRequest("B-1", RecallClass.CLASS_TWO, "EL 1", "Glass."), MedicineInvalidError),
        (RecallRequest(MORPHINE.code, RecallClass.CLASS_TWO, " ", "Glass."), InvalidInputError),
        (RecallRequest(MORPHINE.code, RecallClass.CLASS_TWO, "EL 1", ""), InvalidInputError),
        (RecallRequest(MORPHINE.code, RecallClass.CLASS_TWO, "EL 1", "Glass.", frozenset({""})), RecallInvalidError),
        (
            RecallRequest(MORPHINE.code, RecallClass.CLASS_TWO, "EL 1", "Glass.", frozenset({"B\n1"})),
            RecallInvalidError,
        ),
    ],
)
def test_a_recall_that_cannot_be_meant_is_refused(
    recaller: Recaller, request_: RecallRequest, error: type[Exception]
) -> None:
    with pytest.raises(error):
        recaller.recall(request_)
    with recaller.store.reading() as uow:
        assert uow.recalls.newest(1) == []
