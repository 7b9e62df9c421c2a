"""A demonstration over TLS where it cannot be had is refused before anything is started."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from simulation.demo.secured import NoMosquittoError, SecuredBroker
from tests.support.authorities import fleet_robots


def test_without_mosquitto_the_refusal_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_args, **_named: None)

    with pytest.raises(NoMosquittoError, match="apt-get install mosquitto"):
        SecuredBroker(tmp_path / "pki", site="ward-1", robots=fleet_robots(), port=1, logs=tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_tls_beside_a_broker_of_somebody_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDPORTER_MQTT_URL", "mqtt://127.0.0.1:1")

    done = CliRunner().invoke(app, ["demo", "--tls", "--headless", "--port", "0"])

    assert done.exit_code == 2
    assert "Leave out one of them" in done.output
