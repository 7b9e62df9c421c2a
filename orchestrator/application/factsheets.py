"""What a robot's factsheet says against its configuration, written into the books and told to people."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.holding import lay_hold
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import Commissioning, RobotId
from orchestrator.domain.reason import Reason
from orchestrator.vda5050.drawers import declares_grants
from orchestrator.vda5050.factsheet_check import check_factsheet
from orchestrator.vda5050.factsheets import Factsheet


def note_factsheet(turn: Turn, fleet: FleetOnSite, robot: RobotId, factsheet: Factsheet) -> None:
    """Compare a factsheet with what we were told of the robot, and keep and tell every disagreement that is new.

    A robot on the ward whose factsheet says something serious gets no work until a person has accepted it: it is larger
    than the room kept free for it, brakes later, or cannot take in a tote. What was accepted once is not asked again.
    A simulated robot drives on; the disagreement is shown.
    """
    config = fleet.robots[robot]
    found = check_factsheet(
        factsheet, model=fleet.models[robot], dialect=fleet.dialect_of(robot), version=config.protocol_version
    )
    findings = tuple(Reason(finding.code, finding.sentence) for finding in found)
    turn.put(replace(turn.record(robot), checks_grants=declares_grants(factsheet, fleet.dialect_of(robot))))
    record = turn.record(robot)
    if findings == record.findings:
        return
    known = set(record.findings)
    turn.put(replace(record, findings=findings))
    told = [{"code": finding.code, "sentence": finding.sentence} for finding in findings]
    turn.tell("factsheet_checked", robot, {"findings": told})
    serious = [finding for finding in found if finding.is_serious]
    if config.commissioning is Commissioning.HARDWARE and any(
        Reason(finding.code, finding.sentence) not in known for finding in serious
    ):
        sentence = (
            f"The factsheet of robot {robot} disagrees with its configuration: {serious[0].sentence} Correct the fleet "
            "file, or resume the robot to accept it."
        )
        lay_hold(turn, robot, HoldKind.MISDESCRIBED, sentence)
