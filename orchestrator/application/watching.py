"""Watching what robots do with what they are told, and what they send that the schema forbids."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from orchestrator.application.fleet import FleetOnSite
from orchestrator.domain.fleet.conduct import Conduct, Finding
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.vda5050 import events as link
from orchestrator.vda5050.repair import SchemaFault

COMPLAINTS_KEPT = 50


@dataclass(slots=True)
class Complaints:
    """How one robot departs from the schema: how many states did, and each way with how often it was seen.

    The ways seen first are kept, at most `COMPLAINTS_KEPT`; a robot that finds ever new ones costs no more.
    """

    states: int = 0
    ways: Counter[SchemaFault] = field(default_factory=Counter[SchemaFault])

    def note(self, faults: tuple[SchemaFault, ...]) -> None:
        """Count what was tolerated in one state."""
        if not faults:
            return
        self.states += 1
        for fault in faults:
            if fault in self.ways or len(self.ways) < COMPLAINTS_KEPT:
                self.ways[fault] += 1


class Watch:
    """Watches every robot of a fleet.

    Parameters
    ----------
    fleet : FleetOnSite
        The robots and their models.
    """

    def __init__(self, fleet: FleetOnSite) -> None:
        self._conducts = {robot: Conduct(fleet.models[robot], pace=fleet.policy.pace) for robot in fleet.robots}
        self.complaints = {robot: Complaints() for robot in fleet.robots}

    def look_at(self, robot: RobotId, event: link.LinkEvent, record: RobotRecord, *, at_s: float) -> Finding | None:
        """Return what a robot is to be held for after one event of its link; ``record`` is as before it."""
        conduct = self._conducts[robot]
        match event:
            case link.Reported(report=report, faults=faults):
                self.complaints[robot].note(faults)
                return conduct.judge(record, report, at_s=at_s)
            case link.OrderAcknowledged():
                conduct.note_taken()
            case link.OrderRejected(kind=kind, description=description):
                return conduct.note_refused(robot, why=f"{kind}: {description}" if description else kind)
            case link.RobotReturned():
                conduct.forget()
            case _:
                pass
        return None
