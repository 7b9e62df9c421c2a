"""Telling a running service on this machine that a robot's certificate was taken back."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from urllib.parse import quote

from orchestrator.adapters.pki.reload import Told

PRINCIPAL = "wardporter-pki"
TIMEOUT_S = 5.0
UNAUTHORIZED = 401


def quarantine_in_service(robot: str, *, url: str, key: str, token: str | None = None) -> Told:
    """Have the service quarantine a robot; where none answers that is said, and is no fault.

    Parameters
    ----------
    robot : str
        Id of the robot.
    url : str
        Of the service, such as ``http://127.0.0.1:8000``.
    key : str
        Idempotency key: the serial number of what was taken back.
    token : str, optional
        Of a program that may do so; without one only a service in development believes us.
    """
    request = urllib.request.Request(
        f"{url}/api/v1/robots/{quote(robot, safe='')}/quarantine",
        data=json.dumps({"reason": "Its certificate was taken back."}).encode(),
        headers={
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            **({"Wardporter-Principal": PRINCIPAL} if token is None else {"Authorization": f"Bearer {token}"}),
        },
        method="POST",
    )
    try:
        # No proxy: the service is on this machine, and its answer is about this machine's fleet.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=TIMEOUT_S):
            return Told(has_reloaded=True, sentence=f"The service at {url} has put robot {robot} into quarantine.")
    except urllib.error.HTTPError as error:
        with error:
            why = f"it answered {error.code}"
            if error.code == UNAUTHORIZED:
                why += "; set WARDPORTER_TOKEN to a token of an engineer's or site manager's program"
    except OSError as error:
        why = _in_words(error)
    return Told(
        has_reloaded=False,
        sentence=f"No service at {url} has put robot {robot} into quarantine ({why}). If one runs elsewhere, fence the "
        "robot off there until it has a certificate again.",
    )


def _in_words(error: OSError) -> str:
    """Return why nobody was reached, for people."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ConnectionRefusedError):
        return "nothing answers there"
    if isinstance(cause, socket.gaierror):
        return "no machine of that name is known here"
    if isinstance(cause, TimeoutError):
        return f"it did not answer within {TIMEOUT_S:.0f} s"
    return "the connection failed"
