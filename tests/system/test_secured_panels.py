"""Fire panel and crash call on Mosquitto with the generated access list, from their word to the alarm in the API."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.config.built_in import built_in
from orchestrator.adapters.config.fleet_file import load_fleet
from orchestrator.adapters.pki.identity import Identity, IdentityKind
from orchestrator.devices.messages import CallState, PanelState, encode
from orchestrator.domain.site.alarm_input import PanelStatus
from simulation.demo.api import Api, ApiRefusedError
from simulation.demo.processes import Child
from tests.support.brokers import wait_until
from tests.support.secured_broker import OBSERVER, Party, SecuredBroker

PANEL, CALL = Identity(IdentityKind.DEVICE, "panel.fire_1"), Identity(IdentityKind.DEVICE, "call.birch_call")
PANEL_TOPIC = "wardporter/v1/demo_hospital/panel/fire_1/state"
CALL_TOPIC = "wardporter/v1/demo_hospital/call/birch_call/state"
SAID_LIMIT_S = 20.0

PANELS = """
panels:
  fire_1: {kind: fire, zones: [alder, birch], silent_after_s: 600}
  birch_call: {kind: crash_call, zones: [birch_crash], silent_after_s: 600}
"""
FLEET = """\
fleet: one
robots:
  porter_1: {model: porter, manufacturer: wardporter, serial_number: WP0001, home: charger_1}
"""

pytestmark = [
    pytest.mark.broker,
    pytest.mark.system,
    pytest.mark.timeout(120),
    pytest.mark.xdist_group("houses"),
]


@dataclass
class Alarmed:
    """A service over TLS on a site with panels, and whoever speaks on its broker."""

    broker: SecuredBroker
    api: Api
    parties: list[Party] = field(default_factory=list[Party])
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def party(self, files: Path) -> Party:
        party = Party(self.broker, files).wait_connected()
        self.parties.append(party)
        return party

    def panel_state(self, status: PanelStatus, *levels: str) -> bytes:
        said = PanelState(
            boot="b1", number=next(self._numbers), sent_at=datetime.now(UTC), status=status, levels=levels
        )
        return encode(said)

    def call_state(self, *, is_active: bool) -> bytes:
        return encode(CallState(boot="b1", number=next(self._numbers), sent_at=datetime.now(UTC), active=is_active))

    def alarms(self) -> list[tuple[str, str]]:
        return [(alarm["source"], alarm["state"]) for alarm in self._all()]

    def id_of(self, source: str) -> str:
        return next(alarm["id"] for alarm in self._all() if alarm["source"] == source)

    def _all(self) -> list[dict[str, Any]]:
        return self.api.get("/alarms")["alarms"]

    def wait_for(self, *alarms: tuple[str, str]) -> None:
        wait_until(lambda: sorted(self.alarms()) == sorted(alarms), f"the alarms are {alarms}", limit_s=SAID_LIMIT_S)


@contextmanager
def an_alarmed_house(folder: Path, claim_port: Callable[[], int]) -> Iterator[Alarmed]:
    fleet_file, site_file = folder / "one.fleet.yaml", folder / "with_panels.site.yaml"
    fleet_file.write_text(FLEET)
    site_file.write_text(built_in("sites/demo_hospital.site.yaml").read_text() + PANELS)
    (folder / "broker").mkdir()
    with ExitStack() as ending:
        robots = load_fleet(fleet_file).robots.values()
        broker = SecuredBroker(folder / "broker", claim_port(), robots, site="demo_hospital", devices=(PANEL, CALL))
        broker.start()
        ending.callback(broker.stop)
        port = claim_port()
        env = {
            "WARDPORTER_SITE": str(site_file),
            "WARDPORTER_FLEET": str(fleet_file),
            "WARDPORTER_IDENTITY": "development",
            "WARDPORTER_DATA": str(folder / "data"),
            "WARDPORTER_PORT": str(port),
            "WARDPORTER_MQTT_URL": broker.url,
            "WARDPORTER_MQTT_TLS": str(broker.service_files),
        }
        argv = [sys.executable, "-m", "orchestrator.cli", "serve"]
        service = Child("service", argv, env=env, logs=folder / "logs")
        ending.callback(lambda: sys.stdout.write(service.last_words(15)))
        ending.callback(service.end)
        service.start()
        house = Alarmed(broker, Api(f"http://127.0.0.1:{port}"))
        ending.callback(house.api.close)
        ending.callback(lambda: [party.close() for party in house.parties])
        wait_until(house.api.is_ready, "the service is ready", limit_s=60.0)
        yield house


def test_a_panel_and_a_call_raise_and_clear_their_own_alarms_and_nobody_else_can(
    tmp_path: Path, claim_port: Callable[[], int]
) -> None:
    with an_alarmed_house(tmp_path, claim_port) as house:
        files = house.broker.authority.folder_of
        panel, call = house.party(files(PANEL)), house.party(files(CALL))
        strangers = [panel, call, house.party(files(OBSERVER)), house.party(house.broker.robot_files("porter_1"))]
        for party in strangers:
            if party is not panel:
                party.say(PANEL_TOPIC, house.panel_state(PanelStatus.ALARM)).wait_for_publish(SAID_LIMIT_S)
            if party is not call:
                party.say(CALL_TOPIC, house.call_state(is_active=True)).wait_for_publish(SAID_LIMIT_S)

        # What the panel says comes after what the others tried, and is all that has come.
        panel.say(PANEL_TOPIC, house.panel_state(PanelStatus.ALARM, "ground"))
        house.wait_for(("panel:fire_1", "sounding"))
        call.say(CALL_TOPIC, house.call_state(is_active=True))
        house.wait_for(("panel:fire_1", "sounding"), ("panel:birch_call", "sounding"))

        for party in strangers[2:]:
            party.say(PANEL_TOPIC, house.panel_state(PanelStatus.NORMAL)).wait_for_publish(SAID_LIMIT_S)
        call.say(CALL_TOPIC, house.call_state(is_active=False))
        house.wait_for(("panel:fire_1", "sounding"), ("panel:birch_call", "cleared"))
        panel.say(PANEL_TOPIC, house.panel_state(PanelStatus.NORMAL))
        house.wait_for(("panel:fire_1", "cleared"), ("panel:birch_call", "cleared"))

        fire = house.id_of("panel:fire_1")
        with pytest.raises(ApiRefusedError, match="403"):
            house.api.act(f"/alarms/{fire}/resume", {"reason": "All was checked."}, principal="porter-1")
        ended = house.api.act(f"/alarms/{fire}/resume", {"reason": "All was checked."}, principal="fire-officer")
        assert (ended["state"], ended["ended_by"]) == ("ended", "fire-officer")


def test_a_panel_hears_nothing_but_what_is_asked_of_itself(tmp_path: Path, claim_port: Callable[[], int]) -> None:
    with an_alarmed_house(tmp_path, claim_port) as house:
        files = house.broker.authority.folder_of
        call, panel = house.party(files(CALL)), house.party(files(PANEL))
        call.listen("wardporter/#", "uagv/#", "#")

        panel.say(PANEL_TOPIC, house.panel_state(PanelStatus.ALARM, "ground"))
        house.wait_for(("panel:fire_1", "sounding"))

        assert call.heard == []
