"""Messages of devices: what is not of the protocol changes nothing, and says why."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.devices.address import QOS, Channel, DeviceAddress, DeviceAddressError, DeviceKind, parse_device_topic
from orchestrator.devices.messages import (
    MESSAGE_BYTES_MAX,
    DeviceMessageError,
    DoorState,
    LiftState,
    decode,
    encode,
)
from orchestrator.domain.site.device import DoorPosition
from tests.support.device_link import a_door, a_door_state, a_lift_state, a_session


def test_a_message_is_read_as_it_was_written() -> None:
    for kind, payload in ((DoorState, a_door_state(a_session("s"))), (LiftState, a_lift_state(a_session("s")))):
        assert encode(decode(kind, payload)) == payload


def test_fields_nobody_here_knows_are_passed_over() -> None:
    payload = json.dumps({**json.loads(a_door_state()), "paint": "green"}).encode()
    assert decode(DoorState, payload) == decode(DoorState, a_door_state())


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"boot":"b","boot":"b"}',
        a_door_state().replace(b'"open"', b'"ajar"'),
        a_door_state().replace(b'"number":1', b'"number":"1"'),
        a_door_state().replace(b'"number":1', b'"number":-1'),
        a_door_state().replace(b'"number":1', b'"number":NaN'),
        a_door_state().replace(b"Z", b""),
        a_door_state(*[a_session("s")] * 64).replace(b'"sessions":[', b'"sessions":[{},', 1),
        a_door_state() + b" " * MESSAGE_BYTES_MAX,
    ],
)
def test_a_message_that_is_not_of_the_protocol_is_dropped_and_changes_nothing(payload: bytes) -> None:
    door = a_door()
    with pytest.raises(DeviceMessageError, match=r"A DoorState was dropped: .+ Expected"):
        decode(DoorState, payload)
    assert door.receive(payload, at_s=0.0) is not None
    assert door.door(at_s=0.0).position is DoorPosition.UNKNOWN


@given(st.data())
def test_no_mutation_of_a_state_raises_anything_but_a_refusal(data: st.DataObject) -> None:
    payload = bytearray(a_lift_state(a_session("s")))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(payload) - 1))
        payload[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        if not payload:
            break
    assert len(_refusal_of(bytes(payload))) < 1000


def _refusal_of(payload: bytes) -> str:
    try:
        decode(LiftState, payload)
    except DeviceMessageError as error:
        return error.message
    return ""


def test_a_topic_is_whose_it_says_and_no_other() -> None:
    address = DeviceAddress("demo", DeviceKind.DOOR, "ward_a.door-2")
    assert address.topic(Channel.STATE) == "wardporter/v1/demo/door/ward_a.door-2/state"
    for channel in Channel:
        assert parse_device_topic(address.topic(channel)) == (address, channel)
    for topic in (
        "uagv/v2/maker/R1/state",
        "wardporter/v2/demo/door/d/state",
        "wardporter/v1/demo/gate/d/state",
        "wardporter/v1/demo/door/d/order",
        "wardporter/v1/demo/door/d/state/more",
        "wardporter/v1//door/d/state",
        "wardporter/v1/demo/door/a b/state",
    ):
        assert parse_device_topic(topic) is None
    with pytest.raises(DeviceAddressError, match="blanks"):
        DeviceAddress("demo", DeviceKind.LIFT, "a/b")


def test_only_alarms_are_handed_on_at_least_once() -> None:
    assert {kind for (kind, _), qos in QOS.items() if qos == 1} == {DeviceKind.PANEL, DeviceKind.CALL}
