"""One robot's messages as people follow them: decoded, compared with the last one, and what is wrong with each.

A complaint is a departure from the standard that was understood all the same, or the reason why a message does not
count; each names the clause of VDA 5050 2.1 that says how it should be. Loads are named by their ids and nothing else.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from orchestrator.vda5050.address import RobotAddress, TopicKind
from orchestrator.vda5050.clock_skew import ClockSkew
from orchestrator.vda5050.codec import (
    Decoded,
    MalformedMessageError,
    decode_connection,
    decode_factsheet,
    decode_instant_actions,
    decode_order,
    decode_state,
    decode_visualization,
)
from orchestrator.vda5050.messages import Action, Connection, Factsheet, InstantActions, Order, State, Visualization
from orchestrator.vda5050.repair import SchemaFault
from orchestrator.vda5050.wire import WireModel

_READERS: Mapping[TopicKind, Callable[[bytes], Decoded[Any]]] = {
    TopicKind.STATE: decode_state,
    TopicKind.CONNECTION: decode_connection,
    TopicKind.FACTSHEET: decode_factsheet,
    TopicKind.VISUALIZATION: decode_visualization,
    TopicKind.ORDER: decode_order,
    TopicKind.INSTANT_ACTIONS: decode_instant_actions,
}
_CLAUSES = {
    TopicKind.STATE: "§6.10",
    TopicKind.CONNECTION: "§6.14",
    TopicKind.FACTSHEET: "§6.15",
    TopicKind.VISUALIZATION: "§6.13",
    TopicKind.ORDER: "§6.6",
    TopicKind.INSTANT_ACTIONS: "§6.9",
}
_CLAUSES_OF_FIELDS = {
    **dict.fromkeys(("headerId", "timestamp", "version", "manufacturer", "serialNumber"), "§6.4"),
    "actionStates": "§6.11",
    "loads": "§6.10.6",
    "safetyState": "§6.10.6",
}
DEPARTURES_KEPT = 50
"""How many departures from the schema are counted apart; a robot that finds ever new ones costs no more."""

SHOWN_SKEW_S = 1.0
"""A clock that is off by less is not spoken of on a line."""

TO_ROBOT = frozenset({TopicKind.ORDER, TopicKind.INSTANT_ACTIONS})


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is not as the standard has it."""

    sentence: str
    clause: str

    @property
    def text(self) -> str:
        """The sentence with its clause."""
        return f"{self.sentence} [VDA 5050 2.1 {self.clause}]"


@dataclass(frozen=True, slots=True)
class Watched:
    """One message as it is shown.

    ``age_s`` is how old its own timestamp says it is, None when it has none; ``fields`` are what it says, ``changes``
    how that differs from the last message of its kind. ``clock_skew_s`` is by how much the robot's clock is ahead of
    ours, None while too few states have come. ``tree`` is the whole message, None when it cannot be read.
    """

    kind: TopicKind
    at: datetime
    is_to_robot: bool
    is_retained: bool
    header_id: int | None
    age_s: float | None
    fields: Mapping[str, str]
    changes: Mapping[str, tuple[str, str]]
    complaints: tuple[Complaint, ...] = ()
    tree: Mapping[str, Any] | None = None
    clock_skew_s: float | None = None

    def line(self) -> str:
        """Return it as one line of text."""
        number = "" if self.header_id is None else f" #{self.header_id}"
        age = "" if self.age_s is None else f" age {self.age_s:.1f} s"
        parts = [
            f"{self.at:%H:%M:%S}.{self.at.microsecond // 1000:03d} {'→' if self.is_to_robot else '←'} "
            f"{self.kind.value}{number}{age}{' (retained)' if self.is_retained else ''}"
        ]
        parts.append(" ".join(f"{name} {value}" for name, value in self.fields.items()))
        if self.clock_skew_s is not None and abs(self.clock_skew_s) >= SHOWN_SKEW_S:
            ahead = "ahead" if self.clock_skew_s > 0 else "behind"
            parts.append(f"its clock is {abs(self.clock_skew_s):.1f} s {ahead}")
        if self.changes:
            changed = ", ".join(
                f"{name} {before or '-'} → {now or '-'}" for name, (before, now) in self.changes.items()
            )
            parts.append(f"changed: {changed}")
        parts += [f"! {complaint.text}" for complaint in self.complaints]
        return _shown(" | ".join(part for part in parts if part))

    def json_line(self) -> str:
        """Return it as one JSON object on one line."""
        written = json.dumps(
            {
                "at": self.at.isoformat(),
                "topic": self.kind.value,
                "direction": "to_robot" if self.is_to_robot else "from_robot",
                "retained": self.is_retained,
                "header_id": self.header_id,
                "age_s": None if self.age_s is None else round(self.age_s, 3),
                "clock_skew_s": None if self.clock_skew_s is None else round(self.clock_skew_s, 3),
                "changes": {name: list(pair) for name, pair in self.changes.items()},
                "complaints": [{"sentence": c.sentence, "clause": c.clause} for c in self.complaints],
                "message": self.tree,
            },
            ensure_ascii=False,
        )
        return _shown(written)  # json.dumps lets through what is above 0x7f, among it a terminal's second escape


