"""The documented protocol is the one that is spoken: references resolve, examples are read, topics and QoS agree."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from orchestrator.devices import messages
from orchestrator.devices.address import QOS, Channel, DeviceAddress, DeviceKind
from orchestrator.devices.asyncapi import DOCUMENT, OPERATIONS

COMMITTED: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))


def _resolved(reference: str) -> Any:
    found: Any = COMMITTED
    for key in reference.removeprefix("#/").split("/"):
        found = found[key]
    return found


def _references(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        yield from (value for key, value in tree.items() if key == "$ref")
        yield from (each for value in tree.values() for each in _references(value))
    elif isinstance(tree, list):
        yield from (each for value in tree for each in _references(value))


def test_the_document_has_the_form_of_asyncapi_3() -> None:
    assert COMMITTED["asyncapi"] == "3.0.0"
    assert COMMITTED["info"].keys() >= {"title", "version"}
    for channel in COMMITTED["channels"].values():
        placeholders = set(re.findall(r"{(\w+)}", channel["address"]))
        assert placeholders == channel["parameters"].keys()
        assert len(channel["messages"]) == 1
    for operation in COMMITTED["operations"].values():
        assert operation["action"] in ("send", "receive")
        (message,) = operation["messages"]
        assert message["$ref"].startswith(operation["channel"]["$ref"] + "/messages/")
    assert all(_resolved(reference) is not None for reference in _references(COMMITTED))


def test_every_example_is_read_by_the_code_and_fits_its_schema() -> None:
    for name, message in COMMITTED["components"]["messages"].items():
        for example in message["examples"]:
            payload = json.dumps(example["payload"]).encode()
            read = messages.decode(getattr(messages, name), payload)
            assert json.loads(messages.encode(read)) == example["payload"]
            schema = {"components": COMMITTED["components"], **message["payload"]}
            Draft202012Validator(schema).validate(example["payload"])


def test_topics_and_quality_of_service_are_those_that_are_spoken() -> None:
    spoken = {(operation.kind, operation.channel) for operation in OPERATIONS}
    assert spoken == QOS.keys()
    for operation in OPERATIONS:
        documented = COMMITTED["operations"][operation.name]
        channel = _resolved(documented["channel"]["$ref"])
        address = DeviceAddress("demo", DeviceKind(operation.kind), "x")
        topic = channel["address"].replace("{site}", "demo").replace(f"{{{operation.kind}}}", "x")
        assert topic == address.topic(operation.channel)
        assert documented["bindings"]["mqtt"]["qos"] == QOS[operation.kind, operation.channel]
        assert documented["bindings"]["mqtt"]["retain"] is False
        assert (documented["action"] == "send") is (operation.channel is Channel.REQUEST)
