"""Faults in what a robot says or hears; the robot itself is in order."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from orchestrator.vda5050.address import TopicKind
from simulation.faults.wire import HonestWire

Tree = dict[str, Any]

REFUSALS = ("orderError", "noRouteError", "validationError", "orderUpdateError", "OTHER_ORDER_ACTIVE", "fault 17")
"""Error types under which robots refuse; the same case gets another one each time."""


def _changed(payload: bytes, change: Callable[[Tree], None]) -> bytes:
    tree = cast(Tree, json.loads(payload))
    change(tree)
    return json.dumps(tree).encode()


class CutOff(HonestWire):
    """A partition: nothing gets through in either direction."""

    def outward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        """Lose it."""
        del kind, payload
        return ()

    def inward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        """Lose it."""
        del kind, payload
        return ()


class Deaf(HonestWire):
    """Orders and instant actions do not arrive; its states do."""

    def inward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        """Lose it."""
        del kind, payload
        return ()


class EchoesOldIds(HonestWire):
    """Its states go on naming the order that it reported first, whatever it drives."""

    def __init__(self) -> None:
        self._ids: tuple[str, int] | None = None

    def outward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        """Put the old ids in."""
        if kind != TopicKind.STATE:
            return (payload,)
        return (_changed(payload, self._put_back),)

    def _put_back(self, tree: Tree) -> None:
        if self._ids is None:
            self._ids = tree["orderId"], tree["orderUpdateId"]
        tree["orderId"], tree["orderUpdateId"] = self._ids


class RefusesOrders(HonestWire):
    """Refuses every order at once, under a different error type each time; instant actions it obeys.

    Parameters
    ----------
    chance : random.Random
        Draws the error types.
    answer : callable
        Lets the robot send a state out of turn, as robots do on every error (VDA 5050 2.1 §6.10.1).
    """

    def __init__(self, chance: random.Random, answer: Callable[[], None]) -> None:
        self._chance = chance
        self._answer = answer
        self._refused: Tree | None = None

    def inward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        """Take the order away, and remember what to complain of."""
        if kind != TopicKind.ORDER:
            return (payload,)
        self._refused = json.loads(payload)
        self._answer()
        return ()

    def outward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        """Complain."""
        if kind != TopicKind.STATE or self._refused is None:
            return (payload,)
        return (_changed(payload, self._complain),)

    def _complain(self, tree: Tree) -> None:
        assert self._refused is not None
        references = [{"referenceKey": key, "referenceValue": str(self._refused[key])} for key in ("orderId",)]
        references.append({"referenceKey": "orderUpdateId", "referenceValue": str(self._refused["orderUpdateId"])})
        error = {
            "errorType": self._chance.choice(REFUSALS),
            "errorLevel": "WARNING",
            "errorDescription": "not now",
            "errorReferences": references,
        }
        tree["errors"] = [*tree.get("errors", ()), error]


class SpeaksOutOfSchema(HonestWire):
    """Its states are what the schema forbids: misspelt, missing, of the wrong type; each time another way."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def outward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        """Spoil it."""
        if kind != TopicKind.STATE:
            return (payload,)
        return (_changed(payload, self._chance.choice(_SPOILT)),)


def _without_battery_health(tree: Tree) -> None:
    tree["batteryState"]["batteryHealth"] = "good"


def _mode_in_small_letters(tree: Tree) -> None:
    tree["operatingMode"] = str(tree["operatingMode"]).lower()


# Two such faults at once on one robot spoil what is spoilt already.
def _no_errors(tree: Tree) -> None:
    tree.pop("errors", None)


def _numbers_as_strings(tree: Tree) -> None:
    tree["velocity"] = {"vx": "fast", "omega": None}


def _underscored(tree: Tree) -> None:
    if "actionStates" in tree:
        tree["action_states"] = tree.pop("actionStates")


def _null_information(tree: Tree) -> None:
    tree["information"] = None
    tree["zoneSetId"] = 7


_SPOILT = (
    _without_battery_health,
    _mode_in_small_letters,
    _no_errors,
    _numbers_as_strings,
    _underscored,
    _null_information,
)


class ClaimsPaused(HonestWire):
    """Says that it is paused, while it drives on."""

    def outward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        """Put the claim in."""
        if kind != TopicKind.STATE:
            return (payload,)
        return (_changed(payload, lambda tree: tree.__setitem__("paused", True)),)


class JumpsInPosition(HonestWire):
    """Believes to be somewhere else, by metres in the site frame."""

    def __init__(self, dx_m: float, dy_m: float) -> None:
        self._by_m = dx_m, dy_m

    def outward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        """Move it."""
        if kind != TopicKind.STATE:
            return (payload,)
        return (_changed(payload, self._move),)

    def _move(self, tree: Tree) -> None:
        position = tree["agvPosition"]
        position["x"], position["y"] = position["x"] + self._by_m[0], position["y"] + self._by_m[1]


class ClockOff(HonestWire):
    """Its clock is wrong by some time."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def outward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        """Set the timestamp off."""
        del kind
        return (_changed(payload, self._set_off),)

    def _set_off(self, tree: Tree) -> None:
        stamp = datetime.fromisoformat(str(tree["timestamp"]).replace("Z", "+00:00")) + self._by
        tree["timestamp"] = stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")
