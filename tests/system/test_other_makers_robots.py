"""Robots of other makers, known by the fleet file alone, carry deliveries that are queued through the API."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.site.model import GraphId, StationId, WaypointId
from simulation.demo.api import Api, Away
from simulation.demo.people import People
from simulation.demo.processes import Child
from simulation.demo.run import read_stage_site
from tests.support.brokers import AmqttBroker, RealBroker, wait_until
from tests.support.foreign_robots import ForeignRobot, MinimalRobot, WordyRobot

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), pytest.mark.xdist_group("houses")]

SPEED_FACTOR = 10.0
START_LIMIT_S, ALL_LIMIT_S = 60.0, 150.0
ALDER, BIRCH = ("pharmacy_hatch_1", "ward_alder_handover"), ("pharmacy_hatch_2", "ward_birch_handover")

FLEET = """\
fleet: mixed
models:
  tug:
    like: porter
    speed_max_m_s: 4.5
    drawers: [deck]
    link:
      order_updates: none
      instant_key: instantActions
      actions: {pick: none, drop: none, start_charging: none, stop_charging: none}
      maps: {ground: {map_id: hall, x_m: 10.0, y_m: 4.0}}
  boxer:
    like: porter
    speed_max_m_s: 4.5
    drawers: [bay]
    link:
      headings: all
      heading_deviation_rad: 3.14
      loads: own
      drawer_words: {bay: 1}
      actions:
        pick: {type: takeBox, parameters: {bay: "{drawer}", label: "{load}"}}
        drop: {type: giveBox, parameters: {bay: 1}}
        stop_charging: {where: instant}
      maps:
        ground:
          map_id: EG
          points:
            - {site: [30.0, 20.0], robot: [0.0, 0.0]}
            - {site: [30.0, 30.0], robot: [10.0, 0.0]}
            - {site: [20.0, 20.0], robot: [0.0, 10.0]}
robots:
  tug_1: {model: tug, manufacturer: Tug Works, serial_number: "0001", protocol_version: 2.0.0, home: parking_1}
  boxer_1: {model: boxer, manufacturer: Boxer, serial_number: B-7, protocol_version: 2.1.0, home: parking_2}
"""


class MixedHouse:
    """The service, with robots that nobody here wrote, played by a test."""

    def __init__(self, folder: Path, broker: RealBroker, port: int) -> None:
        fleet = folder / "mixed.fleet.yaml"
        fleet.write_text(FLEET)
        env = {
            "WARDPORTER_FLEET": str(fleet),
            "WARDPORTER_DATA": str(folder / "data"),
            "WARDPORTER_PORT": str(port),
            "WARDPORTER_SPEED_FACTOR": str(SPEED_FACTOR),
            "WARDPORTER_IDENTITY": "development",
            "WARDPORTER_MQTT_URL": broker.url,
        }
        argv = [sys.executable, "-m", "orchestrator.cli", "serve"]
        self.service = Child("service", argv, env=env, logs=folder / "logs")
        self.api = Api(f"http://127.0.0.1:{port}")
        self.people = People(self.api, seed=1, speed_factor=SPEED_FACTOR)
        parking_1, parking_2 = _place("parking_1"), _place("parking_2")
        self.tug = MinimalRobot(
            broker,
            "Tug Works",
            "0001",
            (parking_1[0] - 10.0, parking_1[1] - 4.0),
            version="2.0.0",
            map_id="hall",
            interval_s=30.0,
        )
        # A quarter turn counter-clockwise: its x axis points north.
        self.boxer = WordyRobot(broker, "Boxer", "B-7", (parking_2[1] - 20.0, 30.0 - parking_2[0]), map_id="EG")

    @property
    def robots(self) -> tuple[ForeignRobot, ...]:
        return self.tug, self.boxer

    def heard(self) -> list[Any]:
        try:
            return [robot for robot in self.api.get("/robots")["robots"] if robot["last_heard_at"]]
        except Away:
            return []

    def deliveries(self) -> list[dict[str, Any]]:
        found = self.api.get("/deliveries", limit=100)["deliveries"]
        self.people.look_round(found)
        return found

    def as_seen(self) -> str:
        return f"{[(d['state'], d['robot'], d['waiting']) for d in self.deliveries()]} {self.heard()} " + str(
            [robot.refused for robot in self.robots]
        )


@cache
def _place(waypoint: str) -> tuple[float, float]:
    place = read_stage_site(None).graphs[GraphId("main")].waypoints[WaypointId(waypoint)]
    return place.x_m, place.y_m


@contextmanager
def a_mixed_house(folder: Path, claim_port: Callable[[], int]) -> Iterator[MixedHouse]:
    with ExitStack() as ending:
        broker = AmqttBroker(folder / "broker", claim_port())
        broker.start()
        ending.callback(broker.stop)
        house = MixedHouse(folder, broker, claim_port())
        ending.callback(house.api.close)
        ending.callback(house.service.end)
        house.service.start()
        for robot in house.robots:
            ending.callback(robot.switch_off)
            robot.switch_on()
        yield house


def test_robots_of_two_makers_carry_deliveries_by_the_fleet_file_alone(
    tmp_path: Path, claim_port: Callable[[], int]
) -> None:
    with a_mixed_house(tmp_path, claim_port) as house:
        wait_until(lambda: len(house.heard()) == 2, "both are heard", limit_s=START_LIMIT_S)
        for number, (start, end) in enumerate((ALDER, BIRCH, ALDER, BIRCH)):
            house.people.queue(number, StationId(start), StationId(end))
        try:
            wait_until(
                lambda: {delivery["state"] for delivery in house.deliveries()} == {"received"},
                "all is received",
                limit_s=ALL_LIMIT_S,
            )
        except BaseException:
            print(house.as_seen(), house.service.last_words())  # noqa: T201 - for whoever reads of the failure
            raise
        carriers = {delivery["robot"] for delivery in house.deliveries()}
        assert carriers == {"tug_1", "boxer_1"}

        # Nothing that either of them does not take was ever sent to it.
        assert [robot.refused for robot in house.robots] == [[], []]
        taken = [action["actionType"] for action in house.boxer.done]
        wait_until(lambda: house.boxer.loads == [], "the last box is given out")
        assert taken.count("takeBox") >= 1
        assert house.tug.done == []

        _sees_them_where_they_are(house)
        boxer = next(robot for robot in house.heard() if robot["id"] == "boxer_1")
        assert [finding["code"] for finding in boxer["findings"]] == ["factsheet_speed"]
        sheet = house.api.get("/robots/boxer_1/factsheet")
        assert sheet["factsheet"]["physicalParameters"]["speedMax"] == 0.9


def _sees_them_where_they_are(house: MixedHouse) -> None:
    """Both robots go home, and their poses are shown in the frame of the site."""

    def are_home() -> bool:
        poses = {robot["id"]: robot["pose"] for robot in house.heard()}
        return all(
            poses.get(robot) is not None
            and poses[robot]["level"] == "ground"
            and math.dist((poses[robot]["x_m"], poses[robot]["y_m"]), _place(home)) < 0.05
            for robot, home in (("tug_1", "parking_1"), ("boxer_1", "parking_2"))
        )

    wait_until(are_home, "both stand at home, in the frame of the site", limit_s=60.0)
