"""One blow after the other: whatever is killed and whenever, every delivery arrives once and no order changes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from orchestrator.domain.fleet.model import RobotId
from tests.support.houses import House, assert_delivered_once, assert_orders_kept

pytestmark = [
    pytest.mark.ros,
    pytest.mark.system,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("houses"),
]

ROUTES = (
    ("pharmacy_hatch_1", "ward_alder_handover"),
    ("pharmacy_hatch_2", "ward_birch_handover"),
    ("pharmacy_hatch_1", "ward_cedar_handover"),
    ("pharmacy_hatch_2", "ward_birch_bed_1"),
)
BLOWS = 6
ALL_LIMIT_S = 200.0
SILENCE_S = 10.0


def _play_for(house: House, seconds: float) -> None:
    end_s = time.monotonic() + seconds
    house.play_until(lambda: True, "the service answers", limit_s=30.0)
    while time.monotonic() < end_s:
        house.play_once()


def _strike(house: House, victim: str, *, away_s: float) -> None:
    """Kill somebody, let the others go on for a while, and start it again."""
    if victim == "broker":
        house.broker.kill()
        time.sleep(away_s)
        house.broker.start()
        return
    child = house.company.service if victim == "service" else house.company.robots[RobotId(victim)]
    child.kill()
    time.sleep(away_s)
    child.start()


@pytest.mark.parametrize("seed", range(3))
def test_deliveries_arrive_once_however_often_somebody_is_killed(open_house: Callable[..., House], seed: int) -> None:
    chance = random.Random(seed)
    house = open_house(broker="amqtt")
    house.queue(ROUTES)
    victims = ["service", "robot-1", "robot-2", "broker"]
    blows = chance.sample(victims, len(victims)) + chance.choices(victims, k=BLOWS - len(victims))
    for victim in blows:
        _play_for(house, chance.uniform(0.5, 6.0))
        _strike(house, victim, away_s=chance.choice([0.0, 0.5, 2.0]))
    house.play_until_all_received(limit_s=ALL_LIMIT_S)
    assert_delivered_once(house)
    assert_orders_kept(house)


def test_everything_goes_on_after_the_broker_hung_for_ten_seconds(open_house: Callable[..., House]) -> None:
    house = open_house(broker="amqtt")
    house.queue(ROUTES[:2])
    house.play_until(lambda: house.driving_with_load() is not None, "a robot drives with a load", limit_s=45.0)
    house.broker.pause()
    _play_for(house, SILENCE_S)
    house.broker.resume()
    house.play_until_all_received(limit_s=ALL_LIMIT_S)
    assert_delivered_once(house)
    assert_orders_kept(house)
