"""Instant actions of robots that list none that is over: what their state shows ends the asking."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.domain.fleet.model import Pose
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.domain.site.model import LevelId
from orchestrator.vda5050.events import ActionFinished, ActionUnanswered
from orchestrator.vda5050.messages import ActionStatus, BatteryState, MapOnRobot, MapStatus
from tests.support.robot_link import LinkOnClock, an_action

CHARGING = {"battery_state": BatteryState(battery_charge=80.0, charging=True)}
CASES: dict[ActionKind, tuple[dict[str, Any], dict[str, Any]]] = {
    ActionKind.PAUSE: ({"paused": False}, {"paused": True}),
    ActionKind.RESUME: ({"paused": True}, {"paused": False}),
    ActionKind.STOP_CHARGING: (CHARGING, {}),
    ActionKind.START_CHARGING: ({}, CHARGING),
}
"""What a robot says before it has done what it was asked, and after."""


def asked(action: RobotAction, before: dict[str, Any]) -> LinkOnClock:
    bench = LinkOnClock()
    bench.hear(**before)
    bench.link.want_action(action, at_s=bench.at_s)
    assert len(bench.due().publishes) == 1
    return bench


def sent_in(bench: LinkOnClock, seconds: int) -> int:
    return sum(len(bench.pass_time(1.0).publishes) for _ in range(seconds))


@pytest.mark.parametrize("kind", CASES)
def test_what_a_robot_shows_that_it_has_done_is_over_and_is_never_asked_again(kind: ActionKind) -> None:
    before, after = CASES[kind]
    action = an_action(kind)
    bench = asked(action, before)

    bench.pass_time(1.0)
    assert bench.hear(**before) == []
    bench.pass_time(1.0)
    assert bench.hear(**after) == [ActionFinished(action.id)]

    bench.hear(**before)
    assert sent_in(bench, 14) == 0


@pytest.mark.parametrize("kind", CASES)
def test_a_state_from_before_the_robot_can_have_heard_it_shows_nothing(kind: ActionKind) -> None:
    before, after = CASES[kind]
    bench = asked(an_action(kind), before)

    bench.pass_time(0.5)
    assert bench.hear(**after) == []
    assert sent_in(bench, 1) == 1


@pytest.mark.parametrize("kind", CASES)
def test_what_a_robot_lists_as_running_is_not_over_whatever_it_shows(kind: ActionKind) -> None:
    before, after = CASES[kind]
    action = an_action(kind)
    bench = asked(action, before)

    bench.pass_time(2.0)
    assert bench.hear(**after, actions={"action-1": ActionStatus.RUNNING}) == []
    assert bench.hear(**after) == [ActionFinished(action.id)]


def test_a_robot_that_was_paused_at_its_own_button_is_asked_until_it_lists_the_pause() -> None:
    pause = an_action(ActionKind.PAUSE)
    bench = asked(pause, {"paused": True})

    bench.pass_time(5.0)
    assert bench.hear(paused=True) == []
    assert sent_in(bench, 3) > 0

    assert bench.hear(paused=True, actions={"action-1": ActionStatus.RUNNING}) == []
    assert bench.hear(paused=True) == [ActionFinished(pause.id)]


def test_a_map_is_enabled_once_the_robot_says_so_or_has_listed_it_and_lists_it_no_more() -> None:
    action = RobotAction(
        id=an_action().id, kind=ActionKind.ENABLE_MAP, pose=Pose(LevelId("first"), 1.0, 2.0), map_version="1"
    )

    def maps(status: MapStatus) -> dict[str, Any]:
        return {"maps": (MapOnRobot(map_id="first", map_version="1", map_status=status),)}

    told = asked(action, {})
    told.pass_time(2.0)
    assert told.hear(**maps(MapStatus.DISABLED)) == []
    assert told.hear(**maps(MapStatus.ENABLED)) == [ActionFinished(action.id)]

    silent = asked(action, {})
    silent.pass_time(2.0)
    assert silent.hear() == []
    silent.hear(actions={"action-1": ActionStatus.RUNNING})
    assert silent.hear() == [ActionFinished(action.id)]


def test_a_robot_that_shows_nothing_of_it_is_asked_on_and_people_are_told() -> None:
    bench = asked(an_action(ActionKind.RESUME), {"paused": True})

    bench.hear(paused=True)
    late = bench.pass_time(5.0)

    assert [type(event) for event in late.events] == [ActionUnanswered]
    assert [json.loads(p.payload)["actions"][0]["actionType"] for p in late.publishes] == ["stopPause"]
