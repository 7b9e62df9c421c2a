"""Keys, certificates and revocation lists: made from what is handed in, kept nowhere.

EC P-256 with SHA-256 (RFC 5480, RFC 5758). A certificate is good for one direction only (extended key usage), so
that a robot's key cannot play the broker. Profiles follow RFC 5280.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from orchestrator.adapters.pki.errors import RequestError
from orchestrator.adapters.pki.identity import Identity

BACKDATED = timedelta(hours=1)
"""Certificates begin this much earlier than they are made: a robot's clock may be slow."""

_CURVE = ec.SECP256R1
_CURVE_BITS_MIN = 256
_RSA_BITS_MIN = 2048


@dataclass(frozen=True, slots=True)
class Period:
    """When a certificate holds."""

    start: datetime
    end: datetime

    @classmethod
    def of_days(cls, days: int, *, now: datetime) -> Period:
        """Return the period of so many days from now on, begun a little earlier."""
        return cls(now - BACKDATED, now + timedelta(days=days))


@dataclass(frozen=True, slots=True)
class Signer:
    """The authority's own certificate and key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Revocation:
    """A certificate that no longer counts, by its serial number."""

    serial: int
    at: datetime


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a fresh key."""
    return ec.generate_private_key(_CURVE())


def authority_certificate(name: str, key: ec.EllipticCurvePrivateKey, period: Period) -> x509.Certificate:
    """Return a self-signed certificate that may sign certificates and revocation lists, and nothing else."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = _usage(key_cert_sign=True, crl_sign=True)
    return (
        _builder(subject, subject, key.public_key(), period)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )


def certificate_for(
    identity: Identity,
    public_key: CertificatePublicKeyTypes,
    *,
    signer: Signer,
    period: Period,
    hosts: Sequence[str] = (),
) -> x509.Certificate:
    """Return a certificate of one party.

    Parameters
    ----------
    identity : Identity
        Whose it is; becomes the common name and a URI among the alternative names.
    public_key
        The party's own key.
    signer : Signer
        The authority.
    period : Period
        When it holds; cut to the authority's own.
    hosts : sequence of str, optional
        Of a server: the names and addresses it is reached under.
    """
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if identity.kind.is_server else ExtendedKeyUsageOID.CLIENT_AUTH
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity.common_name)])
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(identity.uri), *(_host(host) for host in hosts)]
    end = min(period.end, signer.certificate.not_valid_after_utc)
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
    return (
        _builder(subject, signer.certificate.subject, public_key, Period(period.start, end))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(issuer_id, critical=False)
        .sign(signer.key, hashes.SHA256())
    )


def revocation_list(
    revoked: Iterable[Revocation], *, signer: Signer, number: int, now: datetime, days: int
) -> x509.CertificateRevocationList:
    """Return the list of what no longer counts, numbered; the next is due in so many days."""
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(signer.certificate.subject)
        .last_update(now)
        .next_update(now + timedelta(days=days))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(issuer_id, critical=False)
    )
    for each in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(each.serial).revocation_date(each.at).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(signer.key, hashes.SHA256())


def public_key_of_request(pem: bytes) -> CertificatePublicKeyTypes:
    """Return the key that a certificate signing request asks for; nothing else of the request counts.

    Raises
    ------
    RequestError
        It is not PEM, its signature is wrong, or its key is weaker than we accept.
    """
    wanted = "Expected a PKCS #10 request in PEM, as `openssl req -new` writes it, with a P-256 key or RSA of 2048 bits"
    try:
        request = x509.load_pem_x509_csr(pem)
        if not request.is_signature_valid:
            raise InvalidSignature
    except (ValueError, TypeError, InvalidSignature) as error:
        raise RequestError(
            f"The signing request cannot be used ({error or 'its signature is wrong'}). {wanted}."
        ) from error
    key = request.public_key()
    bits = key.key_size if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey) else 0
    if bits < (_RSA_BITS_MIN if isinstance(key, rsa.RSAPublicKey) else _CURVE_BITS_MIN):
        raise RequestError(f"The signing request was refused: its key of {bits} bits is too weak. {wanted} or more.")
    return key


def pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a key as unencrypted PKCS #8, which every MQTT client reads."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def pem_of(signed: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    """Return a certificate or a list as PEM."""
    return signed.public_bytes(serialization.Encoding.PEM)


def signer_from_pem(certificate: bytes, key: bytes) -> Signer:
    """Read what ``pem_of`` and ``pem_of_key`` wrote; anything else is a ValueError."""
    private = serialization.load_pem_private_key(key, password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise ValueError("the authority's key is not an elliptic curve key")
    return Signer(x509.load_pem_x509_certificate(certificate), private)


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: CertificatePublicKeyTypes, period: Period
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(period.start)
        .not_valid_after(period.end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
