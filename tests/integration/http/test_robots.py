"""What people do with robots through the API: each act, its refusals, its retries, and the history of a robot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from orchestrator.domain.delivery.model import TripId
from orchestrator.domain.fleet.hold import Hold, HoldKind
from orchestrator.domain.fleet.model import Pose, RobotId
from orchestrator.domain.fleet.order import ActionKind
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.http.app import build_app
from simulation.memory_store import MemoryStore
from tests.integration.http.test_refusals import refused
from tests.support.deliveries import NOON
from tests.support.desk import HATCH, LEVEL, StoreDoor, a_desk, a_report

Json = dict[str, Any]
ROBOT = RobotId("robot-1")
BODIES: dict[str, Json] = {
    "pause": {},
    "resume": {},
    "abort": {},
    "quarantine": {},
    "withdraw": {"aboard": "runner"},
    "fence-off": {"is_removed": True},
    "out-of-service": {},
    "in-service": {},
    "send": {"station": "ward-a-handover"},
}


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    report = replace(a_report(), pose=Pose(LEVEL, 0.0, 0.0))
    save(store, RobotRecord(ROBOT, tip=HATCH, held=frozenset({"x"}), report=report))
    return store


@pytest.fixture
def client(store: MemoryStore) -> Iterator[TestClient]:
    app = build_app(a_desk(StoreDoor(store)))
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as opened:
        yield opened


def save(store: MemoryStore, record: RobotRecord) -> None:
    with store.transaction() as uow:
        uow.robots.save(record)


def change(store: MemoryStore, **changes: object) -> None:
    save(store, replace(record_of(store), **changes))  # type: ignore[arg-type]


def record_of(store: MemoryStore) -> RobotRecord:
    with store.reading() as uow:
        return uow.robots.get(ROBOT)


def hold(store: MemoryStore, *kinds: HoldKind) -> None:
    change(store, holds=tuple(Hold(kind, "Something happened.", ROBOT, NOON) for kind in kinds))


def wanted(store: MemoryStore) -> list[ActionKind]:
    with store.reading() as uow:
        return [message.action.kind for message in uow.outbox.wanted() if message.action is not None]


def ask(client: TestClient, act: str, *, robot: str = "robot-1", key: str = "k-1", **body: object) -> Any:
    said = {"reason": "in the way", **BODIES[act], **body}
    headers = {"Idempotency-Key": key, "Wardporter-Principal": "porter-1"}
    return client.post(f"/api/v1/robots/{robot}/{act}", json=said, headers=headers)


def done(answer: Any) -> Json:
    assert answer.status_code == 200, answer.text
    return answer.json()


def holds_of(answer: Json) -> list[str]:
    return [one["kind"] for one in answer["holds"]]


def history(client: TestClient, **query: int) -> Json:
    return done(client.get("/api/v1/robots/robot-1/history", params=query))


def test_a_paused_robot_is_told_so_and_its_hold_says_who_and_when(client: TestClient, store: MemoryStore) -> None:
    answer = done(ask(client, "pause"))

    assert holds_of(answer) == ["paused"]
    assert (answer["holds"][0]["by"], answer["holds"][0]["at"]) == ("porter-1", NOON.isoformat().replace("+00:00", "Z"))
    assert wanted(store) == [ActionKind.PAUSE]


def test_a_resumed_robot_goes_on(client: TestClient, store: MemoryStore) -> None:
    ask(client, "pause")

    assert holds_of(done(ask(client, "resume", key="k-2"))) == []
    assert wanted(store) == [ActionKind.RESUME]


def test_a_robot_in_quarantine_says_by_whom_and_goes_on_when_it_is_resumed(client: TestClient) -> None:
    answer = done(ask(client, "quarantine", reason="Its certificate was taken back."))

    assert holds_of(answer) == ["quarantined"]
    assert "certificate was taken back" in answer["holds"][0]["reason"]
    assert answer["holds"][0]["by"] == "porter-1"
    assert history(client)["entries"][0]["outcome"] == "It is in quarantine; it had no order."
    assert holds_of(done(ask(client, "resume", key="k-2"))) == []


def test_a_robot_fenced_off_for_good_occupies_nothing(client: TestClient, store: MemoryStore) -> None:
    assert holds_of(done(ask(client, "fence-off"))) == ["fenced_off", "removed"]
    assert (record_of(store).tip, record_of(store).held) == (None, frozenset())


def test_a_robot_fenced_off_where_it_stands_keeps_its_place_and_may_be_removed_later(
    client: TestClient, store: MemoryStore
) -> None:
    assert holds_of(done(ask(client, "fence-off", is_removed=False))) == ["fenced_off"]
    assert record_of(store).tip == HATCH

    assert holds_of(done(ask(client, "fence-off", key="k-2"))) == ["fenced_off", "removed"]
    assert record_of(store).tip is None


def test_a_silent_robot_that_was_never_heard_may_be_fenced_off(client: TestClient) -> None:
    assert holds_of(done(ask(client, "fence-off", robot="robot-2"))) == ["fenced_off", "removed"]


def test_a_robot_is_taken_out_of_service_and_put_back(client: TestClient) -> None:
    answer = done(ask(client, "out-of-service"))
    assert (holds_of(answer), answer["holds"][0]["keeps_from_driving"]) == (["out_of_service"], False)

    assert holds_of(done(ask(client, "resume", key="k-2"))) == ["out_of_service"]
    assert holds_of(done(ask(client, "in-service", key="k-3"))) == []


def test_a_robot_is_sent_to_a_station_and_home_again(client: TestClient) -> None:
    answer = done(ask(client, "send"))
    assert (answer["target"], answer["sent_to"]) == ("ward-a-handover", "ward-a-handover")

    home = done(ask(client, "send", key="k-2", station="charger-1"))
    assert (home["target"], home["sent_to"]) == ("charger-1", None)


def test_a_robot_that_was_sent_somewhere_is_withdrawn_from_there(client: TestClient) -> None:
    ask(client, "send")

    answer = done(ask(client, "withdraw", key="k-2"))

    assert (answer["target"], answer["sent_to"]) == (None, None)


@pytest.mark.parametrize("act", sorted(BODIES))
def test_a_retry_with_the_same_key_is_the_same_answer_and_one_entry(
    client: TestClient, store: MemoryStore, act: str
) -> None:
    if act in ("resume", "in-service"):
        hold(store, HoldKind.PAUSED, HoldKind.OUT_OF_SERVICE)
    if act == "withdraw":
        ask(client, "send", key="k-0")
    first = ask(client, act)
    done(first)

    again = ask(client, act)

    assert (again.status_code, again.content) == (first.status_code, first.content)
    entered = "held" if act == "quarantine" else act.replace("-", "_")
    assert [entry["act"] for entry in history(client)["entries"]].count(entered) == 1


@pytest.mark.parametrize("act", sorted(BODIES))
def test_an_act_that_is_done_already_changes_nothing_under_any_key(
    client: TestClient, store: MemoryStore, act: str
) -> None:
    done(ask(client, act))
    before, entries, messages = record_of(store), history(client), wanted(store)

    done(ask(client, act, key="k-2"))

    assert (record_of(store), history(client), wanted(store)) == (before, entries, messages)


@pytest.mark.parametrize("act", sorted(BODIES))
def test_the_same_key_for_another_reason_is_refused(client: TestClient, act: str) -> None:
    done(ask(client, act))

    refused(ask(client, act, reason="something else"), 409, "idempotency_key_reused")


@pytest.mark.parametrize("act", sorted(BODIES))
def test_an_act_on_a_robot_that_is_not_there_is_refused(client: TestClient, act: str) -> None:
    refused(ask(client, act, robot="robot-9"), 404, "robot_unknown")


@pytest.mark.parametrize("act", sorted(BODIES))
def test_an_act_without_a_reason_that_says_something_is_refused(client: TestClient, act: str) -> None:
    refused(ask(client, act, reason=""), 422, "request_invalid")
    refused(ask(client, act, reason="  "), 422, "invalid_input")


@pytest.mark.parametrize("act", sorted(BODIES))
def test_an_act_without_a_principal_or_a_key_is_refused(client: TestClient, act: str) -> None:
    where, body = f"/api/v1/robots/robot-1/{act}", {"reason": "x", **BODIES[act]}

    refused(client.post(where, json=body, headers={"Idempotency-Key": "k"}), 401, "principal_missing")
    refused(client.post(where, json=body, headers={"Wardporter-Principal": "p"}), 400, "idempotency_key_missing")


def test_a_robot_that_still_reports_its_emergency_stop_is_not_resumed(client: TestClient, store: MemoryStore) -> None:
    change(store, report=replace(a_report(), is_emergency_stopped=True))
    hold(store, HoldKind.STOPPED)

    assert "release it" in refused(ask(client, "resume"), 409, "robot_still_stopped")["detail"]
    assert [one.kind for one in record_of(store).holds] == [HoldKind.STOPPED]


def test_a_robot_that_was_moved_off_the_waypoints_is_not_resumed(client: TestClient, store: MemoryStore) -> None:
    change(store, report=replace(a_report(), pose=Pose(LEVEL, 4.0, 5.0)))
    hold(store, HoldKind.MOVED)

    refused(ask(client, "resume"), 409, "robot_off_graph")


def test_a_silent_robot_is_not_resumed(client: TestClient, store: MemoryStore) -> None:
    hold(store, HoldKind.STOPPED)
    change(store, lost_since=NOON)

    refused(ask(client, "resume"), 409, "robot_silent")


def test_a_robot_that_is_lost_for_its_clock_is_resumed_by_its_clock_as_it_stands(
    client: TestClient, store: MemoryStore
) -> None:
    change(store, lost_since=NOON)

    refused(ask(client, "resume", clock_off_s=1e12), 422, "request_invalid")
    refused(ask(client, "resume", clock_off_s=30.0, key="k-2"), 422, "invalid_input")
    assert done(ask(client, "resume", clock_off_s=-7e7, key="k-3"))["is_lost"] is True

    report = record_of(store).report
    assert report is not None
    assert report.clock_off_s == -7e7
    (entry,) = history(client)["entries"]
    assert (entry["act"], entry["by"]) == ("resume", "porter-1")
    assert "behind ours" in entry["outcome"]
    change(store, lost_since=None)
    refused(ask(client, "resume", clock_off_s=-8e7, key="k-4"), 409, "clock_not_refused")


@pytest.mark.parametrize(
    ("station", "status", "code"),
    [
        ("nowhere", 422, "station_unknown"),
        ("charger-2", 409, "station_reserved"),
        ("", 422, "request_invalid"),
    ],
)
def test_a_robot_is_not_sent_where_it_cannot_stay(client: TestClient, station: str, status: int, code: str) -> None:
    refused(ask(client, "send", station=station), status, code)


def test_a_robot_on_a_trip_is_not_sent_elsewhere(client: TestClient, store: MemoryStore) -> None:
    change(store, trip=TripId("trip-1"))

    refused(ask(client, "send"), 409, "robot_on_trip")


def test_a_robot_that_is_held_is_not_sent_anywhere(client: TestClient, store: MemoryStore) -> None:
    hold(store, HoldKind.STOPPED)

    refused(ask(client, "send"), 409, "robot_held")


def test_history_tells_what_was_done_by_whom_and_why_newest_first_in_pages(client: TestClient) -> None:
    ask(client, "pause", reason="floor is wet")
    ask(client, "resume", key="k-2", reason="floor is dry")
    ask(client, "out-of-service", key="k-3", reason="wheel squeaks")

    first = history(client, limit=2)
    last = history(client, limit=2, after=first["next_after"])

    told = [(entry["act"], entry["by"], entry["reason"]) for entry in (*first["entries"], *last["entries"])]
    assert told == [
        ("out_of_service", "porter-1", "wheel squeaks"),
        ("resume", "porter-1", "floor is dry"),
        ("pause", "porter-1", "floor is wet"),
    ]
    assert last["next_after"] is None
    assert all(entry["outcome"] for entry in first["entries"])


def test_history_of_a_robot_that_is_not_there_is_refused(client: TestClient) -> None:
    refused(client.get("/api/v1/robots/robot-9/history"), 404, "robot_unknown")
    refused(client.get("/api/v1/robots/robot-1/history", params={"limit": 0}), 422, "request_invalid")


def test_an_act_is_in_the_event_stream_without_its_reason(client: TestClient, store: MemoryStore) -> None:
    ask(client, "pause", reason="a name that has no place on a screen")

    with store.reading() as uow:
        told = {event.kind: dict(event.data) for event in uow.events.after(0, 100)}
    assert told["robot_act"]["act"] == "pause"
    assert told["robot_changed"]["holds"] == ["paused"]
    assert "a name" not in str(told)
