"""Trial: vehicles made with libraries that nobody here wrote, beside one of ours, on Mosquitto with TLS.

It takes minutes and needs the libraries in places of their own, so it runs only when asked for:

    npm install --prefix trial vda-5050-lib@1.4.0
    apt-get install libpaho-mqtt-dev libpaho-mqttpp-dev pybind11-json-dev libfmt-dev   # vda5050-core is built here
    python -m venv trial/venv && trial/venv/bin/pip install vda5050-sdk==0.2.0 aiomqtt==2.5.1 vda5050-core==0.1.0rc2
    WARDPORTER_TRIAL=trial pytest -m slow tests/system/test_library_robots.py
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.config.fleet_file import load_fleet
from orchestrator.domain.site.model import GraphId, StationId, WaypointId
from ros_nodes.model_file import model_to_json
from ros_nodes.processes import RobotProcess
from simulation.demo.api import Api, Away
from simulation.demo.people import People
from simulation.demo.processes import Child
from simulation.demo.run import read_stage_site
from tests.support.brokers import wait_until
from tests.support.secured_broker import SecuredBroker
from tests.support.tools import program
from tests.support.wards import porter_model

TRIAL = "WARDPORTER_TRIAL"
ROBOTS = Path(__file__).parents[1] / "support" / "library_robots"
SPEED_FACTOR = 3.0
START_LIMIT_S, ALL_LIMIT_S = 120.0, 420.0
DELIVERIES = 15
ROUTES = (("pharmacy_hatch_1", "ward_alder_handover"), ("pharmacy_hatch_2", "ward_birch_handover"))

FLEET = """\
fleet: trial
models:
  cart:
    like: porter
    speed_max_m_s: 3.5
    drawers: [deck]
    state_interval_s: 30
    lost_after_s: 75
    link:
      loads: own
      instant_key: instantActions
      maps: {ground: {map_id: local, x_m: 5.0, y_m: -3.0}}
      actions:
        pick: {parameters: {stationType: floor, loadType: EPAL, duration: 1}}
        drop: {parameters: {stationType: floor, loadType: EPAL, duration: 1}}
        stop_charging: {where: instant}
  carrier: {like: porter, speed_max_m_s: 3.5, state_interval_s: 30, lost_after_s: 75}
robots:
  cart_1: {model: cart, manufacturer: Cart Maker, serial_number: "0001", protocol_version: 2.0.0, home: parking_1}
  carrier_1: {model: carrier, manufacturer: ACME, serial_number: AGV-01, protocol_version: 2.1.0, home: parking_2}
  carrier_2: {model: carrier, manufacturer: ACME, serial_number: AGV-02, protocol_version: 2.1.0, home: parking_4}
  tug_1: {model: carrier, manufacturer: Core Works, serial_number: T-1, protocol_version: 2.1.0, home: charger_2}
  porter_1: {model: porter, manufacturer: wardporter, serial_number: WP0001, home: charger_1}
