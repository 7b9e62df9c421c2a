"""Which fault when, at which robot, for how long: drawn from a seed, or written down."""

from __future__ import annotations

import random
from collections.abc import Sequence

from orchestrator.domain.fleet.model import RobotId
from simulation.faults.kinds import OF_EVERYBODY, FaultKind, PlannedFault

BETWEEN_S = 20.0
"""Least time between the end of one fault at a robot and its next, seconds: people have seen to it meanwhile."""

LASTS_S = {
    FaultKind.BROKER_RESTART: (31.0, 40.0),
    FaultKind.NEVER_ANNOUNCED: (6.0, 10.0),
    FaultKind.ORCHESTRATOR_KILLED: (21.0, 30.0),
    FaultKind.REPLAY_AFTER_KILL: (40.0, 120.0),
    FaultKind.REBOOTS: (5.0, 10.0),
    FaultKind.BATTERY_DRAIN: (200.0, 600.0),
    FaultKind.DOCKING_FAILED: (300.0, 900.0),
    FaultKind.FAILED_PICK: (200.0, 600.0),
    FaultKind.STUCK_IN_DOOR: (120.0, 600.0),
}
"""Shortest and longest of a kind, seconds; of any other 15 to 300."""

HOUSE = RobotId("")
"""Stands for everybody in a plan."""


def draw_plan(seed: str, *, robots: Sequence[RobotId], count: int, until_s: float) -> tuple[PlannedFault, ...]:
    """Draw ``count`` faults that are over by ``until_s``; at a robot, and around everybody, one after the other.

    The kinds come in shuffled rounds, so that a few dozen faults hold every kind.
    """
    chance = random.Random(f"{seed}:faults")
    plan: list[PlannedFault] = []
    kinds: list[FaultKind] = []
    while len(plan) < count:
        kinds = kinds or chance.sample(list(FaultKind), len(FaultKind))
        kind = kinds.pop()
        who = HOUSE if kind in OF_EVERYBODY else chance.choice(robots)
        for_s = chance.uniform(*LASTS_S.get(kind, (15.0, 300.0)))
        at_s = chance.uniform(10.0, until_s - for_s)
        clashes = [
            f for f in plan if f.robot == who and f.at_s < at_s + for_s + BETWEEN_S and at_s < f.ends_s + BETWEEN_S
        ]
        if not clashes:
            number = len(plan)
            plan.append(PlannedFault(kind, who, at_s, for_s, f"{seed}:fault:{number}"))
    return tuple(sorted(plan, key=lambda fault: (fault.at_s, fault.robot)))
