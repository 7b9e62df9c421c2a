"""The private authority: what its certificates allow, and that nothing is lost, overwritten or left readable."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from orchestrator.adapters.pki.authority import Authority
from orchestrator.adapters.pki.errors import (
    AuthorityEndedError,
    CertificateThereError,
    IdentityError,
    NoAuthorityError,
    NoCertificateError,
    PkiFolderError,
    RequestError,
)
from orchestrator.adapters.pki.identity import BROKER, SERVICE, Identity, IdentityKind
from tests.support.authorities import START, HandMovedTime, an_authority, robot_identity


def certificate_in(folder: Path, name: str = "client.crt") -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / name).read_bytes())


def revocations_of(authority: Authority) -> x509.CertificateRevocationList:
    return x509.load_pem_x509_crl((authority.broker_folder / "crl.pem").read_bytes())


def a_request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, name: str = "whatever it says") -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def test_a_robot_gets_three_files_that_only_its_owner_can_use(tmp_path: Path) -> None:
    authority = an_authority(tmp_path)

    authority.issue(robot_identity("r1"))

    folder = tmp_path / "robots" / "r1"
    assert sorted(path.name for path in folder.iterdir()) == ["ca.crt", "client.crt", "client.key"]
    assert stat.S_IMODE((folder / "client.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "authority" / "ca.key").stat().st_mode) == 0o600
    assert (folder / "ca.crt").read_bytes() == (tmp_path / "ca.crt").read_bytes()


def test_a_certificate_names_its_robot_and_is_good_for_clients_only(tmp_path: Path) -> None:
    authority = an_authority(tmp_path)
    authority.issue(robot_identity("r1"))
    authority.issue(BROKER, hosts=["broker.ward.example", "10.1.2.3"])

    client, server = certificate_in(tmp_path / "robots" / "r1"), certificate_in(tmp_path / "broker", "server.crt")

    assert client.subject.rfc4514_string() == "CN=robot:r1"
    names = client.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:wardporter:robot:r1"]
    purposes = [c.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value for c in (client, server)]
    assert [list(each) for each in purposes] == [[ExtendedKeyUsageOID.CLIENT_AUTH], [ExtendedKeyUsageOID.SERVER_AUTH]]
    for each in (client, server):
        assert not each.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_broker_s_certificate_stands_up_to_an_independent_verifier(tmp_path: Path) -> None:
    authority = an_authority(tmp_path)
    authority.issue(BROKER, hosts=["broker.ward.example", "10.1.2.3"])
    server = certificate_in(tmp_path / "broker", "server.crt")
    builder = PolicyBuilder().store(Store([certificate_in(tmp_path, "ca.crt")])).time(START)

    chain = builder.build_server_verifier(x509.DNSName("broker.ward.example")).verify(server, [])

    assert len(chain) == 2
    with pytest.raises(x509.verification.VerificationError):
        builder.build_server_verifier(x509.DNSName("elsewhere.example")).verify(server, [])


def test_a_certificate_begins_an_hour_early_and_never_outlives_the_authority(tmp_path: Path) -> None:
    now = HandMovedTime()
    authority = Authority.create(tmp_path, name="test", now=now, days=30)

    issued = authority.issue(robot_identity("r1"), days=400)

    assert issued.start == START - timedelta(hours=1)
    assert issued.end == START + timedelta(days=30)


def test_what_is_there_is_not_overwritten_unasked(tmp_path: Path) -> None:
    authority = an_authority(tmp_path)
    authority.issue(robot_identity("r1"))
    before = (tmp_path / "robots" / "r1" / "client.key").read_bytes()

    with pytest.raises(CertificateThereError, match=r"--renew.*revoke"):
        authority.issue(robot_identity("r1"))
    with pytest.raises(CertificateThereError, match="every robot trusts it"):
        an_authority(tmp_path)

    assert (tmp_path / "robots" / "r1" / "client.key").read_bytes() == before
    assert len(authority.register.of(robot_identity("r1"))) == 1


def test_a_renewed_robot_has_a_new_key_and_its_old_certificate_holds_until_it_is_taken_back(tmp_path: Path) -> None:
    authority = an_authority(tmp_path)
    first = authority.issue(robot_identity("r1"))
    second = authority.issue(robot_identity("r1"), renews=True)

    taken = authority.revoke(robot_identity("r1"))

    assert {each.serial for each in taken} == {first.serial, second.serial}
    assert {each.serial_number for each in revocations_of(authority)} == {first.serial, second.serial}


def test_after_its_certificate_was_taken_back_a_robot_can_be_given_another(tmp_path: Path) -> None:
    authority = an_authority(tmp_path)
    authority.issue(robot_identity("r1"))
    authority.revoke(robot_identity("r1"))
    assert robot_identity("r1") not in authority.register.counting(START)

    again = authority.issue(robot_identity("r1"))

    assert robot_identity("r1") in authority.register.counting(START)
    assert again.serial not in {each.serial_number for each in revocations_of(authority)}


def test_every_revocation_list_has_a_higher_number_and_says_when_the_next_is_due(tmp_path: Path) -> None:
    now = HandMovedTime()
    authority = an_authority(tmp_path, now)
    first = revocations_of(authority)
    now.move(days=2)
    authority.renew_revocations()
    second = revocations_of(authority)

    number = x509.CRLNumber
    assert second.extensions.get_extension_for_class(number).value.crl_number == (
        first.extensions.get_extension_for_class(number).value.crl_number + 1
    )
    assert second.next_update_utc == now.at + timedelta(days=397)
    assert second.is_signature_valid(ec_key(certificate_in(tmp_path, "ca.crt")))


def ec_key(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


def test_two_authorities_on_one_folder_lose_no_certificate(tmp_path: Path) -> None:
    one = an_authority(tmp_path)
    other = Authority(tmp_path, now=HandMovedTime())

    one.issue(robot_identity("r1"))
    other.issue(robot_identity("r2"))
    one.issue(robot_identity("r3"))

    names = [each.identity.name for each in Authority(tmp_path, now=HandMovedTime()).register.issued]
    assert names == ["r1", "r2", "r3"]


def test_a_signing_request_gives_its_key_and_nothing_of_what_it_claims(tmp_path: Path) -> None:
    authority, key = an_authority(tmp_path), ec.generate_private_key(ec.SECP256R1())

    authority.issue(robot_identity("r1"), request=a_request(key, "robot:r2"))

    made = certificate_in(tmp_path / "robots" / "r1")
    assert made.subject.rfc4514_string() == "CN=robot:r1"
    assert made.public_key() == key.public_key()
    assert not (tmp_path / "robots" / "r1" / "client.key").exists()


@pytest.mark.parametrize("request_pem", [b"", b"nonsense", "weak"], ids=["empty", "nonsense", "weak key"])
def test_a_signing_request_that_cannot_be_used_changes_nothing(tmp_path: Path, request_pem: bytes | str) -> None:
    authority = an_authority(tmp_path)
    pem = a_request(rsa.generate_private_key(65537, 1024)) if isinstance(request_pem, str) else request_pem

    with pytest.raises(RequestError, match="openssl req -new"):
        authority.issue(robot_identity("r1"), request=pem)

    assert authority.register.issued == ()
    assert not (tmp_path / "robots").exists()


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "a b", "a+b", "a#b", "$SYS", ":x", "a\nuser b", "x" * 60])
def test_a_name_that_would_be_read_otherwise_somewhere_is_refused(name: str) -> None:
    with pytest.raises(IdentityError, match="Name it otherwise"):
        Identity(IdentityKind.ROBOT, name)


def test_nobody_is_taken_back_twice_and_the_refusal_names_who_counts(tmp_path: Path) -> None:
    authority = an_authority(tmp_path)
    authority.issue(SERVICE)

    with pytest.raises(NoCertificateError, match="service:wardporter"):
        authority.revoke(robot_identity("r1"))


def test_a_folder_without_an_authority_and_one_with_a_broken_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NoAuthorityError, match="pki init"):
        Authority(tmp_path, now=HandMovedTime())
    an_authority(tmp_path)
    (tmp_path / "authority" / "register.json").write_text("{}")

    with pytest.raises(PkiFolderError, match="from a copy"):
        Authority(tmp_path, now=HandMovedTime())


def test_an_authority_that_has_ended_signs_nothing_and_says_so(tmp_path: Path) -> None:
    now = HandMovedTime()
    authority = an_authority(tmp_path, now)
    now.move(days=3653)
    with pytest.raises(AuthorityEndedError, match="ended on 2036-01-06"):
        authority.issue(robot_identity("r1"))
    assert authority.register.issued == ()
