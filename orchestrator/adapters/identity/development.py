"""The principal of development: a header that is believed, and therefore only on this machine."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from orchestrator.application.identity import PrincipalInvalidError, PrincipalMissingError
from orchestrator.domain.errors import InvalidInputError

HEADER = "Wardporter-Principal"
PRINCIPAL = re.compile(r"[A-Za-z0-9._-]{1,64}")


class LoopbackOnlyError(InvalidInputError):
    """The server would be reachable from outside while anybody is believed to be anybody."""

    code = "loopback_only"


class DevelopmentIdentity:
    """Believes the header ``Wardporter-Principal``."""

    header = HEADER

    def principal_of(self, headers: Mapping[str, str]) -> str:
        """Return the id in the header.

        Raises
        ------
        PrincipalMissingError
            The header is not there.
        PrincipalInvalidError
            It holds something else than 1 to 64 letters, digits, dots, underscores or hyphens.
        """
        claimed = headers.get(HEADER.lower())
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
        return claimed


def require_loopback(host: str) -> None:
    """Refuse to listen anywhere but on this machine while `DevelopmentIdentity` is in force.

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
            f"Listening on {host} was refused: until staff accounts exist everybody is believed to be who they say; "
            "expected localhost, 127.0.0.1 or ::1. Listen there.",
            detail={"host": host},
        )
