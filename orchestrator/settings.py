"""What can be set from outside: ``WARDPORTER_*`` environment variables. The default needs none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from orchestrator.adapters.config.built_in import built_in
from orchestrator.domain.custody.tote_number import EXAMPLE_PREFIX

STORE_FILE = "wardporter.sqlite"
"""Of the books in the data folder, when no other store is named."""


def _data_home() -> Path:
    """Return the folder for our data by the XDG base directory rules."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "wardporter"


class Settings(BaseSettings):
    """Settings of one orchestrator.

    ``store`` is the address of the database with the books, an SQLite file in ``data`` when left out; it may hold a
    password. With ``standby`` the service waits while another one has the store open, and then takes over.
    ``building`` says where doors and lifts are: ``simulated`` in the service's own process, or ``mqtt``, on the broker.
    ``mqtt_url`` names a real broker (``mqtt://host:port`` or ``mqtts://host:port``); without it a child broker is kept
    in ``data``. ``mqtt_tls`` is the folder with our credential for it, as `wardporter pki` makes it; ``mqtt_ca``,
    ``mqtt_cert`` and ``mqtt_key`` name its files one by one instead, ``mqtt_ca`` alone the authority of a broker that
    asks for no certificate. ``mqtt_allow_plain`` lets ``mqtt://`` leave this machine, on a network where that is no
    danger.
    ``identity`` says how it is known who acts: ``staff``, by badge and PIN or a program's token, or ``development``,
    where a header is believed, among simulated robots alone.
    ``ledger_witness`` is who keeps the ledger's heads besides us: a directory on another disk, or the URL of a
    `wardporter witness`.
    ``gs1_prefix`` is the hospital's GS1 company prefix, for the numbers on labels of totes; one of examples without.
    ``speed_factor`` makes simulated doors and lifts faster than the wall clock, for a fleet of simulated robots
    that are.
    """

    model_config = SettingsConfigDict(env_prefix="WARDPORTER_", extra="ignore")

    site: Path = Field(default_factory=lambda: built_in("sites/demo_hospital.site.yaml"))
    fleet: Path = Field(default_factory=lambda: built_in("fleets/demo.fleet.yaml"))
    robot_models: Path = Field(default_factory=lambda: built_in("robot_models"))
    policies: Path = Field(default_factory=lambda: built_in("policies/default.policy.yaml"))
    data: Path = Field(default_factory=_data_home)
    store: SecretStr | None = None
    standby: bool = False
    mqtt_url: str | None = None
    building: Literal["simulated", "mqtt"] = "simulated"
    mqtt_tls: Path | None = None
    mqtt_ca: Path | None = None
    mqtt_cert: Path | None = None
    mqtt_key: Path | None = None
    mqtt_allow_plain: bool = False
    identity: Literal["staff", "development"] = "staff"
    ledger_witness: str | None = None
    gs1_prefix: str = EXAMPLE_PREFIX
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    speed_factor: float = Field(default=1.0, gt=0, le=100)

    def store_url(self) -> str:
        """Return the address of the store; not to be logged."""
        return self.store.get_secret_value() if self.store is not None else f"sqlite:///{self.data / STORE_FILE}"
