"""A robot that does not give up its order when it is told to: asked again, told of, and given nothing meanwhile."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence

from orchestrator.application.abort_order import abort_order
from orchestrator.application.resume_robot import resume_robot
from orchestrator.application.robot_acts import Asked
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import OrderPhase
from simulation.faults.observers import Bases, Bodies
from simulation.faults.stage import FaultyWard
from simulation.faults.wire import HonestWire
from tests.support.wards import a_demand, a_fleet, demo_hospital

ROBOT = RobotId("robot-1")
ABORTED_AT_S = 60.0
"""Robot 1 is on its way with a load then."""


class KeepsItsOrder(HonestWire):
    """Keeps every cancelOrder from a robot while it lasts, and says in its name that it failed, or nothing.

    ``heard_s`` is when cancels came, ``orders_s`` when orders came meanwhile.
    """

    def __init__(self, ward: FaultyWard, *, says_failed: bool, until_s: float) -> None:
        self._ward, self._says_failed, self._until_s = ward, says_failed, until_s
        self._failed: list[str] = []
        self.heard_s: list[float] = []
        self.orders_s: list[float] = []

    @property
    def _lasts(self) -> bool:
        return self._ward.clock.monotonic_s() < self._until_s

    def inward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        now_s = self._ward.clock.monotonic_s()
        if kind == "order" and self.heard_s and self._lasts:
            self.orders_s.append(now_s)
        if kind != "instantActions" or b"cancelOrder" not in payload or not self._lasts:
            return (payload,)
        self.heard_s.append(now_s)
        message = json.loads(payload)
        self._failed += [each["actionId"] for each in message.get("actions") or message["instantActions"]]
        self._ward.scheduler.after(0.2, self._ward.robots[ROBOT].report)
        return ()

    def outward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        if kind != "state" or not self._says_failed:
            return (payload,)
        state = json.loads(payload)
        state["actionStates"] += [
            {"actionId": each, "actionType": "cancelOrder", "actionStatus": "FAILED", "resultDescription": "not now"}
            for each in self._failed
        ]
        return (json.dumps(state).encode(),)


def a_ward_with_an_abort(*, says_failed: bool, for_s: float, resumed_at_s: float) -> tuple[FaultyWard, KeepsItsOrder]:
    site = demo_hospital()
    ward = FaultyWard(a_fleet(site), asked=a_demand(site, count=4, seed=2), seed=2, plan=[])
    fault = KeepsItsOrder(ward, says_failed=says_failed, until_s=ABORTED_AT_S + for_s)
    ward.wires[ROBOT].faults.append(fault)

    def act(use_case: object) -> None:
        asked = Asked(ROBOT, "porter-1", "because", ward.clock.now())
        ward.control.run(lambda uow: use_case(uow, ward.fleet, asked, ids=ward.ids))  # type: ignore[operator]
        ward._plan_tick()

    ward.scheduler.at(ABORTED_AT_S, lambda: act(abort_order))
    ward.scheduler.at(resumed_at_s, lambda: act(resume_robot))
    return ward, fault


def alarms(ward: FaultyWard, code: str) -> list[float]:
    start = ward.clock.moment(0.0)
    return [
        (event.at - start).total_seconds()
        for event in ward._log
        if event.kind == "alarm" and event.subject == ROBOT and event.data["code"] == code
    ]


def test_a_failed_cancel_is_told_and_asked_again_and_the_robot_gets_no_order_before_it_has_given_up_the_old_one() -> (
    None
):
    ward, fault = a_ward_with_an_abort(says_failed=True, for_s=100.0, resumed_at_s=400.0)
    _ = Bodies(ward), Bases(ward)
    phases: list[OrderPhase] = []
    ward.scheduler.at(ABORTED_AT_S + 95.0, lambda: phases.append(ward.control.picture().robots[0].record.phase))

    outcome = ward.run(limit_s=3600.0)

    assert phases == [OrderPhase.CANCELLING]
    assert fault.orders_s == []
    assert alarms(ward, "cancel_failed")[0] - ABORTED_AT_S < 1.0
    waits_s = [later - former for former, later in itertools.pairwise(fault.heard_s)]
    assert 3 <= len(fault.heard_s) <= 5, waits_s
    assert all(later > 1.4 * former for former, later in itertools.pairwise(waits_s)), waits_s
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}


def test_a_cancel_nobody_answers_is_told_within_the_models_limit_and_sent_less_and_less_often() -> None:
    ward, fault = a_ward_with_an_abort(says_failed=False, for_s=300.0, resumed_at_s=500.0)
    _ = Bodies(ward), Bases(ward)

    outcome = ward.run(limit_s=3600.0)

    limit_s = ward.fleet.models[ROBOT].order_answer_s
    assert alarms(ward, "action_unanswered")[0] - ABORTED_AT_S <= limit_s + 1.0
    assert fault.orders_s == []
    assert len([at_s for at_s in fault.heard_s if at_s <= ABORTED_AT_S + limit_s]) >= limit_s - 1.0
    assert len(fault.heard_s) < 25, "it is not sent every second for ever"
    assert fault.heard_s[-1] > ABORTED_AT_S + 260.0, "it is sent on"
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}
