"""Drawers of a whole ward on virtual time: opened by grants alone, and no robot drives with one that is not locked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest

from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.issued_grant import GrantOutcome, IssuedGrant
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.fleet.model import RobotId
from orchestrator.vda5050.address import TopicKind
from simulation.ward import Outcome, SimulatedWard
from tests.support.wards import a_demand, a_fleet, demo_hospital

LOOK_S = 0.25
STILL_M = 1e-6
LIMIT_S = 4 * 3600.0
ROBOT = RobotId("robot-1")


class WatchedWard(SimulatedWard):
    """A ward whose bodies somebody watches four times a second, whatever the robots say of themselves."""

    def __init__(self, *, count: int, seed: int, robots: int = 3, has_locks: bool = True) -> None:
        site = demo_hospital()
        super().__init__(
            a_fleet(site, robots=robots),
            asked=a_demand(site, count=count, seed=seed, robots=robots),
            seed=seed,
            has_locks=has_locks,
        )
        self.breaches: list[str] = []
        self._stood_m = {robot: body.distance_m for robot, body in self.robots.items()}
        self._was_unlocked = dict.fromkeys(self.robots, False)
        self.scheduler.after(LOOK_S, self._watch)

    def _watch(self) -> None:
        for robot, body in self.robots.items():
            body.look()
            is_unlocked = any(not (s.is_latched and s.is_closed) for s in body.drawers.switches().values())
            if is_unlocked and self._was_unlocked[robot] and body.distance_m > self._stood_m[robot] + STILL_M:
                self.breaches.append(f"{robot} drove with a drawer that was not locked at {self.clock.monotonic_s()}")
            self._was_unlocked[robot], self._stood_m[robot] = is_unlocked, body.distance_m
        self.scheduler.after(LOOK_S, self._watch)

    def grants(self) -> list[IssuedGrant]:
        with self.store.reading() as uow:
            page = uow.deliveries.page(after=None, limit=10_000, states=None)
            return [grant for delivery in page for grant in uow.grants.of_delivery(delivery.id)]

    def when(self, kind: str, act: Callable[[dict[str, object]], None]) -> None:
        """Do something once, as soon as an event of a kind is told."""
        done: list[bool] = []

        def look() -> None:
            with self.store.reading() as uow:
                found = [event for event in uow.events.after(0, 100_000) if event.kind == kind]
            if found and not done:
                done.append(True)
                act(dict(found[0].data))
            elif not done:
                self.scheduler.after(LOOK_S, look)

        self.scheduler.after(LOOK_S, look)


def told(outcome: Outcome) -> Counter[str]:
    return Counter(json.loads(line)["kind"] for line in outcome.log.splitlines())


def alarms(outcome: Outcome) -> Counter[str]:
    events = (json.loads(line) for line in outcome.log.splitlines())
    return Counter(event["data"]["code"] for event in events if event["kind"] == "alarm")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_drawer_is_opened_by_a_grant_for_what_is_done_there_and_no_robot_drives_with_one_open(seed: int) -> None:
    ward = WatchedWard(count=8, seed=seed)
    outcome = ward.run(limit_s=LIMIT_S)
    assert outcome.is_finished
    assert {delivery.state for delivery in outcome.deliveries} == {DeliveryState.RECEIVED}
    opened = [grant for grant in ward.grants() if grant.outcome is GrantOutcome.OPENED]
    asked = Counter((grant.delivery, grant.purpose.value) for grant in opened)
    assert asked == Counter((d.id, purpose) for d in outcome.deliveries for purpose in ("load", "hand_over"))
    assert all(grant.closed_at is not None for grant in opened)
    unlatched = sum(len(body.drawers.unlatched) for body in ward.robots.values())
    assert unlatched == len(opened) == told(outcome)["drawer_opened"] == told(outcome)["drawer_closed"]
    assert ward.breaches == []


def test_a_ward_without_locks_opens_nothing_and_delivers_as_before() -> None:
    ward = WatchedWard(count=4, seed=1, has_locks=False)
    outcome = ward.run(limit_s=LIMIT_S)
    assert outcome.is_finished
    assert ward.grants() == []
    assert told(outcome)["drawer_opened"] == 0


def test_a_captured_grant_sent_again_at_any_time_opens_nothing() -> None:
    ward = WatchedWard(count=4, seed=2, robots=1)
    captured: list[tuple[str, bytes]] = []
    topic = ward.robots[ROBOT].address.topic(TopicKind.INSTANT_ACTIONS)

    def replay() -> None:
        for number, (where, payload) in enumerate(list(captured)):
            message = json.loads(payload)
            message["headerId"] += 1000 + number
            for action in message["actions"]:
                action["actionId"] += "-again"
            ward.robots[ROBOT]._receive(TopicKind.INSTANT_ACTIONS, json.dumps(message).encode())
            ward.robots[ROBOT]._receive(TopicKind.INSTANT_ACTIONS, payload)
            assert where == topic
        ward.scheduler.after(3.0, replay)

    def keep(where: str, payload: bytes) -> None:
        if b"openDrawer" in payload:
            captured.append((where, payload))

    ward.listen(topic, keep)
    ward.scheduler.after(3.0, replay)
    outcome = ward.run(limit_s=LIMIT_S)
    assert outcome.is_finished
    assert len(captured) >= 8
    opened = [grant for grant in ward.grants() if grant.outcome is GrantOutcome.OPENED]
    assert len(ward.robots[ROBOT].drawers.unlatched) == len(opened)
    assert ward.breaches == []


def test_a_forced_drawer_holds_the_robot_until_it_was_seen_to() -> None:
    ward = WatchedWard(count=2, seed=2, robots=1)
    body = ward.robots[ROBOT]

    def force_on_the_way() -> None:
        drawer = next(iter(body.drawers.switches()))
        body.force_drawer(drawer)
        ward.scheduler.after(20.0, body.repair_drawers)

    ward.when("drawer_closed", lambda _: ward.scheduler.after(60.0, force_on_the_way))
    outcome = ward.run(limit_s=LIMIT_S)
    assert outcome.is_finished
    assert alarms(outcome)["robot_stopped"] == 1
    assert {delivery.state for delivery in outcome.deliveries} == {DeliveryState.RECEIVED}
    assert 0 < len(ward.breaches) * LOOK_S <= 3.0, "it brakes from full speed, and stands from then on"


def test_a_robot_does_not_leave_while_the_sensor_says_that_something_is_left_in_its_drawer() -> None:
    ward = WatchedWard(count=1, seed=2, robots=1)
    body = ward.robots[ROBOT]

    def leave_something(data: dict[str, object]) -> None:
        body.drawers.claims_occupied.add(str(data["drawer"]))
        ward.scheduler.after(300.0, body.repair_drawers)

    ward.when("drawer_closed", leave_something)
    outcome = ward.run(limit_s=LIMIT_S)
    assert outcome.is_finished
    assert {delivery.state for delivery in outcome.deliveries} == {DeliveryState.RECEIVED}
    stood = body.look()
    ward.scheduler.run(until=lambda: False, limit_s=ward.clock.monotonic_s() + 60.0)
    assert body.look() == stood
    with ward.store.reading() as uow:
        assert [reason.code for reason in uow.robots.get(ROBOT).waiting] == ["drawer_not_empty"]
        told_of = [e.data["code"] for e in uow.events.after(0, 10_000) if e.kind == "alarm" and e.data.get("audience")]
        (incident,) = uow.incidents.newest(10)
    assert told_of == ["drawer_not_empty"]
    assert (incident.kind, incident.delivery) == (IncidentKind.DRAWER_NOT_EMPTY, outcome.deliveries[0].id)
    ward.scheduler.run(until=lambda: False, limit_s=ward.clock.monotonic_s() + 600.0)
    assert body.look() != stood
    assert ward.breaches == []


def test_security_is_called_once_for_a_robot_that_stays_silent_though_the_orchestrator_starts_again_meanwhile_24() -> (
    None
):
    ward = WatchedWard(count=1, seed=2, robots=1)
    body, after = ward.robots[ROBOT], ward.scheduler.after

    def be_silent(_: dict[str, object]) -> None:
        body.cut_power()
        after(500.0, lambda: ward.kill_orchestrator(away_s=10.0))
        after(1000.0, body.switch_on)

    ward.when("drawer_closed", lambda data: after(20.0, lambda: be_silent(data)))
    outcome = ward.run(limit_s=LIMIT_S)
    assert outcome.is_finished
    assert (alarms(outcome)["robot_lost"], alarms(outcome)["place_unknown"]) == (1, 1)
    with ward.store.reading() as uow:
        (call,) = (e for e in uow.events.after(0, 100_000) if e.data.get("code") == "place_unknown")
        assert uow.robots.get(ROBOT).called_for == frozenset()
    assert call.data["audience"] == ["security", "pharmacy", "ward"]


def test_an_orchestrator_that_comes_back_knows_which_drawer_was_opened_for_what_41() -> None:
    ward = WatchedWard(count=2, seed=2, robots=1)
    ward.when("drawer_opened", lambda _: ward.kill_orchestrator(away_s=30.0))
    outcome = ward.run(limit_s=LIMIT_S)
    assert outcome.is_finished
    assert {delivery.state for delivery in outcome.deliveries} == {DeliveryState.RECEIVED}
    assert all(grant.closed_at is not None for grant in ward.grants() if grant.outcome is GrantOutcome.OPENED)
    assert alarms(outcome)["drawer_opened_unasked"] == 0
    assert ward.breaches == []