"""
EVERYBODY = {"cart_1", "carrier_1", "carrier_2", "tug_1", "porter_1"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.ros,
    pytest.mark.system,
    pytest.mark.broker,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("houses"),
    pytest.mark.skipif(TRIAL not in os.environ, reason=f"needs the libraries that its head names, and {TRIAL}"),
]


def test_vehicles_of_three_libraries_carry_deliveries_over_tls_beside_one_of_ours(
    tmp_path: Path, claim_port: Callable[[], int], ros_domain_id: int
) -> None:
    trial = Path(os.environ[TRIAL]).resolve()
    fleet_file = tmp_path / "trial.fleet.yaml"
    fleet_file.write_text(FLEET)
    (tmp_path / "broker").mkdir()
    with ExitStack() as ending:
        broker = SecuredBroker(tmp_path / "broker", claim_port(), load_fleet(fleet_file).robots.values())
        broker.start()
        ending.callback(broker.stop)
        port = claim_port()
        env = {
            "WARDPORTER_FLEET": str(fleet_file),
            "WARDPORTER_DATA": str(tmp_path / "data"),
            "WARDPORTER_PORT": str(port),
            "WARDPORTER_SPEED_FACTOR": str(SPEED_FACTOR),
            "WARDPORTER_IDENTITY": "development",
            "WARDPORTER_MQTT_URL": broker.url,
            "WARDPORTER_MQTT_TLS": str(broker.service_files),
        }
        logs = tmp_path / "logs"
        children = [
            Child("service", [sys.executable, "-m", "orchestrator.cli", "serve"], env=env, logs=logs),
            _cart(trial, broker, logs),
            _on_python(trial, broker, logs, "carrier_1", "vda5050_sdk_vehicle.py", speed="2.0"),
            _on_python(trial, broker, logs, "carrier_2", "vda5050_sdk_vehicle.py", speed="0"),
            _on_python(trial, broker, logs, "tug_1", "vda5050_core_vehicle.py", speed="2.0"),
            _porter(tmp_path, broker, logs, ros_domain_id),
        ]
        for child in children:
            ending.callback(child.end)
            child.start()
        api = Api(f"http://127.0.0.1:{port}")
        ending.callback(api.close)
        wait_until(lambda: _heard(api) == len(EVERYBODY), "all are heard", limit_s=START_LIMIT_S)
        people = People(api, seed=1, speed_factor=5.0)
        for number in range(DELIVERIES):
            start, end = ROUTES[number % 2]
            people.queue(number, StationId(start), StationId(end))

        def deliveries() -> list[dict[str, Any]]:
            found = api.get("/deliveries", limit=100)["deliveries"]
            people.look_round(found)
            return found

        wait_until(lambda: {d["state"] for d in deliveries()} == {"received"}, "all is received", limit_s=ALL_LIMIT_S)
        carried = Counter(delivery["robot"] for delivery in deliveries())
        sys.stdout.write(f"carried: {dict(carried)}\n")
        assert set(carried) == EVERYBODY
        assert not any(robot["holds"] for robot in api.get("/robots")["robots"])


def _heard(api: Api) -> int:
    with suppress(Away):
        return sum(robot["last_heard_at"] is not None for robot in api.get("/robots")["robots"])
    return 0


def _cart(trial: Path, broker: SecuredBroker, logs: Path) -> Child:
    node = program("node")
    assert node is not None, "the trial needs Node.js"
    x_m, y_m = _home("parking_1")
    argv = [node, str(ROBOTS / "vda_5050_lib.js"), str(trial / "node_modules"), broker.url, "Cart Maker", "0001"]
    argv += [str(x_m - 5.0), str(y_m + 3.0), "local", str(SPEED_FACTOR)]
    return Child("cart_1", argv, env={"TRIAL_TLS": str(broker.robot_files("cart_1"))}, logs=logs)


def _on_python(trial: Path, broker: SecuredBroker, logs: Path, id: str, script: str, *, speed: str) -> Child:
    robot = next(robot for robot in broker.robots if robot.id == id)
    x_m, y_m = _home(robot.home)
    argv = [str(trial / "venv/bin/python"), str(ROBOTS / script), broker.url, robot.manufacturer, robot.serial_number]
    argv += [str(x_m), str(y_m), "ground", speed]
    return Child(id, argv, env={"TRIAL_TLS": str(broker.robot_files(id))}, logs=logs)


def _porter(folder: Path, broker: SecuredBroker, logs: Path, ros_domain_id: int) -> Child:
    """One of ours: the robot's process on ROS 2."""
    robot = next(robot for robot in broker.robots if robot.id == "porter_1")
    model_file = folder / "model.json"
    model_file.write_text(model_to_json(porter_model()))
    process = RobotProcess(
        robot_id=robot.id,
        mqtt_url=broker.url,
        mqtt_tls=broker.robot_files(robot.id),
        model_file=model_file,
        state_dir=folder / "porter_1",
        start_pose=("ground", *_home("charger_1"), 0.0),
        speed_factor=SPEED_FACTOR,
        interface_name=robot.interface_name,
        manufacturer=robot.manufacturer,
        serial_number=robot.serial_number,
        protocol_version=robot.protocol_version,
        ros_domain_id=ros_domain_id,
    )
    return Child(robot.id, process.argv, env=process.env, logs=logs)


def _home(waypoint: str) -> tuple[float, float]:
    place = read_stage_site(None).graphs[GraphId("main")].waypoints[WaypointId(waypoint)]
    return place.x_m, place.y_m