@dataclass
class Watcher:
    """Follows one robot's topics.

    Parameters
    ----------
    address : RobotAddress
        Of the robot.
    """

    address: RobotAddress
    _headers: dict[TopicKind, int] = field(default_factory=dict[TopicKind, int])
    _fields: dict[TopicKind, Mapping[str, str]] = field(default_factory=dict[TopicKind, "Mapping[str, str]"])
    _clock: ClockSkew = field(default_factory=ClockSkew)
    _messages: int = 0
    _departures: Counter[str] = field(default_factory=Counter[str])

    def topics(self) -> list[str]:
        """Return what there is to listen to, both ways."""
        return [self.address.topic(kind) for kind in TopicKind]

    def take(self, topic: str, payload: bytes, *, now: datetime, is_retained: bool = False) -> Watched:
        """Return one message of the robot's topics as it is shown."""
        kind = TopicKind(topic.rsplit("/", 1)[-1])
        self._messages += 1
        try:
            decoded = _READERS[kind](payload)
        except MalformedMessageError as error:
            refused = (Complaint(error.message, _CLAUSES[kind]),)
            self._note(kind, refused)
            return Watched(kind, now, kind in TO_ROBOT, is_retained, None, None, {}, {}, refused)
        message = cast("WireModel", decoded.message)
        header_id = cast("int | None", getattr(message, "header_id", None))
        stamp = cast("datetime | None", getattr(message, "timestamp", None))
        told = dict(_fields_of(message))
        departures = [_of_fault(kind, fault) for fault in decoded.faults]
        self._note(kind, departures)
        complaints = [
            *departures,
            *self._of_header(kind, message, header_id, is_retained=is_retained),
        ]
        before = self._fields.get(kind)
        changes = {} if before is None else _changes(before, told)
        self._fields[kind] = told
        return Watched(
            kind=kind,
            at=now,
            is_to_robot=kind in TO_ROBOT,
            is_retained=is_retained,
            header_id=header_id,
            age_s=None if stamp is None or stamp.year == 1970 else (now - stamp).total_seconds(),
            fields=told,
            changes=changes,
            complaints=tuple(complaints),
            tree=_tree(message),
            clock_skew_s=self._skew_s(kind, stamp, now=now, is_retained=is_retained),
        )

    def _skew_s(self, kind: TopicKind, stamp: datetime | None, *, now: datetime, is_retained: bool) -> float | None:
        if kind is not TopicKind.STATE or stamp is None or is_retained:
            return None
        return self._clock.hear(stamp, received_at=now)

    def _note(self, kind: TopicKind, complaints: Iterable[Complaint]) -> None:
        for complaint in complaints:
            text = f"{kind.value}: {complaint.text}"
            if text in self._departures or len(self._departures) < DEPARTURES_KEPT:
                self._departures[text] += 1

    def summary(self) -> list[str]:
        """Return in how many messages each departure from the schema was, the commonest first; empty without any."""
        if not self._departures:
            return []
        counted = sorted(self._departures.items(), key=lambda item: (-item[1], item[0]))
        return [f"In {self._messages} messages:", *(_shown(f"{count:6d} of {text}") for text, count in counted)]

    def _of_header(
        self, kind: TopicKind, message: WireModel, header_id: int | None, *, is_retained: bool
    ) -> Iterator[Complaint]:
        version = getattr(message, "version", None)
        if version and version != self.address.version:
            yield Complaint(f"version is {version!r}, the fleet file says {self.address.version!r}", "§6.4")
        named = (getattr(message, "manufacturer", None), getattr(message, "serial_number", None))
        if None not in named and named != (self.address.manufacturer, self.address.serial_number):
            yield Complaint(f"the header names another robot: {named[0]!r} {named[1]!r}; it does not count", "§6.4")
        if is_retained and kind not in (TopicKind.CONNECTION, TopicKind.FACTSHEET):
            yield Complaint("the broker had kept it; it does not count", "§6.5")
        if header_id is None:
            return
        last = self._headers.get(kind)
        self._headers[kind] = header_id
        if last is not None and header_id == last:
            yield Complaint(f"headerId {header_id} again", "§6.4")
        elif last is not None and header_id < last:
            yield Complaint(f"headerId went back from {last} to {header_id}: restarted, or another sender", "§6.4")
        elif last is not None and header_id > last + 1:
            yield Complaint(f"{header_id - last - 1} header ids are missing before {header_id}", "§6.4")


