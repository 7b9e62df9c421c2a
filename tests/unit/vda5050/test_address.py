from __future__ import annotations

import pytest

from orchestrator.vda5050.address import AddressError, RobotAddress, TopicKind, address_of_robot, parse_topic
from orchestrator.vda5050.header import HeaderCounter
from tests.support.robot_link import START, a_robot

ADDRESS = RobotAddress(interface_name="uagv", manufacturer="KIT", serial_number="0001", version="2.0.0")


def test_topic_names_the_major_version_and_the_robot() -> None:
    assert ADDRESS.topic(TopicKind.ORDER) == "uagv/v2/KIT/0001/order"


@pytest.mark.parametrize("kind", list(TopicKind))
def test_a_parsed_topic_is_owned_by_the_robot_it_came_from(kind: TopicKind) -> None:
    parsed = parse_topic(ADDRESS.topic(kind))
    assert parsed.kind is kind
    assert ADDRESS.owns(parsed)


def test_another_robots_topic_is_not_owned() -> None:
    assert not ADDRESS.owns(parse_topic("uagv/v2/KIT/0002/state"))


def test_an_interface_name_may_have_levels() -> None:
    assert parse_topic("st-mary/uagv/v2/KIT/0001/state").interface_name == "st-mary/uagv"


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "state",
        "uagv/v2/KIT/state",
        "uagv/2/KIT/0001/state",
        "uagv/v2/KIT/0001/States",
        "/v2/KIT/0001/state",
        "a/v2//1/state",
    ],
)
def test_what_is_no_robots_topic_is_refused(topic: str) -> None:
    with pytest.raises(AddressError, match="expected interface/v2"):
        parse_topic(topic)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("serial_number", "a/b"),
        ("serial_number", "R 1"),
        ("manufacturer", "a#"),
        ("manufacturer", ""),
        ("interface_name", "+"),
        ("version", "2.1"),
    ],
)
def test_an_identity_that_would_break_topics_is_refused_by_name(field: str, value: str) -> None:
    parts = {"interface_name": "uagv", "manufacturer": "KIT", "serial_number": "0001", "version": "2.1.0"} | {
        field: value
    }
    with pytest.raises(AddressError, match=field):
        RobotAddress(**parts)


def test_orders_are_never_retained_and_never_queued() -> None:
    for kind in (TopicKind.ORDER, TopicKind.INSTANT_ACTIONS):
        assert (kind.qos, kind.is_retained) == (0, False)


def test_header_ids_count_per_topic_and_wrap() -> None:
    counter = HeaderCounter({TopicKind.ORDER: 2**32 - 1})
    assert [counter.take(TopicKind.ORDER) for _ in range(3)] == [2**32 - 1, 0, 1]
    assert counter.take(TopicKind.INSTANT_ACTIONS) == 0


def test_a_stamped_header_names_the_robots_own_version() -> None:
    header = HeaderCounter().stamp(TopicKind.ORDER, address=address_of_robot(a_robot(version="2.0.0")), now=START)
    assert (header["version"], header["manufacturer"], header["serial_number"]) == ("2.0.0", "ward", "R1")
