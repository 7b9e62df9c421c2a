"""The people of a demonstration have a drawer opened, wait until it is locked again, and only then go on."""

from __future__ import annotations

from typing import Any

import pytest

from simulation.demo import openings
from simulation.demo.api import Api, ApiRefusedError, Away
from simulation.demo.openings import NO_LOCKS, Openings


class DrawerApi(Api):
    """Answers with the openings it was given, and keeps what it is asked for."""

    def __init__(self, *, refusal: str | None = None) -> None:
        super().__init__("http://127.0.0.1:1")
        self.openings: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.refusal = refusal
        self.is_away = False

    def get(self, path: str, **query: str | int) -> Any:
        if self.is_away:
            raise Away
        return {"openings": self.openings}

    def act(self, path: str, body: dict[str, object], *, principal: str, key: str | None = None) -> Any:
        self.keys.append(key)
        if self.refusal is not None:
            raise ApiRefusedError("refused", detail={"code": self.refusal})
        return {}


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openings, "AGAIN_S", 0.0)


def opening(outcome: str, *, purpose: str = "load", is_closed: bool = False) -> dict[str, Any]:
    return {"purpose": purpose, "outcome": outcome, "closed_at": "2026-01-31T12:00:00Z" if is_closed else None}


def is_done(subject: Openings) -> bool:
    return subject.is_done("delivery-1", "load", principal="pharmacist-1")


def test_a_drawer_is_asked_for_once_and_waited_for() -> None:
    api = DrawerApi()
    subject = Openings(api)
    assert not is_done(subject)
    for outcome in ("issued", "opened"):
        api.openings = [opening(outcome)]
        assert not is_done(subject)
    api.openings = [opening("opened", is_closed=True)]
    assert is_done(subject)
    assert api.keys == ["demo-open-load-delivery-1-0"]


def test_a_refused_opening_is_asked_for_again_under_another_key() -> None:
    api = DrawerApi()
    subject = Openings(api)
    assert not is_done(subject)
    api.openings = [opening("refused")]
    assert not is_done(subject)
    assert api.keys == ["demo-open-load-delivery-1-0", "demo-open-load-delivery-1-1"]


def test_an_opening_for_something_else_does_not_count() -> None:
    api = DrawerApi()
    api.openings = [opening("opened", purpose="hand_over", is_closed=True)]
    assert not is_done(Openings(api))
    assert len(api.keys) == 1


def test_nothing_is_waited_for_at_a_robot_without_locks() -> None:
    assert is_done(Openings(DrawerApi(refusal=NO_LOCKS)))
    assert not is_done(Openings(DrawerApi(refusal="robot_not_ready_to_open")))


def test_nothing_is_taken_for_granted_while_the_service_is_away() -> None:
    api = DrawerApi()
    api.is_away = True
    assert not is_done(Openings(api))
