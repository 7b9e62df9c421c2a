"""A broker's address, and the credential to connect to it: shared by the service and our own robots.

Over TLS the broker's certificate must be signed by the authority in ``ca`` and name the host of the address; there is
no way to switch that off. Without TLS only this machine is spoken to, unless somebody says in so many words that the
network in between is trusted.
"""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from cryptography import x509

from orchestrator.domain.errors import InvalidInputError

PLAIN_PORT = 1883
TLS_PORT = 8883

_PORTS = {"mqtt": PLAIN_PORT, "mqtts": TLS_PORT}


class BrokerAddressError(InvalidInputError):
    """The broker's address cannot be used."""

    code = "broker_address"


class PlainBrokerError(InvalidInputError):
    """A broker beyond this machine was to be used without TLS."""

    code = "broker_plain"


class BrokerCredentialError(InvalidInputError):
    """The files for a TLS connection cannot be used."""

    code = "broker_credential"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The three files of a credential, as `wardporter pki` lays them out.

    Without certificate and key only the broker shows who it is; then it knows us by user and password, or not at all.
    """

    ca: Path
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def in_folder(cls, folder: Path) -> TlsFiles:
        """Return the files by the names that they have in the folder of a party."""
        return cls(folder / "ca.crt", folder / "client.crt", folder / "client.key")

    def ends_at(self) -> datetime | None:
        """Return when our certificate ends, None when we have none.

        Raises
        ------
        BrokerCredentialError
            It cannot be read.
        """
        if self.certificate is None:
            return None
        try:
            return x509.load_pem_x509_certificate(self.certificate.read_bytes()).not_valid_after_utc
        except (OSError, ValueError) as error:
            raise BrokerCredentialError(
                f"The certificate {self.certificate} cannot be read ({error}). Expected PEM of `wardporter pki`.",
                detail={"path": str(self.certificate)},
            ) from error

    def context(self) -> ssl.SSLContext:
        """Return the means of a connection: TLS 1.2 or newer, the broker's name checked, any certificate shown.

        Raises
        ------
        BrokerCredentialError
            A file is missing, unreadable, or does not fit the others.
        """
        for name, path in (("authority", self.ca), ("certificate", self.certificate), ("key", self.key)):
            if path is not None and not path.is_file():
                raise BrokerCredentialError(
                    f"The {name} for the broker, {path}, is not there. Expected the three files that `wardporter pki` "
                    "makes; name their folder in WARDPORTER_MQTT_TLS, or each file.",
                    detail={"path": str(path)},
                )
        try:
            context = ssl.create_default_context(cafile=str(self.ca))
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise BrokerCredentialError(
                f"The credential in {(self.certificate or self.ca).parent} cannot be used ({error}). Expected ca.crt, "
                "client.crt and client.key of one party in PEM; copy them again, or renew them with `wardporter pki`.",
                detail={"path": str(self.certificate or self.ca)},
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker is, and who we are to it."""

    host: str
    port: int
    is_tls: bool
    user: str | None = None
    password: str | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


@dataclass(frozen=True, slots=True)
class BrokerLink:
    """All that it takes to connect to a broker.

    ``client_id`` is unique among the broker's clients; one that binds ids to certificates replaces it by our own.
    ``tls`` is our credential for ``mqtts://``; ``is_plain_allowed`` lets ``mqtt://`` leave this machine.
    """

    url: str
    client_id: str
    tls: TlsFiles | None = None
    is_plain_allowed: bool = False

    @property
    def address(self) -> BrokerAddress:
        """Where it leads.

        Raises
        ------
        InvalidInputError
            The url cannot be used, or would be spoken to in the clear beyond this machine.
        """
        address = broker_address(self.url)
        _require_private(address, is_plain_allowed=self.is_plain_allowed)
        return address

    def check(self) -> None:
        """Refuse what cannot be used before anything is started on it; raises `InvalidInputError`."""
        if self.address.is_tls and self.tls is not None:
            self.tls.context()

    def prepare(self, client: mqtt.Client) -> None:
        """Give a client what it needs to connect: user and password, TLS, certificate; raises `InvalidInputError`."""
        address = self.address
        if address.user is not None:
            client.username_pw_set(address.user, address.password)
        if address.is_tls:
            client.tls_set_context(self.tls.context() if self.tls is not None else ssl.create_default_context())


def broker_address(url: str) -> BrokerAddress:
    """Return what a broker url says.

    Raises
    ------
    BrokerAddressError
        The url is neither ``mqtt://host[:port]`` nor ``mqtts://host[:port]``, with or without ``user:password@``.
    """
    parts = urlsplit(url)
    try:
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        port = 0
    if parts.scheme not in _PORTS or not parts.hostname or not port:
        shown = url.rpartition("@")[2]  # never the password
        raise BrokerAddressError(
            f"The broker address {shown!r} was refused; expected mqtt://host:port or mqtts://host:port, such as "
            "mqtt://127.0.0.1:1883."
        )
    password = unquote(parts.password) if parts.password is not None else None
    user = unquote(parts.username) if parts.username is not None else None
    return BrokerAddress(parts.hostname, port, parts.scheme == "mqtts", user, password)


def _require_private(address: BrokerAddress, *, is_plain_allowed: bool) -> None:
    if address.is_tls or address.is_loopback or is_plain_allowed:
        return
    raise PlainBrokerError(
        f"The broker address mqtt://{address.host}:{address.port} was refused: without TLS anybody on the network can "
        "give orders to robots. Use mqtts:// with certificates of `wardporter pki`, or, on a network where that is no "
        "danger, set WARDPORTER_MQTT_ALLOW_PLAIN=1 (robots: --mqtt-allow-plain).",
        detail={"host": address.host},
    )
