"""Hostile messages of one robot: built by a grammar of what VDA 5050 says, and captures of it, broken in many ways.

Deterministic by seed. Everything is what a robot with a valid certificate can send: on its own topics, which is all
that the broker takes from it, and on others', which the broker drops.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.vda5050.address import FROM_ROBOT, TO_ROBOT, RobotAddress

MARK = "hostile"
"""Stands in every made-up id, so that it can be found wherever it should not be."""

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """One publication."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class HostileRobot:
    """Makes messages without end.

    Parameters
    ----------
    address : RobotAddress
        Whose certificate it has.
    others : sequence of RobotAddress
        Whom it would like to harm.
    captures : sequence of bytes
        States that the robot once sent.
    seed : int
        Same seed, same messages but for their timestamps.
    utc : callable
        The time it claims to have.
    """

    def __init__(
        self,
        address: RobotAddress,
        *,
        others: Sequence[RobotAddress],
        captures: Sequence[bytes] = (),
        seed: int,
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._address = address
        self._others = list(others)
        self._captures = list(captures)
        self._chance = random.Random(seed)
        self._utc = utc
        self._number = 0

    def messages(self, count: int) -> Iterator[Said]:
        """Yield so many messages."""
        for _ in range(count):
            yield self.message()

    def message(self) -> Said:
        """Return the next one."""
        self._number += 1
        chance = self._chance
        payload = chance.choices(
            [self._mutated, self._plausible, self._replayed, self._broken, self._bloated], weights=[45, 25, 10, 15, 5]
        )[0]()
        if chance.random() < 0.05 and self._others:
            whose = chance.choice(self._others)
            kind = chance.choice([*FROM_ROBOT, *TO_ROBOT])
        else:
            whose = self._address
            kind = chance.choices(FROM_ROBOT, weights=[80, 8, 8, 4])[0]
        return Said(whose.topic(kind), payload, qos=chance.choice([0, 0, 0, 1]), retain=chance.random() < 0.03)

    # -- kinds of payload ------------------------------------------------------------------------------------------

    def _plausible(self) -> bytes:
        """A message that the schema allows, with lies in it."""
        return _bytes(self._tree())

    def _mutated(self) -> bytes:
        """A message of the grammar or a capture with a few places changed."""
        chance = self._chance
        if self._captures and chance.random() < 0.5:
            tree = json.loads(chance.choice(self._captures))
            tree |= self._header()
        else:
            tree = self._tree()
        for _ in range(chance.randint(1, 4)):
            self._change_one_place(tree)
        return _bytes(tree)

    def _replayed(self) -> bytes:
        return self._chance.choice(self._captures) if self._captures else _bytes(self._tree())

    def _broken(self) -> bytes:
        """Bytes that were a message once."""
        chance, payload = self._chance, bytearray(self._plausible())
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(payload))
            how = chance.randrange(4)
            if how == 0:
                payload[at] = chance.randrange(256)
            elif how == 1:
                del payload[at : at + chance.randint(1, 40)]
            elif how == 2:
                payload[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 8)))
            else:
                payload[at:at] = chance.choice(
                    [b"NaN", b"-Infinity", b"1e999", b"[" * 100, b'"a":1,"a":2,', b"\\ud800"]
                )
            if not payload:
                return b""
        return bytes(payload)

    def _bloated(self) -> bytes:
        """A message built to cost time or room."""
        chance, tree = self._chance, self._tree()
        how = chance.randrange(6)
        many = chance.choice([300, 1001, 3000])
        if how == 0:
            tree["actionStates"] = [self._action_state() for _ in range(many)]
        elif how == 1:
            tree["errors"] = [{"errorType": f"{MARK}{i}", "errorLevel": "no level"} for i in range(many)]
        elif how == 2:
            tree["nodeStates"] = [{"nodeId": MARK * 20} for _ in range(many)]
        elif how == 3:
            tree["orderId"] = MARK * chance.choice([50, 5_000, 30_000])
        elif how == 4:
            nested: Any = {}
            for _ in range(chance.choice([10, 31, 33, 400])):
                nested = {"a": nested} if chance.random() < 0.5 else [nested]
            tree["information"] = nested
        else:
            tree |= {f"{MARK}{i}": i for i in range(many)}
        return _bytes(tree)

    # -- the grammar -----------------------------------------------------------------------------------------------

    def _header(self) -> Tree:
        chance = self._chance
        jump = chance.choice([timedelta(0)] * 6 + [timedelta(days=-3), timedelta(days=4000), timedelta(seconds=-61)])
        address = chance.choice(self._others) if self._others and chance.random() < 0.1 else self._address
        return {
            "headerId": chance.choice([self._number] * 6 + [0, 2**32 - 1, -1, 2**63]),
            "timestamp": (self._utc() + jump).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "version": "2.1.0",
            "manufacturer": address.manufacturer,
            "serialNumber": address.serial_number,
        }

    def _tree(self) -> Tree:
        chance = self._chance
        tree = self._header() | {
            "orderId": self._id(),
            "orderUpdateId": chance.choice([0, 1, 7, 10**9]),
            "lastNodeId": self._id(),
            "lastNodeSequenceId": chance.choice([0, 2, 4, 10**6]),
            "driving": chance.random() < 0.5,
            "paused": chance.random() < 0.2,
            "operatingMode": chance.choice(["AUTOMATIC"] * 4 + ["MANUAL", "SERVICE", "TEACHIN", "SEMIAUTOMATIC"]),
            "nodeStates": [
                {"nodeId": self._id(), "sequenceId": 2 * i, "released": chance.random() < 0.5}
                for i in range(chance.randrange(4))
            ],
            "edgeStates": [],
            "agvPosition": {
                "x": chance.uniform(-1e3, 1e3),
                "y": chance.choice([0.0, 1e300, -4.5]),
                "theta": chance.uniform(-7, 7),
                "mapId": chance.choice(["L1", MARK]),
                "positionInitialized": chance.random() < 0.9,
            },
            "loads": [{"loadId": self._id()} for _ in range(chance.randrange(3))],
            "actionStates": [self._action_state() for _ in range(chance.randrange(4))],
            "batteryState": {"batteryCharge": chance.choice([0.0, 55.5, 100.0, 1e9, -3.0]), "charging": False},
            "errors": self._errors(),
            "safetyState": {
                "eStop": chance.choice(["NONE"] * 4 + ["MANUAL", "REMOTE", "AUTOACK"]),
                "fieldViolation": chance.random() < 0.1,
            },
            "connectionState": chance.choice(["ONLINE", "OFFLINE", "CONNECTIONBROKEN"]),
        }
        return tree

    def _action_state(self) -> Tree:
        status = self._chance.choice(["WAITING", "RUNNING", "FINISHED", "FAILED", "PAUSED", "INITIALIZING"])
        return {"actionId": self._id(), "actionType": "pick", "actionStatus": status}

    def _errors(self) -> list[Tree]:
        chance = self._chance
        return [
            {
                "errorType": chance.choice(["orderError", "noOrderToCancel", MARK]),
                "errorLevel": chance.choice(["WARNING", "FATAL"]),
                "errorDescription": chance.choice(["<script>alert(1)</script>", "\u202e\u0000\u2028", MARK * 300, ""]),
                "errorReferences": [{"referenceKey": "orderId", "referenceValue": self._id()}],
            }
            for _ in range(chance.randrange(3))
        ]

    def _id(self) -> str:
        chance = self._chance
        return chance.choice(
            ["", f"{MARK}-{chance.randrange(1000)}", f"order-{chance.randrange(10):05d}", "pharmacy_hatch_1"]
        )

    def _change_one_place(self, tree: Tree) -> None:
        chance, node = self._chance, tree
        key: Any = chance.choice(list(tree))
        while isinstance(node[key], dict | list) and node[key] and chance.random() < 0.6:
            node = node[key]
            key = chance.choice(list(node)) if isinstance(node, dict) else chance.randrange(len(node))
        if isinstance(node, dict) and chance.random() < 0.2:
            del node[key]
        elif isinstance(node, dict) and chance.random() < 0.1:
            node[str(key).upper()] = node.pop(key)
        else:
            node[key] = self._wrong_value()

    def _wrong_value(self) -> Any:
        chance = self._chance
        return chance.choice(
            [
                None,
                True,
                -1,
                0,
                2**31,
                2**63 - 1,
                1e308,
                0.1,
                "",
                "NaN",
                "a" * 300,
                MARK,
                [],
                {},
                [[]],
                [None] * 20,
                {"": {}},
                "9999-12-31T23:59:59-14:00",
                "1970-01-01T00:00:00Z",
                "2026-13-45T99:00:00Z",
                "\U0001f916",
            ]
        )


def _bytes(tree: Tree) -> bytes:
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
