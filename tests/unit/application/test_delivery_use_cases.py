from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from orchestrator.application.cancel_delivery import cancel_delivery
from orchestrator.application.confirm_receipt import Reading, confirm_receipt
from orchestrator.application.load_delivery import load_delivery
from orchestrator.domain.custody.people import believed
from orchestrator.domain.delivery.errors import (
    ControlledDrugsOffError,
    DueInPastError,
    LinesMismatchError,
    LoadedCountDiffersError,
    SameStationError,
    SealInUseError,
    SealMismatchError,
    StationNotServedError,
    UnknownDeliveryError,
    UnknownStationError,
    WrongStateError,
)
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, LineCount, LineId
from orchestrator.domain.delivery.request import DeliveryRequest
from orchestrator.domain.errors import InvalidInputError, WardporterError
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.reason import Reason
from simulation.memory_store import MemoryStore
from tests.support.deliveries import (
    NOON,
    PREMISES,
    CountingIds,
    a_line,
    a_request,
    an_hour_later,
    bring_to,
    counts_of,
    queue,
    stand_at_take_back,
)

S = DeliveryState


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def ids() -> CountingIds:
    return CountingIds()


def queued(store: MemoryStore, ids: CountingIds, request: DeliveryRequest | None = None) -> Delivery:
    with store.transaction() as uow:
        return queue(uow, request, ids=ids)


def states_told(store: MemoryStore) -> list[object]:
    with store.reading() as uow:
        return [event.data["state"] for event in uow.events.after(0, 100)]


def test_queued_delivery_is_verified_by_the_one_who_queued_it(store: MemoryStore, ids: CountingIds) -> None:
    delivery = queued(store, ids)
    assert delivery.state is S.VERIFIED
    assert [change.after for change in delivery.history] == [S.QUEUED, S.VERIFIED]
    assert {change.cause for change in delivery.history} == {"pharmacist-1"}
    reason = delivery.history[1].reason
    assert reason is not None
    assert reason.code == "verified_at_queueing"


def test_queued_delivery_is_kept_and_told(store: MemoryStore, ids: CountingIds) -> None:
    delivery = queued(store, ids)
    with store.reading() as uow:
        assert uow.deliveries.get(delivery.id) == delivery
        (event,) = uow.events.after(0, 10)
    assert (event.number, event.kind, event.subject) == (1, "delivery_changed", delivery.id)


def test_event_names_no_medicine(store: MemoryStore, ids: CountingIds) -> None:
    queued(store, ids, a_request("pharmacy-hatch-1", "ward-a-handover", a_line(medicine="Warfarin 1 mg")))
    with store.reading() as uow:
        (event,) = uow.events.after(0, 10)
    assert "Warfarin" not in repr(event)


def test_due_by_is_kept_in_utc(store: MemoryStore, ids: CountingIds) -> None:
    in_paris = datetime(2026, 1, 31, 15, 0, tzinfo=timezone(timedelta(hours=1)))
    delivery = queued(store, ids, a_request(due_by=in_paris))
    assert delivery.due_by is not None
    assert delivery.due_by == in_paris
    assert delivery.due_by.tzinfo is UTC


REFUSED_REQUESTS: list[tuple[DeliveryRequest, type[WardporterError], str]] = [
    (a_request("ward-a-handover", "ward-a-handover"), SameStationError, "two different"),
    (a_request("pharmacy-hatch-1", "ward-a-handovr"), UnknownStationError, "ward-a-handover"),
    (a_request("pharmacy-hatch-1", "qqqq"), UnknownStationError, "lists the stations"),
    (a_request("pharmacy-hatch-1", "attic"), StationNotServedError, "attic"),
    (a_request("pharmacy-hatch-1", "charger-1"), InvalidInputError, "where robots rest"),
    (a_request("charger-1", "ward-a-handover"), InvalidInputError, "where robots rest"),
    (a_request(due_by=NOON), DueInPastError, "in the future"),
    (a_request(due_by=datetime(2027, 1, 1)), InvalidInputError, "offset"),  # noqa: DTZ001 a naive one is the point
    (replace(a_request(), lines=()), InvalidInputError, "1 to 50"),
    (replace(a_request(), lines=(a_line(),) * 51), InvalidInputError, "1 to 50"),
    (replace(a_request(), lines=(a_line(medicine=""),)), InvalidInputError, "1 to 200"),
    (replace(a_request(), lines=(a_line(medicine="x" * 201),)), InvalidInputError, "1 to 200"),
    (replace(a_request(), lines=(a_line(medicine="a\u0000b"),)), InvalidInputError, "printable"),
    (replace(a_request(), lines=(a_line(quantity=0),)), InvalidInputError, "1 to 100000"),
    (replace(a_request(), lines=(a_line(quantity=100_001),)), InvalidInputError, "1 to 100000"),
    (replace(a_request(), lines=(a_line(unit=" "),)), InvalidInputError, "lines[0].unit"),
    (
        replace(a_request(), lines=(replace(a_line(), handling_class=HandlingClass.CONTROLLED),)),
        ControlledDrugsOffError,
        "messenger",
    ),
]


