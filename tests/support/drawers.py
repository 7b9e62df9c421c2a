"""Locks, keys and grants for tests of drawers."""

from __future__ import annotations

import base64
import itertools
import random
from collections.abc import Mapping
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from orchestrator.domain.custody.grant import Grant, Purpose, text_of_grant
from ros_nodes.onboard.drawer_lock import STANDING_FOR_S, DrawerLock
from ros_nodes.onboard.grant_check import Circumstances, Refusal, Verify
from ros_nodes.onboard.grant_key import verifier
from ros_nodes.onboard.simulated_drawers import SimulatedDrawers

MANUFACTURER, SERIAL = "wardporter", "R1"
DRAWERS = ("top", "bottom")
LOAD, NODE = "tote-1", "ward-a"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
_seeds = itertools.count()


def public_key(key: Ed25519PrivateKey = KEY) -> str:
    """The public key as robots are given it."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def verify(key: Ed25519PrivateKey = KEY) -> Verify:
    return verifier(public_key(key))


def sign(text: str, key: Ed25519PrivateKey = KEY) -> bytes:
    return key.sign(text.encode())


def a_lock(hardware: SimulatedDrawers | None = None, *, seed: int | None = None) -> tuple[DrawerLock, SimulatedDrawers]:
    """A lock of robot R1 that has just been switched on, and its drawers, which nobody uses but the test."""
    hardware = hardware or SimulatedDrawers(DRAWERS, has_hand=False)
    lock = DrawerLock(
        drawers=DRAWERS,
        hardware=hardware,
        manufacturer=MANUFACTURER,
        serial_number=SERIAL,
        verify=verify(),
        chance=random.Random(next(_seeds) if seed is None else seed).randbytes,
    )
    return lock, hardware


def a_standing_lock(*, since_s: float = 0.0) -> tuple[DrawerLock, SimulatedDrawers]:
    """A lock of a robot that has stood for a second and shows a nonce."""
    lock, hardware = a_lock()
    stand(lock, since_s)
    return lock, hardware


def stand(lock: DrawerLock, from_s: float) -> float:
    """Let the robot stand for as long as is asked for; return when that is."""
    lock.advance_to(from_s, is_still=True)
    lock.advance_to(from_s + STANDING_FOR_S, is_still=True)
    return from_s + STANDING_FOR_S


def a_grant(nonce: str | None, **changes: object) -> Grant:
    """A grant to hand over tote-1 out of the top drawer at ward-a."""
    grant = Grant(
        manufacturer=MANUFACTURER,
        serial_number=SERIAL,
        drawer="top",
        delivery="delivery-1",
        load=LOAD,
        purpose=Purpose.HAND_OVER,
        node=NODE,
        nonce=nonce or "00" * 16,
        lifetime_s=60,
    )
    return replace(grant, **changes)  # pyright: ignore[reportArgumentType]  # names are checked by the call


def here(*, is_standing: bool = True, node: str | None = NODE, loads: Mapping[str, str] | None = None) -> Circumstances:
    """Standing at ward-a with tote-1 in the top drawer."""
    return Circumstances(is_standing, node, {"top": LOAD} if loads is None else loads, DRAWERS)


def use(lock: DrawerLock, grant: Grant, circumstances: Circumstances | None = None) -> Refusal | None:
    """Bring a well-signed grant to the lock."""
    text = text_of_grant(grant)
    return lock.open(text, sign(text), circumstances or here(is_standing=lock.is_standing))
