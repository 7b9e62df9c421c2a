"""The whole house over TLS: a certificate for everybody, made from the fleet file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.houses import House, assert_delivered_once, assert_orders_kept

pytestmark = [
    pytest.mark.ros,
    pytest.mark.broker,
    pytest.mark.system,
    pytest.mark.timeout(170),
    pytest.mark.xdist_group("houses"),
]


def test_deliveries_are_carried_over_tls_and_everybody_comes_back_when_the_broker_does(
    open_house: Callable[..., House],
) -> None:
    house = open_house(broker="secured")
    house.queue([("pharmacy_hatch_1", "ward_alder_handover"), ("pharmacy_hatch_2", "ward_birch_handover")])
    house.play_until(lambda: house.driving_with_load() is not None, "a robot drives with a delivery", limit_s=45.0)

    house.broker.restart()

    house.play_until_all_received(limit_s=100.0)
    assert_delivered_once(house)
    assert_orders_kept(house)