@pytest.mark.parametrize(("request_", "error", "hint"), REFUSED_REQUESTS)
def test_refused_request_keeps_nothing_and_says_what_was_expected(
    store: MemoryStore, ids: CountingIds, request_: DeliveryRequest, error: type[WardporterError], hint: str
) -> None:
    with pytest.raises(error) as refused:
        queued(store, ids, request_)
    assert hint in refused.value.message
    with store.reading() as uow:
        assert uow.deliveries.open() == []
        assert uow.events.last_number() == 0


def test_expiry_and_batch_of_a_line_are_kept(store: MemoryStore, ids: CountingIds) -> None:
    line = replace(a_line(), batch="B-17", expiry=date(2027, 6, 30))
    (kept,) = queued(store, ids, replace(a_request(), lines=(line,))).lines
    assert (kept.batch, kept.expiry) == ("B-17", date(2027, 6, 30))


def load(store: MemoryStore, delivery: Delivery, *, seal: str = "S-1", counts: tuple[LineCount, ...]) -> Delivery:
    with store.transaction() as uow:
        return load_delivery(
            uow,
            delivery=delivery.id,
            seal_number=seal,
            ids=CountingIds(),
            counts=counts,
            at=an_hour_later(),
            present=believed("pharmacist-2"),
            premises=PREMISES,
        )


def test_loading_seals_and_records_who_when_drawer_seal_and_counts(store: MemoryStore, ids: CountingIds) -> None:
    standing = bring_to(store, queued(store, ids).id, S.LOADING)
    sealed = load(store, standing, counts=counts_of(standing))
    assert sealed.state is S.SEALED
    assert sealed.totes[0].seal_number == "S-1"
    assert sealed.loading is not None
    assert (sealed.loading.by, sealed.loading.at, sealed.loading.drawer) == ("pharmacist-2", an_hour_later(), "top")
    assert sealed.loading.counts == counts_of(standing)
    assert states_told(store)[-1] == "sealed"


@pytest.mark.parametrize("state", [S.VERIFIED, S.ASSIGNED, S.SEALED, S.IN_TRANSIT, S.ARRIVED])
def test_loading_is_refused_unless_the_robot_stands_at_the_hatch(
    store: MemoryStore, ids: CountingIds, state: DeliveryState
) -> None:
    delivery = bring_to(store, queued(store, ids).id, state)
    with pytest.raises(WrongStateError, match="expected loading"):
        load(store, delivery, seal="S-2", counts=counts_of(delivery))


def test_loading_another_quantity_than_asked_changes_nothing(store: MemoryStore, ids: CountingIds) -> None:
    standing = bring_to(store, queued(store, ids).id, S.LOADING)
    with pytest.raises(LoadedCountDiffersError, match=r"^The loading was refused"):
        load(store, standing, counts=counts_of(standing, off_by=1))
    with store.reading() as uow:
        assert uow.deliveries.get(standing.id) == standing


def other_lines(delivery: Delivery) -> dict[str, tuple[LineCount, ...]]:
    (count, *_) = counts_of(delivery)
    return {"missing": (), "repeated": (count, count), "foreign": (LineCount(LineId("line-9999"), 1),)}