def _of_fault(kind: TopicKind, fault: SchemaFault) -> Complaint:
    clause = _CLAUSES_OF_FIELDS.get(fault.path.split(".", 1)[0], _CLAUSES[kind])
    return Complaint(f"{fault.path}: {fault.problem}", clause)


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    names = [*now, *(name for name in before if name not in now)]
    return {name: (before.get(name, ""), now.get(name, "")) for name in names if before.get(name) != now.get(name)}


def _fields_of(message: WireModel) -> Iterator[tuple[str, str]]:
    match message:
        case State():
            yield from _of_state(message)
        case Connection():
            yield "connection", message.connection_state.value
        case Order():
            released = sum(node.released for node in message.nodes)
            way = " ".join(f"{node.node_id}({node.sequence_id})" for node in message.nodes)
            yield "order", f"{message.order_id}/{message.order_update_id}"
            yield "released", f"{released} of {len(message.nodes)}: {way}"
            yield from _of_actions([action for node in message.nodes for action in node.actions])
        case InstantActions():
            yield from _of_actions(list(message.actions))
        case Factsheet():
            size = message.physical_parameters
            yield "series", message.type_specification.series_name
            yield "size", f"{size.length:g} x {size.width:g} m, {size.speed_max:g} m/s"
            yield (
                "offers",
                ", ".join(action.action_type for action in message.protocol_features.agv_actions) or "nothing",
            )
        case Visualization():
            yield from _of_place(message)
        case _:
            return


def _of_state(state: State) -> Iterator[tuple[str, str]]:
    yield "order", f"{state.order_id}/{state.order_update_id}" if state.order_id else "none"
    yield "last", f"{state.last_node_id or '-'}({state.last_node_sequence_id})"
    yield "ahead", ",".join(str(node.sequence_id) for node in state.node_states) or "nothing"
    yield "drives", "paused" if state.paused else ("yes" if state.driving else "no")
    yield from _of_place(state)
    battery = state.battery_state
    yield "battery", f"{battery.battery_charge:.0f} %{' charging' if battery.charging else ''}"
    yield "mode", state.operating_mode.value
    if state.safety_state.e_stop.value != "NONE" or state.safety_state.field_violation:
        violated = " field violated" if state.safety_state.field_violation else ""
        yield "safety", f"e-stop {state.safety_state.e_stop.value}{violated}"
    if state.loads is not None:
        yield "loads", ", ".join(load.load_id or "unnamed" for load in state.loads) or "none"
    if state.action_states:
        yield (
            "actions",
            ", ".join(
                f"{action.action_type or 'action'} {action.action_id}={action.action_status.value}"
                for action in state.action_states
            ),
        )
    if state.errors:
        yield (
            "errors",
            ", ".join(
                f"{error.error_level.value} {error.error_type}: {error.error_description or ''}".strip()
                for error in state.errors
            ),
        )


def _of_place(message: State | Visualization) -> Iterator[tuple[str, str]]:
    place = message.agv_position
    if place is None:
        return
    heading = math.degrees(place.theta)
    unsure = "" if place.position_initialized else " NOT INITIALISED"
    yield "at", f"{place.map_id} ({place.x:.2f}, {place.y:.2f}) {heading:.0f}°{unsure}"


def _of_actions(actions: list[Action]) -> Iterator[tuple[str, str]]:
    if actions:
        yield "actions", ", ".join(f"{action.action_type} {action.action_id}" for action in actions)


def _shown(text: str) -> str:
    """Return a robot's words as one line that a terminal shows and does not obey: what is not printable is escaped.

    The escapes are those of JSON, so that a line of JSON stays one that says the same.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def _tree(message: WireModel) -> dict[str, Any]:
    tree = message.model_dump(mode="json", by_alias=True, exclude_none=True)
    if isinstance(tree.get("loads"), list):
        tree["loads"] = [{"loadId": load.get("loadId")} for load in tree["loads"]]
    return tree
