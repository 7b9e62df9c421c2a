"""The porter of a demonstration: which robots are resumed, when, and what happens when they may not go on yet."""

from __future__ import annotations

from typing import Any

import pytest

from simulation.demo.api import Api, ApiRefusedError
from simulation.demo.people import PORTER, People


class RefusingApi(Api):
    """Notes what is asked, and refuses it as often as it is told to."""

    def __init__(self, *, refusals: int = 0) -> None:
        super().__init__("http://127.0.0.1:1")
        self.asked: list[tuple[str, str]] = []
        self.refusals = refusals

    def act(self, path: str, body: dict[str, object], *, principal: str, key: str | None = None) -> Any:
        assert body["reason"]
        self.asked.append((path, principal))
        if self.refusals:
            self.refusals -= 1
            raise ApiRefusedError("The resumption was refused.")


def a_robot(*, by: str | None) -> dict[str, Any]:
    holds = [] if by is None else [{"kind": "stopped", "by": by, "at": "2026-01-31T12:00:00Z", "reason": "See to it."}]
    return {"id": "robot-1", "holds": holds}


@pytest.mark.parametrize(("by", "count"), [(None, 0), ("porter-1", 0), ("robot-1", 1)])
def test_a_robot_that_holds_itself_is_resumed_and_one_that_a_person_holds_is_not(by: str | None, count: int) -> None:
    api = RefusingApi()

    People(api, seed=1, speed_factor=1e9).look_after([a_robot(by=by)])

    assert api.asked == [("/robots/robot-1/resume", PORTER)] * count


def test_nobody_is_there_at_once() -> None:
    api = RefusingApi()

    People(api, seed=1, speed_factor=1.0).look_after([a_robot(by="robot-1")])

    assert api.asked == []


def test_somebody_comes_again_when_a_robot_may_not_go_on_yet() -> None:
    api = RefusingApi(refusals=2)
    people = People(api, seed=1, speed_factor=1e9)

    for _ in range(3):
        people.look_after([a_robot(by="robot-1")])

    assert (len(api.asked), api.refusals) == (3, 0)
