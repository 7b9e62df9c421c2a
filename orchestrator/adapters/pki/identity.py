"""Who a certificate speaks for: one kind and one name, the same in certificate, access list and file names.

The common name of the certificate is ``kind:name``; Mosquitto takes it as the user of the connection
(``use_identity_as_username``) and as its client id (``use_username_as_clientid``), so that nobody can take over
another's connection by choosing his client id.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from urllib.parse import quote

from orchestrator.adapters.pki.errors import IdentityError

COMMON_NAME_MAX = 64
"""Characters of a common name (RFC 5280 appendix A, ub-common-name)."""

_NAME = re.compile(r"[^\s/#+~$:.\x00-\x1f\x7f][^\s/#+~$\x00-\x1f\x7f]*")

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_HOST_MAX = 253


class IdentityKind(StrEnum):
    """What a certificate may be used for, by the access list of its kind."""

    BROKER = "broker"
    SERVICE = "service"
    OBSERVER = "observer"
    ROBOT = "robot"
    DEVICE = "device"

    @property
    def is_server(self) -> bool:
        """Whether others connect to it; everybody else is a client."""
        return self is IdentityKind.BROKER


@dataclass(frozen=True, slots=True)
class Identity:
    """One party of the link.

    ``name`` is the id of a robot in the fleet file, or ``kind.id`` of a device; service and broker have one of each.

    Raises
    ------
    IdentityError
        The name holds what MQTT, an access list or a file system reads otherwise, or is too long for a certificate.
    """

    kind: IdentityKind
    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.common_name) > COMMON_NAME_MAX:
            raise IdentityError(
                f"{self.name!r} cannot be the name of a {self.kind}: expected at most "
                f"{COMMON_NAME_MAX - len(self.kind) - 1} characters without blanks and without / # + ~ $, not "
                "beginning with a dot or a colon. Name it otherwise in the fleet or site file.",
                detail={"kind": self.kind.value, "name": self.name},
            )

    @property
    def common_name(self) -> str:
        """The common name of its certificates, and its user name at the broker."""
        return f"{self.kind}:{self.name}"

    @property
    def uri(self) -> str:
        """The same as a subject alternative name, which is plain ASCII."""
        return f"urn:wardporter:{self.kind}:{quote(self.name, safe='')}"

    @property
    def folder(self) -> PurePosixPath:
        """Where its files lie in the folder of the authority."""
        if self.kind in (IdentityKind.BROKER, IdentityKind.SERVICE):
            return PurePosixPath(self.kind.value)
        return PurePosixPath(f"{self.kind}s", self.name)

    @classmethod
    def from_common_name(cls, text: str) -> Identity:
        """Read what ``common_name`` wrote; anything else raises `IdentityError`."""
        kind, _, name = text.partition(":")
        if kind not in set(IdentityKind):
            raise IdentityError(f"{text!r} is no identity of ours: expected kind:name, such as robot:porter_1.")
        return cls(IdentityKind(kind), name)


def require_host(host: str) -> None:
    """Refuse what is neither a name nor an address that a certificate can hold and a client can look up.

    Raises
    ------
    IdentityError
        It is neither.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        is_name = len(host) <= _HOST_MAX and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
        if not is_name:
            raise IdentityError(
                f"{host!r} is no name of a machine: expected one such as broker.ward.example, or an address such as "
                "10.0.0.5, without mqtts:// and without a port. A name with other letters is written as DNS has it, "
                "such as xn--huser-gra.example.",
                detail={"host": host},
            ) from None


BROKER = Identity(IdentityKind.BROKER, "mosquitto")
SERVICE = Identity(IdentityKind.SERVICE, "wardporter")