@pytest.mark.parametrize("case", ["missing", "repeated", "foreign"])
def test_counts_that_do_not_name_each_line_once_are_refused(store: MemoryStore, ids: CountingIds, case: str) -> None:
    standing = bring_to(store, queued(store, ids).id, S.LOADING)
    with pytest.raises(LinesMismatchError, match="exactly once"):
        load(store, standing, counts=other_lines(standing)[case])


@pytest.mark.parametrize("seal", ["", " ", "S-1 ", "S" * 65, "S\n1"])
def test_seal_number_that_nobody_could_read_is_refused(store: MemoryStore, ids: CountingIds, seal: str) -> None:
    standing = bring_to(store, queued(store, ids).id, S.LOADING)
    with pytest.raises(InvalidInputError, match="1 to 64"):
        load(store, standing, seal=seal, counts=counts_of(standing))


def test_seal_of_another_open_delivery_is_refused(store: MemoryStore, ids: CountingIds) -> None:
    bring_to(store, queued(store, ids).id, S.IN_TRANSIT, seal_number="S-7")
    standing = bring_to(store, queued(store, ids).id, S.LOADING)
    with pytest.raises(SealInUseError):
        load(store, standing, seal="S-7", counts=counts_of(standing))


def test_seal_of_a_closed_delivery_may_be_used_again(store: MemoryStore, ids: CountingIds) -> None:
    first = bring_to(store, queued(store, ids).id, S.ARRIVED, seal_number="S-7")
    receive(store, first, seal="S-7")
    standing = bring_to(store, queued(store, ids).id, S.LOADING)
    assert load(store, standing, seal="S-7", counts=counts_of(standing)).state is S.SEALED


def receive(store: MemoryStore, delivery: Delivery, *, seal: str = "S-1", off_by: int = 0) -> Delivery:
    with store.transaction() as uow:
        return confirm_receipt(
            uow,
            delivery=delivery.id,
            reading=Reading(seal, counts_of(delivery, off_by=off_by)),
            at=an_hour_later(),
            present=believed("nurse-1"),
            premises=PREMISES,
            ids=CountingIds(),
        )


def test_receipt_closes_an_arrived_delivery(store: MemoryStore, ids: CountingIds) -> None:
    received = receive(store, bring_to(store, queued(store, ids).id, S.ARRIVED))
    assert received.state is S.RECEIVED
    assert received.receipt is not None
    assert (received.receipt.by, received.receipt.is_short_or_over) == ("nurse-1", False)
    assert received.history[-1].reason is None
    with store.reading() as uow:
        assert uow.deliveries.open() == []


@pytest.mark.parametrize("off_by", [-1, 1])
def test_receipt_of_another_count_stands_and_is_on_record(store: MemoryStore, ids: CountingIds, off_by: int) -> None:
    received = receive(store, bring_to(store, queued(store, ids).id, S.ARRIVED), off_by=off_by)
    assert received.receipt is not None
    assert received.receipt.is_short_or_over
    reason = received.history[-1].reason
    assert reason is not None
    assert reason.code == "received_different"


def test_wrong_seal_is_refused_without_telling_the_right_one(store: MemoryStore, ids: CountingIds) -> None:
    arrived = bring_to(store, queued(store, ids).id, S.ARRIVED, seal_number="RIGHT-42")
    with pytest.raises(SealMismatchError) as refused:
        receive(store, arrived, seal="WRONG-1")
    assert "RIGHT-42" not in refused.value.message + repr(refused.value.detail)
    assert "cancel" in refused.value.message
    with store.reading() as uow:
        assert uow.deliveries.get(arrived.id) == arrived


@pytest.mark.parametrize("state", [S.VERIFIED, S.ASSIGNED, S.LOADING, S.SEALED, S.IN_TRANSIT])
def test_receipt_is_refused_before_the_robot_arrived(
    store: MemoryStore, ids: CountingIds, state: DeliveryState
) -> None:
    delivery = bring_to(store, queued(store, ids).id, state)
    with pytest.raises(WrongStateError, match="arrived or handed_to_runner or returning"):
        receive(store, delivery)


def test_second_receipt_is_refused(store: MemoryStore, ids: CountingIds) -> None:
    received = receive(store, bring_to(store, queued(store, ids).id, S.ARRIVED))
    with pytest.raises(WrongStateError):
        receive(store, received)


