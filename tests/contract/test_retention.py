"""Records beside the ledger go once their years have passed, by two people, and the ledger says what went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.adapters.store import SqlStore, open_store
from orchestrator.application.follow_up import follow_up
from orchestrator.application.hand_to_runner import TakenOut, hand_to_runner
from orchestrator.application.ports import StoredAnswer
from orchestrator.application.registers import register_of
from orchestrator.application.retention import NotPurgedError, WouldGo, look_over, purge
from orchestrator.domain.custody.audit import Audit
from orchestrator.domain.custody.canonical import entry_bytes
from orchestrator.domain.custody.errors import PeopleMissingError
from orchestrator.domain.custody.incident import Incident, IncidentId, IncidentKind
from orchestrator.domain.custody.model import Entry
from orchestrator.domain.custody.policy import CustodyPolicy, LooserThanAllowedError
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.retention.digest import digest_of
from orchestrator.domain.retention.schedule import PURGED, RETENTION, Month, RecordType
from orchestrator.domain.site.model import PlaceId
from simulation.memory_store import MemoryStore
from tests.support.custody import WARD_A, House
from tests.support.deliveries import queue
from tests.support.ledgers import sealing
from tests.support.postgresql import store_url_of

AnyStore = SqlStore | MemoryStore
BOTH = ("officer-1", "pharmacist-1")
JANUARY = Month(2026, 1)
DUE = datetime(2028, 2, 1, tzinfo=UTC)
"""Two years after the end of January 2026, in winter, when London's clocks are UTC's."""


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    if request.param == "memory":
        yield House()
        return
    opened = open_store(store_url_of(request.param, request))
    yield House(store=opened)
    opened.close()


def received(house: House) -> Delivery:
    return house.receive(house.arrived())


def looked(house: House, kind: RecordType = RecordType.DELIVERY, month: Month = JANUARY) -> WouldGo:
    with house.store.reading() as uow:
        return next(one for one in look_over(uow, month, policy=house.policy, at=house.at) if one.kind is kind)


def purged(house: House, would_go: WouldGo, *by: str, **changed: Any) -> Entry:
    people = tuple(house.people[name] for name in by or BOTH)
    said = {"kind": would_go.kind, "month": would_go.month, "digest": would_go.digest, "reason": "two years are over"}
    return house.do(purge, people=people, policy=house.policy, **{**said, **changed})


def entries(house: House) -> list[Entry]:
    with house.store.reading() as uow:
        return list(uow.ledger.entries(limit=10_000))


def audited(house: House) -> Audit:
    """Read the whole ledger as an auditor does, who knows nothing of purges."""
    with house.store.reading() as uow:
        audit = Audit(uow.ledger.origin.first_hash)
    for entry in entries(house):
        body = entry_bytes(entry.draft, index=entry.index, recorded_at=entry.recorded_at, previous=entry.previous_hash)
        audit.take(body, entry.hash)
    return audit


def an_incident(house: House, number: int, *, closes: bool) -> Incident:
    incident = Incident(
        IncidentId(f"incident-x{number}"),
        IncidentKind.OTHER,
        house.at,
        PlaceId(WARD_A),
        is_controlled=True,
        sentence="Something was odd.",
    )
    with house.store.transaction() as uow:
        uow.incidents.add(incident)
    if not closes:
        return incident
    return house.do(follow_up, incident=incident.id, sentence="It was nothing.", closes=True, by="pharmacist-2")


def test_case_72_what_was_kept_for_its_years_goes_by_two_and_its_digest_stays_in_the_ledger(house: House) -> None:
    kept = received(house)
    assert kept.custody.basis is not None
    before = entries(house)
    with house.store.reading() as uow:
        register = register_of(uow, PlaceId(WARD_A), at=house.at, is_simulation=True, is_pharmacy=False)
    house.at = DUE
    would_go = looked(house)
    assert (would_go.records, would_go.may_go, would_go.obstacles) == (1, True, ())
    assert would_go.digest == digest_of([{"id": kept.id, "custody": kept.custody}])
    assert house.now(kept) == kept, "looking changes nothing"

    entry = purged(house, would_go)

    after = house.now(kept)
    custody = after.custody
    assert (custody.basis, custody.patient, custody.verified, custody.acceptance) == (None, None, None, None)
    assert (custody.dispensed, custody.loaders, custody.receivers, custody.purged_by) == ((), (), (), entry.index)
    assert replace(after, custody=kept.custody) == kept, "that it was, its lines, states and seals stay"
    assert dict(entry.draft.facts) == {
        "event": "purged",
        "record_type": "delivery",
        "month": "2026-01",
        "records": "1",
        "digest": would_go.digest,
    }
    assert [(sign.person, sign.role) for sign in entry.draft.signatures] == [
        ("officer-1", "accountable_officer"),
        ("pharmacist-1", "pharmacist"),
    ]
    assert entries(house) == [*before, entry]
    assert audited(house).size == len(before) + 1
    with house.store.reading() as uow:
        same = register_of(uow, PlaceId(WARD_A), at=house.at, is_simulation=True, is_pharmacy=False)
    assert same.pages == register.pages
    again = looked(house)
    assert (again.records, again.may_go) == (0, False)
    with pytest.raises(NotPurgedError):
        purged(house, again)


@pytest.mark.parametrize("what", ["deliveries", "units in transit", "incidents"])
def test_case_72_nothing_goes_while_something_of_that_time_is_open(house: House, what: str) -> None:
    kept = received(house)
    if what == "deliveries":
        house.queue()
    elif what == "units in transit":
        with house.store.transaction() as uow:
            uow.ledger.append(sealing(), house.at)
    else:
        an_incident(house, 1, closes=False)
    size = len(entries(house))
    house.at = DUE
    would_go = looked(house)
    assert (would_go.records, would_go.may_go) == (1, False)
    assert [obstacle.split(" of that time")[0] for obstacle in would_go.obstacles] == [what]
    with pytest.raises(NotPurgedError) as refused:
        purged(house, would_go)
    assert would_go.obstacles[0] in refused.value.message
    assert (house.now(kept), len(entries(house))) == (kept, size)


def test_case_72_an_open_incident_about_a_delivery_keeps_it_whenever_it_was_opened(house: House) -> None:
    kept = received(house)
    house.at = DUE - timedelta(days=1)
    later = an_incident(house, 1, closes=False)
    with house.store.transaction() as uow:
        uow.incidents.save(replace(later, delivery=kept.id))
    house.at = DUE
    would_go = looked(house)
    assert not would_go.may_go
    house.do(follow_up, incident=later.id, sentence="It was nothing.", closes=True, by="pharmacist-2")
    assert looked(house).may_go


def test_case_72_a_tote_set_apart_on_the_ward_bars_no_purge_once_its_incident_is_closed(house: House) -> None:
    arrived = house.arrived()
    two = house.present("pharmacist-2", "nurse-a3")
    said = {"reason": "the robot stands", "is_emptied": True, "premises": house.premises, "ids": house.ids}
    house.do(hand_to_runner, delivery=arrived.id, present=two, taken_out=TakenOut("S-1"), **said)
    house.receive(arrived, seal="S-7")
    apart = house.receive(arrived, seal="S-7")
    assert apart.state is DeliveryState.INCIDENT
    with house.store.reading() as uow:
        (incident,) = uow.incidents.of_delivery(apart.id)
    house.at = DUE
    assert len(looked(house, RecordType.ANSWER).obstacles) == 2, "the incident, and the delivery"
    house.do(follow_up, incident=incident.id, sentence="The bags were mixed up.", closes=True, by="pharmacist-1")
    assert looked(house, RecordType.ANSWER).obstacles == ()
    assert house.now(apart).state is DeliveryState.RECEIVED


@pytest.mark.parametrize(
    ("by", "changed", "refusal"),
    [
        (("officer-1",), {}, PeopleMissingError),
        (("pharmacist-1",), {}, PeopleMissingError),
        (("pharmacist-1", "pharmacist-2"), {}, PeopleMissingError),
        (("officer-1", "technician-1"), {}, PeopleMissingError),
        (("officer-1", "pharmacist-1", "nurse-a1"), {}, PeopleMissingError),
        (BOTH, {"digest": "0" * 64}, NotPurgedError),
        (BOTH, {"month": Month(2025, 12)}, NotPurgedError),
        (BOTH, {"month": Month(2026, 2)}, NotPurgedError),
        (BOTH, {"kind": RecordType.LEDGER}, NotPurgedError),
        (BOTH, {"kind": RecordType.ACCESS_LOG}, NotPurgedError),
        (BOTH, {"kind": RecordType.PATIENTS_OWN}, NotPurgedError),
        (BOTH, {"reason": "  "}, InvalidInputError),
    ],
)
def test_case_72_the_purge_is_by_an_officer_and_a_pharmacist_of_what_they_looked_at_alone(
    by: tuple[str, ...], changed: dict[str, Any], refusal: type[Exception]
) -> None:
    house = House()
    kept = received(house)
    house.at = DUE
    would_go, size = looked(house), len(entries(house))
    with pytest.raises(refusal):
        purged(house, would_go, *by, **changed)
    assert (house.now(kept), len(entries(house))) == (kept, size)
    purged(house, would_go, *reversed(BOTH))


def test_case_72_whoever_holds_both_offices_is_one_person() -> None:
    house = House()
    received(house)
    both = house.people["officer-1"]
    house.people["officer-1"] = replace(both, roles=both.roles | house.people["pharmacist-1"].roles)
    house.at = DUE
    for by in (("officer-1",), ("officer-1", "nurse-a1"), ("officer-1", "officer-1")):
        with pytest.raises(PeopleMissingError):
            purged(house, looked(house), *by)


def test_case_72_years_are_counted_from_the_end_of_the_month_in_london(house: House) -> None:
    received(house)
    house.at = DUE - timedelta(seconds=1)
    (why,) = looked(house).obstacles
    assert why == "2 years have not passed since the end of 2026-01"
    house.at = DUE
    assert looked(house).may_go
    house.policy = CustodyPolicy(retention_years={RecordType.DELIVERY: 3})
    assert not looked(house).may_go
    with pytest.raises(LooserThanAllowedError):
        CustodyPolicy(retention_years={RecordType.DELIVERY: 1})
    summer = Month(2026, 6)
    assert not summer.is_due(2, datetime(2028, 6, 30, 22, 59, 59, tzinfo=UTC))
    assert summer.is_due(2, datetime(2028, 6, 30, 23, tzinfo=UTC))
    assert Month(2026, 12).ends_at == Month(2027, 1).starts_at


def test_case_72_a_delivery_belongs_to_the_month_in_which_it_ended(house: House) -> None:
    start, end, second = JANUARY.starts_at, JANUARY.ends_at, timedelta(seconds=1)
    with house.store.transaction() as uow:
        for at in (start - second, start, end - second, end):
            asked = queue(uow, ids=house.ids, at=start - timedelta(days=40))
            held = moved(asked, DeliveryState.HELD, at=start - timedelta(days=39), cause="pharmacist-1")
            uow.deliveries.save(moved(held, DeliveryState.CANCELLED, at=at, cause="pharmacist-1"))
    with house.store.reading() as uow:
        found = list(uow.deliveries.ended_between(start, end))
    assert [delivery.history[-1].at for delivery in found] == [start, end - second]


def test_case_72_patients_own_medicines_are_kept_for_seven_years_and_stock_is_not_kept_with_them(house: House) -> None:
    stock, own = received(house), house.queue()
    with house.store.transaction() as uow:
        custody = replace(own.custody, own_of_patient=True, patient="local-7")
        own = moved(replace(own, custody=custody), DeliveryState.CANCELLED, at=house.at, cause="pharmacist-1")
        uow.deliveries.save(own)
    house.at = DUE
    purged(house, looked(house))
    assert house.now(own) == own
    assert not looked(house, RecordType.PATIENTS_OWN).may_go
    house.at = datetime(2033, 2, 1, tzinfo=UTC)
    purged(house, looked(house, RecordType.PATIENTS_OWN))
    after = house.now(own).custody
    assert (after.patient, after.own_of_patient) == (None, True)
    assert house.now(stock).custody.purged_by == entries(house)[-2].index


def test_case_72_closed_incidents_and_answers_go_by_when_they_ended(house: House) -> None:
    told = an_incident(house, 1, closes=True)
    house.wait(days=30)
    later = an_incident(house, 2, closes=True)
    with house.store.transaction() as uow:
        for number, at in enumerate((JANUARY.starts_at, JANUARY.ends_at - timedelta(seconds=1), JANUARY.ends_at)):
            uow.answers.add(StoredAnswer(f"k-{number}", "nurse-a1", "f", 200, "{}", at))
    house.at = DUE
    assert looked(house, RecordType.ANSWER).records == 2
    assert not looked(house, RecordType.INCIDENT).may_go
    purged(house, looked(house, RecordType.ANSWER))
    house.at = datetime(2036, 2, 1, tzinfo=UTC)
    incidents = looked(house, RecordType.INCIDENT)
    assert incidents.digest == digest_of([{"id": told.id, "incident": told}])
    purged(house, incidents)
    with house.store.reading() as uow:
        assert list(uow.incidents.newest(10)) == [later]
        assert [uow.answers.find(key=f"k-{number}", principal="nurse-a1") is None for number in range(3)] == [
            True,
            True,
            False,
        ]
    assert audited(house).size == 2


def test_case_72_a_purge_that_fails_half_way_takes_nothing(house: House) -> None:
    kept = received(house)
    house.at = DUE
    would_go, size = looked(house), len(entries(house))

    class EndedError(Exception):
        pass

    def purge_and_end(uow: Any, *, at: datetime) -> None:
        people = tuple(house.people[name] for name in BOTH)
        purge(
            uow,
            kind=would_go.kind,
            month=would_go.month,
            digest=would_go.digest,
            reason="two years are over",
            people=people,
            policy=house.policy,
            at=at,
        )
        raise EndedError

    with pytest.raises(EndedError):
        house.do(purge_and_end)
    assert (house.now(kept), len(entries(house))) == (kept, size)
    with house.store.transaction() as uow:
        assert uow.deliveries.get(kept.id) == kept


def test_every_type_says_where_its_years_come_from() -> None:
    assert set(RETENTION) == set(RecordType)
    assert all(retention.source for retention in RETENTION.values())
    assert {kind.value for kind in PURGED} == {"delivery", "patients_own", "incident", "answer"}


def test_a_digest_is_of_what_is_said_and_not_of_how_it_is_ordered() -> None:
    one, two = {"id": "a", "at": datetime(2026, 1, 1, tzinfo=UTC)}, {"id": "b", "n": (1, None)}
    assert digest_of([one, two]) == digest_of([two, dict(reversed(one.items()))])
    assert digest_of([one, two]) != digest_of([one, {**two, "n": (1, 0)}])
    with pytest.raises(TypeError):
        digest_of([{"id": "a", "x": 0.5}])
