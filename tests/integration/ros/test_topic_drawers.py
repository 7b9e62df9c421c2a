"""Latches and switches over topics, with a node that only keeps what it was asked to publish."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ros_nodes.onboard.drawer_hardware import Switches

pytestmark = pytest.mark.ros
conversions = pytest.importorskip("ros_nodes.nodes.conversions", exc_type=ImportError)
topic_drawers = pytest.importorskip("ros_nodes.nodes.topic_drawers", exc_type=ImportError)


class Publisher:
    def __init__(self) -> None:
        self.sent: list[Any] = []

    def publish(self, message: Any) -> None:
        self.sent.append(message)

    def get_subscription_count(self) -> int:
        return 1


class Latches:
    """Stands for the node and for the drawers behind its topics."""

    def __init__(self) -> None:
        self.topics: dict[str, Publisher] = {}
        self.hear: dict[str, Callable[[Any], None]] = {}
        self.board_s = 50.0
        self.subject = topic_drawers.TopicDrawers(self, now_s=lambda: self.board_s)

    def create_publisher(self, _type: Any, topic: str, _qos: Any) -> Publisher:
        return self.topics.setdefault(topic, Publisher())

    def create_subscription(self, _type: Any, topic: str, callback: Callable[[Any], None], _qos: Any) -> None:
        self.hear[topic] = callback


def switches(*, is_latched: bool | None = True, is_occupied: bool | None = None) -> Switches:
    return Switches(is_latched, True, is_occupied, False, 0.0)


def test_switches_come_through_topics_as_they_were() -> None:
    said = {"top": switches(), "bottom": switches(is_latched=None, is_occupied=True)}
    heard = conversions.switches_from_ros(conversions.switches_to_ros(said), heard_s=0.0)
    assert heard == said


def test_a_row_that_is_not_whole_is_left_out() -> None:
    message = conversions.switches_to_ros({"top": switches(), "bottom": switches()})
    message.data = list(message.data)[:-1]
    assert list(conversions.switches_from_ros(message, heard_s=0.0)) == ["top"]


def test_commands_name_drawer_and_purpose_whatever_the_drawer_is_called() -> None:
    latches = Latches()
    latches.subject.unlatch("top left", "hand_over")
    latches.subject.latch("top left")
    (unlatch,), (latch,) = (latches.topics[topic].sent for topic in ("drawer_unlatch", "drawer_latch"))
    assert conversions.unlatch_from_ros(unlatch) == ("top left", "hand_over")
    assert latch.data == "top left"


def test_how_old_it_is_counts_in_seconds_of_the_walls_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    wall_s = [100.0]
    monkeypatch.setattr(topic_drawers.time, "monotonic", lambda: wall_s[0])
    latches = Latches()
    assert not latches.subject.is_ready
    assert latches.subject.switches() == {}
    latches.hear["drawer_switches"](conversions.switches_to_ros({"top": switches()}))
    assert latches.subject.is_ready
    wall_s[0] += 0.5
    latches.board_s += 6.0
    assert latches.board_s - latches.subject.switches()["top"].heard_s == pytest.approx(0.5)
