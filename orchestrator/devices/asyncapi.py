"""Write docs/asyncapi.yaml, the device protocol as AsyncAPI 3.0, from the messages themselves.

Run as ``python -m orchestrator.devices.asyncapi``; a test sees when the committed document has drifted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic.json_schema import models_json_schema

from orchestrator.devices.address import QOS, ROOT, VERSION, Channel, DeviceKind
from orchestrator.devices.dialogue import Timing
from orchestrator.devices.messages import (
    MESSAGE_BYTES_MAX,
    CallState,
    DeviceMessage,
    DoorCommand,
    DoorRequest,
    DoorState,
    LiftCommand,
    LiftRequest,
    LiftState,
    PanelState,
    SessionPart,
    encode,
)
from orchestrator.domain.site.alarm_input import PanelStatus
from orchestrator.domain.site.device import DoorPosition, LiftMode
from orchestrator.domain.site.model import PANEL_SILENT_AFTER_S

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "asyncapi.yaml"

_AT = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_SESSION = SessionPart(
    session="wardporter.1767600000000.17",
    holder="R1",
    owner="wardporter",
    epoch=1767600000000,
    purpose="passage",
    since=_AT,
    heard_at=_AT,
)

DESCRIPTION = f"""\
How a building's doors, lifts, fire panels and crash calls talk with the orchestrator over MQTT 3.1.1 or 5.

**Sessions.** A request asks a door to open and stay open, or a lift to come to a level and stand there with open doors,
for one robot: the holder. The session id is made by the orchestrator; it stays the same while the request is renewed
(every {Timing().renew_s:g} s, which is its heartbeat) and is never used again once released. A door may have several
sessions and stays open while it has one. A lift serves one session at a time, the one asked for first in front.

**What proves what.** Nothing is proven by a request. The orchestrator lets a robot's base into a door or a cabin only
while the device's own state says that it is open (a lift: in mode normal, at that level) and names the very session.

**People in a cabin.** `occupied` of a lift says whether people are in it. While it does, no robot is let in, and none
that is inside is taken to another level: the lift is asked to stand open where it is until the cabin is clear. A robot
outside gives the lift back meanwhile, so that they ride first. A sensor that would take a robot for a person leaves it
out. A person who steps in while the doors close has to open them again: that is the lift's own safety, not ours.

**Silence.** A device says its state on every change and at least every 2 s, a panel or call at least every 5 s. A door
or lift that was silent for {Timing().silent_after_s:g} s is neither open nor usable. Of a panel or call people are told
after the `silent_after_s` of the site file, {PANEL_SILENT_AFTER_S:g} s unless it says otherwise; silence is no
all-clear.

**Order.** `number` grows with every message of a run, also where nothing else has changed; `boot` names the run. What
is not newer than the last one by these does not count. Clocks are never compared: `sent_at`, `since` and `heard_at` are
for people, and a device's clock may be wrong.

**Alarms.** A panel or call is one of the `panels` of the site file, with the zones that it speaks of. It counts for
those on the levels named, and for all of them where none is named or one that it has no zone on. It says each alarm for
as long as it lasts, and then that it is over; robots stay held until a person lets them go on. What it says and cannot
be read is told to people, and is no alarm.

**What a device keeps to.** It passes over a request whose `epoch` is smaller than the largest it has heard from that
`owner`, whose `number` is not larger than the last of that owner and epoch, or whose session it has released. A request
with a larger epoch for the same owner and holder takes the older session over without a movement. Sessions that nobody
has renewed for 30 s are dropped, except for a lift with a load in its cabin. In fire mode and while people use it, a
lift drops whom it served. A device that restarts names another `boot` and may number anew.

**Quality of service and retention.** Nothing is retained: a kept "open" would claim an open door for a device that is
long dead. Doors and lifts use QoS 0: everything is renewed, and at QoS 1 a client would queue an "open" while the
broker is away and deliver it minutes later. Alarms use QoS 1: late or twice does no harm, never does.

