"""What every store promises, run against the one in memory, the one on disk and the one on a server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from orchestrator.adapters.store import SqlStore, open_store
from orchestrator.application.confirm_receipt import Reading, confirm_receipt
from orchestrator.application.errors import AlreadyKeptError, UnknownApprovalError, UnknownIncidentError
from orchestrator.application.load_delivery import load_delivery
from orchestrator.application.ports import StoredAnswer
from orchestrator.domain.custody.approval import ApprovalId, CarriageApproval
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.incident import FollowUp, Incident, IncidentId, IncidentKind
from orchestrator.domain.custody.issued_grant import GrantId, GrantOutcome, IssuedGrant, UnknownGrantError
from orchestrator.domain.custody.people import believed
from orchestrator.domain.delivery.arrival import Arrival, LateStep
from orchestrator.domain.delivery.counts import FirstCount
from orchestrator.domain.delivery.custody_record import (
    Acceptance,
    Act,
    Basis,
    BasisKind,
    CustodyRecord,
    Dispensed,
    LineEnd,
    SettledLine,
    SupplyKind,
)
from orchestrator.domain.delivery.errors import UnknownDeliveryError
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import (
    Delivery,
    DeliveryId,
    DeliveryState,
    Job,
    JobId,
    Tote,
    ToteId,
    Trip,
    TripId,
)
from orchestrator.domain.delivery.packing import Packed
from orchestrator.domain.dispatch.forecast import Drive
from orchestrator.domain.emergency.alarm import Alarm, AlarmId, AlarmKind, UnknownAlarmError
from orchestrator.domain.fleet.history import RobotAct, RobotEntry
from orchestrator.domain.fleet.model import ActionId, ModelId, OrderId, Pose, RobotId
from orchestrator.domain.fleet.order import ActionKind, DriveOrder, OrderStep, RobotAction
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.medicine.model import (
    Classification,
    Medicine,
    MedicineCode,
    NeverByRobot,
    Storage,
    StorageKind,
    unknown_medicine,
)
from orchestrator.domain.medicine.recall import Acknowledgement, Recall, RecallClass, RecallId, UnknownRecallError
from orchestrator.domain.medicine.schedule import Schedule
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.closure import LaneClosure
from orchestrator.domain.site.model import LaneId, LevelId, PlaceId, StationId, WaypointId, ZoneId
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON, PREMISES, CountingIds, a_line, a_request, bring_to, counts_of, queue
from tests.support.medicines import MORPHINE, MORPHINE_GTIN, a_medicine
from tests.support.postgresql import store_url_of
from tests.support.recalled import coded

AnyStore = SqlStore | MemoryStore


class PlannedError(Exception):
    """Raised by a test in the middle of a transaction."""


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[AnyStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    opened = open_store(store_url_of(request.param, request))
    yield opened
    opened.close()


@pytest.fixture
def ids() -> CountingIds:
    return CountingIds()


def queued(store: AnyStore, ids: CountingIds, *, after_s: float = 0.0) -> Delivery:
    with store.transaction() as uow:
        return queue(uow, ids=ids, at=NOON + timedelta(seconds=after_s))


def test_delivery_comes_back_as_it_was_kept(store: AnyStore, ids: CountingIds) -> None:
    line = replace(a_line(), batch="B-1", expiry=date(2027, 3, 31))
    request = a_request(
        "pharmacy-hatch-1", "ward-a-handover", line, a_line("Ibuprofen"), due_by=NOON + timedelta(days=1)
    )
    with store.transaction() as uow:
        delivery = queue(uow, request, ids=ids)
    with store.reading() as uow:
        assert uow.deliveries.get(delivery.id) == delivery


def test_delivery_keeps_its_whole_life(store: AnyStore, ids: CountingIds) -> None:
    arrived = bring_to(store, queued(store, ids).id, DeliveryState.ARRIVED)
    with store.transaction() as uow:
        received = confirm_receipt(
            uow,
            delivery=arrived.id,
            reading=Reading("S-1", counts_of(arrived, off_by=-1)),
            at=NOON,
            present=believed("nurse-1"),
            premises=PREMISES,
            ids=ids,
        )
    for open_block in (store.reading, store.transaction):
        with open_block() as uow:
            assert uow.deliveries.get(arrived.id) == received


def test_several_totes_are_kept_and_found_by_the_seal_of_each(store: AnyStore, ids: CountingIds) -> None:
    lines = (a_line(), a_line("Ibuprofen"), a_line("Senna"))
    with store.transaction() as uow:
        delivery = queue(uow, a_request("pharmacy-hatch-1", "ward-a-handover", *lines), ids=ids)
    one, *others = (line.id for line in delivery.lines)
    standing = bring_to(store, delivery.id, DeliveryState.LOADING)
    with store.transaction() as uow:
        loaded = load_delivery(
            uow,
            delivery=standing.id,
            totes=(Packed("S-1", (one,)), Packed("S-2", tuple(others))),
            counts=counts_of(standing),
            at=NOON,
            present=believed("pharmacist-1"),
            premises=PREMISES,
            ids=ids,
        )
    first, second = loaded.totes
    apart = replace(second, lines=(others[0],), seal_read="S-7", seal_differed=2)
    more = Tote(ToteId("tote-more"), (others[1],), "S-3")
    with store.reading() as uow:
        assert uow.deliveries.get(loaded.id) == loaded
    with store.transaction() as uow:
        uow.deliveries.save(replace(loaded, totes=(first, apart, more)))
    with store.reading() as uow:
        assert uow.deliveries.get(loaded.id).totes == (first, apart, more)
        assert [found.id for seal in ("S-1", "S-2", "S-3") if (found := uow.deliveries.sealed_with(seal))] == [
            loaded.id
        ] * 3
        assert uow.deliveries.sealed_with("S-7") is None
    if isinstance(store, SqlStore):
        other = queued(store, ids)
        with pytest.raises(IntegrityError), store.transaction() as uow:
            uow.deliveries.save(replace(other, totes=(*other.totes, more)))


def test_waiting_reasons_are_kept_in_their_order(store: AnyStore, ids: CountingIds) -> None:
    waiting = (Reason("b", "Second to none."), Reason("a", "Ünïcode, “quoted”."))
    delivery = replace(queued(store, ids), waiting=waiting)
    with store.transaction() as uow:
        uow.deliveries.save(delivery)
    with store.reading() as uow:
        assert uow.deliveries.get(delivery.id).waiting == waiting


def test_when_a_delivery_is_expected_and_what_was_done_for_it_is_kept(store: AnyStore, ids: CountingIds) -> None:
    arrival = Arrival(
        expected_at=NOON + timedelta(minutes=3),
        expected_latest_at=NOON + timedelta(minutes=7, seconds=1),
        told_at=NOON + timedelta(minutes=2),
        is_told_unknown=True,
        late=LateStep.RUNNER_NEEDED,
    )
    with store.transaction() as uow:
        delivery = queue(uow, replace(a_request(), is_critical=True), ids=ids)
        uow.deliveries.save(replace(delivery, arrival=arrival))
    for open_block in (store.reading, store.transaction):
        with open_block() as uow:
            kept = uow.deliveries.get(delivery.id)
            assert (kept.is_critical, kept.arrival) == (True, arrival)


def test_past_drives_are_kept_and_the_newest_come_first(store: AnyStore) -> None:
    drives = [
        Drive(
            trip=TripId(f"trip-{number}"),
            robot=RobotId("robot-1"),
            from_station=StationId("pharmacy-hatch-1"),
            to_station=StationId("ward-a-handover"),
            planned_s=60.5,
            actual_s=90.25,
            arrived_at=NOON + timedelta(seconds=number % 2),
        )
        for number in range(3)
    ]
    with store.transaction() as uow:
        for drive in drives:
            uow.trips.add(Trip(id=drive.trip, robot=drive.robot, stops=(), started_at=NOON))
            uow.drives.add(drive)
    with store.reading() as uow:
        assert list(uow.drives.newest(2)) == [drives[1], drives[2]]
        assert list(uow.drives.newest(9)) == [drives[1], drives[2], drives[0]]
    with pytest.raises(AlreadyKeptError), store.transaction() as uow:
        uow.drives.add(drives[0])


def test_unknown_delivery_is_refused(store: AnyStore) -> None:
    with store.reading() as uow, pytest.raises(UnknownDeliveryError):
        uow.deliveries.get(DeliveryId("delivery-404"))
    with pytest.raises(UnknownDeliveryError), store.transaction() as uow:
        uow.deliveries.page(after=DeliveryId("delivery-404"), limit=1, states=None)


def test_second_thing_with_one_id_is_refused(store: AnyStore, ids: CountingIds) -> None:
    delivery = queued(store, ids)
    with pytest.raises(AlreadyKeptError), store.transaction() as uow:
        uow.deliveries.add(delivery)
    with pytest.raises(AlreadyKeptError), store.transaction() as uow:
        uow.jobs.add(Job(delivery.job, "pharmacist-1", NOON))


def test_failed_transaction_leaves_nothing_behind(store: AnyStore, ids: CountingIds) -> None:
    first = queued(store, ids)

    def fail() -> None:
        with store.transaction() as uow:
            queue(uow, ids=ids)
            uow.deliveries.save(replace(uow.deliveries.get(first.id), waiting=(Reason("x", "x"),)))
            assert len(uow.deliveries.open()) == 2
            uow.robots.save(RobotRecord(RobotId("robot-1"), passed=3))
            uow.outbox.add(RobotId("robot-1"), at=NOON, action=RobotAction(ActionId("a"), ActionKind.PAUSE))
            assert len(uow.outbox.wanted()) == 1
            raise PlannedError

    with pytest.raises(PlannedError):
        fail()
    with store.transaction() as uow:
        assert list(uow.deliveries.open()) == [first]
        assert uow.events.last_number() == 1
        assert uow.robots.get(RobotId("robot-1")) == RobotRecord(RobotId("robot-1"))
        assert list(uow.outbox.wanted()) == []


def test_first_transaction_that_fails_leaves_nothing_behind(store: AnyStore, ids: CountingIds) -> None:
    def fail() -> None:
        with store.transaction() as uow:
            delivery = queue(uow, ids=ids)
            assert list(uow.deliveries.open()) == [delivery]
            assert list(uow.trips.open()) == []
            raise PlannedError

    with pytest.raises(PlannedError):
        fail()
    with store.transaction() as uow:
        assert list(uow.deliveries.open()) == []
        with pytest.raises(UnknownDeliveryError):
            uow.deliveries.get(DeliveryId("delivery-0001"))


def test_event_numbers_have_no_gaps_across_failures(store: AnyStore) -> None:
    def append(subject: str) -> int:
        with store.transaction() as uow:
            number = uow.events.append(at=NOON, kind="k", subject=subject, data={"n": [1, None, "x"]}).number
            if subject == "fails":
                raise PlannedError
            return number

    assert append("a") == 1
    with pytest.raises(PlannedError):
        append("fails")
    assert append("b") == 2
    with store.reading() as uow:
        events = uow.events.after(0, 10)
        assert [(event.number, event.subject, dict(event.data)) for event in events] == [
            (1, "a", {"n": [1, None, "x"]}),
            (2, "b", {"n": [1, None, "x"]}),
        ]
        assert [event.number for event in uow.events.after(1, 10)] == [2]
        assert [event.number for event in uow.events.after(0, 1)] == [1]
        assert list(uow.events.after(2, 10)) == []
        assert uow.events.last_number() == 2


def test_open_deliveries_come_oldest_first_and_closed_ones_not_at_all(store: AnyStore, ids: CountingIds) -> None:
    late, early = queued(store, ids, after_s=5), queued(store, ids)
    arrived = bring_to(store, queued(store, ids, after_s=1).id, DeliveryState.ARRIVED)
    with store.transaction() as uow:
        assert [delivery.id for delivery in uow.deliveries.open()] == [early.id, arrived.id, late.id]
        confirm_receipt(
            uow,
            delivery=arrived.id,
            reading=Reading("S-1", counts_of(arrived)),
            at=NOON,
            present=believed("nurse-1"),
            premises=PREMISES,
            ids=ids,
        )
        assert [delivery.id for delivery in uow.deliveries.open()] == [early.id, late.id]
    for open_block in (store.reading, store.transaction):
        with open_block() as uow:
            assert [delivery.id for delivery in uow.deliveries.open()] == [early.id, late.id]
            assert uow.deliveries.get(arrived.id).state is DeliveryState.RECEIVED


def test_pages_run_newest_first_through_everything_once(store: AnyStore, ids: CountingIds) -> None:
    kept = [queued(store, ids, after_s=second // 2).id for second in range(7)]
    seen: list[DeliveryId] = []
    with store.reading() as uow:
        while page := uow.deliveries.page(after=seen[-1] if seen else None, limit=3, states=None):
            seen.extend(delivery.id for delivery in page)
    assert seen == kept[::-1]


def test_page_may_be_limited_to_states(store: AnyStore, ids: CountingIds) -> None:
    queued(store, ids)
    loading = bring_to(store, queued(store, ids).id, DeliveryState.LOADING)
    with store.reading() as uow:
        page = uow.deliveries.page(after=None, limit=9, states=frozenset({DeliveryState.LOADING}))
        assert [delivery.id for delivery in page] == [loading.id]
        assert list(uow.deliveries.page(after=None, limit=9, states=frozenset())) == []


def test_trip_changes_and_ends(store: AnyStore, ids: CountingIds) -> None:
    loading = bring_to(store, queued(store, ids).id, DeliveryState.LOADING)
    assert loading.trip is not None
    with store.transaction() as uow:
        trip = uow.trips.get(loading.trip)
        assert list(uow.trips.open()) == [trip]
        with pytest.raises(AlreadyKeptError):
            uow.trips.add(trip)
    on = replace(trip, stops=trip.stops[1:], has_arrived=True)
    with store.transaction() as uow:
        uow.trips.save(on)
        assert list(uow.trips.open()) == [on]
    ended = replace(on, stops=(), ended_at=NOON)
    with store.transaction() as uow:
        uow.trips.save(ended)
        assert list(uow.trips.open()) == []
    with store.reading() as uow:
        assert uow.trips.get(loading.trip) == ended
        with pytest.raises(KeyError):
            uow.trips.get(TripId("trip-404"))


def an_order(*, steps: int = 3, released: int = 2) -> DriveOrder:
    pose = Pose(LevelId("L1"), 1.5, -0.25, 3.0)
    return DriveOrder(
        OrderId("order-1"),
        RobotId("robot-1"),
        tuple(OrderStep(WaypointId(f"w{n}"), pose) for n in range(steps)),
        released=released,
    )


def test_robot_record_is_empty_until_saved_and_then_comes_back(store: AnyStore) -> None:
    robot = RobotId("robot-1")
    with store.transaction() as uow:
        assert uow.robots.get(robot) == RobotRecord(robot)
        uow.robots.save(RobotRecord(robot, order=an_order(), phase=OrderPhase.WANTED, held=frozenset({"b", "a"})))
    with store.transaction() as uow:
        kept = uow.robots.get(robot)
        assert kept == RobotRecord(robot, order=an_order(), phase=OrderPhase.WANTED, held=frozenset({"b", "a"}))
        sent = StationId("ward-a-handover")
        changed = replace(kept, order=an_order().extended(released=3), passed=1, driven_m=4.25, sent_to=sent)
        called_for = frozenset({"place_unknown", "controlled_stands"})
        changed = replace(changed, called_for=called_for, clock_skew_s=-12.5, journal="ab", journal_last=7)
        uow.robots.save(changed)
    with store.reading() as uow:
        assert uow.robots.get(robot) == changed


def test_outbox_gives_what_is_still_wanted_in_order(store: AnyStore) -> None:
    robot = RobotId("robot-1")
    action = RobotAction(ActionId("a-1"), ActionKind.CANCEL_ORDER)
    with store.transaction() as uow:
        first = uow.outbox.add(robot, at=NOON, order=an_order())
        second = uow.outbox.add(robot, at=NOON, action=action)
        assert first.id < second.id
        assert list(uow.outbox.wanted()) == [first, second]
    with store.transaction() as uow:
        uow.outbox.settle(first.id, "acknowledged")
        uow.outbox.settle(first.id, "withdrawn")
        assert list(uow.outbox.wanted()) == [second]
    with store.reading() as uow:
        assert list(uow.outbox.wanted()) == [second]
    with store.transaction() as uow:
        assert uow.outbox.add(robot, at=NOON, action=action).id > second.id


def test_answer_is_found_by_principal_and_key(store: AnyStore) -> None:
    answer = StoredAnswer("k", "nurse-1", "print", 201, '{"id": "x"}', NOON)
    with store.transaction() as uow:
        uow.answers.add(answer)
    with store.reading() as uow:
        assert uow.answers.find(key="k", principal="nurse-1") == answer
        assert uow.answers.find(key="k", principal="nurse-2") is None
    with pytest.raises(AlreadyKeptError), store.transaction() as uow:
        uow.answers.add(answer)


def add_entry(store: AnyStore, *, robot: str = "robot-1", act: RobotAct = RobotAct.PAUSE) -> RobotEntry:
    with store.transaction() as uow:
        return uow.history.add(RobotId(robot), at=NOON, act=act, by="porter-1", reason="In the way", outcome="Paused.")


def test_history_of_a_robot_comes_in_pages_newest_first(store: AnyStore) -> None:
    kept = [add_entry(store, act=act) for act in (RobotAct.PAUSE, RobotAct.RESUME, RobotAct.HELD)]
    other = add_entry(store, robot="robot-2")

    assert [entry.number for entry in (*kept, other)] == [1, 2, 3, 4]
    for open_block in (store.reading, store.transaction):
        with open_block() as uow:
            assert list(uow.history.page(RobotId("robot-1"), before=None, limit=2)) == [kept[2], kept[1]]
            assert list(uow.history.page(RobotId("robot-1"), before=2, limit=2)) == [kept[0]]
            assert list(uow.history.page(RobotId("robot-3"), before=None, limit=2)) == []


def test_history_of_a_transaction_that_failed_is_not_kept(store: AnyStore) -> None:
    def fail() -> None:
        with store.transaction() as uow:
            uow.history.add(RobotId("robot-1"), at=NOON, act=RobotAct.PAUSE, by="p", reason="r", outcome="o")
            raise PlannedError

    with pytest.raises(PlannedError):
        fail()
    assert add_entry(store).number == 1


def a_closure(lane: str = "lane-1", *, until_s: float | None = None) -> LaneClosure:
    until = None if until_s is None else NOON + timedelta(seconds=until_s)
    return LaneClosure(LaneId(lane), NOON, "porter-1", "Wet floor", until)


def test_closed_lanes_stand_until_they_are_opened_and_may_be_closed_again(store: AnyStore) -> None:
    with store.transaction() as uow:
        uow.closures.close(a_closure("lane-2", until_s=60.0))
        uow.closures.close(a_closure("lane-1"))
    with store.reading() as uow:
        assert list(uow.closures.standing()) == [a_closure("lane-1"), a_closure("lane-2", until_s=60.0)]
    with store.transaction() as uow:
        uow.closures.open(LaneId("lane-1"), at=NOON, by="porter-2", reason="Dry")
        uow.closures.open(LaneId("lane-9"), at=NOON, by="porter-2", reason="Dry")
        assert [closure.lane for closure in uow.closures.standing()] == ["lane-2"]
    with store.transaction() as uow:
        uow.closures.close(a_closure("lane-1"))
    for open_block in (store.reading, store.transaction):
        with open_block() as uow:
            assert [closure.lane for closure in uow.closures.standing()] == ["lane-1", "lane-2"]


def test_a_closed_lane_is_not_closed_twice(store: AnyStore) -> None:
    with store.transaction() as uow:
        uow.closures.close(a_closure())
    with pytest.raises(AlreadyKeptError), store.transaction() as uow:
        uow.closures.close(a_closure())


def test_an_opening_that_failed_leaves_the_lane_closed(store: AnyStore) -> None:
    def fail() -> None:
        with store.transaction() as uow:
            uow.closures.open(LaneId("lane-1"), at=NOON, by="porter-2", reason="Dry")
            raise PlannedError

    with store.transaction() as uow:
        uow.closures.close(a_closure())
    with pytest.raises(PlannedError):
        fail()
    with store.reading() as uow:
        assert list(uow.closures.standing()) == [a_closure()]


def test_job_without_a_delivery_is_kept(store: AnyStore) -> None:
    with store.transaction() as uow:
        uow.jobs.add(Job(JobId("job-9"), "pharmacist-1", NOON))
    with pytest.raises(AlreadyKeptError), store.transaction() as uow:
        uow.jobs.add(Job(JobId("job-9"), "pharmacist-1", NOON))


def an_alarm(id: str = "alarm-1", *, after_s: float = 0.0) -> Alarm:
    return Alarm(
        AlarmId(id),
        AlarmKind.FIRE,
        (ZoneId("ward"), ZoneId("hall")),
        "panel:fire_panel",
        raised_at=NOON + timedelta(seconds=after_s),
        raised_by="fire_panel",
        reason="Smoke.",
    )


def test_alarm_stands_until_it_is_ended_and_comes_back_as_it_was_kept(store: AnyStore) -> None:
    later, first = an_alarm("alarm-2", after_s=5.0), an_alarm()
    ended = replace(later, cleared_at=NOON, cleared_by="x", ended_at=NOON, ended_by="y", ended_because="Done.")
    with store.transaction() as uow:
        uow.alarms.add(later)
        uow.alarms.add(first)
    with store.reading() as uow:
        assert list(uow.alarms.standing()) == [first, later]
    with store.transaction() as uow:
        uow.alarms.save(ended)
    with store.reading() as uow:
        assert list(uow.alarms.standing()) == [first]
        assert list(uow.alarms.newest(5)) == [ended, first]
        assert uow.alarms.get(later.id) == ended
    with store.transaction() as uow:
        assert list(uow.alarms.standing()) == [first]


def test_alarm_of_a_failed_transaction_never_stood(store: AnyStore) -> None:
    def fail() -> None:
        with store.transaction() as uow:
            uow.alarms.add(an_alarm())
            raise PlannedError

    with pytest.raises(PlannedError):
        fail()
    with store.transaction() as uow:
        assert list(uow.alarms.standing()) == []
        with pytest.raises(UnknownAlarmError):
            uow.alarms.get(AlarmId("alarm-1"))


def a_custody_record(delivery: Delivery) -> CustodyRecord:
    line = delivery.lines[0].id
    nurses = (PersonId("nurse-1"), PersonId("nurse-2"))
    return CustodyRecord(
        supply=SupplyKind.PATIENT,
        basis=Basis(BasisKind.PRESCRIPTION, "RX-1", nurses[0]),
        patient="local:1",
        models=(ModelId("porter"),),
        verified=Act("pharmacist-1", NOON),
        dispensed=(Dispensed(line, 3, "B1", date(2027, 1, 31), expires_at=NOON),),
        acceptance=Acceptance(nurses[0], NOON, nurses),
        receivers=nurses,
        first_counts=(FirstCount(line, 2, PlaceId("ward-a")),),
        broken_seals=(delivery.totes[0].id,),
        found_wrong=(line,),
        settled=(SettledLine(line, LineEnd.RECEIVED_DIFFERENT, 2, NOON, "short"),),
        out_of_fridge_at=NOON,
    )


def test_what_custody_knows_of_a_delivery_comes_back_as_it_was_kept(store: AnyStore, ids: CountingIds) -> None:
    delivery = queued(store, ids)
    known = replace(delivery, custody=a_custody_record(delivery))
    with store.transaction() as uow:
        uow.deliveries.save(known)
    for open_block in (store.reading, store.transaction):
        with open_block() as uow:
            assert uow.deliveries.get(delivery.id) == known


def test_an_approval_is_kept_and_its_end_too(store: AnyStore) -> None:
    approval = CarriageApproval(
        id=ApprovalId("approval-1"),
        handling_class=HandlingClass.CONTROLLED,
        from_place=PlaceId("pharmacy"),
        to_place=PlaceId("ward-a"),
        model=ModelId("porter"),
        approved_by=PersonId("officer-1"),
        approved_at=NOON,
        reference="SOP 7",
    )
    revoked = replace(approval, revoked_at=NOON + timedelta(hours=1), revoked_by=PersonId("officer-1"))
    with store.transaction() as uow:
        uow.approvals.add(approval)
    with store.transaction() as uow:
        uow.approvals.save(revoked)
    with store.reading() as uow:
        assert uow.approvals.all() == [revoked]
        with pytest.raises(UnknownApprovalError):
            uow.approvals.get(ApprovalId("other"))


def test_incidents_are_listed_newest_first_and_their_follow_ups_are_kept(store: AnyStore, ids: CountingIds) -> None:
    delivery = queued(store, ids)
    first = Incident(
        id=IncidentId("incident-1"),
        kind=IncidentKind.SHORT,
        at=NOON,
        place=PlaceId("ward-a"),
        is_controlled=True,
        sentence="One line was counted short.",
        delivery=delivery.id,
        schedule="2",
        caused_by=(PersonId("nurse-1"),),
        details="10 tablets, schedule 2",
    )
    second = replace(first, id=IncidentId("incident-2"), at=NOON + timedelta(minutes=1), delivery=None)
    followed = replace(first, follow_ups=(FollowUp(PersonId("officer-1"), NOON, "Found in the bag.", closes=True),))
    with store.transaction() as uow:
        uow.incidents.add(first)
        uow.incidents.add(second)
    with store.transaction() as uow:
        uow.incidents.save(followed)
    with store.reading() as uow:
        assert uow.incidents.newest(5) == [second, followed]
        assert uow.incidents.newest(1) == [second]
        assert list(uow.incidents.of_delivery(delivery.id)) == [followed]
        assert list(uow.incidents.of_delivery(DeliveryId("other"))) == []
        with pytest.raises(UnknownIncidentError):
            uow.incidents.get(IncidentId("other"))


def full_medicine(code: str) -> Medicine:
    return a_medicine(
        code,
        schedule=None,
        pack_size=5,
        handle_as=HandlingClass.LOCKED,
        storage=Storage(StorageKind.FRIDGE, 90),
        never_by_robot=NeverByRobot.CYTOTOXIC,
        gtins=("05012345101010", "05012345101027"),
    )


def test_medicines_come_back_as_they_were_kept_and_are_found_by_their_packs(store: AnyStore) -> None:
    other = full_medicine("99900000000002")
    with store.transaction() as uow:
        uow.medicines.save([other, MORPHINE])
    with store.reading() as uow:
        assert [uow.medicines.get(each.code) for each in (MORPHINE, other)] == [MORPHINE, other]
        assert uow.medicines.by_gtin(MORPHINE_GTIN) == MORPHINE
        assert uow.medicines.by_gtin(other.gtins[1]) == other
        assert uow.medicines.by_gtin("05012345999999") is None
        assert uow.medicines.page(after=None, limit=5) == [MORPHINE, other]
        assert uow.medicines.page(after=MORPHINE.code, limit=5) == [other]
        assert uow.medicines.page(after=None, limit=1) == [MORPHINE]


def test_a_medicine_that_nobody_knows_is_controlled_9(store: AnyStore) -> None:
    code = MedicineCode("99900000000404")
    with store.reading() as uow:
        assert uow.medicines.find(code) is None
        assert uow.medicines.get(code) == unknown_medicine(code)
        assert uow.medicines.get(code).handling_class is HandlingClass.CONTROLLED


def test_a_medicine_takes_the_place_of_what_was_known_of_its_code(store: AnyStore) -> None:
    renamed = replace(MORPHINE, name="Morphine", gtins=("05012345101010",))
    taking = a_medicine("99900000000003", gtins=(MORPHINE_GTIN,))
    with store.transaction() as uow:
        uow.medicines.save([MORPHINE])
    with store.transaction() as uow:
        uow.medicines.save([taking, renamed])
    with store.reading() as uow:
        assert uow.medicines.by_gtin(MORPHINE_GTIN) == taking
        assert uow.medicines.by_gtin("05012345101010") == renamed
        assert uow.medicines.page(after=None, limit=5) == [renamed, taking]


def test_what_was_said_of_a_medicine_is_kept_in_order(store: AnyStore) -> None:
    first = Classification(MORPHINE.code, NOON, "pharmacist-1", Schedule.TWO, None, "New here.")
    second = replace(first, at=NOON + timedelta(hours=1), handle_as=HandlingClass.CONTROLLED)
    other = replace(first, code=MedicineCode("99900000000002"))
    for said in (first, other, second):
        with store.transaction() as uow:
            uow.medicines.add_classification(said)
    with store.reading() as uow:
        assert uow.medicines.classifications(MORPHINE.code) == [first, second]


def test_medicines_of_a_failed_transaction_are_not_kept(store: AnyStore) -> None:
    with store.transaction() as uow:
        uow.medicines.save([MORPHINE])

    def fail() -> None:
        with store.transaction() as uow:
            uow.medicines.save([replace(MORPHINE, name="Other", gtins=("05012345101010",))])
            uow.medicines.add_classification(Classification(MORPHINE.code, NOON, "p", Schedule.TWO, None, "x"))
            raise PlannedError

    with pytest.raises(PlannedError):
        fail()
    with store.transaction() as uow:
        assert uow.medicines.by_gtin(MORPHINE_GTIN) == MORPHINE
        assert uow.medicines.by_gtin("05012345101010") is None
        assert uow.medicines.classifications(MORPHINE.code) == []


def test_a_thousand_medicines_are_kept_at_once(store: AnyStore) -> None:
    many = [a_medicine(f"9990000000{number:04d}") for number in range(1200)]
    for _ in range(2):
        with store.transaction() as uow:
            uow.medicines.save(many)
    with store.reading() as uow:
        assert uow.medicines.page(after=None, limit=2000) == many


def a_grant(delivery: Delivery, number: int = 1, *, after_s: float = 0.0) -> IssuedGrant:
    return IssuedGrant(
        id=GrantId(f"grant-{number}"),
        delivery=delivery.id,
        robot=RobotId("robot-1"),
        drawer="top",
        purpose=Purpose.HAND_OVER,
        nonce=f"{number:032x}",
        action=ActionId(f"action-{number}"),
        by="nurse-1",
        people=(PersonId("nurse-1"), PersonId("nurse-2")),
        issued_at=NOON + timedelta(seconds=after_s),
        place=PlaceId("ward-a"),
    )


def test_a_drawer_grant_comes_back_as_it_was_kept_and_as_it_ended(store: AnyStore, ids: CountingIds) -> None:
    delivery = queued(store, ids)
    first, second = a_grant(delivery), a_grant(delivery, 2, after_s=1.0)
    with store.transaction() as uow:
        uow.grants.add(second)
        uow.grants.add(first)
    with store.reading() as uow:
        assert list(uow.grants.standing()) == [first, second]
        assert list(uow.grants.of_delivery(delivery.id)) == [first, second]
        assert uow.grants.of_nonce(first.robot, first.nonce) == first
        assert uow.grants.of_nonce(RobotId("robot-2"), first.nonce) is None
    ended = first.ended(GrantOutcome.REFUSED, reason="moving", at=NOON)
    opened = replace(second.opened(NOON), closed_at=NOON)
    with store.transaction() as uow:
        uow.grants.save(ended)
        uow.grants.save(opened)
    for open_block in (store.reading, store.transaction):
        with open_block() as uow:
            assert list(uow.grants.standing()) == [opened]
            assert list(uow.grants.of_delivery(delivery.id)) == [ended, opened]
            assert uow.grants.get(first.id) == ended


def test_the_last_opening_of_a_drawer_is_found(store: AnyStore, ids: CountingIds) -> None:
    early, late = queued(store, ids), queued(store, ids)
    first = a_grant(early).opened(NOON)
    second = a_grant(late, 2, after_s=1.0).opened(NOON)
    refused = a_grant(early, 3, after_s=2.0).ended(GrantOutcome.REFUSED, reason="moving", at=NOON)
    elsewhere = replace(a_grant(early, 4, after_s=3.0).opened(NOON), drawer="bottom")
    with store.transaction() as uow:
        for grant in (second, first, refused, elsewhere):
            uow.grants.add(grant)
    with store.reading() as uow:
        assert uow.grants.last_opened(first.robot, "top") == second
        assert uow.grants.last_opened(first.robot, "bottom") == elsewhere
        assert uow.grants.last_opened(RobotId("robot-2"), "top") is None


def test_a_nonce_of_a_robot_is_granted_once(store: AnyStore, ids: CountingIds) -> None:
    delivery = queued(store, ids)
    with store.transaction() as uow:
        uow.grants.add(a_grant(delivery))
    again = replace(a_grant(delivery, 2), nonce=a_grant(delivery).nonce)
    with pytest.raises(AlreadyKeptError), store.transaction() as uow:
        uow.grants.add(again)
    with store.transaction() as uow:
        uow.grants.add(replace(again, robot=RobotId("robot-2")))


def test_an_unknown_grant_is_refused(store: AnyStore) -> None:
    with store.reading() as uow, pytest.raises(UnknownGrantError):
        uow.grants.get(GrantId("grant-404"))


def a_recall(number: int = 1, *, batches: tuple[str, ...] = ("B-1",)) -> Recall:
    return Recall(
        id=RecallId(f"recall-{number}"),
        medicine=MORPHINE.code,
        batches=frozenset(batches),
        recall_class=RecallClass.CLASS_TWO,
        reference=f"EL(26)A/{number}",
        reason="Out of specification.",
        raised_by="pharmacist-1",
        raised_at=NOON + timedelta(minutes=number),
        places=(PlaceId("ward-a"), PlaceId("pharmacy")),
    )


def test_recalls_and_what_places_said_of_them_are_kept(store: AnyStore) -> None:
    first, second = a_recall(1), a_recall(2, batches=())
    with store.transaction() as uow:
        uow.recalls.add(second)
        uow.recalls.add(first)
    said = first.acknowledged(Acknowledgement(PlaceId("ward-a"), "nurse-1", NOON, 3))
    with store.transaction() as uow:
        uow.recalls.save(said)
    with store.reading() as uow:
        assert uow.recalls.get(first.id) == said
        assert uow.recalls.standing() == [said, second]
        assert uow.recalls.newest(1) == [second]
        with pytest.raises(UnknownRecallError):
            uow.recalls.get(RecallId("recall-404"))
    with pytest.raises(AlreadyKeptError), store.transaction() as uow:
        uow.recalls.add(first)


def test_a_batch_is_recalled_while_a_recall_of_it_stands(store: AnyStore) -> None:
    with store.transaction() as uow:
        uow.recalls.add(a_recall())
    with store.transaction() as uow:
        assert uow.recalls.is_recalled(MORPHINE.code, "B-1")
        assert not uow.recalls.is_recalled(MORPHINE.code, "B-2")
        assert not uow.recalls.is_recalled(MORPHINE.code, None)
        assert not uow.recalls.is_recalled("99900000000001", "B-1")
        uow.recalls.save(a_recall().ended(at=NOON, by="pharmacist-1"))
        uow.recalls.add(a_recall(2, batches=()))
    with store.reading() as uow:
        assert uow.recalls.is_recalled(MORPHINE.code, "B-2")
        assert uow.recalls.is_recalled(MORPHINE.code, None)
        assert [recall.id for recall in uow.recalls.standing()] == ["recall-2"]


def test_what_was_picked_in_a_period_is_found_whatever_became_of_it_53(store: AnyStore, ids: CountingIds) -> None:
    first, last = NOON + timedelta(days=1), NOON + timedelta(days=2)
    with store.transaction() as uow:
        found: list[Delivery] = []
        for number, (picked, state) in enumerate(
            [
                (None, None),
                (first - timedelta(seconds=1), DeliveryState.CANCELLED),
                (first, DeliveryState.CANCELLED),
                (last - timedelta(seconds=1), None),
                (last, None),
            ]
        ):
            delivery = coded(uow, number, ids=ids, code=MORPHINE.code, at=NOON + timedelta(minutes=number))
            if picked is not None:
                custody = replace(delivery.custody, dispensed_by=Act("technician-1", picked))
                delivery = replace(delivery, custody=custody)
            if state is not None and picked is not None:
                delivery = moved(delivery, state, at=picked, cause="pharmacist-1")
            uow.deliveries.save(delivery)
            found.append(delivery)
    with store.reading() as uow:
        assert list(uow.deliveries.picked_between(first, last)) == found[2:4]


def test_deliveries_of_a_medicine_are_found_newest_first(store: AnyStore, ids: CountingIds) -> None:
    with store.transaction() as uow:
        found = [
            coded(uow, number, ids=ids, code=MORPHINE.code, at=NOON + timedelta(minutes=number)) for number in (1, 2)
        ]
        coded(uow, 3, ids=ids, code="99900000000001")
        assert uow.deliveries.with_medicine(MORPHINE.code) == found[::-1]
    with store.reading() as uow:
        assert uow.deliveries.with_medicine(MORPHINE.code) == found[::-1]
        assert uow.deliveries.with_medicine("99900000000404") == []
