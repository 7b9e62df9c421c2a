"""Where the broker is, and that nobody speaks to it in the clear or with half a credential."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.mqtt.broker_address import (
    BrokerAddress,
    BrokerAddressError,
    BrokerCredentialError,
    BrokerLink,
    PlainBrokerError,
    TlsFiles,
    broker_address,
)
from orchestrator.bootstrap import broker_link_from_settings, warn_of_certificate
from orchestrator.settings import Settings
from tests.support.authorities import START, an_authority, robot_identity


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("mqtt://127.0.0.1:1884", BrokerAddress("127.0.0.1", 1884, is_tls=False)),
        ("mqtt://broker", BrokerAddress("broker", 1883, is_tls=False)),
        ("mqtts://broker", BrokerAddress("broker", 8883, is_tls=True)),
        ("mqtt://[::1]", BrokerAddress("::1", 1883, is_tls=False)),
        ("mqtts://r%401:p%3Aw@broker:99", BrokerAddress("broker", 99, is_tls=True, user="r@1", password="p:w")),
    ],
)
def test_broker_address_is_read(url: str, place: BrokerAddress) -> None:
    assert broker_address(url) == place


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:1883", "http://127.0.0.1", "mqtt://", "mqtt://host:port", "mqtt://h:70000"]
)
def test_broker_address_that_is_none_is_refused_with_what_was_expected(url: str) -> None:
    with pytest.raises(BrokerAddressError, match="expected mqtt://host:port"):
        broker_address(url)


def test_a_refused_address_does_not_tell_its_password() -> None:
    with pytest.raises(BrokerAddressError) as refusal:
        broker_address("http://user:secret@host")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("url", ["mqtt://127.0.0.1", "mqtt://localhost:1884", "mqtt://[::1]", "mqtts://10.1.2.3"])
def test_this_machine_and_tls_are_spoken_to(url: str) -> None:
    assert BrokerLink(url, "house").address


@pytest.mark.parametrize("url", ["mqtt://10.1.2.3", "mqtt://broker.ward.example", "mqtt://[fe80::1]", "mqtt://0.0.0.0"])
def test_another_machine_is_not_spoken_to_in_the_clear_unless_somebody_allowed_it(url: str) -> None:
    with pytest.raises(PlainBrokerError, match="WARDPORTER_MQTT_ALLOW_PLAIN"):
        BrokerLink(url, "house").check()
    BrokerLink(url, "house", is_plain_allowed=True).check()


def test_a_credential_checks_the_broker_s_name_and_speaks_nothing_older_than_tls_1_2(tmp_path: Path) -> None:
    an_authority(tmp_path).issue(robot_identity("r1"))

    context = TlsFiles.in_folder(tmp_path / "robots" / "r1").context()

    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize("name", ["ca.crt", "client.crt", "client.key"])
def test_a_file_that_is_missing_or_does_not_fit_is_named(tmp_path: Path, name: str) -> None:
    authority = an_authority(tmp_path)
    authority.issue(robot_identity("r1"))
    authority.issue(robot_identity("r2"))
    file = tmp_path / "robots" / "r1" / name
    link = BrokerLink("mqtts://broker", "house", tls=TlsFiles.in_folder(file.parent))
    link.check()

    file.write_bytes(b"nonsense" if name == "ca.crt" else (tmp_path / "robots" / "r2" / name).read_bytes())
    with pytest.raises(BrokerCredentialError, match="wardporter pki"):
        link.check()
    file.unlink()
    with pytest.raises(BrokerCredentialError, match=name):
        link.check()


def test_the_service_takes_a_folder_three_files_or_an_authority_alone_but_no_half_of_them(tmp_path: Path) -> None:
    folder = Settings(mqtt_url="mqtts://broker", mqtt_tls=tmp_path)
    files = Settings(mqtt_ca=tmp_path / "ca.crt", mqtt_cert=tmp_path / "client.crt", mqtt_key=tmp_path / "client.key")

    assert broker_link_from_settings(folder).tls == broker_link_from_settings(files).tls == TlsFiles.in_folder(tmp_path)
    assert broker_link_from_settings(Settings(mqtt_ca=tmp_path / "a")).tls == TlsFiles(tmp_path / "a")
    for halves in (
        Settings(mqtt_ca=tmp_path / "a", mqtt_cert=tmp_path / "c"),
        Settings(mqtt_tls=tmp_path, mqtt_key=tmp_path / "k"),
    ):
        with pytest.raises(BrokerCredentialError, match="WARDPORTER_MQTT_KEY"):
            broker_link_from_settings(halves)


@pytest.mark.parametrize(("days_later", "is_warned"), [(0, False), (360, False), (380, True), (500, True)])
def test_the_service_warns_of_its_own_certificate_a_month_before_it_ends(
    tmp_path: Path, days_later: int, is_warned: bool
) -> None:
    an_authority(tmp_path).issue(robot_identity("r1"), days=397)
    link = BrokerLink("mqtts://broker", "house", tls=TlsFiles.in_folder(tmp_path / "robots" / "r1"))

    assert warn_of_certificate(link, now=START + timedelta(days=days_later)) is is_warned
    assert not warn_of_certificate(BrokerLink("mqtt://127.0.0.1", "house"), now=START)
