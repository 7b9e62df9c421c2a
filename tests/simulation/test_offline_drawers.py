"""The network is gone while a drawer is open: what its robot wrote down is in the books once it is back (case 54)."""

from __future__ import annotations

from datetime import datetime

import pytest

from orchestrator.domain.fleet.model import RobotId
from simulation.faults.messages import CutOff
from simulation.faults.stage import FaultyWard
from tests.support.wards import a_demand, a_fleet, demo_hospital

ROBOT = RobotId("robot-1")
GONE_FOR_S = 240.0


class Outage:
    """A ward whose first drawer opens on a grant just as the link to its robot goes; for a while nobody hears it."""

    def __init__(self, *, restarts: bool) -> None:
        site = demo_hospital()
        demand = a_demand(site, count=2, seed=4, robots=1)
        self.ward = FaultyWard(a_fleet(site, robots=1), asked=demand, seed=4, plan=())
        self.let_go_s = 0.0
        self._cut, self._restarts = CutOff(), restarts
        self.ward.scheduler.after(0.1, self._watch)

    def _watch(self) -> None:
        robot, scheduler = self.ward.robots[ROBOT], self.ward.scheduler
        if not robot.drawers.unlatched:
            scheduler.after(0.1, self._watch)
            return
        self.let_go_s = self.ward.clock.monotonic_s()
        self.ward.wires[ROBOT].faults.append(self._cut)
        if self._restarts:
            scheduler.after(60.0, robot.cut_power)
            scheduler.after(90.0, robot.switch_on)
        scheduler.after(GONE_FOR_S, self._come_back)

    def _come_back(self) -> None:
        self.ward.wires[ROBOT].faults.remove(self._cut)
        self.ward.robots[ROBOT].announce()

    def entered(self) -> list[tuple[str, float]]:
        """What was entered late, and how long after the drawer was let go it happened, seconds."""
        told = [event.data for event in self.ward._log if event.kind == "drawer_journal"]
        begun = self.ward.clock.moment(self.let_go_s)
        return [
            (str(data["what"]), (datetime.fromisoformat(str(data["happened_at"])) - begun).total_seconds())
            for data in told
        ]


@pytest.mark.parametrize("restarts", [False, True])
def test_case_54_what_a_drawer_did_while_the_link_was_gone_is_entered_once_when_it_is_back(restarts: bool) -> None:
    outage = Outage(restarts=restarts)
    ward = outage.ward

    outcome = ward.run(limit_s=4000.0)

    assert outage.let_go_s > 0.0
    what = outage.entered()
    assert [each for each, _ in what if each in ("let_go", "opened", "closed")] in (
        ["opened", "closed"],
        ["let_go", "opened", "closed"],
    )
    assert all(-0.5 <= after_s < 10.0 for _, after_s in what), "it happened in the first seconds of the outage"
    assert outcome.is_finished
    assert b"drawer_journal_gap" not in outcome.log