def test_delivery_that_came_back_is_returned(store: MemoryStore, ids: CountingIds) -> None:
    arrived = bring_to(store, queued(store, ids).id, S.ARRIVED)
    cancel(store, arrived)
    stand_at_take_back(store, arrived.id)
    assert receive(store, arrived).state is S.RETURNED


def test_delivery_on_its_way_back_is_not_taken_out_underway(store: MemoryStore, ids: CountingIds) -> None:
    arrived = bring_to(store, queued(store, ids).id, S.ARRIVED)
    cancel(store, arrived)
    with pytest.raises(WrongStateError, match="takes it back"):
        receive(store, arrived)
    stand_at_take_back(store, arrived.id, has_arrived=False)
    with pytest.raises(WrongStateError, match="takes it back"):
        receive(store, arrived)


def cancel(store: MemoryStore, delivery: Delivery, *, reason: str = "No longer needed") -> Delivery:
    with store.transaction() as uow:
        return cancel_delivery(
            uow, delivery=delivery.id, reason=reason, at=an_hour_later(), by="pharmacist-2", premises=PREMISES
        )


@pytest.mark.parametrize("state", [S.VERIFIED, S.ASSIGNED, S.LOADING])
def test_cancel_before_sealing_cancels(store: MemoryStore, ids: CountingIds, state: DeliveryState) -> None:
    cancelled = cancel(store, bring_to(store, queued(store, ids).id, state))
    assert cancelled.state is S.CANCELLED
    reason = cancelled.history[-1].reason
    assert reason is not None
    assert (reason.code, reason.sentence) == ("cancelled_by_staff", "No longer needed")


@pytest.mark.parametrize("state", [S.SEALED, S.IN_TRANSIT, S.ARRIVED])
def test_cancel_after_sealing_brings_it_back(store: MemoryStore, ids: CountingIds, state: DeliveryState) -> None:
    assert cancel(store, bring_to(store, queued(store, ids).id, state)).state is S.RETURNING


def returning(store: MemoryStore, ids: CountingIds) -> Delivery:
    return cancel(store, bring_to(store, queued(store, ids).id, S.SEALED))


def cancelled(store: MemoryStore, ids: CountingIds) -> Delivery:
    return cancel(store, queued(store, ids))


def received(store: MemoryStore, ids: CountingIds) -> Delivery:
    return receive(store, bring_to(store, queued(store, ids).id, S.ARRIVED))


@pytest.mark.parametrize("brought", [returning, cancelled, received])
def test_cancel_of_what_is_over_or_coming_back_is_refused(
    store: MemoryStore, ids: CountingIds, brought: Callable[[MemoryStore, CountingIds], Delivery]
) -> None:
    delivery = brought(store, ids)
    with pytest.raises(WrongStateError, match="The cancellation was refused"):
        cancel(store, delivery)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\tb"])
def test_cancel_without_a_readable_reason_is_refused(store: MemoryStore, ids: CountingIds, reason: str) -> None:
    with pytest.raises(InvalidInputError, match="1 to 500"):
        cancel(store, queued(store, ids), reason=reason)


def test_act_on_a_delivery_nobody_queued_is_refused(store: MemoryStore) -> None:
    with store.transaction() as uow, pytest.raises(UnknownDeliveryError):
        cancel_delivery(
            uow, delivery=DeliveryId("delivery-9999"), reason="?", at=NOON, by="pharmacist-1", premises=PREMISES
        )


def test_act_clears_what_the_delivery_waited_for(store: MemoryStore, ids: CountingIds) -> None:
    delivery = replace(queued(store, ids), waiting=(Reason("no_robot", "Every robot is busy."),))
    with store.transaction() as uow:
        uow.deliveries.save(delivery)
    assert cancel(store, delivery).waiting == ()


def test_held_delivery_may_be_cancelled(store: MemoryStore, ids: CountingIds) -> None:
    held = moved(queued(store, ids), S.HELD, at=NOON, cause="policy")
    with store.transaction() as uow:
        uow.deliveries.save(held)
    assert cancel(store, held).state is S.CANCELLED
