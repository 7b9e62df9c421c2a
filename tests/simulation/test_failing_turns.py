"""Turns that fail, and deaths between two commits, in a virtual ward: nothing gets stuck, nothing happens twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from orchestrator.application.ports import Store, UnitOfWork
from orchestrator.domain.delivery.model import DeliveryState
from simulation.ward import Outcome, SimulatedWard
from tests.support.wards import a_demand, a_fleet, demo_hospital

FaultPlan = Callable[[int], bool]

FAULTS_CEASE_AFTER = 400
"""Transactions after which nothing fails any more: with a death every few seconds nobody's patience ever ends."""


class TurnFailedError(Exception):
    """A fault of the program or of the disk in the middle of a turn."""


class KilledError(Exception):
    """The process died right after a commit."""


class FaultyStore:
    """A store whose n-th transaction fails before its commit, or is the last thing its process does."""

    def __init__(self, kept: Store, *, fails: FaultPlan, kills: FaultPlan) -> None:
        self.kept = kept
        self.commits = 0
        self.begun = 0
        self._fails = fails
        self._kills = kills

    @contextmanager
    def transaction(self) -> Iterator[UnitOfWork]:
        self.begun += 1
        number = self.begun if self.begun <= FAULTS_CEASE_AFTER else 0
        with self.kept.transaction() as uow:
            yield uow
            if number and self._fails(number):
                raise TurnFailedError(number)
        self.commits += 1
        if number and self._kills(number):
            raise KilledError(number)

    @contextmanager
    def reading(self) -> Iterator[UnitOfWork]:
        with self.kept.reading() as uow:
            yield uow


class FaultyWard(SimulatedWard):
    """A ward whose orchestrator goes on after a failed turn as its driver does, and is started again after a death."""

    def make_faulty(self, *, fails: FaultPlan, kills: FaultPlan) -> None:
        self.faulty = FaultyStore(self.store, fails=fails, kills=kills)
        self.store = self.faulty
        self.control = self._new_control()
        plain_at = self.scheduler.at
        self.scheduler.at = lambda moment_s, act: plain_at(moment_s, lambda: self._guarded(act))  # type: ignore[method-assign]

    def _guarded(self, act: Callable[[], None]) -> None:
        commits = self.faulty.commits
        try:
            act()
        except TurnFailedError:
            self._plan_tick()
            if self.faulty.commits == commits:
                # Nothing came of it: whoever asked for something asks again.
                self.scheduler.after(1.0, act)
        except KilledError:
            self.kill_orchestrator(away_s=3.0)


def run_faulty(*, fails: FaultPlan, kills: FaultPlan, count: int = 6, seed: int = 11) -> Outcome:
    site = demo_hospital()
    ward = FaultyWard(a_fleet(site), asked=a_demand(site, count=count, seed=seed), seed=seed)
    ward.make_faulty(fails=fails, kills=kills)
    return ward.run(limit_s=3 * 3600.0)


def assert_all_received_once(outcome: Outcome) -> None:
    assert outcome.is_finished
    for delivery in outcome.deliveries:
        states = [change.after for change in delivery.history]
        assert delivery.state is DeliveryState.RECEIVED
        assert states.count(DeliveryState.SEALED) == states.count(DeliveryState.RECEIVED) == 1


@pytest.mark.parametrize("every", [7, 13, 29])
@pytest.mark.parametrize("first", [0, 3, 5])
def test_deliveries_finish_when_turns_fail_again_and_again(every: int, first: int) -> None:
    assert_all_received_once(run_faulty(fails=lambda n: n % every == first, kills=lambda _: False))


@pytest.mark.parametrize("every", [17, 41])
@pytest.mark.parametrize("first", [0, 3, 8, 14])
def test_deliveries_finish_when_the_orchestrator_dies_between_two_commits(every: int, first: int) -> None:
    assert_all_received_once(run_faulty(fails=lambda _: False, kills=lambda n: n % every == first))
