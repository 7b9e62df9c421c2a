"""A ward in virtual time, with the orchestrator that runs on the real one."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter

import pytest

from orchestrator.domain.delivery.model import DeliveryState
from simulation.ward import Outcome, SimulatedWard
from tests.support.shared_data import shared_data
from tests.support.wards import a_demand, a_fleet, demo_hospital, imported_site

HOUR_S = 3600.0


def run_demo_hospital(*, count: int, seed: int) -> Outcome:
    site = demo_hospital()
    ward = SimulatedWard(a_fleet(site), asked=a_demand(site, count=count, seed=seed), seed=seed)
    return ward.run(limit_s=24 * HOUR_S)


@pytest.mark.timeout(240)
def test_two_hundred_deliveries_cross_the_narrow_corridor_with_three_robots() -> None:
    outcome = run_demo_hospital(count=200, seed=7)

    assert outcome.is_finished
    assert Counter(d.state for d in outcome.deliveries) == {DeliveryState.RECEIVED: 200}
    assert all(driven_m > 500.0 for driven_m in outcome.driven_m.values()), "every robot took part"


def test_every_delivery_is_loaded_once_and_received_once_in_the_order_of_its_life() -> None:
    outcome = run_demo_hospital(count=24, seed=3)

    assert outcome.is_finished
    for delivery in outcome.deliveries:
        states = [change.after for change in delivery.history]
        assert states == [
            DeliveryState.QUEUED,
            DeliveryState.VERIFIED,
            DeliveryState.ASSIGNED,
            DeliveryState.LOADING,
            DeliveryState.SEALED,
            DeliveryState.IN_TRANSIT,
            DeliveryState.ARRIVED,
            DeliveryState.RECEIVED,
        ]


@pytest.mark.parametrize("building", ["clinic/clinic.building.yaml", "office/office.building.yaml"])
def test_a_map_that_nobody_here_drew_is_served_straight_from_its_file(building: str) -> None:
    site = imported_site(shared_data() / "maps" / building)
    ward = SimulatedWard(a_fleet(site), asked=a_demand(site, count=10, seed=1), seed=1)

    outcome = ward.run(limit_s=6 * HOUR_S)

    assert outcome.is_finished
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}


def digest_in_another_process(*, hash_seed: str) -> str:
    code = (
        "import hashlib\n"
        "from tests.simulation.test_virtual_ward import run_demo_hospital\n"
        "print(hashlib.sha256(run_demo_hospital(count=12, seed=5).log).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    return done.stdout.strip()


def test_one_seed_gives_one_event_log_byte_for_byte_under_any_hash_seed() -> None:
    here = run_demo_hospital(count=12, seed=5)

    digests = {digest_in_another_process(hash_seed=seed) for seed in ("0", "1", "4711")}

    assert digests == {hashlib.sha256(here.log).hexdigest()}
    assert len(here.log) > 10_000


def test_another_seed_gives_another_event_log() -> None:
    assert run_demo_hospital(count=6, seed=5).log != run_demo_hospital(count=6, seed=6).log
