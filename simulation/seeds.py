"""Many wards in virtual time, each with faults mixed by its seed, and the command that runs one of them again.

``python -m simulation.seeds --seed 17 --site clinic`` runs one seed and says what came of it; what it says is the same
byte for byte each time. With ``--count 1000`` it runs as many from that seed on, over both sites in turn unless one is
named, on ``--processes`` processors, and ends with exit code 1 if any broke a promise.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from orchestrator.adapters.config.built_in import built_in
from orchestrator.adapters.config.rmf.importer import import_building
from orchestrator.adapters.config.robot_model_file import load_robot_models
from orchestrator.adapters.config.site_file import load_site
from orchestrator.application.fleet import FleetOnSite, FleetPolicy, assemble_fleet
from orchestrator.domain.delivery.model import DeliveryState, Priority
from orchestrator.domain.delivery.request import DeliveryRequest, LineRequest
from orchestrator.domain.fleet.model import ModelId
from orchestrator.domain.site.model import Site
from simulation.demo.cast import Cast, choose_cast, draw_routes
from simulation.faults.kinds import FaultKind
from simulation.faults.observers import Answers, Bases, Bodies
from simulation.faults.plan import draw_plan
from simulation.faults.promises import PromiseBrokenError
from simulation.faults.stage import FaultyWard
from simulation.ward import Asked

SITES = ("demo_hospital", "clinic")
ROBOTS = 6
HOURS_S = 7200.0
FAULTS = 40
DELIVERIES = 24
LIVENESS_S = 3600.0
"""How long after the last fault everything may take to end, virtual seconds."""

ENDED = frozenset({DeliveryState.RECEIVED, DeliveryState.RETURNED, DeliveryState.INCIDENT})
CLINIC = Path("maps") / "clinic" / "clinic.building.yaml"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one seed: the promise broken, if any; what happened; and the digest of its event log."""

    seed: int
    site: str
    broken: str
    faults: Counter[FaultKind]
    ends: Counter[str]
    seen: Counter[str]
    elapsed_s: float
    cpu_s: float
    digest: str

    @property
    def again(self) -> str:
        """The command that runs the seed again."""
        return f"python -m simulation.seeds --seed {self.seed} --site {self.site}"


@cache
def site_of(name: str) -> Site:
    """Return a site by name: the demo hospital, or the clinic from the shared maps beside this checkout."""
    if name == "demo_hospital":
        return load_site(built_in("sites/demo_hospital.site.yaml"))
    shared = Path(__file__).resolve().parents[2] / "shared" / "data"
    return import_building(shared / CLINIC)[0]


@cache
def _cast_of(name: str) -> Cast:
    model = load_robot_models(built_in("robot_models"))[ModelId("porter")]
    return choose_cast(site_of(name), model=replace(model, state_interval_s=10.0, lost_after_s=25.0), robots=ROBOTS)


def a_fleet(name: str, *, seed: int) -> FleetOnSite:
    """Return the robots of a seed: some speak 2.0.0, the others 2.1.0."""
    cast, chance = _cast_of(name), random.Random(f"{seed}:fleet")
    robots = [replace(robot, protocol_version=chance.choice(("2.0.0", "2.1.0"))) for robot in cast.robots]
    return assemble_fleet(
        site=site_of(name),
        robots={robot.id: robot for robot in robots},
        models={robot.id: cast.model for robot in robots},
        policy=FleetPolicy(),
    )


def a_demand(name: str, *, seed: int) -> list[Asked]:
    """Return what people of a seed ask for in its two hours."""
    chance = random.Random(f"{seed}:demand")
    routes = draw_routes(_cast_of(name), count=DELIVERIES, seed=seed)
    moments = sorted(chance.uniform(1.0, HOURS_S - 900.0) for _ in routes)
    return [
        Asked(
            at_s=at_s,
            request=DeliveryRequest(
                from_station=start,
                to_station=end,
                lines=(LineRequest(medicine="Paracetamol 500 mg tablets", quantity=28, unit="tablet"),),
                priority=chance.choice(list(Priority)),
            ),
        )
        for at_s, (start, end) in zip(moments, routes, strict=True)
    ]


