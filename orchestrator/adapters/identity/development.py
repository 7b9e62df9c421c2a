"""The principal of development: a header that is believed, and therefore only on this machine."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime

from orchestrator.application.identity import (
    Carried,
    PrincipalInvalidError,
    PrincipalMissingError,
    Proven,
    StaffIdentity,
)
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.secrets import Secrets
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.people.model import Principal, PrincipalKind, Role

HEADER = "Wardporter-Principal"
READER = "development"
"""Who reads without saying who they are."""
PRINCIPAL = re.compile(r"[A-Za-z0-9._-]{1,64}")


class LoopbackOnlyError(InvalidInputError):
    """The server would be reachable from outside."""

    code = "loopback_only"


class DevelopmentIdentity:
    """Believes the header ``Wardporter-Principal``, and gives whoever it names every role.

    It never proves a person for a custody act. A request with a token is judged as on the ward.

    Parameters
    ----------
    secrets : Secrets
        For the tokens.
    """

    is_development = True

    def __init__(self, secrets: Secrets) -> None:
        self._staff = StaffIdentity(secrets)

    def prove(self, uow: UnitOfWork, carried: Carried, *, at: datetime) -> Proven:
        """Return whoever the header names; who only reads need not say.

        Raises
        ------
        PrincipalMissingError
            The header is not there.
        PrincipalInvalidError
            It holds something else than 1 to 64 letters, digits, dots, underscores or hyphens.
        """
        if carried.token:
            return self._staff.prove(uow, carried, at=at)
        claimed = carried.headers.get(HEADER.lower())
        if claimed is None and carried.is_reading:
            claimed = READER
        if claimed is None:
            raise PrincipalMissingError(
                f"The request was refused: it does not say who acts; expected the header {HEADER} with your id, "
                "such as pharmacist-1. Add it and send the request again."
            )
        if PRINCIPAL.fullmatch(claimed) is None:
            raise PrincipalInvalidError(
                f"The request was refused: the header {HEADER} holds no id; expected 1 to 64 letters, digits, dots, "
                "underscores or hyphens. Correct it and send the request again."
            )
        return Proven(Principal(claimed, PrincipalKind.DEVELOPMENT, frozenset(Role)))


def require_loopback(host: str) -> None:
    """Refuse to listen anywhere but on this machine: over plain HTTP, PINs and tokens could be read.

    Raises
    ------
    LoopbackOnlyError
        The host is neither ``localhost`` nor a loopback address.
    """
    if host == "localhost":
        return
    try:
        is_loopback = ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise LoopbackOnlyError(
            f"Listening on {host} was refused: badges, PINs and tokens would cross the network in plain HTTP; "
            "expected localhost, 127.0.0.1 or ::1. Listen there, behind a proxy that speaks TLS.",
            detail={"host": host},
        )