Messages are JSON objects of at most {MESSAGE_BYTES_MAX} bytes. Unknown fields are passed over. A message that is
malformed, retained, repeated, older than the last, or on somebody else's topic changes nothing.
"""


@dataclass(frozen=True, slots=True)
class _Operation:
    """One thing that the orchestrator does on one channel."""

    name: str
    summary: str
    kind: DeviceKind
    channel: Channel
    example: DeviceMessage

    @property
    def message(self) -> str:
        return type(self.example).__name__

    @property
    def address(self) -> str:
        return f"{ROOT}/{VERSION}/{{site}}/{self.kind}/{{{self.kind}}}/{self.channel}"


OPERATIONS: tuple[_Operation, ...] = (
    _Operation(
        "askDoor",
        "Ask a door to open and stay open for a robot, renew that, or say that it is needed no more.",
        DeviceKind.DOOR,
        Channel.REQUEST,
        DoorRequest(
            command=DoorCommand.OPEN,
            session=_SESSION.session,
            holder="R1",
            owner="wardporter",
            epoch=_SESSION.epoch,
            number=41,
            purpose="passage",
            sent_at=_AT,
        ),
    ),
    _Operation(
        "hearDoor",
        "Hear how a door stands.",
        DeviceKind.DOOR,
        Channel.STATE,
        DoorState(boot="5f1c", number=812, sent_at=_AT, position=DoorPosition.OPEN, sessions=(_SESSION,)),
    ),
    _Operation(
        "askLift",
        "Ask a lift to come to a level and stand there for a robot alone, renew that, or give it back.",
        DeviceKind.LIFT,
        Channel.REQUEST,
        LiftRequest(
            command=LiftCommand.CALL,
            level="first",
            session=_SESSION.session,
            holder="R1",
            owner="wardporter",
            epoch=_SESSION.epoch,
            number=42,
            purpose="at first",
            sent_at=_AT,
        ),
    ),
    _Operation(
        "hearLift",
        "Hear where a lift is and whom it serves.",
        DeviceKind.LIFT,
        Channel.STATE,
        LiftState(
            boot="77a0",
            number=90,
            sent_at=_AT,
            level="first",
            doors=DoorPosition.OPEN,
            mode=LiftMode.NORMAL,
            load_kg=62.5,
            occupied=False,
            session=_SESSION,
            waiting=("R3",),
        ),
    ),
    _Operation(
        "hearPanel",
        "Hear a fire panel: on every change and at least every 5 s.",
        DeviceKind.PANEL,
        Channel.STATE,
        PanelState(boot="p1", number=7, sent_at=_AT, status=PanelStatus.ALARM, levels=("first",)),
    ),
    _Operation(
        "hearCall",
        "Hear a crash call (cardiac arrest call): on every change and at least every 5 s.",
        DeviceKind.CALL,
        Channel.STATE,
        CallState(boot="c1", number=3, sent_at=_AT, active=True, level="first", place="Bay 4"),
    ),
)


def document() -> dict[str, Any]:
    """Return the document as plain data."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Wardporter device protocol",
            "version": "1.0.0",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {f"{each.kind}{each.channel.title()}": _channel(each) for each in OPERATIONS},
        "operations": {each.name: _operation(each) for each in OPERATIONS},
        "components": {
            "messages": {each.message: _message(each) for each in OPERATIONS},
            "schemas": _schemas(),
        },
    }


def asyncapi_text() -> str:
    """Return the document as it is committed; the same code gives the same bytes."""
    return yaml.dump(document(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _channel(each: _Operation) -> dict[str, Any]:
    return {
        "address": each.address,
        "parameters": {
            "site": {"description": "Id of the site, as in the site file."},
            str(each.kind): {"description": f"Id of the {each.kind}, as in the site file or the building's own."},
        },
        "messages": {each.message: {"$ref": f"#/components/messages/{each.message}"}},
    }


def _operation(each: _Operation) -> dict[str, Any]:
    name = f"{each.kind}{each.channel.title()}"
    return {
        "action": "send" if each.channel is Channel.REQUEST else "receive",
        "summary": each.summary,
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{each.message}"}],
        "bindings": {"mqtt": {"qos": QOS[each.kind, each.channel], "retain": False, "bindingVersion": "0.2.0"}},
    }


def _message(each: _Operation) -> dict[str, Any]:
    return {
        "name": each.message,
        "summary": " ".join((type(each.example).__doc__ or "").split("\n\n")[0].split()),
        "payload": {"$ref": f"#/components/schemas/{each.message}"},
        "examples": [{"payload": json.loads(encode(each.example))}],
    }


def _schemas() -> Mapping[str, Any]:
    kinds = [(type(each.example), "validation") for each in OPERATIONS]
    _, made = models_json_schema(kinds, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    return made["$defs"]


class _Dumper(yaml.SafeDumper):
    """Writes long texts as blocks, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        """Repeat what is the same object."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


if __name__ == "__main__":
    DOCUMENT.write_text(asyncapi_text(), encoding="utf-8")
