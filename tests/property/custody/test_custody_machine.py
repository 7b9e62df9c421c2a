"""The promises of custody, with random staff at work in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.custody_machine import (
    Custody,
    OnDisk,
    machine_on,
)
from tests.support.postgresql import PostgresServer


def some(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        derandomize=True,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
    )


@pytest.mark.timeout(300)
def test_promises_of_custody_hold_in_memory() -> None:
    done: Counter[str] = Counter()

    class Counted(Custody):
        def teardown(self) -> None:
            done.update(self.did)

    run_state_machine_as_test(Counted, settings=some(250, 60))
    # What is never done is not shown to keep its promises.
    assert {"load", "load_two", "receive", "receive_several", "refuse_some"} <= done.keys(), done


@pytest.mark.timeout(300)
def test_promises_of_custody_hold_on_sqlite() -> None:
    run_state_machine_as_test(OnDisk, settings=some(15, 50))


@pytest.mark.timeout(300)
def test_promises_of_custody_hold_on_postgresql(postgres_server: PostgresServer) -> None:
    run_state_machine_as_test(machine_on(postgres_server), settings=some(10, 50))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("where", ["memory", "sqlite", "postgresql"])
def test_promises_of_custody_hold_over_many_days(where: str, request: pytest.FixtureRequest) -> None:
    machine: type[Custody] = {"memory": Custody, "sqlite": OnDisk}.get(where, Custody)
    if where == "postgresql":
        machine = machine_on(request.getfixturevalue("postgres_server"))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=200,
            stateful_step_count=80,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )
