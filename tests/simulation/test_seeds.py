"""Wards with every fault mixed at random, by seed: every delivery ends, and the promises hold meanwhile."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from simulation.faults.kinds import FaultKind
from simulation.faults.plan import draw_plan
from simulation.seeds import FAULTS, HOURS_S, SITES, Verdict, a_fleet, run_seed
from tests.support.shared_data import shared_data

DEFAULT = range(1, 51)
"""Seeds of the default tier."""

SLOW = range(51, 51 + int(os.environ.get("WARDPORTER_SEEDS", "1000")))
"""Seeds of the slow tier; WARDPORTER_SEEDS sets how many."""

DRAWN = range(1, 51)
"""Seeds whose plans and fleets are only drawn, to see what is in them."""

CHUNK = 20


def site_of(seed: int) -> str:
    return SITES[seed % len(SITES)]


def verdict_of(seed: int, site: str) -> Verdict:
    if site != "demo_hospital":
        shared_data()
    verdict = run_seed(seed, site)
    assert verdict.seen["orders"] > 100
    assert verdict.broken or verdict.faults.total() > FAULTS // 2, "most of the plan has really happened"
    return verdict


def broken_by(verdict: Verdict) -> str:
    """What a seed breaks and how to see it again; empty when it breaks nothing."""
    return f"{verdict.broken}; again: {verdict.again}" if verdict.broken else ""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", DEFAULT)
def test_every_delivery_ends_and_the_promises_hold_whatever_goes_wrong(seed: int) -> None:
    assert broken_by(verdict_of(seed, site_of(seed))) == ""


@pytest.mark.slow
@pytest.mark.timeout(CHUNK * 300)
@pytest.mark.parametrize("first", SLOW[::CHUNK])
def test_every_delivery_ends_and_the_promises_hold_over_many_seeds(first: int) -> None:
    verdicts = [verdict_of(seed, site_of(seed)) for seed in range(first, min(first + CHUNK, SLOW.stop))]

    assert [broken for verdict in verdicts if (broken := broken_by(verdict))] == []
    assert sum(verdict.seen["refusals"] for verdict in verdicts) > len(verdicts)


def test_every_kind_of_fault_is_in_the_plans_many_times() -> None:
    kinds: Counter[FaultKind] = Counter()
    for seed in DRAWN:
        robots = [f"robot-{number}" for number in range(1, 7)]
        plan = draw_plan(f"{seed}:{site_of(seed)}", robots=robots, count=FAULTS, until_s=HOURS_S)  # type: ignore[arg-type]
        kinds.update(fault.kind for fault in plan)

    assert set(kinds) == set(FaultKind)
    assert min(kinds.values()) >= len(DRAWN) // 2


def test_robots_of_both_versions_take_part() -> None:
    fleets = [a_fleet(SITES[0], seed=seed) for seed in DRAWN[::2]]
    versions = Counter(robot.protocol_version for fleet in fleets for robot in fleet.robots.values())

    assert min(versions["2.0.0"], versions["2.1.0"]) > 30


@pytest.mark.timeout(600)
def test_the_same_seed_gives_the_same_history_byte_for_byte() -> None:
    one, other = run_seed(4, "demo_hospital"), run_seed(4, "demo_hospital")

    assert min(one.seen.values()) > 0, "the seed has orders, refusals, replays, retries and alarms"
    assert (one.digest, one.faults, one.ends, one.seen) == (other.digest, other.faults, other.ends, other.seen)
