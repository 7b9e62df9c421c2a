"""Making a running Mosquitto follow its files, and ending the connection of whoever was taken back.

What Mosquitto 2.0.11 really does (tests/integration/pki holds it): on SIGHUP it reads revocation list and access
list again. A connection that stands is **not** ended by the new list, it only becomes mute and deaf, because its user
is in the access list no more. Since the user name is the client id, a connection under the same name ends it
("session taken over"): so we take it over for a moment, with a certificate that holds for minutes, made for this. The
one taken back cannot return, since new connections are checked against the new list. No last will is sent either; the
access list forbids it.
"""

from __future__ import annotations

import os
import signal
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from orchestrator.adapters.pki.authority import CA_FILE, CLIENT_CERTIFICATE, CLIENT_KEY, Authority
from orchestrator.adapters.pki.certificates import BACKDATED, Period, certificate_for, new_key, pem_of, pem_of_key
from orchestrator.adapters.pki.files import KEY_MODE, write_whole
from orchestrator.adapters.pki.identity import Identity
from orchestrator.adapters.pki.mosquitto import PID_FILE

HANDSHAKE_LIMIT_S = 5.0
SETTLE_S = 0.3
"""Seconds after SIGHUP before the take-over; Mosquitto follows a signal within one turn of its loop of 0.1 s."""

_TAKE_OVER_FOR = BACKDATED / 6


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a running broker: whether it read its files again, and a sentence for people."""

    has_reloaded: bool
    sentence: str


def reload_broker(authority: Authority) -> Told:
    """Tell the broker that runs from this folder on this machine to read its files again."""
    pid = _pid_of_mosquitto(authority.broker_folder / PID_FILE)
    if pid is None:
        return Told(
            has_reloaded=False,
            sentence=f"No Mosquitto runs from {authority.broker_folder} on this machine. Where it runs elsewhere, copy "
            "that folder there and have it read again: `systemctl reload mosquitto`, or SIGHUP.",
        )
    os.kill(pid, signal.SIGHUP)
    return Told(has_reloaded=True, sentence=f"Mosquitto (process {pid}) was told to read its files again.")


def end_connection(authority: Authority, identity: Identity, *, host: str, port: int) -> Told:
    """End the connection of a party that was taken back, by taking it over and leaving at once."""
    time.sleep(SETTLE_S)
    with tempfile.TemporaryDirectory(prefix="wardporter-pki-") as scratch:
        context = _passing_context(authority, identity, Path(scratch))
    if _took_over(context, host=host, port=port):
        return Told(has_reloaded=True, sentence=f"The connection of {identity.common_name}, if it had one, was ended.")
    return Told(
        has_reloaded=False,
        sentence=f"The broker at {host}:{port} could not be reached to end a connection of {identity.common_name}: if "
        "it has one, it may say and hear nothing more there, but stays connected until the broker restarts.",
    )


def _passing_context(authority: Authority, identity: Identity, scratch: Path) -> ssl.SSLContext:
    """Return the means of a connection as ``identity``, good for minutes; its key is nowhere afterwards."""
    key, now = new_key(), authority.now()
    period = Period(now - BACKDATED, now + _TAKE_OVER_FOR)
    certificate = certificate_for(identity, key.public_key(), signer=authority.signer, period=period)
    write_whole(scratch / CLIENT_CERTIFICATE, pem_of(certificate))
    write_whole(scratch / CLIENT_KEY, pem_of_key(key), mode=KEY_MODE)
    context = ssl.create_default_context(cafile=str(authority.folder / CA_FILE))
    context.load_cert_chain(scratch / CLIENT_CERTIFICATE, scratch / CLIENT_KEY)
    return context


def _took_over(context: ssl.SSLContext, *, host: str, port: int) -> bool:
    accepted = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="take-over", clean_session=True)
    client.tls_set_context(context)
    client.on_connect = _setter(accepted)
    try:
        client.connect(host, port, keepalive=5)
    except (OSError, ssl.SSLError):
        return False
    client.loop_start()
    try:
        return accepted.wait(HANDSHAKE_LIMIT_S)
    finally:
        client.disconnect()
        client.loop_stop()


def _setter(accepted: threading.Event) -> Callable[..., None]:
    def connected(_client: object, _data: object, _flags: object, reason: object, _properties: object) -> None:
        if not getattr(reason, "is_failure", True):
            accepted.set()

    return connected


def _pid_of_mosquitto(path: Path) -> int | None:
    """Return the process in a pid file if it lives and is a Mosquitto; a number left behind may be anybody's by now."""
    try:
        pid = int(path.read_text(encoding="ascii"))
        name = Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return pid if name == "mosquitto" else None
