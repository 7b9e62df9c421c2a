"""A robot's certificate in the wrong hands: a process that publishes hostile messages as fast as the broker takes them.

``python -m tests.support.flooder --files FOLDER --port PORT --spec FILE``: the spec names the robot, the others,
captured states, how many messages and how many a second. Prints one JSON line when it is done. It speaks MQTT itself: a
client library would be the slowest part.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import select
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from orchestrator.vda5050.address import RobotAddress
from tests.support.hostile import HostileRobot, Said

POOL = 20_000
"""Messages made beforehand; each is sent again and again, every time with a few bytes changed."""

BATCH_MAX = 100
CONNECT_LIMIT_S = 10.0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--spec", type=Path, required=True)
    options = parser.parse_args()
    os.nice(10)  # an attacker works on a machine of his own: what he does there slows nobody here
    spec = json.loads(options.spec.read_text())
    stream = _variations(_pool(spec), random.Random(spec["seed"]))
    sent, connections, begun_s = 0, 0, time.monotonic()
    while sent < spec["count"]:
        connections += 1
        with _connected(options.files, options.port) as wire:
            try:
                sent += _flood(wire, stream, spec["count"] - sent, per_s=spec["per_s"], begun_s=begun_s, before=sent)
            except OSError:
                time.sleep(0.2)  # thrown out; it comes back as any client does
    took_s = time.monotonic() - begun_s
    sys.stdout.write(json.dumps({"sent": sent, "took_s": took_s, "connections": connections}) + "\n")
    return 0


def _pool(spec: dict[str, Any]) -> list[Said]:
    robot = HostileRobot(
        RobotAddress(**spec["robot"]),
        others=[RobotAddress(**other) for other in spec["others"]],
        captures=[base64.b64decode(text) for text in spec["captures"]],
        seed=spec["seed"],
    )
    return [said for said in robot.messages(min(POOL, spec["count"])) if len(said.payload) < 256 * 1024]


def _variations(pool: list[Said], chance: random.Random) -> Iterator[bytes]:
    """Yield packets: each message as it is the first time, with some bytes changed ever after."""
    yield from (_packet(said, said.payload) for said in pool)
    while True:
        said = chance.choice(pool)
        payload = bytearray(said.payload)
        for _ in range(chance.randint(1, 3)):
            if payload:
                payload[chance.randrange(len(payload))] = chance.randrange(32, 127)
        yield _packet(said, bytes(payload))


def _flood(
    wire: ssl.SSLSocket, stream: Iterator[bytes], count: int, *, per_s: float, begun_s: float, before: int
) -> int:
    sent, size = 0, max(1, min(BATCH_MAX, int(per_s / 20)))
    while sent < count:
        batch = list(islice(stream, min(size, count - sent)))
        try:
            wire.sendall(b"".join(batch))
        except OSError:
            return sent
        sent += len(batch)
        _discard_what_came(wire)
        ahead_s = (before + sent) / per_s - (time.monotonic() - begun_s)
        if ahead_s > 0:
            time.sleep(ahead_s)
    return sent


def _discard_what_came(wire: ssl.SSLSocket) -> None:
    """Read acknowledgements, so that the broker need not keep them."""
    while wire.pending() or select.select([wire], [], [], 0)[0]:
        if not wire.recv(65536):
            raise ConnectionError("the broker has closed the connection")


def _connected(files: Path, port: int) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(files / "ca.crt"))
    context.load_cert_chain(files / "client.crt", files / "client.key")
    raw = socket.create_connection(("127.0.0.1", port), timeout=CONNECT_LIMIT_S)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire = context.wrap_socket(raw, server_hostname="127.0.0.1")
    wire.sendall(b"\x10\x15\x00\x04MQTT\x04\x02\x01\x2c\x00\x09a-flooder")
    answer = wire.recv(4)
    if answer != b"\x20\x02\x00\x00":
        raise ConnectionError(f"the broker answered {answer!r}")
    return wire


_next_id = 0


def _packet(said: Said, payload: bytes) -> bytes:
    """Return a PUBLISH packet (MQTT 3.1.1 §3.3)."""
    global _next_id  # one process, one connection
    topic = said.topic.encode()
    body = len(topic).to_bytes(2, "big") + topic
    if said.qos:
        _next_id = _next_id % 65535 + 1
        body += _next_id.to_bytes(2, "big")
    body += payload
    return bytes([0x30 | said.qos << 1 | said.retain]) + _length(len(body)) + body


def _length(value: int) -> bytes:
    encoded = bytearray()
    while True:
        value, digit = divmod(value, 128)
        encoded.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(encoded)


if __name__ == "__main__":
    sys.exit(main())