def run_seed(seed: int, site: str) -> Verdict:
    """Run one seed to its end."""
    begun_s = time.process_time()
    fleet = a_fleet(site, seed=seed)
    plan = draw_plan(f"{seed}:{site}", robots=sorted(fleet.robots), count=FAULTS, until_s=HOURS_S)
    ward = FaultyWard(fleet, asked=a_demand(site, seed=seed), seed=seed, plan=plan)
    chance = random.Random(f"{seed}:batteries")
    for body in ward.robots.values():
        body.lose_charge(chance.uniform(0.0, 0.6))
    bodies, answers = Bodies(ward), Answers(ward)
    Bases(ward)
    broken = ""
    try:
        outcome = ward.run(limit_s=HOURS_S + LIVENESS_S)
        if not outcome.is_finished:
            left = [f"{d.id} is {d.state.value}" for d in outcome.deliveries if d.state not in ENDED]
            broken = f"an hour after the last fault {', '.join(left)}"
    except PromiseBrokenError as error:
        outcome = ward.outcome_so_far()
        broken = str(error)
    return Verdict(
        seed=seed,
        site=site,
        broken=broken,
        faults=ward.happened,
        ends=Counter(d.state.value for d in outcome.deliveries),
        seen=Counter(
            looks=bodies.looks,
            orders=answers.orders,
            refusals=answers.refusals,
            replayed=ward.replayed,
            replayed_from_before=ward.replayed_from_before,
            retries=ward.retries,
            told=outcome.log.count(b'"kind": "alarm"'),
        ),
        elapsed_s=outcome.elapsed_s,
        cpu_s=time.process_time() - begun_s,
        digest=hashlib.sha256(outcome.log).hexdigest()[:16],
    )


def _told(verdict: Verdict) -> str:
    ends = ", ".join(f"{n} {state}" for state, n in sorted(verdict.ends.items()))
    seen = ", ".join(f"{n} {what}" for what, n in sorted(verdict.seen.items()))
    faults = ", ".join(f"{kind.value} {n}" for kind, n in sorted(verdict.faults.items()))
    lines = [
        f"seed {verdict.seed} {verdict.site}: {verdict.elapsed_s:.0f} s; {ends}; log {verdict.digest}",
        f"  seen: {seen}",
        f"  faults: {faults}",
    ]
    if verdict.broken:
        lines += [f"  BROKEN: {verdict.broken}", f"  again: {verdict.again}"]
    return "\n".join(lines)


def _run(case: tuple[int, str]) -> Verdict:
    return run_seed(*case)


def _collect_seldom() -> None:
    """Look for cycles seldom: a ward makes few, and looking after every 700 objects is a tenth of a seed's time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--count", type=int, default=1, help="how many seeds")
    parser.add_argument("--site", choices=SITES, help="one site only")
    parser.add_argument("--processes", type=int, default=1, help="how many at once")
    asked = parser.parse_args(arguments)
    cases = [(seed, asked.site or SITES[seed % len(SITES)]) for seed in range(asked.seed, asked.seed + asked.count)]
    verdicts: list[Verdict] = []
    _collect_seldom()
    with multiprocessing.Pool(asked.processes, initializer=_collect_seldom) as pool:
        for verdict in pool.imap_unordered(_run, cases) if asked.processes > 1 else map(_run, cases):
            sys.stdout.write(_told(verdict) + "\n")
            sys.stdout.flush()
            verdicts.append(verdict)
    if asked.count > 1:
        sys.stdout.write(_summed_up(verdicts) + "\n")
    return 1 if any(verdict.broken for verdict in verdicts) else 0


def _summed_up(verdicts: Sequence[Verdict]) -> str:
    faults = sum((verdict.faults for verdict in verdicts), Counter[FaultKind]())
    told = ", ".join(f"{kind.value} {n}" for kind, n in sorted(faults.items()))
    broken = sum(1 for verdict in verdicts if verdict.broken)
    seen = sum((verdict.seen for verdict in verdicts), Counter[str]())
    saw = ", ".join(f"{n} {what}" for what, n in sorted(seen.items()))
    cpu_s = sum(verdict.cpu_s for verdict in verdicts) / len(verdicts)
    summary = f"{len(verdicts)} seeds, {broken} broken, {cpu_s:.1f} s of CPU each"
    return f"{summary}; seen: {saw}; {faults.total()} faults: {told}"


if __name__ == "__main__":
    sys.exit(main())
